"""What lay there before: older versions of what is gone or altered, tried until one verifies.

1. The versions of these objects are listed, and where digests are gone, those of their days: a
   digest that was deleted is shown by its delete marker, and log files go with it.
2. The hours are judged once more from the bucket as it may have been (`substituted`), with the
   oldest version of each object in its place, then with the next one where that one is not good.
3. What CloudTrail's signatures and hashes then prove is an original, if something else is shown in
   its place now.

The judgement is the same as ever, so nothing is called an original that would not be valid. Nothing
is written. Objects, days and rounds are bounded; who may not list or read versions is a note.
(AWS: API_ListObjectVersions, API_GetObject.)
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import islice

from integrity.chain.evidence import Original
from integrity.chain.explain import ALTERED, GONE
from integrity.chain.findings import Finding, Outcome, Reason
from integrity.chain.link import merge
from integrity.chain.model import (
    ChainId,
    Encryption,
    S3Location,
    TimeWindow,
    Unreachable,
    Version,
)
from integrity.chain.names import digest_folder, log_folder, parse_digest, parse_log
from integrity.chain.times import DAY, HOUR, day_folder
from integrity.chain.versions import Versions, by_object
from integrity.structs import replace
from integrity.verify.checking import check_segment
from integrity.verify.job import Job
from integrity.verify.listing import days_from
from integrity.verify.plan import Plan, cut
from integrity.verify.ports import Untold, VersionSource
from integrity.verify.substituted import SubstitutedObjects
from integrity.verify.tools import Tools

MOST_ROUNDS = 4
"""So many versions of an object are tried."""

_MOST_DAYS = 31
_MOST_CHAIN_DAYS = 200
_MOST_OBJECTS = 1000
_MOST_LISTED = 20_000
_FEW_LOGS = 50

_UNCOVERED = frozenset(
    {Reason.CHAIN_GAP, Reason.HEAD_STALE, Reason.HEAD_REWOUND, Reason.NO_DIGESTS}
)
_MEANT = GONE | ALTERED | _UNCOVERED


class _Proven(Untold):
    """Hears what is proven."""

    def __init__(self) -> None:
        self.locations: set[S3Location] = set()

    def valid_digest(self, location: S3Location) -> None:
        self.locations.add(location)

    def valid_log(self, location: S3Location) -> None:
        self.locations.add(location)


@dataclass(slots=True)
class _Past:
    """One chain's objects that have older versions, and which of these was tried last."""

    objects: dict[S3Location, Versions]
    tried: dict[S3Location, int] = field(default_factory=dict)
    proven: dict[S3Location, Version] = field(default_factory=dict)

    def chosen(self) -> dict[S3Location, Version]:
        left = {
            place: versions.candidates[self.tried.get(place, 0)]
            for place, versions in self.objects.items()
            if self.tried.get(place, 0) < len(versions.candidates)
        }
        return left | self.proven


class Originals:
    """Looks for the originals of one run's findings. `notes` says who would not answer."""

    def __init__(self, job: Job, plan: Plan, tools: Tools, versions: VersionSource) -> None:
        self._job = replace(job, unreferenced=False, known=(), rules=())
        self._plan, self._tools, self._versions = plan, tools, versions
        self._days_left = _MOST_CHAIN_DAYS
        self._is_cut = False
        self._refused: dict[str, None] = {}

    @property
    def notes(self) -> list[str]:
        """A line for whoever would not answer, the first reason standing for all."""
        notes = list(islice(self._refused, 1))
        if self._is_cut:
            notes.append(f"not all days were looked at ({_MOST_DAYS} of a chain at most)")
        return [f"older versions, for originals: {why}" for why in notes]

    def find(self, findings: Sequence[Finding]) -> list[Finding]:
        """The findings, those of things gone or altered with what lay there before."""
        groups: dict[tuple[str, str], list[int]] = defaultdict(list)
        for number, finding in enumerate(findings):
            if finding.reason in _MEANT and finding.outcome is not Outcome.VALID:
                groups[finding.account_id, finding.region].append(number)
        result = list(findings)
        for pair, numbers in groups.items():
            chains = [c for c in self._plan.segments if (c.account_id, c.region) == pair]
            group = [findings[number] for number in numbers]
            for number, finding in zip(numbers, self._find(chains, group), strict=True):
                result[number] = finding
        return result

    def _find(self, chains: Sequence[ChainId], findings: Sequence[Finding]) -> list[Finding]:
        if not chains or self._refused or self._tools.stopping.is_set():
            return list(findings)
        past = self._past(chains[0], findings)
        if past is None:
            return list(findings)
        self._try(chains[0], past, [finding.window for finding in findings])
        if self._refused and not past.proven:
            return list(findings)
        subjects = {finding.s3_uri for finding in findings}
        originals = [
            self._original(past, place)
            for place, version in past.proven.items()
            if place.uri in subjects or past.objects[place].is_hidden(version)
        ]
        return list(_laid_beside(findings, past, originals))

    def _original(self, past: _Past, place: S3Location) -> Original:
        version = past.proven[place]
        answer = self._versions.describe_version(place, version.version_id)
        encryption = Encryption() if isinstance(answer, Unreachable) else answer
        return past.objects[place].original(version, encryption)

    # Listing

    def _past(self, chain: ChainId, findings: Sequence[Finding]) -> _Past | None:
        """What has older versions, of the objects that are meant; None where nobody tells."""
        listed: dict[Version, None] = {}
        prefixes = dict.fromkeys(self._prefixes(chain, findings))
        for answer in self._tools.executor.map(self._list, prefixes):
            for one in answer:
                if isinstance(one, Unreachable):
                    self._refused.setdefault(one.detail)
                    return None
                listed[one] = None
        meant = {
            place: versions
            for place, versions in by_object(listed).items()
            if versions.candidates and (parse_digest(place) or parse_log(place))
        }
        subjects = {finding.s3_uri for finding in findings}
        first = sorted(meant, key=lambda place: (place.uri not in subjects, place))
        return _Past({place: meant[place] for place in first[:_MOST_OBJECTS]})

    def _list(self, where: tuple[str, str]) -> list[Version | Unreachable]:
        return list(islice(self._versions.list_versions(*where), _MOST_LISTED))

    def _prefixes(self, chain: ChainId, findings: Sequence[Finding]) -> Iterator[tuple[str, str]]:
        """Of a few log files their own keys; of all else the folders of the days."""
        places = [_place(finding.s3_uri) for finding in findings]
        logs = [place for place in places if place is not None and parse_log(place) is not None]
        alone = set(logs) if len(logs) <= _FEW_LOGS else set()
        windows = []
        for finding, place in zip(findings, places, strict=True):
            if place in alone:
                yield place.bucket, place.key
            else:
                windows.append(finding.window)
        days = dict.fromkeys(
            day for one in merge(windows) for day in days_from(one.start - HOUR, one.end + HOUR)
        )
        most = min(_MOST_DAYS, self._days_left)
        self._is_cut = self._is_cut or len(days) > most
        self._days_left -= min(len(days), most)
        for day in islice(days, most):
            for root in (chain.root, *self._plan.expected[chain].beside):
                for folder in (digest_folder, log_folder):
                    prefix = folder(root, chain.account_id, chain.region) + day_folder(day)
                    yield root.bucket, prefix

    # Judging

    def _try(self, chain: ChainId, past: _Past, windows: Iterable[TimeWindow]) -> None:
        """Judge these hours with older versions in place of what is there, round by round."""
        hours = [piece for one in merge(windows) for piece in cut(one)][:_MOST_DAYS]
        for _ in range(MOST_ROUNDS):
            chosen = past.chosen()
            if not set(chosen) - set(past.proven):
                return
            proven, wrong = self._judge(chain, chosen, hours)
            past.proven |= {place: chosen[place] for place in proven & set(chosen)}
            again = [place for place in chosen if place.uri in wrong and place not in proven]
            for place in again:
                past.tried[place] = past.tried.get(place, 0) + 1
            if not again:
                return

    def _judge(
        self, chain: ChainId, chosen: dict[S3Location, Version], hours: Iterable[TimeWindow]
    ) -> tuple[set[S3Location], set[str | None]]:
        """What is proven, and what is not as it should be."""
        objects = SubstitutedObjects(self._tools.objects, self._versions, chosen)
        proven, wrong = _Proven(), set[str | None]()
        tools = replace(self._tools, objects=objects, progress=proven)
        part = replace(self._plan.segments[chain][0], is_first=True, is_last=True)
        part = replace(part, witness=None, wanted=None, known=(), hours=None)
        for window in hours:
            result = check_segment(replace(part, window=window), self._job, tools)
            wrong |= {finding.s3_uri for finding in result.findings}
        self._refused |= dict.fromkeys(objects.refused)
        return proven.locations, wrong


def _laid_beside(
    findings: Sequence[Finding], past: _Past, originals: Sequence[Original]
) -> Iterator[Finding]:
    """Each original beside its own finding, or beside the one of whose hours it was."""
    own = {finding.s3_uri: number for number, finding in enumerate(findings) if finding.s3_uri}
    beside: dict[int, list[Original]] = defaultdict(list)
    for one in originals:
        number = own.get(one.s3_uri)
        beside[_nearest(findings, one) if number is None else number].append(one)
    for number, finding in enumerate(findings):
        place = _place(finding.s3_uri)
        tried = len(beside[number])
        if place is not None and place in past.objects:
            tried = min(past.tried.get(place, 0) + 1, len(past.objects[place].candidates))
        yield replace(
            finding,
            versions_tried=tried,
            originals=tuple(sorted(beside[number], key=lambda one: one.s3_uri)),
        )


def _nearest(findings: Sequence[Finding], original: Original) -> int:
    """Which of the findings an original without one belongs to: the nearest in time."""

    def apart(number: int) -> tuple[object, ...]:
        window, time = findings[number].window, original.written_at
        outside = max(window.start - time, time - (window.end + HOUR), 0 * DAY)
        return (outside, findings[number].s3_uri is not None, number)

    return min(range(len(findings)), key=apart)


def _place(uri: str | None) -> S3Location | None:
    bucket, _, key = (uri or "").removeprefix("s3://").partition("/")
    return S3Location(bucket, key) if key else None
