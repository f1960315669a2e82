"""The worlds that are measured: trails whose log files have a size, and are so many.

Contents are drawn from a pool: a few hundred different ones are enough that no cache of a processor
holds them, and a world of ten thousand is made in seconds. Every log file has a name, a place in a
signed digest and a file of its own.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from integrity.lab.chains import Chain, Prepared
from integrity.lab.events import events_up_to, log_json
from integrity.lab.naming import sixteen, up_to_five_minutes
from integrity.lab.objects import LabLog, StoredObject
from integrity.lab.signing import gzipped, sha256_hex
from integrity.lab.world import World

HOUR = timedelta(hours=1)
START = datetime(2024, 3, 1, tzinfo=UTC)
HOME = "us-east-1"
_GENERATED_BYTES = 1 << 20
_LARGEST_LOG_BYTES = 50 << 20
_DIFFERENT = 200
_BEYOND = 2
"""Hours that a chain goes on after what is verified: the next digest vouches for the last one."""


@dataclass(frozen=True)
class Stored:
    """A content as it is stored, with its hash."""

    sha256: str
    body: bytes


@dataclass(frozen=True)
class OneRegion:
    """Log files of one region: so many an hour, each inflating to about `size` bytes."""

    size: int
    per_hour: int
    hours: int
    different: int = _DIFFERENT

    def __call__(self) -> World:
        world = World(seed=1, now=START + (self.hours + 24) * HOUR)
        chain = world.run_chain(world.add_trail(name="main"), region=HOME, start=START, hours=0)
        _fill(world, chain, pool(self.size, self.different), self.per_hour, self.hours + _BEYOND)
        return world


@dataclass(frozen=True)
class Organization:
    """Chains of so many accounts in so many regions, each with log files of `size` bytes."""

    accounts: int
    regions: int
    per_hour: int
    hours: int
    size: int

    def __call__(self) -> World:
        world = World(seed=1, now=START + (self.hours + 24) * HOUR)
        trail = world.add_trail(name="main", organization_id="o-exampleorgid")
        contents = pool(self.size, _DIFFERENT)
        for account_id, region in self.chains:
            chain = world.run_chain(
                trail, region=region, account_id=account_id, start=START, hours=0
            )
            _fill(world, chain, contents, self.per_hour, self.hours + _BEYOND)
        return world

    @property
    def chains(self) -> list[tuple[str, str]]:
        """Account and region of each."""
        return [
            (account_id, region)
            for account_id in ACCOUNTS[: self.accounts]
            for region in REGIONS[: self.regions]
        ]


ACCOUNTS = tuple(str(111122223333 + 1111 * number) for number in range(20))
REGIONS = tuple(
    f"{place}-{number}"
    for place, numbers in {
        "us-east": 2,
        "us-west": 2,
        "ap-south": 1,
        "ap-northeast": 3,
        "ap-southeast": 2,
        "ca-central": 1,
        "eu-central": 1,
        "eu-west": 3,
        "eu-north": 1,
        "sa-east": 1,
    }.items()
    for number in range(1, numbers + 1)
)
"""The regions that every account has enabled."""


def pool(size: int, different: int) -> list[Stored]:
    """So many contents of about that size, as CloudTrail stores them."""
    rng = random.Random(size)
    return [_stored(_content(rng, size)) for _ in range(different)]


def _stored(content: bytes) -> Stored:
    return Stored(sha256_hex(content), gzipped(content))


def _content(rng: random.Random, size: int) -> bytes:
    """Events up to that size; beyond a megabyte they repeat, to be made in less than a minute.

    What is larger than any log file is blanks for the most part: it inflates a thousandfold.
    """
    if size > _LARGEST_LOG_BYTES:
        return b'{"Records":[' + b" " * (size - len(b'{"Records":[]}')) + b"]}"

    def events(count: int) -> bytes:
        return log_json(
            events_up_to(rng, count=count, newest=START, account_id=ACCOUNTS[0], region=HOME)
        )

    average = len(events(50)) / 50
    content = events(max(1, round(min(size, _GENERATED_BYTES) / average)))
    if size <= _GENERATED_BYTES:
        return content
    head, tail = b'{"Records":[', b"]}"
    records = content[len(head) : -len(tail)]
    return head + b",".join([records] * max(1, round(size / len(records)))) + tail


def _fill(
    world: World, chain: Chain, contents: Sequence[Stored], per_hour: int, hours: int
) -> None:
    for hour in range(hours):
        start = START + hour * HOUR
        chain.prepared[start] = [
            _log(chain, start + HOUR * number / per_hour, contents) for number in range(per_hour)
        ]
    world.continue_chain(chain, hours=hours)


def _log(chain: Chain, delivered: datetime, contents: Sequence[Stored]) -> Prepared:
    delivered = delivered.replace(microsecond=0)
    newest = max(delivered - timedelta(minutes=6), chain.logging_since)
    content = chain.rng.choice(contents)
    key = chain.place.log_key(
        account_id=chain.account_id,
        region=chain.region,
        minute=up_to_five_minutes(newest),
        unique=sixteen(chain.rng),
    )
    log = LabLog(chain.bucket, key, content.sha256, newest, newest, delivered)
    return log, StoredObject(content.body, delivered)
