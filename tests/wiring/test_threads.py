"""What a connection asks of its process, for the threads that it will have."""

from __future__ import annotations

import sys
from collections.abc import Iterator

import pytest

from integrity.wiring.access import Access
from integrity.wiring.connection import connect
from tests.lab_aws import NOW, aws, bare_environment, lab, recipe, world

__all__ = ["aws", "bare_environment", "lab", "recipe", "world"]


@pytest.fixture
def usual_turns() -> Iterator[None]:
    before = sys.getswitchinterval()
    sys.setswitchinterval(0.005)
    yield
    sys.setswitchinterval(before)


@pytest.mark.usefixtures("aws", "usual_turns")
def test_threads_take_long_turns() -> None:
    connect(Access(), now=NOW)
    assert sys.getswitchinterval() == pytest.approx(0.05)
