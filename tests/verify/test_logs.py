"""Log files that digests name: once each, against every hash, and read twice if wrong."""

from __future__ import annotations

import gzip
import json
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Executor, ThreadPoolExecutor
from datetime import datetime
from threading import Event, Thread, Timer
from time import monotonic, sleep
from typing import Any

import pytest

from integrity.chain.content import Buffer
from integrity.chain.findings import Finding, Outcome, Place, Reason
from integrity.chain.limits import MIB, Limits
from integrity.chain.link import LogTally
from integrity.chain.model import (
    Absent,
    Fetched,
    LogFileRef,
    S3Location,
    TimeWindow,
    Unreachable,
)
from integrity.chain.wish import Item, Wish
from integrity.events.search import Wanted
from integrity.lab import attacks
from integrity.lab.objects import LabDigest, LabLog
from integrity.structs import replace
from integrity.verify import searched
from integrity.verify.logs import LogChecker, LogSpan
from integrity.verify.named import NamedLog
from integrity.verify.parallel import Stopping
from integrity.verify.searched import LogSearch, keeping
from tests.chain.specimens import at, hours, location
from tests.memory import MemorySource, Silent, SwiftSource, T
from tests.verify.stage import Flickering, Stage, made, place_of

DIGEST = 9


def ref(key: str, sha256: str = "ab" * 32, algorithm: str = "SHA-256") -> LogFileRef:
    return LogFileRef(location(key), sha256, algorithm)


def named_by(digest: LabDigest) -> list[NamedLog]:
    """The log files of a lab digest as they are named."""
    return [
        NamedLog(
            place_of(log.address),
            (LogFileRef(place_of(log.address), log.sha256, "SHA-256"),),
            place_of(digest.address),
            TimeWindow(digest.start, digest.end),
        )
        for log in digest.log_files
    ]


def check(
    stage: Stage,
    executor: Executor,
    logs: list[NamedLog] | None = None,
    rewritten: dict[S3Location, datetime] | None = None,
    archived: dict[S3Location, str] | None = None,
    **asked: Any,
) -> LogSpan:
    """The log files of the stage's digest, or these."""
    place = Place("111122223333", "us-east-1")
    tools = stage.tools(executor)
    checker = LogChecker(
        place, rewritten or {}, archived or {}, job=stage.job(**asked), tools=tools
    )
    return checker.check(named_by(stage.chain.digests[DIGEST]) if logs is None else logs)


def only(span: LogSpan) -> Finding:
    (finding,) = span.findings
    return finding


def victim(stage: Stage, number: int = 0) -> LabLog:
    return stage.chain.digests[DIGEST].log_files[number]


# Checking


def test_log_files_with_the_signed_content_are_valid_and_read_once(executor: Executor) -> None:
    stage = made()

    span = check(stage, executor)

    digest = stage.chain.digests[DIGEST]
    assert span.findings == []
    assert span.tallies == {place_of(digest.address): LogTally(valid=2)}
    assert len(stage.source.fetched) == 2


@pytest.mark.parametrize(
    ("attack", "reason"),
    [
        (attacks.edit_log, Reason.LOG_HASH_MISMATCH),
        (attacks.plain_log, Reason.LOG_MALFORMED),
        (attacks.cut_trailer, Reason.LOG_MALFORMED),
        (attacks.empty_log, Reason.LOG_MALFORMED),
        (attacks.append_to_log, Reason.LOG_TRAILING_DATA),
        (attacks.second_member, Reason.LOG_TRAILING_DATA),
        (attacks.delete_log, Reason.LOG_MISSING),
    ],
)
@pytest.mark.parametrize(
    ("source", "reads", "number"), [(MemorySource, 2, 0), (SwiftSource, 3, 0), (SwiftSource, 3, 1)]
)
def test_what_is_wrong_is_read_twice_and_told(
    executor: Executor,
    attack: Any,
    reason: Reason,
    source: type[MemorySource],
    reads: int,
    number: int,
) -> None:
    """What was had swiftly, and proves nothing, does not count."""
    stage = made()
    stage.source = source(stage.world)
    log = victim(stage, number)
    attack(stage.world, log)

    span = check(stage, executor)

    finding = only(span)
    assert (finding.reason, finding.outcome) == (reason, Outcome.INVALID)
    assert finding.s3_uri == place_of(log.address).uri
    assert finding.window == hours(8, 9)
    assert (finding.account_id, finding.region) == ("111122223333", "us-east-1")
    assert list(span.tallies.values()) == [LogTally(valid=1, invalid=1)]
    assert stage.source.fetched.count(place_of(log.address)) == reads
    assert len(stage.source.fetched) == reads + 1


def test_a_mismatch_says_what_was_signed_and_what_is_there(executor: Executor) -> None:
    stage = made()
    attacks.edit_log(stage.world, victim(stage))

    finding = only(check(stage, executor))

    assert finding.expected == victim(stage).sha256
    assert finding.actual not in (None, finding.expected)
    assert finding.last_modified == stage.world.now


class Versioned(SwiftSource):
    """A bucket that keeps versions."""

    def fetch(
        self, location: S3Location, read: Callable[[Iterable[Buffer]], T]
    ) -> Fetched[T] | Absent | Unreachable:
        answer = super().fetch(location, read)
        return replace(answer, version_id="v2") if isinstance(answer, Fetched) else answer


@pytest.mark.parametrize("attack", [attacks.edit_log, attacks.plain_log])
def test_the_version_that_is_wrong_is_named(executor: Executor, attack: Any) -> None:
    stage = made()
    stage.source = Versioned(stage.world)
    attack(stage.world, victim(stage))

    assert only(check(stage, executor)).version_id == "v2"


def test_content_compressed_anew_is_the_same_content(executor: Executor) -> None:
    stage = made()
    attacks.recompress_log(stage.world, victim(stage))

    assert check(stage, executor).findings == []


def test_one_hash_of_two_is_not_enough(executor: Executor) -> None:
    stage = made()
    (log, _) = named_by(stage.chain.digests[DIGEST])
    both = NamedLog(
        log.location,
        (*log.refs, LogFileRef(log.location, "00" * 32, "SHA-256")),
        log.digest,
        log.window,
    )

    finding = only(check(stage, executor, [both]))

    assert (finding.reason, finding.expected) == (Reason.LOG_HASH_MISMATCH, "00" * 32)
    assert finding.detail == "named with different hashes"


def test_a_hash_of_an_unknown_algorithm_is_not_even_read(executor: Executor) -> None:
    stage = made()
    unknown = NamedLog(
        location("a"), (ref("a"), ref("a", "x", "SHA3-512")), location("digest"), hours(4, 5)
    )

    span = check(stage, executor, [unknown])

    finding = only(span)
    assert (finding.reason, finding.outcome) == (
        Reason.ALGORITHM_UNSUPPORTED,
        Outcome.UNDETERMINED,
    )
    assert (finding.expected, finding.actual) == ("SHA-256", "SHA3-512")
    assert span.tallies == {location("digest"): LogTally(undetermined=1)}
    assert stage.source.fetched == []


def test_a_known_hash_does_not_make_up_for_one_of_an_unknown_algorithm(
    executor: Executor,
) -> None:
    stage = made()
    (log, _) = named_by(stage.chain.digests[DIGEST])
    both = replace(log, refs=(*log.refs, replace(log.refs[0], algorithm="SHA3-512")))

    span = check(stage, executor, [both])

    assert only(span).reason is Reason.ALGORITHM_UNSUPPORTED
    assert span.tallies == {log.digest: LogTally(undetermined=1)}
    assert stage.source.fetched == []


def test_a_log_file_over_the_bound_is_not_wrong(executor: Executor) -> None:
    stage = made()

    span = check(stage, executor, limits=Limits(max_log_bytes=100))

    assert [finding.reason for finding in span.findings] == [Reason.LIMIT_EXCEEDED] * 2
    assert list(span.tallies.values()) == [LogTally(undetermined=2)]


@pytest.mark.parametrize("first", [None, b"torn"])
def test_what_was_wrong_only_once_is_valid(executor: Executor, first: bytes | None) -> None:
    stage = made()
    stage.source = Flickering(stage.world, {victim(stage).key: [first]})

    span = check(stage, executor)

    assert span.findings == []
    assert list(span.tallies.values()) == [LogTally(valid=2)]
    assert len(stage.source.fetched) == 2  # and the one that was not
    assert span.stored_bytes == sum(
        len(stage.world.objects[log.address].body) for log in stage.chain.digests[DIGEST].log_files
    )


# Unreadable


@pytest.mark.parametrize("rewritten", [True, False])
def test_an_unreadable_log_file_that_was_written_after_its_delivery_is_told_apart(
    executor: Executor, *, rewritten: bool
) -> None:
    """A PUT into an archive hides content as an edit does."""
    stage = made()
    (log, _) = named_by(stage.chain.digests[DIGEST])
    stage.source.unreachable = {log.location.key: "archived in GLACIER"}
    known = {log.location: at(90)} if rewritten else {}

    finding = only(check(stage, executor, [log], known))

    assert (finding.reason, finding.outcome) == (Reason.OBJECT_UNREADABLE, Outcome.UNDETERMINED)
    assert finding.detail == "archived in GLACIER" + "; rewritten after delivery" * rewritten
    assert finding.last_modified == known.get(log.location)


def test_what_the_listing_shows_in_an_archive_is_not_asked_for(executor: Executor) -> None:
    stage = made()
    (log, _) = named_by(stage.chain.digests[DIGEST])

    finding = only(check(stage, executor, [log], archived={log.location: "DEEP_ARCHIVE"}))

    assert (finding.reason, finding.outcome) == (Reason.OBJECT_UNREADABLE, Outcome.UNDETERMINED)
    assert finding.detail.startswith("archived (storage class DEEP_ARCHIVE)")
    assert stage.source.fetched == []


# Events


@pytest.mark.parametrize("first", [[], [b"torn"], [gzip.compress(b'{"Records":[{"a":1}]}')]])
def test_verified_log_files_are_searched_once_however_they_were_had(
    executor: Executor, first: list[bytes | str | None]
) -> None:
    stage = made()
    stage.source = Flickering(stage.world, {victim(stage).key: first})
    logs = named_by(stage.chain.digests[DIGEST])
    search = LogSearch((Wanted(),), Limits(), most=1000, most_bytes=MIB)
    place = Place("111122223333", "us-east-1")
    checker = LogChecker(
        place, {}, {}, job=stage.job(), tools=stage.tools(executor), searches=[search]
    )

    assert checker.check(logs).findings == []

    events, unread = search.result()
    records = [
        json.dumps(event)
        for log in logs
        for event in json.loads(
            gzip.decompress(stage.world.objects[log.location.bucket, log.location.key].body)
        )["Records"]
    ]
    found = [json.dumps(json.loads(one.event)) for one in events]
    assert (sorted(found), unread) == (sorted(records), 0)
    assert len(found) > 1


def test_what_is_not_what_was_signed_is_not_searched(executor: Executor) -> None:
    stage = made()
    attacks.edit_log(stage.world, victim(stage))
    search = LogSearch((Wanted(),), Limits(), most=1000, most_bytes=MIB)
    place = Place("111122223333", "us-east-1")
    checker = LogChecker(
        place, {}, {}, job=stage.job(), tools=stage.tools(executor), searches=[search]
    )

    checker.check(named_by(stage.chain.digests[DIGEST]))

    assert {one.log for one in search.result()[0]} == {
        place_of(stage.chain.digests[DIGEST].log_files[1].address)
    }


def test_a_large_file_is_not_waited_for_by_who_reads_for_others_too(
    executor: Executor, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(searched, "_SMALL_BYTES", 10)
    stage = made()
    logs = named_by(stage.chain.digests[DIGEST])
    search, other = (LogSearch((Wanted(),), Limits(), most=1000, most_bytes=MIB) for _ in range(2))
    place = Place("111122223333", "us-east-1")
    checker = LogChecker(
        place, {}, {}, job=stage.job(), tools=stage.tools(executor), searches=[search]
    )
    with ThreadPoolExecutor(1) as thread, keeping([other], logs[0].digest) as kept:
        assert kept is not None
        kept.begin()(b"another file, which is large and slow")
        checked = thread.submit(checker.check, logs)
        until = monotonic() + 5
        while len(set(stage.source.fetched)) < len(logs) and monotonic() < until:
            sleep(0.01)
        assert (len(set(stage.source.fetched)), checked.done()) == (len(logs), False)
        kept.drop()
        assert checked.result(10).tallies == {logs[0].digest: LogTally(valid=len(logs))}

    events, unread = search.result()
    assert ({one.log for one in events}, unread) == ({log.location for log in logs}, 0)


def test_what_is_being_drawn_when_everything_stops_is_counted_too(executor: Executor) -> None:
    stage, begun, go = made(), Event(), Event()
    logs = named_by(stage.chain.digests[DIGEST])

    class Slow(list[NamedLog]):
        def __iter__(self) -> Iterator[NamedLog]:
            begun.set()
            assert go.wait(10)
            yield from logs

    class Behind(SwiftSource):
        """Somebody is still at drawing when it comes back."""

        def fetch_small(self, wish: Wish[Item], stopping: Stopping) -> Iterator[Item]:
            del stopping
            Thread(target=next, args=(wish.items, None)).start()
            assert begun.wait(10)
            Timer(0.05, go.set).start()
            return iter(())

    stage.source = Behind(stage.world)
    place = Place("111122223333", "us-east-1")
    checker = LogChecker(place, {}, {}, job=stage.job(), tools=stage.tools(executor))

    assert checker.check(Slow(logs)).tallies == {logs[0].digest: LogTally(undetermined=len(logs))}


# Progress


class Told(Silent):
    """Remembers what it is told."""

    def __init__(self) -> None:
        self.log_files, self.stored_bytes = 0, 0
        self.valid: list[S3Location] = []

    def done(self, log_files: int, stored_bytes: int) -> None:
        self.log_files += log_files
        self.stored_bytes += stored_bytes

    def valid_log(self, location: S3Location) -> None:
        self.valid.append(location)


def test_each_log_file_is_told_once_and_the_valid_ones_by_name(executor: Executor) -> None:
    stage, told = made(), Told()
    good, gone = stage.chain.digests[DIGEST].log_files
    attacks.delete_log(stage.world, gone)
    tools = replace(stage.tools(executor), progress=told)
    checker = LogChecker(Place("111122223333", "us-east-1"), {}, {}, job=stage.job(), tools=tools)

    span = checker.check(named_by(stage.chain.digests[DIGEST]))

    assert told.log_files == 2
    assert told.stored_bytes == len(stage.world.objects[good.address].body)
    assert told.valid == [place_of(good.address)]
    assert span.stored_bytes == told.stored_bytes
