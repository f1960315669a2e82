"""What a month will cost, reckoned by hand and held against what ticks really ask."""

from __future__ import annotations

from datetime import timedelta

import pytest

from integrity.doctor.forecast import ChainDay, Requests, Watching, forecast
from integrity.structs import replace
from tests.doctor.conftest import Clinic

TRAIL = "arn:aws:cloudtrail:us-east-1:111122223333:trail/main"
BUSY = ChainDay("111122223333", "us-east-1", 24, 2400, 12_000_000)
USUAL = Watching(watch_days=90, reprove_days=30, overlap=timedelta(hours=6), ticks_a_day=24)
QUIET = ChainDay("111122223333", "eu-west-1", 24, 24, 24_000)


def test_the_arithmetic_is_what_it_says() -> None:
    made = forecast(TRAIL, "2026-03-01", [BUSY, QUIET], 2, USUAL, by_kms=True, bucket_key=False)

    assert made is not None
    ticks, watched, proven = made.lines
    # An hour of a day's 2,472 files, and a digest file a chain; one root, two folders of the
    # account, and in 7 of 24 ticks the folders of two days: two of digest files, four pages of log
    # files.
    assert ticks.requests == Requests(lists=720 * (1 + 2 + 8), gets=720 * (103 + 2))
    # Of the log files three pages and one, of a month's digests one and one.
    assert watched.requests == Requests(lists=30 * (90 * 4 + 4 * 2), gets=0)
    assert proven.requests == Requests(lists=90 * (4 + 2), gets=90 * 2472)
    assert made.total.gets == made.kms_decrypts == ticks.requests.gets + proven.requests.gets
    assert "90 watched days x 4 LIST" in watched.because


def test_what_was_not_listed_is_taken_to_be_like_what_was() -> None:
    some = forecast(TRAIL, "-", [QUIET] * 40, 400, USUAL, by_kms=False, bucket_key=False)
    every = forecast(TRAIL, "-", [QUIET] * 400, 400, USUAL, by_kms=False, bucket_key=False)

    assert some is not None
    assert every is not None
    assert (some.sampled, some.chains, some.log_files) == (40, 400, 400 * 24)
    assert some.total.gets == every.total.gets
    assert some.kms_decrypts == 0


def test_bucket_keys_leave_it_open_how_often_kms_is_asked() -> None:
    made = forecast(TRAIL, "-", [QUIET], 1, USUAL, by_kms=True, bucket_key=True)

    assert made is not None
    assert made.kms_decrypts is None


def test_a_past_that_is_not_proven_again_costs_no_reading() -> None:
    watching = replace(USUAL, reprove_days=0)
    made = forecast(TRAIL, "-", [QUIET], 1, watching, by_kms=False, bucket_key=False)

    assert made is not None
    assert [line.what for line in made.lines] == ["hourly ticks", "watching the past"]


def test_without_a_watch_over_the_past_each_tick_reads_its_overlap_again() -> None:
    watching = replace(USUAL, watch_days=0)
    made = forecast(TRAIL, "-", [QUIET], 1, watching, by_kms=False, bucket_key=False)

    assert made is not None
    [ticks] = made.lines
    assert ticks.requests.gets == 720 * 14
    assert "7 of 24 hours" in ticks.because


def test_nothing_found_is_nothing_reckoned() -> None:
    assert forecast(TRAIL, "-", [], 0, USUAL, by_kms=False, bucket_key=False) is None


@pytest.mark.slow
def test_ticks_ask_about_as_much_as_was_said(clinic: Clinic) -> None:
    stage = clinic.stage
    assert stage.tick().status == 0
    stage.pass_hours()
    stage.tick()  # from here on each tick is like the others
    [said] = clinic.examine().document["forecasts"]
    [ticks] = [part for part in said["parts"] if part["what"] == "hourly ticks"]
    stage.server.requests.clear()
    count = 12
    for _ in range(count):
        stage.pass_hours()
        assert stage.tick().status == 0

    asked = stage.server.requests.by_operation
    assert ticks["get"] / 720 == pytest.approx(asked["GetObject"] / count, rel=0.15)
    # No tick of these looks at two days, as seven of 24 do.
    assert ticks["list"] / 720 == pytest.approx(asked["ListObjectsV2"] / count, rel=0.25)


@pytest.mark.slow
def test_the_forecast_watches_the_past_as_it_is_configured(clinic: Clinic) -> None:
    clinic.stage.settings = "watch_days = 10\nreprove_days = 5"
    [said] = clinic.examine().document["forecasts"]
    assert "(10 watched days x" in said["parts"][1]["because"]
    assert "10 watched, each once in 5 days" in said["parts"][2]["because"]

    clinic.stage.settings = "watch_days = 0"
    [said] = clinic.examine().document["forecasts"]
    assert [part["what"] for part in said["parts"]] == ["hourly ticks"]
