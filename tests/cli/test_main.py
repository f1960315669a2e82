"""The outermost edge: help, lazy commands, and processes with closed streams or an interrupt."""

from __future__ import annotations

import logging
import os
import re
import subprocess
import sys
from pathlib import Path

import click
import pytest

from integrity import __version__
from integrity.cli import main
from integrity.cli.group import program
from integrity.record import ExitStatus, Run
from tests.cli.stand_in import StandIn
from tests.report import samples

COMMANDS = [
    "verify",
    "report",
    "restore",
    "find",
    "verify-evidence",
    "bundle",
    "trails",
    "keys",
    "run",
    "live",
    "status",
    "config",
    "doctor",
    "rules",
    "incidents",
    "ack",
    "state",
    "outbox",
    "drill",
    "health",
    "demo",
]
ROOT = Path(__file__).parents[2]

# A whole process with a stand-in for AWS; `{answers}` are the trails' records.
PROCESS = """
import sys
from integrity.cli import main
from tests.cli.stand_in import StandIn
from tests.report.samples import *
from integrity.chain.findings import Reason
def invalid(progress):
    return run(*[finding(Reason.LOG_MISSING, s3_uri=log_uri(5) + str(n)) for n in range(5000)])
def interrupt(progress):
    import os, signal
    print("now", flush=True)
    os.kill(os.getpid(), signal.SIGINT)
    return run()
def interrupt_twice(progress):
    interrupt(progress)
    interrupt(progress)
    import time
    time.sleep(60)
sys.exit(main(sys.argv[1:], wiring=StandIn([{answers}])))
"""

posix = pytest.mark.skipif(os.name == "nt", reason="pipes, signals and terminals of POSIX")


def start(answers: str, *arguments: str, stdout: int, stderr: int) -> subprocess.Popen[bytes]:
    environment = {key: value for key, value in os.environ.items() if key != "NO_COLOR"}
    return subprocess.Popen(
        [sys.executable, "-c", PROCESS.format(answers=answers), "verify", *arguments],
        cwd=ROOT,
        env=environment | {"PYTHONPATH": str(ROOT), "TERM": "xterm"},
        stdout=stdout,
        stderr=stderr,
    )


@pytest.mark.parametrize("option", ["--help", "-h"])
@pytest.mark.parametrize("command", [[], *([name] for name in COMMANDS)])
def test_help_is_status_0_and_on_standard_output(
    command: list[str], option: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([*command, option]) == 0
    shown = capsys.readouterr()
    assert shown.out.startswith(" ".join(["Usage: integrity", *command]))
    assert shown.out.isascii()
    assert shown.err == ""


def test_the_first_help_names_every_command(capsys: pytest.CaptureFixture[str]) -> None:
    main(["--help"])
    out = capsys.readouterr().out
    listed = re.search(r"Commands:\n(.*?)\n\n", out, re.DOTALL)
    assert listed
    assert [line.split()[0] for line in listed.group(1).splitlines()] == COMMANDS


def test_every_option_has_a_line_of_help() -> None:
    context = click.Context(program)
    for name in COMMANDS:
        command = program.get_command(context, name)
        assert command is not None
        for parameter in command.params:
            if isinstance(parameter, click.Argument):
                continue  # the command's own text tells of it
            assert isinstance(parameter, click.Option)
            assert parameter.help, parameter.name


def test_help_for_verify_names_each_exit_status_and_every_default(
    capsys: pytest.CaptureFixture[str],
) -> None:
    main(["verify", "--help"])
    out = capsys.readouterr().out
    tail = out[out.index("Exit status:") :]
    listed = [int(line.split()[0]) for line in tail.splitlines() if re.match(r" +[0-9]+  ", line)]
    assert listed == [
        ExitStatus.VALID,
        ExitStatus.INVALID,
        ExitStatus.USAGE,
        ExitStatus.UNDETERMINED,
        ExitStatus.FAULT,
        ExitStatus.INTERRUPTED,
    ]
    words = " ".join(out.split())
    for default in ("24h", "1h", "128", "text", "UTC", "now", "all", "standard output"):
        assert f"[default: {default}" in words
    assert "Examples:" in out


def test_the_version_is_told(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--version"]) == 0
    assert capsys.readouterr().out == f"integrity {__version__}\n"


@pytest.mark.parametrize("arguments", [[], ["no-such-command"], ["--no-such-option"]])
def test_no_command_is_a_usage_error(
    arguments: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(arguments) == 2
    shown = capsys.readouterr()
    assert shown.out == ""
    assert "Usage: integrity" in shown.err


def test_help_and_usage_errors_import_no_aws_sdk() -> None:
    code = (
        "import sys; from integrity.cli import main; "
        "typed = ['--help'], ['verify', '--help'], ['verify', '--last', 'x']; "
        "statuses = [main(arguments) for arguments in typed]; "
        "heavy = {'boto3', 'botocore', 'pycurl', 'moto', 'cryptography'} & set(sys.modules); "
        "sys.exit(f'{statuses} {heavy}' if heavy or statuses != [0, 0, 2] else 0)"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, check=False)
    assert done.returncode == 0, done.stderr


def test_a_command_is_imported_when_it_is_called() -> None:
    code = (
        "import sys; from integrity.cli import main; main(['trails', '--help']); "
        "assert 'integrity.cli.trails' in sys.modules; "
        "assert not {'integrity.cli.verify', 'integrity.cli.keys'} & set(sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, check=False)
    assert done.returncode == 0, done.stderr


def test_the_package_is_the_command() -> None:
    command = [sys.executable, "-m", "integrity", "--version"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, check=False)
    assert (done.returncode, done.stdout) == (0, f"integrity {__version__}{os.linesep}".encode())


def test_without_arguments_the_processs_own_are_read(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("sys.argv", ["integrity", "--version"])
    assert main() == 0
    assert __version__ in capsys.readouterr().out


@posix
@pytest.mark.parametrize(
    ("answers", "status"), [("run()", 0), ("invalid", 1), ("run(), invalid", 1)]
)
def test_whoever_closes_the_pipe_misses_the_text_and_not_the_status(
    answers: str, status: int
) -> None:
    reading, writing = os.pipe()
    os.close(reading)
    process = start(answers, "--verbose", stdout=writing, stderr=subprocess.PIPE)
    os.close(writing)
    _, errors = process.communicate(timeout=60)
    assert (process.returncode, errors) == (status, b"")


@posix
def test_help_into_a_closed_pipe_is_quiet_and_never_status_0_or_1() -> None:
    reading, writing = os.pipe()
    os.close(reading)
    process = start("run()", "--help", stdout=writing, stderr=subprocess.PIPE)
    os.close(writing)
    _, errors = process.communicate(timeout=60)
    assert (process.returncode, errors) == (3, b"")


@posix
def test_closed_streams_are_no_fault() -> None:
    code = PROCESS.format(answers="invalid")
    command = f'exec "{sys.executable}" -c "$CODE" verify >&- 2>&-'
    done = subprocess.run(
        ["sh", "-c", command], cwd=ROOT, env=os.environ | {"CODE": code}, check=False
    )
    assert done.returncode == 1


@posix
@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no /dev/full here")
def test_a_report_that_finds_no_room_is_told_once() -> None:
    with Path("/dev/full").open("wb") as full:
        process = start("run()", stdout=full.fileno(), stderr=subprocess.PIPE)
        _, errors = process.communicate(timeout=60)
    assert process.returncode == 2
    assert errors.startswith(b"Error: 'standard output' cannot be written: No space left")
    assert errors.count(b"\n") == 1


@posix
@pytest.mark.parametrize("answers", ["run(), interrupt, run()", "run(), interrupt_twice"])
def test_an_interrupt_ends_with_130_and_a_sentence(answers: str) -> None:
    process = start(answers, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    out, errors = process.communicate(timeout=60)
    assert process.returncode == 130
    assert out.count(b"VALID: every digest file expected") == 2 - ("twice" in answers)
    assert errors.startswith(b"Interrupted: ")


@posix
@pytest.mark.parametrize(
    ("environment", "coloured"),
    [({}, True), ({"NO_COLOR": "1"}, False), ({"NO_COLOR": ""}, True), ({"TERM": "dumb"}, False)],
)
def test_colour_is_for_a_terminal_and_never_with_no_color(
    environment: dict[str, str], *, coloured: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    import pty

    inside, outside = pty.openpty()
    monkeypatch.delenv("NO_COLOR", raising=False)
    process = subprocess.Popen(
        [sys.executable, "-c", PROCESS.format(answers="run()"), "verify"],
        cwd=ROOT,
        env={**os.environ, "TERM": "xterm", **environment},
        stdout=outside,
        stderr=subprocess.DEVNULL,
    )
    os.close(outside)
    shown = read_all(inside)
    assert process.wait(timeout=60) == 0
    assert (b"\x1b[32mVALID\x1b[0m: every digest" in shown) is coloured
    assert (b"\x1b" in shown) is coloured


@posix
@pytest.mark.parametrize(("arguments", "drawn"), [([], True), (["--quiet"], False)])
def test_a_terminal_on_standard_error_gets_a_bar_unless_quiet(
    arguments: list[str], *, drawn: bool
) -> None:
    import pty

    inside, outside = pty.openpty()
    process = start("run()", *arguments, stdout=subprocess.DEVNULL, stderr=outside)
    os.close(outside)
    shown = read_all(inside)
    assert process.wait(timeout=60) == 0
    assert (b"Log files" in shown) is drawn
    assert bool(shown) is drawn


def read_all(descriptor: int) -> bytes:
    """What a terminal was shown; Linux says EIO where the other side has left."""
    shown = b""
    try:
        while piece := os.read(descriptor, 65536):
            shown += piece
    except OSError:
        pass
    os.close(descriptor)
    return shown


def test_what_stands_in_is_what_is_asked(capsys: pytest.CaptureFixture[str]) -> None:
    stand_in = StandIn()
    assert main(["verify", "--trail-arn", "main"], wiring=stand_in) == 0
    assert stand_in.claim is not None
    assert capsys.readouterr().out


@pytest.mark.parametrize("verbose", [(), ("--verbose",)])
def test_what_a_library_logs_is_not_shown_with_a_traceback(
    verbose: tuple[str, ...],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """As botocore does where credentials cannot be renewed; pytest's own handlers would hide it."""
    monkeypatch.setattr(logging.getLogger(), "handlers", [])

    def logs(_: object) -> Run:
        try:
            raise OSError("no answer")
        except OSError:
            logging.getLogger("botocore.credentials").warning("not renewed", exc_info=True)
        return samples.run()

    assert main(["verify", *verbose], wiring=StandIn([logs])) == ExitStatus.VALID
    assert "not renewed" not in capsys.readouterr().err
    assert logging.getLogger().handlers == []
