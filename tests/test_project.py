"""The promises that the project makes about itself: its locks, its wheel, its house rules."""

import ast
import re
import subprocess
import sys
import tomllib
import zipfile
from importlib import metadata
from pathlib import Path

import pytest

import integrity

ROOT = Path(__file__).resolve().parent.parent
MODULES = sorted((ROOT / "integrity").rglob("*.py"))
LOCKS = ["requirements.lock", "requirements-dev.lock"]
PINNED = re.compile(r"([a-z0-9-]+)==(\S+)")

# Where any exception at all may be caught: the door of the program, which turns a fault of its
# own into exit status 70.
DOORS = {"integrity/cli/__init__.py", "integrity/wiring/runtime.py"}


def named(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def pins(lock: str) -> dict[str, str]:
    lines = (ROOT / lock).read_text(encoding="utf-8").splitlines()
    return {match[1]: match[2] for line in lines if (match := PINNED.match(line))}


@pytest.mark.parametrize("lock", LOCKS)
def test_a_lock_names_no_host(lock: str) -> None:
    text = (ROOT / lock).read_text(encoding="utf-8")
    assert "://" not in text
    assert "--index-url" not in text
    assert "--find-links" not in text


@pytest.mark.parametrize("lock", LOCKS)
def test_every_pin_has_a_hash(lock: str) -> None:
    text = (ROOT / lock).read_text(encoding="utf-8")
    entries = re.split(r"^(?=[a-z0-9])", text, flags=re.MULTILINE)[1:]
    assert len(entries) == len(pins(lock)) > 0
    assert [entry.splitlines()[0] for entry in entries if "--hash=sha256:" not in entry] == []


def test_what_is_shipped_is_what_is_tested() -> None:
    shipped, tested = (pins(lock) for lock in LOCKS)
    assert shipped.items() <= tested.items()


def test_the_locks_have_what_the_project_asks_for() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    extras = project["project"]["optional-dependencies"]
    core = project["project"]["dependencies"] + extras["service"]
    dev = project["dependency-groups"]["dev"] + extras["lab"]

    def names(requirements: list[str]) -> set[str]:
        return {re.split(r"[^a-z0-9-]", requirement)[0] for requirement in requirements}

    assert names(core) <= pins("requirements.lock").keys()
    assert names(core + dev) <= pins("requirements-dev.lock").keys()


def test_the_version_has_one_source() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    assert project["project"]["dynamic"] == ["version"]
    assert metadata.version("trail-integrity") == integrity.__version__


@pytest.mark.parametrize("path", MODULES, ids=named)
def test_every_module_says_what_it_is(path: Path) -> None:
    docstring = ast.get_docstring(ast.parse(path.read_bytes()))
    assert docstring, f"{named(path)} opens with no sentence on what it decides"


def catches_anything(handler: ast.ExceptHandler) -> bool:
    caught = handler.type
    types = caught.elts if isinstance(caught, ast.Tuple) else [caught]
    return any(
        kind is None or (isinstance(kind, ast.Name) and kind.id in {"Exception", "BaseException"})
        for kind in types
    )


def test_only_a_door_catches_everything() -> None:
    found = {
        f"{named(path)}:{node.lineno}"
        for path in MODULES
        if named(path) not in DOORS
        for node in ast.walk(ast.parse(path.read_bytes()))
        if isinstance(node, ast.ExceptHandler) and catches_anything(node)
    }
    assert found == set()


@pytest.mark.parametrize("clause", ["except:", "except Exception:", "except (OSError, Exception):"])
def test_a_clause_that_catches_everything_is_seen(clause: str) -> None:
    handlers = [
        node
        for node in ast.walk(ast.parse(f"try:\n    f()\n{clause}\n    pass\n"))
        if isinstance(node, ast.ExceptHandler)
    ]
    assert [catches_anything(handler) for handler in handlers] == [True]


@pytest.mark.slow
def test_the_wheel_holds_the_package_and_nothing_else(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "pip", "wheel", "--quiet", "--disable-pip-version-check"]
    offline = ["--no-deps", "--no-build-isolation", "--no-index", "--wheel-dir", str(tmp_path)]
    subprocess.run([*command, *offline, str(ROOT)], check=True, stdin=subprocess.DEVNULL)
    [wheel] = tmp_path.glob("*.whl")
    assert wheel.name == f"trail_integrity-{integrity.__version__}-py3-none-any.whl"
    with zipfile.ZipFile(wheel) as archive:
        files = set(archive.namelist())
        entry_points = archive.read(
            f"trail_integrity-{integrity.__version__}.dist-info/entry_points.txt"
        )
    tops = {name.split("/")[0] for name in files}
    assert tops == {"integrity", f"trail_integrity-{integrity.__version__}.dist-info"}
    assert {named(path) for path in MODULES} <= files
    assert "integrity/py.typed" in files
    assert b"integrity = integrity.cli:main" in entry_points
    assert any(name.endswith("/LICENSE") for name in files)
