"""How trails stand: what of the state is told, as JSON, as text and as a page."""

from __future__ import annotations

import json
from datetime import timedelta

import pytest

from integrity.chain.findings import Outcome
from integrity.chain.known import KnownChain, KnownDigest
from integrity.chain.model import ChainId, ChainKind, Root, S3Location, TimeWindow
from integrity.chain.seal import Seal, SealedDay, SealedMonth
from integrity.report.recent import RecentHours
from integrity.report.standing import (
    PastStanding,
    Standing,
    TrailStanding,
    encode_standing,
    stand,
    window_of,
)
from integrity.report.standing_page import MOST_INCIDENTS, render_standing_page, render_trouble_page
from integrity.report.standing_text import render_standing
from integrity.state import Audience, Checkpoint, Incident, RunSummary, TrailState
from integrity.structs import replace
from tests.report.samples import ACCOUNT, ARN, DAY, HOUR, chain, run

NOW = DAY + timedelta(hours=10, minutes=21)
WINDOW = window_of(NOW, 0)
ROOT = Root("logs")
HEAD = KnownDigest(
    location=S3Location("logs", "newest"), end=DAY + 9 * HOUR, sha256="a" * 64, signature="b"
)


def known(region: str = "us-east-1", **changes: object) -> KnownChain:
    chain_id = ChainId(ROOT, ACCOUNT, region, "main", "us-east-1")
    whole = KnownChain(chain=chain_id, head=HEAD, attempted=NOW, verified=HEAD.end)
    return replace(whole, **changes)  # type: ignore[arg-type]


def incident(**changes: object) -> Incident:
    whole = Incident(
        id="0123456789ab",
        trail_arn=ARN,
        reason="log_missing",
        outcome=Outcome.INVALID,
        account_id=ACCOUNT,
        region="us-east-1",
        window=TimeWindow(DAY, DAY + HOUR),
        subjects=("s3://logs/x",),
        count=1,
        finding=None,
        first_seen=DAY + 2 * HOUR,
        last_seen=NOW,
        told=(Audience.SECURITY,),
        look_again=NOW,
    )
    return replace(whole, **changes)  # type: ignore[arg-type]


SUMMARY = RunSummary(
    run_id="r-1",
    started_at=NOW - HOUR,
    finished_at=NOW - HOUR,
    window=TimeWindow(DAY, NOW - HOUR),
    outcome=Outcome.VALID,
    findings=0,
    record_uri="file:///records/r-1.json",
    record_sha256="c" * 64,
)


def trail(
    *chains: KnownChain,
    incidents: tuple[Incident, ...] = (),
    newest: RunSummary | None = SUMMARY,
    recent: RecentHours | None = None,
    amiss: int = 0,
) -> TrailStanding:
    checkpoint = Checkpoint(
        trail_arn=ARN, attempted=NOW, chains=chains, record_sha256=None, record_uri=""
    )
    state = TrailState(version=1, checkpoint=checkpoint, incidents=incidents)
    return stand(ARN, state, newest, recent or RecentHours(), WINDOW, records_amiss=amiss)


def standing(*trails: TrailStanding, unsent: int = 0, dead: int = 0) -> Standing:
    return Standing(
        at=NOW,
        next_tick=NOW + HOUR,
        window=WINDOW,
        unsent=unsent,
        dead=dead,
        trails=trails,
    )


def recorded(letters: str, region: str = "us-east-1") -> RecentHours:
    recent = RecentHours()
    part = replace(chain(region), hours=letters)
    recent.add(run(chains=(part,), start=DAY, end=DAY + len(letters) * HOUR))
    return recent


def text(*trails: TrailStanding, unsent: int = 0, dead: int = 0) -> str:
    return "\n".join(render_standing(standing(*trails, unsent=unsent, dead=dead)))


def test_the_window_is_of_whole_days_and_the_hours_begun() -> None:
    assert window_of(NOW, 2) == TimeWindow(DAY - timedelta(days=2), DAY + 11 * HOUR)
    assert window_of(DAY, 0) == TimeWindow(DAY, DAY + HOUR)


def test_the_document_has_all_of_it() -> None:
    backfill = replace(known().chain, kind=ChainKind.BACKFILL)
    document = encode_standing(
        standing(
            trail(
                known("us-west-2", head=None, verified=None, lost=(HEAD, HEAD)),
                known(),
                known(chain=backfill),
                incidents=(incident(),),
                recent=recorded("PPX"),
                amiss=2,
            ),
            unsent=3,
            dead=1,
        )
    )
    told = json.loads(document)
    [one] = told.pop("trails")
    assert told == {
        "at": "2026-03-01T10:21:00Z",
        "next_tick": "2026-03-01T11:21:00Z",
        "window": {"start": "2026-03-01T00:00:00Z", "end": "2026-03-01T11:00:00Z"},
        "unsent": 3,
        "dead": 1,
    }
    assert (one["trail_arn"], one["records_amiss"]) == (ARN, 2)
    assert one["last_tick"]["record_uri"] == "file:///records/r-1.json"
    assert [
        (c["region"], c["kind"], c["proven_until"], c["newest_digest_end"], c["lost"], c["hours"])
        for c in one["chains"]
    ] == [
        ("us-east-1", "backfill", "2026-03-01T09:00:00Z", "2026-03-01T09:00:00Z", 0, ""),
        ("us-east-1", "standard", "2026-03-01T09:00:00Z", "2026-03-01T09:00:00Z", 0, "PPX????????"),
        ("us-west-2", "standard", None, None, 2, ""),
    ]
    assert one["incidents"][0]["told"] == ["security"]


def test_a_chain_that_only_records_know_is_told() -> None:
    """One that was expected, and of which no digest was ever there."""
    [one] = trail(recent=recorded("UU", "eu-west-1")).chains
    assert (one.region, one.proven_until, one.hours[:3]) == ("eu-west-1", None, "UU?")


def test_the_text_says_it_in_a_few_lines() -> None:
    told = text(
        trail(known(), known("us-west-2", verified=None, lost=(HEAD,)), recent=recorded("PP")),
        unsent=2,
        dead=1,
    ).splitlines()
    assert told == [
        "2026-03-01T10:21:00Z; next tick 2026-03-01T11:21:00Z; 2 messages waiting, 1 of them given "
        "up on (integrity outbox list)",
        "",
        f"Trail      {ARN}",
        "Last tick  2026-03-01T09:21:00Z, valid, 0 findings",
        "Proven     2 chains, up to 2026-03-01T09:00:00Z at least; nothing of 1",
        "Incidents  none open",
        "  111122223333 us-east-1           proven up to 2026-03-01T09:00:00Z  PP?????????",
        f"  111122223333 us-west-2           {'nothing proven':<33}    LOST 1",
    ]


def test_open_incidents_and_records_that_are_amiss_have_a_line() -> None:
    told = text(trail(known(), incidents=(incident(count=2),), amiss=1))
    assert "Records    1 of the last days gone, or not what was written" in told
    assert (
        "  0123456789ab  INVALID  log_missing  111122223333/us-east-1  "
        "2026-03-01T00:00:00Z/2026-03-01T01:00:00Z  2 objects  since 2026-03-01T02:00:00Z"
    ) in told


def test_a_trail_that_was_never_looked_at_says_so() -> None:
    state = TrailState(version=0, checkpoint=None, incidents=())
    fresh = stand(ARN, state, None, RecentHours(), WINDOW, records_amiss=0)
    told = text(fresh)
    assert "Last tick  none yet: nothing is known of this trail" in told
    assert "Proven     0 chains, nothing proven" in told
    page = render_standing_page(standing(fresh))
    assert "<title>UNDETERMINED: " in page
    assert "No record tells of them." in page


@pytest.mark.parametrize(
    ("outcome", "incidents", "worst"),
    [
        (Outcome.VALID, (), "VALID"),
        (Outcome.UNDETERMINED, (), "UNDETERMINED"),
        (Outcome.VALID, (incident(),), "INVALID"),
    ],
)
def test_the_page_is_named_after_the_worst(
    outcome: Outcome, incidents: tuple[Incident, ...], worst: str
) -> None:
    newest = replace(SUMMARY, outcome=outcome)
    bad = trail(known(), incidents=incidents, newest=newest)
    page = render_standing_page(standing(trail(known()), bad))
    assert f"<title>{worst}: CloudTrail integrity status</title>" in page


def test_what_strangers_named_stays_text_and_short() -> None:
    hostile = '<script>alert(1)</script>"\u202e' + "x" * 100_000
    chains = known(chain=replace(known().chain, account_id=hostile, region=hostile))
    many = tuple(incident(reason=hostile, region=hostile) for _ in range(MOST_INCIDENTS + 1))
    bad = replace(trail(chains, incidents=many, recent=recorded("P")), trail_arn=hostile)
    page = render_standing_page(standing(bad))
    assert "<script" not in page
    assert page.isascii()
    assert len(page) < 400_000
    assert f"the first {MOST_INCIDENTS} of {MOST_INCIDENTS + 1}" in page
    assert "\u202e" not in text(bad)


def test_trouble_has_a_page() -> None:
    page = render_trouble_page("<b>store")
    assert "&lt;b&gt;store" in page
    assert "<title>UNDETERMINED" in page


def month(days: str, *, listed: bool = True, read: bool = True) -> SealedMonth:
    """A month with a day for each letter, `s` for a sealed one."""
    sealed = tuple(
        SealedDay(
            day=DAY + number * 24 * HOUR,
            due=DAY,
            seal=Seal("", 1, 1) if letter == "s" else None,
            proven=NOW - number * HOUR if read else None,
        )
        for number, letter in enumerate(days)
    )
    return SealedMonth(
        account_id=ACCOUNT,
        region="us-east-1",
        month=DAY,
        days=sealed,
        listed=NOW if listed else None,
    )


def with_past(*months: SealedMonth) -> TrailStanding:
    late = known(chain=replace(known().chain, kind=ChainKind.BACKFILL))
    state = replace(EMPTY, checkpoint=replace(KEPT, chains=(known(), late)))
    return stand(ARN, state, None, RecentHours(), WINDOW, months=months, records_amiss=0)


KEPT = Checkpoint(trail_arn=ARN, attempted=NOW, chains=(), record_sha256=None, record_uri="")
EMPTY = TrailState(version=1, checkpoint=KEPT, incidents=())


def test_of_the_past_the_least_is_told() -> None:
    whole = with_past(month("ss"))
    [late, standard] = whole.chains
    assert late.past is None
    assert standard.past == PastStanding(
        days=2,
        sealed=2,
        first=DAY,
        last=DAY + 24 * HOUR,
        listed_since=NOW,
        read_since=NOW - HOUR,
    )
    line = next(one for one in render_standing(standing(whole)) if one.startswith("Past"))
    assert line == (
        "Past       2 of 2 days sealed, since 2026-03-01; all listed since 2026-03-01T10:21:00Z; "
        "all read since 2026-03-01T09:21:00Z"
    )
    assert "2 of 2 days sealed" in render_standing_page(standing(whole))


@pytest.mark.parametrize(
    ("months", "words"),
    [
        ([month("s-", read=False)], "1 of 2 days sealed, since 2026-03-01; all listed"),
        ([month("-", listed=False, read=False)], "not all listed yet; not all read yet"),
        ([month("s", listed=False), month("s")], "not all listed yet; all read since"),
    ],
)
def test_what_was_never_done_is_said(months: list[SealedMonth], words: str) -> None:
    lines = render_standing(standing(with_past(*months)))
    assert words in next(one for one in lines if one.startswith("Past"))


def test_without_a_watch_nothing_is_said_of_the_past() -> None:
    assert not any(one.startswith("Past") for one in render_standing(standing(with_past())))
