"""What a listing says of an object that could not be read."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from integrity.chain.model import ChainId, ChainKind, Fetched, Listed, Root, S3Location
from integrity.chain.names import DigestName
from integrity.chain.trouble import archived, cut_short, is_archived, is_rewritten

PLACE = S3Location("bucket", "key")
WHEN = datetime(2026, 3, 1, tzinfo=UTC)
MONTH = timedelta(days=30)
SECOND = timedelta(seconds=1)


def name(kind: ChainKind = ChainKind.STANDARD) -> DigestName:
    chain = ChainId(Root("bucket"), "111122223333", "us-east-1", "main", "us-east-1", kind)
    return DigestName(chain, WHEN)


@pytest.mark.parametrize(
    ("storage_class", "expected"),
    [
        ("", False),
        ("STANDARD", False),
        ("GLACIER_IR", False),
        ("INTELLIGENT_TIERING", False),
        ("GLACIER", True),
        ("DEEP_ARCHIVE", True),
    ],
)
def test_an_archive_is_what_a_get_does_not_answer_from(
    storage_class: str, *, expected: bool
) -> None:
    listed = Listed(PLACE, 5, WHEN, storage_class=storage_class)
    assert is_archived(listed) is expected
    restored = Listed(PLACE, 5, WHEN, storage_class=storage_class, restored=True)
    assert not is_archived(restored)


def test_the_detail_names_the_class_and_the_way_out() -> None:
    assert archived("GLACIER").startswith("archived (storage class GLACIER): restore it with `aws")


def test_a_digest_is_rewritten_when_it_is_put_more_than_a_month_after_its_end() -> None:
    assert not is_rewritten(name(), Listed(PLACE, 5, WHEN + MONTH))
    assert is_rewritten(name(), Listed(PLACE, 5, WHEN + MONTH + SECOND))


def test_a_backfill_digest_may_come_as_late_as_it_likes() -> None:
    assert not is_rewritten(name(ChainKind.BACKFILL), Listed(PLACE, 5, WHEN + 2 * MONTH))


def test_cut_short_is_another_size_of_the_same_object() -> None:
    listed = Listed(PLACE, 5, WHEN)
    assert cut_short(listed, Fetched(PLACE, None, {}, WHEN, None, 5)) == ""
    assert cut_short(listed, Fetched(PLACE, None, {}, WHEN + SECOND, None, 3)) == ""
    assert cut_short(listed, Fetched(PLACE, None, {}, None, None, 3)) == ""
    said = cut_short(listed, Fetched(PLACE, None, {}, WHEN, None, 3))
    assert said.startswith("cut short: 3 of 5 bytes came")
