"""Metrics: what a tick says in numbers, and that the numbers balance."""

from __future__ import annotations

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from integrity.chain.findings import Outcome, Reason
from integrity.chain.model import ChainKind
from integrity.metrics import Meter
from integrity.record import ChainState, DigestCounts, LogCounts, Run, Totals
from integrity.state import Datapoint, Incident
from integrity.structs import replace
from tests.report.samples import ARN, DAY, chain, finding, run

NOW = DAY + timedelta(days=1)
counts = st.integers(0, 10_000)


def measured(record: Run, *incidents: Incident) -> dict[str, float]:
    points = list(Meter(ARN, NOW).verification(record, incidents))
    assert len({point.name for point in points}) == len(points)
    assert all(point.dimensions == (("Trail", ARN),) and point.at == NOW for point in points)
    return {point.name: point.value for point in points}


def incident(reason: Reason, outcome: Outcome, **more: object) -> Incident:
    found = finding(reason)
    made = Incident(
        id="1",
        trail_arn=ARN,
        reason=reason,
        outcome=outcome,
        account_id=found.account_id,
        region=found.region,
        window=found.window,
        subjects=(),
        count=1,
        finding=found,
        first_seen=NOW,
        last_seen=NOW,
        look_again=NOW,
    )
    return replace(made, **more)  # type: ignore[arg-type]


@given(st.tuples(counts, counts, counts), st.tuples(counts, counts, counts))
def test_what_is_expected_is_the_sum(
    digests: tuple[int, int, int], logs: tuple[int, int, int]
) -> None:
    totals = Totals(DigestCounts(*digests), DigestCounts(1, 2, 3), LogCounts(*logs))

    got = measured(replace(run(), totals=totals))

    for what, total in (("DigestFiles", sum(digests) + 6), ("LogFiles", sum(logs))):
        parts = [got[f"{what}{part}"] for part in ("Valid", "Invalid", "Undetermined")]
        assert sum(parts) == got[f"{what}Expected"] == total


def test_what_is_missing_is_also_given_alone() -> None:
    folded = replace(finding(Reason.LOG_MISSING), count=5)
    found = (finding(Reason.DIGEST_MISSING, 1), finding(Reason.DIGEST_MISSING, 2), folded)

    got = measured(run(*found, finding(Reason.CHAIN_GAP), finding(Reason.DIGEST_LATE)))

    assert (got["DigestFilesMissing"], got["LogFilesMissing"], got["Gaps"]) == (2, 5, 1)


def test_log_folders_that_nobody_listed_have_no_number() -> None:
    logs = LogCounts(valid=3, unattested=None, unreferenced=None, pending=None)

    got = measured(replace(run(), totals=Totals(log_files=logs)))

    assert "LogFilesUnattested" not in got
    assert "LogFilesUnreferenced" not in got


def test_the_newest_digest_of_the_chain_that_is_furthest_behind() -> None:
    ahead, behind = chain(), chain("eu-west-1")
    assert behind.head is not None
    late = replace(behind, head=replace(behind.head, end=DAY + timedelta(hours=4)))
    judged = run(chains=(ahead, late)).run.judged_at

    got = measured(run(chains=(ahead, late)))

    assert got["HoursSinceNewestDigest"] == (judged - DAY) / timedelta(hours=1) - 4


@pytest.mark.parametrize(
    "change",
    [{"state": ChainState.ENDED}, {"kind": ChainKind.BACKFILL}],
    ids=lambda c: next(iter(c)),
)
def test_a_chain_that_owes_no_digest_ages_nobody(change: dict[str, object]) -> None:
    quiet = replace(chain("eu-west-1"), head=None, **change)  # type: ignore[arg-type]

    age = measured(run(chains=(chain(),)))["HoursSinceNewestDigest"]
    assert measured(run(chains=(chain(), quiet)))["HoursSinceNewestDigest"] == age


def test_no_digest_at_all_is_at_least_as_old_as_the_window() -> None:
    record = run(chains=(replace(chain(), head=None),))

    hours = (record.run.judged_at - record.requested.start) / timedelta(hours=1)
    assert measured(record)["HoursSinceNewestDigest"] == hours


def test_open_incidents_count_whatever_the_window() -> None:
    got = measured(
        run(),
        incident(Reason.LOG_MISSING, Outcome.INVALID),
        incident(Reason.CHAIN_GAP, Outcome.UNDETERMINED),
        incident(Reason.DIGEST_MISSING, Outcome.INVALID, resolved=NOW),
    )

    assert got["OpenInvalidIncidents"] == 1
    assert got["OpenUndeterminedIncidents"] == 1
    assert got["OpenGapIncidents"] == 1


def test_duration_and_bytes() -> None:
    record = run()
    end = record.run.started_at + timedelta(seconds=90)
    times = replace(record.run, finished_at=end, stored_bytes=7)

    got = measured(replace(record, run=times))

    assert (got["Duration"], got["StoredBytes"]) == (90, 7)


def test_chains_have_dimensions_of_their_own() -> None:
    ended = chain("eu-west-2", state=ChainState.ENDED)
    record = run(chains=(chain(), ended, chain(kind=ChainKind.BACKFILL)))

    points: list[Datapoint] = list(Meter(ARN, NOW).chains(record))

    account = chain().account_id
    assert {point.dimensions for point in points} == {
        (("Trail", ARN), ("AccountId", account), ("Region", "us-east-1")),
        (("Trail", ARN), ("AccountId", account), ("Region", "eu-west-2")),
    }
    ages = [point for point in points if point.name == "HoursSinceNewestDigest"]
    assert [dict(point.dimensions)["Region"] for point in ages] == ["us-east-1"]


def test_messages_and_the_heartbeat() -> None:
    meter = Meter(ARN, NOW)

    got = [*meter.messages(due=3, sent=2), meter.heartbeat()]

    assert [(point.name, point.value) for point in got] == [
        ("MessagesDue", 3),
        ("MessagesSent", 2),
        ("MessagesUnsent", 1),
        ("Heartbeat", 1),
    ]
