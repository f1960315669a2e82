"""The record: how counts add up, what a run ends with, and its JSON both ways."""

from __future__ import annotations

import json

import pytest

from integrity.chain.evidence import FirstSeen, SeenOf
from integrity.chain.findings import Finding, Outcome, Reason
from integrity.errors import UsageError
from integrity.record import (
    SCHEMA_VERSION,
    DigestCounts,
    LogCounts,
    Requested,
    Run,
    Totals,
    decode,
    encode,
    exit_status,
    outcome_of,
    worst_status,
)
from integrity.structs import replace
from tests.chain.specimens import at, hours
from tests.report.samples import chain, digest_uri, finding, log_uri, run

V, U, X = Outcome.VALID, Outcome.UNDETERMINED, Outcome.INVALID
GAP = finding(Reason.CHAIN_GAP)
NOTE = finding(Reason.DIGEST_FOREIGN, s3_uri=digest_uri(5))
LOG_GONE = finding(Reason.LOG_MISSING, s3_uri=log_uri(5))


def with_gap(*findings: Finding, unattested: int | None = 0, allow_gaps: bool = True) -> Run:
    return run(
        GAP,
        *findings,
        totals=Totals(log_files=LogCounts(unattested=unattested)),
        allow_gaps=allow_gaps,
    )


# Counting


def test_digests_add_up() -> None:
    total = DigestCounts(1, 2, 3) + DigestCounts(10, 20, 30)

    assert total == DigestCounts(11, 22, 33)
    assert total.total == 66


def test_log_files_add_up_and_their_total_is_that_of_the_named_ones() -> None:
    total = LogCounts(1, 2, 3, 4, 5, 6) + LogCounts(10, 20, 30, 40, 50, 60)

    assert total == LogCounts(11, 22, 33, 44, 55, 66)
    assert total.total == 66


def test_what_was_not_counted_once_is_not_counted_in_the_sum() -> None:
    uncounted = LogCounts(1, 0, 0, None, None, None)

    assert uncounted + LogCounts(1) == LogCounts(1) + uncounted == replace(uncounted, valid=2)


@pytest.mark.parametrize(
    ("asked", "narrowed"),
    [
        ({}, False),
        ({"unreferenced": False, "allow_gaps": True}, False),
        ({"account_ids": ()}, True),
        ({"source_regions": ("us-east-1",)}, True),
        ({"ignored": ("111122223333",)}, True),
    ],
)
def test_a_run_is_narrowed_where_less_than_the_trail_was_asked_for(
    asked: dict[str, object], *, narrowed: bool
) -> None:
    requested = replace(Requested(start=at(0), end=at(24)), **asked)  # type: ignore[arg-type]

    assert requested.narrowed is narrowed
    assert requested.window == hours(0, 24)


# Outcome and exit status


def test_a_run_is_as_bad_as_its_worst_part() -> None:
    assert outcome_of((chain(), chain()), ()) is V
    assert outcome_of((chain(), chain(outcome=U)), (NOTE,)) is U
    assert outcome_of((chain(),), (GAP, LOG_GONE)) is X


def test_without_a_chain_nothing_was_proven() -> None:
    assert outcome_of((), ()) is U
    assert outcome_of((), (NOTE,)) is U
    assert outcome_of((), (LOG_GONE,)) is X


@pytest.mark.parametrize(
    ("record", "status"),
    [
        (run(), 0),
        (run(NOTE), 0),
        (run(LOG_GONE), 1),
        (run(GAP), 3),
        (run(GAP, LOG_GONE), 1),
        (run(chains=()), 3),
    ],
    ids=["valid", "note", "invalid", "undetermined", "both", "nothing"],
)
def test_the_exit_status_is_that_of_the_outcome(record: Run, status: int) -> None:
    assert exit_status(record) == status


@pytest.mark.parametrize(
    ("record", "status"),
    [
        (with_gap(), 0),
        (with_gap(NOTE), 0),
        (with_gap(allow_gaps=False), 3),
        (with_gap(unattested=1), 3),
        (with_gap(unattested=None), 3),
        (with_gap(finding(Reason.HEAD_STALE)), 3),
        (with_gap(LOG_GONE), 1),
        (run(chains=(), allow_gaps=True), 3),
        (run(LOG_GONE, allow_gaps=True), 1),
    ],
    ids=[
        "a gap alone",
        "and a note",
        "not asked for",
        "log files in it",
        "log files not looked for",
        "and a stale head",
        "and a log gone",
        "nothing",
        "no gap",
    ],
)
def test_gaps_are_forgiven_where_they_are_all_there_is_and_empty(record: Run, status: int) -> None:
    assert exit_status(record) == status


@pytest.mark.parametrize(
    ("statuses", "worst"),
    [([0, 0], 0), ([0, 3], 3), ([3, 1, 0], 1), ([1], 1), ([1, 130, 3], 130), ([], 3)],
)
def test_of_several_trails_the_worst_status_counts(statuses: list[int], worst: int) -> None:
    assert worst_status(statuses) == worst


# JSON


def test_the_document_has_the_fields_that_are_promised() -> None:
    document = json.loads(encode(run(replace(LOG_GONE, last_modified=at(5)))))

    assert document["schema_version"] == 1
    assert document["tool"] == {"name": "integrity", "version": "0.1.0"}
    assert document["trail_arn"].startswith("arn:aws:cloudtrail:")
    assert document["requested"]["start"] == "2026-03-01T00:00:00Z"
    assert document["requested"]["account_ids"] is None
    assert document["run"].keys() == {
        "id",
        "caller_arn",
        "configuration_sha256",
        "source",
        "started_at",
        "finished_at",
        "judged_at",
        "interrupted",
        "stored_bytes",
        "previous_sha256",
        "resumed_at",
    }
    assert document["population"]["chains"] == {"expected": 1, "found": 1}
    assert document["keys"][0].keys() >= {
        "region",
        "fingerprint",
        "sha256",
        "not_before",
        "not_after",
        "fetched_at",
    }
    assert document["outcome"] == "invalid"
    assert document["totals"]["digest_files"] == {"valid": 24, "invalid": 0, "undetermined": 0}
    assert document["totals"]["log_files"].keys() == {
        "valid",
        "invalid",
        "undetermined",
        "unattested",
        "unreferenced",
        "pending",
    }
    assert document["chains"][0].keys() == {
        "account_id",
        "region",
        "kind",
        "root",
        "state",
        "ended_at",
        "ended_by",
        "outcome",
        "covered",
        "hours",
        "unchanged",
        "head",
        "digest_files",
        "log_files",
    }
    assert document["chains"][0]["covered"] == [
        {"start": "2026-03-01T00:00:00Z", "end": "2026-03-02T00:00:00Z"}
    ]
    (found,) = document["findings"]
    assert found["reason"] == "log_missing"
    assert found["window"]["end"] == "2026-03-01T06:00:00Z"
    assert found["last_modified"] == "2026-03-01T05:00:00Z"
    assert found["version_id"] is None
    assert found["first_seen"] is None
    assert found["message"].endswith(".")


def test_the_document_is_one_line() -> None:
    evil = finding(Reason.DIGEST_FOREIGN, s3_uri="s3://logs/a\nb\x1b[2J")

    assert b"\n" not in encode(run(evil))
    assert b"\x1b" not in encode(run(evil))


def test_a_record_that_is_read_back_is_the_one_that_was_written() -> None:
    seen = replace(LOG_GONE, first_seen=FirstSeen(at(3), SeenOf.INCIDENT))
    record = run(GAP, seen, NOTE, chains=(chain(), chain("eu-west-1", covered=())))

    assert decode(encode(record)) == record


def document(**changes: object) -> bytes:
    return json.dumps(json.loads(encode(run())) | changes).encode()


@pytest.mark.parametrize(
    ("text", "says"),
    [
        (b"", "no record"),
        (b"not JSON", "no record"),
        (b"[]", "no record"),
        (b"{}", "schema_version"),
        (b"\xff\xfe", "no record"),
        (b'{"schema_version": 1}', "tool"),
        (document(outcome="fine"), "outcome"),
        (document(findings=None), "findings"),
        (document(trail_arn="\ud800"), "no record"),
        (document().replace(b"main", b"\xff\xfe"), "no record"),
        (b'{"schema_version": 1, "x": ' + b"[" * 100_000, "no record"),
        (document(schema_version=SCHEMA_VERSION + 1), "schema version 2"),
        (document(schema_version="1"), "schema_version"),
    ],
    ids=range(13),
)
def test_what_is_no_record_is_a_clear_error(text: bytes, says: str) -> None:
    with pytest.raises(UsageError, match=says) as error:
        decode(text)

    assert "integrity" in str(error.value)


def test_a_record_of_before_acceptances_and_predecessors_is_read() -> None:
    document = json.loads(encode(run()))
    del document["accepted"], document["run"]["stored_bytes"], document["run"]["previous_sha256"]

    assert decode(json.dumps(document).encode()) == run()


def test_a_record_of_before_first_times_is_read_and_says_nothing_of_them() -> None:
    document = json.loads(encode(run(LOG_GONE)))
    del document["findings"][0]["first_seen"]

    assert decode(json.dumps(document).encode()).findings == (LOG_GONE,)
