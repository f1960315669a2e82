"""The last hours of a chain as they are sealed: what shows, what is told apart, what is not."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest

from integrity.chain.hours import MOST_APART, Shown, is_open, is_unchanged, seal_hours
from integrity.chain.model import Listed, S3Location
from integrity.chain.seal import SealedHours
from integrity.structs import replace

HOUR, MINUTE = timedelta(hours=1), timedelta(minutes=1)
START = datetime.fromisoformat("2026-03-05T03:45:00Z")
END = datetime.fromisoformat("2026-03-05T09:00:00Z")


def listed(name: str, written: datetime) -> Listed:
    return Listed(S3Location("logs", name), 100, written, f"etag-{name}")


DIGESTS = [(END - n * HOUR, listed(f"digest-{n}", END - n * HOUR)) for n in range(7)]
LOGS = [listed(f"log-{n}", END - n * 30 * MINUTE) for n in range(12)]
EARLY = listed("early", START - HOUR - MINUTE)
PENDING = [listed("between", END - MINUTE), listed("after", END + MINUTE)]
SHOWN = Shown(DIGESTS, [*LOGS, EARLY, *PENDING])


def sealed(shown: Shown = SHOWN, **asked: object) -> SealedHours | None:
    usual: dict[str, Any] = {
        "start": START,
        "end": END,
        "named": [log.location for log in LOGS],
        "unnamed": [log.location for log in PENDING],
    }
    return seal_hours(shown, **usual | asked)


def whole() -> SealedHours:
    hours = sealed()
    assert hours is not None
    return hours


def test_sealed_are_the_digests_of_the_hours_and_what_was_written_by_then() -> None:
    hours = whole()
    assert (hours.seal.digests, hours.seal.logs) == (6, 12)
    assert hours.written == END
    assert len(hours.apart) == 1
    assert is_unchanged(hours, SHOWN)


def test_what_was_named_by_nobody_or_came_later_is_open() -> None:
    hours = whole()
    assert [is_open(log, hours) for log in PENDING] == [True, True]
    assert not any(is_open(log, hours) for log in [*LOGS, EARLY])


@pytest.mark.parametrize(
    "logs",
    [
        [*LOGS[1:], EARLY, *PENDING],
        [replace(LOGS[0], size=101), *LOGS[1:], EARLY, *PENDING],
        [replace(LOGS[0], last_modified=END + MINUTE), *LOGS[1:], EARLY, *PENDING],
        [*LOGS, EARLY, *PENDING, listed("stranger", END - MINUTE)],
    ],
    ids=["gone", "edited", "written again", "one more"],
)
def test_a_log_file_that_is_not_as_it_was_shows(logs: list[Listed]) -> None:
    assert not is_unchanged(whole(), Shown(DIGESTS, logs))


@pytest.mark.parametrize(
    "digests",
    [DIGESTS[1:], [*DIGESTS, (END - MINUTE, listed("late", END + HOUR))]],
    ids=["gone", "late"],
)
def test_a_digest_that_is_not_as_it_was_shows(digests: list[tuple[datetime, Listed]]) -> None:
    assert not is_unchanged(whole(), Shown(digests, SHOWN.logs))


def test_what_does_not_belong_to_the_hours_does_not_matter() -> None:
    later = (END + HOUR, listed("later", END + 2 * HOUR))
    new = listed("new", END + 2 * HOUR)
    shown = Shown([later, *DIGESTS[:6]], [*LOGS, new])
    assert is_unchanged(whole(), shown)


def test_they_go_on_with_what_came_since() -> None:
    """What they held was proven before: its log files need not be named again."""
    end, new = END + HOUR, listed("new", END + 30 * MINUTE)
    shown = Shown([(end, listed("later", end)), *DIGESTS], [*SHOWN.logs, new])
    named = [new.location, *(log.location for log in PENDING)]
    hours = sealed(shown, start=START + HOUR, end=end, named=named, unnamed=[], before=whole())

    assert hours is not None
    assert (hours.seal.digests, hours.seal.logs, hours.apart) == (6, 14, ())
    assert hours.written == END + 30 * MINUTE
    assert is_unchanged(hours, shown)


def test_without_log_files_they_are_sealed_too() -> None:
    hours = sealed(Shown(DIGESTS, []), named=[], unnamed=[])
    assert hours is not None
    assert hours.seal.logs == 0
    assert is_open(LOGS[0], hours)


@pytest.mark.parametrize("of", ["named", "unnamed"])
def test_what_the_listings_did_not_show_is_in_no_seal(of: str) -> None:
    asked: dict[str, Any] = {of: [S3Location("elsewhere", "log-0")]}
    assert sealed(**asked) is None


def test_so_many_are_told_apart_and_no_more() -> None:
    many = [listed(f"pending-{n}", END - MINUTE) for n in range(MOST_APART + 1)]
    shown = Shown(DIGESTS, [*LOGS, *many])
    few = [log.location for log in many[1:]]
    assert sealed(shown, unnamed=few) is not None
    assert sealed(shown, unnamed=[log.location for log in many]) is None
    late = Shown(DIGESTS, [*LOGS, *(replace(log, last_modified=END + HOUR) for log in many)])
    assert sealed(late, unnamed=[log.location for log in many]) is not None


def test_a_place_of_any_characters_is_told_apart() -> None:
    odd = listed("\udcff", END - MINUTE)
    hours = sealed(Shown(DIGESTS, [*LOGS, odd]), unnamed=[odd.location])
    assert hours is not None
    assert is_open(odd, hours)
