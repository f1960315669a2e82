"""The events that somebody wants, out of one log file's inflated bytes.

Most files hold none, so the bytes are searched for the names first and decoded only where one
appears. A string that JSON escapes letter by letter might hide a name: such a file is decoded too.
Events stay raw; name and source are read at one gate, everything else is the reader's. Content is
bounded in number and size, and what is left out for that is counted.
(AWS: CloudTrail record contents.)
"""

from __future__ import annotations

import re
from dataclasses import dataclass

import msgspec

from integrity.chain.limits import Limits

_ESCAPED = re.compile(rb"\\u00(?:3[0-9]|[4-7][0-9A-Fa-f])")
"""A letter, digit or underscore that is spelt by its number."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which events somebody asks for, by exact name; with `sources`, of these services alone.

    Where `holding` has a service, its events have to hold the text beside it as well, such as a
    bucket's name: others would fill the room. Picklable: it is part of the recipe of a segment.
    """

    names: tuple[str, ...]
    sources: tuple[str, ...] = ()
    holding: tuple[tuple[str, str], ...] = ()

    def __post_init__(self) -> None:
        odd = [name for name in self.names if not (name.isascii() and name.isidentifier())]
        if odd or not self.names:
            raise ValueError(f"expected names of events such as ConsoleLogin: {odd or 'none'}")

    def may_be_in(self, body: bytes | bytearray) -> bool:
        """Whether any of the names appears at all, or could, spelt otherwise.

        Without quotes, which are in every line and make the search four times slower.
        """
        if _ESCAPED.search(body):
            return True
        return _any_in(self.sources or self.names, body) and _any_in(self.names, body)


def _any_in(texts: tuple[str, ...], body: bytes | bytearray) -> bool:
    return any(text.encode() in body for text in texts)


@dataclass(frozen=True, slots=True)
class Searched:
    """What a search found: raw events in the order of the file, how many were `too_large`.

    `flaw` says why the bytes are no log file, or some of its records no event; then others may
    have been missed.
    """

    events: tuple[bytes, ...] = ()
    too_large: int = 0
    flaw: str = ""


class _Log(msgspec.Struct):
    Records: list[msgspec.Raw]


class _Name(msgspec.Struct):
    eventName: str  # noqa: N815 - CloudTrail's own field names
    eventSource: str = ""  # noqa: N815


_LOG = msgspec.json.Decoder(_Log)
_NAME = msgspec.json.Decoder(_Name)


def search_log(body: bytes | bytearray, wanted: Wanted, limits: Limits) -> Searched:
    """The wanted events of a log file. Never raises for what the bytes may hold."""
    if not wanted.may_be_in(body):
        return Searched()
    try:
        records = _LOG.decode(body).Records
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        return Searched(flaw=f"not a log file: {error}")
    events, too_large, flaw = [], 0, ""
    for raw in records:
        try:
            named = _NAME.decode(raw)
        except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
            flaw = f"not an event: {error}"
            continue
        if named.eventName not in wanted.names:
            continue
        if wanted.sources and named.eventSource not in wanted.sources:
            continue
        texts = tuple(text for source, text in wanted.holding if source == named.eventSource)
        if texts and not _any_in(texts, bytes(raw)):
            continue
        if len(memoryview(raw)) > limits.max_event_bytes:
            too_large += 1
        else:
            events.append(bytes(raw))
    return Searched(tuple(events), too_large, flaw)
