"""How far a run is: drawn for a person at a terminal, from many threads, and for nobody else."""

from __future__ import annotations

import io
import re
from concurrent.futures import ThreadPoolExecutor

import pytest

from integrity.chain.model import S3Location
from integrity.cli.progress import BarProgress, SilentProgress, choose_progress, format_bytes


class Terminal(io.StringIO):
    """Says that somebody looks at it."""

    def isatty(self) -> bool:
        return True


class Clock:
    """Moves by half a second whenever somebody looks."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        self.now += 0.5
        return self.now


def last_state(terminal: Terminal) -> str:
    return re.split(r"\r", terminal.getvalue())[-1]


def test_a_bar_shows_files_speed_and_bytes() -> None:
    terminal = Terminal()
    with BarProgress(terminal, clock=Clock()) as progress:
        progress.expect(3)
        progress.done(1, 1_500_000)
        assert "1/3" in last_state(terminal)
        assert "1.5 MB" in last_state(terminal)
        assert re.search(r"[0-9] files/s", last_state(terminal))
        progress.done(2, 500_000)
    assert "3/3" in last_state(terminal)
    assert "2.0 MB" in last_state(terminal)
    assert terminal.getvalue().endswith("\n")


def test_a_bar_that_was_full_goes_on_when_more_is_expected() -> None:
    terminal = Terminal()
    with BarProgress(terminal, clock=Clock()) as progress:
        progress.expect(1)
        progress.done(1, 10)
        progress.expect(3)
        progress.done(1, 10)
        state = last_state(terminal)
        assert "2/4" in state
        assert state.count("#") == 18


def test_what_is_expected_last_is_drawn_too() -> None:
    terminal = Terminal()
    with BarProgress(terminal, clock=Clock()) as progress:
        progress.expect(1)
        progress.done(1, 10)
        progress.expect(1)
    assert "1/2" in last_state(terminal)


def test_a_bar_is_not_drawn_for_every_file() -> None:
    terminal = Terminal()
    with BarProgress(terminal, clock=lambda: 0.0) as progress:
        progress.expect(1000)
        drawn = terminal.getvalue()
        for _ in range(1000):
            progress.done(1, 1)
        assert terminal.getvalue() == drawn
    assert "1000/1000" in last_state(terminal)


def test_many_threads_lose_no_file() -> None:
    terminal = Terminal()
    with BarProgress(terminal, clock=Clock()) as progress, ThreadPoolExecutor(8) as pool:
        for _ in range(400):
            pool.submit(progress.expect, 1)
            pool.submit(progress.done, 1, 5)
        pool.shutdown()
    assert "400/400" in last_state(terminal)
    assert "2.0 kB" in last_state(terminal)


def test_a_run_without_log_files_has_a_bar_that_ends() -> None:
    terminal = Terminal()
    with BarProgress(terminal, clock=Clock()):
        pass
    assert terminal.getvalue().endswith("\n")


@pytest.mark.parametrize(
    ("quiet", "lines", "terminal", "drawn"),
    [
        (False, False, True, True),
        (True, False, True, False),
        (False, True, True, False),
        (False, False, False, False),
    ],
)
def test_only_a_person_at_a_terminal_gets_a_bar(
    *, quiet: bool, lines: bool, terminal: bool, drawn: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    stream = Terminal() if terminal else io.StringIO()
    monkeypatch.setattr("sys.stderr", stream)
    with choose_progress(quiet=quiet, tell_valid=None, lines_on_terminal=lines) as progress:
        progress.expect(1)
        progress.done(1, 1)
    assert isinstance(progress, BarProgress) is drawn
    assert bool(stream.getvalue()) is drawn


def test_valid_files_are_told_beside_the_bar_or_without_it() -> None:
    location = S3Location("logs", "key")
    told: list[str] = []
    for progress in (SilentProgress(told.append), BarProgress(Terminal(), told.append)):
        progress.valid_digest(location)
        progress.valid_log(location)
    assert told == ["Digest file\ts3://logs/key\tvalid\n", "Log file\ts3://logs/key\tvalid\n"] * 2
    SilentProgress().valid_digest(location)
    SilentProgress().valid_log(location)


@pytest.mark.parametrize(
    ("number", "shown"),
    [
        (0, "0 B"),
        (999, "999 B"),
        (1000, "1.0 kB"),
        (1_234_567, "1.2 MB"),
        (5 * 10**9, "5.0 GB"),
        (25 * 10**15, "25000.0 TB"),
    ],
)
def test_bytes_are_shown_in_powers_of_a_thousand(number: int, shown: str) -> None:
    assert format_bytes(number) == shown
