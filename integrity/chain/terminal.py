"""What a stranger named, made safe to show on a terminal, in a mail or in a log.

Whoever can write into the bucket chooses keys, and a key may hold anything: escape sequences that
clear the screen, newlines that add a line of their own, marks that turn the reading direction,
letters that only look like others. CloudTrail's own names are printable ASCII, so everything else
is shown as the escape that Python would write, and a backslash as two: what is shown can be read
back to exactly what is there. This is the only place that escapes.
"""

from __future__ import annotations

import re

_NOT_PLAIN = re.compile(r"[^ -\[\]-~]")
_SHORT = {"\\": "\\\\", "\n": "\\n", "\r": "\\r", "\t": "\\t"}


def escape(text: str) -> str:
    """`text` in printable ASCII, on one line, without anything that a terminal obeys."""
    return _NOT_PLAIN.sub(_visible, text)


def _visible(match: re.Match[str]) -> str:
    character = match.group()
    code = ord(character)
    if character in _SHORT:
        return _SHORT[character]
    if code <= 0xFF:
        return f"\\x{code:02x}"
    if code <= 0xFFFF:
        return f"\\u{code:04x}"
    return f"\\U{code:08x}"
