"""Which chains a job is about, and the segments that check them.

Accounts and regions are found by listing folders, under `CloudTrail-Digest/` and `CloudTrail/`
both: a region whose digests were wiped still has its logs. What GetTrailStatus knows of each region
of the trail's own account is asked before any digest is listed, so that a delivery in between is no
head that was rewound.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field, replace

from integrity.chain.model import (
    ChainId,
    KeysUnavailable,
    PublicKey,
    Root,
    TimeWindow,
    TrailStatus,
    Unreachable,
)
from integrity.chain.names import (
    ACCOUNT_ID,
    ORGANIZATION_ID,
    REGION,
    region_folders,
)
from integrity.chain.times import DAY, day_of
from integrity.verify.job import Job
from integrity.verify.keyring import asked_for
from integrity.verify.ports import StatusSource
from integrity.verify.segment import Segment
from integrity.verify.tools import Tools


@dataclass(slots=True)
class Plan:
    """The chains of a job in order, with their segments, and what was learnt on the way.

    `method` says who was asked for the population, `notes` who would not answer and what it takes,
    `unlisted` which folders of accounts or regions could not be looked into.
    """

    segments: dict[ChainId, list[Segment]] = field(default_factory=dict)
    statuses: dict[str, TrailStatus] = field(default_factory=dict)
    method: list[str] = field(default_factory=lambda: ["bucket"])
    notes: list[str] = field(default_factory=list)
    unlisted: list[Unreachable] = field(default_factory=list)

    def status(self, chain: ChainId) -> TrailStatus | None:
        """AWS's word on a chain of the trail's own account."""
        segments = self.segments[chain]
        return segments[-1].witness

    def home_status(self, job: Job) -> TrailStatus | None:
        """AWS's word on the trail where it was created."""
        return self.statuses.get(job.trail.home_region)


def make_plan(job: Job, tools: Tools, statuses: StatusSource | None) -> Plan:
    """The segments that together check the job."""
    return _Planner(job, tools, statuses).plan()


def cut(window: TimeWindow) -> list[TimeWindow]:
    """A window in UTC days: what a worker holds in memory is a day of one region's log files."""
    pieces, start = [], window.start
    while day_of(start) + DAY < window.end:
        pieces.append(TimeWindow(start, day_of(start) + DAY))
        start = day_of(start) + DAY
    return [*pieces, TimeWindow(start, window.end)]


class _Planner:
    def __init__(self, job: Job, tools: Tools, statuses: StatusSource | None) -> None:
        self._job, self._tools, self._statuses = job, tools, statuses
        self._plan = Plan()

    def plan(self) -> Plan:
        chains = sorted(set(self._chains()))
        self._ask_statuses({chain.region for chain in chains if self._is_own(chain)})
        keys = self._ask_keys({chain.region for chain in chains})
        pieces = cut(self._job.window)
        for chain in chains:
            status = self._plan.statuses.get(chain.region) if self._is_own(chain) else None
            self._plan.segments[chain] = [
                Segment(
                    chain=chain,
                    window=piece,
                    is_first=piece is pieces[0],
                    is_last=piece is pieces[-1],
                    keys=keys.get(chain.region, ()),
                    witness=status if piece is pieces[-1] else None,
                )
                for piece in pieces
            ]
        return self._plan

    def _is_own(self, chain: ChainId) -> bool:
        return chain.account_id == self._job.trail.account_id

    # Accounts and regions

    def _chains(self) -> Iterator[ChainId]:
        trail = self._job.trail
        for root in self._roots():
            for account_id in self._accounts(root):
                for region in self._regions(root, account_id):
                    yield ChainId(root, account_id, region, trail.name, trail.home_region)

    def _roots(self) -> list[Root]:
        """The trail's root.

        Where nobody said, whether its account lies under an organization's folder.
        """
        root = self._job.trail.root
        if root.organization_id:
            return [root]
        folders = self._folders(root.bucket, root.folder)
        if self._job.trail.account_id in folders:
            return [root]
        organizations = [name for name in folders if re.fullmatch(ORGANIZATION_ID, name)]
        roots = [replace(root, organization_id=name) for name in sorted(organizations)]
        holding = [
            under
            for under in roots
            if self._job.trail.account_id in self._folders(under.bucket, under.folder)
        ]
        return holding or [root]

    def _accounts(self, root: Root) -> list[str]:
        if self._job.account_ids is not None:
            return list(self._job.account_ids)
        own = self._job.trail.account_id
        if not root.organization_id:
            return [own]
        found = self._folders(root.bucket, root.folder)
        return sorted({own, *(name for name in found if re.fullmatch(ACCOUNT_ID, name))})

    def _regions(self, root: Root, account_id: str) -> list[str]:
        if self._job.source_regions is not None:
            return list(self._job.source_regions)
        found = {
            name
            for parent in region_folders(root, account_id)
            for name in self._folders(root.bucket, parent)
            if re.fullmatch(REGION, name)
        }
        if self._job.names(account_id, self._job.trail.home_region):
            found.add(self._job.trail.home_region)
        return sorted(found)

    def _folders(self, bucket: str, folder: str) -> tuple[str, ...]:
        answer = self._tools.objects.list_folders(bucket, folder)
        if isinstance(answer, Unreachable):
            if answer not in self._plan.unlisted:
                self._plan.unlisted.append(answer)
            return ()
        return answer

    # Who else knows

    def _ask_statuses(self, regions: set[str]) -> None:
        if self._statuses is None or not regions:
            return
        fetch = self._statuses.fetch_status
        for region, answer in zip(
            sorted(regions), self._tools.executor.map(fetch, sorted(regions)), strict=True
        ):
            if isinstance(answer, TrailStatus):
                self._plan.statuses[region] = answer
            else:
                self._plan.notes.append(f"GetTrailStatus in {region}: {answer.detail}")
        if self._plan.statuses:
            self._plan.method.append("trail_status")

    def _ask_keys(self, regions: set[str]) -> dict[str, tuple[PublicKey, ...]]:
        window = asked_for(self._job.window)
        ordered = sorted(regions)
        answers = self._tools.executor.map(
            lambda region: self._tools.keys.fetch_keys(region, window), ordered
        )
        return {
            region: answer
            for region, answer in zip(ordered, answers, strict=True)
            if not isinstance(answer, KeysUnavailable)
        }
