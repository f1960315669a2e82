"""What a tick can say of an incident that it did not find: that it is over, or nothing.

Not to find is an answer only where a run looked, to its end, at the incident's chain and its whole
window, and nothing else in those hours keeps it from being found. Everything else is silence, and
silence resolves nothing.
"""

from __future__ import annotations

from integrity.chain.findings import Finding, Outcome
from integrity.chain.link import merge
from integrity.chain.model import TimeWindow
from integrity.incidents.causes import NATURES, Cause, hiding
from integrity.incidents.tick import Tick
from integrity.record import Requested, Run
from integrity.state import Incident


class Answers:
    """One tick's runs, asked about incidents."""

    def __init__(self, tick: Tick) -> None:
        self._tick = tick
        self._findings: dict[tuple[str, str], list[Finding]] = {}
        for one in tick.runs:
            for finding in one.run.findings:
                if finding.outcome is not Outcome.VALID:
                    place = (finding.account_id, finding.region)
                    self._findings.setdefault(place, []).append(finding)

    def is_asked(self, incident: Incident) -> bool:
        """Whether any run, finished or not, was to look at some of its window."""
        if NATURES[Cause(incident.cause)].by_tick:
            return True
        return any(self._meets(one.run, incident) for one in self._tick.runs)

    def was_looked_for(self, incident: Incident) -> bool:
        """The same of the narrow runs alone."""
        return any(self._meets(one.run, incident) for one in self._tick.looks)

    def is_quiet(self, incident: Incident) -> bool:
        """Whether the main run answers for a part of its window; not finding it then is news."""
        main = self._tick.main.run
        return _answers(main, incident) and main.requested.window.overlaps(incident.window)

    def is_whole(self, incident: Incident) -> bool:
        """Whether the runs together answer for all of its window."""
        if NATURES[Cause(incident.cause)].by_tick:
            return self._is_whole_by_tick(incident)
        windows = [
            one.run.requested.window for one in self._tick.runs if _answers(one.run, incident)
        ]
        own = incident.window
        return any(one.start <= own.start and own.end <= one.end for one in merge(windows))

    def _is_whole_by_tick(self, incident: Incident) -> bool:
        main, cause = self._tick.main.run, Cause(incident.cause)
        if cause in (Cause.STATE_LOST, Cause.RECORDS):
            return True
        if main.run.interrupted:
            return False
        needs_status = cause is Cause.TRAIL or incident.reason == "head_rewound"
        if needs_status and not _status_was_told(main):
            return False
        return cause is not Cause.HEAD or _holds_chain(main, incident)

    def is_hidden(self, incident: Incident) -> bool:
        """Whether something in its hours can keep it from being found."""
        cause = Cause(incident.cause)
        if cause in (Cause.TRAIL, Cause.UNLISTED, Cause.NEW_CHAIN, Cause.STATE_LOST, Cause.RECORDS):
            return False
        if cause is Cause.LOG_UNREFERENCED and any(
            _has_unattested(one.run, incident) for one in self._tick.runs
        ):
            return True
        reasons, own = hiding(cause), incident.window
        here = self._findings.get((incident.account_id, incident.region), ())
        return any(finding.reason in reasons and _meet(finding.window, own) for finding in here)

    def _meets(self, run: Run, incident: Incident) -> bool:
        return _holds(run.requested, incident) and _meet(run.requested.window, incident.window)


def _answers(run: Run, incident: Incident) -> bool:
    """Whether not to find it, in this run's window, would mean that it is not there."""
    if run.run.interrupted or not _holds(run.requested, incident):
        return False
    if incident.cause == Cause.LOG_UNREFERENCED and not run.requested.unreferenced:
        return False
    return _holds_chain(run, incident)


def _holds(requested: Requested, incident: Incident) -> bool:
    accounts, regions = requested.account_ids, requested.source_regions
    return (accounts is None or incident.account_id in accounts) and (
        regions is None or incident.region in regions
    )


def _holds_chain(run: Run, incident: Incident) -> bool:
    place = (incident.account_id, incident.region)
    return any((chain.account_id, chain.region) == place for chain in run.chains)


def _has_unattested(run: Run, incident: Incident) -> bool:
    """Log files under doubtful digests are not judged: the one that was found may be among them."""
    place = (incident.account_id, incident.region)
    return any(
        bool(chain.log_files.unattested)
        for chain in run.chains
        if (chain.account_id, chain.region) == place
    )


def _status_was_told(run: Run) -> bool:
    told = run.population
    refused = any(call.startswith("cloudtrail:GetTrailStatus") for call in told.unasked)
    return "trail_status" in told.method and not refused


def _meet(one: TimeWindow, other: TimeWindow) -> bool:
    return one.overlaps(other) or one == other
