"""What `integrity drill` will look at: the alarm on its metric, and that alarm's history.

Only looked up, which is all that a drill does with them. The topics are looked up as places to tell
(`telling`). Whether a mail arrives shows in a drill.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import Any

from integrity.doctor.asking import Asker, Need, Refused
from integrity.doctor.check import Check, Trial, passed, skipped
from integrity.state import Datapoint

_WITHOUT = "only `integrity drill` needs it: without it a drill does not see that hop"


def examine_drill(
    asker: Asker,
    point: Datapoint,
    namespace: str,
    region: str | None,
) -> Iterator[Check]:
    """Whether a drill could see its alarm."""
    client, metric = asker.aws.client("cloudwatch", region), point.name
    finding = Need("cloudwatch:DescribeAlarmsForMetric", "*")
    answer = asker.ask(
        finding,
        lambda: client.describe_alarms_for_metric(
            Namespace=namespace,
            MetricName=metric,
            Dimensions=[{"Name": name, "Value": value} for name, value in point.dimensions],
        ),
    )
    if isinstance(answer, Refused):
        yield answer.check(finding.action, f"{namespace} {metric}", todo=_WITHOUT)
    else:
        alarms = [(one["AlarmName"], one["AlarmArn"]) for one in answer["MetricAlarms"]]
        said = f"alarms on it: {', '.join(name for name, _ in alarms) or 'none'}"
        yield passed(finding.action, f"{namespace} {metric}", said, trial=Trial.LOOKED_UP)
        yield from _examine_histories(asker, client, alarms)


def _examine_histories(asker: Asker, client: Any, alarms: list[tuple[str, str]]) -> Iterator[Check]:
    for name, arn in alarms:
        need = Need("cloudwatch:DescribeAlarmHistory", arn)
        answer = asker.ask(
            need, partial(client.describe_alarm_history, AlarmName=name, MaxRecords=1)
        )
        if isinstance(answer, Refused):
            yield answer.check(need.action, arn, todo=_WITHOUT)
        else:
            said = "what it did can be seen"
            yield passed(need.action, arn, said, trial=Trial.LOOKED_UP)
    if not alarms:
        yield skipped("cloudwatch:DescribeAlarmHistory", "a drill's alarm", "there is none")
