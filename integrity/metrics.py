"""A tick as numbers for CloudWatch: what was verified, what is open, whether anybody was told.

Values in, values out; `deliver.cloudwatch` puts them. Expected digest files are those that are
valid, invalid or undetermined, and a missing one is invalid: the three always add up, and what is
missing is given alone beside them. (AWS: CloudWatch API_PutMetricData.)
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime

from integrity.chain.findings import Outcome, Reason
from integrity.chain.model import ChainKind
from integrity.chain.times import HOUR
from integrity.record import ChainResult, ChainState, Run
from integrity.state import Datapoint, Incident, Unit

_MISSING_DIGESTS = frozenset({Reason.DIGEST_MISSING})
_MISSING_LOGS = frozenset({Reason.LOG_MISSING})
_GAPS = frozenset({Reason.CHAIN_GAP})


class Meter:
    """The metrics of one trail at one time. Its dimension is the trail's ARN."""

    def __init__(self, trail_arn: str, at: datetime) -> None:
        self._trail = (("Trail", trail_arn),)
        self._at = at

    def verification(self, run: Run, incidents: Iterable[Incident]) -> Iterator[Datapoint]:
        """What came of the tick's window, and what is open whatever the window."""
        digests = run.totals.digest_files + run.totals.backfill_digest_files
        logs = run.totals.log_files
        yield from self._counts("DigestFiles", digests.valid, digests.invalid, digests.undetermined)
        yield from self._counts("LogFiles", logs.valid, logs.invalid, logs.undetermined)
        yield self._count("DigestFilesMissing", _findings(run, _MISSING_DIGESTS))
        yield self._count("LogFilesMissing", _findings(run, _MISSING_LOGS))
        yield self._count("Gaps", _findings(run, _GAPS))
        # What nobody listed is not none: it has no value.
        if logs.unattested is not None:
            yield self._count("LogFilesUnattested", logs.unattested)
        if logs.unreferenced is not None:
            yield self._count("LogFilesUnreferenced", logs.unreferenced)
        yield self._count("ChainsExpected", run.population.chains.expected)
        yield self._count("ChainsFound", run.population.chains.found)
        yield self._point("Duration", _duration(run), Unit.SECONDS)
        yield self._point("StoredBytes", run.run.stored_bytes, Unit.BYTES)
        yield self._age("HoursSinceNewestDigest", run, run.chains)
        yield from self._open(incidents)

    def chains(self, run: Run) -> Iterator[Datapoint]:
        """The same by account and region: opt-in, for every one of them costs money."""
        for chain in run.chains:
            if chain.kind is not ChainKind.STANDARD:
                continue
            place = (("AccountId", chain.account_id), ("Region", chain.region))
            digests, logs = chain.digest_files, chain.log_files
            yield self._count("DigestFilesInvalid", digests.invalid, place)
            yield self._count("LogFilesInvalid", logs.invalid, place)
            yield self._count("DigestFilesUndetermined", digests.undetermined, place)
            yield self._count("LogFilesUndetermined", logs.undetermined, place)
            if chain.state is not ChainState.ENDED:
                yield self._age("HoursSinceNewestDigest", run, [chain], place)

    def messages(self, *, due: int, sent: int) -> Iterator[Datapoint]:
        """How many letters were to go out in this tick, how many did, and how many are left."""
        yield self._count("MessagesDue", due)
        yield self._count("MessagesSent", sent)
        # The difference as a number of its own: a plain alarm reads it.
        yield self._count("MessagesUnsent", due - sent)

    def rule(self, name: str, numbers: Mapping[str, int]) -> Iterator[Datapoint]:
        """A rule's account since it was first heard: numbers that only grow, but for what waits."""
        for what, number in numbers.items():
            yield self._count(f"Rule{what.capitalize()}", number, (("Rule", name),))

    def heartbeat(self) -> Datapoint:
        """The tick went through to its end, whatever it found."""
        return self._count("Heartbeat", 1)

    def drill(self) -> Datapoint:
        """A drill was made: the number that the drill's own alarm watches, and no other."""
        return self._count("Drill", 1)

    def _counts(
        self, what: str, valid: int, invalid: int, undetermined: int
    ) -> Iterator[Datapoint]:
        yield self._count(f"{what}Expected", valid + invalid + undetermined)
        yield self._count(f"{what}Valid", valid)
        yield self._count(f"{what}Invalid", invalid)
        yield self._count(f"{what}Undetermined", undetermined)

    def _open(self, incidents: Iterable[Incident]) -> Iterator[Datapoint]:
        standing = [incident for incident in incidents if incident.resolved is None]
        for outcome in (Outcome.INVALID, Outcome.UNDETERMINED):
            number = sum(incident.outcome is outcome for incident in standing)
            yield self._count(f"Open{outcome.value.capitalize()}Incidents", number)
        gaps = sum(incident.reason == Reason.CHAIN_GAP for incident in standing)
        yield self._count("OpenGapIncidents", gaps)

    def _age(
        self,
        name: str,
        run: Run,
        chains: Sequence[ChainResult],
        more: tuple[tuple[str, str], ...] = (),
    ) -> Datapoint:
        """Of the chain that is furthest behind; one without a digest is at least the window's."""
        ends = [
            chain.head.end if chain.head is not None else run.requested.start
            for chain in chains
            if chain.kind is ChainKind.STANDARD and chain.state is not ChainState.ENDED
        ]
        oldest = min(ends, default=run.requested.start)
        return self._point(name, (run.run.judged_at - oldest) / HOUR, Unit.NONE, more)

    def _count(self, name: str, value: int, more: tuple[tuple[str, str], ...] = ()) -> Datapoint:
        return self._point(name, value, Unit.COUNT, more)

    def _point(
        self, name: str, value: float, unit: Unit, more: tuple[tuple[str, str], ...] = ()
    ) -> Datapoint:
        return Datapoint(name, float(value), unit, self._at, (*self._trail, *more))


def _findings(run: Run, reasons: frozenset[Reason]) -> int:
    return sum(finding.count for finding in run.findings if finding.reason in reasons)


def _duration(run: Run) -> float:
    return (run.run.finished_at - run.run.started_at).total_seconds()
