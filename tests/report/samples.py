"""Records made by hand, for tests of what is shown of them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from integrity.chain.findings import Finding, Outcome, Place, Reason, find, worst
from integrity.chain.model import ChainKind, TimeWindow
from integrity.record import (
    ChainResult,
    ChainState,
    DigestCounts,
    Expected,
    Head,
    KeyRecord,
    LogCounts,
    Population,
    Requested,
    Run,
    RunInfo,
    Tool,
    Totals,
)
from integrity.structs import replace

ACCOUNT = "111122223333"
ARN = f"arn:aws:cloudtrail:us-east-1:{ACCOUNT}:trail/main"
DAY = datetime(2026, 3, 1, tzinfo=UTC)
WINDOW = TimeWindow(DAY, DAY + timedelta(days=1))
ROOT = "s3://logs/AWSLogs"
HOUR = timedelta(hours=1)


def hour(number: int) -> TimeWindow:
    """The so-manieth hour of the day."""
    return TimeWindow(DAY + number * HOUR, DAY + (number + 1) * HOUR)


def digest_uri(number: int, *, backfill: bool = False) -> str:
    """A digest of the day, by the hour in which it ends."""
    mark = "_backfill" if backfill else ""
    name = f"{ACCOUNT}_CloudTrail-Digest_us-east-1_main_us-east-1_20260301T{number:02}0000Z{mark}"
    return f"{ROOT}/{ACCOUNT}/CloudTrail-Digest/us-east-1/2026/03/01/{name}.json.gz"


def log_uri(number: int) -> str:
    """A log file of the day."""
    name = f"{ACCOUNT}_CloudTrail_us-east-1_20260301T{number:02}05Z_AbCdEfGhIjKlMnOp.json.gz"
    return f"{ROOT}/{ACCOUNT}/CloudTrail/us-east-1/2026/03/01/{name}"


def finding(
    reason: Reason, number: int = 5, *, s3_uri: str | None = None, detail: str = ""
) -> Finding:
    """A finding of that reason about an hour of the day."""
    return find(reason, Place(ACCOUNT, "us-east-1"), hour(number), s3_uri=s3_uri, detail=detail)


def chain(
    region: str = "us-east-1",
    *,
    outcome: Outcome = Outcome.VALID,
    covered: tuple[TimeWindow, ...] = (WINDOW,),
    state: ChainState = ChainState.OPEN,
    kind: ChainKind = ChainKind.STANDARD,
    log_files: LogCounts | None = None,
) -> ChainResult:
    """One chain's result, wholly proven unless told otherwise."""
    return ChainResult(
        account_id=ACCOUNT,
        region=region,
        kind=kind,
        root=ROOT,
        state=state,
        outcome=outcome,
        covered=covered,
        hours="P" * 24,
        head=Head(digest_uri(23), covered[-1].end, "a" * 64, "b" * 512) if covered else None,
        digest_files=DigestCounts(valid=24),
        log_files=log_files or LogCounts(valid=70),
    )


def run(
    *findings: Finding,
    chains: tuple[ChainResult, ...] | None = None,
    trail_arn: str = ARN,
    totals: Totals | None = None,
    **requested: object,
) -> Run:
    """A record of the day; its outcome is the worst of its chains and findings."""
    chains = (chain(),) if chains is None else chains
    parts = [part.outcome for part in chains] + [part.outcome for part in findings]
    return Run(
        tool=Tool("integrity", "0.1.0"),
        trail_arn=trail_arn,
        requested=replace(Requested(start=WINDOW.start, end=WINDOW.end), **requested),  # type: ignore[arg-type]
        run=RunInfo(
            id="r-1",
            caller_arn=f"arn:aws:sts::{ACCOUNT}:assumed-role/audit/me",
            configuration_sha256="c" * 64,
            source="s3",
            started_at=WINDOW.end,
            finished_at=WINDOW.end,
            judged_at=WINDOW.end,
        ),
        population=Population(("bucket",), Expected(1, 1), Expected(len(chains), len(chains))),
        keys=(key_record(),),
        outcome=worst(parts) if chains else Outcome.UNDETERMINED,
        totals=totals or Totals(digest_files=DigestCounts(valid=24), log_files=LogCounts(valid=70)),
        chains=chains,
        findings=tuple(findings),
    )


def key_record() -> KeyRecord:
    """The public key that the run used."""
    return KeyRecord(
        region="us-east-1",
        fingerprint="d" * 32,
        sha256="e" * 64,
        not_before=DAY - timedelta(days=10),
        not_after=DAY + timedelta(days=20),
        fetched_at=WINDOW.end,
        origin="ListPublicKeys",
    )
