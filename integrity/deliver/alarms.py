"""What CloudWatch shows of its alarms: which watch a metric, and what became of their actions.

It only looks. (AWS: CloudWatch API_DescribeAlarmsForMetric, API_DescribeAlarmHistory; Alarm events
and EventBridge: an action that fails stands in the alarm's history and nowhere else.)
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from integrity.aws.refusal import REFUSALS, Call, explain
from integrity.aws.session import Aws
from integrity.errors import UsageError
from integrity.state import Alarm, AlarmAction, DeliveryError

_ALL = "for the metrics of {namespace}"
_FAILED = "Failed"
_MOST_WORDS = 400
_MOST_ITEMS = 100


class Alarms:
    """The alarms on a namespace's metrics in one region."""

    def __init__(self, aws: Aws, namespace: str, region: str | None = None) -> None:
        self._aws, self._namespace, self._region = aws, namespace, region

    def watching(self, name: str, dimensions: tuple[tuple[str, str], ...]) -> Sequence[Alarm]:
        """The alarms on exactly this metric. Raises DeliveryError where they are not shown."""
        wanted = [{"Name": key, "Value": value} for key, value in dimensions]
        answer = self._ask(
            "DescribeAlarmsForMetric",
            "on *",
            "describe_alarms_for_metric",
            Namespace=self._namespace,
            MetricName=name,
            Dimensions=wanted,
        )
        return [_alarm(one) for one in answer["MetricAlarms"] if one.get("Dimensions") == wanted]

    def told(self, alarm: Alarm, since: datetime) -> Mapping[str, AlarmAction]:
        """What became of its actions since, by topic. Raises DeliveryError where it is not shown.

        One that was done once counts as done, whatever else happened.
        """
        answer = self._ask(
            "DescribeAlarmHistory",
            f"on the alarm {alarm.name}",
            "describe_alarm_history",
            AlarmName=alarm.name,
            HistoryItemType="Action",
            StartDate=since,
            MaxRecords=_MOST_ITEMS,
        )
        told: dict[str, AlarmAction] = {}
        for item in answer["AlarmHistoryItems"]:
            words = " ".join(item.get("HistorySummary", "").split())[:_MOST_WORDS]
            for arn in alarm.topics:
                # The ARN, and not that of a topic whose name begins like it.
                if arn in words.replace('"', " ").replace(". ", " ").split():
                    action = AlarmAction(not words.startswith(_FAILED), words)
                    if arn not in told or action.is_taken:
                        told[arn] = action
        return told

    def _ask(self, operation: str, where: str, method: str, **asked: Any) -> dict[str, Any]:
        call = Call(f"cloudwatch:{operation}", where)
        try:
            client = self._aws.client("cloudwatch", self._region)
            answer: dict[str, Any] = getattr(client, method)(**asked)
        except REFUSALS as error:
            raise DeliveryError(explain(error, call)) from error
        except UsageError as error:
            raise DeliveryError(str(error)) from error
        return answer


def _alarm(one: dict[str, Any]) -> Alarm:
    actions = one.get("AlarmActions", ())
    return Alarm(
        name=one["AlarmName"],
        topics=tuple(arn for arn in actions if arn.split(":")[2:3] == ["sns"]),
        is_on=one.get("ActionsEnabled", True),
        state=one["StateValue"],
        why=" ".join(one.get("StateReason", "").split())[:_MOST_WORDS] or "no reason is given",
    )
