"""What `integrity restore` prints, run by the real AWS CLI, brings an attacked trail back."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from integrity.chain.findings import Outcome, Reason
from integrity.chain.times import format_instant
from integrity.cli import main
from integrity.lab import attacks
from integrity.lab.server import LabServer, serve
from integrity.lab.world import Chain, World
from integrity.record import Run, decode, encode
from tests.memory import reasons
from tests.report import samples

HOUR = timedelta(hours=1)
NOW = World().now.replace(minute=50, second=0)
START = NOW.replace(minute=0) - 40 * HOUR
KEY = "arn:aws:kms:us-east-1:111122223333:key/11111111-2222-3333-4444-555555555555"

HOSTILE = "it's a $(touch gone) %20+\u202e \u0436 prefix"

Captured = pytest.CaptureFixture[str]


def made(prefix: str) -> tuple[World, Chain]:
    """A trail on a versioned bucket, which goes on until now."""
    world = World(seed=5, now=NOW)
    trail = world.add_trail(prefix=prefix)
    world.objects.enable_versioning(trail.bucket)
    chain = world.run_chain(trail, start=START, hours=42, logs_per_hour=2)
    for address in [digest.address for digest in chain.digests[4:6]]:
        world.objects[address] = replace(world.objects[address], kms_key_id=KEY)
    return world, chain


def attack(world: World, chain: Chain) -> None:
    """Of everything something, the head cut off last."""
    world.now += timedelta(minutes=1)
    attacks.edit_log(world, chain.digests[3].log_files[0])
    attacks.unsign_digest(world, chain.digests[5])
    attacks.delete_log(world, chain.digests[7].log_files[0])
    attacks.delete_digests(world, chain.digests[9:11], with_logs=True)
    attacks.malform_digest(world, chain.digests[13], "not-gzip")
    attacks.edit_log(world, chain.digests[13].log_files[1])
    attacks.cut_head(world, chain, 3)
    for log in chain.pending:
        world.objects.pop(log.address, None)
    world.now += timedelta(minutes=1)


@pytest.fixture(params=["", "audit", HOSTILE], ids=["plain", "prefix", "hostile"])
def lab(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[LabServer]:
    world, chain = made(request.param)
    attack(world, chain)
    for name in [name for name in os.environ if name.lower().endswith("_proxy")]:
        monkeypatch.delenv(name)
    with serve(world) as server:
        for name, value in server.environment.items():
            monkeypatch.setenv(name, value)
        yield server


def verified(file: Path) -> tuple[int, Run]:
    times = ("--start-time", format_instant(START), "--end-time", format_instant(NOW))
    status = main(["verify", *times, "--format", "json", "--output", str(file)])
    return status, decode(file.read_bytes())


def run_with_the_aws_cli(script: Path, lab: LabServer, folder: Path) -> None:
    """Bash reads the script, and one process of the real AWS CLI gets what it makes of each line:
    to start one for each takes seconds.
    """
    said = folder / "said"
    told = f"aws() {{ printf '%s\\0' \"$@\" . >> {said}; }}; . {script}"
    subprocess.run(["bash", "-c", told], cwd=folder, check=True)
    environment = {**os.environ, **lab.environment}
    command = [sys.executable, "-c", _AWS_CLI, str(said)]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


_AWS_CLI = """
import sys
from pathlib import Path
from awscli.clidriver import create_clidriver
driver, words = create_clidriver(), []
for word in Path(sys.argv[1]).read_bytes().split(b"\\0")[:-1]:
    if word != b".":
        words.append(word.decode())
    elif driver.main(words):
        sys.exit(1)
    else:
        words = []
"""


@pytest.mark.slow
@pytest.mark.parametrize("options", [(), ("--remove-markers",)], ids=["copies", "markers"])
def test_the_printed_commands_bring_the_trail_back(
    lab: LabServer, tmp_path: Path, options: tuple[str, ...]
) -> None:
    status, run = verified(tmp_path / "record.json")
    assert status == 1
    assert {"log_hash_mismatch", "log_missing", "digest_missing", "digest_signature_missing"} <= {
        *reasons(run)
    }
    assert {"digest_malformed", "head_rewound"} <= {*reasons(run)}
    script = tmp_path / "restore.sh"
    assert main(["restore", str(tmp_path / "record.json"), "--output", str(script), *options]) == 0
    requests = lab.requests.by_operation.copy()
    history = {address: len(kept) for address, kept in lab.world.objects.history.items()}

    run_with_the_aws_cli(script, lab, tmp_path)

    assert not (tmp_path / "gone").exists()
    after, again = verified(tmp_path / "again.json")
    assert (after, again.outcome, again.findings) == (0, Outcome.VALID, ())
    assert requests["PutObject"] == requests["CopyObject"] == requests["DeleteObject"] == 0
    unsigned = lab.world.chains[0].digests[5].address
    assert lab.world.objects[unsigned].kms_key_id == KEY
    if not options:
        kept = lab.world.objects.history
        assert all(len(kept[address]) >= number for address, number in history.items())


def test_a_record_without_originals_has_nothing_to_bring_back(
    tmp_path: Path, capsys: Captured
) -> None:
    record = tmp_path / "record.json"
    record.write_bytes(encode(samples.run(samples.finding(Reason.CHAIN_GAP))))

    assert main(["restore", str(record), str(record)]) == 0

    shown = capsys.readouterr()
    assert shown.err == ""
    assert shown.out.count("# 0 proven originals to bring back") == 2
    assert "aws s3api" not in shown.out


def test_what_is_no_record_is_refused_and_nothing_is_written(
    tmp_path: Path, capsys: Captured
) -> None:
    junk, script = tmp_path / "junk.json", tmp_path / "restore.sh"
    junk.write_text("{}")

    assert main(["restore", str(junk), "--output", str(script)]) == 2
    assert "this is no record of integrity" in capsys.readouterr().err
    assert not script.exists()
