"""All chains of a trail to its record: the trail's own state, population, keys, totals. Pure."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from datetime import datetime

from integrity import __version__
from integrity.chain.findings import Finding, Outcome, Place, Reason, find, worst
from integrity.chain.model import ChainKind, PublicKey, Unreachable
from integrity.chain.population import Told
from integrity.chain.replica import join_replicas
from integrity.chain.times import format_instant
from integrity.record import (
    ChainResult,
    ChainState,
    DigestCounts,
    Expected,
    KeyRecord,
    LogCounts,
    Origin,
    Population,
    Run,
    RunInfo,
    Tool,
    Totals,
    outcome_of,
)
from integrity.structs import replace
from integrity.verify.job import Job
from integrity.verify.join import JoinedChain
from integrity.verify.plan import Plan


def join_run(job: Job, plan: Plan, joined: Iterable[JoinedChain], info: RunInfo) -> Run:
    """The record of a job from all its chains, in whatever order they were done."""
    joined = sorted(joined, key=lambda chain: _order(chain.results[0]))
    chains = tuple(result for chain in joined for result in chain.results)
    findings = (
        *check_trail(job, plan.told, joined),
        *(_not_listed(job, folder) for folder in plan.unlisted),
        *join_replicas([finding for chain in joined for finding in chain.findings]),
    )
    return Run(
        tool=Tool("integrity", __version__),
        trail_arn=job.trail.arn,
        requested=job.requested,
        run=info,
        population=_population(job, plan, joined),
        keys=_keys(key for chain in joined for key in chain.keys),
        outcome=_outcome(chains, findings, info),
        totals=_totals(chains, job),
        chains=chains,
        findings=findings,
    )


def _order(chain: ChainResult) -> tuple[str, str, str]:
    return (chain.account_id, chain.region, chain.root)


def _outcome(
    chains: tuple[ChainResult, ...], findings: tuple[Finding, ...], info: RunInfo
) -> Outcome:
    """What was interrupted cannot be valid any more, nor what every chain had ended before."""
    outcome = outcome_of(chains, findings)
    nothing = not any(chain.digest_files.total or chain.unchanged for chain in chains)
    return worst([outcome, Outcome.UNDETERMINED]) if info.interrupted or nothing else outcome


def check_trail(job: Job, told: Told, chains: Iterable[JoinedChain]) -> list[Finding]:
    """`trail_off`: the trail is gone, does not log, or does not sign. A note for a window that ends
    before that.

    Said only of a trail that AWS was asked about: who cannot see a trail has not seen it gone.
    """
    if not job.trail.looked_up:
        return []
    if told.is_gone:
        return [_off(job, f"account {job.trail.account_id} has no such trail", None, is_note=False)]
    status = told.status_of(job.trail)
    newest = max((c.newest for c in chains if c.newest is not None), default=None)
    if not job.trail.validation:
        return [_off(job, "log file validation is off", newest, is_note=newest is None)]
    if status is not None and not status.is_logging:
        since = format_instant(status.stopped) if status.stopped is not None else "unknown time"
        return [_off(job, f"logging is stopped since {since}", status.stopped, is_note=False)]
    return []


def _off(job: Job, detail: str, since: datetime | None, *, is_note: bool) -> Finding:
    before = since is not None and job.window.end <= since
    return find(
        Reason.TRAIL_OFF,
        Place(job.trail.account_id, job.trail.home_region),
        job.window,
        outcome=Outcome.VALID if is_note or before else None,
        detail=detail,
    )


def _not_listed(job: Job, folder: Unreachable) -> Finding:
    """Accounts or regions may lie in it that nobody saw: the trail as a whole is undetermined."""
    return find(
        Reason.OBJECT_UNREADABLE,
        Place(job.trail.account_id, job.trail.home_region),
        job.window,
        s3_uri=folder.location.uri,
        detail=folder.detail,
    )


def _population(job: Job, plan: Plan, joined: Sequence[JoinedChain]) -> Population:
    """An ended chain is listed, and expected no more; where all digests are gone none is found."""
    standard = [chain.results[0] for chain in joined]
    found = [chain.results[0] for chain in joined if chain.is_there]
    expected = [
        chain
        for chain in standard
        if chain.digest_files.total or chain.unchanged or chain.state is not ChainState.ENDED
    ]
    return Population(
        method=tuple(plan.method),
        accounts=Expected(
            len({chain.account_id for chain in expected}),
            len({chain.account_id for chain in found}),
        ),
        chains=Expected(len(expected), len(found)),
        notes=tuple(plan.notes),
        regions=Expected(
            len({chain.region for chain in expected}), len({chain.region for chain in found})
        ),
        accounts_from=_accounts_from(job, plan.told),
        regions_from=_regions_from(job, plan.told),
        unasked=tuple(
            f"{refusal.call} {'denied' if refusal.denied else 'not answered'}"
            for refusal in plan.told.unasked
        ),
    )


def _accounts_from(job: Job, told: Told) -> Origin:
    if job.account_ids is not None:
        return Origin.REQUEST
    if told.members is not None:
        return Origin.ORGANIZATION
    organized = job.trail.is_organization or job.trail.organization_id
    return Origin.BUCKET if organized or not job.trail.looked_up else Origin.TRAIL


def _regions_from(job: Job, told: Told) -> Origin:
    if job.source_regions is not None:
        return Origin.REQUEST
    if not job.trail.multi_region:
        return Origin.TRAIL
    if told.regions and told.account_id and told.statuses:
        return Origin.TRAIL_STATUS
    return Origin.REGIONS if told.regions and told.members else Origin.BUCKET


def _keys(keys: Iterable[PublicKey]) -> tuple[KeyRecord, ...]:
    records = {
        (key.region, key.fingerprint): KeyRecord(
            region=key.region,
            fingerprint=key.fingerprint,
            sha256=hashlib.sha256(key.der).hexdigest(),
            not_before=key.not_before,
            not_after=key.not_after,
            fetched_at=key.fetched_at,
            origin=key.origin,
        )
        for key in keys
    }
    return tuple(record for _, record in sorted(records.items()))


def _totals(chains: Iterable[ChainResult], job: Job) -> Totals:
    digests = dict.fromkeys(ChainKind, DigestCounts())
    standard_logs, backfill_logs = LogCounts(), LogCounts()
    for chain in chains:
        digests[chain.kind] += chain.digest_files
        if chain.kind is ChainKind.STANDARD:
            standard_logs += chain.log_files
        else:
            backfill_logs += chain.log_files
    logs = standard_logs + backfill_logs
    if not job.unreferenced:
        logs = replace(logs, unattested=None, unreferenced=None, pending=None)
    return Totals(digests[ChainKind.STANDARD], digests[ChainKind.BACKFILL], logs)
