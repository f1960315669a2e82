"""One trail, one window, one record: plan, check every segment, join, and ask about findings."""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime

import msgspec
from msgspec import Struct

from integrity.chain.acts import NO_ACTS, Acts, TrailAct
from integrity.chain.known import KnownChain
from integrity.chain.link import share
from integrity.chain.model import ChainId, VerifiedEvent
from integrity.record import Run, RunInfo, SegmentResult
from integrity.structs import replace
from integrity.verify.endings import Endings
from integrity.verify.engine import SourcesRecipe, run_segments
from integrity.verify.inquiry import inquire
from integrity.verify.job import Job
from integrity.verify.join import JoinedChain, join_chain
from integrity.verify.late import LateDigests
from integrity.verify.parallel import Stopping
from integrity.verify.plan import Plan, make_plan, plan_on, survey
from integrity.verify.ports import (
    KeySource,
    ObjectSource,
    Progress,
    RetentionSource,
    VersionSource,
    Witnesses,
)
from integrity.verify.resume import Keeping, Resumption, resume
from integrity.verify.segment import Segment
from integrity.verify.tools import Tools
from integrity.verify.vicinity import is_home
from integrity.verify.whole import join_run


class Sources(Struct, frozen=True):
    """Where a run's bytes and witnesses come from.

    With a `recipe` a large job may open the same sources in further processes. Without `versions`
    nobody looks at what lay there before.
    """

    objects: ObjectSource
    keys: KeySource
    retention: RetentionSource | None
    witnesses: Witnesses
    recipe: SourcesRecipe | None = None
    name: str = "s3"
    versions: VersionSource | None = None


class Verification(Struct, frozen=True):
    """A record, and what the next verification of the trail is to know.

    `known` has every chain of the job's, advanced where it was looked at. `asked` are the events
    that the job's rules ask for and were not given before, out of verified log files; `dropped` so
    many files or events that could not be searched or were left out for the bounds. Of a
    verification that keeps its parts, `left` counts the segments that it would read again.
    """

    run: Run
    known: tuple[KnownChain, ...]
    asked: tuple[VerifiedEvent, ...] = ()
    dropped: int = 0
    left: int = 0


def verify_trail(
    job: Job,
    sources: Sources,
    *,
    run_id: str,
    caller_arn: str | None,
    progress: Progress,
    clock: Callable[[], datetime],
    stopping: Stopping,
    previous_sha256: str | None = None,
    keeping: Keeping | None = None,
) -> Verification:
    """The record of one trail over one window, and what it adds to what is known.

    `previous_sha256` is of the trail's record before this one, where there is one. Judgement knows
    one time: `clock` at the start, or when what is judged was collected. Once `stopping` is set,
    the record is made of what was judged so far, and says so. With `keeping`, what was interrupted
    goes on; its times are those at which it was begun.
    """
    started = clock()
    now = started if job.as_of is None else min(job.as_of, started)
    resumed = None if keeping is None else resume(keeping, job, started, now)
    if resumed is not None:
        job, started, now = resumed.job, resumed.begun.started_at, resumed.begun.judged_at
    readers = ThreadPoolExecutor(job.concurrency)
    try:
        tools = Tools(
            sources.objects, sources.keys, sources.retention, readers, now, progress, stopping
        )
        plan = _plan(job, tools, sources.witnesses, resumed)
        engine = _Engine(tools, sources.recipe, clock, resumed)
        late = LateDigests(tools, sources.versions)
        asked = _Asked(job.limits.max_run_bytes)
        chains = list(_join_all(job, plan, tools, engine, asked, late))
        info = RunInfo(
            id=run_id,
            caller_arn=caller_arn,
            configuration_sha256=_configuration_sha256(job),
            source=sources.name,
            started_at=started,
            finished_at=clock(),
            judged_at=now,
            interrupted=stopping.is_set(),
            stored_bytes=sum(chain.stored_bytes for chain in chains),
            previous_sha256=previous_sha256,
            resumed_at=() if resumed is None else resumed.begun.resumed_at,
        )
        run = join_run(job, plan, chains, info)
        run = inquire(run, job, plan, tools, sources.witnesses, sources.versions)
    finally:
        readers.shutdown(wait=not stopping.is_set(), cancel_futures=True)
    finished = replace(run, run=replace(info, finished_at=clock()))
    return Verification(
        finished,
        _known(job, chains),
        tuple(asked.events),
        asked.dropped,
        left=0 if resumed is None else resumed.left,
    )


def _plan(job: Job, tools: Tools, witnesses: Witnesses, resumed: Resumption | None) -> Plan:
    if resumed is None:
        return make_plan(job, tools, witnesses)
    return plan_on(resumed.ground(lambda: survey(job, tools, witnesses)), job, tools.now)


class _Engine(Struct, frozen=True):
    """What runs segments, but for those that were finished before."""

    tools: Tools
    recipe: SourcesRecipe | None
    clock: Callable[[], datetime]
    resumed: Resumption | None

    def run(self, segments: Sequence[Segment], job: Job) -> Iterator[SegmentResult]:
        left = []
        for segment in segments:
            result = None if self.resumed is None else self.resumed.recall(segment)
            if result is None:
                left.append(segment)
                continue
            self.tools.progress.expect(result.log_files)
            self.tools.progress.done(result.log_files, result.stored_bytes)
            yield result
        checked = run_segments(left, job, self.tools, recipe=self.recipe, clock=self.clock)
        for result in checked:
            if self.resumed is not None:
                self.resumed.keep(result)
            yield result


def _configuration_sha256(job: Job) -> str:
    """Of what was asked for; what is known changes with every run, and rules change no verdict."""
    asked = replace(job, known=(), known_rules=None, rules=())
    return hashlib.sha256(msgspec.json.encode(asked)).hexdigest()


class _Asked:
    """What the rules ask for of all segments, as much as fits."""

    def __init__(self, most_bytes: int) -> None:
        self.events: list[VerifiedEvent] = []
        self.dropped = 0
        self._left = most_bytes

    def take(self, result: SegmentResult) -> SegmentResult:
        """A segment's. What is left of it is kept until its chain is joined."""
        self.dropped += result.dropped
        for event in result.asked:
            self._left -= len(event.event)
            if self._left < 0:
                self.dropped += 1
            else:
                self.events.append(event)
        return replace(result, asked=())


def _known(job: Job, chains: Iterable[JoinedChain]) -> tuple[KnownChain, ...]:
    """What was not looked at is known as before. A chain that moved is the same chain."""
    looked_at = [one.chain for chain in chains for one in chain.was_known]
    kept = [one for one in job.known if one.chain not in looked_at]
    advanced = [one for chain in chains for one in chain.known]
    return tuple(sorted([*kept, *advanced], key=lambda one: one.chain))


def _join_all(
    job: Job, plan: Plan, tools: Tools, engine: _Engine, rules: _Asked, late: LateDigests
) -> Iterator[JoinedChain]:
    """Each chain as soon as its last segment is there: what a chain is made of need not be kept.

    What is to be asked of the home region's events waits until they are there; it goes first.
    """
    chains = sorted(plan.segments, key=lambda chain: not is_home(chain, job))
    home = {chain for chain in chains if is_home(chain, job)}
    results: dict[ChainId, list[SegmentResult]] = defaultdict(list)
    endings, asking = Endings(job, plan, tools), list[list[SegmentResult]]()
    segments = [segment for chain in chains for segment in plan.segments[chain]]
    # Every segment has its own part of what is known.
    alone = replace(job, known=())
    for result in engine.run(segments, alone):
        endings.hear(result)
        result = late.settle(rules.take(result))
        chain = result.chain
        results[chain].append(replace(result, entries=share(result.entries)))
        if len(results[chain]) == len(plan.segments[chain]):
            home.discard(chain)
            parts = results.pop(chain)
            joined = list(_join(parts, job, plan, tools))
            if any(one.asks for one in joined):
                asking.append(parts)
            else:
                yield from joined
        while asking and not home:
            yield from _settle(asking.pop(), job, plan, tools, endings)
    left = [[replace(part, complete=False) for part in parts] for parts in results.values()]
    for parts in [*left, *asking]:
        yield from _join(parts, job, plan, tools)


def _settle(
    parts: list[SegmentResult], job: Job, plan: Plan, tools: Tools, endings: Endings
) -> Iterator[JoinedChain]:
    """The chain of these segments once more, with what verified events say of the trail."""
    parts, acts = endings.settle(parts)
    act = endings.ending(acts, parts[0].chain)
    yield from _join(parts, job, plan, tools, acts=acts, ending=act)


def _join(
    parts: list[SegmentResult],
    job: Job,
    plan: Plan,
    tools: Tools,
    *,
    acts: Acts = NO_ACTS,
    ending: TrailAct | None = None,
) -> Iterator[JoinedChain]:
    """The chain of these segments, where one is expected."""
    chain = parts[0].chain
    expected, known = plan.expected[chain], plan.known[chain]
    joined = join_chain(parts, job, tools.now, expected, known, acts=acts, ending=ending)
    if joined is not None:
        yield joined
