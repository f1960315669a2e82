"""The image as it is started without a command: the scheduler, from its first tick to its end."""

from __future__ import annotations

import json
import sqlite3
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from integrity.lab.faults import Fault
from integrity.lab.server import LabServer
from integrity.lab.world import World
from tests.container.engine import Container, Engine

pytestmark = pytest.mark.slow

STOP_SECONDS = 30
EACH_MINUTE = {"INTEGRITY_SERVICE_SCHEDULE": "* * * * *", "INTEGRITY_SERVICE_JITTER": "0m"}


@pytest.fixture
def environment(watched_lab: LabServer, watched: World) -> dict[str, str]:
    """The lab's credentials, and a configuration that watches its trail and tells nobody."""
    return {
        **watched_lab.environment,
        "INTEGRITY_NOTIFY": "none",
        "INTEGRITY_TRAILS_0_TRAIL_ARN": watched.trails[0].arn,
        "INTEGRITY_METRICS_ENABLED": "false",
    }


def settle(holds: Callable[[], object], *, seconds: float) -> None:
    """Until it holds."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if holds():
            return
        time.sleep(0.2)
    raise AssertionError(f"not within {seconds:.0f} s: {holds}")


def folder_of(state: str) -> Path:
    return Path(state.partition("=")[2].partition(":")[0])


def records(state: str) -> list[dict[str, Any]]:
    """The records that were kept, in the order in which they were made."""
    found = (folder_of(state) / "records").rglob("*.json")
    read = [json.loads(path.read_bytes()) for path in found]
    return sorted(read, key=lambda record: record["run"]["started_at"])


def runs(state: str) -> int:
    """How many ticks the state knows of."""
    place = folder_of(state) / "state.sqlite"
    with closing(sqlite3.connect(f"file:{place}?mode=ro", uri=True)) as connection:
        assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        [(number,)] = connection.execute("SELECT count(*) FROM runs").fetchall()
    return int(number)


def health(container: Container) -> tuple[int, str]:
    said = container.execute("integrity", "health")
    return said.status, said.out + said.err


def log_lines(text: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in text.splitlines()]


def test_it_ticks_at_the_start_and_again_whatever_became_of_that(
    image: Engine, environment: dict[str, str], state: str, watched_lab: LabServer
) -> None:
    watched_lab.faults.append(Fault("expire"))
    with image.start(environment={**environment, **EACH_MINUTE}, options=(state,)) as container:
        settle(lambda: "the credentials have expired" in health(container)[1], seconds=30)
        assert health(container)[0] == 3
        assert records(state) == []

        watched_lab.faults.clear()
        settle(lambda: health(container)[0] == 0, seconds=90)
        assert [record["outcome"] for record in records(state)] == ["valid"]

        container.signal("TERM")
        ended = container.wait(STOP_SECONDS)
    assert ended.status == 0
    told = [line["message"] for line in log_lines(ended.err)]
    assert told[:2] == ["started", "tick failed"]
    assert told[-1] == "tick"


def test_sigterm_in_mid_tick_keeps_what_was_done_and_the_next_start_goes_on(
    image: Engine, environment: dict[str, str], state: str, watched_lab: LabServer
) -> None:
    watched_lab.faults.append(Fault("delay", operation="GetObject", key="eu-west-1", seconds=120))
    with image.start(environment=environment, options=(state,)) as container:
        first = container.execute("cat", "/proc/1/cmdline").out.split("\0")
        assert first[:2] == ["python", "/opt/integrity/scheduler.py"]
        asked = watched_lab.requests.by_operation
        settle(lambda: asked["GetObject"] > 20, seconds=60)
        status, said = health(container)
        assert (status, "no tick has ended yet" in said) == (3, True)
        container.signal("TERM")
        ended = container.wait(STOP_SECONDS)
    assert ended.status == 0
    assert "Traceback" not in ended.err
    assert [record["run"]["interrupted"] for record in records(state)] == [True]
    assert runs(state) == 1

    watched_lab.faults.clear()
    with image.start(environment=environment, options=(state,)) as container:
        settle(lambda: len(records(state)) == 2, seconds=60)
        settle(lambda: health(container)[0] == 0, seconds=30)
        container.signal("TERM")
        assert container.wait(STOP_SECONDS).status == 0
    last = records(state)[-1]
    assert (last["outcome"], last["run"]["interrupted"]) == ("valid", False)

    # What was done is not done again: it is healthy at once, and asks nothing.
    watched_lab.requests.clear()
    quiet = {**environment, "INTEGRITY_SERVICE_SCHEDULE": "0 0 29 feb *"}
    with image.start(environment=quiet, options=(state,)) as container:
        settle(lambda: health(container)[0] == 0, seconds=30)
        container.signal("TERM")
        assert container.wait(STOP_SECONDS).status == 0
    assert watched_lab.requests.total == 0
    assert len(records(state)) == 2


def test_a_store_that_is_away_is_waited_for(
    image: Engine, environment: dict[str, str], watched_lab: LabServer
) -> None:
    environment["INTEGRITY_STATE_DYNAMODB_TABLE"] = "integrity"
    watched_lab.faults.append(Fault("deny", operation="Query"))
    watched_lab.faults.append(Fault("deny", operation="GetItem"))
    with image.start(environment=environment) as container:
        settle(lambda: "could not begin" in health(container)[1], seconds=60)
        assert health(container)[0] == 3
        container.signal("TERM")
        ended = container.wait(STOP_SECONDS)
    assert ended.status == 0
    assert log_lines(ended.err)[0]["message"] == "not started yet"


def test_mistakes_in_the_configuration_end_it_with_all_of_them(image: Engine) -> None:
    ended = image.run(environment={"INTEGRITY_SERVICE_JITTER": "soon"})
    assert ended.status == 2
    for key in ("service.jitter", "trails", "audiences.security"):
        assert f"\n  {key}" in ended.err
