"""Where a report goes: whole or not at all, and a closed pipe costs the text alone."""

from __future__ import annotations

import io
import os
import stat
from pathlib import Path

import pytest

from integrity.cli import main
from integrity.cli.output import FileOutput, open_output
from integrity.errors import AccessError, UsageError
from integrity.record import Run, decode
from integrity.verify.ports import Progress
from tests.cli.stand_in import Answer, StandIn
from tests.report.samples import run

posix = pytest.mark.skipif(os.name == "nt", reason="modes and links of POSIX")


def names(folder: Path) -> list[str]:
    return [path.name for path in folder.iterdir()]


def verify(path: Path | str, *arguments: str, answers: list[Answer] | None = None) -> int:
    stand_in = StandIn(answers or [run()])
    return main(["verify", "--output", str(path), *arguments], wiring=stand_in)


def test_the_report_is_in_the_file_and_not_on_standard_output(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert verify(tmp_path / "report.txt") == 0
    assert capsys.readouterr() == ("", "")
    text = (tmp_path / "report.txt").read_text()
    assert text.startswith("Validating log files for trail ")
    assert text.endswith("(exit status 0)\n")
    assert "\x1b" not in text
    assert names(tmp_path) == ["report.txt"]


@pytest.mark.parametrize("quiet", [["--quiet"], []])
def test_the_file_has_every_trail_even_of_a_quiet_run(tmp_path: Path, quiet: list[str]) -> None:
    path = tmp_path / "report.json"
    assert verify(path, "--format", "json", *quiet, answers=[run(), run()]) == 0
    assert [decode(line).outcome for line in path.read_bytes().splitlines()] == ["valid", "valid"]


def test_a_file_is_replaced_at_one_stroke(tmp_path: Path) -> None:
    path = tmp_path / "report.txt"
    path.write_text("the one before")
    seen: list[str] = []

    def answer(_: Progress) -> Run:
        seen.append(path.read_text())
        return run()

    assert verify(path, answers=[answer]) == 0
    assert seen == ["the one before"]
    assert path.read_text().startswith("Validating")


@pytest.mark.parametrize("failure", [AccessError("later"), UsageError("no"), RuntimeError("oh")])
def test_a_run_that_fails_leaves_the_file_as_it_was(tmp_path: Path, failure: Exception) -> None:
    path = tmp_path / "report.txt"
    path.write_text("the one before")
    assert verify(path, "--verbose", answers=[failure]) in (2, 3, 70)
    assert path.read_text() == "the one before"
    assert names(tmp_path) == ["report.txt"]


def test_an_interrupted_run_writes_what_was_judged_so_far(tmp_path: Path) -> None:
    path = tmp_path / "report.json"
    assert verify(path, "--format", "json", answers=[run(), KeyboardInterrupt()]) == 130
    assert len(path.read_bytes().splitlines()) == 1


def test_an_interrupted_run_that_judged_nothing_replaces_nothing(tmp_path: Path) -> None:
    path = tmp_path / "report.json"
    path.write_text("the one before")
    assert verify(path, "--format", "json", answers=[KeyboardInterrupt()]) == 130
    assert path.read_text() == "the one before"
    assert names(tmp_path) == ["report.json"]


@posix
def test_a_new_file_gets_the_mode_of_any_new_file(tmp_path: Path) -> None:
    before = os.umask(0o027)
    try:
        assert verify(tmp_path / "report.txt") == 0
    finally:
        os.umask(before)
    assert stat.S_IMODE((tmp_path / "report.txt").stat().st_mode) == 0o640


@posix
def test_a_replaced_file_keeps_its_mode_and_a_link_stays_a_link(tmp_path: Path) -> None:
    path, link = tmp_path / "report.txt", tmp_path / "link"
    path.write_text("the one before")
    path.chmod(0o600)
    link.symlink_to(path)
    assert verify(link) == 0
    assert link.is_symlink()
    assert path.read_text().startswith("Validating")
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_a_folder_that_is_not_there_is_told_before_anything_is_asked(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    stand_in = StandIn()
    status = main(["verify", "--output", str(tmp_path / "no" / "report")], wiring=stand_in)
    assert status == 2
    assert "there is no folder" in capsys.readouterr().err
    assert stand_in.claim is None


def test_what_is_no_ordinary_file_is_never_replaced(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for path in (str(tmp_path), os.devnull):
        assert verify(path) == 2
        assert "no ordinary file" in capsys.readouterr().err
    assert not Path(os.devnull).is_file()


def test_a_name_that_cannot_be_is_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert verify(tmp_path / ("x" * 300)) == 2
    assert "cannot be written: " in capsys.readouterr().err


@posix
def test_a_loop_of_links_is_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "a").symlink_to(tmp_path / "b")
    (tmp_path / "b").symlink_to(tmp_path / "a")
    assert verify(tmp_path / "a") == 2
    assert "cannot be written: " in capsys.readouterr().err


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no /dev/full here")
def test_a_full_disk_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    with Path("/dev/full").open("w") as full, monkeypatch.context() as patch:
        patch.setattr("sys.stdout", full)
        with open_output(None) as output, pytest.raises(UsageError, match="No space left"):
            output.write("report")
        output.write("more is dropped")


def test_a_file_that_takes_no_more_in_mid_report_is_told() -> None:
    class Full(io.BytesIO):
        def write(self, _: object) -> int:
            raise OSError(28, "No space left on device")

    with pytest.raises(UsageError, match=r"'report\.txt' cannot be written: No space"):
        FileOutput(Full(), "report.txt").write("report")


def test_a_file_that_takes_no_more_at_its_end_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(_: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.fsync", full)
    with (
        pytest.raises(UsageError, match="No space left on device; choose another file"),
        open_output(tmp_path / "report") as output,
    ):
        output.write("report")
    assert names(tmp_path) == []
