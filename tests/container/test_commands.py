"""The commands in the built image: what they say, and how they end."""

from __future__ import annotations

import json
import time

import pytest

import integrity
from integrity.lab import attacks
from integrity.lab.faults import Fault
from integrity.lab.server import LabServer
from integrity.lab.world import World
from tests.container.engine import Container, Engine

pytestmark = pytest.mark.slow

HOURS = ("--start-time", "2026-03-01T00:00:00Z", "--end-time", "2026-03-01T06:00:00Z")
LONG = ("--start-time", "2025-09-01T00:00:00Z", "--end-time", "2026-03-01T06:00:00Z")
STOP_SECONDS = 30

# The needle is in two pieces, so that whoever looks for it does not find itself.
COUNT = (
    "python", "-c",
    "import pathlib; print(sum(b'spawn' + b'_main' in each.read_bytes() "
    "for each in pathlib.Path('/proc').glob('[0-9]*/cmdline')))",
)  # fmt: skip


def await_requests(lab: LabServer, operation: str) -> None:
    """Until the container has asked that at least once."""
    for _ in range(600):
        if lab.requests.by_operation[operation]:
            return
        time.sleep(0.05)
    raise AssertionError(f"nobody asked {operation}: {lab.requests.by_operation}")


def test_the_version(image: Engine) -> None:
    assert image.run("--version").out == f"integrity {integrity.__version__}\n"


def test_a_clean_trail_is_valid(image: Engine, lab: LabServer) -> None:
    done = image.run("verify", *HOURS, environment=lab.environment)
    assert (done.status, done.err) == (0, "")
    assert done.out.splitlines()[-1].startswith("VALID: ")


def test_an_attack_is_found(image: Engine, lab: LabServer, world: World) -> None:
    attacks.edit_log(world, world.chains[0].log_files[4])
    done = image.run("verify", *HOURS, "--format", "json", environment=lab.environment)
    assert (done.status, done.err) == (1, "")
    assert [found["reason"] for found in json.loads(done.out)["findings"]] == ["log_hash_mismatch"]


def test_a_usage_error_is_no_verdict(image: Engine) -> None:
    assert image.run("verify", "--nonsense").status == 2
    assert image.run("nonsense").status == 2


@pytest.mark.parametrize("name", ["TERM", "INT"])
def test_a_signal_ends_a_verification_with_what_it_has(
    image: Engine, lab: LabServer, name: str
) -> None:
    lab.faults.append(Fault("delay", operation="GetObject", key="CloudTrail-Digest", seconds=120))
    with image.start("verify", *HOURS, environment=lab.environment) as container:
        await_requests(lab, "GetObject")
        container.signal(name)
        ended = container.wait(STOP_SECONDS)
    assert ended.status == 130
    assert ended.out.startswith("Validating log files for trail ")
    assert ended.err.startswith("Interrupted: ")


def test_sigterm_ends_also_what_does_not_wait_for_it(image: Engine, lab: LabServer) -> None:
    lab.faults.append(Fault("delay", operation="ListTrails", seconds=120))
    with image.start("trails", environment=lab.environment) as container:
        await_requests(lab, "ListTrails")
        container.signal("TERM")
        ended = container.wait(STOP_SECONDS)
    assert ended.status == 130


def test_more_processes_work_where_nothing_can_be_written(image: Engine, lab: LabServer) -> None:
    lab.faults.append(Fault("delay", operation="ListObjectsV2", seconds=1.5))
    with image.start("verify", *LONG, environment=lab.environment) as container:
        workers = _most_workers(container)
        lab.faults.clear()
        ended = container.wait(120)
    assert workers >= 2
    assert ended.err == ""
    assert ended.out.startswith("Validating log files for trail ")


def _most_workers(container: Container) -> int:
    most = 0
    while container.is_running:
        most = max(most, int(container.execute(*COUNT).out.strip() or 0))
        if most >= 2:
            break
        time.sleep(0.2)
    return most
