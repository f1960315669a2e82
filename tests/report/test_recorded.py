"""Records as they lie in a file: which bytes are hashed, and whether one agrees with itself."""

from __future__ import annotations

import hashlib
import json
import subprocess
from pathlib import Path

import pytest

from integrity.chain.findings import Outcome, Reason
from integrity.chain.model import ChainKind
from integrity.errors import UsageError
from integrity.record import DigestCounts, LogCounts, Totals, encode
from integrity.report.commands import hash_record
from integrity.report.recorded import decode_record, decode_records
from integrity.structs import replace
from tests.report.samples import chain, finding, run

ONE, OTHER = run(), run(finding(Reason.CHAIN_GAP))
BACKFILL = replace(chain(kind=ChainKind.BACKFILL), hours="", digest_files=DigestCounts(valid=2))


def laid_out() -> bytes:
    return json.dumps(json.loads(encode(ONE)), indent=2).encode() + b"\n"


FILES = {
    "one": encode(ONE) + b"\n",
    "one without its line's end": encode(ONE),
    "lines": encode(ONE) + b"\n" + encode(OTHER) + b"\n",
    "lines of another system": encode(ONE) + b"\r\n\r\n" + encode(OTHER) + b"\r\n",
    "laid out": laid_out(),
}


@pytest.mark.parametrize("name", FILES)
def test_the_hash_is_of_the_documents_bytes(name: str) -> None:
    records = decode_records(FILES[name])
    if name == "laid out":
        assert records[0].sha256 == hashlib.sha256(laid_out()).hexdigest()
        assert not records[0].as_written
        return
    runs = [ONE, OTHER][: len(records)]
    assert [one.run for one in records] == runs
    assert [one.sha256 for one in records] == [
        hashlib.sha256(encode(one)).hexdigest() for one in runs
    ]
    assert all(one.as_written for one in records)


@pytest.mark.parametrize("name", ["one", "one without its line's end", "lines", "laid out"])
def test_the_command_that_the_page_names_gives_that_hash(name: str, tmp_path: Path) -> None:
    (tmp_path / "record.json").write_bytes(FILES[name])
    for recorded in decode_records(FILES[name]):
        command = hash_record(recorded.line, laid_out=recorded.laid_out)
        done = subprocess.run(
            ["sh", "-c", command], cwd=tmp_path, capture_output=True, text=True, check=True
        )
        assert done.stdout.split()[0] == recorded.sha256


@pytest.mark.parametrize("content", [b"", b"\n \n"])
def test_no_record_is_an_error(content: bytes) -> None:
    with pytest.raises(UsageError, match="no record in it"):
        decode_records(content)


def test_the_line_that_is_no_record_is_named() -> None:
    with pytest.raises(UsageError, match=r"^line 2: this is no record"):
        decode_records(encode(ONE) + b"\n{}\n")


def test_an_honest_record_agrees_with_itself() -> None:
    totals = Totals(DigestCounts(24), DigestCounts(2), LogCounts(140))
    for record in (ONE, OTHER, run(chains=(chain(), BACKFILL), totals=totals)):
        assert decode_record(encode(record)).contradictions == ()
    unlisted = LogCounts(70, unattested=None, unreferenced=None, pending=None)
    record = replace(ONE, totals=Totals(DigestCounts(24), log_files=unlisted))
    assert decode_record(encode(record)).contradictions == ()


@pytest.mark.parametrize(
    ("record", "wrong"),
    [
        (replace(OTHER, outcome=Outcome.VALID), "verdict is valid"),
        (run(totals=Totals(DigestCounts(25), log_files=LogCounts(70))), "its digest files"),
        (run(totals=Totals(DigestCounts(24), log_files=LogCounts(71))), "its log files"),
        (
            run(totals=Totals(DigestCounts(24), DigestCounts(1), LogCounts(70))),
            "its backfill digest files",
        ),
    ],
)
def test_a_record_that_contradicts_itself_is_known(record: object, wrong: str) -> None:
    (sentence,) = decode_record(encode(record)).contradictions  # type: ignore[arg-type]
    assert wrong in sentence
