"""A rule's jq program to what an event must be for it to match at all, as far as that is plain.

Asking jq is a hundred times as costly as looking for a name. Of a program that is a condition, or
`select(CONDITION)` with or without a pipe behind it, conditions are read that hold a field against
a text: `.eventName == "X"`, `.a.b == "x"`, `.eventName | IN("X", "Y")` in parentheses, joined by
`and` and `or`. What cannot be read may be true; what makes the reading unsure (another operator of
lower rank, a keyword) lets every event through. So it only ever drops what cannot match.
(jq 1.8 Manual; the ranks of its operators are in its parser.y.)
"""

from __future__ import annotations

import re

from msgspec import Struct

from integrity.events.search import EVERYTHING, Wanted

_TOKENS = re.compile(
    r"""\s*(?:
      (?P<text>"[^"\\]*")
    | (?P<path>(?:\.[A-Za-z_][A-Za-z0-9_]*)+)
    | (?P<word>[A-Za-z_][A-Za-z0-9_]*)
    | (?P<sign>==|!=|<=|>=|<|>|\|(?!=)|/(?!/)|[(),+*%\[\]{}:-]|\.|[0-9]+(?:\.[0-9]+)?)
    )""",
    re.VERBOSE,
)
_WORD = re.compile(r"[A-Za-z0-9_]+")
_CLAIMS = frozenset({"and", "or", ")", "|"})
_HARMLESS = frozenset({"==", "!=", "<=", ">=", "<", ">", "+", "-", "*", "/", "%", "."})
_KEYWORDS = frozenset(
    {"if", "then", "elif", "else", "end", "as", "def", "reduce", "foreach", "try", "catch", "label"}
    | {"import", "include", "__loc__", "not"}
)
_OPEN = {"(": ")", "[": "]", "{": "}"}


class _UnsureError(Exception):
    """The program is not of the plain kind."""


class _Asks(Struct, frozen=True):
    """What a condition asks for: of each kind of text one has to be there; empty: nothing."""

    names: frozenset[str] = frozenset()
    sources: frozenset[str] = frozenset()
    words: frozenset[str] = frozenset()

    def both(self, other: _Asks) -> _Asks:
        """Of two conditions that both have to hold, the narrower demand of each kind."""
        return _Asks(
            _narrower(self.names, other.names),
            _narrower(self.sources, other.sources),
            _narrower(self.words, other.words),
        )

    def either(self, other: _Asks) -> _Asks:
        """Of two of which one has to hold: what both of them ask for."""
        return _Asks(
            _any(self.names, other.names),
            _any(self.sources, other.sources),
            _any(self.words, other.words),
        )


def _narrower(one: frozenset[str], other: frozenset[str]) -> frozenset[str]:
    return min((texts for texts in (one, other) if texts), key=len, default=frozenset())


def _any(one: frozenset[str], other: frozenset[str]) -> frozenset[str]:
    return one | other if one and other else frozenset()


def derive_wanted(program: str) -> Wanted:
    """What the program's matches have in common; `Wanted()` where that is not plain."""
    try:
        asks = _Reader(_tokens(program)).program()
    except _UnsureError:
        return EVERYTHING
    return Wanted(tuple(sorted(asks.names)), tuple(sorted(asks.sources)), tuple(sorted(asks.words)))


def _tokens(program: str) -> list[tuple[str, str]]:
    tokens, at = [], 0
    text = program.rstrip()
    while at < len(text):
        found = _TOKENS.match(text, at)
        if found is None:
            # Behind the first pipe nothing matters; before it nobody may guess.
            tokens.append(("odd", text[at:]))
            break
        kind = str(found.lastgroup)
        tokens.append((kind, found.group(kind)))
        at = found.end()
    return tokens


class _Reader:
    """Reads tokens once, from left to right."""

    def __init__(self, tokens: list[tuple[str, str]]) -> None:
        self._tokens, self._at = tokens, 0

    def program(self) -> _Asks:
        """The whole."""
        if self._peek() == ("word", "select"):
            self._take()
            asks = self._group()
            if self._peek() not in (("", ""), ("sign", "|")):
                raise _UnsureError
            return asks
        asks = self._or()
        if self._peek() != ("", ""):
            raise _UnsureError
        return asks

    def _or(self) -> _Asks:
        asks = self._and()
        while self._peek() == ("word", "or"):
            self._take()
            asks = asks.either(self._and())
        return asks

    def _and(self) -> _Asks:
        asks = self._condition()
        while self._peek() == ("word", "and"):
            self._take()
            asks = asks.both(self._condition())
        return asks

    def _condition(self) -> _Asks:
        start = self._at
        try:
            asks = self._plain()
        except _UnsureError:
            asks = None
        kind, what = self._peek()
        if asks is not None and (not kind or what in _CLAIMS):
            return asks
        self._at = start
        self._skip()
        return _Asks()

    def _plain(self) -> _Asks:
        """A comparison with a text, a membership, or a condition in parentheses."""
        if self._peek() == ("sign", "("):
            kind, path = self._peek(1)
            if kind == "path" and self._peek(2) == ("sign", "|"):
                return self._membership(path)
            return self._group()
        (one, left), sign, (other, right) = self._take(), self._take(), self._take()
        if sign != ("sign", "==") or {one, other} != {"path", "text"}:
            raise _UnsureError
        path, text = (left, right) if one == "path" else (right, left)
        return _asks(path, {text[1:-1]})

    def _group(self) -> _Asks:
        self._expect("(")
        asks = self._or()
        self._expect(")")
        return asks

    def _membership(self, path: str) -> _Asks:
        """`(.eventName | IN("X", "Y"))`."""
        for text in ("(", path, "|", "IN", "("):
            self._expect(text)
        texts = set()
        while True:
            kind, text = self._take()
            if kind != "text":
                raise _UnsureError
            texts.add(text[1:-1])
            if self._take()[1] != ",":
                break
        if self._tokens[self._at - 1] != ("sign", ")"):
            raise _UnsureError
        self._expect(")")
        return _asks(path, texts)

    def _skip(self) -> None:
        """Over a condition that cannot be read, as long as it is sure where it ends."""
        start = self._at
        while True:
            kind, text = self._peek()
            if not kind or text in ("and", "or", ")"):
                break
            if text in _OPEN and kind == "sign":
                self._skip_group()
            elif _is_harmless(kind, text):
                self._take()
            else:
                raise _UnsureError
        if self._at == start:
            raise _UnsureError

    def _skip_group(self) -> None:
        """Over brackets, whatever is in them."""
        closing = [_OPEN[self._take()[1]]]
        while closing:
            kind, text = self._take()
            if kind in ("", "odd"):
                raise _UnsureError
            if kind == "sign" and text in _OPEN:
                closing.append(_OPEN[text])
            elif kind == "sign" and text in (")", "]", "}") and text != closing.pop():
                raise _UnsureError

    def _peek(self, ahead: int = 0) -> tuple[str, str]:
        at = self._at + ahead
        return self._tokens[at] if at < len(self._tokens) else ("", "")

    def _take(self) -> tuple[str, str]:
        token = self._peek()
        self._at += 1
        return token

    def _expect(self, text: str) -> None:
        if self._take()[1] != text:
            raise _UnsureError


def _is_harmless(kind: str, text: str) -> bool:
    """Whether it binds its neighbours more closely than `and` does."""
    if kind == "sign":
        return text in _HARMLESS or text[0].isdigit()
    return kind in ("text", "path") or (kind == "word" and text not in _KEYWORDS)


def _asks(path: str, texts: set[str]) -> _Asks:
    if path == ".eventName" and all(_WORD.fullmatch(text) for text in texts):
        return _Asks(names=frozenset(texts))
    if path == ".eventSource" and all(re.fullmatch(r"[A-Za-z0-9_.-]+", text) for text in texts):
        return _Asks(sources=frozenset(texts))
    # Letters and digits have one other spelling in JSON, which the search knows; signs have more.
    words = [max(_WORD.findall(text), key=len, default="") for text in texts]
    return _Asks(words=frozenset(words)) if all(words) else _Asks()
