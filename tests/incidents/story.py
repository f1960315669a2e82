"""A trail ticked through time: what was found goes in, who was told what comes out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from integrity.chain.findings import Finding, Outcome, Place, Reason, find
from integrity.chain.model import TimeWindow
from integrity.incidents.decide import Decision, decide
from integrity.incidents.looks import Look, due_looks
from integrity.incidents.policy import Policy
from integrity.incidents.tick import Notice, Recorded, Tick
from integrity.record import ChainResult, ChainState, LogCounts, Population, Run
from integrity.state import Incident, Message
from integrity.structs import replace
from tests.report import samples

ACCOUNT, REGION, ARN = samples.ACCOUNT, "us-east-1", samples.ARN
BEGIN = datetime(2026, 3, 2, 0, 20, tzinfo=UTC)
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
OVERLAP = timedelta(hours=25)

Heard = tuple[str, str, str]
"""An audience, a step, a reason."""


def hours(first: float, last: float | None = None) -> TimeWindow:
    """Hours of the day before the story begins, counted on into it."""
    day = BEGIN.replace(hour=0, minute=0) - DAY
    return TimeWindow(day + first * HOUR, day + (first + 1 if last is None else last) * HOUR)


def log_uri(number: int = 0, *, region: str = REGION, day: str = "2026/03/01") -> str:
    name = f"{ACCOUNT}_CloudTrail_{region}_20260301T0005Z_{number:016}.json.gz"
    return f"s3://logs/AWSLogs/{ACCOUNT}/CloudTrail/{region}/{day}/{name}"


def digest_uri(number: int = 0, *, region: str = REGION) -> str:
    return f"s3://logs/AWSLogs/{ACCOUNT}/CloudTrail-Digest/{region}/2026/03/01/{number}.json.gz"


def found(
    reason: Reason,
    window: TimeWindow | None = None,
    *,
    uri: str | None = None,
    region: str = REGION,
    account: str = ACCOUNT,
    detail: str = "",
    outcome: Outcome | None = None,
    count: int = 1,
) -> Finding:
    finding = find(
        reason,
        Place(account, region),
        window or hours(5),
        s3_uri=uri,
        detail=detail,
        outcome=outcome,
    )
    return replace(finding, count=count)


def chain(
    *,
    region: str = REGION,
    account: str = ACCOUNT,
    letters: str = "",
    logs: LogCounts | None = None,
    state: ChainState = ChainState.OPEN,
) -> ChainResult:
    made = samples.chain(region, state=state, log_files=logs or LogCounts())
    return replace(made, account_id=account, hours=letters)


def run(
    window: TimeWindow,
    *findings: Finding,
    chains: Sequence[ChainResult] | None = None,
    interrupted: bool = False,
    unreferenced: bool = True,
    look: bool = False,
    unasked: tuple[str, ...] = (),
    method: tuple[str, ...] = ("bucket", "trail_status"),
) -> Run:
    """A run; without `chains`, over the chains that the findings name and the usual one."""
    places = {(ACCOUNT, REGION), *((one.account_id, one.region) for one in findings)}
    if chains is None:
        chains = [chain(account=account, region=region) for account, region in sorted(places)]
    made = samples.run(
        *findings,
        chains=tuple(chains),
        start=window.start,
        end=window.end,
        unreferenced=unreferenced,
        account_ids=tuple(one.account_id for one in chains) if look else None,
        source_regions=tuple(one.region for one in chains) if look else None,
    )
    population = Population(
        method, made.population.accounts, made.population.chains, unasked=unasked
    )
    return replace(made, run=replace(made.run, interrupted=interrupted), population=population)


@dataclass
class Story:
    """Hourly ticks. Every step is decided twice: the second time nothing may come of it."""

    policy: Policy = field(default_factory=Policy)
    now: datetime = BEGIN - HOUR
    open: dict[str, Incident] = field(default_factory=dict)
    closed: list[Incident] = field(default_factory=list)
    messages: list[Message] = field(default_factory=list)

    @property
    def window(self) -> TimeWindow:
        return TimeWindow(self.now - OVERLAP, self.now)

    @property
    def incident(self) -> Incident:
        """The only open one."""
        (incident,) = self.open.values()
        return incident

    def looks(self, *, limit: int = 10) -> tuple[Look, ...]:
        """What the next tick has to look at beside its own window."""
        then = self.now + HOUR
        covered = TimeWindow(then - OVERLAP, then)
        return due_looks(self.open.values(), covered, then, limit=limit)

    def tick(
        self,
        *findings: Finding,
        chains: Sequence[ChainResult] | None = None,
        looks: Sequence[Run] = (),
        notices: Sequence[Notice] = (),
        after: timedelta = HOUR,
        interrupted: bool = False,
        unreferenced: bool = True,
        unasked: tuple[str, ...] = (),
        method: tuple[str, ...] = ("bucket", "trail_status"),
    ) -> list[Heard]:
        """The next tick's main run, and who heard what of it."""
        self.now += after
        main = run(
            self.window,
            *findings,
            chains=chains,
            interrupted=interrupted,
            unreferenced=unreferenced,
            unasked=unasked,
            method=method,
        )
        tick = Tick(
            main=Recorded(main, "s3://records/main.json"),
            looks=tuple(Recorded(one, "s3://records/look.json") for one in looks),
            notices=tuple(notices),
        )
        decision = self._decide(tick)
        for incident in decision.incidents:
            self.open.pop(incident.id, None)
            if incident.resolved is None:
                self.open[incident.id] = incident
            else:
                self.closed.append(incident)
        assert self._decide(tick) == Decision((), ())
        self.messages += decision.messages
        return [heard(message) for message in decision.messages]

    def lasts(self, *findings: Finding, ticks: int = 1) -> list[Heard]:
        """Ticks and their looks through a time in which nothing of this changes."""
        told: list[Heard] = []
        for _ in range(ticks):
            looks = self.look_at(*findings)
            start = self.window.start + HOUR
            here = [one for one in findings if one.window.end >= start]
            told += self.tick(*here, looks=looks)
        return told

    def look_at(self, *findings: Finding) -> list[Run]:
        """Runs over the looks that the next tick is due, and what they find of this."""
        return [
            run(
                look.window,
                *(
                    one
                    for one in findings
                    if (one.account_id, one.region) == (look.account_id, look.region)
                    and one.window.overlaps(look.window)
                ),
                chains=[chain(account=look.account_id, region=look.region)],
                look=True,
            )
            for look in self.looks()
        ]

    def _decide(self, tick: Tick) -> Decision:
        return decide(tick, list(self.open.values()), policy=self.policy, now=self.now)


def heard(message: Message) -> Heard:
    assert message.audience is not None
    return (message.audience.value, message.step.value, str(message.facts["reason"]))
