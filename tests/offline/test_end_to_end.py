"""Typed by a person: copies that the AWS CLI made of the lab, bundles, and no network at all."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from integrity.chain.evidence import EventWitness
from integrity.chain.findings import Outcome, Reason
from integrity.cli import main
from integrity.lab import demo as lab_demo
from integrity.lab.server import LabServer, serve
from integrity.lab.world import World
from integrity.record import Run, decode

ROOT = Path(__file__).parents[2]
HOUR = timedelta(hours=1)
DAY = ("--start-time", "2026-03-01T00:00:00Z", "--end-time", "2026-03-02T00:00:00Z")
LIVE = {Reason.HEAD_REWOUND, Reason.HEAD_STALE, Reason.LOG_UNREFERENCED}

ALONE = """
import socket, sys
def refused(*_, **__): raise OSError("no network here")
socket.socket.connect = socket.socket.connect_ex = refused
socket.getaddrinfo = socket.create_connection = refused
from integrity.cli import main
status = main(sys.argv[1:])
loaded = {name.partition(".")[0] for name in sys.modules}
assert not loaded & {"boto3", "botocore", "pycurl", "s3transfer", "urllib3"}, loaded
sys.exit(status)
"""

Captured = pytest.CaptureFixture[str]


@pytest.fixture
def world() -> World:
    return lab_demo.make_day()


@pytest.fixture
def lab(world: World, monkeypatch: pytest.MonkeyPatch) -> Iterator[LabServer]:
    for name in [name for name in os.environ if name.lower().endswith("_proxy")]:
        monkeypatch.delenv(name)
    with serve(world) as server:
        for name, value in server.environment.items():
            monkeypatch.setenv(name, value)
        yield server


def alone(*arguments: str) -> tuple[int, Run]:
    """A process of its own without network and credentials: its exit status and its record."""
    bare = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}
    done = subprocess.run(
        [sys.executable, "-c", ALONE, "verify", "--format", "json", *arguments],
        env=bare | {"PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.stderr == ""
    return done.returncode, decode(done.stdout.encode())


def record(capsys: Captured, command: str, *arguments: str) -> tuple[int, Run]:
    status = main([command, "--format", "json", "--trail-arn", "main", *DAY, *arguments])
    shown = capsys.readouterr()
    assert shown.err == ""
    return status, decode(shown.out.encode())


def keys(folder: Path) -> str:
    file = folder / "keys.json"
    regions = [word for region in lab_demo.REGIONS for word in ("--source-region", region)]
    assert main(["keys", *regions, *DAY, "--output", str(file)]) == 0
    return str(file)


def sync(server: LabServer, place: str, folder: Path) -> None:
    aws = Path(sys.executable).with_name("aws")
    subprocess.run(
        [aws, "s3", "sync", "--only-show-errors", place, str(folder)],
        env={**os.environ, **server.environment},
        check=True,
    )


@pytest.mark.slow
def test_what_aws_s3_sync_made_is_proven_but_for_the_newest_digests(
    lab: LabServer, tmp_path: Path, capsys: Captured
) -> None:
    sync(lab, "s3://audit-logs", tmp_path / "copy")
    file = keys(tmp_path)
    capsys.readouterr()
    status, run = alone(
        "--copy", str(tmp_path / "copy"), "--original", "s3://audit-logs", "--keys", file
    )
    assert (status, run.outcome, run.run.source) == (3, Outcome.UNDETERMINED, "copy")
    assert [finding.reason for finding in run.findings] == [Reason.DIGEST_UNPROVEN] * 2
    assert run.trail_arn == lab.world.trails[0].arn
    for chain, made in zip(run.chains, reversed(lab.world.chains), strict=True):
        assert chain.region == made.region
        assert chain.digest_files.undetermined == 1
        assert chain.covered[-1].end == made.digests[-2].end
        assert chain.head is not None
        assert chain.head.s3_uri.endswith(made.digests[-2].key)
    assert run.totals.log_files.total == run.totals.log_files.valid > 150
    assert run.totals.log_files.unreferenced is None


@pytest.mark.slow
def test_a_copy_of_one_folder_is_a_copy_too(
    lab: LabServer, tmp_path: Path, capsys: Captured
) -> None:
    sync(lab, "s3://audit-logs/AWSLogs/111122223333", tmp_path / "copy")
    file = keys(tmp_path)
    capsys.readouterr()
    place = "s3://audit-logs/AWSLogs/111122223333/"
    status, run = alone("--copy", str(tmp_path / "copy"), "--original", place, "--keys", file, *DAY)
    assert status == 3
    assert {finding.reason for finding in run.findings} == {Reason.DIGEST_UNPROVEN}
    status, run = alone(
        "--copy", str(tmp_path / "copy"), "--original", "s3://other-logs/AWSLogs/111122223333",
        "--keys", file, *DAY,
    )  # fmt: skip
    assert status == 1
    (moved,) = [f for f in run.findings if f.reason is Reason.DIGEST_MOVED]
    assert (moved.count, "--original s3://audit-logs" in moved.message) == (50, True)


@pytest.mark.parametrize("is_attacked", [False, True])
def test_a_bundle_of_the_demo_says_the_same_without_a_network(
    lab: LabServer, world: World, tmp_path: Path, capsys: Captured, *, is_attacked: bool
) -> None:
    assert lab.endpoint
    if is_attacked:
        lab_demo.let_loose(world)
    folder = tmp_path / "bundle"
    status, ours = record(capsys, "bundle", "--out", str(folder))
    assert status == int(is_attacked)
    again, theirs = alone("--bundle", str(folder))
    assert again == status
    assert theirs.run.source == "bundle"
    assert [f for f in ours.findings if f.reason not in LIVE] == [
        f for f in theirs.findings if f.reason not in LIVE
    ]
    assert theirs.totals.digest_files == ours.totals.digest_files
    assert theirs.totals.log_files.valid == ours.totals.log_files.valid
    assert decode((folder / "record.json").read_bytes()) == ours
    script = [sys.executable, str(ROOT / "docs" / "verify_bundle.py"), str(folder)]
    done = subprocess.run(script, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (status, ""), done.stdout
    assert done.stdout.endswith(" 0 flaws\n") is not is_attacked


@pytest.mark.usefixtures("lab")
def test_what_was_altered_in_a_bundle_is_found_by_its_signature(
    tmp_path: Path, capsys: Captured
) -> None:
    folder = tmp_path / "bundle"
    record(capsys, "bundle", "--out", str(folder))
    logs = sorted(folder.rglob("*_CloudTrail_us-east-1_*.json.gz"))
    logs[3].write_bytes(logs[4].read_bytes())
    digests = sorted(folder.rglob("*_CloudTrail-Digest_us-east-1_*.json.gz"))
    digests[5].write_bytes(digests[6].read_bytes())
    status, run = alone("--bundle", str(folder))
    found = {finding.reason for finding in run.findings}
    assert status == 1
    assert {Reason.LOG_HASH_MISMATCH, Reason.DIGEST_MOVED} <= found
    notes = [note for note in run.population.notes if "not those of its manifest" in note]
    assert notes[0].startswith("2 of the bundle's files")
    script = [sys.executable, str(ROOT / "docs" / "verify_bundle.py"), str(folder)]
    done = subprocess.run(script, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert logs[3].name in done.stdout
    assert digests[5].name in done.stdout
    logs[3].unlink()
    status, run = alone("--bundle", str(folder))
    assert {f.detail.partition(":")[0] for f in run.findings} >= {
        "its file is gone from the bundle"
    }
    manifest = json.loads((folder / "manifest.json").read_bytes())
    assert set(manifest["files"]) == {"objects.jsonl", "keys.json", "answers.json", "record.json"}


@pytest.mark.usefixtures("lab")
def test_keys_that_are_not_those_of_the_manifest_are_refused(
    tmp_path: Path, capsys: Captured
) -> None:
    folder = tmp_path / "bundle"
    record(capsys, "bundle", "--out", str(folder), "--no-logs")
    assert not list(folder.rglob("*_CloudTrail_us-east-1_*.json.gz"))
    status, run = alone("--bundle", str(folder))
    assert (status, run.findings) == (3, ())
    assert run.totals.log_files.undetermined == run.totals.log_files.total > 150
    assert not run.requested.log_files
    (folder / "keys.json").write_bytes(b"{}")
    assert main(["verify", "--bundle", str(folder)]) == 2
    said = capsys.readouterr().err
    assert "keys.json' is not the file that the manifest names: expected SHA-256" in said


@pytest.mark.usefixtures("lab")
def test_a_bundle_is_not_written_over_and_one_that_was_interrupted_goes_on(
    tmp_path: Path, capsys: Captured
) -> None:
    folder = tmp_path / "bundle"
    status, ours = record(capsys, "bundle", "--out", str(folder))
    assert status == 0
    typed = ["bundle", "--trail-arn", "main", *DAY, "--out", str(folder)]
    assert main(typed) == 2
    assert "holds a bundle already" in capsys.readouterr().err
    # As it was in the middle: no manifest yet, half of the lines, one of them cut short.
    manifest = json.loads((folder / "manifest.json").read_bytes())
    del manifest["collected_at"], manifest["files"]
    (folder / "collecting.json").write_text(json.dumps(manifest))
    (folder / "manifest.json").unlink()
    lines = (folder / "objects.jsonl").read_bytes().splitlines(keepends=True)
    (folder / "objects.jsonl").write_bytes(b"".join(lines[: len(lines) // 2]) + b'{"kind":"fi')
    assert main(["verify", "--bundle", str(folder)]) == 2
    assert "it was interrupted while it was made" in capsys.readouterr().err
    assert main(["bundle", "--trail-arn", "main", "--no-logs", *DAY, "--out", str(folder)]) == 2
    assert "the beginning of another bundle" in capsys.readouterr().err
    status, again = record(capsys, "bundle", "--out", str(folder))
    assert (status, again.totals) == (0, ours.totals)
    assert alone("--bundle", str(folder))[0] == 0
    shutil.rmtree(folder)
    folder.mkdir()
    (folder / "mine.txt").write_text("mine")
    assert main(typed) == 2
    assert "is not empty" in capsys.readouterr().err


def test_a_replica_is_verified_as_its_original(
    lab: LabServer, world: World, capsys: Captured
) -> None:
    assert lab.endpoint
    arn = world.trails[0].arn
    owner = world.trails[0].account_id
    world.add_bucket("replica-logs", region="us-east-1", owner=owner)
    for (bucket, key), stored in list(world.objects.items()):
        if bucket == "audit-logs":
            world.objects["replica-logs", f"kept/{key}"] = stored
    there = ["--trail-arn", arn, *DAY, "--s3-bucket", "replica-logs", "--s3-prefix", "kept"]
    assert main(["verify", *there, "--original", "s3://audit-logs"]) == 0
    capsys.readouterr()
    assert main(["verify", *there, "--format", "json"]) == 1
    run = decode(capsys.readouterr().out.encode())
    (moved,) = [f for f in run.findings if f.reason is Reason.DIGEST_MOVED]
    assert moved.count == 50
    assert "--original s3://audit-logs" in moved.message
    assert "s3://replica-logs/kept/" in (moved.first or "")


def test_a_gap_is_explained_from_a_bundle_as_it_was_at_its_source(
    lab: LabServer, world: World, tmp_path: Path, capsys: Captured
) -> None:
    """By verified log files: the Event history does not reach back so far."""
    assert lab.endpoint
    chain = world.chains[0]
    stop = chain.next_start + timedelta(minutes=10)
    world.restart_chain(chain, stop=stop, start=stop + timedelta(hours=4))
    world.continue_chain(chain, hours=2)
    folder = tmp_path / "bundle"
    times = ("--start-time", "2026-03-01T20:00:00Z", "--end-time", "2026-03-02T06:00:00Z")
    typed = ["bundle", "--trail-arn", "main", *times, "--format", "json", "--out", str(folder)]
    main(typed)
    ours = decode(capsys.readouterr().out.encode())
    _, theirs = alone("--bundle", str(folder))
    gaps = [[f for f in run.findings if f.reason is Reason.CHAIN_GAP] for run in (ours, theirs)]
    assert gaps[0] == gaps[1]
    (gap,) = gaps[0]
    assert gap.explanation is not None
    assert [one.event_name for one in gap.explanation.events] == ["StopLogging", "StartLogging"]
    assert gap.explanation.asked == (EventWitness.LOG_FILE,)


def test_originals_of_a_versioned_bucket_are_proven_from_a_bundle(
    lab: LabServer, world: World, tmp_path: Path, capsys: Captured
) -> None:
    assert lab.endpoint
    world.objects.enable_versioning("audit-logs")
    lab_demo.let_loose(world)
    folder = tmp_path / "bundle"
    status, ours = record(capsys, "bundle", "--out", str(folder))
    again, theirs = alone("--bundle", str(folder))
    assert (status, again) == (1, 1)
    found = [[f for f in run.findings if f.reason not in LIVE] for run in (ours, theirs)]
    assert found[0] == found[1]
    assert sum(len(finding.originals) for finding in theirs.findings) > 1
    script = [sys.executable, str(ROOT / "docs" / "verify_bundle.py"), str(folder)]
    done = subprocess.run(script, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (1, "")
