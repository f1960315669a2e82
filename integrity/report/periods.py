"""Asked for, and proven: for which time the digest files vouch, chain by chain, in few lines.

Made from a record's chains alone. Chains that are wholly proven share one line, and so do those
that are proven up to a digest after which none is due yet; every other chain has a line of its own.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from datetime import datetime

from integrity.chain.findings import Outcome
from integrity.chain.model import ChainKind, TimeWindow
from integrity.chain.terminal import escape
from integrity.record import ChainResult, ChainState, Run
from integrity.report.words import counted

MOST_INTERVALS = 6
"""So many proven intervals of one chain are written out; the record has them all."""

Clock = Callable[[datetime], str]


def render_periods(run: Run, clock: Clock, *, most_chains: int | None) -> Iterator[str]:
    """The lines `Asked for`, `Proven` and `Unchanged`; `most_chains` bounds the chains that have
    their own.
    """
    asked = run.requested.window
    yield f"Asked for  {_interval(asked, clock)}"
    lines = list(proven(run, clock, most_chains=most_chains))
    for index, line in enumerate(lines):
        yield f"{'Proven' if index == 0 else '':<9}  {line}"
    for line in unchanged(run, clock):
        yield f"Unchanged  {line}"


def proven(run: Run, clock: Clock, *, most_chains: int | None) -> Iterator[str]:
    """For which time digest files vouch: a line for what chains have in common, or for a chain."""
    asked = run.requested.window
    standard = [chain for chain in run.chains if chain.kind is ChainKind.STANDARD]
    whole: list[ChainResult] = []
    due: list[ChainResult] = []
    single: list[ChainResult] = []
    for chain in sorted(standard, key=lambda chain: chain.state is ChainState.ENDED):
        if not _is_unchanged(chain, asked):
            _share(chain, asked, whole, due, single).append(chain)
    if not any(_covered(chain, asked) for chain in standard):
        yield f"nothing: {_nothing(run)}"
    if whole:
        yield f"all of it, in {len(whole)} {counted(len(whole), 'chain')}"
    if due:
        yield _up_to_date(due, asked, clock)
    for chain in single[:most_chains]:
        yield f"{_name(chain)}: {_account(chain, asked, clock)}"
    left = len(single[most_chains:]) if most_chains is not None else 0
    if left:
        yield f"and {left} more {counted(left, 'chain')} not wholly proven (see --format json)"


def unchanged(run: Run, clock: Clock) -> Iterator[str]:
    """What was not read again, in one line: the time that chains have in common, and how much."""
    hours = [chain.unchanged for chain in run.chains if chain.unchanged is not None]
    if not hours:
        return
    start, end = max(one.start for one in hours), min(one.end for one in hours)
    least = "at least " if len({(one.start, one.end) for one in hours}) > 1 else ""
    digests, logs = sum(one.digest_files for one in hours), sum(one.log_files for one in hours)
    yield (
        f"{least}{clock(start)} to {clock(end)}, in {len(hours)} {counted(len(hours), 'chain')}: "
        f"{digests} {counted(digests, 'digest file')} and {logs} {counted(logs, 'log file')} are "
        "listed as when an earlier run proved them, and were not read again"
    )


def _is_unchanged(chain: ChainResult, asked: TimeWindow) -> bool:
    """Whether nothing of it is new since an earlier run."""
    has_news = _covered(chain, asked) or chain.outcome is not Outcome.VALID
    return chain.unchanged is not None and not has_news


def _share(
    chain: ChainResult,
    asked: TimeWindow,
    whole: list[ChainResult],
    due: list[ChainResult],
    single: list[ChainResult],
) -> list[ChainResult]:
    """With which others a chain shares its line."""
    covered = _covered(chain, asked)
    if chain.outcome is not Outcome.VALID or chain.state is ChainState.ENDED or not covered:
        return single
    return whole if covered == [asked] else due


def _nothing(run: Run) -> str:
    """Why nothing is proven, in the AWS CLI's two sentences."""
    digests = run.totals.digest_files.total + run.totals.backfill_digest_files.total
    valid = run.totals.digest_files.valid + run.totals.backfill_digest_files.valid
    if digests == 0 and any(chain.unchanged for chain in run.chains):
        return "no digest file has come since an earlier run"
    if digests == 0:
        return "No digests found"
    if valid == 0:
        return "No valid digests found in range"
    return "no digest files cover it"


def _up_to_date(chains: Sequence[ChainResult], asked: TimeWindow, clock: Clock) -> str:
    """One line for valid chains that begin in the window, or whose next digest is not due yet."""
    starts = [_covered(chain, asked)[0].start for chain in chains]
    ends = [_covered(chain, asked)[-1].end for chain in chains]
    period = _interval(TimeWindow(max(starts), min(ends)), clock)
    others = len(set(starts)) > 1 or len(set(ends)) > 1
    least = "at least " if others else ""
    return (
        f"{least}{period}, in {len(chains)} {counted(len(chains), 'chain')}: "
        "everything that exists and is due"
    )


def _account(chain: ChainResult, asked: TimeWindow, clock: Clock) -> str:
    covered = _covered(chain, asked)
    said = ", ".join(_interval(interval, clock) for interval in covered[:MOST_INTERVALS])
    if len(covered) > MOST_INTERVALS:
        said += f" and {len(covered) - MOST_INTERVALS} more periods (see --format json)"
    if covered and (chain.log_files.invalid or chain.log_files.undetermined):
        said += ", without the log files that findings name"
    said = said or "nothing"
    if chain.state is not ChainState.ENDED:
        return said
    act = chain.ended_by
    why = "" if act is None else escape(f" by {act.event_name} ({act.by or 'nobody named'})")
    if chain.ended_at is not None and chain.ended_at > asked.start:
        return f"{said}; ended at {clock(chain.ended_at)}{why}"
    end = f" at {clock(chain.ended_at)}{why}" if chain.ended_at is not None else ""
    return f"ended{end}, before what was asked for"


def _covered(chain: ChainResult, asked: TimeWindow) -> list[TimeWindow]:
    """What the chain's authentic digests cover of what was asked for, in order."""
    return [
        TimeWindow(max(interval.start, asked.start), min(interval.end, asked.end))
        for interval in chain.covered
        if interval.overlaps(asked)
    ]


def _name(chain: ChainResult) -> str:
    return escape(f"account {chain.account_id}, region {chain.region} ({chain.root})")


def _interval(window: TimeWindow, clock: Clock) -> str:
    return f"{clock(window.start)} to {clock(window.end)}"
