"""The scheduler's page in a real browser, from a real socket."""

from __future__ import annotations

import os
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from integrity.report.recent import RecentHours
from integrity.report.standing import Standing, window_of
from integrity.structs import replace
from integrity.wiring.status_page import serve_page
from tests.report.samples import DAY, chain, run
from tests.report.test_html import HOSTILE
from tests.report.test_standing import NOW, incident, known, standing, trail

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

pytestmark = pytest.mark.slow

PHONE, DESK = 360, 1100
WEEK = window_of(NOW, 7)


def week() -> Standing:
    """Seventeen regions over a week, one of them with an open incident."""
    recent, chains = RecentHours(), []
    for number in range(17):
        region = f"region-{number % 4}-{number}"
        letters = "PPPPPPEEEEEPPPPPPPPPPPPP" * 7 + "PPPPPPPPP.."
        if number == 3:
            letters = letters[:100] + "XMGU" + letters[104:]
        part = replace(chain(region), hours=letters)
        recent.add(run(chains=(part,), start=WEEK.start, end=WEEK.end))
        chains.append(known(chain=replace(known().chain, region=region)))
    whole = replace(standing(), window=WEEK)
    told = dict(recent.letters(WEEK))
    open_one = trail(*chains, incidents=(incident(),), recent=recent)
    shown = tuple(
        replace(one, hours=told[(one.account_id, one.region, one.root)]) for one in open_one.chains
    )
    return replace(whole, trails=(replace(open_one, chains=shown),))


def hostile() -> Standing:
    """Names that somebody chose."""
    name = "".join(HOSTILE) + "x" * 1_000_000
    bad = known(chain=replace(known().chain, account_id=name, region=name))
    one = trail(bad, incidents=(incident(reason=name, account_id=name, region=name),))
    return standing(replace(one, trail_arn=name))


PAGES = {"week": week, "hostile": hostile}


class Visit:
    """A page that was opened, what it asked for and what it complained of."""

    def __init__(self, browser: Browser, url: str, width: int, scheme: str = "light") -> None:
        self.context = browser.new_context(
            viewport={"width": width, "height": 900},
            color_scheme="dark" if scheme == "dark" else "light",
        )
        self.page: Page = self.context.new_page()
        self.requests: list[str] = []
        self.complaints: list[str] = []
        self.page.on("request", lambda request: self.requests.append(request.url))
        self.page.on("console", lambda message: self.complaints.append(message.text))
        self.page.on("pageerror", lambda error: self.complaints.append(str(error)))
        self.page.goto(url)


@pytest.fixture(scope="module", params=PAGES)
def url(request: pytest.FixtureRequest) -> str:
    port = serve_page("127.0.0.1:0", PAGES[request.param])
    return f"http://127.0.0.1:{port}/"


@pytest.fixture(params=[(DESK, "light"), (DESK, "dark"), (PHONE, "light")])
def visit(request: pytest.FixtureRequest, browser: Browser, url: str) -> Iterator[Visit]:
    width, scheme = request.param
    visit = Visit(browser, url, width, scheme)
    yield visit
    visit.context.close()


def test_it_asks_for_nothing_else_and_complains_of_nothing(visit: Visit, url: str) -> None:
    visit.page.screenshot(full_page=True)
    icon = url + "favicon.ico"
    assert [asked for asked in visit.requests if asked != icon] == [url]
    assert visit.complaints == []


def test_only_tables_and_drawings_scroll_sideways(visit: Visit) -> None:
    width = visit.page.viewport_size
    assert width is not None
    assert visit.page.evaluate("document.documentElement.scrollWidth") == width["width"]


def test_what_strangers_named_runs_nothing(visit: Visit) -> None:
    assert visit.page.locator("script, img, iframe").count() == 0
    assert "\u202e" not in visit.page.inner_text("body")


def test_the_document_is_a_link_away(visit: Visit, url: str) -> None:
    visit.page.click("text=status.json")
    assert visit.page.url == url + "status.json"


def test_a_picture_of_it(browser: Browser, tmp_path: Path) -> None:
    folder = Path(os.environ.get("INTEGRITY_SCREENSHOTS", str(tmp_path)))
    port = serve_page("127.0.0.1:0", week)
    visit = Visit(browser, f"http://127.0.0.1:{port}/", 840)
    visit.page.set_viewport_size({"width": 840, "height": 1060})
    picture = folder / "status.png"
    visit.page.screenshot(path=picture)
    visit.context.close()
    assert 10_000 < picture.stat().st_size < 150_000
    assert DAY - WEEK.start == timedelta(days=7)
