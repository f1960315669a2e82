"""The service as it is configured: which trails, as whom, where records may lie, and what stops."""

from __future__ import annotations

from collections import defaultdict
from threading import Event

import pytest

from integrity.errors import AccessError
from integrity.lab import attacks
from integrity.lab.faults import Fault
from integrity.wiring.service import Service, TrailTick
from tests.service.stage import Stage

OTHER = "arn:aws:cloudtrail:us-east-1:111122223333:trail/other"
UNKNOWN_TRAIL = f"""
    [[trails]]
    trail_arn = "{OTHER}"
"""


def ticks(stage: Stage, stopping: Event | None = None) -> list[TrailTick]:
    service = stage.service()
    made = service.tick(stopping or Event())
    service.store.close()
    return made


@pytest.mark.parametrize("place", ["s3://trail-logs", "s3://trail-logs/records"])
def test_records_in_the_audited_bucket_are_refused(stage: Stage, place: str) -> None:
    assert stage.chain.bucket == "trail-logs"
    stage.records = f'place = "{place}"'

    tick = stage.tick()

    assert (tick.run, tick.status) == (None, 2)
    assert "lies in the bucket that is audited" in tick.error
    assert "records.same_bucket = true" in tick.error
    assert not [key for _, key in stage.world.objects if key.endswith(".json")]


def test_records_in_the_audited_bucket_are_kept_where_that_is_wanted(stage: Stage) -> None:
    stage.records = 'place = "s3://trail-logs/records"\nsame_bucket = true'
    for _ in range(2):
        assert stage.tick().status == 0
        stage.pass_hours()

    assert len([key for _, key in stage.world.objects if key.endswith(".json")]) == 2
    assert stage.news("operations") == []


def test_a_bucket_whose_name_goes_on_is_another_one(stage: Stage) -> None:
    stage.aws.client("s3", "us-east-1").create_bucket(Bucket="trail-logs-records")
    stage.records = 'place = "s3://trail-logs-records/x"'

    assert stage.tick().status == 0


def test_one_trail_that_cannot_be_verified_stops_no_other(stage: Stage) -> None:
    stage.other_trails = UNKNOWN_TRAIL

    bad, good = ticks(stage)

    assert (bad.trail_arn, bad.run, bad.status) == (OTHER, None, 2)
    assert "other" in bad.error
    assert (good.trail_arn, good.status, good.error) == (stage.trail_arn, 0, "")
    assert stage.metric("Heartbeat") == 1


def test_older_messages_do_not_wait_for_a_trail_that_cannot_be_verified(stage: Stage) -> None:
    stage.tick()
    stage.pass_hours()
    attacks.edit_log(stage.world, stage.newest.log_files[0])
    refused = Fault("deny", operation="Publish")
    stage.server.faults.append(refused)
    stage.tick()
    stage.server.faults.remove(refused)
    stage.server.faults.append(Fault("deny", operation="GetTrail"))
    stage.server.faults.append(Fault("deny", operation="GetCallerIdentity"))
    stage.trail_settings = 'role_arn = "arn:aws:iam::111122223333:role/nobody"'
    stage.pass_hours()

    tick = stage.tick()

    assert tick.run is None
    assert "sts:AssumeRole" in tick.error
    assert stage.news() == [("opened", "log_hash_mismatch")]


def test_a_store_that_cannot_be_used_is_an_error_of_each_trail(stage: Stage) -> None:
    (stage.folder / "state.sqlite").write_bytes(b"this is no database" * 100)
    stage.other_trails = UNKNOWN_TRAIL

    made = ticks_of(stage)

    assert [tick.run for tick in made] == [None, None]
    assert all("state.sqlite" in tick.error for tick in made)


def ticks_of(stage: Stage) -> list[TrailTick]:
    return stage.service().tick(Event())


def test_what_hinders_a_tick_after_its_record_is_said(stage: Stage) -> None:
    stage.server.faults.append(Fault("deny", operation="PutMetricData"))

    tick = stage.tick()

    assert (tick.run is not None, tick.status) == (True, 0)
    assert tick.error.startswith("metrics were not put: ")
    assert "cloudwatch:PutMetricData" in tick.error


def test_trails_whose_turn_does_not_come_are_interrupted(stage: Stage) -> None:
    stage.other_trails = UNKNOWN_TRAIL
    stopping = Event()
    stopping.set()

    made = stage.service().tick(stopping)

    assert [(tick.run, tick.status) for tick in made] == [(None, 130)] * 2


def test_a_trail_is_verified_as_its_roles(stage: Stage) -> None:
    trail, bucket = "arn:aws:iam::111122223333:role/trail", "arn:aws:iam::777788889999:role/bucket"
    stage.server.roles.add(trail, external_id="one")
    stage.server.roles.add(bucket, external_id="two")
    seen: dict[str, set[str]] = defaultdict(set)
    real = stage.server.answer

    def answer(request: object) -> object:
        seen[request.service].add(stage.server.roles.role_of(request.access_key))  # type: ignore[attr-defined]
        return real(request)  # type: ignore[arg-type]

    stage.server.answer = answer  # type: ignore[method-assign, assignment]
    stage.trail_settings = f"""
        role_arn = "{trail}"
        external_id = "one"
        bucket_role_arn = "{bucket}"
        bucket_external_id = "two"
    """
    assert stage.tick().status == 0

    assert (seen["s3"], seen["cloudtrail"]) == ({bucket}, {trail})
    assert (seen["monitoring"], seen["sns"]) == ({""}, set())


def test_the_last_attempt_is_the_oldest_of_the_trails(stage: Stage) -> None:
    service = stage.service()
    assert service.last_attempted() is None
    service.store.close()
    attempted = stage.world.now
    stage.tick()
    stage.pass_hours()

    assert last(stage) == attempted
    stage.other_trails = UNKNOWN_TRAIL
    assert last(stage) is None


def last(stage: Stage) -> object:
    service = stage.service()
    attempted = service.last_attempted()
    service.store.close()
    return attempted


def test_a_replay_leaves_alone_what_is_on_its_way(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    stage.tick()
    stage.pass_hours()
    attacks.edit_log(stage.world, stage.newest.log_files[0])

    def die(*_: object) -> None:
        raise AccessError("the process is gone")

    with monkeypatch.context() as patch:
        patch.setattr("integrity.deliver.sns.SnsTopic.deliver", die)
        assert "the process is gone" in stage.tick().error

    service: Service = stage.service()
    assert service.replay(None).due == 0
    [letter] = service.store.unsent_letters()
    assert service.replay(letter.id).due == 0
    service.store.close()
    stage.pass_hours()
    stage.tick()
    assert stage.news() == [("opened", "log_hash_mismatch")]
