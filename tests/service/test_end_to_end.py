"""The service from end to end: lab trail, real stores, SNS and CloudWatch on a server."""

from __future__ import annotations

import json
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


def test_a_throttled_night_wakes_nobody_from_security(stage: Stage) -> None:
    stage.tick()
    stage.server.faults.append(Fault("throttle", operation="GetObject", key="CloudTrail/"))
    for _ in range(4):
        stage.pass_hours()
        assert stage.tick().status == 3

    assert stage.mail() == []
    assert [reason for _, reason in stage.news("operations")] == ["object_unreadable"]
