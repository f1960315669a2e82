"""The nouns of rules: an event and its proof, a rule, a match, and what was counted.

An event stays the bytes that stood in its log file or payload: what is read out of it here is for
choosing and naming, never written back. Whether it is proven is a value of its own, made only where
a log file's hash has matched.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime

from msgspec import Struct

from integrity.chain.model import S3Location
from integrity.events.search import EVERYTHING, Wanted


class Proof(Struct, frozen=True):
    """The log file that holds an event, with the content that `digest` signs as `sha256`."""

    log: S3Location
    sha256: str
    digest: S3Location


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """One event of CloudTrail. `raw` is its JSON, byte by byte as it came.

    The rest is read out of it, empty (or None) where it is not there or of another type. Without
    `proof` it was seen live and is not yet proven.
    """

    raw: bytes = field(repr=False)
    id: str
    name: str
    source: str
    time: datetime | None
    account_id: str
    region: str
    category: str = ""
    proof: Proof | None = None

    @property
    def is_proven(self) -> bool:
        """Whether it stands in a log file that CloudTrail signed."""
        return self.proof is not None


class Rule(Struct, frozen=True, kw_only=True):
    """What somebody wants to hear of.

    `match` is a jq program. `wanted` is what an event must be for the program to be asked at all.
    `destinations` are ids of the same file; `subject` and `template` are what a message says in
    place of the usual, with times as the clocks of `time_zone` show them.
    """

    name: str
    match: str
    destinations: tuple[str, ...] = ()
    description: str = ""
    wanted: Wanted = EVERYTHING
    subject: str = ""
    template: str = ""
    time_zone: str = "UTC"


def wanted_by(rules: Iterable[Rule]) -> tuple[Wanted, ...]:
    """What any of the rules asks for, each once: one that wants everything leaves nothing else."""
    wanted = tuple(dict.fromkeys(rule.wanted for rule in rules))
    return (EVERYTHING,) if EVERYTHING in wanted else wanted


class Match(Struct, frozen=True):
    """An event that a rule is about. `text` is the program's, empty where it only said true."""

    rule: Rule
    event: Event
    text: str = ""


class RuleCount(Struct, frozen=True):
    """What one rule came to: seen == skipped + matched.

    Skipped is what it does not match, for whatever reason: `failed` of these because its program
    ended in an error, `unasked` because it was disabled.
    """

    seen: int = 0
    skipped: int = 0
    matched: int = 0
    failed: int = 0
    unasked: int = 0


class Disabled(Struct, frozen=True):
    """A rule that was stopped for the rest of a run, and why: for operations."""

    rule: str
    detail: str
