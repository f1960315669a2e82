"""Which trails a copy holds, by the names of its digest files alone: nothing of them is believed.

Whose trail it is stands in the name only where its files lie under the account itself; below an
organization's id somebody has to say it.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime

from msgspec import Struct

from integrity.chain.model import Root, S3Location, TimeWindow, Trail
from integrity.chain.names import DigestName, parse_digest
from integrity.chain.times import DAY
from integrity.errors import UsageError
from integrity.sources.claimed import ARN_FORM, claimed_trail, parse_trail_arn
from integrity.structs import replace

_CLOUDTRAIL_BEGAN = datetime(2013, 11, 1, tzinfo=UTC)
_MOST_LISTED = 50


class CopiedTrail(Struct, frozen=True):
    """A trail's digest files in a copy. `owner` is None where no name says whose trail it is.

    `root` is where the newest of them lies; `window` is from the end of the first to that of the
    last: what the first one says of its predecessor is of a time that was not copied.
    """

    name: str
    home_region: str
    owner: str | None
    root: Root
    window: TimeWindow

    @property
    def shown(self) -> str:
        """For a person."""
        whose = f"account {self.owner}" if self.owner else f"organization {self.root.uri}"
        return f"{self.name} (home region {self.home_region}, {whose})"

    def claimed(self, arn: str | None = None) -> Trail:
        """The trail, taken at its word."""
        where = self.root
        return claimed_trail(
            arn or _arn(self), where.bucket, where.prefix, where.organization_id or None
        )


def find_trails(places: Iterable[S3Location], now: datetime) -> tuple[CopiedTrail, ...]:
    """The trails of these objects, by name. Digests of no possible time are nobody's."""
    found: dict[tuple[str, str, str], CopiedTrail] = {}
    for place in places:
        name = parse_digest(place)
        if name is None or not _CLOUDTRAIL_BEGAN <= name.end <= now + DAY:
            continue
        one = _of(name)
        key = (one.name, one.home_region, one.owner or one.root.organization_id)
        found[key] = _joined(found[key], one) if key in found else one
    return tuple(found[key] for key in sorted(_reunited(found)))


def choose(found: Sequence[CopiedTrail], asked: str | None) -> list[tuple[Trail, TimeWindow]]:
    """The trails that are meant, all of them where nobody asked for one, and what the copy holds.

    Raises UsageError, listing what there is, where none is meant or nobody can tell whose it is.
    """
    arn = parse_trail_arn(asked) if asked is not None else None
    if arn is not None:
        of_name = [t for t in found if (t.name, t.home_region) == (arn.name, arn.region)]
        meant = [t for t in of_name if t.owner in (None, arn.account_id)]
    else:
        meant = [trail for trail in found if asked in (None, trail.name)]
    if not meant:
        which = "trail" if asked is None else f"trail {asked}"
        raise UsageError(f"the copy holds no digest file of a {which}; {_listed(found)}")
    if arn is not None:
        newest = max(meant, key=lambda trail: trail.window.end)
        return [(newest.claimed(arn.text), _whole(meant))]
    if any(trail.owner is None for trail in meant):
        raise UsageError(
            "whose trail it is cannot be told from an organization's files: name it with "
            f"--trail-arn {ARN_FORM}; {_listed(found)}"
        )
    return [(trail.claimed(), trail.window) for trail in meant]


def _of(name: DigestName) -> CopiedTrail:
    chain = name.chain
    owner = None if chain.root.organization_id else chain.account_id
    window = TimeWindow(name.end, name.end)
    return CopiedTrail(chain.trail_name, chain.home_region, owner, chain.root, window)


def _joined(one: CopiedTrail, other: CopiedTrail) -> CopiedTrail:
    newer = max(one, other, key=lambda trail: trail.window.end)
    return replace(newer, window=_whole([one, other]))


def _reunited(
    found: dict[tuple[str, str, str], CopiedTrail],
) -> dict[tuple[str, str, str], CopiedTrail]:
    """An account's trail that became its organization's is one trail in two layouts."""
    for key, trail in list(found.items()):
        if trail.owner is None:
            same = [
                other
                for other in found
                if other[:2] == key[:2] and found[other].owner and other != key
            ]
            if len(same) == 1:
                merged = _joined(found[same[0]], found.pop(key))
                found[same[0]] = replace(merged, owner=found[same[0]].owner)
    return found


def _whole(trails: Iterable[CopiedTrail]) -> TimeWindow:
    windows = [trail.window for trail in trails]
    return TimeWindow(min(w.start for w in windows), max(w.end for w in windows))


def _arn(trail: CopiedTrail) -> str:
    partition = "aws"
    for start in ("cn", "us-gov", "us-isob", "us-iso"):
        if trail.home_region.startswith(f"{start}-"):
            partition = {"us-isob": "aws-iso-b", "us-iso": "aws-iso"}.get(start, f"aws-{start}")
            break
    return f"arn:{partition}:cloudtrail:{trail.home_region}:{trail.owner}:trail/{trail.name}"


def _listed(found: Sequence[CopiedTrail]) -> str:
    if not found:
        return (
            "it holds none of any: look at --copy and --original (what was copied, to the letter)"
        )
    more = f" and {len(found) - _MOST_LISTED} more" if len(found) > _MOST_LISTED else ""
    return f"it holds: {', '.join(trail.shown for trail in found[:_MOST_LISTED])}{more}"
