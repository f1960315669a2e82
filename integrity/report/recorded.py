"""Records as they lie in a file: each document's hash, and whether it agrees with itself.

Made from bytes alone, one document or one a line. That a record agrees with itself, and is written
as this program writes records, is no proof that nobody made it up: a signature is, and that is for
others to check.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from functools import reduce
from operator import add

from msgspec import Struct

from integrity.chain.model import ChainKind
from integrity.errors import UsageError
from integrity.record import (
    DigestCounts,
    LogCounts,
    Run,
    decode,
    encode,
    outcome_of,
)


class Recorded(Struct, frozen=True):
    """A record, and the bytes that it was: their SHA-256, their number, the line they stood on.

    The end of the line is none of them. `as_written`: this program would write the same bytes.
    `line` is None where the document was the only one. Of one that is `laid_out` over many lines
    the bytes are all that the file has.
    """

    run: Run
    sha256: str
    size_bytes: int
    as_written: bool
    line: int | None = None
    laid_out: bool = False

    @property
    def contradictions(self) -> tuple[str, ...]:
        """Where the record contradicts itself, in sentences; none in an honest one."""
        return tuple(_contradictions(self.run))


def decode_record(document: bytes, *, line: int | None = None, laid_out: bool = False) -> Recorded:
    """One record. Raises UsageError where the document is none."""
    run = decode(document)
    sha256 = hashlib.sha256(document).hexdigest()
    return Recorded(run, sha256, len(document), encode(run) == document, line, laid_out)


def decode_records(content: bytes) -> list[Recorded]:
    """The records of a file: one JSON document, or JSON Lines.

    Raises UsageError where there is none, and names the line that is none.
    """
    lines = [
        (number, line)
        for number, line in enumerate(content.splitlines(), 1)
        if line and not line.isspace()
    ]
    if not lines:
        raise UsageError("there is no record in it: expected JSON, or one JSON document a line")
    if len(lines) == 1:
        return [decode_record(lines[0][1])]
    if lines[0][1].strip() == b"{":  # somebody laid the one document out over many lines
        return [decode_record(content, laid_out=True)]
    return list(_each(lines))


def _each(lines: list[tuple[int, bytes]]) -> Iterator[Recorded]:
    for number, line in lines:
        try:
            yield decode_record(line, line=number)
        except UsageError as error:
            raise UsageError(f"line {number}: {error}") from error


def _contradictions(run: Run) -> Iterator[str]:
    worst = outcome_of(run.chains, run.findings)
    if run.outcome is not worst:
        yield f"its verdict is {run.outcome.value}, and the worst of its parts is {worst.value}"
    of_kind = {
        kind: reduce(add, (c.digest_files for c in run.chains if c.kind is kind), DigestCounts())
        for kind in ChainKind
    }
    if run.totals.digest_files != of_kind[ChainKind.STANDARD]:
        yield "its digest files are not the sum of its chains'"
    if run.totals.backfill_digest_files != of_kind[ChainKind.BACKFILL]:
        yield "its backfill digest files are not the sum of its chains'"
    logs = reduce(add, (chain.log_files for chain in run.chains), LogCounts())
    if _told(run.totals.log_files, run.totals.log_files) != _told(logs, run.totals.log_files):
        yield "its log files are not the sum of its chains'"


def _told(counts: LogCounts, asked: LogCounts) -> tuple[int | None, ...]:
    """The counts that were asked for: what was not looked for has no number in the totals."""
    named = (counts.valid, counts.invalid, counts.undetermined)
    if asked.unreferenced is None:
        return named
    return (*named, counts.unattested, counts.unreferenced, counts.pending)
