"""The image as it is started without a command."""

from __future__ import annotations

import pytest

from integrity.lab.server import LabServer
from integrity.lab.world import World
from tests.container.engine import Engine

pytestmark = pytest.mark.slow

STOP_SECONDS = 30


@pytest.fixture
def environment(lab: LabServer, world: World) -> dict[str, str]:
    """The lab's credentials, and a configuration that watches its trail and tells nobody."""
    return {
        **lab.environment,
        "INTEGRITY_NOTIFY": "none",
        "INTEGRITY_TRAILS_0_TRAIL_ARN": world.trails[0].arn,
        "INTEGRITY_METRICS_ENABLED": "false",
    }


def test_it_is_the_scheduler_and_ends_when_it_is_told_to(
    image: Engine, environment: dict[str, str], state: str
) -> None:
    with image.start(environment=environment, options=(state,)) as container:
        first = container.execute("cat", "/proc/1/cmdline").out.split("\0")
        assert first[:2] == ["python", "/opt/integrity/scheduler.py"]
        container.signal("TERM")
        assert container.wait(STOP_SECONDS).err.count("Traceback") == 0
