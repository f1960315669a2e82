"""Metrics in CloudWatch. (AWS: CloudWatch API_PutMetricData and its quotas.)"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from integrity.aws.refusal import REFUSALS, Call, explain
from integrity.aws.session import Aws
from integrity.errors import UsageError
from integrity.state import Datapoint, DeliveryError

_MOST_PER_REQUEST = 500
"""AWS takes 1,000 and 1 MB a request, gzipped; half of that stays below 1 MB with any names."""


class Metrics:
    """A namespace of CloudWatch in one region."""

    def __init__(self, aws: Aws, namespace: str, region: str | None = None) -> None:
        self._aws, self._namespace, self._region = aws, namespace, region

    def put(self, datapoints: Iterable[Datapoint]) -> None:
        """Put them all, as few at a time as AWS takes. Raises DeliveryError where it refuses."""
        data = [_datum(datapoint) for datapoint in datapoints]
        for start in range(0, len(data), _MOST_PER_REQUEST):
            self._put(data[start : start + _MOST_PER_REQUEST])

    def _put(self, data: list[dict[str, Any]]) -> None:
        call = Call("cloudwatch:PutMetricData", f"into the namespace {self._namespace}")
        try:
            client = self._aws.client("cloudwatch", self._region)
            client.put_metric_data(Namespace=self._namespace, MetricData=data)
        except REFUSALS as error:
            raise DeliveryError(explain(error, call)) from error
        except UsageError as error:
            raise DeliveryError(str(error)) from error


def _datum(datapoint: Datapoint) -> dict[str, Any]:
    return {
        "MetricName": datapoint.name,
        "Dimensions": [{"Name": name, "Value": value} for name, value in datapoint.dimensions],
        "Timestamp": datapoint.at,
        "Value": datapoint.value,
        "Unit": datapoint.unit.value,
    }
