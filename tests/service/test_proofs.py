"""Past days to runs over them, and what a run, or its silence, makes of a day."""

from __future__ import annotations

from datetime import timedelta

import pytest

from integrity.chain.findings import Finding, Outcome, Reason
from integrity.chain.model import ChainKind, Root, TimeWindow
from integrity.chain.seal import Seal, SealedDay
from integrity.record import LogCounts, Run
from integrity.service.proofs import add_missed, make_proofs, proven, unread
from integrity.structs import replace
from integrity.verify.days import DayKey
from tests.report import samples
from tests.report.samples import ACCOUNT, finding

MIDNIGHT, DAY = samples.DAY, timedelta(days=1)
NOW = MIDNIGHT + 10 * DAY
REGION = "us-east-1"
KEY: DayKey = (ACCOUNT, REGION, MIDNIGHT)
WAS = Seal("was", 24, 72)
SEALED = SealedDay(day=MIDNIGHT, due=MIDNIGHT, seal=WAS, digests=24, logs=72, outcome=Outcome.VALID)
ROOTS = {(ACCOUNT, REGION): Root("logs")}


def run(*findings: Finding, logs: LogCounts | None = None, region: str = REGION) -> Run:
    chains = (
        samples.chain(region, log_files=logs),
        samples.chain(region, kind=ChainKind.BACKFILL),
    )
    return samples.run(*findings, chains=chains, start=MIDNIGHT, end=MIDNIGHT + DAY)


def keys(account: str, region: str, *ago: int) -> list[DayKey]:
    return [(account, region, MIDNIGHT - n * DAY) for n in ago]


def test_days_in_a_row_and_regions_alike_are_one_run() -> None:
    days = [
        *keys("1", "a", 1, 2, 3, 5),
        *keys("1", "b", 1, 2, 3),
        *keys("2", "a", 3),
    ]
    proofs = make_proofs(days, NOW, wide=False)
    assert [(one.account_id, one.regions, len(one.days)) for one in proofs] == [
        ("1", ("a",), 1),
        ("1", ("a", "b"), 6),
        ("2", ("a",), 1),
    ]
    assert proofs[1].window == TimeWindow(MIDNIGHT - 3 * DAY, MIDNIGHT)


def test_no_run_is_longer_than_a_month() -> None:
    proofs = make_proofs(keys("1", "a", *range(1, 41)), NOW, wide=False)
    assert [len(one.days) for one in proofs] == [31, 9]


def test_a_wide_run_goes_on_for_a_day_but_not_beyond_now() -> None:
    for now, end in ((NOW, DAY), (MIDNIGHT + DAY / 2, DAY / 2), (MIDNIGHT - DAY, 0 * DAY)):
        [proof] = make_proofs(keys("1", "a", 1), now, wide=True)
        assert proof.window == TimeWindow(MIDNIGHT - DAY, MIDNIGHT + end)


@pytest.mark.parametrize("seal", [WAS, Seal("more", 25, 80)])
def test_a_valid_day_is_sealed_anew(seal: Seal) -> None:
    day = proven(SEALED, run(), KEY, seal, NOW)
    assert (day.seal, day.outcome, day.proven, day.tried) == (seal, Outcome.VALID, NOW, NOW)
    assert (day.digests, day.logs) == (seal.digests, seal.logs)


@pytest.mark.parametrize("seal", [Seal("fewer", 23, 72), Seal("fewer", 24, 71)])
def test_a_day_is_never_valid_again_with_less_than_it_had(seal: Seal) -> None:
    day = proven(SEALED, run(), KEY, seal, NOW)
    assert (day.outcome, day.digests, day.logs) == (Outcome.INVALID, 24, 72)
    assert proven(day, run(), KEY, WAS, NOW).outcome is Outcome.VALID


def test_what_expired_is_missed_no_more_unless_something_contradicts_it() -> None:
    fewer, expired = Seal("fewer", 20, 60), finding(Reason.OBJECT_EXPIRED)
    day = proven(SEALED, run(expired), KEY, fewer, NOW)
    assert (day.outcome, day.digests, day.logs) == (Outcome.UNDETERMINED, 20, 60)
    day = proven(SEALED, run(expired, finding(Reason.LOG_MISSING)), KEY, fewer, NOW)
    assert (day.outcome, day.digests, day.logs) == (Outcome.INVALID, 24, 72)


@pytest.mark.parametrize(
    ("made", "outcome"),
    [
        (run(finding(Reason.LOG_HASH_MISMATCH)), Outcome.INVALID),
        (run(finding(Reason.NO_DIGESTS)), Outcome.VALID),
        (run(finding(Reason.DIGEST_FOREIGN)), Outcome.VALID),
        (run(finding(Reason.LOG_MISSING, 24)), Outcome.VALID),
        (run(logs=LogCounts(valid=70, pending=1)), Outcome.UNDETERMINED),
        (run(region="eu-west-1"), Outcome.UNDETERMINED),
    ],
    ids=["its own", "the chain's", "a note", "the next day's", "pending", "not looked at"],
)
def test_a_day_has_an_outcome_of_its_own(made: Run, outcome: Outcome) -> None:
    assert proven(SEALED, made, KEY, WAS, NOW).outcome is outcome


def test_of_a_day_that_could_not_be_listed_the_old_seal_stays() -> None:
    day = proven(SEALED, run(), KEY, None, NOW)
    assert (day.seal, day.outcome, day.proven) == (WAS, Outcome.UNDETERMINED, None)


def test_a_day_in_an_archive_is_held_fast_as_it_is_listed() -> None:
    assert unread(SEALED, Seal("other", 1, 1), NOW) == replace(SEALED, tried=NOW)
    day = unread(SealedDay(day=MIDNIGHT, due=MIDNIGHT), WAS, NOW)
    assert (day.seal, day.digests, day.logs, day.outcome) == (WAS, 24, 72, None)


SHORT = replace(SEALED, seal=Seal("fewer", 22, 70), outcome=Outcome.INVALID, tried=NOW)


def test_what_is_missed_is_told_with_every_run_over_the_day() -> None:
    told = add_missed(run(), {KEY: SHORT}, ROOTS)
    digests, logs = told.findings
    assert (digests.reason, digests.count, digests.window) == (
        Reason.DIGEST_MISSING,
        2,
        SHORT.window,
    )
    folder = "CloudTrail-Digest/us-east-1/2026/03/01/"
    assert digests.s3_uri == f"s3://logs/AWSLogs/{ACCOUNT}/{folder}"
    assert (digests.expected, digests.actual) == ("24", "22")
    assert (logs.reason, logs.count) == (Reason.LOG_MISSING, 2)
    assert "2 of 72 files that were here when the day was proven are gone" in logs.message
    assert told.outcome is Outcome.INVALID
    assert [chain.outcome for chain in told.chains] == [Outcome.INVALID, Outcome.VALID]


def test_what_the_run_has_found_itself_is_not_told_twice() -> None:
    own = (finding(Reason.DIGEST_MISSING), finding(Reason.LOG_MISSING), finding(Reason.LOG_MISSING))
    [more] = add_missed(run(*own), {KEY: SHORT}, ROOTS).findings[3:]
    assert (more.reason, more.count) == (Reason.DIGEST_MISSING, 1)


def test_of_other_days_and_places_nothing_is_told() -> None:
    made = run()
    asked = replace(made.requested, account_ids=("999999999999",))
    narrow = replace(made.requested, source_regions=("eu-west-1",))
    other = (ACCOUNT, REGION, MIDNIGHT + DAY)
    for one, days in (
        (made, {KEY: SEALED}),
        (replace(made, requested=asked), {KEY: SHORT}),
        (replace(made, requested=narrow), {KEY: SHORT}),
        (made, {other: replace(SHORT, day=MIDNIGHT + DAY)}),
        (made, {("999999999999", REGION, MIDNIGHT): SHORT}),
        (made, {KEY: replace(SHORT, seal=None)}),
    ):
        assert add_missed(one, days, ROOTS) is one
