"""A sample's bytes to events: a log file of CloudTrail's, as it is stored or plain, or JSON lines.

It is a person's own file, so what is wrong with it is said and ends the command.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterator

import msgspec

from integrity.chain.limits import Limits
from integrity.errors import UsageError
from integrity.rules.model import Event
from integrity.rules.reading import read_event

_GZIP = b"\x1f\x8b"
_GZIP_WBITS = 31


class _Log(msgspec.Struct):
    Records: list[msgspec.Raw]


def read_sample(content: bytes, name: str) -> list[Event]:
    """Its events. Raises UsageError where it holds none, or anything else."""
    body = _inflate(content, name) if content.startswith(_GZIP) else content
    events = []
    for number, raw in enumerate(_raw_events(body, name), start=1):
        event = read_event(raw)
        if event is None:
            raise UsageError(f"{name}: event {number} is no JSON object")
        events.append(event)
    if not events:
        raise UsageError(f"{name} holds no event")
    return events


def _raw_events(body: bytes, name: str) -> Iterator[bytes]:
    try:
        log = msgspec.json.decode(body, type=_Log)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        yield from _lines(body, name)
    else:
        yield from map(bytes, log.Records)


def _lines(body: bytes, name: str) -> Iterator[bytes]:
    for number, line in enumerate(body.splitlines(), start=1):
        if not line.strip():
            continue
        try:
            msgspec.json.decode(line)
        except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
            raise UsageError(
                f"{name}, line {number}: {error}; expected a CloudTrail log file "
                '({"Records": [...]}), or an event on each line'
            ) from error
        yield line


def _inflate(content: bytes, name: str) -> bytes:
    most = Limits().max_searched_bytes
    inflater = zlib.decompressobj(_GZIP_WBITS)
    try:
        body = inflater.decompress(content, most)
    except zlib.error as error:
        raise UsageError(f"{name} is not whole gzip: {error}") from error
    if not inflater.eof:
        raise UsageError(f"{name} is cut short, or larger than {most} bytes inflated")
    return body
