"""The service from end to end: lab trail, real stores, SNS and CloudWatch on a server."""

from __future__ import annotations

import json
from threading import Event

import pytest

from integrity.lab import attacks
from integrity.lab.faults import Fault
from tests.service.stage import Stage


def test_an_attack_is_told_once_and_its_end_too(stage: Stage) -> None:
    clean = stage.tick()

    assert (clean.status, stage.mail(), stage.metric("Heartbeat")) == (0, [], 1)
    assert stage.metric("LogFilesInvalid") == 0

    stage.pass_hours()
    before = stage.world.copy()
    log = stage.newest.log_files[0]
    attacks.edit_log(stage.world, log)
    hit = stage.tick()

    assert hit.status == 1
    assert (stage.metric("Heartbeat"), stage.metric("LogFilesInvalid")) == (1, 1)
    [envelope] = stage.mail()
    facts = json.loads(envelope["Message"])
    assert facts["reason"] == "log_hash_mismatch"
    assert facts["subjects"] == [f"s3://{log.bucket}/{log.key}"]
    assert envelope["Subject"].isascii()

    stage.pass_hours()
    stage.tick()

    assert (stage.mail(), stage.metric("Heartbeat")) == ([], 1)
    assert stage.metric("OpenInvalidIncidents") == 1

    stage.world.objects[log.address] = before.objects[log.address]
    stage.pass_hours()
    healed = stage.tick()

    assert healed.status == 0
    assert stage.news() == [("resolved", "log_hash_mismatch")]
    assert stage.metric("OpenInvalidIncidents") == 0


def test_a_topic_that_refuses_delays_messages_and_never_verdicts(stage: Stage) -> None:
    stage.tick()
    fault = Fault("deny", operation="Publish")
    stage.server.faults.append(fault)
    attacks.edit_log(stage.world, stage.newest.log_files[0])
    for _ in range(3):
        stage.pass_hours()

        assert stage.tick().status == 1
        assert stage.metric("Heartbeat") == 1
        assert (stage.metric("MessagesDue"), stage.metric("MessagesSent")) == (1, 0)

    stage.server.faults.remove(fault)
    stage.pass_hours()
    stage.tick()

    assert stage.news() == [("opened", "log_hash_mismatch")]
    stage.pass_hours()
    stage.tick()
    assert stage.news() == []


@pytest.mark.slow
def test_a_throttled_night_wakes_nobody_from_security(stage: Stage) -> None:
    stage.tick()
    stage.server.faults.append(Fault("throttle", operation="GetObject", key="CloudTrail/"))
    for _ in range(4):
        stage.pass_hours()
        assert stage.tick().status == 3

    assert stage.mail() == []
    assert [reason for _, reason in stage.news("operations")] == ["object_unreadable"]


def test_denied_keys_and_listings_wake_operations_alone(stage: Stage) -> None:
    stage.tick()
    stage.server.faults.append(Fault("deny", operation="ListPublicKeys"))
    for _ in range(3):
        stage.pass_hours()
        assert stage.tick().status == 3

    assert stage.mail() == []
    assert stage.news("operations") == [("opened", "keys_unavailable")]


def test_logging_that_was_stopped_reaches_security_at_the_next_tick(stage: Stage) -> None:
    stage.tick()
    stage.pass_hours()
    stage.world.stop_chain(stage.chain)
    stage.tick()

    assert stage.news() == [("opened", "trail_off")]


def test_validation_that_was_switched_off_reaches_security_at_the_next_tick(stage: Stage) -> None:
    stage.tick()
    stage.pass_hours()
    stage.world.trails[0].validation = False
    stage.tick()

    assert stage.news() == [("opened", "trail_off")]


def test_a_trail_that_was_deleted_reaches_security_at_the_next_tick(stage: Stage) -> None:
    stage.tick()
    stage.pass_hours()
    stage.world.trails[0].deleted = True
    gone = stage.tick()

    assert gone.run is not None
    assert stage.news() == [("opened", "trail_off")]


def test_a_head_cut_below_the_checkpoint_reaches_security_at_the_next_tick(stage: Stage) -> None:
    """Nobody but the store knows of it: AWS may not be asked."""
    stage.server.faults.append(Fault("deny", operation="GetTrailStatus"))
    stage.tick()
    attacks.cut_head(stage.world, stage.chain, 2)
    stage.pass_hours(0)
    stage.tick()

    assert ("opened", "head_rewound") in stage.news()


def test_a_person_accepts_what_the_bucket_holds_now(stage: Stage) -> None:
    stage.tick()
    lost = stage.newest
    del stage.world.objects[lost.address]
    stage.tick()
    assert stage.news() == [("opened", "head_rewound")]

    service = stage.service()
    run = service.accept(stage.trail_arn, "moved by hand, change 4711", Event())
    service.store.close()

    [accepted] = run.accepted
    assert accepted.old.s3_uri == f"s3://{lost.bucket}/{lost.key}"
    assert (accepted.reason, accepted.accepted_by) == (
        "moved by hand, change 4711",
        run.run.caller_arn,
    )
    stage.pass_hours()
    stage.tick()
    assert ("resolved", "head_rewound") in stage.news()


def test_a_store_that_was_lost_tells_operations(stage: Stage) -> None:
    for _ in range(2):
        stage.tick()
        stage.pass_hours()
    (stage.folder / "state.sqlite").unlink()
    stage.tick()

    assert stage.news("operations") == [("noted", "state_lost")]


def test_a_store_from_a_backup_tells_operations(stage: Stage) -> None:
    stage.tick()
    old = (stage.folder / "state.sqlite").read_bytes()
    for _ in range(2):
        stage.pass_hours()
        stage.tick()
    (stage.folder / "state.sqlite").write_bytes(old)
    stage.pass_hours()
    stage.tick()

    assert stage.news("operations") == [("noted", "state_lost")]
