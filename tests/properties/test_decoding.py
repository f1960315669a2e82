"""Any bytes at all are a digest or one finding: nothing raises, and memory is bounded."""

from __future__ import annotations

import gzip
import json
import tracemalloc
import zlib
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from integrity.chain.content import Flaw
from integrity.chain.decode import Malformed, decode_digest
from integrity.chain.desk import Desk
from integrity.chain.findings import Finding, Reason
from integrity.chain.judge import judge_form, open_digest
from integrity.chain.limits import KIB, MIB
from integrity.chain.model import Digest, Fetched
from integrity.chain.names import DigestName, digest_location
from tests.chain.specimens import CHAIN, at
from tests.properties import at_length, quick
from tests.vectors import DOCUMENTS

NAME = DigestName(CHAIN, at(5))
FIELDS = sorted(json.loads(DOCUMENTS[0].body))

ANYTHING = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text()
    | st.sampled_from(["2026-03-01T05:00:00Z", "SHA-256", "SHA256withRSA", "ab" * 32]),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=12,
)


def real() -> st.SearchStrategy[dict[str, Any]]:
    """A document that CloudTrail wrote, parsed."""
    return st.sampled_from(DOCUMENTS).map(lambda document: dict(json.loads(document.body)))


def as_bytes(document: object) -> bytes:
    return json.dumps(document).encode("utf-8", "surrogatepass")


def mutated(body: bytes, place: int, junk: bytes, cut: int) -> bytes:
    start = place % (len(body) + 1)
    return body[:start] + junk + body[start + cut :]


BYTES = st.one_of(
    st.binary(),
    ANYTHING.map(as_bytes),
    st.dictionaries(st.sampled_from(FIELDS), ANYTHING).map(as_bytes),
    st.tuples(real(), st.dictionaries(st.sampled_from(FIELDS), ANYTHING, min_size=1)).map(
        lambda two: as_bytes(two[0] | two[1])
    ),
    st.tuples(
        st.sampled_from(DOCUMENTS).map(lambda document: document.body),
        st.integers(0, 100_000),
        st.binary(max_size=8),
        st.integers(0, 8),
    ).map(lambda four: mutated(*four)),
)


def check(body: bytes) -> None:
    decoded = decode_digest(body, "a hash")

    assert isinstance(decoded, Digest | Malformed)
    opened = open_digest([gzip.compress(body, 1)], max_bytes=MIB, desk=Desk())
    assert opened.document is not None
    assert isinstance(opened.document, Digest) is isinstance(decoded, Digest)
    fetched = Fetched(digest_location(CHAIN, at(5)), opened)
    judged = judge_form(NAME, fetched, trail_owner=CHAIN.account_id)
    assert isinstance(judged, Finding)
    if isinstance(decoded, Malformed):
        assert judged.reason is Reason.DIGEST_MALFORMED
        assert len(judged.message.splitlines()) == 1
    else:
        list(decoded.log_files)


@quick(200)
@given(BYTES)
def test_any_content_is_a_digest_or_one_finding(body: bytes) -> None:
    check(body)


@pytest.mark.slow
@at_length(8_000)
@given(BYTES)
def test_any_content_is_a_digest_or_one_finding_at_length(body: bytes) -> None:
    check(body)


@quick(100)
@given(st.binary() | BYTES.map(gzip.compress).map(lambda body: mutated(body, len(body), b"", 3)))
def test_any_bytes_are_a_digest_or_one_finding(body: bytes) -> None:
    opened = open_digest([body], max_bytes=MIB, desk=Desk())

    assert (opened.document is None) is (opened.content.flaw is not None)
    fetched = Fetched(digest_location(CHAIN, at(5)), opened)
    assert isinstance(judge_form(NAME, fetched, trail_owner=CHAIN.account_id), Finding)


# Memory

BOUND = 4 * MIB
GOOD = DOCUMENTS[0].body[:-1]


def small_log(number: int) -> bytes:
    """As little as a log file can say of itself, and no other does."""
    return b'{"s3Bucket":"","s3Object":"%d","hashValue":"","hashAlgorithm":""}' % number


SMALL_LOG = small_log(0)


def filled(begin: bytes, repeat: bytes, end: bytes = b"") -> bytes:
    """As much of it as the bound lets through."""
    return begin + repeat * ((BOUND - len(begin) - len(end)) // len(repeat)) + end


SHAPES: dict[str, Callable[[], bytes]] = {
    "blanks": lambda: filled(b"", b" "),
    "deep arrays": lambda: filled(GOOD + b',"x":', b"["),
    "deep objects": lambda: filled(GOOD + b',"x":', b'{"x":'),
    "a long array": lambda: filled(GOOD + b',"x":[0', b",0", b"]}"),
    "a long array of strings": lambda: filled(GOOD + b',"x":[""', b',""', b"]}"),
    "a long string": lambda: filled(GOOD + b',"x":"', b"x", b'"}'),
    "a long escaped string": lambda: filled(GOOD + b',"awsAccountId":"', rb"\u0041", b'"}'),
    "a long number": lambda: filled(GOOD + b',"x":1', b"0", b"}"),
    "many fields": lambda: filled(GOOD, b',"x":0', b"}"),
    "one field again and again": lambda: filled(GOOD, b',"awsAccountId":"1"', b"}"),
    "many log files": lambda: filled(GOOD + b',"logFiles":[' + SMALL_LOG, b"," + SMALL_LOG, b"]}"),
    "many different log files": lambda: b"".join(
        [GOOD, b',"logFiles":[', b",".join(small_log(n) for n in range(BOUND // 80)), b"]}"]
    ),
    "log files that are none": lambda: filled(GOOD + b',"logFiles":[{}', b",{}", b"]}"),
}


@pytest.mark.parametrize("name", SHAPES)
def test_whatever_the_shape_memory_is_bounded_by_the_size(name: str) -> None:
    """In a digest that names many log files each costs some hundred bytes more than it says."""
    stored = gzip.compress(SHAPES[name](), 1)

    tracemalloc.start()
    try:
        opened = open_digest([stored], max_bytes=BOUND, desk=Desk())
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()

    assert opened.content.flaw is None
    assert peak < 8 * BOUND


@pytest.mark.parametrize("content", [b"\0", b" ", b"[", SMALL_LOG + b","])
def test_a_bomb_costs_no_more_than_the_bound(content: bytes) -> None:
    deflate = zlib.compressobj(9, zlib.DEFLATED, 31)
    block = content * (MIB // len(content))
    bomb = b"".join([*(deflate.compress(block) for _ in range(64)), deflate.flush()])

    tracemalloc.start()
    try:
        opened = open_digest([bomb], max_bytes=BOUND, desk=Desk())
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()

    assert len(bomb) < 512 * KIB
    assert (opened.content.flaw, opened.document) == (Flaw.TOO_LARGE, None)
    assert peak < 3 * BOUND
