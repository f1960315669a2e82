"""How the watched trails stand, as one page: self-contained, without a script, nothing to load.

Pure: values in, HTML out, of the same pieces as the report's page, and under the same policy.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from xml.etree.ElementTree import Element

from integrity.chain.findings import Outcome
from integrity.chain.model import ChainKind
from integrity.chain.times import format_instant
from integrity.report.calendar import render_legend, render_overview, render_patterns
from integrity.report.markup import Part, add, code, element, facts, serialize, shown, table
from integrity.report.page import POLICY
from integrity.report.standing import ChainStanding, Standing, TrailStanding
from integrity.report.standing_text import last_tick_in_words, past_in_words, proven_in_words
from integrity.report.style import STYLE

MOST_INCIDENTS = 200
MOST_CHAINS = 1000
"""So many have a line of their own; the JSON document has them all."""

_TITLE = "CloudTrail integrity status"


def render_standing_page(standing: Standing) -> str:
    """The page of all trails."""
    main = element("main", _service(standing))
    for number, trail in enumerate(standing.trails, 1):
        add(main, _trail(trail, standing, f"t{number}"))
    worst = min((_outcome(trail) for trail in standing.trails), key=_ORDER.index)
    return _page(f"{worst.value.upper()}: {_TITLE}", render_patterns(), main)


def render_trouble_page(why: str) -> str:
    """The page where what is kept cannot be read."""
    told = element("p", f"What the service keeps cannot be read now: {shown(why)}")
    return _page(f"{Outcome.UNDETERMINED.value.upper()}: {_TITLE}", element("main", told))


_ORDER = (Outcome.INVALID, Outcome.UNDETERMINED, Outcome.VALID)


def _page(title: str, *parts: Element) -> str:
    head = element(
        "head",
        element("meta", charset="utf-8"),
        element("meta", http_equiv="Content-Security-Policy", content=POLICY),
        element("meta", name="viewport", content="width=device-width, initial-scale=1"),
        element("meta", name="referrer", content="no-referrer"),
        element("title", title),
        element("style", STYLE),
    )
    body = element(
        "body",
        element("header", element("h1", _TITLE)),
        *parts,
        element(
            "footer",
            "Made from what the service keeps; it repeats the last ticks and verifies nothing. "
            "Load it again for the newest. The same as JSON: ",
            element("a", "status.json", href="status.json"),
        ),
    )
    return serialize(element("html", head, body, lang="en"))


def _outcome(trail: TrailStanding) -> Outcome:
    """The worst of the last tick and what is open; a trail without a tick is undetermined."""
    tick = Outcome.UNDETERMINED if trail.last_tick is None else trail.last_tick.outcome
    return min((tick, *(one.outcome for one in trail.incidents)), key=_ORDER.index)


def _service(standing: Standing) -> Element:
    unsent = "all have arrived"
    if standing.unsent:
        unsent = f"{standing.unsent:,} have not arrived, {standing.dead:,} of them are given up on"
    return facts(
        [
            ("As of", _time(standing.at)),
            ("Next tick", _time(standing.next_tick)),
            ("Messages", unsent),
        ]
    )


def _trail(trail: TrailStanding, standing: Standing, prefix: str) -> Element:
    outcome = _outcome(trail)
    made = element(
        "section",
        element("h2", "Trail ", code(trail.trail_arn), id=prefix),
        element(
            "div",
            element("p", outcome.value.upper(), class_="word"),
            element("p", f"Last tick: {last_tick_in_words(trail)}."),
            element("p", f"Proven: {proven_in_words(trail)}."),
            _past(trail),
            _amiss(trail),
            class_=f"verdict {outcome.value}",
        ),
        element("h3", "Open incidents", id=f"{prefix}-incidents"),
        _incidents(trail),
        element("h3", "The last days, hour by hour", id=f"{prefix}-hours"),
    )
    add(made, *_hours(trail, standing, prefix))
    add(made, element("h3", "Chains", id=f"{prefix}-chains"), _chains(trail))
    return made


def _past(trail: TrailStanding) -> Element | None:
    past = past_in_words(trail)
    return element("p", f"Past: {past}.") if past else None


def _amiss(trail: TrailStanding) -> Element | None:
    if not trail.records_amiss:
        return None
    said = f"Records of the last days that are gone, or not what was written: {trail.records_amiss}"
    return element("p", said)


def _incidents(trail: TrailStanding) -> Element:
    if not trail.incidents:
        return element("p", "None.")
    rows: list[list[Part]] = [
        [
            shown(one.incident_id, 12),
            one.outcome.value,
            shown(one.reason, 60),
            f"{shown(one.account_id, 12)} {shown(one.region, 30)}",
            element("span", _time(one.window.start), " to ", _time(one.window.end)),
            _time(one.first_seen),
            " and ".join(one.told) or "nobody yet",
            f"{one.count:,}",
        ]
        for one in trail.incidents[:MOST_INCIDENTS]
    ]
    headings = ("Id", "Outcome", "Reason", "Where", "Hours", "First seen", "Told", "Objects")
    return table(_cut("Open incidents", trail.incidents, MOST_INCIDENTS), headings, rows, numbers=1)


def _hours(trail: TrailStanding, standing: Standing, prefix: str) -> Iterator[Element]:
    told = [chain for chain in trail.chains if chain.hours]
    if not told:
        yield element("p", "No record tells of them.")
        return
    yield render_legend()
    yield from render_overview(told, standing.window, prefix)


def _chains(trail: TrailStanding) -> Element:
    if not trail.chains:
        return element("p", "None is known.")
    rows = [_chain(chain) for chain in trail.chains[:MOST_CHAINS]]
    headings = ("Chain", "Kind", "Proven up to", "Looked at up to", "Newest digest file", "Lost")
    return table(_cut("Chains", trail.chains, MOST_CHAINS), headings, rows, numbers=1)


def _chain(chain: ChainStanding) -> list[Part]:
    return [
        f"{shown(chain.account_id, 12)} {shown(chain.region, 30)}",
        "standard" if chain.kind is ChainKind.STANDARD else "backfill",
        _time(chain.proven_until),
        _time(chain.looked_at_until),
        _time(chain.newest_digest_end),
        f"{chain.lost:,}",
    ]


def _time(time: datetime | None) -> Element:
    """A time that does not break at the end of a line, or that there is none."""
    return element("time", "never" if time is None else format_instant(time))


def _cut(caption: str, rows: tuple[object, ...], most: int) -> str:
    return caption if len(rows) <= most else f"{caption}: the first {most:,} of {len(rows):,}"
