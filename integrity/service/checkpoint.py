"""What a tick leaves behind for the next one, made of its run. Pure."""

from __future__ import annotations

from integrity.chain.estate import ExpirationRule
from integrity.chain.known import unheard
from integrity.chain.model import Trail
from integrity.record import Run
from integrity.service.hearing import Heard
from integrity.service.memory import sha256_of
from integrity.state import Checkpoint, RunSummary
from integrity.structs import replace
from integrity.verify.run import Verification


def next_checkpoint(
    before: Checkpoint | None,
    verification: Verification,
    trail: Trail,
    *,
    rules: tuple[ExpirationRule, ...] | None = None,
    uri: str,
    document: bytes,
    heard: Heard,
) -> Checkpoint:
    """As far as was attempted, which an interruption does not count as.

    The trail is kept as AWS described it last; `rules` of its bucket explain what is gone.
    `document` is the run's record and `uri` where it lies; where it is empty, nobody could keep it,
    and the record before it stays the last one. Digests count as heard only where every rule was
    asked about their events.
    """
    run = verification.run
    attempted = run.requested.end
    if run.run.interrupted:
        attempted = run.requested.start if before is None else before.attempted
    if before is not None and before.trail is not None and not trail.looked_up:
        trail = before.trail
    chains = verification.known
    if not heard.is_whole:
        chains = unheard(chains, () if before is None else before.chains)
    checkpoint = Checkpoint(
        trail_arn=run.trail_arn,
        attempted=attempted,
        chains=chains,
        record_sha256=None if before is None else before.record_sha256,
        record_uri="" if before is None else before.record_uri,
        previous_record_sha256=None if before is None else before.previous_record_sha256,
        trail=trail,
        rules=rules,
        rule_totals=heard.totals,
        told=heard.told,
    )
    if not uri:
        return checkpoint
    return replace(
        checkpoint,
        record_sha256=sha256_of(document),
        record_uri=uri,
        previous_record_sha256=checkpoint.record_sha256,
    )


def summarize(run: Run, *, uri: str, document: bytes) -> RunSummary:
    """The run's line in the history of ticks; one without a record has an empty URI."""
    return RunSummary(
        run_id=run.run.id,
        started_at=run.run.started_at,
        finished_at=run.run.finished_at,
        window=run.requested.window,
        outcome=run.outcome,
        findings=sum(finding.count for finding in run.findings),
        record_uri=uri,
        record_sha256=sha256_of(document) if uri else "",
        past=run.past,
    )
