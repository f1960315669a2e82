"""What the command line says of a trail, and the trail that is meant by it. Pure."""

from __future__ import annotations

from collections.abc import Iterable

from msgspec import Struct

from integrity.chain.model import TimeWindow, Trail
from integrity.structs import replace
from integrity.verify.job import Job


class Claim(Struct, frozen=True, kw_only=True):
    """What the command line says of the trail. `name` is its ARN or name; None: every trail.

    `bucket`, `prefix` and `organization_id` stand in place of what AWS says of it; None leaves it
    to AWS, an empty prefix says that there is none.
    """

    name: str | None = None
    bucket: str | None = None
    prefix: str | None = None
    organization_id: str | None = None

    def placed(self, trail: Trail) -> Trail:
        """The trail with the place that was claimed for it, if that is another one.

        What AWS says of the trail is then no witness of that place: what it delivers goes
        elsewhere.
        """
        moved = self.bucket not in (None, trail.bucket)
        prefix = self.prefix if self.prefix is not None else "" if moved else trail.prefix
        meant = replace(
            trail,
            bucket=self.bucket or trail.bucket,
            prefix=prefix,
            organization_id=self.organization_id or trail.organization_id,
        )
        same_place = (meant.bucket, meant.prefix) == (trail.bucket, trail.prefix)
        same_place = same_place and trail.organization_id in ("", meant.organization_id)
        return meant if same_place else replace(meant, looked_up=False)


class MeantTrail(Struct, frozen=True):
    """A trail that is to be verified.

    `unsigned_neighbours` write to the same place without validation: their log files lie among this
    one's, and no digest will ever name them. `window` is what a copy holds of it, `collected` what
    a bundle of it was made for; both None where it is verified where it is.
    """

    trail: Trail
    unsigned_neighbours: tuple[Trail, ...] = ()
    window: TimeWindow | None = None
    collected: Job | None = None


def with_neighbours(trail: Trail, all_trails: Iterable[Trail]) -> MeantTrail:
    """The trail, and those of all trails that write beside it without validation."""
    unsigned = [
        other
        for other in all_trails
        if other.arn != trail.arn and not other.validation and other.root == trail.root
    ]
    return MeantTrail(trail, tuple(unsigned))
