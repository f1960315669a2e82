"""Segments to one chain's part of the record: links across the cut, counts that balance, state."""

from __future__ import annotations

import random
from datetime import datetime
from typing import Any

import pytest

from integrity.chain.findings import Finding, Outcome, Place, Reason, find
from integrity.chain.limits import Limits
from integrity.chain.link import Entry, LogTally, Standing
from integrity.chain.model import PublicKey, Trail, TrailStatus
from integrity.chain.population import Expectation
from integrity.record import (
    ChainResult,
    ChainState,
    DigestCounts,
    Head,
    LogCounts,
    SegmentResult,
)
from integrity.structs import replace
from integrity.verify.job import Job
from integrity.verify.join import JoinedChain, join_chain
from tests.chain.specimens import (
    BACKFILL,
    CHAIN,
    at,
    entry,
    hours,
    linked,
    naming,
    run_of,
    starting,
)

TRAIL = Trail("an ARN", "main", "111122223333", "us-east-1", "trail-logs")
PLACE = Place("111122223333", "us-east-1")
NOW = at(24 * 90)
KEY = PublicKey("us-east-1", "a fingerprint", b"", at(0), at(9), at(9))
V, U, X = Outcome.VALID, Outcome.UNDETERMINED, Outcome.INVALID


def job(end: float = 24, **asked: Any) -> Job:
    return Job(trail=TRAIL, window=hours(0, end), **asked)


def part(entries: list[Entry], start: float = 0, end: float = 25, **known: Any) -> SegmentResult:
    """What came of a segment in which nothing was wrong."""
    result = SegmentResult(
        chain=CHAIN,
        span=hours(start, end),
        entries=tuple(entries),
        neighbours=(),
        findings=(),
        unattested=0,
        unreferenced=0,
        pending=0,
        first_unattested=None,
        has_logs=True,
        newest=max((one.window.end for one in entries), default=None),
        redelivered=False,
        complete=True,
        keys=(),
        stored_bytes=0,
    )
    return replace(result, **known)


def expected(**told: Any) -> Expectation:
    """The home region of a trail, of which AWS tells nothing more."""
    home = Expectation(root=CHAIN.root, is_due=True, by_logs=True)
    return replace(home, **told)


def joined(
    *parts: SegmentResult,
    asked: Job | None = None,
    now: datetime = NOW,
    **told: Any,
) -> JoinedChain:
    chain = join_chain(parts, asked or job(), now, expected(**told))
    assert chain is not None
    return chain


def only(*parts: SegmentResult, **known: Any) -> ChainResult:
    (result,) = joined(*parts, **known).results
    return result


def day() -> list[Entry]:
    """Twenty-four hours, each with two valid log files."""
    return [one.with_logs(LogTally(valid=2)) for one in run_of(1, 24)]


def about(one: Entry, reason: Reason, outcome: Outcome | None = None) -> Finding:
    return find(reason, PLACE, one.window, s3_uri=one.location.uri, outcome=outcome)


def test_a_clean_day_is_valid_and_says_its_head() -> None:
    entries = day()

    result = only(part(entries, keys=(KEY,)))

    head = entries[-1]
    assert (result.account_id, result.region, result.kind) == (
        "111122223333",
        "us-east-1",
        "standard",
    )
    assert result.root == "s3://trail-logs/AWSLogs"
    assert (result.state, result.outcome) == (ChainState.OPEN, V)
    assert (result.covered, result.hours) == ((hours(0, 24),), "P" * 24)
    assert result.head == Head(head.location.uri, at(24), head.sha256, head.signature)
    assert result.digest_files == DigestCounts(valid=24)
    assert result.log_files == LogCounts(valid=48)
    assert joined(part(entries, keys=(KEY,))).keys == (KEY,)
    assert joined(part(entries)).newest == at(24)


def test_segments_join_in_any_order() -> None:
    entries = [one.with_logs(LogTally(valid=2)) for one in run_of(1, 72)]
    parts = [
        part(entries[:24], 0, 24, neighbours=(entries[24],), unattested=1),
        part(entries[24:48], 24, 48, neighbours=(entries[48],), pending=2),
        part(entries[48:], 48, 73, unreferenced=3, keys=(KEY,)),
    ]
    first = joined(*parts, asked=job(72))

    random.Random(1).shuffle(parts)

    assert joined(*parts, asked=job(72)) == first
    assert first.results[0].digest_files == DigestCounts(valid=72)
    assert first.results[0].log_files == LogCounts(144, 0, 0, 1, 3, 2)


def test_links_are_checked_across_the_cut_and_told_once() -> None:
    entries = run_of(1, 48)
    entries[24] = replace(entries[24], previous=naming(entries[23], sha256="00" * 32))
    parts = [
        part(entries[:24], 0, 24, neighbours=(entries[24],)),
        part(entries[24:], 24, 49, neighbours=(entries[23],)),
    ]

    chain = joined(*parts, asked=job(48))

    (finding,) = chain.findings
    assert (finding.reason, finding.s3_uri) == (
        Reason.DIGEST_LINK_MISMATCH,
        entries[24].location.uri,
    )
    assert chain.results[0].digest_files == DigestCounts(valid=47, invalid=1)


def test_the_link_of_a_neighbour_is_another_windows() -> None:
    beyond = entry(26)
    lying = replace(beyond, previous=naming(entry(25), sha256="00" * 32))

    assert joined(part([*day(), entry(25)], neighbours=(lying,))).findings == ()


def test_findings_are_in_order_of_time() -> None:
    entries = day()
    late, early = about(entries[9], Reason.LOG_MISSING), about(entries[3], Reason.LOG_MISSING)

    chain = joined(part([*entries[:15], *entries[18:]], findings=(late, early)))

    assert [finding.window.start for finding in chain.findings] == [at(3), at(9), at(15)]


def test_too_many_findings_of_one_reason_are_folded() -> None:
    entries = day()
    found = tuple(about(one, Reason.LOG_MISSING) for one in entries)

    chain = joined(
        part(entries, findings=found), asked=job(limits=Limits(max_findings_per_reason=5))
    )

    (finding,) = chain.findings
    assert finding.count == 24
    assert chain.results[0].digest_files.invalid == 24


# Counts


def test_each_digest_is_counted_once_by_the_worst_that_is_said_of_it() -> None:
    entries = day()
    standings = {
        3: Standing.MISSING,
        4: Standing.BROKEN,
        5: Standing.UNREADABLE,
        6: Standing.LATE,
        7: Standing.UNJUDGED,
    }
    mixed = [replace(one, standing=standings.get(n, one.standing)) for n, one in enumerate(entries)]
    found = (
        about(entries[10], Reason.DIGEST_SIGNATURE_MISSING),
        about(entries[11], Reason.ALGORITHM_UNSUPPORTED),
        about(entries[11], Reason.DIGEST_FOREIGN),
        about(entries[12], Reason.DIGEST_FOREIGN),
        find(Reason.LOG_MISSING, PLACE, hours(5, 6), s3_uri="s3://trail-logs/a-log"),
    )

    result = only(part(mixed, findings=found))

    assert result.digest_files == DigestCounts(valid=17, invalid=3, undetermined=4)
    assert result.digest_files.total == 24
    assert result.outcome is X


def test_log_files_are_counted_by_the_digests_that_name_them() -> None:
    entries = day()
    entries[5] = entries[5].with_logs(LogTally(1, 2, 3))

    assert only(part(entries)).log_files == LogCounts(47, 2, 3)
    assert only(part(entries)).hours[5] == "X"


def test_what_was_not_listed_is_not_counted() -> None:
    unlisted = part(day(), unattested=None, unreferenced=None, pending=None)

    assert only(unlisted).log_files == LogCounts(48, 0, 0, None, None, None)


# States


def test_a_chain_that_begins_in_the_window_is_new() -> None:
    result = only(part(linked([starting(5), *(entry(end) for end in range(6, 25))])))

    assert (result.state, result.outcome) == (ChainState.NEW, V)
    assert result.hours == "." * 5 + "P" * 19


def test_a_chain_that_a_person_says_has_ended_is_listed_with_its_end() -> None:
    chain = joined(part(run_of(1, 5)), is_ignored=True)

    assert chain.results[0].state is ChainState.ENDED
    assert (chain.results[0].outcome, chain.findings) == (V, ())
    assert chain.results[0].head is not None


def test_a_chain_that_nobody_expects_is_none() -> None:
    nobody = expected(is_due=False, by_logs=False)

    assert join_chain([part([])], job(), NOW, nobody) is None
    assert join_chain([part([])], job(), NOW, expected(is_due=False)) is not None
    assert join_chain([part([], has_logs=False)], job(), NOW, expected(is_due=False)) is None


def test_a_chain_without_digests_has_no_head() -> None:
    result = only(part([]))

    assert (result.head, result.outcome, result.hours) == (None, U, "U" * 24)
    assert result.digest_files == DigestCounts()


def test_a_head_is_authentic() -> None:
    entries = [*day()[:22], entry(23, Standing.BROKEN), entry(24, Standing.MISSING)]

    head = only(part(entries)).head

    assert head is not None
    assert head.end == at(22)


def test_what_was_seen_outside_of_the_segments_matters_once() -> None:
    """An older digest, AWS's word, a folder that did not answer, an unattested log file."""
    later = linked([starting(5), *(entry(end) for end in range(6, 25))])
    older = entry(-9, Standing.UNJUDGED)
    delivered = TrailStatus("us-east-1", NOW, is_logging=True, latest_digest_delivery=at(99))

    def found(result: SegmentResult, status: TrailStatus | None = None) -> list[Reason]:
        return [finding.reason for finding in joined(result, status=status).findings]

    assert found(part(later, neighbours=(older,))) == [Reason.CHAIN_GAP]
    assert found(part(later, first_unattested=at(3))) == [Reason.CHAIN_GAP]
    assert found(part(later), delivered) == [Reason.HEAD_REWOUND]
    assert found(part(later, redelivered=True), delivered) == []
    assert found(part(later, newest=at(99)), delivered) == []
    assert found(part(later, complete=False), delivered) == []


# Backfill digests


def late(end: float, **changes: Any) -> Entry:
    return entry(end, chain=BACKFILL, **changes)


def test_backfill_digests_have_a_result_of_their_own() -> None:
    backfilled = late(9).with_logs(LogTally(valid=3))

    standard, backfill = joined(part([*day(), backfilled])).results

    assert standard.digest_files == DigestCounts(valid=24)
    assert standard.log_files == LogCounts(valid=48)
    assert (backfill.kind, backfill.outcome, backfill.state) == ("backfill", V, ChainState.OPEN)
    assert (backfill.covered, backfill.hours) == ((), "")
    assert backfill.digest_files == DigestCounts(valid=1)
    assert backfill.log_files == LogCounts(valid=3)
    assert backfill.head is not None
    assert backfill.head.s3_uri == backfilled.location.uri


def test_a_backfill_digest_covers_no_hour() -> None:
    entries = [one for one in day() if one.window.end != at(9)]

    standard, _ = joined(part([*entries, late(9)])).results

    assert standard.outcome is U
    assert standard.hours[8] == "G"


def test_what_is_wrong_with_a_backfill_digest_is_not_the_hourly_chains() -> None:
    broken = late(9, standing=Standing.BROKEN)

    standard, backfill = joined(
        part([*day(), broken], findings=(about(broken, Reason.DIGEST_SIGNATURE_INVALID),))
    ).results

    assert (standard.outcome, backfill.outcome) == (V, X)
    assert backfill.digest_files == DigestCounts(invalid=1)


@pytest.mark.parametrize(
    ("tally", "outcome"), [(LogTally(1, 1, 1), X), (LogTally(1, 0, 1), U), (LogTally(1), V)]
)
def test_a_backfill_chain_is_as_bad_as_its_log_files(tally: LogTally, outcome: Outcome) -> None:
    _, backfill = joined(part([*day(), late(9).with_logs(tally)])).results

    assert backfill.outcome is outcome


def test_backfill_digests_beyond_the_segment_are_no_neighbours_in_time() -> None:
    stray = late(99, standing=Standing.BROKEN)

    assert joined(part(run_of(1, 20), neighbours=(stray,))).findings[0].reason is Reason.HEAD_STALE
