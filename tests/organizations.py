"""A lab organization of three accounts in three regions, in every layout that trails have had."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from functools import cache

from integrity.lab.estate import LabTrail
from integrity.lab.world import Chain, World

OWNER, SECOND, THIRD = ACCOUNTS = ("111122223333", "222233334444", "333344445555")
REGIONS = ("us-east-1", "eu-west-1", "ap-southeast-2")
ORGANIZATION = "o-exampleorg1"
START = datetime(2026, 3, 1, tzinfo=UTC)
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
HOURS = 8
END = START + HOURS * HOUR
NOW = START + 2 * DAY


@dataclass(frozen=True)
class Layout:
    """Where the organization's trail writes."""

    name: str
    bucket: str = "trail-logs"
    prefix: str = ""


LAYOUTS = (
    Layout("with the organization's id"),
    Layout("under a prefix", prefix="security/trails"),
    Layout("under a prefix of the same id", prefix=ORGANIZATION),
    Layout("in a bucket of its own", bucket="central-logs"),
)


@dataclass
class Stage:
    """A world, its organization's trail, and the chains by account and region."""

    world: World
    trail: LabTrail

    def chain(self, account_id: str, region: str) -> Chain:
        """The newest chain of an account and region."""
        return next(
            chain
            for chain in reversed(self.world.chains)
            if chain.trail is self.trail
            and (chain.account_id, chain.region) == (account_id, region)
        )

    def run(
        self, account_id: str, region: str, start: datetime = START, hours: int = HOURS
    ) -> Chain:
        """One more chain of the trail."""
        return self.world.run_chain(
            self.trail,
            account_id=account_id,
            region=region,
            start=start,
            hours=hours,
            logs_per_hour=1,
            events_per_log=1,
        )

    def wipe(self, account_id: str, region: str = "", *, kind: str = "") -> None:
        """A member's folder is gone, or one region of it, or only the digests in that."""
        folders = [kind] if kind else ["CloudTrail-Digest", "CloudTrail"]
        root = self.trail.place.root(account_id)
        below = tuple(f"{root}{folder}/{region}" for folder in folders)
        for bucket, key in list(self.world.objects):
            if key.startswith(below):
                del self.world.objects[bucket, key]


@cache
def _made(layout: Layout) -> Stage:
    world = World(seed=11, now=NOW)
    trail = world.add_trail(
        bucket=layout.bucket, prefix=layout.prefix, organization_id=ORGANIZATION
    )
    stage = Stage(world, trail)
    for account_id in ACCOUNTS:
        for region in REGIONS:
            stage.run(account_id, region)
    return stage


def organization(layout: Layout = LAYOUTS[0]) -> Stage:
    """The organization, for a test to do with as it likes."""
    world = _made(layout).world.copy()
    return Stage(world, world.trails[0])


def move(stage: Stage, *, hours: int = HOURS) -> None:
    """The trail becomes an organization's: from now on all lies behind the organization's id."""
    stage.trail.place = replace(stage.trail.place, organization_id=ORGANIZATION)
    for chain in stage.world.chains:
        if chain.trail is stage.trail:
            chain.place = stage.trail.place
            stage.world.continue_chain(chain, hours=hours, logs_per_hour=1)
