"""Programs that the tests need beside the project's own environment: made once, from hashes."""

from __future__ import annotations

import hashlib
import shutil
import subprocess
from pathlib import Path

from tests.deploy.template import ROOT


def make_environment(name: str, lock: Path, python: str) -> Path:
    """The Python of build/NAME, with what `lock` names. Raises CalledProcessError."""
    place = ROOT / "build" / name
    program = place / "bin" / "python"
    mark = place / ".locked"
    wanted = hashlib.sha256(lock.read_bytes()).hexdigest()
    if mark.exists() and mark.read_text(encoding="ascii") == wanted:
        return program
    shutil.rmtree(place, ignore_errors=True)
    subprocess.run([python, "-m", "venv", place], check=True, capture_output=True)
    install: list[str | Path] = [
        program,
        "-m",
        "pip",
        "install",
        "--quiet",
        "--no-input",
        "--no-deps",
    ]
    install += ["--disable-pip-version-check", "--require-hashes", "--requirement", lock]
    subprocess.run(install, check=True, capture_output=True)
    mark.write_text(wanted, encoding="ascii")
    return program
