"""What CloudWatch shows of alarms, with what it may be asked and answers."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import pytest

from integrity.aws.session import Aws
from integrity.deliver.alarms import Alarms
from integrity.lab.faults import Fault
from integrity.lab.server import LabServer
from integrity.lab.wire import Request, Response, json_response
from integrity.state import Alarm, AlarmAction, DeliveryError
from tests.deliver.conftest import TRAIL

TOPIC = "arn:aws:sns:us-east-1:123456789012:security"
LONGER = f"{TOPIC}-too"
DIMENSIONS = (("Trail", TRAIL),)
ALARM = Alarm(name="drill", topics=(TOPIC, LONGER), is_on=True, state="ALARM", why="1 > 0")
SINCE = datetime(2026, 3, 1, tzinfo=UTC)


def make_alarm(aws: Aws, name: str = "drill", trail: str = TRAIL, **more: Any) -> None:
    aws.client("cloudwatch", "us-east-1").put_metric_alarm(
        AlarmName=name,
        Namespace="N",
        MetricName="Drill",
        Dimensions=[{"Name": "Trail", "Value": trail}],
        ComparisonOperator="GreaterThanThreshold",
        Threshold=0,
        Period=60,
        EvaluationPeriods=1,
        Statistic="Maximum",
        **more,
    )


def test_the_alarms_on_one_metric_are_shown_with_their_topics(aws: Aws) -> None:
    other = "arn:aws:lambda:us-east-1:123456789012:function:f"
    make_alarm(aws, AlarmActions=[TOPIC, other], ActionsEnabled=False)
    make_alarm(aws, "of-another", trail=f"{TRAIL}-2")
    client = aws.client("cloudwatch", "us-east-1")
    client.set_alarm_state(AlarmName="drill", StateValue="ALARM", StateReason="by\nhand")

    [alarm] = Alarms(aws, "N", "us-east-1").watching("Drill", DIMENSIONS)

    assert alarm == Alarm(name="drill", topics=(TOPIC,), is_on=False, state="ALARM", why="by hand")
    assert Alarms(aws, "N", "us-east-1").watching("Other", DIMENSIONS) == []


def history(lab: LabServer, monkeypatch: pytest.MonkeyPatch, *summaries: str) -> list[Any]:
    """What moto has not: a history."""
    asked: list[Any] = []
    answer = lab._answer

    def answered(operation: str, request: Request, bucket: str, key: str) -> Response | None:
        if operation != "DescribeAlarmHistory":
            return answer(operation, request, bucket, key)
        asked.append(json.loads(request.body))
        return json_response({"AlarmHistoryItems": [{"HistorySummary": one} for one in summaries]})

    monkeypatch.setattr(lab, "_answer", answered)
    return asked


def test_what_an_alarm_did_is_told_by_topic(
    aws: Aws, lab: LabServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = history(
        lab,
        monkeypatch,
        f"Successfully executed action {TOPIC}",
        f'Failed to execute action {LONGER}. Received error: "no such\ntopic"',
    )

    told = Alarms(aws, "N", "us-east-1").told(ALARM, SINCE)

    assert told == {
        TOPIC: AlarmAction(is_taken=True, words=f"Successfully executed action {TOPIC}"),
        LONGER: AlarmAction(
            is_taken=False,
            words=f'Failed to execute action {LONGER}. Received error: "no such topic"',
        ),
    }
    assert (asked[0]["AlarmName"], asked[0]["HistoryItemType"]) == ("drill", "Action")
    assert "StartDate" in asked[0]


def test_what_was_done_in_the_end_was_done(
    aws: Aws, lab: LabServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    failed, done = f"Failed to execute action {TOPIC}", f"Successfully executed action {TOPIC}"
    for order in ((failed, done, failed), (done, failed)):
        history(lab, monkeypatch, *order, "Something else")
        told = Alarms(aws, "N", "us-east-1").told(ALARM, SINCE)
        assert told == {TOPIC: AlarmAction(is_taken=True, words=done)}


def test_a_refusal_names_the_permission(aws: Aws, lab: LabServer) -> None:
    lab.faults.append(Fault("deny", operation="DescribeAlarmsForMetric"))
    lab.faults.append(Fault("deny", operation="DescribeAlarmHistory"))
    alarms = Alarms(aws, "N", "us-east-1")
    with pytest.raises(DeliveryError, match="cloudwatch:DescribeAlarmsForMetric"):
        alarms.watching("Drill", DIMENSIONS)
    with pytest.raises(DeliveryError, match="cloudwatch:DescribeAlarmHistory on the alarm drill"):
        alarms.told(ALARM, SINCE)


def test_a_region_that_is_none_is_told(aws: Aws, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(aws, "region", None)
    with pytest.raises(DeliveryError, match="no region"):
        Alarms(aws, "N").watching("Drill", DIMENSIONS)
