"""A message cut to what a place takes: its facts as JSON, its text, its lines.

What was cut says so and names the record, which has the whole. A stranger's letters that a screen
obeys instead of showing (control characters, marks that turn the reading direction, halves of a
surrogate pair) become U+FFFD. Nothing here knows a place.
"""

from __future__ import annotations

import json
import re
from typing import Any

from integrity.state import Message

_SHORT_FACT = 1024
_NOT_ASCII = re.compile(r"[^\x00-\x7f]+")
_MOST_URI = 1024


def encode(value: Any) -> str:
    """JSON in ASCII, so that its length is its size."""
    return json.dumps(value, separators=(",", ":"), default=str)


def encode_facts(message: Message, most_bytes: int, *, with_id: bool = True) -> str:
    """The facts as one JSON object, `message_id` before them; `cut` says that the record has more.

    Of facts that are too long together the short ones are left, as many as fit. An event stands
    among them as `event`, letter by letter as CloudTrail wrote it, where there is room for it.
    """
    own = {"message_id": message.id[:_SHORT_FACT]} if with_id else {}
    whole = encode({**own, **message.facts})
    if message.event:
        more = f'{whole[:-1]},"event":{_ascii(message.event)}}}'
        whole = more if len(more) <= most_bytes else f'{whole[:-1]},"cut":true}}'
    if len(whole) <= most_bytes:
        return whole
    short: dict[str, Any] = {**own, "cut": True}
    room = most_bytes - len(encode(short))
    for name, fact in message.facts.items():
        size = len(encode({name: fact}))
        if size <= min(_SHORT_FACT, room):
            short[name] = fact
            room -= size
    return encode(short)


def _ascii(document: str) -> str:
    """JSON as it is, in ASCII: what is not stands in strings alone, where it can be escaped."""
    return _NOT_ASCII.sub(lambda found: json.dumps(found.group())[1:-1], document)


def cut_text(text: str, most: int, message: Message) -> str:
    """At most so many characters; where some are missing, the last line says where they stand."""
    if len(text) <= most:
        return text
    pointer = f"\n[cut; the whole stands in the record: {record_of(message)}]"
    return text[: most - len(pointer)] + pointer


def cut_line(text: str, most: int) -> str:
    """At most so many characters of one line."""
    line = harmless(text[: most + 1]).replace("\n", " ")
    return line if len(line) <= most else f"{line[: most - 3]}..."


def record_of(message: Message) -> str:
    """Where the record lies."""
    return str(message.facts.get("record_uri") or "see the log")[:_MOST_URI]


def harmless(text: str) -> str:
    """The text with nothing in it that is obeyed and not shown, but for ends of lines."""
    return "".join(
        letter if letter.isprintable() or letter == "\n" else "\N{REPLACEMENT CHARACTER}"
        for letter in text
    )


def header_value(text: str) -> str:
    """What may stand in a header of a mail or a request: printable ASCII, 200 characters."""
    return "".join(letter if "!" <= letter <= "~" else "?" for letter in text[:200])
