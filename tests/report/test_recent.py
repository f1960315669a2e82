"""The last days' hours, from records one after the other."""

from __future__ import annotations

from datetime import timedelta

from integrity.chain.model import ChainKind, TimeWindow
from integrity.record import Run
from integrity.report.recent import RecentHours
from integrity.structs import replace
from tests.report.samples import ACCOUNT, DAY, HOUR, ROOT, chain, run

PLACE = (ACCOUNT, "us-east-1", ROOT)


def told(letters: str, start: float, *, end: float | None = None, region: str = "us-east-1") -> Run:
    """A record over so many hours of the day."""
    window = TimeWindow(
        DAY + start * HOUR, DAY + (start + len(letters) if end is None else end) * HOUR
    )
    part = replace(chain(region, covered=(window,)), hours=letters)
    return run(chains=(part,), start=window.start, end=window.end)


def letters(*runs: Run, first: int = 0, hours: int = 6) -> dict[tuple[str, str, str], str]:
    recent = RecentHours()
    for one in runs:
        recent.add(one)
    return dict(recent.letters(TimeWindow(DAY + first * HOUR, DAY + (first + hours) * HOUR)))


def test_a_later_record_is_believed_and_what_none_tells_is_unknown() -> None:
    assert letters(told("PP..", 0), told("PX", 2)) == {PLACE: "PPPX??"}


def test_the_hour_in_which_a_window_begins_is_the_earlier_records() -> None:
    """It judged only the digests that end after its beginning."""
    assert letters(told("PPX", 0), told("PP", 2.5, end=4)) == {PLACE: "PPXP??"}
    assert letters(told("PP", 0), told("PP", 2.5, end=4)) == {PLACE: "PPPP??"}


def test_what_was_not_read_again_stands_as_it_was_told() -> None:
    assert letters(told("PEX", 0), told("SSSP", 0)) == {PLACE: "PEXP??"}
    assert letters(told("SSP", 0), told("SSSP", 0)) == {PLACE: "SSPP??"}


def test_a_look_is_later_than_the_record_that_holds_it() -> None:
    """An incident's own window, verified again after a repair."""
    later = replace(told("PP", 4), looks=(told("P", 1),))
    assert letters(told("PXPP", 0), later) == {PLACE: "PPPPPP"}


def test_each_chain_has_its_own_and_backfill_chains_none() -> None:
    backfill = replace(told("P", 0).chains[0], kind=ChainKind.BACKFILL, region="eu-west-1")
    both = letters(told("P", 0), told("E", 0, region="us-west-2"), run(chains=(backfill,)), hours=1)
    assert both == {PLACE: "P", (ACCOUNT, "us-west-2", ROOT): "E"}


def test_letters_that_nobody_knows_are_unknown_and_not_kept() -> None:
    assert letters(told("PP", 0), told("<P", 0), hours=2) == {PLACE: "PP"}


def test_what_is_past_is_forgotten_with_chains_that_are_told_no_more() -> None:
    recent = RecentHours()
    recent.add(told("PP", 0))
    recent.add(told("E", 3, region="us-west-2"))
    recent.forget(DAY + 2 * HOUR)
    window = TimeWindow(DAY, DAY + timedelta(hours=4))
    assert dict(recent.letters(window)) == {(ACCOUNT, "us-west-2", ROOT): "???E"}
