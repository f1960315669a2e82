"""Findings as CSV: stable columns, one line each, and no formula out of a bucket."""

from __future__ import annotations

import csv
import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from integrity.chain.evidence import EventRecord, Explanation, Fate, FirstSeen, Original, SeenOf
from integrity.chain.findings import Reason
from integrity.record import Run, encode
from integrity.report.findings_csv import COLUMNS, render_findings_csv
from integrity.report.recorded import decode_record
from integrity.structs import replace
from tests.report.samples import ARN, DAY, finding, log_uri, run


def rows(*runs: Run) -> list[dict[str, str]]:
    sheet = render_findings_csv([decode_record(encode(one)) for one in runs])
    assert sheet.isascii()
    return list(csv.DictReader(io.StringIO(sheet, newline=""), strict=True))


def test_the_columns_are_stable() -> None:
    assert render_findings_csv([]) == (
        "trail_arn,outcome,reason,account_id,region,window_start,window_end,s3_uri,version_id,"
        "last_modified,expected,actual,detail,message,count,first,last,run_id,judged_at,"
        "record_sha256,explanation,versions_tried,original_version_id,original_gone_at,originals,"
        "first_seen,first_seen_of\r\n"
    )


def test_a_finding_is_a_line() -> None:
    record = run(finding(Reason.LOG_MISSING, 3, s3_uri=log_uri(3)), finding(Reason.CHAIN_GAP, 4))
    missing, gap = rows(record)
    assert tuple(missing) == COLUMNS
    assert missing["trail_arn"] == ARN
    assert (missing["outcome"], missing["reason"]) == ("invalid", "log_missing")
    assert missing["s3_uri"] == log_uri(3)
    assert missing["window_start"] == "2026-03-01T03:00:00Z"
    assert missing["record_sha256"] == decode_record(encode(record)).sha256
    assert (gap["reason"], gap["s3_uri"], gap["count"]) == ("chain_gap", "", "1")


def test_who_says_since_when_it_is_known_is_a_cell() -> None:
    known = replace(finding(Reason.CHAIN_GAP, 4), first_seen=FirstSeen(DAY, SeenOf.INCIDENT))
    first, second = rows(run(known, finding(Reason.CHAIN_GAP, 4)))
    assert (first["first_seen"], first["first_seen_of"]) == ("2026-03-01T00:00:00Z", "incident")
    assert (second["first_seen"], second["first_seen_of"]) == (second["judged_at"], "run")


def test_who_did_it_and_what_lay_there_before_are_cells() -> None:
    event = EventRecord(event_name="DeleteObject", time=DAY, by="=eve", event_id="e")
    gone = finding(Reason.LOG_MISSING, 3, s3_uri=log_uri(3))
    own = Original(
        s3_uri=log_uri(3), version_id="v1", written_at=DAY, gone_at=DAY, fate=Fate.DELETED
    )
    told = replace(
        gone,
        explanation=Explanation(events=(event,)),
        versions_tried=1,
        originals=(replace(own, s3_uri=log_uri(4)), own),
    )
    first, second, third = rows(run(told, replace(gone, versions_tried=0), gone))
    assert first["explanation"].startswith("explained by DeleteObject by =eve at 2026-03-01T00")
    assert (first["original_version_id"], first["originals"]) == ("v1", "2")
    assert first["original_gone_at"] == "2026-03-01T00:00:00Z"
    assert (second["versions_tried"], second["originals"]) == ("0", "0")
    assert second["original_version_id"] == ""
    assert (third["explanation"], third["versions_tried"], third["originals"]) == ("", "", "")


def test_several_records_are_one_sheet() -> None:
    record = run(finding(Reason.CHAIN_GAP))
    other = replace(record, trail_arn=ARN.replace("main", "other"))
    assert [row["trail_arn"] for row in rows(record, other)] == [ARN, ARN.replace("main", "other")]


def test_findings_of_windows_that_were_looked_at_again_are_lines_too() -> None:
    look = run(finding(Reason.LOG_MISSING))
    found = rows(replace(run(finding(Reason.CHAIN_GAP)), looks=(look,)))
    assert [row["reason"] for row in found] == ["chain_gap", "log_missing"]


@pytest.mark.parametrize(
    "text", ["=1+1", "+1", "-1", "@SUM(A1)", "=cmd|' /C calc'!A0", " =1+1", '"=1"', "a,b\r\n=1"]
)
def test_no_cell_is_a_formula(text: str) -> None:
    (row,) = rows(run(finding(Reason.LOG_MISSING, s3_uri=text, detail=text)))
    assert not any(cell.lstrip(' "').startswith(("+", "-", "@")) for cell in row.values())
    assert not any(cell.lstrip(" ").startswith("=") for cell in row.values())
    assert text.split("\r")[0].strip('"') in row["s3_uri"]


@given(st.text(alphabet=st.characters(exclude_categories=["Cs"]), max_size=80))
def test_any_name_is_one_cell(text: str) -> None:
    (row,) = rows(run(finding(Reason.LOG_MISSING, s3_uri=text)))
    assert not row["s3_uri"].startswith(("=", "+", "-", "@", "\t", "\r"))
    assert row["reason"] == "log_missing"


def test_a_cell_is_bounded() -> None:
    (row,) = rows(run(finding(Reason.LOG_MISSING, s3_uri="\u202e" * 1_000_000)))
    assert all(len(cell) < 32_767 for cell in row.values())
