"""A tick's record as one: what looks beside its window add to it, and what they do not."""

from __future__ import annotations

import pytest

from integrity.chain.findings import Finding, Outcome, Reason
from integrity.incidents.whole import whole
from integrity.record import exit_status
from integrity.structs import replace
from tests.report.samples import digest_uri, finding, log_uri, run

GAP = finding(Reason.CHAIN_GAP)
NOTE = finding(Reason.DIGEST_FOREIGN, s3_uri=digest_uri(5))
LOG_GONE = finding(Reason.LOG_MISSING, s3_uri=log_uri(5))


def test_it_is_as_bad_as_the_worst_that_was_looked_at() -> None:
    tick = whole(replace(run(), looks=(run(GAP, NOTE), run(LOG_GONE, GAP))))

    assert (tick.outcome, exit_status(tick)) == (Outcome.INVALID, 1)
    assert tick.findings == (GAP, NOTE, LOG_GONE)
    assert exit_status(whole(replace(run(), looks=(run(GAP),)))) == 3
    assert exit_status(whole(replace(run(GAP), looks=(run(LOG_GONE),)))) == 1
    assert whole(run(LOG_GONE)) == run(LOG_GONE)


@pytest.mark.parametrize(
    "other",
    [
        finding(Reason.HEAD_STALE),
        finding(Reason.CHAIN_GAP, 6),
        replace(GAP, region="eu-west-1"),
        replace(GAP, account_id="222222222222"),
        replace(GAP, s3_uri=log_uri(5)),
    ],
)
def test_what_differs_in_reason_place_hours_or_object_is_another(other: Finding) -> None:
    assert whole(replace(run(other), looks=(run(GAP),))).findings == (other, GAP)


def test_findings_that_were_folded_are_told_apart_by_their_first() -> None:
    one, other = (
        replace(finding(Reason.LOG_MISSING), count=1500, first=log_uri(hour)) for hour in (5, 6)
    )
    assert whole(replace(run(one), looks=(run(one, other),))).findings == (one, other)


def test_what_every_tick_answers_for_is_not_a_looks_to_say() -> None:
    """Days from before the trail began are looked at, and have no digests."""
    empty = run(finding(Reason.NO_DIGESTS))
    assert exit_status(empty) == 3

    tick = whole(replace(run(), looks=(empty,)))
    assert (tick.outcome, tick.findings) == (Outcome.VALID, ())


def test_a_look_that_was_cut_short_cuts_it_short() -> None:
    look = run()
    tick = whole(replace(run(), looks=(replace(look, run=replace(look.run, interrupted=True)),)))

    assert tick.run.interrupted
