"""A real Chromium, and pages of the lab's trail. Without Chromium these tests are skipped."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from integrity.cli import main
from integrity.lab import demo
from integrity.lab.server import serve

if TYPE_CHECKING:
    from playwright.sync_api import Browser

# Nothing that the browser would fetch for itself; no sandbox, for whoever is root; grey edges make
# smaller pictures.
ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-lcd-text",
]


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    sync_api = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
    chromium = shutil.which("chromium") or shutil.which("chromium-browser")
    if chromium is None:
        pytest.skip("chromium is not installed")
    with sync_api.sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=ARGUMENTS)
        yield browser
        browser.close()


@pytest.fixture(scope="session")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """`clean.html` and `tampered.html`: the lab's day before and after the attacker."""
    folder = tmp_path_factory.mktemp("pages")
    world = demo.make_day()
    with serve(world) as server, pytest.MonkeyPatch.context() as patch:
        for name in [name for name in os.environ if name.lower().endswith("_proxy")]:
            patch.delenv(name)
        for name, value in server.environment.items():
            patch.setenv(name, value)
        assert _verify(folder / "clean") == 0
        demo.let_loose(world)
        assert _verify(folder / "tampered") == 1
    return folder


def _verify(path: Path) -> int:
    day = ["--start-time", "2026-03-01", "--end-time", "2026-03-01"]
    record, page = path.with_suffix(".json"), path.with_suffix(".html")
    written = ["--format", "json", "--output", str(record), "--report", str(page)]
    return main(["verify", "--trail-arn", "main", *day, *written])
