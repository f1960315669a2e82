"""Whoever changes the content of any object of a valid chain is found out.

What may change is the wrapper: a log or digest file that is compressed anew, or whose gzip header
has another time, is as valid as before, as long as it is one whole member of the same content.
"""

from __future__ import annotations

import gzip
import zlib
from collections.abc import Callable
from dataclasses import dataclass, replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from integrity.chain.findings import Outcome
from integrity.lab.objects import Address, StoredObject
from tests.properties import at_length, quick
from tests.properties.grounds import GROUNDS, ground

SIGNATURE, LABEL = "signature", "signature-algorithm"


@dataclass(frozen=True)
class Change:
    """What is done to one object. `change` makes its new self of the old one and of another."""

    name: str
    change: Callable[[StoredObject, StoredObject], StoredObject]

    def __repr__(self) -> str:
        return self.name


def of_body(name: str, change: Callable[[bytes, bytes], bytes]) -> Change:
    return Change(name, lambda one, other: replace(one, body=change(one.body, other.body)))


def flipped(body: bytes, place: int) -> bytes:
    bit = place % (8 * len(body))
    changed = bytearray(body)
    changed[bit // 8] ^= 1 << bit % 8
    return bytes(changed)


def edited(content: bytes, place: int, junk: bytes) -> bytes:
    """The content with a few bytes of it replaced, compressed as well as before."""
    start = place % len(content)
    return gzip.compress(content[:start] + junk + content[start + len(junk) :], mtime=0)


def spliced(body: bytes, place: int, junk: bytes) -> bytes:
    start = place % (len(body) + 1)
    return body[:start] + junk + body[start:]


PLACES = st.integers(0, 100_000)
JUNK = st.binary(min_size=1, max_size=40)

BODIES = st.one_of(
    PLACES.map(lambda at: of_body(f"bit {at} flipped", lambda body, _: flipped(body, at))),
    PLACES.map(lambda at: of_body(f"cut at {at}", lambda body, _: body[: at % len(body)])),
    JUNK.map(lambda junk: of_body(f"{junk!r} behind it", lambda body, _: body + junk)),
    st.tuples(PLACES, JUNK).map(
        lambda two: of_body(f"{two} put in", lambda body, _: spliced(body, *two))
    ),
    st.tuples(PLACES, JUNK).map(
        lambda two: of_body(
            f"content edited: {two}", lambda body, _: edited(gzip.decompress(body), *two)
        )
    ),
    JUNK.map(lambda junk: of_body(f"replaced by {junk!r}", lambda _, __: junk)),
    JUNK.map(lambda junk: of_body(f"now says {junk!r}", lambda _, __: gzip.compress(junk))),
    st.just(of_body("replaced by another", lambda _, other: other)),
    st.just(of_body("another one behind it", lambda body, other: body + other)),
    st.integers(0, 9).map(
        lambda level: of_body(
            f"compressed anew at {level}",
            lambda body, _: gzip.compress(gzip.decompress(body), level, mtime=level),
        )
    ),
)


def of_metadata(name: str, **fields: str | None) -> Change:
    """Metadata with these fields, written with `-` for `_`; None: without it."""
    changes = {field.replace("_", "-"): text for field, text in fields.items()}

    def change(one: StoredObject, _: StoredObject) -> StoredObject:
        merged = {**one.metadata, **changes}
        kept = {field: text for field, text in merged.items() if text is not None}
        return replace(one, metadata=kept)

    return Change(name, change)


def another_signature(one: StoredObject, other: StoredObject) -> StoredObject:
    return replace(one, metadata={**one.metadata, SIGNATURE: other.metadata.get(SIGNATURE, "00")})


def a_digit_changed(place: int) -> Change:
    def change(one: StoredObject, _: StoredObject) -> StoredObject:
        signature = one.metadata[SIGNATURE]
        start = place % len(signature)
        digit = "0" if signature[start] != "0" else "1"
        changed = signature[:start] + digit + signature[start + 1 :]
        return replace(one, metadata={**one.metadata, SIGNATURE: changed})

    return Change(f"digit {place} of the signature changed", change)


METADATA = st.one_of(
    PLACES.map(a_digit_changed),
    st.text(max_size=20).map(lambda text: of_metadata(f"signature {text!r}", signature=text)),
    st.just(of_metadata("no signature", signature=None)),
    st.just(of_metadata("no label", signature_algorithm=None)),
    st.sampled_from(["SHA512withRSA", "sha256withrsa", "none", " "]).map(
        lambda label: of_metadata(f"labelled {label!r}", signature_algorithm=label)
    ),
    st.just(Change("another's signature", another_signature)),
)


@dataclass(frozen=True)
class Case:
    """One change of one object in one world; another one stands by with its own bytes."""

    world: str
    object: Address
    other: Address
    change: Change


@st.composite
def cases(draw: st.DrawFn) -> Case:
    name = draw(st.sampled_from(GROUNDS))
    objects = [*ground(name).digests, *ground(name).logs]
    chosen = draw(st.sampled_from(objects))
    other = draw(st.sampled_from([one for one in objects if one != chosen]))
    is_digest = chosen in ground(name).digests
    return Case(name, chosen, other, draw(st.one_of(BODIES, METADATA) if is_digest else BODIES))


def content(body: bytes) -> bytes | None:
    """The content of what is one whole gzip member."""
    stream = zlib.decompressobj(31)
    try:
        inflated = stream.decompress(body)
    except zlib.error:
        return None
    return inflated if stream.eof and not stream.unused_data else None


def is_the_same(one: StoredObject, other: StoredObject) -> bool:
    """Whether nothing but the wrapper of an object differs."""
    return content(one.body) == content(other.body) and one.metadata == other.metadata


def check(case: Case) -> None:
    stage = ground(case.world).copy()
    objects = stage.world.objects
    before = objects[case.object]
    after = case.change.change(before, objects[case.other])
    objects[case.object] = replace(after, last_modified=stage.world.now)

    run = ground(case.world).verify(stage)

    assert (run.outcome is Outcome.VALID) is is_the_same(before, after)
    assert bool(run.findings) is (run.outcome is not Outcome.VALID)


@pytest.mark.parametrize("name", GROUNDS)
def test_where_nothing_is_changed_everything_is_valid(name: str) -> None:
    unharmed = ground(name)

    run = unharmed.verify(unharmed.copy())

    assert (run.outcome, run.findings) == (Outcome.VALID, ())
    totals = run.totals
    digests = totals.digest_files.valid + totals.backfill_digest_files.valid
    assert digests == len(unharmed.digests)
    assert totals.log_files.valid == len(unharmed.logs)


@quick(200)
@given(cases())
def test_whatever_is_changed_is_found(case: Case) -> None:
    check(case)


@pytest.mark.slow
@at_length(5_000)
@given(cases())
def test_whatever_is_changed_is_found_at_length(case: Case) -> None:
    check(case)
