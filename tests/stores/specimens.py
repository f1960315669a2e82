"""Values of a size as real as wanted, to be kept."""

from __future__ import annotations

import hashlib
from datetime import UTC, datetime, timedelta

from integrity.chain.findings import Finding, Outcome, Place, Reason, find
from integrity.chain.known import KnownChain, KnownDigest
from integrity.chain.model import ChainId, ChainKind, Root, TimeWindow
from integrity.chain.names import digest_location
from integrity.chain.seal import Seal, SealedHours
from integrity.state import (
    Audience,
    Checkpoint,
    Commit,
    Incident,
    Letter,
    Message,
    RunSummary,
    Sighting,
    Step,
)

NOW = datetime(2026, 3, 5, 12, 20, tzinfo=UTC)
HOUR = timedelta(hours=1)
DAY = timedelta(days=1)
ARN = "arn:aws:cloudtrail:us-east-1:111122223333:trail/main"
OTHER_ARN = "arn:aws:cloudtrail:eu-central-1:444455556666:trail/other"


def sha256(*words: object) -> str:
    """As good as random: nothing compresses it more than hex."""
    return hashlib.sha256(repr(words).encode()).hexdigest()


def digest(chain: ChainId, end: datetime) -> KnownDigest:
    signature = "".join(sha256(chain, end, part) for part in range(8))
    return KnownDigest(
        location=digest_location(chain, end),
        end=end,
        sha256=sha256(chain, end),
        signature=signature,
        version_id=sha256("version", chain, end)[:32],
    )


def chain_id(number: int) -> ChainId:
    return ChainId(
        Root("audit-logs", "cloudtrail", "o-exampleorg1"),
        f"{111122223333 + number // 17:012d}",
        f"us-east-{number % 17 + 1}",
        "main",
        "us-east-1",
        ChainKind.STANDARD,
    )


def known_chain(number: int, recent: int, now: datetime = NOW) -> KnownChain:
    chain = chain_id(number)
    ends = [now.replace(minute=0) - HOUR * back for back in range(recent + 1)]
    digests = [digest(chain, end) for end in ends]
    return KnownChain(
        chain=chain,
        head=digests[0],
        recent=tuple(digests[1:]),
        lost=(),
        attempted=now,
        verified=ends[0],
        hours=SealedHours(
            start=now - 6 * HOUR,
            end=ends[0],
            written=now,
            seal=Seal(sha256("hours", number), 6, 72),
            apart=(sha256("apart")[:32],),
        ),
    )


def checkpoint(
    now: datetime = NOW, *, chains: int = 2, recent: int = 2, arn: str = ARN
) -> Checkpoint:
    return Checkpoint(
        trail_arn=arn,
        attempted=now,
        chains=tuple(known_chain(number, recent, now) for number in range(chains)),
        record_sha256=sha256("record", now),
        record_uri=f"s3://records/{now:%Y%m%dT%H%M%SZ}.json",
    )


def finding(number: int = 0) -> Finding:
    window = TimeWindow(NOW - HOUR, NOW)
    place = Place("111122223333", "us-east-1")
    uri = f"s3://audit-logs/AWSLogs/{number}"
    return find(Reason.LOG_MISSING, place, window, s3_uri=uri, expected=sha256(number))


def incident(
    name: str = "one",
    *,
    first_seen: datetime = NOW,
    resolved: datetime | None = None,
    detail: str = "",
    arn: str = ARN,
) -> Incident:
    return Incident(
        id=name,
        trail_arn=arn,
        reason="log_missing",
        outcome=Outcome.INVALID,
        account_id="111122223333",
        region="us-east-1",
        window=TimeWindow(NOW - HOUR, NOW),
        subjects=("s3://audit-logs/AWSLogs/1",),
        count=1,
        finding=finding(),
        detail=detail,
        first_seen=first_seen,
        last_seen=NOW,
        told=(Audience.SECURITY,),
        notified=NOW,
        look_again=NOW + DAY,
        resolved=resolved,
    )


def letter(
    name: str = "one", *, created_at: datetime = NOW, due: datetime = NOW, arn: str = ARN
) -> Letter:
    message = Message(
        id=f"message-{name}",
        trail_arn=arn,
        incident_id="one",
        audience=Audience.SECURITY,
        step=Step.OPENED,
        subject="INVALID: log file is gone",
        text="a log file is gone – “näher” …\n" * 20,
        facts={"outcome": "invalid", "count": 1, "window": {"start": "…", "end": None}, "l": [1.5]},
        created_at=created_at,
    )
    return Letter(id=name, message=message, destination="sns:topic", due=due)


def sighting(name: str = "one", *, seen_at: datetime = NOW, arn: str = ARN) -> Sighting:
    return Sighting(
        trail_arn=arn,
        event_id=name,
        event_name="ConsoleLogin",
        account_id="111122223333",
        region="us-east-1",
        time=seen_at - timedelta(minutes=5),
        seen_at=seen_at,
    )


def run_summary(name: str = "run-1", started_at: datetime = NOW) -> RunSummary:
    return RunSummary(
        run_id=name,
        started_at=started_at,
        finished_at=started_at + timedelta(seconds=40, microseconds=5),
        window=TimeWindow(started_at - HOUR, started_at),
        outcome=Outcome.INVALID,
        findings=1,
        record_uri=f"s3://records/{name}.json",
        record_sha256=sha256(name),
    )


def commit(
    version: int = 0,
    *,
    state: Checkpoint | None = None,
    incidents: tuple[Incident, ...] = (),
    letters: tuple[Letter, ...] = (),
    run: RunSummary | None = None,
    arn: str = ARN,
) -> Commit:
    return Commit(
        trail_arn=arn,
        version=version,
        checkpoint=state or checkpoint(arn=arn),
        incidents=incidents,
        letters=letters,
        run=run or run_summary(f"run-{version + 1}", NOW + HOUR * version),
    )
