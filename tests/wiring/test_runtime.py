"""The loop of a Lambda function, against a server that plays Lambda."""

from __future__ import annotations

import json
from typing import Any

import pytest

from integrity.cli import main
from integrity.errors import AccessError, UsageError
from integrity.wiring.runtime import RuntimeApi
from tests.wiring.lambda_stage import Lambda, play


def echo(payload: bytes) -> Any:
    said = json.loads(payload)
    if said == "refuse":
        raise AccessError("the store is down")
    if said == "break":
        raise ZeroDivisionError("by nought" + "!" * 5000)
    return {"said": said}


def serve(stage: Lambda) -> None:
    with pytest.raises(AccessError, match="answered 410 to /invocation/next"):
        RuntimeApi(stage.address).serve(lambda: echo)


def test_every_invocation_is_answered_in_its_turn() -> None:
    with play(b'"one"', b'"two"') as stage:
        serve(stage)

    assert stage.answered == [{"said": "one"}, {"said": "two"}]


def test_a_failure_is_told_and_the_next_one_is_answered() -> None:
    with play(b'"refuse"', b'"break"', b"{", b'"two"') as stage:
        serve(stage)

    kinds = [kind for kind, _ in stage.failed]
    assert kinds == [
        "Integrity.AccessError",
        "Integrity.ZeroDivisionError",
        "Integrity.JSONDecodeError",
    ]
    told = stage.failed[0][1]
    assert told == {
        "errorMessage": "the store is down",
        "errorType": "AccessError",
        "stackTrace": [],
    }
    assert len(stage.failed[1][1]["errorMessage"]) == 1000
    assert stage.answered == [{"said": "two"}]


def test_what_keeps_it_from_starting_is_told() -> None:
    def broken() -> Any:
        raise UsageError("mistakes in the rules: 1")

    with play() as stage, pytest.raises(UsageError, match="mistakes"):
        RuntimeApi(stage.address).serve(broken)

    assert [one["errorMessage"] for one in stage.not_started] == ["mistakes in the rules: 1"]


def test_where_nobody_answers_it_says_so() -> None:
    with play() as stage:
        address = stage.address
    with pytest.raises(AccessError, match="runtime interface does not answer"):
        RuntimeApi(address).serve(lambda: echo)


def test_outside_of_lambda_the_command_says_what_it_is_for(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.delenv("AWS_LAMBDA_RUNTIME_API", raising=False)

    assert main(["live"]) == 2
    assert "AWS Lambda sets it" in capsys.readouterr().err
