"""`integrity report`, and `verify --report`: the same page of the same record."""

from __future__ import annotations

import csv
import subprocess
import sys
from pathlib import Path

import pytest

from integrity.chain.findings import Reason
from integrity.cli import main
from integrity.errors import AccessError
from integrity.record import encode
from integrity.structs import replace
from tests.cli.stand_in import Answer, StandIn
from tests.report.samples import ARN, finding, log_uri, run

Captured = pytest.CaptureFixture[str]
RECORD = run(finding(Reason.LOG_MISSING, s3_uri=log_uri(5)))
ROOT = Path(__file__).parents[2]


@pytest.fixture
def record(tmp_path: Path) -> Path:
    path = tmp_path / "record.json"
    path.write_bytes(encode(RECORD) + b"\n")
    return path


def test_a_page_goes_to_standard_output(record: Path, capsys: Captured) -> None:
    assert main(["report", str(record)]) == 0
    shown = capsys.readouterr()
    assert shown.out.startswith("<!DOCTYPE html>")
    assert "log_missing" in shown.out
    assert shown.err == ""


def test_a_page_and_a_table_go_to_files(record: Path, tmp_path: Path, capsys: Captured) -> None:
    page, table = tmp_path / "r.html", tmp_path / "r.csv"
    assert main(["report", str(record), "--output", str(page), "--csv", str(table)]) == 0
    assert page.read_text(encoding="utf-8").startswith("<!DOCTYPE html>")
    with table.open(newline="", encoding="utf-8") as sheet:
        assert [row["reason"] for row in csv.DictReader(sheet)] == ["log_missing"]
    assert b"\r\n" in table.read_bytes()
    assert capsys.readouterr() == ("", "")


def test_a_table_alone_is_no_page(record: Path, tmp_path: Path, capsys: Captured) -> None:
    assert main(["report", str(record), "--csv", str(tmp_path / "r.csv")]) == 0
    assert capsys.readouterr().out == ""


def test_several_files_are_one_page(record: Path, tmp_path: Path, capsys: Captured) -> None:
    other = tmp_path / "other.jsonl"
    other.write_bytes(encode(run(trail_arn=ARN.replace("main", "other"))) + b"\n" + encode(RECORD))
    assert main(["report", str(record), str(other)]) == 0
    assert "3 records: 1 valid, 2 invalid" in capsys.readouterr().out


@pytest.mark.parametrize("content", [b"", b"{", b"\xff", b"[" * 100_000, b'{"schema_version":9}'])
def test_what_is_no_record_is_named(content: bytes, tmp_path: Path, capsys: Captured) -> None:
    path = tmp_path / "x.json"
    path.write_bytes(content)
    assert main(["report", str(path), "--output", str(tmp_path / "r.html")]) == 2
    error = capsys.readouterr().err
    assert "x.json" in error
    assert "record" in error
    assert "Traceback" not in error
    assert not (tmp_path / "r.html").exists()


def test_two_results_cannot_be_one_file(record: Path, tmp_path: Path, capsys: Captured) -> None:
    one = str(tmp_path / "one")
    assert main(["report", str(record), "--output", one, "--csv", one]) == 2
    assert main(["verify", "--output", one, "--report", one], wiring=StandIn()) == 2
    assert "name the same file" in capsys.readouterr().err


def test_verify_writes_the_page_that_its_record_makes(tmp_path: Path, capsys: Captured) -> None:
    record, page, again = (tmp_path / name for name in ("r.json", "r.html", "again.html"))
    asked = ["--format", "json", "--output", str(record), "--report", str(page)]
    assert main(["verify", *asked], wiring=StandIn([RECORD])) == 1
    assert main(["report", str(record), "--output", str(again)]) == 0
    assert page.read_bytes() == again.read_bytes()
    assert capsys.readouterr() == ("", "")


def test_verify_writes_one_page_of_all_trails_and_of_those_it_could_not_verify(
    tmp_path: Path, capsys: Captured
) -> None:
    page = tmp_path / "r.html"
    answers: list[Answer] = [RECORD, run(), AccessError("cloudtrail:GetTrail was throttled")]
    assert main(["verify", "--report", str(page)], wiring=StandIn(answers)) == 1
    html = page.read_text(encoding="utf-8")
    assert "2 records: 1 valid, 1 invalid" in html
    assert "GetTrail was throttled" in html
    assert "INVALID" in capsys.readouterr().out


def test_a_page_that_cannot_be_written_is_told_before_anything_is_verified(
    tmp_path: Path, capsys: Captured
) -> None:
    stand_in = StandIn()
    assert main(["verify", "--report", str(tmp_path / "no" / "r.html")], wiring=stand_in) == 2
    assert not stand_in.jobs
    assert "there is no folder" in capsys.readouterr().err


def test_a_verification_that_failed_leaves_no_page(tmp_path: Path) -> None:
    page = tmp_path / "r.html"
    assert main(["verify", "--report", str(page)], wiring=StandIn([AccessError("no")])) == 3
    assert list(tmp_path.iterdir()) == []


def test_a_record_is_shown_without_any_client(record: Path) -> None:
    code = (
        "import sys\n"
        "from integrity.cli import main\n"
        f"status = main(['report', {str(record)!r}, '--output', {str(record) + '.html'!r}])\n"
        "loaded = {'boto3', 'botocore', 'pycurl', 'socket'} & set(sys.modules)\n"
        "sys.exit(f'{status} {loaded}' if status or loaded else 0)\n"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, check=False)
    assert (done.returncode, done.stderr) == (0, b"")


def test_a_time_without_a_zone_is_no_time(tmp_path: Path, capsys: Captured) -> None:
    path = tmp_path / "x.json"
    path.write_bytes(encode(RECORD).replace(b"2026-03-01T05:00:00Z", b"2026-03-01T05:00:00"))
    assert main(["report", str(path)]) == 2
    assert "a time in it has no zone" in capsys.readouterr().err


def test_a_window_that_ends_before_it_starts_holds_nothing(
    tmp_path: Path, capsys: Captured
) -> None:
    path = tmp_path / "x.json"
    asked = replace(RECORD.requested, start=RECORD.requested.end, end=RECORD.requested.start)
    path.write_bytes(encode(replace(RECORD, requested=asked)))
    assert main(["report", str(path)]) == 0
    assert "Period asked" in capsys.readouterr().out


@pytest.mark.parametrize(
    "end", ["9999-12-31T23:59:59Z", "9999-12-31T23:00:00Z", "2026-03-01T00:00:00Z"]
)
@pytest.mark.parametrize("start", ["0001-01-01T00:00:00Z", "2026-03-01T00:00:00Z"])
def test_windows_at_the_ends_of_time_are_shown(
    start: str, end: str, tmp_path: Path, capsys: Captured
) -> None:
    path = tmp_path / "x.json"
    text = encode(RECORD).decode()
    asked = '"start":"2026-03-01T00:00:00Z","end":"2026-03-02T00:00:00Z"'
    assert asked in text
    path.write_text(text.replace(asked, f'"start":"{start}","end":"{end}"'), encoding="utf-8")
    assert main(["report", str(path)]) == 0
    assert capsys.readouterr().out.startswith("<!DOCTYPE html>")
