"""The service's log: one JSON object a line, whatever is in it."""

from __future__ import annotations

import json
import logging
import warnings
from datetime import datetime
from typing import Any

import pytest

from integrity.wiring.logs import log_to_stderr

Captured = pytest.CaptureFixture[str]


def lines(capsys: Captured) -> list[dict[str, Any]]:
    shown = capsys.readouterr()
    assert shown.out == ""
    return [json.loads(line) for line in shown.err.splitlines()]


def test_a_line_has_time_level_logger_message_and_what_was_given(capsys: Captured) -> None:
    log_to_stderr("info")
    logging.getLogger("integrity.x").info("tick", extra={"trail": "arn", "findings": 3})

    [line] = lines(capsys)
    assert datetime.fromisoformat(line.pop("time")).tzinfo is not None
    assert line == {
        "level": "info",
        "logger": "integrity.x",
        "message": "tick",
        "trail": "arn",
        "findings": 3,
    }


def test_what_a_stranger_wrote_stays_in_its_line(capsys: Captured) -> None:
    hostile = 'a\nb\r\u2028\x1b[2J\x00"}\ud800{"level": "error"}'
    log_to_stderr("info")
    logging.getLogger("integrity").warning("%s", hostile, extra={"detail": hostile})

    shown = capsys.readouterr().err
    assert shown.isascii()
    assert shown.count("\n") == 1
    line = json.loads(shown)
    assert (line["message"], line["detail"], line["level"]) == (hostile, hostile, "warning")


def test_a_fault_has_its_traceback_in_the_line(capsys: Captured) -> None:
    log_to_stderr("info")
    try:
        raise ValueError("no")
    except ValueError:
        logging.getLogger("integrity").exception("tick failed")

    [line] = lines(capsys)
    assert line["traceback"].splitlines()[-1] == "ValueError: no"


@pytest.mark.parametrize(
    ("level", "told"), [("debug", 4), ("info", 3), ("warning", 2), ("error", 1)]
)
def test_what_is_less_grave_is_not_told(capsys: Captured, level: str, told: int) -> None:
    log_to_stderr(level)
    log = logging.getLogger("integrity.y")
    for tell in (log.debug, log.info, log.warning, log.error):
        tell("something")
    assert len(lines(capsys)) == told


def test_libraries_and_warnings_are_told_the_same_way(capsys: Captured) -> None:
    log_to_stderr("debug")
    logging.getLogger("botocore").info("nothing")
    logging.getLogger("botocore").warning("something")
    with warnings.catch_warnings():
        warnings.simplefilter("always")
        log_to_stderr("debug")
        warnings.warn("this is old", DeprecationWarning, stacklevel=1)

    first, second = lines(capsys)
    assert (first["logger"], first["message"]) == ("botocore", "something")
    assert second["logger"] == "py.warnings"
    assert "this is old" in second["message"]
