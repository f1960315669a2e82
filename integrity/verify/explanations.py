"""Who brought a finding about, as events near its edges tell: verified ones, and AWS's own history.

Asked only where there is something to explain, so many findings and hours at most. Events come out
of log files of the trail's home region that were verified for it (`vicinity`), and, where the
caller is the trail's owner, out of CloudTrail's Event history. What they explain is decided in
`chain.explain`; who may not be asked is a note, and no finding ever changes its outcome.
(AWS: API_LookupEvents.)
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta

from integrity.chain.acts import aspects_of
from integrity.chain.estate import Unasked
from integrity.chain.evidence import EventWitness
from integrity.chain.explain import Question, explain, question_of
from integrity.chain.findings import Finding
from integrity.chain.model import ChainId, TimeWindow
from integrity.chain.times import HOUR
from integrity.events.deeds import (
    BUCKET_CALLS,
    TRAIL_CALLS,
    Deeds,
    read_deeds,
    read_history,
    wanted_of,
)
from integrity.structs import replace
from integrity.verify.job import Job
from integrity.verify.plan import Plan
from integrity.verify.ports import Witnesses
from integrity.verify.tools import Tools
from integrity.verify.vicinity import Vicinity

MOST_EXPLAINED = 200
"""So many findings of a run are explained, the earliest first."""

_MOST_HOURS = 24
_KEPT = timedelta(days=90)
_NONE = Deeds()


class Explanations:
    """Asks for the events of one run's findings. `notes` says who would not answer."""

    def __init__(self, job: Job, plan: Plan, tools: Tools, witnesses: Witnesses) -> None:
        self._job, self._plan, self._now = job, plan, tools.now
        self._vicinity = Vicinity(job, plan, tools, most_hours=_MOST_HOURS)
        is_owner = witnesses.account_id == job.trail.account_id
        self._history = witnesses.history if is_owner else None
        self._stopping = tools.stopping
        self.notes: list[str] = []

    def explain(self, findings: Sequence[Finding]) -> list[Finding]:
        """The findings, those that events can explain with what was found of it."""
        asked = [
            (finding, question_of(finding, bucket=self._job.trail.bucket, now=self._now))
            for finding in findings
        ]
        meant = [finding for finding, question in asked if question is not None]
        chosen = set(map(id, sorted(meant, key=lambda one: one.window)[:MOST_EXPLAINED]))
        questions = [
            (finding, question if id(finding) in chosen else None) for finding, question in asked
        ]
        told = self._ask_history([one for _, one in questions if one is not None])
        return [
            finding if question is None else self._explained(finding, question, told)
            for finding, question in questions
        ]

    def _explained(self, finding: Finding, question: Question, told: Deeds | None) -> Finding:
        heard = self._hear(finding, question)
        asked = [EventWitness.LOG_FILE] if heard is not None else []
        if told is not None and all(one.end >= self._now - _KEPT for one in question.windows):
            asked.append(EventWitness.EVENT_HISTORY)
        if not asked:
            return finding
        deeds = (heard or _NONE) + (told or _NONE)
        aspects = aspects_of(finding.account_id, finding.region, self._job.trail)
        return replace(
            finding,
            explanation=explain(question, deeds.known, aspects, asked=asked, unread=deeds.unread),
        )

    # Log files

    def _hear(self, finding: Finding, question: Question) -> Deeds | None:
        """What verified log files record around the edges; None where none was to be read."""
        moments = list(_moments(question))
        if not moments or not self._job.log_files:
            return None
        home, deeds = self._home(finding), _NONE
        wanted = wanted_of(question.bucket or self._job.trail.bucket)
        for moment in moments:
            heard = self._vicinity.around(home, moment, wanted)
            found = read_deeds(heard.events, self._job.trail)
            deeds += replace(found, unread=found.unread + heard.unread + (not heard.is_covered))
        return deeds

    def _home(self, finding: Finding) -> ChainId:
        trail = self._job.trail
        chain = ChainId(
            trail.root, finding.account_id, finding.region, trail.name, trail.home_region
        )
        return self._vicinity.home_of(chain)

    # The Event history

    def _ask_history(self, questions: Sequence[Question]) -> Deeds | None:
        """What AWS keeps of calls on the trail and its bucket; None where it was not asked."""
        if self._history is None or not questions or self._stopping.is_set():
            return None
        first = self._now - _KEPT
        if all(window.end < first for question in questions for window in question.windows):
            return None
        names = [
            *(TRAIL_CALLS if any(one.about_trail for one in questions) else ()),
            *(BUCKET_CALLS if any(not one.about_trail for one in questions) else ()),
        ]
        # All of it, so that who asks once more, of other hours, need not be answered again.
        window = TimeWindow(first, self._now)
        answer = self._history.lookup_events(self._job.trail.home_region, names, window)
        if isinstance(answer, Unasked):
            self.notes.append(f"LookupEvents, for explanations: {answer.detail}")
            return None
        found = read_history(answer.events, self._job.trail)
        return replace(found, unread=found.unread + answer.more)


def _moments(question: Question) -> Iterable[datetime]:
    """Around which times log files are read: not over a long time in which it may have been."""
    for window in question.windows:
        if window.end - window.start <= 2 * HOUR:
            yield window.end if window is not question.start else window.end - HOUR
