"""The page in a real browser: it asks for nothing, complains of nothing, and everybody can read it.

`INTEGRITY_SCREENSHOTS=docs pytest tests/browser` makes the pictures of docs/report.md again.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from datetime import timedelta
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import pytest

from integrity.chain.findings import Reason
from integrity.chain.model import TimeWindow
from integrity.record import Run
from integrity.structs import replace
from tests.report.pages import html_of
from tests.report.samples import DAY, chain, finding, log_uri, run
from tests.report.test_html import HOSTILE, named

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

pytestmark = pytest.mark.slow

Scheme = Literal["light", "dark"]
PHONE, DESK = 360, 1100


def quarter() -> Run:
    """A quarter of a large organization, with an hour missing here and there."""
    window = TimeWindow(DAY, DAY + timedelta(days=90))
    calm = "PPPPPPEEEEEPPPPPPPPPPPPP" * 90
    chains = []
    for number in range(340):
        at = number * 6
        hours = calm if number % 9 else calm[:at] + "GMXU"[number % 4] * 5 + calm[at + 5 :]
        part = replace(chain(covered=(window,)), hours=hours)
        chains.append(replace(part, account_id=f"{111100000000 + number // 17}"))
    found = [finding(Reason.LOG_MISSING, number, s3_uri=log_uri(number)) for number in range(20)]
    return run(*found, chains=tuple(chains), start=window.start, end=window.end)


@pytest.fixture(scope="module")
def pages(folder: Path) -> Path:
    (folder / "quarter.html").write_text(html_of(quarter()), encoding="utf-8")
    hostile = "".join(HOSTILE) + "x" * 1_000_000
    (folder / "hostile.html").write_text(html_of(named(hostile), named("b")), encoding="utf-8")
    return folder


NAMES = ("clean", "tampered", "quarter", "hostile")


class Visit:
    """A page that was opened, what it asked for and what it complained of."""

    def __init__(self, browser: Browser, file: Path, width: int, scheme: Scheme = "light") -> None:
        self.context = browser.new_context(
            viewport={"width": width, "height": 900}, color_scheme=scheme, offline=True
        )
        self.page: Page = self.context.new_page()
        self.requests: list[str] = []
        self.complaints: list[str] = []
        self.page.on("request", lambda request: self.requests.append(request.url))
        self.page.on("console", lambda message: self.complaints.append(message.text))
        self.page.on("pageerror", lambda error: self.complaints.append(str(error)))
        self.page.goto(file.as_uri())


@pytest.fixture
def visits(browser: Browser, pages: Path) -> Iterator[Any]:
    opened: list[Visit] = []

    def visit(name: str, width: int, scheme: Scheme = "light") -> Visit:
        opened.append(Visit(browser, pages / f"{name}.html", width, scheme))
        return opened[-1]

    yield visit
    for one in opened:
        one.context.close()


@pytest.mark.parametrize("name", NAMES)
def test_it_asks_for_nothing_and_complains_of_nothing(name: str, visits: Any, pages: Path) -> None:
    visit = visits(name, DESK)
    visit.page.screenshot(full_page=True)
    assert visit.requests == [(pages / f"{name}.html").as_uri()]
    assert visit.complaints == []


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("name", NAMES)
def test_axe_finds_nothing(name: str, scheme: Scheme, visits: Any) -> None:
    spec = find_spec("axe_playwright_python")
    if spec is None or not spec.submodule_search_locations:
        pytest.skip("axe-playwright-python, which brings axe-core, is not installed")
    axe = Path(spec.submodule_search_locations[0]) / "axe.min.js"
    page = visits(name, DESK, scheme).page
    page.evaluate(axe.read_text(encoding="utf-8"))
    found = page.evaluate("axe.run({resultTypes: ['violations']})")
    told = [(one["id"], one["nodes"][0]["failureSummary"]) for one in found["violations"]]
    assert told == []
    assert len(found["passes"]) > 20


@pytest.mark.parametrize("name", NAMES)
def test_on_a_phone_only_tables_and_drawings_scroll_sideways(name: str, visits: Any) -> None:
    page = visits(name, PHONE).page
    assert page.evaluate("document.documentElement.scrollWidth") == PHONE
    wide = page.evaluate(
        "[...document.querySelectorAll('.wide')].filter(e => e.scrollWidth > e.clientWidth).length"
    )
    assert wide > 0


@pytest.mark.parametrize("name", NAMES)
def test_it_prints(name: str, visits: Any) -> None:
    pdf = visits(name, DESK).page.pdf(format="A4")
    assert pdf.startswith(b"%PDF-")
    assert len(re.findall(rb"/Type\s*/Page\b", pdf)) >= 3


def test_what_strangers_named_runs_nothing(visits: Any) -> None:
    page = visits("hostile", DESK).page
    assert page.locator("script, img, iframe").count() == 0
    assert "<script>alert(1)</script>" in page.inner_text("h2 >> nth=1")
    assert "\u202e" not in page.inner_text("body")


@pytest.mark.parametrize("name", ["clean", "tampered"])
def test_a_picture_of_it_is_small_enough_for_the_documents(
    name: str, visits: Any, tmp_path: Path
) -> None:
    folder = Path(os.environ.get("INTEGRITY_SCREENSHOTS", str(tmp_path)))
    picture = folder / f"report-{name}.png"
    page = visits(name, 840).page
    page.set_viewport_size({"width": 840, "height": 1060})
    page.screenshot(path=picture)
    assert 10_000 < picture.stat().st_size < 150_000
