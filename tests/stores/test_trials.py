"""Places on disk that are tried: told as they are, and left as they were."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest

from integrity.errors import AccessError, UsageError
from integrity.stores.sqlite import SqliteStore
from integrity.stores.trials import try_records_folder, try_state_file


def test_a_state_file_that_is_there_is_written_and_unchanged(tmp_path: Path) -> None:
    path = tmp_path / "state.sqlite"
    SqliteStore(path).close()

    assert try_state_file(path) == "it can be written"
    assert SqliteStore(path).unsent_letters() == []


def test_a_state_file_that_is_not_there_is_not_made(tmp_path: Path) -> None:
    assert "can be made" in try_state_file(tmp_path / "state.sqlite")
    assert list(tmp_path.iterdir()) == []


def test_another_programs_file_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "state.sqlite"
    with sqlite3.connect(path) as connection:
        connection.execute("CREATE TABLE t (a)")
    connection.close()

    with pytest.raises(UsageError, match="another program's"):
        try_state_file(path)


def test_a_folder_of_records_is_tried_or_could_be_made(tmp_path: Path) -> None:
    assert "can be made" in try_records_folder(tmp_path / "records")
    assert list(tmp_path.iterdir()) == []
    (tmp_path / "records").mkdir()
    assert try_records_folder(tmp_path / "records") == "records can be written"
    assert list((tmp_path / "records").iterdir()) == []


@pytest.mark.parametrize("try_it", [try_state_file, try_records_folder])
def test_what_lies_nowhere_is_named(try_it: object, tmp_path: Path) -> None:
    assert callable(try_it)
    with pytest.raises(UsageError, match=r"make .* first"):
        try_it(tmp_path / "not" / "there")


def test_a_file_is_no_folder_of_records(tmp_path: Path) -> None:
    (tmp_path / "records").write_bytes(b"")
    with pytest.raises(UsageError, match="name a folder"):
        try_records_folder(tmp_path / "records")


def test_a_folder_that_refuses_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "write_bytes", refuse)
    with pytest.raises(AccessError, match=r"cannot be written \(Permission denied\)"):
        try_records_folder(tmp_path)
