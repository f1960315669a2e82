"""What a seal shows, and what of it does not matter."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest

from integrity.chain.model import Listed, S3Location
from integrity.chain.seal import Seal, SealedDay, entry_of, make_seal
from integrity.structs import replace

AT = datetime.fromisoformat("2026-03-05T12:06:30Z")
LOGS = [Listed(S3Location("logs", f"log-{n}"), 100 + n, AT, f"etag-{n}") for n in range(3)]
DIGESTS = [Listed(S3Location("logs", f"digest-{n}"), 50, AT, "etag") for n in range(2)]


def sealed(digests: list[Listed], logs: list[Listed]) -> Seal:
    return make_seal(map(entry_of, digests), map(entry_of, logs))


WHOLE = sealed(DIGESTS, LOGS)


def test_it_counts_and_does_not_care_for_order() -> None:
    assert (WHOLE.digests, WHOLE.logs, WHOLE.is_empty) == (2, 3, False)
    assert sealed(DIGESTS[::-1], LOGS[::-1]) == WHOLE
    assert sealed([], []).is_empty


@pytest.mark.parametrize(
    "change",
    [
        {"location": S3Location("logs", "log-9")},
        {"location": S3Location("elsewhere", "log-1")},
        {"size": 102},
        {"etag": "other"},
        {"last_modified": AT + timedelta(seconds=1)},
    ],
)
def test_any_change_of_an_object_shows(change: dict) -> None:
    assert sealed(DIGESTS, [LOGS[0], replace(LOGS[1], **change), LOGS[2]]) != WHOLE


def test_one_more_one_less_and_one_on_the_other_side_show() -> None:
    others = (
        sealed(DIGESTS, LOGS[:2]),
        sealed(DIGESTS[:1], LOGS),
        sealed(DIGESTS, [*LOGS, LOGS[0]]),
        sealed([*DIGESTS, LOGS[0]], LOGS[1:]),
    )
    assert len({WHOLE.sha256, *(one.sha256 for one in others)}) == 5


def test_names_that_hold_each_others_parts_stay_apart() -> None:
    one = Listed(S3Location("logs", "a4:logs"), 1, AT)
    other = Listed(S3Location("logs", "a"), 1, AT)
    assert entry_of(one) != entry_of(other)
    assert sealed([], [one]) != sealed([], [other])
    entry_of(replace(one, location=S3Location("logs", "\udcff\x00\n")))


def test_storage_class_quotes_and_parts_of_a_second_do_not_matter() -> None:
    same = replace(
        LOGS[1], storage_class="GLACIER", etag='"etag-1"', last_modified=AT.replace(microsecond=9)
    )
    assert sealed(DIGESTS, [LOGS[0], same, LOGS[2]]) == WHOLE


def test_a_day_lacks_what_was_there_once() -> None:
    day = SealedDay(day=AT.replace(hour=0, minute=0, second=0), due=AT, digests=24, logs=72)
    assert day.lacks == (0, 0)
    assert replace(day, seal=Seal("", 24, 73)).lacks == (0, 0)
    assert replace(day, seal=Seal("", 20, 70)).lacks == (4, 2)
