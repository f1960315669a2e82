"""Asks AWS for its own word on a trail's population, while the bucket's folders are being listed.

Every witness is asked at once and only where it makes sense; one that gives no answer is a note
with the permission that it takes, and the run goes on. GetTrailStatus is asked before any digest is
listed, so that a delivery in between is no head that was rewound; and only in the regions that are
meant. What their words prove is `chain.population`'s and `chain.coverage`'s to say.
"""

from __future__ import annotations

from collections.abc import Iterable
from concurrent.futures import Future
from dataclasses import dataclass, field

from integrity.chain.estate import Member, Organization, Region, Unasked
from integrity.chain.model import StatusUnavailable, TrailStatus
from integrity.chain.population import LIST_ACCOUNTS, Told
from integrity.verify.job import Job
from integrity.verify.ports import Witnesses
from integrity.verify.tools import Tools

GET_TRAIL_STATUS = "cloudtrail:GetTrailStatus"


@dataclass(slots=True)
class Answers:
    """What was told; `method` says who answered, `notes` who did not and what it takes."""

    told: Told
    method: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)


class Interview:
    """Begins to ask when it is made; `finish` waits for the answers."""

    def __init__(self, job: Job, tools: Tools, witnesses: Witnesses) -> None:
        self._job, self._executor, self._witnesses = job, tools.executor, witnesses
        self._asked: dict[str, Future[TrailStatus | StatusUnavailable]] = {}
        self._ask_statuses({job.trail.home_region})
        self._regions = self._executor.submit(self._begin_with_regions)
        self._accounts: Future[Organization | Unasked] | None = None
        if witnesses.accounts is not None and job.trail.is_organization:
            self._accounts = self._executor.submit(witnesses.accounts.list_accounts)
        self._unasked: list[Unasked] = []
        self._notes: list[str] = []

    def finish(self, seen: Iterable[str]) -> Answers:
        """All answers. `seen` are regions that the bucket shows, should nobody name the others."""
        answer = self._regions.result()
        regions: dict[str, Region] | None = None
        if isinstance(answer, Unasked):
            self._refused(answer)
            self._ask_statuses(set(seen))
        elif answer is not None:
            regions = {region.name: region for region in answer}
        statuses = self._statuses()
        members = self._members()
        told = Told(
            account_id=self._witnesses.account_id,
            statuses=statuses,
            regions=regions,
            members=members,
            unasked=tuple(self._unasked),
            is_gone=self._is_gone(),
        )
        who = {"trail_status": statuses, "regions": regions, "organization": members}
        return Answers(told, [name for name, answer in who.items() if answer], self._notes)

    # Regions, and the status in each

    def _begin_with_regions(self) -> tuple[Region, ...] | Unasked | None:
        """Waits for no other task of the executor: with one thread it would never come."""
        witness = self._witnesses.regions
        if witness is None or not self._job.trail.multi_region:
            return None
        regions = witness.list_regions()
        if not isinstance(regions, Unasked):
            self._ask_statuses({region.name for region in regions if region.is_enabled})
        return regions

    def _ask_statuses(self, regions: set[str]) -> None:
        source, job = self._witnesses.statuses, self._job
        if source is None:
            return
        if job.account_ids is not None and self._witnesses.account_id not in job.account_ids:
            # Of other accounts it knows nothing; of the trail itself it does.
            regions = regions & {job.trail.home_region}
        if job.source_regions is not None:
            regions = regions.intersection(job.source_regions)
        for region in sorted(regions - self._asked.keys()):
            self._asked[region] = self._executor.submit(source.fetch_status, region)

    def _statuses(self) -> dict[str, TrailStatus]:
        answers = {region: future.result() for region, future in sorted(self._asked.items())}
        refusals = [one for one in answers.values() if isinstance(one, StatusUnavailable)]
        if refusals:
            first = refusals[0]
            more = f" (and in {len(refusals) - 1} more regions)" if len(refusals) > 1 else ""
            self._notes.append(f"GetTrailStatus in {first.region}: {first.detail}{more}")
            denied = any(refusal.denied for refusal in refusals)
            self._unasked.append(Unasked(GET_TRAIL_STATUS, first.detail, denied))
        return {
            region: answer for region, answer in answers.items() if isinstance(answer, TrailStatus)
        }

    def _is_gone(self) -> bool:
        """Whether CloudTrail does not know the trail in its home; only its owner can tell."""
        trail = self._job.trail
        if self._witnesses.account_id != trail.account_id or trail.home_region not in self._asked:
            return False
        answer = self._asked[trail.home_region].result()
        return isinstance(answer, StatusUnavailable) and answer.not_found

    # Accounts

    def _members(self) -> dict[str, Member] | None:
        """The accounts of the organization, if it is the trail's."""
        if self._accounts is None:
            return None
        answer = self._accounts.result()
        if isinstance(answer, Unasked):
            self._refused(answer)
            return None
        meant = self._job.trail.organization_id
        if meant and answer.organization_id != meant:
            said = f"the caller's organization is {answer.organization_id}, the trail's is {meant}"
            self._refused(Unasked(LIST_ACCOUNTS, said, denied=False))
            return None
        return {member.account_id: member for member in answer.members}

    def _refused(self, refusal: Unasked) -> None:
        self._unasked.append(refusal)
        self._notes.append(refusal.detail)
