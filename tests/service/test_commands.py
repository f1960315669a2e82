"""`integrity run`, `state`, `outbox` as a person or a task starts them, and what stops them."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from integrity.chain.findings import Outcome
from integrity.cli import main
from integrity.lab import attacks
from integrity.lab.faults import Fault
from integrity.record import decode
from tests.service.stage import Stage

ROOT = Path(__file__).parents[2]
Captured = pytest.CaptureFixture[str]


@pytest.fixture
def shell(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> Stage:
    """The stage, with its configuration in the environment, and its clock for the commands."""
    (stage.folder / "records").mkdir()
    monkeypatch.setenv("INTEGRITY_CONFIG_TOML", stage.toml())
    monkeypatch.setattr("integrity.cli.watching.read_clock", lambda: stage.world.now)
    return stage


def log_lines(shown: str) -> list[dict[str, object]]:
    return [json.loads(line) for line in shown.splitlines() if line.startswith("{")]


def test_run_says_a_line_a_trail_and_logs_the_findings(shell: Stage, capsys: Captured) -> None:
    assert main(["run"]) == 0
    assert capsys.readouterr().out == f"valid\t{shell.trail_arn}\t0 findings\n"

    shell.pass_hours()
    log = shell.newest.log_files[0]
    attacks.edit_log(shell.world, log)
    assert main(["run"]) == 1
    shown = capsys.readouterr()
    assert shown.out == f"invalid\t{shell.trail_arn}\t1 findings\n"
    [finding] = [one for one in log_lines(shown.err) if one.get("reason")]
    assert finding["message"] == (
        f"Log file\ts3://{log.bucket}/{log.key}\tINVALID: hash value doesn't match"
    )
    assert (finding["reason"], finding["outcome"]) == ("log_hash_mismatch", "invalid")


def test_what_a_tick_sees_beside_its_window_counts_too(shell: Stage, capsys: Captured) -> None:
    shell.tick()
    attacks.edit_log(shell.world, shell.newest.log_files[0])
    shell.pass_hours()
    shell.tick()
    shell.pass_hours(24)
    shell.tick()
    shell.pass_hours(24)
    capsys.readouterr()

    status = main(["run"])

    shown = capsys.readouterr().out
    [summary] = shell.service().store.list_runs(shell.trail_arn, limit=1)
    assert (summary.outcome, status) == (Outcome.VALID, 1)
    assert shown == f"invalid\t{shell.trail_arn}\t1 findings\n"


def test_run_without_an_answer_is_3_and_says_why(shell: Stage, capsys: Captured) -> None:
    shell.server.faults.append(Fault("deny", operation="GetCallerIdentity"))
    shell.server.faults.append(Fault("deny", operation="DescribeTrails"))
    shell.server.faults.append(Fault("deny", operation="GetTrail"))

    status = main(["run"])

    shown = capsys.readouterr()
    assert status == 3
    assert shown.out.startswith(f"not verified\t{shell.trail_arn}\t")
    assert "Traceback" not in shown.err


def test_accept_without_a_loss_says_so(shell: Stage, capsys: Captured) -> None:
    assert main(["state", "accept", shell.trail_arn, "--reason", "none"]) == 0
    assert capsys.readouterr().out == "nothing was lost, so nothing had to be accepted\n"


def test_accept_names_the_old_head_and_the_new(shell: Stage, capsys: Captured) -> None:
    main(["run"])
    lost = shell.newest
    attacks.delete_digest(shell.world, lost)
    main(["run"])
    capsys.readouterr()

    main(["state", "accept", shell.trail_arn, "--reason", "moved by hand"])

    [line] = capsys.readouterr().out.splitlines()
    assert line.startswith("accepted 111122223333 us-east-1: s3://")
    assert line.endswith(f" in place of s3://{lost.bucket}/{lost.key} (1 lost)")


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("state", "accept", "TRAIL"), "--reason"),
        (("state", "accept", "nonsense", "--reason", "x"), "trail"),
        (
            (
                "state",
                "accept",
                "arn:aws:cloudtrail:us-east-1:111122223333:trail/other",
                "--reason",
                "x",
            ),
            "the configuration has no trail arn:aws:cloudtrail:us-east-1:111122223333:trail/other",
        ),
        (("outbox", "replay", "nobody"), "no unsent message has the id nobody"),
    ],
)
def test_what_is_typed_wrong_is_2(
    shell: Stage, capsys: Captured, arguments: tuple[str, ...], words: str
) -> None:
    assert shell.trail_arn not in arguments
    assert main(list(arguments)) == 2
    assert words in capsys.readouterr().err


def test_a_message_that_was_refused_is_listed_and_replayed(shell: Stage, capsys: Captured) -> None:
    main(["run"])
    shell.pass_hours()
    attacks.edit_log(shell.world, shell.newest.log_files[0])
    fault = Fault("deny", operation="Publish")
    shell.server.faults.append(fault)
    main(["run"])
    capsys.readouterr()

    assert main(["outbox", "list"]) == 0
    [line] = capsys.readouterr().out.splitlines()
    letter_id, state, attempts, destination, subject, error = line.split("\t")
    assert letter_id.endswith(shell.topics["security"])
    assert state.startswith("due 2026-03-0")
    assert (attempts, destination) == ("1", f"sns:{shell.topics['security']}")
    assert "INVALID" in subject
    assert "sns:Publish" in error

    assert main(["outbox", "replay", letter_id]) == 3
    shown = capsys.readouterr()
    assert shown.out == "0 of 1 messages arrived\n"
    assert "integrity outbox list" in shown.err

    shell.server.faults.remove(fault)
    assert main(["outbox", "replay"]) == 0
    assert capsys.readouterr().out == "1 of 1 messages arrived\n"
    assert shell.news() == [("opened", "log_hash_mismatch")]
    assert main(["outbox", "list"]) == 0
    assert capsys.readouterr().out == ""


def test_incidents_are_listed_open_and_past(
    shell: Stage, capsys: Captured, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("integrity.cli.incidents.read_clock", lambda: shell.world.now)
    main(["run"])
    capsys.readouterr()
    assert main(["incidents"]) == 0
    assert capsys.readouterr().out == ""

    shell.pass_hours()
    log = shell.newest.log_files[0]
    kept = shell.world.objects[log.address]
    attacks.edit_log(shell.world, log)
    main(["run"])
    capsys.readouterr()
    assert main(["incidents"]) == 0
    columns = capsys.readouterr().out.rstrip("\n").split("\t")
    assert columns[1:5] == [
        "open",
        f"since {shell.world.now:%Y-%m-%dT%H:%M:%SZ}",
        "log_hash_mismatch",
        "111122223333/us-east-1",
    ]
    assert columns[6:] == ["1", "told security", f"s3://{log.bucket}/{log.key}"]

    shell.world.objects[log.address] = kept
    shell.pass_hours()
    main(["run"])
    capsys.readouterr()
    assert main(["incidents", "--format", "json"]) == 0
    [line] = capsys.readouterr().out.splitlines()
    past = json.loads(line)
    assert (past["is_open"], past["told"]) == (False, ["security"])
    assert past["resolved"] == f"{shell.world.now:%Y-%m-%dT%H:%M:%SZ}"
    shell.pass_hours(5)
    assert main(["incidents", "--last", "4h"]) == 0
    assert capsys.readouterr().out == ""


@pytest.mark.parametrize(
    "command", [("run",), ("state", "accept", "A", "--reason", "b"), ("outbox", "list")]
)
def test_a_configuration_with_mistakes_is_2_and_names_each(
    command: tuple[str, ...], monkeypatch: pytest.MonkeyPatch, capsys: Captured
) -> None:
    monkeypatch.setenv(
        "INTEGRITY_CONFIG_TOML",
        '[[trails]]\ntrail_arn = "nonsense"\n[service]\noverlap = "1 fortnight"\ncolour = "red"\n',
    )
    arguments = [
        "arn:aws:cloudtrail:us-east-1:111122223333:trail/main" if one == "A" else one
        for one in command
    ]
    assert main(arguments) == 2
    shown = capsys.readouterr().err
    for word in ("trail_arn", "overlap", "colour"):
        assert word in shown
    assert "Traceback" not in shown


def test_no_configuration_at_all_is_2(monkeypatch: pytest.MonkeyPatch, capsys: Captured) -> None:
    for name in [name for name in os.environ if name.startswith("INTEGRITY_")]:
        monkeypatch.delenv(name)
    assert main(["run"]) == 2
    assert capsys.readouterr().err.startswith("Error: ")


@pytest.mark.parametrize(
    "command",
    [
        ("run",),
        ("state",),
        ("state", "accept"),
        ("outbox",),
        ("outbox", "replay"),
        ("health",),
        ("incidents",),
        ("ack",),
    ],
)
def test_each_has_a_help_without_a_configuration(
    command: tuple[str, ...], capsys: Captured
) -> None:
    assert main([*command, "--help"]) == 0
    assert capsys.readouterr().out.startswith(f"Usage: integrity {' '.join(command)}")


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no SIGTERM to handle")
def test_sigterm_in_mid_tick_ends_it_with_its_work_kept(shell: Stage) -> None:
    assert shell.tick().status == 0
    before = shell.service().store.load(shell.trail_arn)
    shell.pass_hours()
    slow = Fault("delay", operation="GetObject", key="CloudTrail/", seconds=2.0)
    shell.server.faults.append(slow)
    shell.server.requests.clear()
    process = subprocess.Popen(
        [sys.executable, "-c", PROGRAM, shell.world.now.isoformat()],
        cwd=ROOT,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    while shell.server.requests.by_operation["GetObject"] < 3:  # two digests and a log file
        assert process.poll() is None, process.communicate()
        time.sleep(0.01)
    process.send_signal(signal.SIGTERM)
    out, errors = process.communicate(timeout=30)

    assert process.returncode == 130, errors
    assert "Traceback" not in errors
    assert out.count("\n") == 1
    service = shell.service()
    after = service.store.load(shell.trail_arn)
    newest = service.records.newest(shell.trail_arn)
    assert newest is not None
    assert decode(newest.document).run.interrupted
    assert before.checkpoint is not None
    assert after.checkpoint is not None
    assert after.version == before.version + 1
    assert after.checkpoint.attempted == before.checkpoint.attempted
    assert after.checkpoint.record_uri == newest.uri
    service.store.close()

    shell.server.faults.remove(slow)
    assert shell.tick().status == 0
    last = shell.service().store.load(shell.trail_arn)
    assert last.checkpoint is not None
    assert last.checkpoint.attempted == shell.world.now
    assert shell.mail() == shell.mail("operations") == []


PROGRAM = """
import sys
from datetime import datetime
from integrity.cli import main, watching
now = datetime.fromisoformat(sys.argv.pop())
watching.read_clock = lambda: now
sys.argv[1:] = ["run"]
sys.exit(main())
"""
