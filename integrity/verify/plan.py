"""Which chains a job is about, and the segments that check them.

1. AWS is asked for its own word (`interview`) while the folders are listed (`folders`).
2. What is expected of that is decided apart from it (`chain.population`).
3. Public keys are asked for once per region, as soon as a folder shows it; every chain is cut into
   segments.

All that is asked is the `Ground` of a plan. From the same ground comes the same plan, so that what
was interrupted can go on.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field
from datetime import datetime

from msgspec import Struct

from integrity.chain.acts import AT_HOME, open_aspects
from integrity.chain.known import KnownChain, Recall, recalls
from integrity.chain.model import (
    ChainId,
    ChainKind,
    KeysUnavailable,
    PublicKey,
    TimeWindow,
    TrailStatus,
    Unreachable,
)
from integrity.chain.population import Expectation, Told, expect_chains
from integrity.chain.seal import SealedHours
from integrity.chain.times import DAY, day_of
from integrity.events.acts import ACTS_ON_TRAILS
from integrity.structs import replace
from integrity.verify.folders import Folders, find_folders
from integrity.verify.interview import Answers, Interview
from integrity.verify.job import Job
from integrity.verify.keyring import asked_for
from integrity.verify.ports import Witnesses
from integrity.verify.segment import Segment
from integrity.verify.tools import Tools


@dataclass(slots=True)
class Plan:
    """The chains of a job in order, with their segments, and what was learnt on the way.

    `expected` is what is known of each chain, `known` what earlier verifications know of it;
    `method` says who was asked for the population, `notes` who would not answer and what it takes,
    `unlisted` which folders of accounts or regions could not be looked into.
    """

    segments: dict[ChainId, list[Segment]] = field(default_factory=dict)
    expected: dict[ChainId, Expectation] = field(default_factory=dict)
    known: dict[ChainId, tuple[KnownChain, ...]] = field(default_factory=dict)
    told: Told = field(default_factory=Told)
    method: list[str] = field(default_factory=lambda: ["bucket"])
    notes: list[str] = field(default_factory=list)
    unlisted: list[Unreachable] = field(default_factory=list)

    def trail_status(self, job: Job) -> TrailStatus | None:
        """AWS's word on the trail as a whole."""
        return self.told.status_of(job.trail)


class Ground(Struct, frozen=True):
    """What was asked before anything is read: folders, AWS's word, public keys by region."""

    folders: Folders
    answers: Answers
    keys: Mapping[str, tuple[PublicKey, ...]]


def make_plan(job: Job, tools: Tools, witnesses: Witnesses) -> Plan:
    """The segments that together check the job."""
    return plan_on(survey(job, tools, witnesses), job, tools.now)


def survey(job: Job, tools: Tools, witnesses: Witnesses) -> Ground:
    """Ask everybody who has to be asked for a plan."""
    interview = Interview(job, tools, witnesses)
    keys = _Keys(job, tools)
    folders = find_folders(job, tools)
    keys.ask(region for _, region in folders.found.places)
    answers = interview.finish(region for _, region in folders.found.places)
    population = expect_chains(job.scope(tools.now), folders.found, answers.told)
    keys.ask(region for _, region in population)
    return Ground(folders, answers, {region: keys.of(region) for _, region in population})


def plan_on(ground: Ground, job: Job, now: datetime) -> Plan:
    """The plan that follows from what was answered."""
    folders, answers = ground.folders, ground.answers
    plan = Plan(
        told=answers.told,
        method=["bucket", *answers.method],
        notes=[*answers.notes, *folders.notes, *_own_words(answers.told)],
        unlisted=folders.unlisted,
    )
    scope, known = job.scope(now), job.known_chains()
    plan.method += ["store"] * bool(scope.known)
    population = expect_chains(scope, folders.found, answers.told)
    for (account_id, region), expected in population.items():
        chain = ChainId(expected.root, account_id, region, job.trail.name, job.trail.home_region)
        if job.is_collected:
            expected = _without_head(expected)
        plan.expected[chain] = expected
        plan.known[chain] = known.get((account_id, region), ())
        parts = _segments(chain, expected, job, ground.keys[region], plan.known[chain])
        home = (account_id, region) == (job.trail.account_id, job.trail.home_region)
        if home and open_aspects(job.trail, plan.trail_status(job)) & AT_HOME:
            # Where acts on the trail are recorded: what ended its chains stands there.
            parts = [replace(part, wanted=ACTS_ON_TRAILS) for part in parts]
        plan.segments[chain] = parts
    return plan


def _without_head(expected: Expectation) -> Expectation:
    """What was collected ends where somebody wanted: the latest delivery is no witness of its head.

    That there was one still lets digests be expected.
    """
    status = expected.status
    if status is None or status.latest_digest_delivery is None:
        return expected
    return replace(expected, is_due=True, status=replace(status, latest_digest_delivery=None))


def _own_words(told: Told) -> list[str]:
    """What nobody can be asked about, though everybody answered."""
    regions = (told.regions or {}).values()
    opted = [one.name for one in regions if one.needs_opt_in and one.is_enabled]
    if not told.members or not opted:
        return []
    return [
        "of members, regions that need opt-in are expected where the bucket shows them: AWS tells "
        f"nobody what a member has enabled ({', '.join(sorted(opted))})"
    ]


def cut(window: TimeWindow, whole: Sequence[TimeWindow] = ()) -> list[TimeWindow]:
    """A window in UTC days: what a worker holds in memory is a day of one region's log files.

    What is to stay `whole` is not cut, though a midnight lies in it or at an end of it: a digest
    that ends at midnight belongs to the piece before.
    """
    pieces, start, midnight = [], window.start, day_of(window.start) + DAY
    while midnight < window.end:
        if not any(one.start <= midnight <= one.end for one in whole):
            pieces.append(TimeWindow(start, midnight))
            start = midnight
        midnight += DAY
    return [*pieces, TimeWindow(start, window.end)]


def _segments(
    chain: ChainId,
    expected: Expectation,
    job: Job,
    keys: tuple[PublicKey, ...],
    known: tuple[KnownChain, ...],
) -> list[Segment]:
    hours, next_start = _sealed_hours(job, known), job.next_start
    uncut = [] if next_start is None else [TimeWindow(next_start, job.window.end)]
    pieces = cut(job.window, uncut if hours is None else [*uncut, hours.window])
    segments = [
        Segment(
            chain=chain,
            beside=expected.beside,
            window=piece,
            is_first=piece is pieces[0],
            is_last=piece is pieces[-1],
            keys=keys,
            witness=expected.status if piece is pieces[-1] else None,
            hours=hours if piece is pieces[0] else None,
        )
        for piece in pieces
    ]
    whole = TimeWindow(segments[0].span.start, segments[-1].span.end)
    return [
        replace(segment, known=tuple(_recalls(segment, known, whole, job))) for segment in segments
    ]


def _sealed_hours(job: Job, known: Iterable[KnownChain]) -> SealedHours | None:
    """What the last verification sealed, where this one begins with it."""
    if job.next_start is None or job.accepting:
        return None
    sealed = (one.hours for one in known if one.chain.kind is ChainKind.STANDARD)
    for hours in sealed:
        if hours is not None and hours.start <= job.window.start <= hours.end <= job.window.end:
            return hours
    return None


def _recalls(
    segment: Segment, known: tuple[KnownChain, ...], whole: TimeWindow, job: Job
) -> Iterator[Recall]:
    """What lies beyond the window is the last segment's to look at."""
    beyond = whole if segment.is_last else None
    return recalls(known, segment.span, beyond=beyond, limits=job.limits)


class _Keys:
    """The public keys of the regions that are meant, each asked for once and as early as it is
    known.
    """

    def __init__(self, job: Job, tools: Tools) -> None:
        self._tools, self._window = tools, asked_for(job.window)
        self._asked: dict[str, Future[tuple[PublicKey, ...] | KeysUnavailable]] = {}

    def ask(self, regions: Iterable[str]) -> None:
        """Begin to ask, without waiting."""
        for region in sorted(set(regions) - self._asked.keys()):
            fetch = self._tools.keys.fetch_keys
            self._asked[region] = self._tools.executor.submit(fetch, region, self._window)

    def of(self, region: str) -> tuple[PublicKey, ...]:
        """The keys of a region that was asked; none where it did not answer."""
        answer = self._asked[region].result()
        return () if isinstance(answer, KeysUnavailable) else answer
