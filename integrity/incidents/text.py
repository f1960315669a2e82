"""A matter in words: one line for a subject, a page for a person. Pure; for machines see `facts`.

Whatever a stranger named passes `terminal.escape` and is cut to a length, and so is every list: a
message fits where messages are sent (SNS: 256 KiB, a subject under 100 characters), and what was
cut stands in the record that it names.
(AWS: Amazon SNS API, Publish.)
"""

from __future__ import annotations

import shlex
from collections.abc import Iterable, Iterator
from datetime import datetime

from msgspec import Struct

from integrity.chain.findings import Outcome
from integrity.chain.model import TimeWindow
from integrity.chain.terminal import escape
from integrity.chain.times import format_instant
from integrity.chain.words import explained, label, restorable
from integrity.incidents.acknowledged import last_of
from integrity.incidents.advice import Advice, advice_for
from integrity.incidents.causes import Cause
from integrity.incidents.joining import hull_of
from integrity.state import Audience, Incident, Step

MOST_SUBJECT = 99
MOST_LISTED = 20
"""So many incidents, and objects, does a text list."""

_MOST_LINE = 400
_MOST_TOLD = 3
MOST_DETAIL = 600
MOST_URI = 1200

_WHOLE_TRAIL = (
    Cause.TRAIL,
    Cause.UNLISTED,
    Cause.STATE_LOST,
    Cause.RECORDS,
)
_CHAINS = (Cause.HEAD, Cause.GAP, Cause.KEYS, Cause.NEW_CHAIN)
_FILES = (
    Cause.DIGEST_ABSENT,
    Cause.DIGEST_ALTERED,
    Cause.DIGEST_LINK,
    Cause.LOG_ABSENT,
    Cause.LOG_ALTERED,
    Cause.LOG_UNREFERENCED,
)


class Matter(Struct, frozen=True, kw_only=True):
    """Incidents of one trail and one reason, told in one message."""

    incidents: tuple[Incident, ...]
    audience: Audience
    step: Step
    record_uri: str
    now: datetime

    @property
    def first(self) -> Incident:
        return self.incidents[0]

    @property
    def advice(self) -> Advice:
        return advice_for(self.first.reason, self.first.cause, self.audience)

    @property
    def count(self) -> int:
        return sum(incident.count for incident in self.incidents)

    @property
    def outcome(self) -> Outcome:
        return max((incident.outcome for incident in self.incidents), key=list(Outcome).index)

    @property
    def window(self) -> TimeWindow:
        return hull_of(incident.window for incident in self.incidents)

    @property
    def account_id(self) -> str:
        """The one account that it is about; empty where there are several."""
        accounts = {incident.account_id for incident in self.incidents}
        return accounts.pop() if len(accounts) == 1 else ""

    @property
    def region(self) -> str:
        """The one region that it is about; empty where there are several."""
        regions = {incident.region for incident in self.incidents}
        return regions.pop() if len(regions) == 1 else ""


def anchor(reason: str) -> str:
    """Where the documents say what to do."""
    return f"docs/operations.md#{reason}"


def command(matter: Matter) -> str:
    """The command line that verifies the window again, in no more places than have to be."""
    parts = [
        "integrity verify",
        f"--trail-arn {_quoted(matter.first.trail_arn)}",
        f"--start-time {format_instant(matter.window.start)}",
        f"--end-time {format_instant(matter.window.end)}",
    ]
    if matter.account_id and matter.first.cause not in _WHOLE_TRAIL:
        parts.append(f"--account-id {_quoted(matter.account_id)}")
    if matter.region and matter.first.cause not in _WHOLE_TRAIL:
        parts.append(f"--source-region {_quoted(matter.region)}")
    return " ".join(parts)


# The subject


def render_subject(matter: Matter) -> str:
    """`[integrity] INVALID log_hash_mismatch 111122223333 us-east-1 main (3 files)`, cut to fit."""
    words = {
        Step.OPENED: label(matter.outcome),
        Step.WORSENED: f"WORSE: {label(matter.outcome)}",
        Step.REMINDED: f"STILL {label(matter.outcome)}",
        Step.RESOLVED: "RESOLVED",
        Step.NOTED: "NOTE",
    }
    accounts = len({incident.account_id for incident in matter.incidents})
    places = len({(incident.account_id, incident.region) for incident in matter.incidents})
    where = f"{matter.account_id or f'{accounts} accounts'} {matter.region or f'{places} regions'}"
    head = escape(f"[integrity] {words[matter.step]} {matter.first.reason} {where}")
    tail = f" ({_amount(matter)})"
    trail = " " + cut(escape(_trail_name(matter.first)), MOST_SUBJECT - len(head + tail) - 1)
    return (head + trail)[: MOST_SUBJECT - len(tail)] + tail


def _amount(matter: Matter) -> str:
    cause = Cause(matter.first.cause)
    if cause in _WHOLE_TRAIL and cause is not Cause.UNLISTED:
        return "the whole trail"
    if cause in _CHAINS:
        return _counted(len(matter.incidents), "chain")
    return _counted(matter.count, "file" if cause in _FILES else "object")


def _counted(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def _trail_name(incident: Incident) -> str:
    return incident.trail_arn.rpartition("/")[2]


# The page

_OPENINGS = {
    Step.OPENED: "",
    Step.WORSENED: "This has got worse since you were told of it. ",
    Step.REMINDED: "A daily reminder: this is not over. ",
    Step.RESOLVED: "Over: the hours below were verified again, and it was not found any more. "
    "What was told: ",
    Step.NOTED: "A note, told once: ",
}


def render_text(matter: Matter) -> str:
    """What, where, which hours, how sure, what is in doubt, what to do and what not to."""
    return "\n".join(_lines(matter)) + "\n"


def _lines(matter: Matter) -> Iterator[str]:
    advice, first = matter.advice, matter.first
    yield f"{_OPENINGS[matter.step]}{label(matter.outcome)}: {advice.what}."
    yield ""
    yield f"Reason      {first.reason}"
    yield f"Trail       {escape(first.trail_arn)}"
    yield from _places(matter)
    yield f"Amount      {_amount(matter)}"
    yield from _details(matter)
    yield f"First seen  {format_instant(min(one.first_seen for one in matter.incidents))}"
    yield f"Last seen   {format_instant(max(one.last_seen for one in matter.incidents))}"
    yield from _acknowledgements(matter)
    yield ""
    if matter.step is not Step.RESOLVED:
        yield f"How sure    {advice.sure}."
        yield f"In doubt    {advice.doubt}."
        yield f"Do          {advice.do}."
        yield f"Caution     {advice.do_not}."
        yield ""
    yield from _objects(matter)
    yield "Verify again (times are UTC):"
    yield f"  {command(matter)}"
    yield ""
    yield f"More        {anchor(first.reason)}"
    yield f"Record      {cut(escape(matter.record_uri), MOST_URI)}"


def _places(matter: Matter) -> Iterator[str]:
    """Each incident on a line: whose, where, which hours, its id."""
    name = "Incident    "
    for incident in matter.incidents[:MOST_LISTED]:
        where = "the whole trail"
        if incident.cause not in _WHOLE_TRAIL:
            where = f"account {incident.account_id}, region {incident.region}"
        window = incident.window
        yield (
            f"{name}{incident.id}: {escape(where)}, {format_instant(window.start)} to "
            f"{format_instant(window.end)}"
        )
        name = "            "
    yield from _more(len(matter.incidents), MOST_LISTED, "incident", name)


def _details(matter: Matter) -> Iterator[str]:
    details = dict.fromkeys(one.detail for one in matter.incidents if one.detail)
    for number, detail in enumerate(list(details)[:3]):
        name = "" if number else "Detail"
        yield f"{name:12}{cut(escape(detail), MOST_DETAIL)}"
    for name, told in (("Who", explanations_of(matter)), ("Before", befores_of(matter))):
        for number, one in enumerate(told):
            yield f"{'' if number else name:12}{one}"


def explanations_of(matter: Matter) -> list[str]:
    """Who did it, as events tell, or that none does; nothing where nobody looked."""
    findings = [one.finding for one in matter.incidents if one.finding is not None]
    return _few(explained(finding.explanation) for finding in findings)


def befores_of(matter: Matter) -> list[str]:
    """What lay there before, where versions of it are left."""
    findings = [one.finding for one in matter.incidents if one.finding is not None]
    return _few(restorable(finding) for finding in findings)


def _few(told: Iterable[str]) -> list[str]:
    return [cut(one, MOST_DETAIL) for one in dict.fromkeys(told) if one][:_MOST_TOLD]


def _acknowledgements(matter: Matter) -> Iterator[str]:
    lasts = [last for one in matter.incidents if (last := last_of(one)) is not None]
    for number, last in enumerate(list(dict.fromkeys(lasts))[:3]):
        name = "" if number else "Known"
        yield f"{name:12}{cut(escape(last.told(matter.now)), MOST_DETAIL)}"


def _objects(matter: Matter) -> Iterator[str]:
    subjects = [uri for incident in matter.incidents for uri in incident.subjects]
    if not subjects:
        return
    shown = subjects[:MOST_LISTED]
    yield "Objects:"
    for uri in shown:
        yield f"  {short_line(uri)}"
    yield from _more(max(len(subjects), matter.count), len(shown), "object", "  ")
    yield ""


def _more(number: int, shown: int, noun: str, name: str) -> Iterator[str]:
    if number > shown:
        yield f"{name}and {_counted(number - shown, f'more {noun}')} (see the record)"


def short_line(text: str) -> str:
    """What a stranger named, harmless and not too long."""
    return cut(escape(text), _MOST_LINE)


def cut(text: str, most: int) -> str:
    """A text of so many characters at most."""
    return text if len(text) <= most else text[: max(0, most - 3)] + "..."


def _quoted(text: str) -> str:
    return shlex.quote(escape(text))
