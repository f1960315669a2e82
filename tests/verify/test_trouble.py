"""A listing is looked at before trouble is taken for tampering."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from integrity.chain.model import (
    ChainId,
    Fetched,
    Listed,
    Root,
    S3Location,
    Unreachable,
)
from integrity.chain.names import DigestName
from integrity.verify.trouble import digest_trouble, in_archive, not_whole

PLACE = S3Location("bucket", "folder/key")
WHEN = datetime(2026, 3, 1, tzinfo=UTC)
NAME = DigestName(ChainId(Root("bucket"), "111122223333", "us-east-1", "main", "us-east-1"), WHEN)
CAME = Fetched(PLACE, None, {}, WHEN, None, 3)


@dataclass
class Shown:
    """A source that lists what it was given."""

    answers: list[Listed | Unreachable]

    def fetch(self, location: S3Location, read: Any) -> Any:
        raise AssertionError((location, read))

    def list_folders(self, bucket: str, folder: str) -> tuple[str, ...]:
        raise AssertionError((bucket, folder))

    def list_objects(self, bucket: str, prefix: str) -> Iterator[Listed | Unreachable]:
        assert (bucket, prefix) == (PLACE.bucket, PLACE.key)
        yield from self.answers


def test_other_bytes_than_lie_there_are_no_object() -> None:
    namesake = Listed(S3Location("bucket", "folder/key.gz"), 3, WHEN)
    assert not_whole(Shown([Listed(PLACE, 3, WHEN)]), PLACE, CAME) == ""
    said = not_whole(Shown([namesake, Listed(PLACE, 5, WHEN)]), PLACE, CAME)
    assert said.startswith("cut short: 3 of 5 bytes came")


def test_what_no_listing_shows_is_judged_as_it_came() -> None:
    assert not_whole(Shown([]), PLACE, CAME) == ""
    assert not_whole(Shown([Unreachable(PLACE, "denied")]), PLACE, CAME) == ""


def test_an_archive_answers_without_being_asked() -> None:
    assert in_archive(None) is None
    assert in_archive(Listed(PLACE, 3, WHEN)) is None
    answer = in_archive(Listed(PLACE, 3, WHEN, storage_class="GLACIER"))
    assert answer is not None
    assert answer.location == PLACE
    assert answer.detail.startswith("archived (storage class GLACIER)")


def test_only_what_is_archived_and_listed_can_be_rewritten() -> None:
    late = Listed(PLACE, 3, WHEN + timedelta(days=31))
    archived, denied = Unreachable(PLACE, "archived (x)"), Unreachable(PLACE, "denied")
    assert digest_trouble(NAME, late, archived) == "archived (x); rewritten after delivery"
    assert digest_trouble(NAME, Listed(PLACE, 3, WHEN), archived) == "archived (x)"
    assert digest_trouble(NAME, None, archived) == "archived (x)"
    assert digest_trouble(NAME, late, denied) == "denied"
