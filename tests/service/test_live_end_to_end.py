"""A live function and the service beside it, on one table: what is seen live, and the record."""

from __future__ import annotations

import gzip
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from integrity.lab.server import serve
from tests.deliver.mailboxes import ItemBox
from tests.service.stage import Stage, make_world
from tests.wiring.live_stage import hand, logs, make_state, opened

pytestmark = pytest.mark.slow

RULES = """
[[rule]]
name = "everything"
match = "true"
destinations = ["ledger"]
[[destination]]
id = "ledger"
type = "dynamodb"
table = "ledger"
"""
MADE_UP = "00000000-1111-4222-8333-444444444444"
TRAIL = 'log_group = "trail"'


@pytest.fixture
def stage(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Stage]:
    with serve(make_world(logs_per_hour=1)) as server:
        for name, value in server.environment.items():
            monkeypatch.setenv(name, value)
        monkeypatch.setenv("INTEGRITY_RULES_TOML", RULES)
        yield SharedStage(server.world, server, tmp_path, trail_settings=TRAIL)


class SharedStage(Stage):
    """Its state lies in a table."""

    def toml(self) -> str:
        path = f'sqlite_path = "{self.folder / "state.sqlite"}"'
        return super().toml().replace(path, 'dynamodb_table = "state"')


def next_events(stage: Stage) -> list[dict[str, Any]]:
    """The events of a log file that is there, and that no digest names yet."""
    log = stage.chain.pending[0]
    content = gzip.decompress(stage.world.objects[log.address].body)
    events: list[dict[str, Any]] = json.loads(content)["Records"]
    return events


def test_what_is_recorded_is_confirmed_and_what_is_not_is_told(stage: Stage) -> None:
    ledger = ItemBox(stage.aws)
    make_state(stage.aws)
    stage.tick()
    before = {item["eventID"] for item in ledger.received()}
    stage.pass_hours()
    event = next_events(stage)[0]
    deleted = event | {"eventID": MADE_UP}
    insight = deleted | {"eventID": MADE_UP.replace("1111", "2222"), "eventCategory": "Insight"}
    environ = {"INTEGRITY_CONFIG_TOML": stage.toml(), "INTEGRITY_RULES_TOML": RULES}
    with opened(environ, stage.world.now) as live:
        assert hand(live, logs(event, deleted, insight)) == {"batchItemFailures": []}
        kept = live._store.sightings.waiting(stage.trail_arn, stage.world.now)
    assert {one.event_id for one in kept} == {event["eventID"], MADE_UP}
    told = {item["eventID"] for item in ledger.received()} - before
    assert told == {event["eventID"], MADE_UP, MADE_UP.replace("1111", "2222")}

    for _ in range(26):
        stage.pass_hours()
        assert stage.tick().error == ""

    assert stage.news() == [("noted", "event_unconfirmed")]
    kept = stage.service().store.sightings.waiting(stage.trail_arn, stage.world.now)
    assert [one.event_id for one in kept] == [MADE_UP]
    items = [item["eventID"] for item in ledger.received()]
    assert items.count(event["eventID"]) == 1
