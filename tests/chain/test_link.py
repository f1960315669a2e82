"""Digests of a chain in order: links, hours that nobody names, strangers, coverage, letters."""

from __future__ import annotations

import itertools

import msgspec
import pytest

from integrity.chain.findings import Finding, Outcome, Reason
from integrity.chain.link import (
    Entry,
    LogTally,
    Standing,
    check_links,
    clip,
    covered,
    foreign,
    hour_letters,
    in_order,
    merge,
    predicted_hours,
    share,
    subtract,
)
from integrity.chain.model import ChainKind, TimeWindow
from integrity.structs import replace
from tests.chain.specimens import CHAIN, at, entry, hours, linked, naming, run_of, starting

NOT_THERE = {Standing.MISSING, Standing.LATE, Standing.EXPIRED}
V, U, X = Outcome.VALID, Outcome.UNDETERMINED, Outcome.INVALID


def ends(entries: list[Entry], span: TimeWindow) -> list[float]:
    """The hours after START at which predicted digests end."""
    names = predicted_hours(entries, span)
    assert {name.chain for name in names} <= {CHAIN}
    return [(name.end - at(0)).total_seconds() / 3600 for name in names]


@pytest.mark.parametrize("standing", Standing)
def test_a_digest_is_there_unless_it_is_missing_late_or_expired(standing: Standing) -> None:
    assert entry(5, standing).is_there is (standing not in NOT_THERE)
    assert entry(5, standing).is_authentic is (standing is Standing.AUTHENTIC)


def test_an_empty_starting_digest_covers_no_time() -> None:
    assert not starting(5).covers
    assert entry(5).covers
    assert replace(starting(5), previous=naming(entry(4))).covers
    assert not entry(5, Standing.BROKEN).covers


def test_order_is_by_end_and_then_by_place() -> None:
    late, early = entry(6), entry(5)
    twin = replace(early, location=replace(early.location, bucket="a-logs"))

    assert in_order([late, early, twin]) == [twin, early, late]


def as_decoded(entries: list[Entry]) -> list[Entry]:
    """The same, sharing nothing."""
    return msgspec.msgpack.decode(msgspec.msgpack.encode(entries), type=list[Entry])


def test_what_neighbours_have_in_common_is_held_once() -> None:
    first, second, third = share(as_decoded(run_of(4, 6)))

    assert [first, second, third] == run_of(4, 6)
    assert first.chain is second.chain is third.chain
    assert third.previous is not None
    assert third.previous.location is second.location
    assert third.previous.signature is second.signature
    assert third.previous.sha256 is second.sha256


@pytest.mark.parametrize(
    "changes", [{"sha256": "00" * 32}, {"signature": "00" * 256}, {"algorithm": "SHA-512"}]
)
def test_what_differs_stays_as_it_is(changes: dict[str, str]) -> None:
    first, second, third = run_of(4, 6)
    odd = [first, replace(second, previous=naming(first, **changes)), third]
    late = replace(CHAIN, kind=ChainKind.BACKFILL)

    assert list(share(as_decoded(odd))) == odd
    assert list(share([first, third, second])) == [first, third, second]
    assert share([first, replace(second, chain=late)])[1].chain == late
    assert share([]) == ()


# Links


def link_findings(changes: dict[str, str]) -> list[Finding]:
    first, second, third = run_of(4, 6)
    return check_links([first, replace(second, previous=naming(first, **changes)), third])


def test_honest_links_are_no_finding() -> None:
    assert check_links(run_of(1, 24)) == []


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"sha256": "00" * 32}, "previousDigestHashValue"),
        ({"signature": "00" * 256}, "previousDigestSignature"),
    ],
)
def test_another_hash_or_signature_than_the_predecessors_is_a_mismatch(
    changes: dict[str, str], field: str
) -> None:
    (finding,) = link_findings(changes)

    first, second = run_of(4, 5)
    assert finding.reason is Reason.DIGEST_LINK_MISMATCH
    assert finding.s3_uri == second.location.uri
    assert finding.window == second.window
    assert finding.expected in changes.values()
    assert finding.actual in {first.sha256, first.signature}
    assert finding.detail.startswith(field)
    assert first.location.uri in finding.detail


def test_a_hash_of_an_algorithm_that_nobody_knows_is_not_compared() -> None:
    assert link_findings({"sha256": "short", "algorithm": "SHA3-512"}) == []
    assert len(link_findings({"algorithm": "SHA3-512", "signature": "00" * 256})) == 1


@pytest.mark.parametrize("standing", [one for one in Standing if one is not Standing.AUTHENTIC])
def test_links_to_and_from_what_is_not_authentic_are_not_judged(standing: Standing) -> None:
    first, second = run_of(4, 5)
    lying = replace(second, previous=naming(first, sha256="00" * 32))

    assert len(check_links([first, lying])) == 1
    assert check_links([replace(first, standing=standing), lying]) == []
    assert check_links([first, replace(lying, standing=standing)]) == []


def test_a_link_leads_where_it_says_and_not_to_the_digest_before() -> None:
    """After a restart within the hour two chains interleave."""
    old = run_of(3, 6)
    new = linked([starting(5.5), entry(6.5), entry(7.5)])

    assert check_links(in_order([*old, *new])) == []


def test_a_predecessor_that_is_not_in_sight_is_not_judged() -> None:
    assert check_links(run_of(4, 8)[2:]) == []


# Hours that nobody names


def test_between_authentic_digests_nothing_is_predicted() -> None:
    assert ends(run_of(1, 10), hours(0, 24)) == []
    assert ends([entry(2), entry(9)], hours(0, 24)) == []


def test_hours_are_counted_back_from_what_says_nothing_of_its_predecessor() -> None:
    for standing in (Standing.MISSING, Standing.LATE, Standing.BROKEN, Standing.UNREADABLE):
        assert ends([entry(3), entry(7, standing), entry(8)], hours(0, 24)) == [6, 5, 4]


def test_hours_keep_the_minute_of_the_later_digest() -> None:
    assert ends([entry(3), entry(6.25, Standing.BROKEN)], hours(0, 24)) == [5.25, 4.25]


def test_less_than_an_hour_that_is_left_is_no_digest() -> None:
    assert ends([entry(3), entry(4.9, Standing.BROKEN)], hours(0, 24)) == []


def test_only_hours_of_the_span_are_predicted() -> None:
    far = [entry(-400), entry(400, Standing.MISSING)]

    assert ends(far, hours(0, 3)) == [3, 2, 1, 0]
    assert ends([entry(-400), entry(400.5, Standing.MISSING)], hours(0, 3)) == [2.5, 1.5, 0.5]


def test_before_the_first_and_after_the_last_digest_nothing_is_predicted() -> None:
    assert ends([entry(5, Standing.MISSING), entry(6)], hours(0, 24)) == []
    assert ends([entry(5)], hours(0, 24)) == []
    assert ends([], hours(0, 24)) == []


# Strangers


def test_a_broken_digest_in_a_covered_hour_that_nobody_names_is_foreign() -> None:
    planted = entry(6.5, Standing.BROKEN)

    assert foreign([*run_of(1, 10), planted]) == [planted]


@pytest.mark.parametrize(
    "planted",
    [
        entry(6.5, Standing.BROKEN, named=True),
        entry(6.5, Standing.UNREADABLE),
        entry(6.5, Standing.MISSING),
        entry(10.5, Standing.BROKEN),
        entry(1.5, Standing.BROKEN, window=hours(-1, 1.5)),
    ],
    ids=["named", "unreadable", "missing", "half beyond", "half before"],
)
def test_what_may_be_ours_is_not_foreign(planted: Entry) -> None:
    assert foreign([*run_of(1, 10), planted]) == []


# Windows


def test_windows_that_touch_or_overlap_are_one() -> None:
    windows = [hours(5, 6), hours(1, 2), hours(2, 3), hours(2.5, 4), hours(5, 5.5)]

    assert merge(windows) == [hours(1, 4), hours(5, 6)]
    assert merge([]) == []


@pytest.mark.parametrize(
    ("windows", "left"),
    [
        ([], [hours(2, 8)]),
        ([hours(0, 9)], []),
        ([hours(2, 8)], []),
        ([hours(0, 1), hours(9, 10)], [hours(2, 8)]),
        ([hours(0, 3), hours(7, 9)], [hours(3, 7)]),
        ([hours(3, 4), hours(5, 6)], [hours(2, 3), hours(4, 5), hours(6, 8)]),
        ([hours(0, 2), hours(8, 9)], [hours(2, 8)]),
    ],
)
def test_what_is_left_of_a_span(windows: list[TimeWindow], left: list[TimeWindow]) -> None:
    assert subtract(hours(2, 8), windows) == left


def test_clipping_keeps_what_is_inside() -> None:
    windows = [hours(0, 1), hours(1, 3), hours(4, 5), hours(7, 9), hours(8, 9)]

    assert clip(windows, hours(2, 8)) == [hours(2, 3), hours(4, 5), hours(7, 8)]


def test_covered_time_is_that_of_authentic_digests() -> None:
    chain = [*run_of(1, 3), entry(4, Standing.BROKEN), *run_of(5, 6), starting(9)]

    assert covered(chain) == [hours(0, 3), hours(4, 6)]


# Letters


def letters(entries: list[Entry], outcomes: dict[float, Outcome] | None = None) -> str:
    by_location = {entry(end).location: outcome for end, outcome in (outcomes or {}).items()}
    return hour_letters(hours(0, 6), entries, by_location, gaps=[], stale=[])


def test_each_hour_has_the_letter_of_its_digest() -> None:
    chain = [
        entry(1),
        replace(entry(2), log_files=0, previous=naming(entry(1))),
        entry(3, Standing.MISSING),
        entry(4, Standing.BROKEN),
        entry(5, Standing.LATE),
    ]

    assert letters(chain, {4: X}) == "PEMXU."


def test_a_starting_digest_says_nothing_of_its_hour() -> None:
    assert letters([starting(1), entry(2)]) == ".P...."


def test_what_was_found_of_a_digest_or_of_its_log_files_shows() -> None:
    chain = [
        entry(1),
        entry(2),
        entry(3).with_logs(LogTally(3, 1, 1)),
        entry(4).with_logs(LogTally(3, 0, 1)),
    ]

    assert letters(chain, {1: X, 2: U}) == "XUXU.."


def test_the_worst_of_what_touches_an_hour_shows() -> None:
    """E < P < G < U < M < X."""
    half = [entry(1.5), entry(2.5, Standing.MISSING)]
    empty = replace(entry(1), log_files=0, previous=naming(entry(0)))

    for chain in itertools.permutations([empty, *half]):
        assert letters(list(chain)) == "PMM..."
    shown = hour_letters(hours(0, 6), [entry(4)], {}, gaps=[hours(2, 3.5)], stale=[hours(3.5, 5)])
    assert shown == "..GUU."


def test_a_window_has_a_letter_for_every_clock_hour_that_it_touches() -> None:
    for window, length in [
        (hours(0, 1), 1),
        (hours(0.5, 1), 1),
        (hours(0.5, 1.5), 2),
        (hours(23.5, 25.25), 3),
        (hours(0, 0), 1),
    ]:
        assert len(hour_letters(window, [entry(-9), entry(99)], {}, gaps=[], stale=[])) == length


def test_a_tally_counts_one_more_log_file() -> None:
    tally = LogTally().plus(V).plus(V).plus(X).plus(U)

    assert tally == LogTally(2, 1, 1)
