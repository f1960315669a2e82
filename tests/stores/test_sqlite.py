"""What only the SQLite file has: its mode, its schema, its refusals, its retention."""

from __future__ import annotations

import errno
import multiprocessing
import os
import sqlite3
import stat
import sys
from datetime import timedelta
from pathlib import Path

import pytest

from integrity.errors import AccessError, UsageError
from integrity.state import ConflictError
from integrity.stores.retention import Retention
from integrity.stores.sqlite import SqliteStore
from integrity.structs import replace
from tests.stores.specimens import ARN, DAY, HOUR, NOW, commit, incident, letter, run_summary


def edit(path: Path, *statements: str) -> None:
    connection = sqlite3.connect(path)
    with connection:
        for statement in statements:
            connection.execute(statement)
    connection.close()


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """A state file with a commit in it."""
    store = SqliteStore(tmp_path / "state.db")
    store.commit(commit(incidents=(incident(),), letters=(letter(),)))
    store.close()
    return tmp_path / "state.db"


@pytest.mark.skipif(os.name != "posix", reason="modes are POSIX's")
def test_only_the_owner_may_read_it(tmp_path: Path) -> None:
    store = SqliteStore(tmp_path / "state.db")
    store.commit(commit())
    modes = {file.name: stat.S_IMODE(file.stat().st_mode) for file in tmp_path.iterdir()}
    store.close()
    assert modes == dict.fromkeys(("state.db", "state.db-wal", "state.db-shm"), 0o600)


def test_a_commit_is_on_the_disk_when_it_is_done(path: Path) -> None:
    store = SqliteStore(path)
    [mode] = store._connection.execute("PRAGMA journal_mode").fetchone()
    [synchronous] = store._connection.execute("PRAGMA synchronous").fetchone()
    store.close()
    assert (mode, synchronous) == ("wal", 2)


def test_a_missing_folder_is_named(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"has no folder: make .*gone first"):
        SqliteStore(tmp_path / "gone" / "state.db")


def test_a_folder_is_no_file(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="is a folder: name a file"):
        SqliteStore(tmp_path)


def test_a_read_only_place_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> int:
        raise OSError(errno.EROFS, os.strerror(errno.EROFS))

    monkeypatch.setattr(os, "open", refuse)
    with pytest.raises(AccessError, match=r"state\.db could not be used \(Read-only file system\)"):
        SqliteStore(tmp_path / "state.db")


@pytest.mark.skipif(sys.platform != "linux", reason="/proc lets nobody make a file, root included")
def test_a_place_that_lets_nobody_write_is_named() -> None:
    with pytest.raises(AccessError, match=r"/proc/state\.db could not be used .*on a volume"):
        SqliteStore(Path("/proc/state.db"))


def test_a_file_that_became_read_only_is_named(path: Path) -> None:
    store = SqliteStore(path)
    store._connection.execute("PRAGMA query_only = 1")
    with pytest.raises(AccessError, match="cannot be written: allow it, and its folder"):
        store.commit(commit(1))
    assert store.load(ARN).version == 1
    store.close()


def test_a_full_disk_is_named_and_changes_nothing(path: Path) -> None:
    store = SqliteStore(path)
    [pages] = store._connection.execute("PRAGMA page_count").fetchone()
    store._connection.execute(f"PRAGMA max_page_count = {pages}")
    with pytest.raises(AccessError, match="the disk is full: make room"):
        store.commit(commit(1, letters=tuple(letter(f"{n}") for n in range(100))))
    assert store.load(ARN).version == 1
    assert [one.id for one in store.unsent_letters()] == ["one"]
    store.close()


def test_a_writer_that_does_not_end_is_named(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("integrity.stores.sqlite_file.BUSY_SECONDS", 0.01)
    store, other = SqliteStore(path), sqlite3.connect(path, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    with pytest.raises(AccessError, match="another process has held it"):
        store.commit(commit(1))
    assert store.load(ARN).version == 1
    other.close()
    store.commit(commit(1))
    store.close()


def test_a_closed_store_is_no_traceback(path: Path) -> None:
    store = SqliteStore(path)
    store.close()
    with pytest.raises(AccessError, match="closed"):
        store.load(ARN)


def test_a_file_of_an_earlier_program_is_read_on(path: Path) -> None:
    before = SqliteStore(path).load(ARN)
    edit(path, "DROP TABLE months")
    store = SqliteStore(path)
    assert store.load(ARN) == before
    assert list(store.load_months(ARN)) == []
    store.close()


def test_chains_of_an_earlier_program_have_no_sealed_hours(path: Path) -> None:
    edit(
        path,
        "UPDATE trails SET checkpoint = CAST(json_remove(CAST(checkpoint AS TEXT), "
        "'$.chains[0].hours', '$.chains[1].hours') AS BLOB)",
    )
    store = SqliteStore(path)
    checkpoint = store.load(ARN).checkpoint
    assert checkpoint is not None
    assert [chain.hours for chain in checkpoint.chains] == [None, None]
    store.close()


def test_a_newer_schema_is_left_alone(path: Path) -> None:
    edit(path, "PRAGMA user_version = 2")
    before = path.read_bytes()
    with pytest.raises(UsageError, match="schema version 2; this program knows version 1"):
        SqliteStore(path)
    assert path.read_bytes() == before


def test_another_programs_database_is_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "other.db"
    edit(path, "CREATE TABLE things (id)")
    before = path.read_bytes()
    with pytest.raises(UsageError, match="another program's database"):
        SqliteStore(path)
    assert path.read_bytes() == before


def test_what_is_no_database_is_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "notes.txt"
    path.write_bytes(b"not a database, but long enough to be taken for one\n" * 100)
    before = path.read_bytes()
    with pytest.raises(AccessError, match="no SQLite database"):
        SqliteStore(path)
    assert path.read_bytes() == before


@pytest.mark.parametrize(
    "document",
    ["'{}'", "'not JSON'", "7", "x'ff'", "'" + "[" * 100_000 + "'"],
)
def test_a_row_that_we_did_not_write_is_named(path: Path, document: str) -> None:
    edit(path, f"UPDATE incidents SET document = CAST({document} AS BLOB)")
    store = SqliteStore(path)
    with pytest.raises(AccessError, match=r"holds what integrity did not write there .*backup"):
        store.load(ARN)
    store.close()


@pytest.mark.parametrize("document", ["NULL", "7", "'text'"])
def test_a_row_without_a_document_is_named(path: Path, document: str) -> None:
    edit(path, f"UPDATE letters SET document = {document}")
    store = SqliteStore(path)
    with pytest.raises(AccessError, match="did not write there"):
        store.unsent_letters()
    store.close()


def test_a_version_that_is_no_number_is_named(path: Path) -> None:
    edit(path, "UPDATE trails SET version = 'one'")
    store = SqliteStore(path)
    with pytest.raises(AccessError, match="a version that is no number"):
        store.load(ARN)
    store.close()


def test_a_time_without_its_zone_is_foreign(path: Path) -> None:
    edit(path, "UPDATE trails SET checkpoint = CAST(replace(checkpoint, 'Z\"', '\"') AS BLOB)")
    store = SqliteStore(path)
    with pytest.raises(AccessError, match="a time without its zone"):
        store.load(ARN)
    store.close()


def test_a_missing_table_is_named(path: Path) -> None:
    edit(path, "DROP TABLE letters")
    store = SqliteStore(path)
    with pytest.raises(AccessError, match="no such table: letters"):
        store.unsent_letters()
    store.close()


def test_a_damaged_file_is_named(path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[4096:] = os.urandom(len(content) - 4096)
    path.write_bytes(content)
    with pytest.raises(AccessError, match=r"damaged|did not write"):
        SqliteStore(path).load(ARN)


def test_old_runs_incidents_and_letters_are_forgotten(tmp_path: Path) -> None:
    retention = Retention(runs=DAY, resolved=2 * DAY, sent=3 * DAY)
    store = SqliteStore(tmp_path / "state.db", retention=retention)
    over = (incident("over", resolved=NOW), incident("open"))
    store.commit(commit(incidents=over, letters=(letter("sent"), letter("unsent"))))
    store.mark_sent("sent", NOW)

    def tick(version: int, after: timedelta) -> tuple[int, int]:
        run = run_summary(f"run-{version}", NOW + after)
        # The same news again shows whether the letter is still remembered.
        store.commit(commit(version, run=run, letters=(letter("sent"),)))
        listed = store.list_incidents(ARN, since=NOW - DAY)
        return len(store.list_runs(ARN, limit=9)), len(listed)

    assert tick(1, DAY - HOUR) == (2, 2)
    assert tick(2, DAY + HOUR) == (2, 2)
    assert tick(3, 2 * DAY + HOUR) == (1, 1)
    assert [one.id for one in store.unsent_letters()] == ["unsent"]
    assert tick(4, 3 * DAY + HOUR) == (1, 1)
    assert tick(5, 3 * DAY + 2 * HOUR) == (2, 1)
    assert [one.id for one in store.unsent_letters()] == ["sent", "unsent"]
    store.close()


def commit_as_process(path: Path, number: int, ready: object) -> None:
    """In a process of its own: 0 where it won, 3 where another did."""
    ready.wait()  # type: ignore[attr-defined]
    store = SqliteStore(path)
    run = run_summary(f"run-{number}")
    try:
        store.commit(commit(letters=(letter(f"of-{number}"),), run=run))
    except ConflictError:
        sys.exit(3)


def test_of_processes_at_once_one_wins(tmp_path: Path) -> None:
    path, spawn = tmp_path / "state.db", multiprocessing.get_context("spawn")
    ready = spawn.Barrier(3)
    processes = [
        spawn.Process(target=commit_as_process, args=(path, number, ready)) for number in range(3)
    ]
    for process in processes:
        process.start()
    for process in processes:
        process.join()
    codes = [process.exitcode for process in processes]
    assert sorted(code or 0 for code in codes) == [0, 3, 3]
    store = SqliteStore(path)
    assert [one.id for one in store.unsent_letters()] == [f"of-{codes.index(0)}"]
    assert [run.run_id for run in store.list_runs(ARN, limit=9)] == [f"run-{codes.index(0)}"]
    assert store.load(ARN).version == 1
    store.close()


def test_a_failed_letter_keeps_its_place_in_the_queue(path: Path) -> None:
    store = SqliteStore(path)
    store.mark_failed(replace(letter(), attempts=1, due=NOW + HOUR))
    [one] = store.unsent_letters()
    store.close()
    assert one.attempts == 1
