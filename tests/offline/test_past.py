"""What lay there before and who did it, from a bundle: the same as where the bucket is."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest

from integrity.chain.evidence import EventWitness
from integrity.chain.findings import Finding, Reason
from integrity.chain.model import Absent, S3Location, Unreachable
from integrity.evidence.bundled import BundledFiles
from integrity.evidence.bundled_versions import BundledVersions
from integrity.evidence.manifest import Kind, Line, hash_of
from integrity.lab import attacks
from integrity.lab.attacks.logs import overwrite
from integrity.record import Run
from integrity.sources.folder import FolderSource, Original
from integrity.structs import replace
from integrity.wiring import Offline
from tests.offline.stage import collect, sources_of, verify_offline
from tests.scenarios.stage import HOUR, START, Stage, digest, log, restart
from tests.verify.stage import made

LATER = timedelta(days=400)
Act = Callable[[Stage], object]


def versioned(*acts: Act, ticks: float = 60) -> Stage:
    """A day on a bucket that keeps versions, so many hours after it began."""
    stage = made(hours=26, logs_per_hour=2, now=START + ticks * HOUR)
    stage.world.objects.enable_versioning(stage.chain.bucket)
    played = Stage(stage.world, stage.trail, stage.chain)
    for act in acts:
        act(played)
    return played


def edit_a_log(stage: Stage) -> None:
    attacks.edit_log(stage.world, log(stage))


def delete_digests_with_logs(stage: Stage) -> None:
    attacks.delete_digests(stage.world, stage.chain.digests[9:11], with_logs=True)


def unsign_a_digest(stage: Stage) -> None:
    attacks.unsign_digest(stage.world, digest(stage))


def overwrite_a_digest_again_and_again(stage: Stage) -> None:
    for number in range(6):
        overwrite(stage.world, digest(stage).address, f"junk {number}".encode())


def destroy_the_original(stage: Stage) -> None:
    edit_a_log(stage)
    overwrite(stage.world, log(stage).address, b"another")
    first = stage.world.objects.history[log(stage).address][0]
    stage.world.objects.delete_version(log(stage).address, first.version_id)


def offline(folder: Path, stage: Stage) -> Run:
    return verify_offline(Offline(folder=folder), stage.world.now + LATER)


def told(run: Run) -> list[Finding]:
    """What does not need the live bucket."""
    return [one for one in run.findings if one.reason is not Reason.LOG_UNREFERENCED]


@pytest.mark.parametrize(
    ("act", "hours"),
    [
        (edit_a_log, 60),
        (delete_digests_with_logs, 60),
        (delete_digests_with_logs, 26.5),
        (unsign_a_digest, 60),
        (overwrite_a_digest_again_and_again, 60),
        (destroy_the_original, 60),
    ],
)
def test_originals_are_found_again_in_a_bundle(act: Act, hours: float, tmp_path: Path) -> None:
    stage = versioned(act, ticks=hours)
    ours = collect(stage, tmp_path / "bundle")
    assert any(finding.versions_tried for finding in ours.findings)
    theirs = offline(tmp_path / "bundle", stage)
    assert told(theirs) == told(ours)
    assert (theirs.outcome, theirs.totals) == (ours.outcome, ours.totals)


def test_a_digest_of_the_last_day_is_missing_in_the_bundle_too(tmp_path: Path) -> None:
    stage = versioned(delete_digests_with_logs, ticks=26.5)
    collect(stage, tmp_path / "bundle")
    found = {one.reason for one in offline(tmp_path / "bundle", stage).findings}
    assert found == {Reason.DIGEST_MISSING}


def version_files(folder: Path) -> list[Path]:
    return sorted(path for path in (folder / "versions").rglob("*") if path.is_file())


def only(run: Run) -> Finding:
    (finding,) = told(run)
    return finding


def test_each_version_is_fetched_once_and_lies_apart(tmp_path: Path) -> None:
    stage = versioned(edit_a_log)
    sources = sources_of(stage)
    ours = collect(stage, tmp_path / "bundle", sources=sources)
    (original,) = only(ours).originals
    bucket, key = log(stage).address
    (path,) = version_files(tmp_path / "bundle")
    assert path == tmp_path / "bundle" / "versions" / bucket / key / original.version_id
    first = stage.world.objects.history[bucket, key][0].stored
    assert first is not None
    assert path.read_bytes() == first.body
    assert len(sources.versions.fetched) == 1  # type: ignore[union-attr]


def test_an_original_that_was_altered_in_the_bundle_is_none(tmp_path: Path) -> None:
    stage = versioned(edit_a_log)
    collect(stage, tmp_path / "bundle")
    (path,) = version_files(tmp_path / "bundle")
    path.write_bytes(path.read_bytes()[:-20])
    run = offline(tmp_path / "bundle", stage)
    assert (only(run).versions_tried, only(run).originals) == (1, ())
    assert any(str(path.name) in note for note in run.population.notes)
    path.unlink()
    run = offline(tmp_path / "bundle", stage)
    assert only(run).originals == ()
    assert any("its file is gone from the bundle" in note for note in run.population.notes)


@pytest.mark.parametrize("refused", [("list",), ("fetch",), ("describe",), ("history",)])
def test_who_refused_refuses_in_the_bundle(refused: tuple[str, ...], tmp_path: Path) -> None:
    stage = versioned(edit_a_log)
    ours = collect(stage, tmp_path / "bundle", sources=sources_of(stage, refused=refused))
    theirs = offline(tmp_path / "bundle", stage)
    assert told(theirs) == told(ours)
    notes = [note for note in ours.population.notes if "not allowed" in note]
    assert bool(notes) == (refused != ("describe",))
    assert [note for note in theirs.population.notes if "not allowed" in note] == notes


def test_a_gap_is_explained_by_the_event_history_that_was_collected(tmp_path: Path) -> None:
    """The log files of the hour with StopLogging are gone: AWS alone knows of it."""
    stage = versioned(lambda stage: restart(stage, stop=26.2, hour=32))
    for one in [one for one in stage.chain.log_files if one.newest > START + 25 * HOUR]:
        attacks.delete_log(stage.world, one)
    ours = collect(stage, tmp_path / "bundle")
    theirs = offline(tmp_path / "bundle", stage)
    assert told(theirs) == told(ours)
    (gap,) = [one for one in theirs.findings if one.reason is Reason.CHAIN_GAP]
    assert gap.explanation is not None
    assert [one.event_name for one in gap.explanation.events] == ["StopLogging", "StartLogging"]
    assert {one.witness for one in gap.explanation.events} == {EventWitness.EVENT_HISTORY}


def test_a_bundle_of_before_says_what_it_said(tmp_path: Path) -> None:
    """It holds no past, and says of none that nobody could look at it."""
    stage = versioned(edit_a_log)
    bare = replace(sources_of(stage), versions=None)
    bare = replace(bare, witnesses=replace(bare.witnesses, history=None))
    ours = collect(stage, tmp_path / "bundle", sources=bare)
    path, manifest = tmp_path / "bundle" / "answers.json", tmp_path / "bundle" / "manifest.json"
    answers = json.loads(path.read_bytes())
    for name in ("history", "no_history", "has_history", "has_versions"):
        del answers[name]
    path.write_text(json.dumps(answers))
    said = json.loads(manifest.read_bytes())
    now = hash_of(path.read_bytes())
    said["files"]["answers.json"] = {"sha256": now.sha256, "size": now.size}
    manifest.write_text(json.dumps(said))
    theirs = offline(tmp_path / "bundle", stage)
    assert told(theirs) == told(ours)
    assert only(theirs).versions_tried is None
    assert not any("older versions" in note for note in theirs.population.notes)


def test_what_was_not_collected_is_not_known(tmp_path: Path) -> None:
    place = S3Location("logs", "a/b")
    gone = Line(kind=Kind.VERSION_ABSENT, bucket="logs", key="a/b", version_id="v2")
    files = BundledFiles(FolderSource(tmp_path, Original("bundle")))
    past = BundledVersions([gone], files)
    (answer,) = past.list_versions("logs", "a/")
    assert isinstance(answer, Unreachable)
    fetched = past.fetch_version(place, "v1", bytes)  # type: ignore[arg-type]
    assert isinstance(fetched, Unreachable)
    assert isinstance(past.describe_version(place, "v1"), Unreachable)
    assert isinstance(past.fetch_version(place, "v2", bytes), Absent)  # type: ignore[arg-type]
