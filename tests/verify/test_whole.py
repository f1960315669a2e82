"""All chains to one record: the trail's own state, who was asked, keys, totals."""

from __future__ import annotations

import hashlib
from typing import Any

import pytest

from integrity import __version__
from integrity.chain.findings import Finding, Outcome, Place, Reason, find
from integrity.chain.model import (
    ChainKind,
    PublicKey,
    S3Location,
    Trail,
    TrailStatus,
    Unreachable,
)
from integrity.chain.population import Told
from integrity.record import (
    DigestCounts,
    Expected,
    LogCounts,
    Run,
    RunInfo,
    Tool,
    Totals,
)
from integrity.structs import replace
from integrity.verify.job import Job
from integrity.verify.join import JoinedChain
from integrity.verify.plan import Plan
from integrity.verify.whole import check_trail, join_run
from tests.chain.specimens import at, hours
from tests.report.samples import chain

TRAIL = Trail("an ARN", "main", "111122223333", "us-east-1", "trail-logs")
INFO = RunInfo(
    id="a-run",
    caller_arn=None,
    configuration_sha256="",
    source="s3",
    started_at=at(99),
    finished_at=at(99),
    judged_at=at(99),
)
KEY = PublicKey("us-east-1", "fingerprint", b"DER", at(0), at(720), at(99))
V, U, X = Outcome.VALID, Outcome.UNDETERMINED, Outcome.INVALID


def job(trail: Trail = TRAIL, end: float = 24, **asked: Any) -> Job:
    return Job(trail=trail, window=hours(0, end), **asked)


def part(*results: Any, findings: tuple[Finding, ...] = (), **known: Any) -> JoinedChain:
    results = results or (chain(),)
    made = JoinedChain(
        results=results,
        findings=findings,
        keys=(),
        newest=at(24),
        is_there=bool(results[0].digest_files.total),
    )
    return replace(made, **known)


def whole(
    *parts: JoinedChain, plan: Plan | None = None, asked: Job | None = None, info: RunInfo = INFO
) -> Run:
    return join_run(asked or job(), plan or Plan(), parts, info)


def status(stopped: float | None = None, *, is_logging: bool = False) -> TrailStatus:
    return TrailStatus(
        "us-east-1",
        at(99),
        is_logging=is_logging,
        stopped=None if stopped is None else at(stopped),
    )


def test_a_record_says_who_judged_what() -> None:
    run = whole(part())

    assert run.tool == Tool("integrity", __version__)
    assert (run.trail_arn, run.requested, run.run) == ("an ARN", job().requested, INFO)
    assert (run.outcome, run.findings) == (V, ())


def test_chains_are_in_order_of_account_and_region() -> None:
    other = replace(chain("ap-south-1"), account_id="999988887777")
    parts = [part(other), part(chain("us-east-1")), part(chain("eu-west-1"))]

    run = whole(*parts)

    assert run == whole(*parts[::-1])
    assert [(c.account_id, c.region) for c in run.chains] == [
        ("111122223333", "eu-west-1"),
        ("111122223333", "us-east-1"),
        ("999988887777", "ap-south-1"),
    ]


def test_without_a_chain_nothing_was_proven() -> None:
    assert whole().outcome is U


def test_what_was_interrupted_is_not_valid_any_more() -> None:
    stopped = replace(INFO, interrupted=True)

    assert whole(part(), info=stopped).outcome is U
    assert whole(part(chain(outcome=X)), info=stopped).outcome is X


# The trail's own state


def off(
    trail: Trail = TRAIL,
    known: TrailStatus | None = None,
    newest: float | None = 24,
    end: float = 24,
    *,
    is_gone: bool = False,
) -> tuple[Outcome, str] | None:
    seen = [part(newest=None if newest is None else at(newest))]
    statuses = {} if known is None else {trail.home_region: known}
    found = check_trail(job(trail, end), Told(statuses=statuses, is_gone=is_gone), seen)
    if not found:
        return None
    (finding,) = found
    assert (finding.reason, finding.window) == (Reason.TRAIL_OFF, hours(0, end))
    assert (finding.account_id, finding.region) == ("111122223333", "us-east-1")
    return finding.outcome, finding.detail


def test_a_trail_that_its_owner_does_not_have_any_more() -> None:
    assert off(is_gone=True) == (U, "account 111122223333 has no such trail")
    assert off(replace(TRAIL, looked_up=False), is_gone=True) is None


def test_a_trail_that_logs_and_signs_is_no_finding() -> None:
    assert off() is None
    assert off(known=status(is_logging=True)) is None


@pytest.mark.parametrize(("stopped", "outcome"), [(23, U), (24, V), (99, V), (None, U)])
def test_a_trail_that_was_stopped_is_a_note_to_windows_before_that(
    stopped: float | None, outcome: Outcome
) -> None:
    since = "unknown time" if stopped is None else status(stopped).stopped
    found = off(known=status(stopped))

    assert found is not None
    assert found[0] is outcome
    assert found[1].startswith("logging is stopped since ")
    assert isinstance(since, str) is ("unknown" in found[1])


@pytest.mark.parametrize(("newest", "outcome"), [(23, U), (24, V), (99, V), (None, V)])
def test_a_trail_without_validation_is_a_note_where_it_has_no_digest_after_the_window(
    newest: float | None, outcome: Outcome
) -> None:
    found = off(replace(TRAIL, validation=False), newest=newest)

    assert found == (outcome, "log file validation is off")


def test_of_a_trail_that_nobody_looked_up_nothing_is_said() -> None:
    claimed = replace(TRAIL, looked_up=False, validation=False)

    assert off(claimed, status(5)) is None


def test_the_trails_own_state_comes_first() -> None:
    plan = Plan(told=Told(statuses={"us-east-1": status(5)}))
    gone = find(Reason.LOG_MISSING, Place("111122223333", "us-east-1"), hours(5, 6))

    run = whole(part(findings=(gone,)), plan=plan)

    assert [finding.reason for finding in run.findings] == [Reason.TRAIL_OFF, Reason.LOG_MISSING]
    assert run.outcome is X


# Who was asked


def test_the_population_says_what_was_expected_and_what_was_found() -> None:
    plan = Plan(method=["bucket", "trail_status"], notes=["a note"])
    member = replace(chain(), account_id="999988887777", digest_files=DigestCounts())
    backfill = chain(kind=ChainKind.BACKFILL)

    population = whole(part(chain(), backfill), part(member), plan=plan).population

    assert (population.method, population.notes) == (("bucket", "trail_status"), ("a note",))
    assert population.accounts == Expected(2, 1)
    assert population.chains == Expected(2, 1)


def test_a_folder_that_nobody_could_look_into_leaves_the_trail_undetermined() -> None:
    folder = Unreachable(S3Location("trail-logs", "AWSLogs/"), "AccessDenied")

    run = whole(part(), plan=Plan(unlisted=[folder]))

    (finding,) = run.findings
    assert (finding.reason, finding.outcome) == (Reason.OBJECT_UNREADABLE, U)
    assert (finding.s3_uri, finding.detail) == ("s3://trail-logs/AWSLogs/", "AccessDenied")
    assert run.outcome is U


def test_each_key_is_told_once_by_its_hash() -> None:
    other = replace(KEY, region="eu-west-1")

    run = whole(part(keys=(KEY, other)), part(chain("eu-west-1"), keys=(KEY,)))

    assert [key.region for key in run.keys] == ["eu-west-1", "us-east-1"]
    assert {key.sha256 for key in run.keys} == {hashlib.sha256(b"DER").hexdigest()}
    assert run.keys[1].origin == "ListPublicKeys"


# Totals


def test_totals_add_up_over_chains_and_kinds() -> None:
    standard = replace(
        chain(), digest_files=DigestCounts(20, 3, 1), log_files=LogCounts(40, 2, 1, 5, 6, 7)
    )
    backfill = replace(
        chain(kind=ChainKind.BACKFILL),
        digest_files=DigestCounts(2, 1, 0),
        log_files=LogCounts(4, 1),
    )

    totals = whole(part(standard, backfill), part(replace(standard, region="eu-west-1"))).totals

    assert totals == Totals(
        digest_files=DigestCounts(40, 6, 2),
        backfill_digest_files=DigestCounts(2, 1, 0),
        log_files=LogCounts(84, 5, 2, 10, 12, 14),
    )


def test_what_was_not_looked_for_is_not_counted_though_there_be_no_chain() -> None:
    assert whole(asked=job(unreferenced=False)).totals.log_files == LogCounts(
        0, 0, 0, None, None, None
    )
