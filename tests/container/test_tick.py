"""One tick in the image, as a scheduled task makes it: the argument `run`, nothing kept beside."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any

import boto3
import pytest

from integrity.lab.server import LabServer
from integrity.lab.world import World
from tests.container.engine import Engine

pytestmark = pytest.mark.slow

RUN = ("run",)
"""What a task definition gives as the command."""

TABLE, BUCKET = "integrity", "records-of-ticks"


@pytest.fixture
def credentials(watched_lab: LabServer) -> Mapping[str, str]:
    """As whom the container works: here the trail's own account, with every right."""
    return watched_lab.environment


@pytest.fixture
def aws(watched_lab: LabServer) -> Any:
    """Clients of the lab, for what is made before and looked at afterwards."""
    environment = watched_lab.environment

    def client(service: str) -> Any:
        make: Any = boto3.session.Session().client
        return make(
            service,
            endpoint_url=watched_lab.endpoint,
            region_name=environment["AWS_REGION"],
            aws_access_key_id=environment["AWS_ACCESS_KEY_ID"],
            aws_secret_access_key=environment["AWS_SECRET_ACCESS_KEY"],
        )

    return client


@pytest.fixture
def configured(aws: Any, watched: World, credentials: Mapping[str, str]) -> dict[str, str]:
    """A table, a bucket and a topic, and a task that is to use them."""
    aws("dynamodb").create_table(
        TableName=TABLE,
        KeySchema=[
            {"AttributeName": "pk", "KeyType": "HASH"},
            {"AttributeName": "sk", "KeyType": "RANGE"},
        ],
        AttributeDefinitions=[
            {"AttributeName": "pk", "AttributeType": "S"},
            {"AttributeName": "sk", "AttributeType": "S"},
        ],
        BillingMode="PAY_PER_REQUEST",
    )
    aws("s3").create_bucket(Bucket=BUCKET)
    topic = aws("sns").create_topic(Name="security")["TopicArn"]
    text = f"""
        [[trails]]
        trail_arn = "{watched.trails[0].arn}"
        [state]
        dynamodb_table = "{TABLE}"
        [records]
        place = "s3://{BUCKET}/integrity"
        [audiences.security]
        sns_topic_arns = ["{topic}"]
    """
    return {**credentials, "INTEGRITY_CONFIG_TOML": text}


def test_it_is_clean_and_keeps_state_records_and_heartbeat_in_aws(
    image: Engine, configured: dict[str, str], aws: Any
) -> None:
    for number in (1, 2):
        done = image.run(*RUN, environment=configured)
        assert (done.status, done.out.split("\t")[0]) == (0, "valid"), done.out + done.err
        assert [json.loads(line)["message"] for line in done.err.splitlines()] == ["tick"]
        kept = aws("s3").list_objects_v2(Bucket=BUCKET, Prefix="integrity/")["Contents"]
        assert len(kept) == number
    assert aws("dynamodb").scan(TableName=TABLE)["Count"] > 0
    metrics = aws("cloudwatch").list_metrics(Namespace="CloudTrailIntegrity")["Metrics"]
    assert "Heartbeat" in {metric["MetricName"] for metric in metrics}


def test_a_trail_that_is_not_there_is_an_error_and_no_verdict(
    image: Engine, configured: dict[str, str], watched: World
) -> None:
    name = watched.trails[0].arn
    text = configured["INTEGRITY_CONFIG_TOML"].replace(name, f"{name}-gone")
    done = image.run(*RUN, environment={**configured, "INTEGRITY_CONFIG_TOML": text})
    assert done.status == 2
    [line] = done.out.splitlines()
    assert line.split("\t")[:2] == ["not verified", f"{name}-gone"]


def test_nothing_is_compiled_for_it(image: Engine, configured: dict[str, str]) -> None:
    # So talkative, Python says of each module which file its code was taken from.
    done = image.run(*RUN, environment={**configured, "PYTHONVERBOSE": "1"})
    taken = re.findall(r"# code object from '?([^'>\n]+)", done.err)
    assert len(taken) > 100
    entrypoint = "/opt/integrity/bin/integrity"
    assert [path for path in taken if not path.endswith(".pyc") and path != entrypoint] == []
