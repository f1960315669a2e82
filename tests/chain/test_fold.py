"""What many findings about one chain become."""

from __future__ import annotations

import pytest

from integrity.chain.findings import CLAUSES, Finding, Outcome, Place, Reason, find
from integrity.chain.fold import fold
from integrity.chain.limits import Limits
from integrity.chain.trouble import EXPIRED_CREDENTIALS, REWRITTEN, archived
from integrity.structs import replace
from tests.chain.specimens import at, hours

PLACE = Place("111122223333", "eu-west-1")
URI = "s3://trail-logs/AWSLogs/111122223333/an-object"
V, U = Outcome.VALID, Outcome.UNDETERMINED
MOST = Limits().max_findings_per_reason
ARCHIVED = archived("GLACIER")


def finding(reason: Reason = Reason.LOG_MISSING, number: int = 0, detail: str = "") -> Finding:
    window = hours(number, number + 1)
    return find(reason, PLACE, window, s3_uri=f"{URI}-{number:04}", detail=detail)


def unreadable(number: int, detail: str) -> Finding:
    return finding(Reason.OBJECT_UNREADABLE, number, detail)


def test_few_findings_are_told_one_by_one() -> None:
    found = [finding(number=number) for number in range(3)]

    assert fold(found, most=3) == found


def test_many_findings_of_one_reason_are_folded_into_one_that_counts() -> None:
    gap = find(Reason.CHAIN_GAP, PLACE, hours(9, 12))
    found = [finding(number=number, detail="gone") for number in range(4)]

    first, folded = fold([gap, *found], most=3)

    assert first == gap
    assert (folded.reason, folded.count) == (Reason.LOG_MISSING, 4)
    assert (folded.first, folded.last) == (f"{URI}-0000", f"{URI}-0003")
    assert folded.window == hours(0, 4)
    assert folded.s3_uri is None
    assert folded.detail == f"gone; 4 of them, {URI}-0000 to {URI}-0003"
    assert "account 111122223333" in folded.message
    assert "2026-03-01T00:00:00Z to 2026-03-01T04:00:00Z" in folded.message
    assert folded.message.endswith(f"Next: {CLAUSES[Reason.LOG_MISSING].next_step}.")


def test_a_fold_says_nothing_of_one_object_and_keeps_the_worst_outcome() -> None:
    single = replace(
        finding(Reason.LOG_UNREFERENCED),
        outcome=V,
        version_id="a version",
        last_modified=at(9),
        expected="a hash",
        actual="another",
    )

    (folded,) = fold([single, finding(Reason.LOG_UNREFERENCED, 1)], most=1)

    assert folded.outcome is U
    assert (folded.version_id, folded.last_modified) == (None, None)
    assert (folded.expected, folded.actual) == (None, None)


def test_folding_counts_what_was_folded_before() -> None:
    three = replace(finding(), count=3)

    (folded,) = fold([three, finding(number=1)], most=1)

    assert folded.count == 4


def test_chain_findings_fold_without_naming_objects() -> None:
    gaps = [find(Reason.CHAIN_GAP, PLACE, hours(2 * n, 2 * n + 1)) for n in range(3)]

    (folded,) = fold(gaps, most=2)

    assert (folded.count, folded.first, folded.last) == (3, None, None)
    assert folded.detail == "3 of them"
    assert "None" not in folded.message


def test_missing_keys_are_told_once_a_chain() -> None:
    found = [finding(Reason.KEYS_UNAVAILABLE, number) for number in range(2)]

    (folded,) = fold(found, most=Limits().max_findings_per_reason)

    assert folded.count == 2


def test_what_is_archived_is_told_once_a_day() -> None:
    found = [unreadable(number, ARCHIVED) for number in (3, 4, 5, 26, 27, 50)]

    first, second, third = fold(found, most=MOST)

    assert [one.count for one in (first, second, third)] == [3, 2, 1]
    assert (first.first, first.last) == (f"{URI}-0003", f"{URI}-0005")
    assert first.detail == f"{ARCHIVED}; 3 of them, {URI}-0003 to {URI}-0005"
    assert third == found[-1]


def test_many_archived_days_are_folded_again() -> None:
    found = [unreadable(number, ARCHIVED) for number in (3, 4, 27, 28, 51)]

    (folded,) = fold(found, most=2)

    assert folded.count == 5
    assert (folded.first, folded.last) == (f"{URI}-0003", f"{URI}-0051")


def test_what_was_put_into_an_archive_later_is_told_one_by_one() -> None:
    found = [unreadable(number, f"{ARCHIVED}; {REWRITTEN}") for number in (3, 4)]

    assert fold(found, most=MOST) == found


def test_expired_credentials_are_told_once_a_chain() -> None:
    found = [unreadable(number, f"{EXPIRED_CREDENTIALS} (X): renew them") for number in (3, 30)]

    (folded,) = fold(found, most=MOST)

    assert folded.count == 2


@pytest.mark.parametrize("detail", ["", "s3:GetObject on x is not allowed"])
def test_other_objects_that_cannot_be_read_are_told_one_by_one(detail: str) -> None:
    found = [unreadable(number, detail) for number in (3, 4)]

    assert fold(found, most=MOST) == found


def test_another_reason_is_no_archive_whatever_it_says() -> None:
    found = [finding(Reason.LOG_MISSING, number, ARCHIVED) for number in (3, 4)]

    assert fold(found, most=MOST) == found
