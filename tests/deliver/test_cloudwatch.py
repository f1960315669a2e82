"""CloudWatch: what was put can be read again."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from integrity.aws.session import Aws
from integrity.deliver.cloudwatch import Metrics
from integrity.lab.faults import Fault
from integrity.lab.server import LabServer
from integrity.state import Datapoint, DeliveryError, Unit

NOW = datetime(2026, 3, 5, 12, 0, tzinfo=UTC)
TRAIL = (("Trail", "arn:aws:cloudtrail:us-east-1:111122223333:trail/main"),)


def test_datapoints_arrive_with_their_dimensions(aws: Aws) -> None:
    Metrics(aws, "CloudTrailIntegrity", "us-east-1").put(
        [Datapoint("Gaps", 2.0, Unit.COUNT, NOW, TRAIL)]
    )

    answer = aws.client("cloudwatch", "us-east-1").get_metric_statistics(
        Namespace="CloudTrailIntegrity",
        MetricName="Gaps",
        Dimensions=[{"Name": "Trail", "Value": TRAIL[0][1]}],
        StartTime=NOW - timedelta(hours=1),
        EndTime=NOW + timedelta(hours=1),
        Period=3600,
        Statistics=["Maximum"],
    )
    [point] = answer["Datapoints"]
    assert (point["Maximum"], point["Unit"]) == (2.0, "Count")


def test_many_go_in_as_few_requests_as_aws_takes(lab: LabServer, aws: Aws) -> None:
    points = [Datapoint("Gaps", 0.0, Unit.COUNT, NOW, (("Trail", str(n)),)) for n in range(1_001)]

    Metrics(aws, "CloudTrailIntegrity", "us-east-1").put(points)

    assert lab.requests.by_operation["PutMetricData"] == 3


def test_a_refusal_names_the_permission(lab: LabServer, aws: Aws) -> None:
    lab.faults.append(Fault("deny", operation="PutMetricData"))

    with pytest.raises(DeliveryError, match="cloudwatch:PutMetricData"):
        Metrics(aws, "CloudTrailIntegrity", "us-east-1").put(
            [Datapoint("Gaps", 0.0, Unit.COUNT, NOW, TRAIL)]
        )


def test_throttling_is_asked_again(lab: LabServer, aws: Aws) -> None:
    lab.faults.append(Fault("throttle", operation="PutMetricData", last=1))

    Metrics(aws, "CloudTrailIntegrity", "us-east-1").put(
        [Datapoint("Gaps", 0.0, Unit.COUNT, NOW, TRAIL)]
    )
