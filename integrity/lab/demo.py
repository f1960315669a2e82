"""The demo's world: a day of one trail in two regions, and somebody who may write to its bucket.

Everything but the RSA keys is the same at every run, file names included. Each act remembers in
plain words what was done to which objects, so that whoever verifies can be asked what he saw of
it. What verifies, and what it says, is not known here.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from integrity.lab import attacks
from integrity.lab.chains import HOUR, Chain
from integrity.lab.objects import Address, LabDigest
from integrity.lab.world import World

REGIONS = ("us-east-1", "eu-central-1")
START = datetime(2026, 3, 1, tzinfo=UTC)
END = START + 24 * HOUR
_NEXT_MORNING = END + 9 * HOUR


@dataclass(frozen=True, slots=True, kw_only=True)
class Act:
    """What the attacker did. `title` names it in a table, `told` says it in a sentence.

    `s3_uris` are the objects that it changed, removed or added, all of `region` and of the hours
    between `start` and `end`.
    """

    title: str
    told: str
    region: str
    start: datetime
    end: datetime
    s3_uris: tuple[str, ...]


def make_day() -> World:
    """A multi-region trail `main` and its day: four log files an hour, fewer at night."""
    world = World(seed=7, now=_NEXT_MORNING)
    trail = world.add_trail(name="main", home_region=REGIONS[0], bucket="audit-logs")
    for region, night in zip(REGIONS, ((7, 8), (2, 3)), strict=True):
        world.run_chain(
            trail,
            region=region,
            start=START,
            hours=(END - START) // HOUR,
            logs_per_hour=4,
            begin="linked",
            empty_hours=night,
        )
    return world


def let_loose(world: World) -> list[Act]:
    """The attacker at work on the world of `make_day`, act by act."""
    first, second = world.chains
    return [
        _edit_a_log(world, first, hour=3),
        _delete_a_log(world, first, hour=9),
        _remove_two_digests(world, first, hour=13),
        _plant_a_log(world, second, newest=START + timedelta(hours=9, minutes=47)),
        _cut_the_head(world, second, hours=3),
    ]


def _edit_a_log(world: World, chain: Chain, *, hour: int) -> Act:
    digest = _digests(chain, hour, 1)[0]
    log = digest.log_files[0]
    attacks.edit_log(world, log)
    return _act(
        chain,
        "log file edited",
        "edits a log file: one of its events names another user now",
        [digest],
        [log.address],
    )


def _delete_a_log(world: World, chain: Chain, *, hour: int) -> Act:
    digest = _digests(chain, hour, 1)[0]
    log = digest.log_files[0]
    attacks.delete_log(world, log)
    return _act(chain, "log file deleted", "deletes a log file", [digest], [log.address])


def _remove_two_digests(world: World, chain: Chain, *, hour: int) -> Act:
    digests = _digests(chain, hour, 2)
    attacks.delete_digests(world, digests)
    return _act(
        chain,
        "two digest files in a row removed",
        "removes two digest files in a row: nobody vouches for their two hours any more",
        digests,
        [digest.address for digest in digests],
    )


def _plant_a_log(world: World, chain: Chain, *, newest: datetime) -> Act:
    address = attacks.plant_log(world, chain, newest=newest)
    return _act(
        chain,
        "forged log file planted",
        "plants a log file that CloudTrail never wrote",
        [digest for digest in chain.digests if digest.start <= newest < digest.end],
        [address],
    )


def _cut_the_head(world: World, chain: Chain, *, hours: int) -> Act:
    digests = chain.digests[-hours:]
    logs = [log.address for digest in digests for log in digest.log_files]
    attacks.cut_head(world, chain, hours)
    return _act(
        chain,
        f"last {hours} hours cut off",
        f"cuts off the last {hours} hours of {chain.region}, log files and digest files together",
        digests,
        [*(digest.address for digest in digests), *logs],
    )


def _digests(chain: Chain, hour: int, count: int) -> list[LabDigest]:
    """The digests of `count` hours of the day, from `hour` on."""
    hours = [START + (hour + index) * HOUR for index in range(count)]
    return [digest for digest in chain.digests if digest.start in hours]


def _act(
    chain: Chain,
    title: str,
    told: str,
    hours: Sequence[LabDigest],
    addresses: Iterable[Address],
) -> Act:
    return Act(
        title=title,
        told=told,
        region=chain.region,
        start=hours[0].start,
        end=hours[-1].end,
        s3_uris=tuple(f"s3://{bucket}/{key}" for bucket, key in addresses),
    )
