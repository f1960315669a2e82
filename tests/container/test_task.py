"""The task definition's own command, in the image, with the permissions of the task's role."""

from __future__ import annotations

import pytest

from integrity.lab.world import World
from tests.container.engine import Engine
from tests.deploy.test_tick import ACTIONS, Task, running, task

__all__ = ["task"]

pytestmark = pytest.mark.slow


def test_its_command_makes_a_clean_tick_with_the_tasks_role(
    image: Engine, task: Task, watched: World, state: str
) -> None:
    with running(task, watched, task.statements) as lab:
        environment = {**task.environment, **lab.environment}
        done = image.run(*task.command, options=(state,), environment=environment)
    assert (done.status, done.out.split("\t")[0]) == (0, "valid"), done.out + done.err
    assert lab.denied == set()
    assert "cloudwatch:PutMetricData" in {action for action, _ in lab.asked}


def test_without_its_role_it_is_not_clean(
    image: Engine, task: Task, watched: World, state: str
) -> None:
    less = [one for one in task.statements if "dynamodb:GetItem" not in one["Action"]]
    assert "dynamodb:GetItem" in ACTIONS
    assert len(less) < len(task.statements)
    with running(task, watched, less) as lab:
        environment = {**task.environment, **lab.environment}
        done = image.run(*task.command, options=(state,), environment=environment)
    assert done.status == 3
    assert lab.denied
