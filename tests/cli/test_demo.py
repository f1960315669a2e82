"""`integrity demo`, played for real: the story, the table, the server that stays, and its ends."""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from urllib.error import URLError
from urllib.request import ProxyHandler, build_opener

import pytest

from integrity.cli import main
from integrity.lab import attacks
from integrity.lab import demo as lab
from integrity.lab.demo import Act
from integrity.lab.world import World

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parents[2]
DEMO = (sys.executable, "-m", "integrity", "demo")
AWS = Path(sys.executable).with_name("aws")
FOREIGN = {
    "AWS_PROFILE": "somebody",
    "AWS_ENDPOINT_URL_S3": "http://127.0.0.1:9",
    "HTTP_PROXY": "http://127.0.0.1:9",
}

Captured = pytest.CaptureFixture[str]


@pytest.fixture(scope="module")
def chapters() -> list[list[str]]:
    """What the demo tells, chapter by chapter, in a shell that is set up for somebody's AWS."""
    done = subprocess.run(
        DEMO, cwd=ROOT, env=os.environ | FOREIGN, capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stderr) == (0, "")
    return [part.splitlines() for part in re.split(r"^== \d\. ", done.stdout, flags=re.M)[1:]]


def test_the_story_is_told_in_order(chapters: list[list[str]]) -> None:
    assert [chapter[0] for chapter in chapters] == [
        "A day of CloudTrail ==",
        "Is it what CloudTrail delivered? ==",
        "Somebody with write access to the bucket ... ==",
        "Is it still what CloudTrail delivered? ==",
        "What does the AWS CLI say of the same bucket? ==",
        "Who saw what ==",
    ]
    _, clean, _, tampered, _, _ = chapters
    for chapter, verdict in ((clean, "VALID: "), (tampered, "INVALID: ")):
        assert chapter[2].startswith("$ integrity verify --trail-arn arn:aws:cloudtrail:us-east-1:")
        assert [line for line in chapter if line.startswith(verdict)]


def test_what_the_demo_itself_says_is_plain_and_narrow(chapters: list[list[str]]) -> None:
    told = [line for chapter in (0, 2, 5) for line in chapters[chapter]]
    told += [line for chapter in (1, 3, 4) for line in chapters[chapter][:4]]
    assert [line for line in told if len(line) > 100 or line != line.rstrip()] == []
    assert all(line.isprintable() and line.isascii() for line in told)


def test_each_file_that_was_attacked_is_found_by_its_name(chapters: list[list[str]]) -> None:
    names = [line.strip() for line in chapters[2] if line.endswith(".json.gz")]
    assert len(names) == 1 + 1 + 2 + 1 + 3
    found = [line for line in chapters[3] if "\t" in line]
    assert [len([line for line in found if f"/{name}\t" in line]) for name in names] == (
        [1, 1, 1, 1, 1, 0, 0, 0]
    )


@pytest.mark.skipif(not AWS.exists(), reason="the AWS CLI is not installed")
def test_the_table_says_who_saw_what(chapters: list[list[str]]) -> None:
    table = [re.split(" {3,}", line) for line in chapters[5][2:9]]
    assert table[0][0] == ""
    assert table[0][1] == "integrity"
    assert re.fullmatch(r"AWS CLI \d+\.\d+\.\d+", table[0][2])
    assert table[1:] == [
        ["1. log file edited", "seen: log_hash_mismatch", "seen"],
        ["2. log file deleted", "seen: log_missing", "seen"],
        ["3. two digest files in a row removed", "seen: digest_missing", "1 of 2 seen"],
        ["4. forged log file planted", "seen: log_unreferenced", "not seen"],
        ["5. last 3 hours cut off", "seen: head_rewound", "not seen"],
        ["exit status", "1", "1 in us-east-1, 0 in eu-central-1"],
    ]


@pytest.mark.skipif(sys.platform == "win32", reason="Windows sends no SIGINT to a child alone")
@pytest.mark.parametrize(("options", "verdict"), [([], 1), (["--clean"], 0)])
def test_the_bucket_stays_until_ctrl_c(options: list[str], verdict: int) -> None:
    served = subprocess.Popen(
        [*DEMO, "--serve", *options],
        cwd=ROOT,
        env=os.environ | FOREIGN,
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        assert served.stdout is not None
        told = []
        for line in served.stdout:
            told.append(line.rstrip())
            if "until Ctrl-C" in line:
                break
        [unset] = [line.split()[1:] for line in told if line.startswith("unset ")]
        exports = dict(re.findall(r"^export (\w+)=(.*)$", "\n".join(told), flags=re.M))
        assert FOREIGN.keys() <= set(unset)
        mine = {name: value for name, value in os.environ.items() if name not in unset}
        window = ("--start-time", "2026-03-01", "--end-time", "2026-03-01")
        verified = subprocess.run(
            [sys.executable, "-m", "integrity", "verify", "--trail-arn", "main", *window],
            cwd=ROOT,
            env=mine | exports,
            capture_output=True,
            check=False,
        )
        assert verified.returncode == verdict
        served.send_signal(signal.SIGINT)
        assert served.wait(timeout=30) == 0
    finally:
        served.kill()
        served.communicate()
    with pytest.raises(URLError):
        build_opener(ProxyHandler({})).open(exports["AWS_ENDPOINT_URL"])


def nothing(world: World) -> list[Act]:
    del world
    return []


def more_than_was_done(
    world: World, let_loose: Callable[[World], list[Act]] = lab.let_loose
) -> list[Act]:
    acts = let_loose(world)
    innocent = world.chains[0].log_files[0]
    uri = f"s3://{innocent.bucket}/{innocent.key}"
    return [
        *acts,
        Act(title="x", told="x", region="x", start=lab.START, end=lab.END, s3_uris=(uri,)),
    ]


def spoilt_day(make_day: Callable[[], World] = lab.make_day) -> World:
    world = make_day()
    attacks.delete_log(world, world.chains[0].log_files[0])
    return world


@pytest.mark.parametrize(
    ("half", "played", "fault"),
    [
        ("make_day", spoilt_day, "as it was delivered was not found valid (exit status 1)"),
        ("let_loose", nothing, "after the attack was not found invalid (exit status 0)"),
        ("let_loose", more_than_was_done, "not every act of the attacker was seen"),
    ],
)
def test_a_demo_that_did_not_see_what_it_should_is_a_fault(
    half: str,
    played: Callable[..., object],
    fault: str,
    monkeypatch: pytest.MonkeyPatch,
    capfd: Captured,
) -> None:
    monkeypatch.chdir(ROOT)
    monkeypatch.setattr(lab, half, played)
    monkeypatch.setattr(shutil, "which", lambda *_, **__: None)
    assert main(["demo"]) == 70
    shown = capfd.readouterr()
    assert shown.err.startswith("Error: ")
    assert fault in shown.err
    assert "Try it by hand" not in shown.out


def test_without_the_aws_cli_the_demo_says_so_in_a_line(
    monkeypatch: pytest.MonkeyPatch, capfd: Captured
) -> None:
    monkeypatch.chdir(ROOT)
    monkeypatch.setattr(shutil, "which", lambda *_, **__: None)
    assert main(["demo"]) == 0
    lines = capfd.readouterr().out.splitlines()
    assert "Nothing: it is not installed here (pip install awscli)." in lines
    assert "5. last 3 hours cut off                seen: head_rewound" in lines
    assert lines[-1].startswith("Try it by hand: ")


def test_a_demo_without_the_lab_says_what_to_install() -> None:
    program = "import sys; sys.modules['moto'] = None; from integrity.cli import main; "
    done = subprocess.run(
        [sys.executable, "-c", program + "sys.exit(main(['demo']))"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 2
    assert done.stdout == ""
    assert done.stderr.startswith("Error: the demo needs the lab, which is not installed")
    assert done.stderr.endswith(": pip install 'trail-integrity[lab]'\n")
    assert done.stderr.count("\n") == 1
