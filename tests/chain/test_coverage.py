"""Which time of a chain nobody vouches for: gaps, the head, the beginning, no digests at all."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from integrity.chain.coverage import Coverage, Situation, judge_coverage
from integrity.chain.findings import Finding, Outcome, Reason
from integrity.chain.link import Entry, Standing
from integrity.chain.model import TimeWindow, TrailStatus
from integrity.chain.population import Expectation
from integrity.structs import replace
from tests.chain.specimens import CHAIN, at, entry, hours, linked, naming, run_of, starting

DAY = hours(0, 24)
LONG_AFTER = at(24 * 30)
OLDER = entry(-100, Standing.UNJUDGED)


def chain_of(entries: list[Entry], **known: Any) -> Situation:
    """A chain over a day long past, with nobody to ask and nothing else to know.

    Of `known`, what an expectation holds is told of it.
    """
    situation = Situation(
        chain=CHAIN,
        window=DAY,
        now=LONG_AFTER,
        grace=timedelta(hours=1),
        entries=entries,
        neighbours=[],
        newest=max((one.window.end for one in entries), default=None),
        redelivered=False,
        first_unattested=None,
        has_logs=False,
        complete=True,
        expected=Expectation(root=CHAIN.root, by_logs=True),
    )
    told = {name: known.pop(name) for name in list(known) if hasattr(situation.expected, name)}
    return replace(situation, expected=replace(situation.expected, **told), **known)


def status(**known: Any) -> TrailStatus:
    return TrailStatus("us-east-1", LONG_AFTER, is_logging=True, **known)


def coverage(entries: list[Entry], **known: Any) -> Coverage:
    judged = judge_coverage(chain_of(entries, **known))
    assert judged is not None
    return judged


def reasons(judged: Coverage) -> list[tuple[Reason, TimeWindow]]:
    return [(finding.reason, finding.window) for finding in judged.findings]


def only(judged: Coverage) -> Finding:
    (finding,) = judged.findings
    return finding


# Covered from end to end


def test_a_day_with_a_digest_for_every_hour_is_covered() -> None:
    judged = coverage(linked([entry(0, previous=naming(entry(-1))), *run_of(1, 24)]))

    assert judged.covered == (DAY,)
    assert judged == Coverage(covered=(DAY,))


def test_digests_beyond_the_window_cover_its_ends() -> None:
    judged = coverage(run_of(2, 23), neighbours=[entry(0.5), entry(24.5)])

    assert judged.covered == (hours(0, 0.5), hours(1, 23), hours(23.5, 24))
    assert reasons(judged) == [
        (Reason.CHAIN_GAP, hours(0.5, 1)),
        (Reason.CHAIN_GAP, hours(23, 23.5)),
    ]


# Gaps


def test_time_between_two_digests_that_none_accounts_for_is_a_gap() -> None:
    judged = coverage([*run_of(1, 8), *run_of(12, 24)], neighbours=[OLDER])

    assert reasons(judged) == [(Reason.CHAIN_GAP, hours(8, 11))]
    assert only(judged).outcome is Outcome.UNDETERMINED
    assert only(judged).s3_uri is None
    assert judged.gaps == (hours(8, 11),)
    assert judged.covered == (hours(0, 8), hours(11, 24))


@pytest.mark.parametrize("standing", [one for one in Standing if one is not Standing.AUTHENTIC])
def test_an_hour_that_has_a_finding_of_its_own_is_no_gap(standing: Standing) -> None:
    judged = coverage([*run_of(1, 8), entry(9, standing), *run_of(10, 24)], neighbours=[OLDER])

    assert judged.findings == ()
    assert judged.covered == (hours(0, 8), hours(9, 24))


def test_the_empty_hour_of_a_starting_digest_closes_no_gap() -> None:
    """CloudTrail dates it to the hour before logging began: an attacker could hide one below."""
    old, new = run_of(1, 8), linked([starting(9), *(entry(end) for end in range(10, 25))])

    assert reasons(coverage([*old, *new])) == [(Reason.CHAIN_GAP, hours(8, 9))]


def test_chains_that_overlap_after_a_restart_within_the_hour_leave_no_gap() -> None:
    old = run_of(1, 9)
    new = linked([starting(8.5), *(entry(end + 0.5) for end in range(9, 25))])

    assert coverage([*old, *new], neighbours=[OLDER]).findings == ()


# The beginning


def test_a_chain_that_begins_in_the_window_is_new() -> None:
    judged = coverage(linked([starting(6), *(entry(end) for end in range(7, 25))]))

    assert (judged.is_new, judged.findings, judged.gaps) == (True, (), ())
    assert judged.covered == (hours(6, 24),)


def test_a_gap_after_a_new_beginning_is_told() -> None:
    judged = coverage(linked([starting(6), entry(7), *run_of(10, 24)]))

    assert judged.is_new
    assert reasons(judged) == [(Reason.CHAIN_GAP, hours(7, 9))]


@pytest.mark.parametrize(
    "known",
    [
        {"status": status(stopped=at(4))},
        {"status": status(started=at(4.9))},
        {"first_unattested": at(5.9)},
    ],
    ids=["stopped before", "started before", "log files before"],
)
def test_a_trail_that_was_on_before_its_first_digest_left_a_gap(known: dict[str, Any]) -> None:
    judged = coverage(linked([starting(6), *(entry(end) for end in range(7, 25))]), **known)

    assert not judged.is_new
    assert reasons(judged) == [(Reason.CHAIN_GAP, hours(0, 6))]


@pytest.mark.parametrize(
    "known",
    [{"status": status(started=at(5))}, {"status": status()}, {"first_unattested": at(6)}],
    ids=["started with it", "status knows nothing", "log files after"],
)
def test_a_trail_that_was_not_shown_to_be_on_before_is_new(known: dict[str, Any]) -> None:
    judged = coverage(linked([starting(6), *(entry(end) for end in range(7, 25))]), **known)

    assert judged.is_new


@pytest.mark.parametrize(
    "first",
    [
        entry(6, previous=naming(entry(5))),
        entry(6, Standing.MISSING),
        entry(6, Standing.BROKEN),
    ],
    ids=["names another", "is missing", "is broken"],
)
def test_what_does_not_begin_a_chain_has_time_before_it(first: Entry) -> None:
    judged = coverage([first, *run_of(7, 24)])

    assert not judged.is_new
    assert reasons(judged) == [(Reason.CHAIN_GAP, hours(0, 5))]


def test_a_restart_after_an_older_chain_is_not_new() -> None:
    judged = coverage(
        linked([starting(6), *(entry(end) for end in range(7, 25))]), neighbours=[OLDER]
    )

    assert not judged.is_new
    assert reasons(judged) == [(Reason.CHAIN_GAP, hours(0, 6))]


def test_a_chain_of_one_empty_digest_begins_where_that_ends() -> None:
    judged = coverage([starting(6)])

    assert judged.is_new
    assert reasons(judged) == [(Reason.HEAD_STALE, hours(6, 24))]


# The head


def test_a_head_that_ends_before_the_window_does_is_stale() -> None:
    judged = coverage(run_of(1, 23), neighbours=[OLDER])

    finding = only(judged)
    assert (finding.reason, finding.window) == (Reason.HEAD_STALE, hours(23, 24))
    assert finding.outcome is Outcome.UNDETERMINED
    assert finding.detail == "newest digest ends 2026-03-01T23:00:00Z"
    assert judged.stale == (hours(23, 24),)


def test_a_delivery_error_that_aws_reports_is_told() -> None:
    known = status(latest_digest_error="AccessDenied")

    assert "AccessDenied" in only(coverage(run_of(1, 23), neighbours=[OLDER], status=known)).detail


@pytest.mark.parametrize(("now", "stale"), [(25, False), (25.01, True), (23, False)])
def test_until_now_a_digest_may_be_two_hours_late(now: float, *, stale: bool) -> None:
    """An hour long, and an hour of grace. In a past window there is none."""
    judged = coverage(run_of(1, 23), neighbours=[OLDER], now=at(now))

    assert bool(judged.findings) is stale


def test_a_longer_grace_is_granted() -> None:
    judged = coverage(run_of(1, 23), neighbours=[OLDER], now=at(28), grace=timedelta(hours=4))

    assert judged.findings == ()


@pytest.mark.parametrize("standing", [Standing.BROKEN, Standing.UNREADABLE, Standing.UNJUDGED])
def test_a_head_that_is_there_is_not_stale_though_it_be_broken(standing: Standing) -> None:
    judged = coverage([*run_of(1, 23), entry(24, standing)], neighbours=[OLDER])

    assert judged.findings == ()


def test_a_missing_digest_is_no_head() -> None:
    judged = coverage([*run_of(1, 22), entry(23, Standing.MISSING)], neighbours=[OLDER])

    assert reasons(judged) == [(Reason.HEAD_STALE, hours(22, 24))]
    assert judged.stale == (hours(23, 24),)


def test_a_chain_that_a_person_says_has_ended_is_not_stale() -> None:
    judged = coverage(run_of(1, 20), neighbours=[OLDER], is_ignored=True)

    assert (judged.is_ended, judged.findings, judged.stale) == (True, (), ())


def test_a_chain_that_goes_on_has_not_ended_whatever_a_person_says() -> None:
    assert not coverage(run_of(1, 24), is_ignored=True).is_ended


# AWS's own word


def test_a_delivery_that_left_no_digest_rewinds_the_head() -> None:
    known = status(latest_digest_delivery=at(26.5))

    finding = only(coverage(run_of(1, 20), neighbours=[OLDER], status=known))

    assert (finding.reason, finding.outcome) == (Reason.HEAD_REWOUND, Outcome.INVALID)
    assert finding.window == hours(20, 26.5)
    assert (finding.expected, finding.actual) == ("2026-03-02T02:30:00Z", "2026-03-01T20:00:00Z")


@pytest.mark.parametrize(
    ("newest", "rewound"), [(24.5, False), (24.49, True), (30, False), (None, True)]
)
def test_a_digest_is_delivered_within_an_hour_and_the_grace(
    newest: float | None, *, rewound: bool
) -> None:
    judged = coverage(
        run_of(1, 24),
        neighbours=[OLDER],
        newest=None if newest is None else at(newest),
        status=status(latest_digest_delivery=at(26.5)),
    )

    assert [reason for reason, _ in reasons(judged)] == [Reason.HEAD_REWOUND] * rewound


def test_a_digest_that_was_redelivered_then_explains_the_delivery() -> None:
    known = status(latest_digest_delivery=at(26.5))

    judged = coverage(run_of(1, 20), neighbours=[OLDER], status=known, redelivered=True)

    assert [reason for reason, _ in reasons(judged)] == [Reason.HEAD_STALE]


def test_where_a_folder_could_not_be_listed_absence_means_nothing() -> None:
    known = status(latest_digest_delivery=at(26.5))

    judged = coverage([*run_of(3, 8), *run_of(12, 20)], complete=False, status=known)

    assert judged == Coverage(covered=(hours(2, 8), hours(11, 20)))


def test_where_a_folder_could_not_be_listed_the_chain_is_told_of_though_it_be_empty() -> None:
    assert coverage([], complete=False) == Coverage()


# No digest at all


@pytest.mark.parametrize(
    ("known", "detail"),
    [
        ({"is_due": True}, ""),
        ({"has_logs": True}, "log files were delivered"),
        ({"neighbours": [OLDER]}, "newest digest ends 2026-02-24T20:00:00Z"),
        ({"neighbours": [entry(200, previous=naming(entry(199)))]}, ""),
        ({"neighbours": [entry(200, Standing.BROKEN)]}, ""),
        ({"neighbours": [starting(200)], "status": status(stopped=at(190))}, ""),
        ({"neighbours": [starting(200)], "status": status(started=at(-500))}, ""),
        ({"status": status(latest_digest_delivery=at(-300))}, ""),
    ],
    ids=[
        "due",
        "log files",
        "an older digest",
        "a later one that had one before it",
        "a later one that is broken",
        "a restart later",
        "a later beginning of a trail that was on",
        "AWS delivered one",
    ],
)
def test_a_chain_that_is_expected_and_has_no_digest_is_told(
    known: dict[str, Any], detail: str
) -> None:
    judged = coverage([], **known | {"redelivered": True})

    finding = only(judged)
    assert (finding.reason, finding.window) == (Reason.NO_DIGESTS, DAY)
    assert finding.detail == detail
    assert judged.stale == (DAY,)


@pytest.mark.parametrize(
    "known",
    [
        {},
        {"has_logs": True, "by_logs": False},
        {"neighbours": [starting(200)]},
        {"neighbours": [starting(200)], "status": status(started=at(199))},
        {"status": status()},
    ],
    ids=["nothing", "another trail's log files", "begins later", "started later", "no delivery"],
)
def test_a_chain_that_nobody_expects_is_none(known: dict[str, Any]) -> None:
    assert judge_coverage(chain_of([], **known)) is None


def test_without_digests_a_delivery_rewinds_the_head() -> None:
    known = status(latest_digest_delivery=at(26.5))

    judged = coverage([], is_due=True, status=known)

    assert reasons(judged) == [(Reason.HEAD_REWOUND, hours(0, 26.5))]
    assert only(judged).actual == "none"
    assert judged.stale == (DAY,)


def test_a_delivery_before_the_window_has_a_window_too() -> None:
    known = status(latest_digest_delivery=at(-10))

    assert reasons(coverage([], status=known)) == [(Reason.HEAD_REWOUND, hours(-10, -10))]


def test_a_chain_that_a_person_says_has_ended_needs_no_digests() -> None:
    judged = coverage([], is_due=True, is_ignored=True)

    assert judged == Coverage(is_ended=True)


def test_before_a_digest_is_due_there_is_none_and_it_says_so() -> None:
    judged = coverage([], is_due=True, now=at(1))

    assert only(judged).reason is Reason.NO_DIGESTS
    assert only(judged).detail.startswith("none is due yet")
    assert judged.stale == ()
