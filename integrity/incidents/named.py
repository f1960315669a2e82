"""The objects that an incident names: the first few, each with the time at which it was found.

Those that it names already stay, and stay as old as they are. Pure.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from itertools import islice

from integrity.state import Incident

MOST_SUBJECTS = 20
"""So many objects are kept of an incident; the record has them all."""

Named = dict[str, datetime | None]
"""When each was found first; None where that was not kept."""


def named_by(incident: Incident) -> Named:
    """What it names, in order."""
    seen = zip(incident.subjects, incident.seen, strict=False)
    return dict.fromkeys(incident.subjects) | dict(seen)


def name_more(known: Named, subjects: Iterable[str], now: datetime) -> Named:
    """With what is found now, as far as there is room; a trace without an object names none."""
    new: Named = {subject: now for subject in subjects if subject and subject not in known}
    return dict(islice((known | new).items(), MOST_SUBJECTS))
