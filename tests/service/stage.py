"""A service on the lab's AWS: hours pass in its world, ticks are made, mail arrives."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from threading import Event
from typing import Any

from integrity.aws.session import Aws, AwsRecipe
from integrity.config.parse import parse_config
from integrity.lab.objects import LabDigest
from integrity.lab.server import LabServer
from integrity.lab.world import Chain, World
from integrity.wiring.service import Service, TrailTick

START = datetime(2026, 3, 1, tzinfo=UTC)
HOUR = timedelta(hours=1)


def make_world(*, hours: int = 30, logs_per_hour: int = 2) -> World:
    """A trail that logs since so many hours; it is 45 minutes past the hour."""
    world = World(seed=5, now=START + HOUR)
    world.run_chain(world.add_trail(), start=START, hours=1, logs_per_hour=logs_per_hour)
    world.advance(START + hours * HOUR + timedelta(minutes=45))
    return world


@dataclass
class Stage:
    """A world, served, and the service that watches its trail."""

    world: World
    server: LabServer
    folder: Path
    settings: str = ""
    trail_settings: str = ""
    other_trails: str = ""
    records: str = ""
    topics: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.aws: Aws = AwsRecipe(attempts=2, first_wait=0.01).open()
        self.queues: dict[str, str] = {}
        for audience in ("security", "operations"):
            self._open_mailbox(audience)

    @property
    def chain(self) -> Chain:
        return self.world.chains[0]

    @property
    def trail_arn(self) -> str:
        return self.world.trails[0].arn

    def toml(self) -> str:
        return f"""
            {self.other_trails}
            [[trails]]
            trail_arn = "{self.trail_arn}"
            {self.trail_settings}
            [state]
            sqlite_path = "{self.folder / "state.sqlite"}"
            [records]
            {self.records or f'place = "{self.folder / "records"}"'}
            [audiences.security]
            sns_topic_arns = ["{self.topics["security"]}"]
            [audiences.operations]
            sns_topic_arns = ["{self.topics["operations"]}"]
            [service]
            first_window = "24h"
            {self.settings}
        """

    def service(self) -> Service:
        (self.folder / "records").mkdir(exist_ok=True)
        return Service(parse_config(self.toml(), {}), lambda: self.world.now)

    def tick(self, stopping: Event | None = None) -> TrailTick:
        """What a process that makes one tick makes of it."""
        service = self.service()
        [tick] = service.tick(stopping or Event())
        service.store.close()
        return tick

    @property
    def newest(self) -> LabDigest:
        """The newest digest that was delivered."""
        delivered = [one for one in self.chain.digests if one.last_modified <= self.world.now]
        return delivered[-1]

    def pass_hours(self, hours: int = 1) -> None:
        """Time passes, and CloudTrail writes on."""
        self.world.advance(self.world.now + hours * HOUR)

    def mail(self, audience: str = "security") -> list[dict[str, Any]]:
        """What has arrived there since it was last looked at: SNS's envelopes."""
        sqs, found = self.aws.client("sqs", "us-east-1"), []
        queue = self.queues[audience]
        while messages := sqs.receive_message(QueueUrl=queue, MaxNumberOfMessages=10).get(
            "Messages"
        ):
            for message in messages:
                sqs.delete_message(QueueUrl=queue, ReceiptHandle=message["ReceiptHandle"])
                found.append(json.loads(message["Body"]))
        return found

    def news(self, audience: str = "security") -> list[tuple[str, str]]:
        """The same in short: step and reason of each message."""
        return [
            (facts["step"], facts["reason"])
            for facts in (json.loads(envelope["Message"]) for envelope in self.mail(audience))
        ]

    def metric(self, name: str) -> float | None:
        """The metric's value at this time, None where there is none."""
        answer = self.aws.client("cloudwatch", "us-east-1").get_metric_statistics(
            Namespace="CloudTrailIntegrity",
            MetricName=name,
            Dimensions=[{"Name": "Trail", "Value": self.trail_arn}],
            StartTime=self.world.now - timedelta(minutes=5),
            EndTime=self.world.now + timedelta(minutes=5),
            Period=60,
            Statistics=["Maximum"],
        )
        points = [point["Maximum"] for point in answer["Datapoints"]]
        return max(points) if points else None

    def _open_mailbox(self, name: str) -> None:
        sns, sqs = self.aws.client("sns", "us-east-1"), self.aws.client("sqs", "us-east-1")
        self.topics[name] = sns.create_topic(Name=name)["TopicArn"]
        self.queues[name] = sqs.create_queue(QueueName=name)["QueueUrl"]
        asked = sqs.get_queue_attributes(QueueUrl=self.queues[name], AttributeNames=["QueueArn"])
        arn = asked["Attributes"]["QueueArn"]
        sns.subscribe(TopicArn=self.topics[name], Protocol="sqs", Endpoint=arn)
