"""SIGKILL at each point of a tick, and two ticks at once: nothing is lost, nothing is corrupt."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from threading import Event
from typing import Any

import pytest

from integrity.aws.session import Aws, AwsRecipe
from integrity.config.parse import parse_config
from integrity.lab import attacks
from integrity.lab.server import LabServer, serve
from integrity.lab.world import World
from integrity.state import Incident
from integrity.structs import replace
from integrity.wiring.service import Service
from tests.service.dying import POINTS
from tests.service.stage import HOUR, START, make_world

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(sys.platform == "win32", reason="Windows has no SIGKILL"),
]

ROOT = Path(__file__).parents[2]
BOXES = ("one", "two")


@dataclass
class Life:
    """One service's own store, records and mailboxes, on a world that it shares with others."""

    name: str
    kind: str
    world: World
    server: LabServer
    folder: Path

    def __post_init__(self) -> None:
        self.aws: Aws = AwsRecipe(attempts=2, first_wait=0.01).open()
        (self.folder / "records").mkdir(parents=True)
        self.table = f"integrity-{self.name}"
        if self.kind == "dynamodb":
            keys = {"pk": "HASH", "sk": "RANGE"}
            self.dynamodb.create_table(
                TableName=self.table,
                KeySchema=[{"AttributeName": one, "KeyType": kind} for one, kind in keys.items()],
                AttributeDefinitions=[{"AttributeName": n, "AttributeType": "S"} for n in keys],
                BillingMode="PAY_PER_REQUEST",
            )
        self.topics, self.queues = {}, {}
        for box in BOXES:
            self.topics[box], self.queues[box] = self.open_box(f"{self.name}-{box}")

    @property
    def dynamodb(self) -> Any:
        return self.aws.client("dynamodb", "us-east-1")

    def open_box(self, name: str) -> tuple[str, str]:
        sns, sqs = self.aws.client("sns", "us-east-1"), self.aws.client("sqs", "us-east-1")
        topic, queue = sns.create_topic(Name=name)["TopicArn"], sqs.create_queue(QueueName=name)
        asked = sqs.get_queue_attributes(QueueUrl=queue["QueueUrl"], AttributeNames=["QueueArn"])
        arn = asked["Attributes"]["QueueArn"]
        sns.subscribe(TopicArn=topic, Protocol="sqs", Endpoint=arn)
        return topic, queue["QueueUrl"]

    @property
    def toml(self) -> str:
        state = f'sqlite_path = "{self.folder / "state.sqlite"}"'
        if self.kind == "dynamodb":
            state = f'dynamodb_table = "{self.table}"'
        return f"""
            [[trails]]
            trail_arn = "{self.world.trails[0].arn}"
            [state]
            {state}
            [records]
            place = "{self.folder / "records"}"
            [service]
            first_window = "6h"
            [audiences.security]
            sns_topic_arns = {json.dumps(list(self.topics.values()))}
        """

    def service(self) -> Service:
        return Service(parse_config(self.toml, {}), lambda: self.world.now)

    def tick(self) -> int:
        service = self.service()
        [tick] = service.tick(Event())
        service.store.close()
        return tick.status

    def inherit(self, other: Life) -> None:
        """Begin with what the other one keeps."""
        shutil.copytree(other.folder, self.folder, dirs_exist_ok=True)
        if self.kind == "dynamodb":
            for item in self.dynamodb.scan(TableName=other.table)["Items"]:
                self.dynamodb.put_item(TableName=self.table, Item=item)

    def start(self, point: str) -> subprocess.Popen[bytes]:
        """A process that makes a tick; see `tests.service.dying`."""
        return subprocess.Popen(
            [sys.executable, "-m", "tests.service.dying", self.world.now.isoformat(), point],
            cwd=ROOT,
            env={**os.environ, "INTEGRITY_CONFIG_TOML": self.toml},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )

    def kept(self) -> dict[str, Any]:
        """What the store knows, without what a tick that was lost makes later."""
        service, arn = self.service(), self.world.trails[0].arn
        state = service.store.load(arn)
        incidents = service.store.list_incidents(arn, since=START)
        runs = service.store.list_runs(arn, limit=100)
        unsent = service.store.unsent_letters()
        service.store.close()
        assert state.checkpoint is not None
        return {
            "chains": state.checkpoint.chains,
            "attempted": state.checkpoint.attempted,
            "incidents": [timeless(one) for one in incidents],
            "last run": (runs[0].outcome, runs[0].findings, runs[0].window.end),
            "unsent": [letter.id for letter in unsent],
        }

    def version(self) -> int:
        service = self.service()
        version = service.store.load(self.world.trails[0].arn).version
        service.store.close()
        return version

    def records(self) -> int:
        return len(list((self.folder / "records").rglob("*.json")))

    def mail(self) -> dict[str, list[str]]:
        """The steps that were told to each box, in order."""
        return {box: list(self.received(queue)) for box, queue in self.queues.items()}

    def received(self, queue: str) -> Iterator[str]:
        sqs = self.aws.client("sqs", "us-east-1")
        while messages := sqs.receive_message(QueueUrl=queue, MaxNumberOfMessages=10).get(
            "Messages"
        ):
            for message in messages:
                sqs.delete_message(QueueUrl=queue, ReceiptHandle=message["ReceiptHandle"])
                yield json.loads(json.loads(message["Body"])["Message"])["step"]


def timeless(incident: Incident) -> Incident:
    never = START - timedelta(days=1)
    return replace(
        incident,
        id="",
        first_seen=never,
        last_seen=never,
        notified=None if incident.notified is None else never,
        look_again=never,
        ticks=0,
        seen=(),
        finding=incident.finding and replace(incident.finding, first_seen=None),
    )


@dataclass
class Lives:
    """Services that were well at first, and the hour in which the trail was attacked."""

    kind: str
    world: World
    server: LabServer
    folder: Path

    def __post_init__(self) -> None:
        self.first = self.life("first")
        assert self.first.tick() == 0
        self.world.advance(self.world.now + HOUR)
        newest = [one for one in self.world.chains[0].digests if one.last_modified < self.world.now]
        attacks.edit_log(self.world, newest[-1].log_files[0])

    def life(self, name: str) -> Life:
        return Life(name, self.kind, self.world, self.server, self.folder / name)

    def go_on(self, name: str) -> Life:
        """Another service, which has had the same clean tick."""
        life = self.life(name)
        life.inherit(self.first)
        return life


@pytest.fixture(params=["sqlite", "dynamodb"])
def lives(
    request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> Iterator[Lives]:
    world = make_world(hours=8)
    with serve(world) as server:
        for name, value in server.environment.items():
            monkeypatch.setenv(name, value)
        AwsRecipe().open().client("sns", "us-east-1").list_topics()
        one_at_a_time(server)
        yield Lives(request.param, world, server, tmp_path)


def one_at_a_time(server: LabServer) -> None:
    """A transaction of DynamoDB's is one step, as AWS promises and moto alone does not."""
    moto, lock = server._moto, threading.Lock()
    assert moto is not None

    def alone(environ: Any, start_response: Any) -> list[bytes]:
        with lock:
            return list(moto(environ, start_response))

    server._moto = alone


def test_a_tick_that_is_killed_anywhere_is_made_up_by_the_next(lives: Lives) -> None:
    undisturbed = lives.go_on("undisturbed")
    assert undisturbed.tick() == 1
    killed = {point: lives.go_on(f"killed-{n}") for n, point in enumerate(POINTS)}
    for point, life in killed.items():
        process = life.start(point)
        _, errors = process.communicate()
        assert process.returncode == -signal.SIGKILL, (point, errors)

    lives.world.advance(lives.world.now + HOUR)
    undisturbed.tick()
    expected = undisturbed.kept()
    assert [one.reason for one in expected["incidents"]] == ["log_hash_mismatch"]
    assert undisturbed.mail() == {"one": ["opened"], "two": ["opened"]}
    for point, life in killed.items():
        assert life.tick() == 1, point
        assert life.kept() == expected, point
        # SNS had one of them when the process died, and nobody could note it.
        repeated = [["opened"], ["opened", "opened"]] if "taken" in point else [["opened"]] * 2
        assert sorted(life.mail().values()) == repeated, point


def test_two_ticks_at_once_are_one(lives: Lives) -> None:
    life, place = lives.go_on("twins"), lives.folder / "met"
    place.mkdir()
    twins = [life.start(f"meet:{place}") for _ in range(2)]
    for twin in twins:
        _, errors = twin.communicate()
        assert twin.returncode == 1, errors

    assert (life.version(), life.records()) == (2, 3)
    assert life.mail() == {"one": ["opened"], "two": ["opened"]}

    lives.world.advance(lives.world.now + HOUR)
    assert life.tick() == 1
    assert life.version() == 3
    assert [one.reason for one in life.kept()["incidents"]] == ["log_hash_mismatch"]
    assert life.mail() == {"one": [], "two": []}
