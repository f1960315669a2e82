"""The functions of the examples, as their templates configure them."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from tests.deploy.template import EXAMPLES, TRAIL, fill, of_type

USER_WATCH, LOGIN_ARCHIVE, TATTLETAIL, LOGIN_LEDGER = EXAMPLES
IMAGE = "123456789012.dkr.ecr.us-east-1.amazonaws.com/integrity@sha256:" + 64 * "0"
USUAL = {"TrailArn": TRAIL, "Image": IMAGE}
GIVEN: dict[Path, dict[str, str]] = {
    USER_WATCH: {
        **USUAL,
        "TrailLogGroup": "trail",
        "UserName": "operator",
        "Email": "security@example.com",
        "TimeZone": "Asia/Tokyo",
    },
    LOGIN_ARCHIVE: {"TrailLogGroup": "trail"},
    TATTLETAIL: {**USUAL, "TrailBucket": "trail-logs", "ConfigBucket": "settings"},
    LOGIN_LEDGER: {
        **USUAL,
        "TrailLogGroup": "trail",
        "Email": "security@example.com",
        "TimeZone": "Asia/Tokyo",
        "Subject": "コンソールログイン {@userName}: {@result}",
    },
}


def environment(path: Path, more: Mapping[str, str]) -> dict[str, str]:
    """The function's environment; `more` has parameters, and what the stack's resources are."""
    values = {**defaults(path), **GIVEN[path], **more}
    template = fill(path, {name: value for name, value in values.items() if name != "Topic"})
    [function] = of_type(template, "AWS::Lambda::Function").values()
    written = function["Environment"]["Variables"]
    return {name: _substituted(value, values) for name, value in written.items()}


def defaults(path: Path) -> dict[str, str]:
    from tests.deploy.template import read

    parameters = read(path)["Parameters"].items()
    return {name: str(about["Default"]) for name, about in parameters if "Default" in about}


def _substituted(value: Any, values: Mapping[str, str]) -> str:
    if isinstance(value, str):
        return value
    [(function, about)] = value.items()
    if function == "Ref":
        return values[about]
    text, more = about if isinstance(about, list) else (about, {})
    own = {name: _substituted(one, values) for name, one in more.items()}
    return re.sub(r"\$\{(\w+)\}", lambda match: {**values, **own}[match[1]], text)
