"""Log files that digests name: once each, with all that is said of them, and in little memory."""

from __future__ import annotations

import tracemalloc

import pytest

from integrity.chain.model import AuthenticDigest, Digest, LogFileRef, Witness
from integrity.chain.packed import PackedLogFiles
from integrity.structs import replace
from integrity.verify.named import NamedLog, NamedLogs
from tests.chain.specimens import at, hours, location, sha256_of


def ref(key: str, sha256: str = "ab" * 32, algorithm: str = "SHA-256") -> LogFileRef:
    return LogFileRef(location(key), sha256, algorithm)


def signed(end: float, *refs: LogFileRef) -> AuthenticDigest:
    digest = Digest(
        "111122223333",
        hours(end - 1, end),
        "",
        location(f"digest-{end}"),
        "",
        "SHA256withRSA",
        None,
        refs,
        "",
    )
    return AuthenticDigest(digest, "", Witness.METADATA)


def test_a_log_file_is_named_once_however_often_it_is_named() -> None:
    a, b, unnamed = ref("a"), ref("b"), ref("c")

    named = NamedLogs([(at(5), signed(5, a, b)), (at(6), signed(6, a)), (None, signed(7, b))])

    assert list(named) == [
        NamedLog(a.location, (a,), location("digest-5"), hours(4, 5)),
        NamedLog(b.location, (b,), location("digest-5"), hours(4, 5)),
    ]
    assert len(named) == 2
    assert a.location in named
    assert unnamed.location not in named


def test_every_hash_that_is_stated_has_to_match() -> None:
    once, again = ref("a"), ref("a", "cd" * 32)

    named = NamedLogs([(at(5), signed(5, once, ref("b"))), (at(6), signed(6, again))])

    assert [log.refs for log in named] == [(once, again), (ref("b"),)]
    assert len(named) == 2


def test_a_log_file_named_twice_by_one_digest_is_one_log_file() -> None:
    once, again = ref("a"), ref("a", "cd" * 32)

    (log,) = NamedLogs([(at(5), signed(5, once, again))])

    assert log.refs == (once, again)


def test_a_log_file_is_delivered_by_the_making_of_its_digest_and_a_little_more() -> None:
    """Not every digest says when it was made; nor do two say which of them was first."""
    named = NamedLogs(
        [
            (at(5), signed(5, ref("a"), ref("twice"))),
            (at(6), signed(6, ref("twice"))),
            (at(90), signed(7, ref("backfilled"))),
            (None, signed(8, ref("late"))),
        ]
    )

    assert named.delivered_by(location("a")) == at(5.25)
    assert named.delivered_by(location("backfilled")) == at(90.25)
    assert named.delivered_by(location("twice")) is None
    assert named.delivered_by(location("late")) is None


def test_places_that_share_a_mark_by_chance_stay_apart(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(NamedLogs, "_mark", lambda *_: 7)
    a, b, twice = ref("a"), ref("b"), ref("twice")

    named = NamedLogs([(at(5), signed(5, a, twice)), (at(6), signed(6, b, twice))])

    assert [(log.refs, log.digest) for log in named] == [
        ((a,), location("digest-5")),
        ((twice,), location("digest-5")),
        ((b,), location("digest-6")),
    ]
    assert len(named) == 3


def test_a_log_file_costs_little_more_than_what_its_digest_holds() -> None:
    refs = PackedLogFiles(ref(f"{number}", sha256_of(str(number))) for number in range(5000))
    held = replace(signed(5), digest=replace(signed(5).digest, log_files=refs))

    tracemalloc.start()
    try:
        named = NamedLogs([(at(5), held)])
        taken, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()

    assert len(named) == 5000
    assert taken < 5000 * 20
