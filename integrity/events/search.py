"""The events that somebody wants, out of one log file's inflated bytes.

Most files hold none, so the bytes are searched for the names first and decoded only where one
appears. A string that JSON escapes letter by letter might hide a name: such a file is decoded too.
Events stay raw; name and source are read at one gate, everything else is the reader's. Content is
bounded in size, and what is left out for that is counted.
(AWS: CloudTrail record contents.)
"""

from __future__ import annotations

import re
from collections.abc import Iterable

import msgspec
from msgspec import Struct

from integrity.chain.limits import Limits

_ESCAPED = re.compile(rb"\\u00(?:2[DEde]|3[0-9]|[4-7][0-9A-Fa-f])")
"""A letter, digit, underscore, hyphen or dot that is spelt by its number."""

_SOURCE = re.compile(r"[A-Za-z0-9_.-]+")


class Wanted(Struct, frozen=True):
    """Which events somebody asks for: by exact name, of these services, with one of these words in
    them. What is empty asks for nothing; `Wanted()` is every event.

    Where `holding` has a service, its events have to hold the text beside it as well, such as a
    bucket's name: others would fill the room. Picklable: it is part of the recipe of a segment.
    """

    names: tuple[str, ...] = ()
    sources: tuple[str, ...] = ()
    words: tuple[str, ...] = ()
    holding: tuple[tuple[str, str], ...] = ()

    def __post_init__(self) -> None:
        odd = [one for one in (*self.names, *self.words) if not re.fullmatch(r"\w+", one, re.ASCII)]
        if odd:
            raise ValueError(f"expected names of events such as ConsoleLogin: {odd}")
        strange = [one for one in self.sources if not _SOURCE.fullmatch(one)]
        if strange:
            raise ValueError(f"expected services such as signin.amazonaws.com: {strange}")

    @property
    def is_everything(self) -> bool:
        """Whether no event is left out."""
        return not (self.names or self.sources or self.words)

    def may_be_in(self, body: bytes | bytearray) -> bool:
        """Whether any of these texts appears at all, or could, spelt otherwise.

        Without quotes, which are in every line and make the search four times slower. The rarest
        comes first: services are in every file, words mostly in none.
        """
        return self._appears(body) or _ESCAPED.search(body) is not None

    def _appears(self, body: bytes | bytearray) -> bool:
        asked = (self.words, self.names, self.sources)
        return all(_any_in(texts, body) for texts in asked if texts)

    def takes(self, name: str, source: str, raw: bytes) -> bool:
        """Whether an event is one of these."""
        if self.names and name not in self.names:
            return False
        if self.sources and source not in self.sources:
            return False
        held = tuple(text for service, text in self.holding if service == source)
        if held and not _any_in(held, raw):
            return False
        return not self.words or _any_in(self.words, raw) or _ESCAPED.search(raw) is not None


EVERYTHING = Wanted()


def _any_in(texts: tuple[str, ...], body: bytes | bytearray) -> bool:
    return any(text.encode() in body for text in texts)


class Searched(Struct, frozen=True):
    """What a search found: raw events in the order of the file, how many were `too_large`.

    `flaw` says why the bytes are no log file, or some of its records no event; then others may
    have been missed.
    """

    events: tuple[bytes, ...] = ()
    too_large: int = 0
    flaw: str = ""


class _Log(msgspec.Struct):
    Records: list[msgspec.Raw]


class _Named(msgspec.Struct, gc=False):
    # CloudTrail's own field names. An Insight event has no name of its own.
    eventName: str = ""  # noqa: N815
    eventSource: str = ""  # noqa: N815


_LOG = msgspec.json.Decoder(_Log)
_NAME = msgspec.json.Decoder(_Named)
_NOBODY = _Named()


def search_log(body: bytes | bytearray, wanted: Iterable[Wanted], limits: Limits) -> Searched:
    """The events of a log file that one of these wants. Never raises, whatever the bytes hold."""
    asked = [one for one in wanted if one.is_everything or one.may_be_in(body)]
    if not asked:
        return Searched()
    try:
        records = _LOG.decode(body).Records
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        return Searched(flaw=f"not a log file: {error}")
    by_name, nameless = _sort(asked)
    events, too_large, flaw = [], 0, ""
    for record in records:
        named = _NOBODY
        try:
            named = _NAME.decode(record)
        except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
            flaw = f"not an event: {error}"
        asking = by_name.get(named.eventName, nameless)
        if not asking:
            continue
        raw = bytes(record)
        if not any(one.takes(named.eventName, named.eventSource, raw) for one in asking):
            continue
        if len(raw) > limits.max_event_bytes:
            too_large += 1
        else:
            events.append(raw)
    return Searched(tuple(events), too_large, flaw)


def _sort(asked: Iterable[Wanted]) -> tuple[dict[str, list[Wanted]], list[Wanted]]:
    """Who asks for an event by its name, and who for one of any other name.

    Most events are of a name that nobody asks for: they are passed by at the cost of one look.
    """
    asked = list(asked)
    names = {name for one in asked for name in one.names}
    by_name = {name: [one for one in asked if not one.names or name in one.names] for name in names}
    return by_name, [one for one in asked if not one.names]
