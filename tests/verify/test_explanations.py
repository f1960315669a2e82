"""Who made a gap, and who touched a file: told by verified log files and by AWS's own history."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest

from integrity.chain.evidence import EventRecord, EventWitness, Explanation
from integrity.chain.findings import Outcome, Reason
from integrity.chain.limits import Limits
from integrity.chain.model import TimeWindow
from integrity.lab import attacks
from integrity.lab.attacks.logs import overwrite
from integrity.lab.events import event, log_json
from integrity.lab.signing import gzipped
from integrity.lab.world import Chain
from integrity.record import Run, decode, encode
from integrity.structs import replace
from integrity.verify import explanations as explanations_module
from tests.memory import MemoryHistory, MemoryVersions, only
from tests.scenarios.stage import HOUR, MINUTE, START
from tests.verify.stage import Stage, made

STOP = START + 5 * HOUR + 30 * MINUTE
AGAIN = STOP + 4 * HOUR
SOON = START + 30 * HOUR
BOTH = (EventWitness.LOG_FILE, EventWitness.EVENT_HISTORY)


def begun(*, now: datetime = SOON) -> Stage:
    """A chain of five hours, to be stopped."""
    return made(hours=5, logs_per_hour=1, now=now)


def gapped(**said: Any) -> Stage:
    stage = begun(**said)
    stage.world.restart_chain(stage.chain, stop=STOP, start=AGAIN, hours=3)
    return stage


def looked(stage: Stage, *, end: float = 12, **options: Any) -> Run:
    return stage.verify(0, end, history=MemoryHistory(stage.world), **options)


def told(run: Run, reason: Reason = Reason.CHAIN_GAP) -> Explanation:
    explanation = only(run, reason).explanation
    assert explanation is not None
    return explanation


def names(events: tuple[EventRecord, ...]) -> list[str]:
    return [one.event_name for one in events]


def test_a_gap_made_by_a_stop_names_the_actor_and_the_time() -> None:
    stage = gapped()

    run = looked(stage)

    gap, found = only(run, Reason.CHAIN_GAP), told(run)
    assert (gap.outcome, run.outcome) == (Outcome.UNDETERMINED, Outcome.UNDETERMINED)
    assert (names(found.events), found.unread) == (["StopLogging", "StartLogging"], 0)
    stop = found.events[0]
    known = next(e for e in stage.world.administration if e["eventName"] == "StopLogging")
    assert (stop.time, stop.by) == (STOP, known["userIdentity"]["arn"])
    log = next(one for one in stage.chain.log_files if one.newest == STOP)
    assert (stop.s3_uri, stop.sha256) == (f"s3://{log.bucket}/{log.key}", log.sha256)
    assert (stop.witness, found.asked) == (EventWitness.LOG_FILE, BOTH)
    assert decode(encode(run)) == run


def test_an_explanation_changes_nothing_else_of_the_record() -> None:
    stage = gapped()

    run = looked(stage)
    plain = stage.verify(0, 12)

    without = [replace(finding, explanation=None) for finding in run.findings]
    assert without == [replace(finding, explanation=None) for finding in plain.findings]
    assert replace(run, findings=()) == replace(plain, findings=())
    assert told(plain).asked == (EventWitness.LOG_FILE,)


def test_a_gap_made_by_deleting_is_not_explained_away() -> None:
    """The stop is known to AWS's history, and came hours after the gap began."""
    stage = gapped()
    attacks.launder_gap(stage.world, stage.chain, 3)

    found = told(looked(stage))

    assert found.events == ()
    assert "StartLogging" in names(found.near)


def test_the_history_explains_what_no_log_file_does() -> None:
    """The log file that records the stop is edited, and verified no more."""
    stage = gapped()
    log = next(one for one in stage.chain.log_files if one.newest == STOP)
    attacks.edit_log(stage.world, log)

    found = told(looked(stage))

    assert [(one.event_name, one.witness) for one in found.events] == [
        ("StopLogging", EventWitness.EVENT_HISTORY),
        ("StartLogging", EventWitness.LOG_FILE),
    ]
    assert found.unread == 1


def tell(stage: Stage, at: datetime, **said: Any) -> None:
    """A call that the home region's next log file records, of a chain that ends without one."""
    stage.world.call(stage.chain, "StopLogging", at=at, **said)
    stage.world.stop_chain(stage.chain, stop=STOP, by="")
    stage.chain.logging_since = AGAIN
    stage.world.restart_chain(stage.chain, stop=STOP, start=AGAIN, hours=3)


def of_another_trail(stage: Stage) -> None:
    tell(stage, STOP - MINUTE, request={"name": "other"})


def of_a_failed_call(stage: Stage) -> None:
    tell(stage, STOP - MINUTE, error="AccessDenied")


def after_the_gap(stage: Stage) -> None:
    stage.world.stop_chain(stage.chain, stop=STOP, by="")
    stage.world.restart_chain(stage.chain, stop=STOP, start=AGAIN, hours=1)
    stage.world.call(stage.chain, "StopLogging", at=AGAIN + 90 * MINUTE)
    stage.world.continue_chain(stage.chain, hours=2)


def in_an_unverified_file(stage: Stage) -> None:
    stage.world.stop_chain(stage.chain, stop=STOP, by="")
    stage.world.restart_chain(stage.chain, stop=STOP, start=AGAIN, hours=3)
    forged = event(
        stage.chain.rng,
        account_id=stage.chain.account_id,
        region=stage.chain.region,
        at=STOP,
        source="cloudtrail.amazonaws.com",
        name="StopLogging",
        request={"name": stage.trail.arn},
    )
    planted = attacks.plant_log(stage.world, stage.chain, newest=STOP)
    overwrite(stage.world, planted, gzipped(log_json([forged])))
    named = stage.chain.digests[5].log_files[0]
    overwrite(stage.world, named.address, gzipped(log_json([forged])))


@pytest.mark.parametrize(
    "play", [of_another_trail, of_a_failed_call, after_the_gap, in_an_unverified_file]
)
def test_what_explains_nothing(play: Callable[[Stage], None]) -> None:
    stage = begun()
    play(stage)

    assert told(looked(stage)).events == ()


def test_a_trail_that_is_off_is_told_with_who_switched_it_off() -> None:
    stage = begun()
    stage.world.stop_chain(stage.chain, stop=STOP)

    run = looked(stage, end=20)

    assert names(told(run, Reason.TRAIL_OFF).events) == ["StopLogging"]


def test_validation_switched_off_is_told_with_who_did_it() -> None:
    stage = begun()
    request = {"name": "main", "enableLogFileValidation": False}
    stage.world.call(stage.chain, "UpdateTrail", at=STOP - MINUTE, request=request)
    stage.world.stop_chain(stage.chain, stop=STOP, by="")
    stage.trail.validation = False

    assert names(told(looked(stage), Reason.TRAIL_OFF).events) == ["UpdateTrail"]


def test_a_stale_head_is_explained_by_what_came_before_its_end() -> None:
    """AWS says that the trail logs again; what it wrote since is gone, and nobody says who did."""
    stage = begun()
    stage.world.stop_chain(stage.chain, stop=STOP)
    stage.world.status(stage.trail, "us-east-1").is_logging = True

    assert names(told(looked(stage), Reason.HEAD_STALE).events) == ["StopLogging"]
    assert names(told(stage.verify(8, 12), Reason.NO_DIGESTS).events) == ["StopLogging"]


class TestWhoIsAsked:
    def test_nobody_where_nothing_is_found(self) -> None:
        stage, history = made(hours=12, logs_per_hour=1), MemoryHistory(made().world)

        assert stage.verify(0, 12, history=history).findings == ()
        assert history.asked == []

    def test_the_history_once_for_all_findings_and_only_for_calls_that_matter(self) -> None:
        stage = gapped()
        attacks.delete_log(stage.world, stage.chain.digests[2].log_files[0])
        history = MemoryHistory(stage.world)

        stage.verify(0, 12, history=history)

        ((region, asked, window),) = history.asked
        assert region == "us-east-1"
        assert {"StopLogging", "PutEventSelectors", "PutBucketPolicy"} <= set(asked)
        assert window == TimeWindow(stage.world.now - timedelta(days=90), stage.world.now)

        gap, history = gapped(), MemoryHistory(stage.world)
        gap.verify(0, 12, history=history)
        assert not [name for name in history.asked[0][1] if name.startswith("PutBucket")]

    def test_who_may_not_is_a_note_and_no_finding(self) -> None:
        stage = gapped()

        run = stage.verify(0, 12, history=MemoryHistory(stage.world, is_refused=True))

        assert [finding.reason for finding in run.findings] == [Reason.CHAIN_GAP]
        assert told(run).asked == (EventWitness.LOG_FILE,)
        assert run.population.notes[-1].startswith("LookupEvents, for explanations: cloudtrail:Loo")

    def test_a_history_that_had_more_is_not_whole(self) -> None:
        stage = gapped()

        assert told(stage.verify(0, 12, history=MemoryHistory(stage.world, more=True))).unread == 1

    def test_no_history_of_another_account(self) -> None:
        stage, history = gapped(), MemoryHistory(made().world)

        run = stage.verify(0, 12, history=history, caller="999999999999")

        assert history.asked == []
        assert told(run).asked == (EventWitness.LOG_FILE,)

    def test_no_history_of_what_is_older_than_it(self) -> None:
        stage = gapped(now=START + timedelta(days=100))
        history = MemoryHistory(stage.world)

        run = stage.verify(0, 12, history=history)

        assert history.asked == []
        assert names(told(run).events) == ["StopLogging", "StartLogging"]

    def test_a_window_that_reaches_into_it_is_asked_for_what_it_keeps(self) -> None:
        stage = gapped(now=AGAIN + timedelta(days=90) - 2 * HOUR)
        history = MemoryHistory(stage.world)

        run = stage.verify(0, 12, history=history)

        assert len(history.asked) == 1
        assert told(run).asked == (EventWitness.LOG_FILE,)

    def test_no_log_files_where_none_are_to_be_read(self) -> None:
        stage = gapped()
        run = looked(stage, log_files=False)
        assert told(run).asked == (EventWitness.EVENT_HISTORY,)
        plain = only(stage.verify(0, 12, log_files=False), Reason.CHAIN_GAP)
        assert plain.explanation is None

    @pytest.mark.parametrize("options", [{"accepting": True}])
    def test_nobody_while_a_person_settles_it(self, options: dict[str, Any]) -> None:
        stage = gapped()
        assert only(looked(stage, **options), Reason.CHAIN_GAP).explanation is None


class TestBounds:
    def test_so_many_hours_are_read(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(explanations_module, "_MOST_HOURS", 1)
        found = told(gapped().verify(0, 12))
        assert (names(found.events), found.unread) == (["StopLogging"], 1)

    def test_so_many_findings_are_explained(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(explanations_module, "MOST_EXPLAINED", 1)
        stage = gapped()
        attacks.delete_log(stage.world, stage.chain.digests[2].log_files[0])

        run = looked(stage)

        assert only(run, Reason.LOG_MISSING).explanation is not None
        assert only(run, Reason.CHAIN_GAP).explanation is None

    def test_a_log_file_that_cannot_be_searched_is_counted(self) -> None:
        found = told(gapped().verify(0, 12, limits=Limits(max_searched_bytes=100)))

        assert found.events == ()
        assert found.unread > 0


# Objects


def data_event(chain: Chain, name: str, key: str, at: datetime) -> dict[str, Any]:
    told = event(
        chain.rng,
        account_id=chain.account_id,
        region=chain.region,
        at=at,
        source="s3.amazonaws.com",
        name=name,
        request={"bucketName": chain.bucket, "key": key},
    )
    chain.announcements.append(told)
    return told


def test_a_data_event_names_who_deleted_a_file_and_who_edited_one() -> None:
    stage = made(hours=10, logs_per_hour=1, now=START + 10 * HOUR + 40 * MINUTE)
    world, chain = stage.world, stage.chain
    world.objects.enable_versioning(chain.bucket)
    gone, edited = chain.digests[2].log_files[0], chain.digests[3].log_files[0]
    attacks.delete_log(world, gone)
    attacks.edit_log(world, edited)
    deleted = data_event(chain, "DeleteObject", gone.key, world.now)
    put = data_event(chain, "PutObject", edited.key, world.now)
    data_event(chain, "DeleteObject", chain.digests[5].log_files[0].key, world.now)
    world.continue_chain(chain, hours=4)
    world.advance(START + 16 * HOUR)

    run = stage.verify(0, 12, versions=MemoryVersions(world))

    who = told(run, Reason.LOG_MISSING).events
    assert [(one.event_name, one.by) for one in who] == [
        ("DeleteObject", deleted["userIdentity"]["arn"])
    ]
    who = told(run, Reason.LOG_HASH_MISMATCH).events
    assert [(one.event_name, one.by) for one in who] == [("PutObject", put["userIdentity"]["arn"])]


def test_what_no_digest_covers_yet_was_not_searched() -> None:
    stage = made(hours=10, logs_per_hour=1, now=START + 10 * HOUR + 40 * MINUTE)
    attacks.edit_log(stage.world, stage.chain.digests[3].log_files[0])

    found = told(stage.verify(0, 8), Reason.LOG_HASH_MISMATCH)

    assert (found.events, found.unread) == ((), 1)
