"""`integrity rules`, and what `integrity verify --rules` shows beside a record."""

from __future__ import annotations

import gzip
import json
from pathlib import Path

import pytest

from integrity.chain.model import S3Location, VerifiedEvent
from integrity.cli import main
from integrity.record import decode
from integrity.structs import replace
from integrity.verify.run import Verification
from tests.cli.stand_in import StandIn
from tests.report.samples import run
from tests.rules.samples import login, made_key, raw

RULES = """
[[rule]]
name = "keys"
match = 'select(.eventName == "CreateAccessKey") | "for \\(.responseElements.accessKey.userName)"'
"""
Captured = pytest.CaptureFixture[str]


@pytest.fixture
def rules(tmp_path: Path) -> str:
    path = tmp_path / "rules.toml"
    path.write_text(RULES, encoding="utf-8")
    return str(path)


def sample(tmp_path: Path, content: bytes) -> str:
    path = tmp_path / "sample"
    path.write_bytes(content)
    return str(path)


def test_rules_that_can_be_used_are_summed_up(rules: str, capsys: Captured) -> None:
    assert main(["rules", "check", rules]) == 0
    shown = capsys.readouterr()
    assert shown.out.splitlines() == [
        f"The rules can be used ({rules}).",
        "Rule       keys: tells nobody; looks at events named CreateAccessKey",
    ]
    assert "tells nobody: it has no destinations" in shown.err


def test_every_mistake_is_told_a_program_that_is_none_too(tmp_path: Path, capsys: Captured) -> None:
    text = (
        RULES + '[[rule]]\nname = "b"\njq_match = "select("\n[[rule]]\nname = "c"\nmatch = "x("\n'
    )
    path = tmp_path / "rules.toml"
    path.write_text(text, encoding="utf-8")

    assert main(["rules", "check", str(path)]) == 2
    shown = capsys.readouterr()
    assert shown.out == ""
    assert "rule[1].jq_match (b): it is no jq program: " in shown.err
    assert "rule[2].match (c): it is no jq program: " in shown.err


def test_rules_are_found_where_the_environment_says(
    rules: str, capsys: Captured, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    for name in ("INTEGRITY_RULES_FILE", "S3_CONFIG_BUCKET", "S3_CONFIG_PATH"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.chdir(tmp_path)
    assert main(["rules", "check"]) == 2
    assert "there are no rules: name a file" in capsys.readouterr().err

    Path("tattletail.toml").write_text(RULES, encoding="utf-8")
    assert main(["rules", "check"]) == 0
    assert "(tattletail.toml)" in capsys.readouterr().out

    monkeypatch.setenv("INTEGRITY_RULES_FILE", rules)
    assert main(["rules", "check"]) == 0
    assert f"({rules})" in capsys.readouterr().out


LOG = json.dumps({"Records": [made_key(), login()]}).encode()


@pytest.mark.parametrize(
    "content", [LOG, gzip.compress(LOG), raw(made_key()) + b"\n\n" + raw(login()) + b"\n"]
)
def test_a_sample_shows_what_would_fire(
    rules: str, tmp_path: Path, capsys: Captured, content: bytes
) -> None:
    path = sample(tmp_path, content)
    assert main(["rules", "test", rules, "--events", path]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[:2] == ["Rule       keys", "  for carol"]
    assert (
        "  Not yet proven: seen live, before CloudTrail signed the log file that holds it." in lines
    )
    assert lines[-1] == "2 events, 1 matches of 1 rules"

    assert main(["rules", "test", rules, "--events", path, "--format", "json"]) == 0
    [line] = capsys.readouterr().out.splitlines()
    facts = json.loads(line)
    assert (facts["rule"], facts["text"], facts["proven"]) == ("keys", "for carol", False)
    assert facts["event"] == made_key()


@pytest.mark.parametrize(
    ("content", "error"),
    [
        (b"", "holds no event"),
        (b'{"Records": []}', "holds no event"),
        (b"{}\n", "event 1 is no JSON object"),
        (b"[]", "event 1 is no JSON object"),
        (b"no JSON", "line 1: "),
        (gzip.compress(LOG)[:-9], "is cut short"),
        (b"\x1f\x8b" + b"x" * 30, "is not whole gzip"),
    ],
)
def test_a_sample_that_is_none_says_why(
    rules: str, tmp_path: Path, capsys: Captured, content: bytes, error: str
) -> None:
    assert main(["rules", "test", rules, "--events", sample(tmp_path, content)]) == 2
    assert error in capsys.readouterr().err


def verified(one: bytes) -> VerifiedEvent:
    return VerifiedEvent(
        one, S3Location("logs", "a log"), "ab" * 32, S3Location("logs", "a digest")
    )


class Bringing(StandIn):
    """Brings two verified events along."""

    dropped = 0

    def verify(self, *arguments: object, **options: object) -> Verification:
        verification = super().verify(*arguments, **options)  # type: ignore[arg-type]
        events = (verified(raw(made_key())), verified(raw(login())))
        return replace(verification, asked=events, dropped=self.dropped)


def test_verify_shows_matches_behind_the_record(rules: str, capsys: Captured) -> None:
    plain, stand_in = StandIn([run()]), Bringing([run()])
    assert main(["verify"], wiring=plain) == 0
    without = capsys.readouterr().out
    assert main(["verify", "--rules", rules], wiring=stand_in) == 0
    shown = capsys.readouterr().out

    assert shown.startswith(without)
    matched = shown.removeprefix(without).splitlines()
    assert matched[:2] == ["Rule       keys", "  for carol"]
    assert any("Proven: it stands in a log file" in line for line in matched)
    [job] = stand_in.jobs
    assert [one.names for one in job.rules] == [("CreateAccessKey",)]
    assert plain.jobs[0] == replace(job, rules=(), window=plain.jobs[0].window)


def test_verify_writes_matches_as_lines_behind_the_record(rules: str, capsys: Captured) -> None:
    stand_in = Bringing([run()])
    stand_in.dropped = 3
    assert main(["verify", "--rules", rules, "--format", "json"], wiring=stand_in) == 0
    shown = capsys.readouterr()
    record, match = shown.out.splitlines()

    assert decode(record.encode()) == run()
    facts = json.loads(match)
    assert (facts["rule"], facts["proven"], facts["log_file"]) == ("keys", True, "s3://logs/a log")
    assert "3 log files or events were left out" in shown.err


def test_an_endless_rule_is_told_and_changes_no_status(tmp_path: Path, capsys: Captured) -> None:
    path = tmp_path / "rules.toml"
    broken = '[[rule]]\nname = "failing"\nmatch = \'error("x")\'\n'
    path.write_text(
        f'{broken}[[rule]]\nname = "endless"\nmatch = "def f: f; f"\n', encoding="utf-8"
    )

    assert main(["verify", "--rules", str(path)], wiring=Bringing([run()])) == 0
    warned = capsys.readouterr().err
    assert "rule endless was stopped: it did not end" in warned
    assert "rule failing ended in an error for 2 events: no match" in warned


def test_no_logs_has_no_events(rules: str, capsys: Captured) -> None:
    assert main(["verify", "--rules", rules, "--no-logs"], wiring=StandIn()) == 2
    assert "--rules asks about events" in capsys.readouterr().err
