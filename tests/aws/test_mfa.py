"""A profile that needs a code of a second factor."""

from __future__ import annotations

import inspect
import json
from collections.abc import Callable
from pathlib import Path

import botocore.credentials
import pytest

from integrity.aws.session import AwsRecipe
from integrity.lab.server import LabServer

ROLE = "arn:aws:iam::444455556666:role/audit"
PROFILE = f"""[profile audit]
role_arn = {ROLE}
credential_source = Environment
region = us-east-1
"""
CODE = "mfa_serial = arn:aws:iam::111122223333:mfa/me\n"
FOLDER = Path(".aws", "cli", "cache")


@pytest.fixture
def prompts(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What a person at the terminal was asked."""
    asked = list[str]()

    def prompt(text: str) -> str:
        asked.append(text)
        return "123456"

    begin: Callable[..., None] = botocore.credentials.AssumeRoleProvider.__init__
    where = list(inspect.signature(begin).parameters)
    at = where.index("prompter") - len(where)
    defaults = list(begin.__defaults__ or ())
    defaults[at] = prompt
    monkeypatch.setattr(begin, "__defaults__", tuple(defaults))
    return asked


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("USERPROFILE", str(tmp_path))
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "config"))
    return tmp_path


def key_of(recipe: AwsRecipe) -> str:
    """The access key that a process of its own would have."""
    credentials = recipe.open().session.get_credentials()
    assert credentials is not None
    return str(credentials.get_frozen_credentials().access_key)


def test_one_code_is_enough_for_every_process(
    lab: LabServer, home: Path, prompts: list[str]
) -> None:
    (home / "config").write_text(PROFILE + CODE, encoding="utf-8")
    lab.roles.add(ROLE)

    keys = {key_of(AwsRecipe(profile="audit")) for _ in range(3)}

    assert keys == set(lab.roles.issued)
    assert len(keys) == len(prompts) == 1
    (kept,) = (home / FOLDER).iterdir()
    assert kept.stat().st_mode & 0o077 == 0
    assert json.loads(kept.read_text(encoding="utf-8"))["Credentials"]["AccessKeyId"] in keys


def test_where_nothing_can_be_kept_each_process_asks(
    lab: LabServer, home: Path, prompts: list[str]
) -> None:
    (home / "config").write_text(PROFILE + CODE, encoding="utf-8")
    (home / ".aws").write_text("a file where the folder should be", encoding="utf-8")
    lab.roles.add(ROLE)

    assert len({key_of(AwsRecipe(profile="audit")) for _ in range(2)}) == 2
    assert len(prompts) == 2


def test_where_nobody_needs_a_code_nothing_is_kept(
    lab: LabServer, home: Path, prompts: list[str]
) -> None:
    (home / "config").write_text(PROFILE, encoding="utf-8")
    lab.roles.add(ROLE)

    assert len({key_of(AwsRecipe(profile="audit")) for _ in range(2)}) == 2
    assert prompts == []
    assert not (home / ".aws").exists()
