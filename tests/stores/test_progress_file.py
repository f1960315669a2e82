"""The file of an interrupted verification: its owner's, whole after a kill, gone at the end."""

from __future__ import annotations

import os
import signal
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest

from integrity.errors import AccessError, UsageError
from integrity.stores.progress_file import ProgressFile

posix = pytest.mark.skipif(os.name == "nt", reason="Windows has no modes")


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "q1.part"


def test_what_was_kept_is_there_by_trail_and_name(path: Path) -> None:
    file = ProgressFile(path)
    one, other = file.of("one"), file.of("other")
    one.save("name", b"first")
    one.save("name", b"part")
    assert (one.load("name"), other.load("name"), one.load("else")) == (b"part", None, None)
    assert (file.is_begun("one"), file.is_begun("other")) == (True, False)
    file.close()

    again = ProgressFile(path)
    assert again.of("one").load("name") == b"part"
    again.close()


def test_it_is_gone_when_nothing_is_left(path: Path) -> None:
    file = ProgressFile(path)
    file.of("one").save("name", b"part")
    file.of("other").save("name", b"part")
    file.forget("one")
    file.close()
    assert path.exists()

    file = ProgressFile(path)
    file.forget("other")
    file.close()
    assert list(path.parent.iterdir()) == []


def test_one_that_was_never_used_leaves_nothing(path: Path) -> None:
    ProgressFile(path).close()
    assert list(path.parent.iterdir()) == []


def test_what_was_kept_outlives_a_kill(path: Path) -> None:
    program = (
        "import sys, time; from pathlib import Path;"
        "from integrity.stores.progress_file import ProgressFile;"
        "f = ProgressFile(Path(sys.argv[1])); f.of('one').save('name', b'part');"
        "print('kept', flush=True); time.sleep(60)"
    )
    process = subprocess.Popen(
        [sys.executable, "-c", program, str(path)], stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    with process.stdout as said:
        assert said.readline() == "kept\n"
        with pytest.raises(AccessError, match="another verification has it open"):
            ProgressFile(path)
        process.kill()
        process.wait()
    assert process.returncode in (-signal.SIGKILL, 1)

    file = ProgressFile(path)
    assert file.of("one").load("name") == b"part"
    file.close()


@posix
def test_only_its_owner_may_read_it(path: Path) -> None:
    before = os.umask(0)
    try:
        file = ProgressFile(path)
        file.of("one").save("name", b"part")
        assert {p.stat().st_mode & 0o077 for p in path.parent.iterdir()} == {0}
        file.close()
    finally:
        os.umask(before)


@posix
def test_one_that_others_may_write_is_refused(path: Path) -> None:
    path.touch()
    path.chmod(0o620)
    with pytest.raises(UsageError, match="could make a verdict up"):
        ProgressFile(path)


def test_no_database_is_refused(path: Path) -> None:
    path.write_bytes(b"a record, perhaps\n" * 100)
    path.chmod(0o600)
    with pytest.raises(UsageError, match="not what an interrupted verification left"):
        ProgressFile(path)
    assert path.read_bytes() == b"a record, perhaps\n" * 100


def test_another_programs_database_is_refused(path: Path) -> None:
    connection = sqlite3.connect(path)
    connection.execute("CREATE TABLE parts (a)")
    connection.close()
    path.chmod(0o600)
    with pytest.raises(UsageError, match="another program's database"):
        ProgressFile(path)


def test_a_value_of_another_kind_is_no_part(path: Path) -> None:
    file = ProgressFile(path)
    file.of("one").save("name", b"part")
    file.close()
    connection = sqlite3.connect(path)
    connection.execute("UPDATE parts SET part = 'text'")
    connection.commit()
    connection.close()

    file = ProgressFile(path)
    assert file.of("one").load("name") is None
    file.close()


@posix
def test_a_folder_that_is_not_there_and_no_ordinary_file_are_refused(path: Path) -> None:
    with pytest.raises(UsageError, match="in a folder that is there"):
        ProgressFile(path / "deep")
    os.mkfifo(path)
    with pytest.raises(UsageError, match="no ordinary file"):
        ProgressFile(path)
