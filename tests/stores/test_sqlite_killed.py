"""SIGKILL in the middle of a commit: the state is the old one or the new one, never between."""

from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path

import pytest

from integrity.stores.sqlite import SqliteStore
from tests.stores.specimens import ARN, NOW, checkpoint, commit, incident, letter, run_summary

pytestmark = pytest.mark.slow

# It stops for good before the statement whose number it is given.
PROGRAM = """
import os, signal, sys
from pathlib import Path
from integrity.stores.sqlite import SqliteStore
from tests.stores.test_sqlite_killed import SECOND

store = SqliteStore(Path(sys.argv[1]))
left = int(sys.argv[2])

def count(statement):
    global left
    if left == 0:
        os.kill(os.getpid(), signal.SIGKILL)
    left -= 1

store._connection.set_trace_callback(count)
store.commit(SECOND)
os.kill(os.getpid(), signal.SIGKILL)
"""

# Large enough to spill over SQLite's page cache, so that unfinished pages reach the file.
SECOND = commit(
    1,
    state=checkpoint(chains=40, recent=48),
    incidents=(incident("old", resolved=NOW), incident("new")),
    letters=tuple(letter(f"{number}") for number in range(200)),
    run=run_summary("second"),
)
STATEMENTS = 210
POINTS = [0, 1, 2, 3, 4, 5, 100, 203, 204, 205, 206, 207, 208, 209]


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no SIGKILL")
@pytest.mark.parametrize("point", [*POINTS, STATEMENTS + 100])
def test_a_killed_commit_is_whole_or_not_there(tmp_path: Path, point: int) -> None:
    path = tmp_path / "state.db"
    store = SqliteStore(path)
    store.commit(commit(incidents=(incident("old"),), letters=(letter("first"),)))
    before = store.load(ARN)
    store.close()
    process = subprocess.run(
        [sys.executable, "-c", PROGRAM, str(path), str(point)],
        cwd=Path(__file__).parents[2],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        check=False,
    )
    assert process.returncode == -signal.SIGKILL, process.stderr
    store = SqliteStore(path)
    after = store.load(ARN)
    names = [one.id for one in store.unsent_letters()]
    runs = [run.run_id for run in store.list_runs(ARN, limit=9)]
    if point < STATEMENTS:
        assert (after, names, runs) == (before, ["first"], ["run-1"])
        store.commit(SECOND)
    else:
        assert (after.version, len(names), set(runs)) == (2, 201, {"run-1", "second"})
    assert store.load(ARN).checkpoint == SECOND.checkpoint
    assert [one.id for one in store.load(ARN).incidents] == ["new"]
    assert len(store.unsent_letters()) == 201
    [whole] = store._connection.execute("PRAGMA integrity_check").fetchone()
    assert whole == "ok"
    store.close()


def test_the_points_reach_to_the_end_of_a_commit(tmp_path: Path) -> None:
    store = SqliteStore(tmp_path / "state.db")
    store.commit(commit())
    seen: list[str] = []
    store._connection.set_trace_callback(seen.append)
    store.commit(SECOND)
    store.close()
    assert len(seen) == STATEMENTS
    assert seen[-1] == "COMMIT"
    assert max(POINTS) == STATEMENTS - 1
