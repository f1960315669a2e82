"""`integrity config`: every mistake on a line of its own, or what would be done."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from integrity.cli import main
from integrity.config.keys import all_keys
from integrity.config.parse import parse_config
from integrity.config.reference import render_reference
from integrity.grammar import parse_span

ROOT = Path(__file__).resolve().parent.parent.parent
EXAMPLE = ROOT / "examples" / "integrity.toml"

Captured = pytest.CaptureFixture[str]


@pytest.fixture(autouse=True)
def bare_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("INTEGRITY_CONFIG", "INTEGRITY_CONFIG_TOML"):
        monkeypatch.delenv(name, raising=False)


def test_the_example_can_be_used_and_is_summed_up(capsys: Captured) -> None:
    assert main(["config", "check", str(EXAMPLE)]) == 0
    shown = capsys.readouterr()
    assert shown.err == ""
    sha256 = parse_config(EXAMPLE.read_text(encoding="utf-8"), {}).sha256
    assert shown.out.splitlines() == [
        f"The configuration can be used (sha256 {sha256}).",
        "Trail      arn:aws:cloudtrail:us-east-1:111122223333:trail/main",
        "  files    s3://audit-logs/",
        "  as       the service itself",
        "  bucket   the service itself",
        "Trail      arn:aws:cloudtrail:eu-central-1:444455556666:trail/organization",
        "  files    s3://organization-logs/",
        "  as       arn:aws:iam::444455556666:role/integrity-trail",
        "  bucket   arn:aws:iam::777788889999:role/integrity-bucket",
        "  ignored  123456789012, 777788889999/me-south-1",
        "Ticks      20 * * * * (UTC), each up to 2m later",
        "State      /var/lib/integrity/state.sqlite",
        "Records    s3://integrity-records/production",
        "Metrics    CloudWatch, CloudTrailIntegrity",
        "Security   sns:arn:aws:sns:us-east-1:111122223333:integrity-security",
        "Operations sns:arn:aws:sns:us-east-1:111122223333:integrity-operations",
    ]


def commented_out() -> Iterator[tuple[tuple[str, ...], object]]:
    """Each key of the example that is commented out, by its path, with the value beside it."""
    table: tuple[str, ...] = ()
    for line in EXAMPLE.read_text(encoding="utf-8").splitlines():
        heading = line.removeprefix("# ")
        if heading.startswith("["):
            array = ("*",) if heading.startswith("[[") else ()
            table = (*heading.strip("[]").split("."), *array)
        match = re.fullmatch(r"# ([a-z0-9_]+) = (.+)", line)
        if match is not None:
            yield (*table, match[1]), tomllib.loads(f"value = {match[2]}")["value"]


def test_the_example_has_every_key_but_secrets() -> None:
    text = EXAMPLE.read_text(encoding="utf-8")
    named = set(re.findall(r"^(?:# )?([a-z0-9_]+) = ", text, re.MULTILINE))
    assert named == {key.path[-1] for key in all_keys().values() if not key.secret}


def test_the_example_shows_defaults_as_they_are() -> None:
    shown = dict(commented_out())
    del shown[("notify",)]  # what it is for, not what it is
    compared = 0
    for path, value in shown.items():
        default = all_keys()[path].default
        if default not in (None, ()):
            typed = parse_span(value) if isinstance(default, timedelta) else value  # type: ignore[arg-type]
            assert typed == default, path
            compared += 1
    assert compared > 15


def test_every_mistake_has_a_line_and_nothing_a_terminal_obeys(
    capsys: Captured, tmp_path: Path
) -> None:
    path = tmp_path / "integrity.toml"
    path.write_text('"a\\u001b[31m" = 1\n[[trails]]\ntrail_arn = "\\u001b[31m"\n')
    assert main(["config", "check", str(path)]) == 2
    shown = capsys.readouterr()
    assert shown.out == ""
    first, *mistakes = shown.err.splitlines()
    assert first == "Error: the configuration cannot be used; mistakes in it: 3"
    assert [line.split()[0].rstrip(":") for line in mistakes] == [
        "trails[0].trail_arn",
        '"a\\\\u001b[31m"',  # once by the mistake, once more for the terminal
        "audiences.security",
    ]
    assert "\x1b" not in shown.err


def test_variables_count_in_a_check_too(capsys: Captured, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("INTEGRITY_CONFIG", str(EXAMPLE))
    monkeypatch.setenv("INTEGRITY_SERVICE_SCHEDULE", "5 * * * *")
    monkeypatch.setenv("INTEGRITY_TRAILS_1_EXTERNAL_ID", "hush-hush")
    assert main(["config", "check"]) == 0
    shown = capsys.readouterr().out
    assert "5 * * * * (UTC)" in shown
    assert "hush" not in shown


def test_who_is_told_nothing_is_said(capsys: Captured, monkeypatch: pytest.MonkeyPatch) -> None:
    arn = "arn:aws:cloudtrail:us-east-1:111122223333:trail/main"
    monkeypatch.setenv("INTEGRITY_CONFIG_TOML", f'notify = "none"\n[[trails]]\ntrail_arn = "{arn}"')
    monkeypatch.setenv("INTEGRITY_METRICS_ENABLED", "false")
    assert main(["config", "check"]) == 0
    shown = capsys.readouterr().out
    assert 'Security   nobody (notify = "none")' in shown
    assert "Metrics    none" in shown


def test_the_document_has_the_reference(capsys: Captured) -> None:
    assert main(["config", "reference"]) == 0
    printed = capsys.readouterr().out
    assert printed == render_reference()
    document = (ROOT / "docs" / "configuration.md").read_text(encoding="utf-8")
    assert document.endswith(f"compare it. -->\n\n{printed}")
