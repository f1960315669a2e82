"""LookupEvents: what it is asked, how often, and what is said where it does not answer."""

from __future__ import annotations

import json
from datetime import timedelta

import pytest

from integrity.aws.session import Aws
from integrity.chain.estate import History, Unasked
from integrity.chain.model import TimeWindow
from integrity.lab.faults import Fault
from integrity.lab.server import LabServer
from integrity.lab.world import Chain, World
from integrity.sources import event_history as module
from integrity.sources.event_history import EventHistory
from integrity.verify.ports import HistorySource
from tests.lab_aws import NOW

WINDOW = TimeWindow(NOW - timedelta(days=2), NOW)


@pytest.fixture
def chain(world: World) -> Chain:
    return world.run_chain(world.trails[0], start=NOW - timedelta(days=1), hours=2)


@pytest.fixture
def waits() -> list[float]:
    return []


@pytest.fixture
def history(aws: Aws, waits: list[float]) -> EventHistory:
    return EventHistory(aws, waits.append)


def names(answer: History | Unasked) -> list[str]:
    assert isinstance(answer, History)
    return [json.loads(event)["eventName"] for event in answer.events]


def test_it_is_what_verification_needs(history: EventHistory) -> None:
    port: HistorySource = history
    assert port is history


def test_events_of_these_names_in_that_time(
    history: EventHistory, world: World, chain: Chain
) -> None:
    for hours, name in ((20, "StopLogging"), (10, "UpdateTrail"), (80, "StopLogging")):
        world.call(chain, name, at=NOW - timedelta(hours=hours))

    assert names(history.lookup_events("us-east-1", ("StopLogging",), WINDOW)) == ["StopLogging"]
    found = history.lookup_events("us-east-1", ("UpdateTrail", "StopLogging"), WINDOW)
    assert names(found) == ["UpdateTrail", "StopLogging"]
    assert history.lookup_events("eu-west-1", ("StopLogging",), WINDOW) == History()


def test_no_more_than_two_requests_a_second(
    history: EventHistory, waits: list[float], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "_BETWEEN_SECONDS", 0.5)
    history.lookup_events("us-east-1", ("One", "Two", "Three"), WINDOW)
    history.lookup_events("us-east-1", ("Four",), WINDOW)

    assert waits == [0.5, 0.5, 0.5]


def test_pages_are_followed_and_bounded(
    history: EventHistory,
    world: World,
    chain: Chain,
    lab: LabServer,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for minutes in range(120):
        world.call(chain, "StopLogging", at=NOW - timedelta(minutes=minutes))

    day = TimeWindow(NOW - timedelta(days=1), NOW)
    whole = history.lookup_events("us-east-1", ("StopLogging",), day)
    assert (len(names(whole)), isinstance(whole, History) and whole.more) == (120, False)

    monkeypatch.setattr(module, "_MOST_PAGES", 2)
    lab.requests.clear()
    part = history.lookup_events("us-east-1", ("StopLogging", "UpdateTrail"), WINDOW)
    assert (len(names(part)), isinstance(part, History) and part.more) == (100, True)
    assert lab.requests.by_operation["LookupEvents"] == 3


def test_what_was_told_is_not_asked_again(
    history: EventHistory, world: World, chain: Chain, lab: LabServer
) -> None:
    world.call(chain, "StopLogging", at=NOW - timedelta(hours=1))
    first = history.lookup_events("us-east-1", ("StopLogging",), WINDOW)

    assert history.lookup_events("us-east-1", ("StopLogging", "Other"), WINDOW) == first
    assert lab.requests.by_operation["LookupEvents"] == 2


def test_who_may_not_is_told_the_permission(history: EventHistory, lab: LabServer) -> None:
    lab.faults.append(Fault("deny", operation="LookupEvents"))

    assert history.lookup_events("us-east-1", ("StopLogging",), WINDOW) == Unasked(
        "cloudtrail:LookupEvents",
        "cloudtrail:LookupEvents in region us-east-1 is not allowed",
        denied=True,
    )


def test_trouble_is_no_denial(history: EventHistory, lab: LabServer) -> None:
    lab.faults.append(Fault("throttle", operation="LookupEvents"))

    answer = history.lookup_events("us-east-1", ("StopLogging",), WINDOW)

    assert isinstance(answer, Unasked)
    assert not answer.denied
