"""Events seen live, held against the log files that were signed, on a world in memory."""

from __future__ import annotations

import gzip
import json
from datetime import datetime, timedelta
from threading import Event
from typing import Any

import pytest

from integrity.chain.findings import Outcome, Reason
from integrity.chain.limits import Limits
from integrity.chain.model import S3Location, TimeWindow, VerifiedEvent
from integrity.errors import AccessError
from integrity.incidents.looks import Look
from integrity.lab import attacks
from integrity.service.reconcile import Waiting
from integrity.state import Sighting
from integrity.structs import replace
from tests.memory_store import MemorySightings
from tests.service.memory_stage import MemoryStage, begun

HOUR = timedelta(hours=1)
DAY = timedelta(days=1)
MADE_UP = "00000000-1111-4222-8333-444444444444"


@pytest.fixture
def stage() -> MemoryStage:
    return begun()


def recorded(stage: MemoryStage, *, newest: bool = True) -> dict[str, Any]:
    """An event of a log file that was delivered."""
    log = stage.newest.log_files[0] if newest else stage.world.chains[0].log_files[2]
    content = gzip.decompress(stage.world.objects[log.address].body)
    event: dict[str, Any] = json.loads(content)["Records"][0]
    return event


def see(stage: MemoryStage, event: dict[str, Any], **changes: Any) -> Sighting:
    """The event is seen live, now."""
    seen = Sighting(
        trail_arn=stage.trail.arn,
        event_id=event["eventID"],
        event_name=event["eventName"],
        account_id=event["recipientAccountId"],
        region=event["awsRegion"],
        time=datetime.fromisoformat(event["eventTime"]),
        seen_at=stage.world.now,
    )
    seen = replace(seen, **changes)
    stage.store.sightings.remember([seen])
    return seen


def waiting(stage: MemoryStage) -> list[str]:
    return [one.event_id for one in stage.store.sightings.waiting(stage.trail.arn, stage.world.now)]


def ticks(stage: MemoryStage, hours: int) -> list[tuple[str, str]]:
    """What security hears in so many hourly ticks."""
    for _ in range(hours):
        stage.pass_hours()
        assert stage.tick().trouble == ""
    return stage.boxes["security"].news


def test_an_event_that_the_next_tick_finds_is_confirmed_without_a_word(stage: MemoryStage) -> None:
    stage.tick()
    stage.pass_hours()
    see(stage, recorded(stage))

    stage.tick()

    assert waiting(stage) == []
    assert stage.looks == []
    assert stage.boxes["security"].news == []


def test_an_event_that_no_log_file_holds_is_told_once_its_day_is_over(stage: MemoryStage) -> None:
    stage.tick()
    seen = see(stage, recorded(stage) | {"eventID": MADE_UP})

    assert ticks(stage, 23) == []
    assert ticks(stage, 2) == [("noted", "event_unconfirmed")]
    assert ticks(stage, 30) == []

    [incident] = stage.store.load(stage.trail.arn).incidents
    assert (incident.reason, incident.outcome) == ("event_unconfirmed", Outcome.UNDETERMINED)
    assert (incident.account_id, incident.region) == (seen.account_id, seen.region)
    assert incident.finding is not None
    assert MADE_UP in incident.finding.message
    assert incident.subjects == (incident.finding.first,)


def test_the_record_has_the_finding_and_the_main_verdict_stays(stage: MemoryStage) -> None:
    stage.tick()
    see(stage, recorded(stage) | {"eventID": MADE_UP})
    ticks(stage, 23)
    stage.pass_hours()

    run = stage.tick().run

    assert run.outcome is Outcome.VALID
    [look] = run.looks
    assert look.outcome is Outcome.UNDETERMINED
    assert [one.reason for one in look.findings] == [Reason.EVENT_UNCONFIRMED]


def test_what_was_heard_before_it_was_seen_is_looked_for_again(stage: MemoryStage) -> None:
    stage.tick()
    event = recorded(stage, newest=False)
    see(stage, event)

    assert ticks(stage, 26) == []

    assert waiting(stage) == []


def test_several_of_one_region_are_looked_for_together(stage: MemoryStage) -> None:
    stage.tick()
    event = recorded(stage)
    see(stage, event | {"eventID": MADE_UP})
    see(stage, event | {"eventID": MADE_UP.replace("1111", "2222")})
    ticks(stage, 23)
    stage.pass_hours()

    stage.tick()

    assert len(stage.looks) == 1
    [incident] = stage.store.load(stage.trail.arn).incidents
    assert incident.count == 2


def test_an_event_of_another_trails_account_or_region_is_nobodys(stage: MemoryStage) -> None:
    stage.tick()
    event = recorded(stage) | {"eventID": MADE_UP}
    see(stage, event, account_id="999988887777")
    see(stage, event | {"eventID": MADE_UP.replace("1111", "2222")}, region="eu-west-1")

    assert ticks(stage, 50) == []
    assert stage.looks == []


def test_hours_that_are_not_proven_speak_for_themselves(stage: MemoryStage) -> None:
    stage.tick()
    see(stage, recorded(stage) | {"eventID": MADE_UP})
    stage.pass_hours(2)
    attacks.edit_log(stage.world, stage.newest.log_files[0])

    told = ticks(stage, 26)

    assert "event_unconfirmed" not in {reason for _, reason in told}
    assert waiting(stage) == [MADE_UP]


def test_it_is_looked_for_again_each_day_and_a_late_log_file_confirms_it(
    stage: MemoryStage,
) -> None:
    stage.tick()
    event = recorded(stage)
    log = stage.newest.log_files[0]
    body = stage.world.objects.pop(log.address)
    see(stage, event)
    told = ticks(stage, 26)
    assert "event_unconfirmed" not in {reason for _, reason in told}
    stage.world.objects[log.address] = body

    ticks(stage, 26)

    assert waiting(stage) == []


def test_nothing_is_said_where_something_was_left_out(stage: MemoryStage) -> None:
    stage.tick()
    see(stage, recorded(stage) | {"eventID": MADE_UP})
    stage.asked["limits"] = Limits(max_searched_bytes=10)

    assert ticks(stage, 26) == []


def test_after_thirty_days_nobody_looks_any_more(stage: MemoryStage) -> None:
    stage.tick()
    event = recorded(stage) | {"eventID": MADE_UP}
    see(stage, event, seen_at=stage.world.now - 30 * DAY)

    assert ticks(stage, 2) == []
    assert stage.looks == []


def test_the_patience_is_configuration(stage: MemoryStage) -> None:
    stage.settings["unconfirmed_after"] = 3 * HOUR
    stage.tick()
    see(stage, recorded(stage) | {"eventID": MADE_UP})

    assert ticks(stage, 2) == []
    assert ticks(stage, 3) == [("noted", "event_unconfirmed")]


def test_a_store_that_does_not_forget_is_trouble_and_loses_nothing(
    stage: MemoryStage, monkeypatch: pytest.MonkeyPatch
) -> None:
    stage.tick()
    stage.pass_hours()
    see(stage, recorded(stage))

    def refuse(*_: object) -> None:
        raise AccessError("the store is down")

    with monkeypatch.context() as patch:
        patch.setattr(MemorySightings, "forget", refuse)
        assert "the store is down" in stage.tick().trouble
    assert len(waiting(stage)) == 1

    ticks(stage, 26)

    assert waiting(stage) == []


def test_a_look_that_was_broken_off_says_nothing(stage: MemoryStage) -> None:
    see(stage, recorded(stage) | {"eventID": MADE_UP}, seen_at=stage.world.now - DAY)
    look = Look("111122223333", "us-east-1", stage_window(stage), ())
    stopping = Event()
    seen = stage.look(look, known=(), rules=(), stopping=stopping)
    broken = replace(seen, run=replace(seen.run, run=replace(seen.run.run, interrupted=True)))
    waits = of(stage)

    assert waits.judge(broken).findings == ()
    assert [one.reason for one in waits.judge(seen).findings] == [Reason.EVENT_UNCONFIRMED]


def test_a_narrow_run_proves_no_hours_that_it_did_not_look_at(stage: MemoryStage) -> None:
    see(stage, recorded(stage) | {"eventID": MADE_UP}, seen_at=stage.world.now - DAY)
    window = stage_window(stage)
    look = Look("111122223333", "us-east-1", TimeWindow(window.start + HOUR, window.end), ())

    run = of(stage).judge(stage.look(look, known=(), rules=(), stopping=Event()))

    assert run.findings == ()


def test_what_is_no_event_confirms_nothing(stage: MemoryStage) -> None:
    event = recorded(stage)
    see(stage, event)
    look = Look("111122223333", "us-east-1", stage_window(stage), ())
    seen = stage.look(look, known=(), rules=(), stopping=Event())
    place = S3Location("trail-logs", "a log")
    odd = [b'{"eventID": 5}', b"\xff", b'{"eventID": "another"}', b"{}"]
    asked = tuple(VerifiedEvent(raw, place, "a sha256", place) for raw in odd)
    waits = of(stage)

    waits.hear(replace(seen, asked=asked))
    waits.settle()

    assert waiting(stage) == [event["eventID"]]


def stage_window(stage: MemoryStage) -> TimeWindow:
    """What the newest log file's events need, of a day ago."""
    start = datetime.fromisoformat(recorded(stage)["eventTime"])
    start = start.replace(minute=0, second=0) - DAY
    return TimeWindow(start, start + DAY)


def of(stage: MemoryStage) -> Waiting:
    sightings = stage.store.sightings
    for one in list(sightings.kept.values()):
        sightings.kept[one.trail_arn, one.event_id] = replace(one, time=one.time - DAY)
    return Waiting(sightings, stage.trail.arn, after=DAY, now=stage.world.now)
