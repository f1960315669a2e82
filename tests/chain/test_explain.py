"""Which events explain which findings: the acts on a trail, the hands on its objects."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest

from integrity.chain.acts import Aspect
from integrity.chain.evidence import EventRecord, EventWitness, Explanation, Fate, Original
from integrity.chain.explain import Deed, Question, Touch, explain, question_of
from integrity.chain.findings import Finding, Outcome, Place, Reason, find
from integrity.chain.model import TimeWindow
from integrity.chain.times import format_instant
from integrity.chain.words import explained, restorable
from integrity.structs import replace
from tests.chain.specimens import at

NOW = at(23)
MINUTE = timedelta(minutes=1)
BUCKET, KEY = "trail-logs", "AWSLogs/a-log.json.gz"
URI = f"s3://{BUCKET}/{KEY}"
LIVES_BY = frozenset({Aspect.EXISTENCE, Aspect.LOGGING, Aspect.VALIDATION})
LOG_FILES = (EventWitness.LOG_FILE,)


def event(name: str, time: datetime, **said: Any) -> EventRecord:
    made: dict[str, Any] = {"by": "arn:x", "event_id": f"{name} {time}", "s3_uri": "s3://l/og"}
    return EventRecord(event_name=name, time=time, **made | said)


def stop(time: datetime, aspect: Aspect = Aspect.LOGGING) -> Deed:
    return Deed(event=event("StopLogging", time), off=frozenset({aspect}))


def start(time: datetime) -> Deed:
    return Deed(event=event("StartLogging", time), on=frozenset({Aspect.LOGGING}))


def hand(name: str, time: datetime, touch: Touch, key: str = KEY, bucket: str = BUCKET) -> Deed:
    return Deed(event=event(name, time), bucket=bucket, key=key, touch=touch)


def finding(reason: Reason, first: float = 3, last: float = 5, **said: Any) -> Finding:
    window = TimeWindow(at(0) + first * timedelta(hours=1), at(0) + last * timedelta(hours=1))
    return find(reason, Place("111122223333", "us-east-1"), window, **said)


def asked(of: Finding) -> Question:
    question = question_of(of, bucket=BUCKET, now=NOW)
    assert question is not None
    return question


def told(of: Finding, *deeds: Deed) -> Explanation:
    return explain(asked(of), deeds, LIVES_BY, asked=LOG_FILES)


def names(events: tuple[EventRecord, ...]) -> list[str]:
    return [one.event_name for one in events]


GAP = finding(Reason.CHAIN_GAP)


class TestGaps:
    @pytest.mark.parametrize("time", [at(2), at(2) + 30 * MINUTE, at(3)])
    def test_a_stop_within_the_hour_before_it_explains_it(self, time: datetime) -> None:
        found = told(GAP, stop(time), start(at(5)))

        assert names(found.events) == ["StopLogging", "StartLogging"]
        assert found.near == ()
        assert found.asked == LOG_FILES

    @pytest.mark.parametrize("time", [at(2) - MINUTE, at(3) + MINUTE, at(4), at(5), at(6)])
    def test_one_that_is_older_or_after_its_edge_explains_nothing(self, time: datetime) -> None:
        assert told(GAP, stop(time), start(at(5))).events == ()

    @pytest.mark.parametrize("later", [timedelta(0), MINUTE, 30 * MINUTE])
    def test_a_stop_that_was_taken_back_before_the_edge_explains_nothing(
        self, later: timedelta
    ) -> None:
        stopped = at(2) + 30 * MINUTE
        found = told(GAP, stop(stopped), start(stopped + later))

        assert found.events == ()
        assert sorted(names(found.near)) == ["StartLogging", "StopLogging"]

    def test_what_does_not_concern_the_chain_explains_nothing(self) -> None:
        found = told(GAP, stop(at(3), Aspect.REGIONS))

        assert (found.events, names(found.near)) == ((), ["StopLogging"])

    def test_a_start_alone_is_near_and_no_explanation(self) -> None:
        found = told(GAP, start(at(5)))

        assert (found.events, names(found.near)) == ((), ["StartLogging"])
        assert explained(found) == (
            "unexplained by verified log files; near it, and no explanation: StartLogging by arn:x "
            "at 2026-03-01T05:00:00Z (verified log file)"
        )

    def test_the_last_of_several_stops_counts(self) -> None:
        first, last = at(2) + MINUTE, at(2) + 40 * MINUTE
        found = told(GAP, stop(last), start(first + MINUTE), stop(first))

        assert [one.time for one in found.events] == [last]

    def test_of_one_event_the_log_files_word_is_kept(self) -> None:
        of_file = stop(at(3))
        known = replace(of_file.event, witness=EventWitness.EVENT_HISTORY, s3_uri=None)
        found = told(GAP, replace(of_file, event=known), of_file)

        assert found.events == (of_file.event,)

    def test_a_list_has_an_end(self) -> None:
        assert len(told(GAP, *(start(at(5) + number * MINUTE) for number in range(50))).near) == 10


@pytest.mark.parametrize("reason", [Reason.HEAD_STALE, Reason.NO_DIGESTS, Reason.TRAIL_OFF])
def test_the_edge_of_what_has_no_end_is_the_newest_digests(reason: Reason) -> None:
    stale = finding(reason, actual=format_instant(at(1)))

    assert names(told(stale, stop(at(0) + 30 * MINUTE)).events) == ["StopLogging"]
    assert told(stale, stop(at(1) + MINUTE)).events == ()


def test_where_nobody_knows_the_edge_it_may_be_anywhere_in_the_window() -> None:
    assert names(told(finding(Reason.TRAIL_OFF), stop(at(4))).events) == ["StopLogging"]


class TestObjects:
    def test_who_deleted_the_very_key_explains_that_it_is_gone(self) -> None:
        gone = finding(Reason.LOG_MISSING, s3_uri=URI)
        deleted = hand("DeleteObject", at(4), Touch.DELETED)

        assert told(gone, deleted).events == (deleted.event,)
        for other in (
            hand("DeleteObject", at(4), Touch.DELETED, key=KEY + "2"),
            hand("DeleteObject", at(4), Touch.DELETED, bucket="other"),
            hand("PutObject", at(4), Touch.WRITTEN),
            hand("DeleteObject", at(2), Touch.DELETED),
            stop(at(3)),
        ):
            assert told(gone, other).events == ()

    def test_where_s3_names_the_moment_it_has_to_be_that(self) -> None:
        altered = finding(Reason.LOG_HASH_MISMATCH, s3_uri=URI, last_modified=at(9))
        at_once = hand("PutObject", at(9) + MINUTE, Touch.WRITTEN)

        assert told(altered, at_once, hand("PutObject", at(4), Touch.WRITTEN)).events == (
            at_once.event,
        )

    def test_an_original_names_the_moment_and_a_rewound_head_its_objects(self) -> None:
        original = Original(
            s3_uri=URI, version_id="v1", written_at=at(3), gone_at=at(8), fate=Fate.DELETED
        )
        rewound = replace(finding(Reason.HEAD_REWOUND), originals=(original,))
        deleted = hand("DeleteObjects", at(8), Touch.DELETED)

        assert told(rewound, deleted, stop(at(3))).events == (deleted.event,)
        assert question_of(finding(Reason.HEAD_REWOUND), bucket=BUCKET, now=NOW) is None

    def test_one_call_for_many_objects_is_one_event(self) -> None:
        gone = replace(
            finding(Reason.DIGEST_MISSING, s3_uri=URI),
            originals=(
                Original(
                    s3_uri=URI + "2",
                    version_id="v1",
                    written_at=at(3),
                    gone_at=at(8),
                    fate=Fate.DELETED,
                ),
            ),
        )
        deed = hand("DeleteObjects", at(8), Touch.DELETED)

        assert told(gone, deed, replace(deed, key=KEY + "2")).events == (deed.event,)

    def test_what_was_done_to_the_bucket_is_near(self) -> None:
        altered = finding(Reason.LOG_HASH_MISMATCH, s3_uri=URI, last_modified=at(9))
        rules = hand("PutBucketVersioning", at(9) - 30 * MINUTE, Touch.RULES, key="")

        found = told(altered, rules, hand("PutObject", at(8), Touch.WRITTEN, key="other"))

        assert (found.events, found.near) == ((), (rules.event,))

    def test_who_wrote_the_lifecycle_explains_what_it_removed(self) -> None:
        expired = finding(Reason.OBJECT_EXPIRED)
        written = hand("PutBucketLifecycle", at(20), Touch.LIFECYCLE, key="")

        assert told(expired, written).events == (written.event,)
        assert told(expired, replace(written, bucket="other")).events == ()

    def test_an_unreadable_object_is_explained_where_it_was_rewritten(self) -> None:
        hidden = finding(Reason.OBJECT_UNREADABLE, s3_uri=URI, last_modified=at(9))

        written = hand("PutObject", at(9), Touch.WRITTEN)
        assert told(hidden, written).events == (written.event,)
        plain = replace(hidden, last_modified=None)
        assert question_of(plain, bucket=BUCKET, now=NOW) is None


@pytest.mark.parametrize(
    "other",
    [
        replace(GAP, outcome=Outcome.VALID),
        replace(GAP, count=2000),
        finding(Reason.KEYS_UNAVAILABLE),
        finding(Reason.DIGEST_LINK_MISMATCH, s3_uri=URI),
    ],
)
def test_what_events_do_not_explain(other: Finding) -> None:
    assert question_of(other, bucket=BUCKET, now=NOW) is None


class TestWords:
    def test_nobody_looked(self) -> None:
        assert (explained(None), restorable(GAP)) == ("", "")

    def test_who_when_and_whose_word(self) -> None:
        known = event("StopLogging", at(3), witness=EventWitness.EVENT_HISTORY, by="")

        assert explained(Explanation(events=(known,), asked=LOG_FILES, unread=1)) == (
            "explained by StopLogging by nobody named at 2026-03-01T03:00:00Z (Event history); 1 "
            "log file or events could not be searched"
        )
        assert explained(Explanation(asked=tuple(EventWitness), unread=2)) == (
            "unexplained by verified log files and the Event history; 2 log files or events could "
            "not be searched"
        )

    def test_a_hostile_name_stays_text(self) -> None:
        assert "\\u202e\\n" in explained(
            Explanation(events=(event("StopLogging", at(3), by="\u202e\n"),))
        )

    def test_what_is_left_of_it(self) -> None:
        original = Original(
            s3_uri=URI, version_id="v1", written_at=at(3), gone_at=at(8), fate=Fate.REPLACED
        )
        assert restorable(replace(GAP, versions_tried=0)) == ""
        assert restorable(replace(GAP, versions_tried=2)) == "no older version verifies (2 tried)"
        assert restorable(replace(GAP, versions_tried=1, originals=(original,))) == (
            "the original is version v1, written 2026-03-01T03:00:00Z, replaced "
            "2026-03-01T08:00:00Z: `integrity restore` prints how to bring it back"
        )
        later = replace(original, gone_at=at(9))
        assert restorable(replace(GAP, versions_tried=2, originals=(original, later))) == (
            "2 originals are left as older versions, replaced or deleted between "
            "2026-03-01T08:00:00Z and 2026-03-01T09:00:00Z: `integrity restore` prints how to "
            "bring them back"
        )
