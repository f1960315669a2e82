"""A record as text: the AWS CLI's words, the hours, the periods, and a last line that holds."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from integrity.chain.evidence import EventRecord, Explanation, FirstSeen, SeenOf
from integrity.chain.findings import CLAUSES, Finding, Outcome, Reason
from integrity.chain.fold import fold
from integrity.chain.model import ChainKind, S3Location, TimeWindow
from integrity.chain.words import WORDS
from integrity.record import (
    Acceptance,
    Acknowledged,
    Acknowledgement,
    ChainResult,
    ChainState,
    DigestCounts,
    Expected,
    Head,
    LogCounts,
    Population,
    Run,
    Totals,
    UnchangedHours,
)
from integrity.report.text import (
    MOST_CHAINS,
    MOST_FINDINGS,
    Style,
    render_header,
    render_run,
    render_summary,
    render_valid_digest,
    render_valid_log,
)
from integrity.structs import replace
from tests.chain.specimens import at
from tests.report.samples import (
    ACCOUNT,
    ARN,
    DAY,
    HOUR,
    WINDOW,
    chain,
    digest_uri,
    finding,
    hour,
    log_uri,
    run,
)

PLAIN = Style()


def lines_of(record: Run, style: Style = PLAIN, status: int | None = 1) -> list[str]:
    return render_run(record, style, status=status)


def text_of(record: Run, style: Style = PLAIN) -> str:
    return "\n".join(lines_of(record, style))


def verdict_of(record: Run, status: int | None = None) -> str:
    return lines_of(record, status=status)[-1]


def proven_of(record: Run, style: Style = PLAIN) -> list[str]:
    lines = lines_of(record, style)
    first = next(index for index, line in enumerate(lines) if line.startswith("Proven"))
    last = next(index for index, line in enumerate(lines) if line.startswith("Expected"))
    assert {line[:9].strip() for line in lines[first + 1 : last]} <= {"", "Unchanged"}
    return [line[11:] for line in lines[first:last]]


def test_the_header_is_the_aws_clis() -> None:
    assert render_header(ARN, run().requested, PLAIN) == [
        f"Validating log files for trail {ARN} "
        "between 2026-03-01T00:00:00Z and 2026-03-02T00:00:00Z",
        "",
    ]


def test_valid_files_are_told_in_the_aws_clis_words() -> None:
    digest = S3Location("logs", digest_uri(3).removeprefix("s3://logs/"))
    backfill = S3Location("logs", digest_uri(3, backfill=True).removeprefix("s3://logs/"))
    log = S3Location("logs", "AWSLogs/\x1b[2J.json.gz")
    assert render_valid_digest(digest) == f"Digest file\t{digest_uri(3)}\tvalid"
    assert render_valid_digest(backfill).startswith("(backfill) Digest file\ts3://")
    assert render_valid_log(log) == "Log file\ts3://logs/AWSLogs/\\x1b[2J.json.gz\tvalid"


DIGEST, LOG = digest_uri(5), log_uri(5)


@pytest.mark.parametrize(
    ("reason", "uri", "line"),
    [
        (Reason.DIGEST_MISSING, DIGEST, f"Digest file\t{DIGEST}\tINVALID: not found"),
        (Reason.DIGEST_MALFORMED, DIGEST, f"Digest file\t{DIGEST}\tINVALID: invalid format"),
        (
            Reason.DIGEST_MOVED,
            DIGEST,
            f"Digest file\t{DIGEST}\tINVALID: has been moved from its original location",
        ),
        (
            Reason.DIGEST_SIGNATURE_MISSING,
            DIGEST,
            f"Digest file\t{DIGEST}\tINVALID: signature verification failed",
        ),
        (
            Reason.DIGEST_SIGNATURE_INVALID,
            DIGEST,
            f"Digest file\t{DIGEST}\tINVALID: signature verification failed",
        ),
        (
            Reason.DIGEST_KEY_UNKNOWN,
            DIGEST,
            f"Digest file\t{DIGEST}\tINVALID: public key not found in region us-east-1 "
            "for fingerprint f1",
        ),
        (Reason.LOG_MISSING, LOG, f"Log file\t{LOG}\tINVALID: not found"),
        (Reason.LOG_HASH_MISMATCH, LOG, f"Log file\t{LOG}\tINVALID: hash value doesn't match"),
        (Reason.LOG_MALFORMED, LOG, f"Log file\t{LOG}\tINVALID: invalid format"),
        (
            Reason.LOG_TRAILING_DATA,
            LOG,
            f"Log file\t{LOG}\tINVALID: unexpected data after end of compressed stream",
        ),
        (
            Reason.DIGEST_MISSING,
            digest_uri(5, backfill=True),
            f"(backfill) Digest file\t{digest_uri(5, backfill=True)}\tINVALID: not found",
        ),
    ],
)
def test_a_finding_is_said_in_the_aws_clis_words(reason: Reason, uri: str, line: str) -> None:
    detail = "public key not found in region us-east-1 for fingerprint f1"
    assert lines_of(run(finding(reason, s3_uri=uri, detail=detail)))[0] == line


@pytest.mark.parametrize(
    ("found", "start"),
    [
        (
            finding(Reason.OBJECT_UNREADABLE, s3_uri=DIGEST),
            f"Digest file\t{DIGEST}\tUNDETERMINED: ",
        ),
        (finding(Reason.OBJECT_UNREADABLE, s3_uri=LOG), f"Log file\t{LOG}\tUNDETERMINED: "),
        (finding(Reason.DIGEST_FOREIGN, s3_uri=LOG), f"Object\t{LOG}\tNOTE: "),
        (
            finding(Reason.LOG_UNREFERENCED, s3_uri="s3://b/x/CloudTrail-Digest/y"),
            "Log file\ts3://b/x/CloudTrail-Digest/y\tUNDETERMINED: ",
        ),
        (
            finding(Reason.NO_DIGESTS),
            f"Chain\taccount {ACCOUNT}, region us-east-1\tUNDETERMINED: No digests found",
        ),
        (finding(Reason.TRAIL_OFF), f"Trail\t{ARN}\tUNDETERMINED: "),
    ],
)
def test_a_finding_names_its_subject(found: Finding, start: str) -> None:
    assert lines_of(run(found))[0].startswith(start)


@pytest.mark.parametrize("reason", Reason)
def test_every_finding_says_where_which_hour_and_what_to_do_next(reason: Reason) -> None:
    found = finding(reason, s3_uri=DIGEST, detail="because of a test")
    first, second, blank = lines_of(run(found))[:3]
    assert first.split("\t")[1] == DIGEST
    assert WORDS[reason] in first or reason is Reason.DIGEST_KEY_UNKNOWN
    assert f"{CLAUSES[reason].what} (account {ACCOUNT}, region us-east-1), " in second
    assert "2026-03-01T05:00:00Z to 2026-03-01T06:00:00Z" in second
    assert "because of a test" in second
    assert f"Next: {CLAUSES[reason].next_step}." in second
    assert second.startswith("  ")
    assert DIGEST not in second
    assert blank == ""


def test_who_did_it_and_what_lay_there_before_stand_below_a_finding() -> None:
    event = EventRecord(event_name="StopLogging", time=at(0), by="user/\u202eeve", event_id="e")
    gap = finding(Reason.CHAIN_GAP)
    told = replace(gap, explanation=Explanation(events=(event,)), versions_tried=2)
    shown = lines_of(run(told))
    assert (
        "  Explained by StopLogging by user/\\u202eeve at 2026-03-01T00:00:00Z (verified log "
        in ("\n".join(shown))
    )
    assert "  No older version verifies (2 tried)" in shown
    assert not [line for line in lines_of(run(gap)) if "xplained" in line or "version" in line]


def test_another_zone_shows_the_hour_in_it_and_leaves_the_finding_as_recorded() -> None:
    tokyo = Style(zone=ZoneInfo("Asia/Tokyo"))
    text = text_of(run(finding(Reason.LOG_MISSING, s3_uri=LOG)), tokyo)
    assert "  2026-03-01T14:00:00+09:00 to 2026-03-01T15:00:00+09:00: log file is gone" in text
    assert "2026-03-01T05:00:00Z to 2026-03-01T06:00:00Z" in text
    assert "Asked for  2026-03-01T09:00:00+09:00 to 2026-03-02T09:00:00+09:00" in text
    london = Style(zone=ZoneInfo("Europe/London"))
    assert "2026-03-01T00:00:00+00:00" in render_header(ARN, run().requested, london)[0]


def test_what_is_worse_comes_first_and_of_one_kind_what_was_earlier() -> None:
    later = finding(Reason.LOG_MISSING, s3_uri=LOG)
    earlier = TimeWindow(later.window.start - HOUR, later.window.end - HOUR)
    lines = lines_of(
        run(
            finding(Reason.DIGEST_FOREIGN, s3_uri="s3://logs/note"),
            finding(Reason.LOG_UNREFERENCED, s3_uri="s3://logs/undetermined"),
            later,
            replace(later, s3_uri="s3://logs/earlier", window=earlier),
        )
    )
    assert [line.split("\t")[1] for line in lines if "\t" in line] == [
        "s3://logs/earlier",
        LOG,
        "s3://logs/undetermined",
        "s3://logs/note",
    ]


def test_of_many_alike_the_first_are_shown_and_the_others_counted() -> None:
    many = [
        finding(Reason.LOG_MISSING, s3_uri=f"{LOG}{index}") for index in range(MOST_FINDINGS + 3)
    ]
    other = finding(Reason.LOG_HASH_MISMATCH, s3_uri=LOG)
    elsewhere = [replace(found, region="eu-west-1") for found in many[:MOST_FINDINGS]]
    record = run(*many, other, *elsewhere)
    text = text_of(record)
    assert text.count("Log file\t") == MOST_FINDINGS + 1 + MOST_FINDINGS
    assert text.count("and 3 more like this (see --verbose or --format json)") == 1
    verbose = text_of(record, Style(verbose=True))
    assert verbose.count("Log file\t") == len(many) + 1 + len(elsewhere)
    assert "more like this" not in verbose


@pytest.mark.parametrize(
    ("reason", "uri", "kind"),
    [
        (Reason.LOG_MISSING, LOG, "Log files"),
        (Reason.DIGEST_MISSING, DIGEST, "Digest files"),
        (Reason.OBJECT_UNREADABLE, LOG, "Log files"),
        (Reason.OBJECT_UNREADABLE, DIGEST, "Digest files"),
    ],
)
def test_a_folded_finding_says_how_many_it_stands_for(reason: Reason, uri: str, kind: str) -> None:
    folded = fold([finding(reason, s3_uri=uri) for _ in range(5)], most=4)
    first, second = lines_of(run(*folded))[:2]
    assert first.startswith(f"{kind}\t5 in account {ACCOUNT}, region us-east-1\t")
    assert f"5 of them, {uri} to {uri}" in second


def test_a_chain_that_is_found_wanting_many_times_is_still_a_chain() -> None:
    (folded,) = fold([finding(Reason.CHAIN_GAP) for _ in range(5)], most=4)
    assert lines_of(run(folded))[0].startswith(f"Chain\taccount {ACCOUNT}, region us-east-1\t")


def test_hostile_names_stay_on_their_line() -> None:
    hostile = "s3://logs/\x1b[2J\nVALID: all is well\u202e"
    names = replace(
        run(
            replace(finding(Reason.DIGEST_FOREIGN, s3_uri=hostile, detail=hostile), region=hostile),
            replace(finding(Reason.LOG_MISSING, s3_uri=hostile), account_id=hostile),
            finding(Reason.DIGEST_KEY_UNKNOWN, s3_uri=hostile, detail=hostile),
            replace(finding(Reason.NO_DIGESTS), account_id=hostile),
            finding(Reason.TRAIL_OFF),
            chains=(
                replace(
                    chain(outcome=Outcome.INVALID), account_id=hostile, region=hostile, root=hostile
                ),
            ),
            account_ids=(hostile,),
            source_regions=(hostile,),
            ignored=(hostile,),
        ),
        trail_arn=hostile,
    )
    names = replace(
        names,
        population=Population((hostile,), Expected(1, 1), Expected(1, 1), (hostile,)),
        keys=tuple(
            replace(key, region=hostile, fingerprint=hostile, origin=hostile) for key in names.keys
        ),
        run=replace(names.run, id=hostile, caller_arn=hostile, source=hostile),
    )
    style = Style(verbose=True)
    lines = render_header(hostile, names.requested, style) + lines_of(names, style)
    lines.append(render_summary([names, names], style, status=1))
    assert all(line.replace("\t", " ").isprintable() and line.isascii() for line in lines)
    assert not any(line.startswith("VALID") for line in lines)


def test_ratios_are_the_aws_clis_and_only_where_there_is_something_to_count() -> None:
    totals = Totals(
        DigestCounts(valid=23, invalid=1),
        DigestCounts(valid=1, undetermined=2),
        LogCounts(valid=70, invalid=1, undetermined=3),
    )
    lines = lines_of(run(totals=totals))
    at = lines.index("23/24 digest files valid, 1/24 digest files INVALID")
    assert lines[at - 1] == ""
    assert lines[at + 1 : at + 3] == [
        "1/3 backfill digest files valid, 2/3 backfill digest files UNDETERMINED",
        "70/74 log files valid, 1/74 log files INVALID, 3/74 log files UNDETERMINED",
    ]
    assert "backfill" not in text_of(run())
    assert "0/0" not in text_of(run(totals=Totals()))


def test_log_files_that_nobody_vouches_for_are_counted_beside() -> None:
    totals = Totals(log_files=LogCounts(valid=1, unattested=3, unreferenced=1, pending=2))
    text = text_of(run(totals=totals))
    assert "3 log files UNATTESTED" in text
    assert "1 log file UNREFERENCED" in text
    assert "2 log files pending" in text
    for word in ("UNATTESTED", "UNREFERENCED", "pending"):
        assert word not in text_of(run())


def test_not_having_looked_for_unreferenced_log_files_is_said() -> None:
    totals = Totals(log_files=LogCounts(valid=1, unattested=None, unreferenced=None, pending=None))
    assert "were not looked for (--no-unreferenced)" in text_of(run(totals=totals))


def test_chains_wholly_proven_share_one_line() -> None:
    record = run(chains=(chain("us-east-1"), chain("eu-west-1"), chain("ap-south-1")))
    assert proven_of(record) == ["all of it, in 3 chains"]
    assert proven_of(run()) == ["all of it, in 1 chain"]


def test_chains_whose_next_digest_is_not_due_share_one_line() -> None:
    until = WINDOW.end - HOUR
    one = chain("us-east-1", covered=(TimeWindow(DAY - HOUR, until),))
    assert proven_of(run(chains=(one,))) == [
        "2026-03-01T00:00:00Z to 2026-03-01T23:00:00Z, in 1 chain: "
        "everything that exists and is due"
    ]
    other = chain("eu-west-1", covered=(TimeWindow(DAY, until - timedelta(minutes=20)),))
    begun = chain("eu-west-2", covered=(TimeWindow(DAY + 2 * HOUR, until),), state=ChainState.NEW)
    assert proven_of(run(chains=(one, other, begun))) == [
        "at least 2026-03-01T02:00:00Z to 2026-03-01T22:40:00Z, in 3 chains: "
        "everything that exists and is due"
    ]


def unread(*covered: TimeWindow, region: str = "us-east-1", until: int = 20) -> ChainResult:
    """A chain of which the day's first hours were not read again."""
    hours = UnchangedHours(DAY, DAY + until * HOUR, digest_files=until, log_files=1)
    one = replace(chain(region, covered=covered), unchanged=hours)
    return one if covered else replace(one, digest_files=DigestCounts(), log_files=LogCounts())


def test_what_was_not_read_again_has_a_line() -> None:
    news = TimeWindow(DAY + 20 * HOUR, DAY + 21 * HOUR)
    assert proven_of(run(chains=(unread(news), unread(region="eu-west-1")))) == [
        "2026-03-01T20:00:00Z to 2026-03-01T21:00:00Z, in 1 chain: everything that exists and is "
        "due",
        "2026-03-01T00:00:00Z to 2026-03-01T20:00:00Z, in 2 chains: 40 digest files and 2 log "
        "files are listed as when an earlier run proved them, and were not read again",
    ]


def test_where_nothing_has_come_since_nothing_new_is_proven() -> None:
    record = run(chains=(unread(), unread(region="eu-west-1", until=19)), totals=Totals())
    assert proven_of(record) == [
        "nothing: no digest file has come since an earlier run",
        "at least 2026-03-01T00:00:00Z to 2026-03-01T19:00:00Z, in 2 chains: 39 digest files and "
        "2 log files are listed as when an earlier run proved them, and were not read again",
    ]


def test_a_chain_that_is_not_wholly_proven_has_a_line_of_its_own() -> None:
    holes = (TimeWindow(DAY, DAY + 4 * HOUR), TimeWindow(DAY + 7 * HOUR, WINDOW.end + HOUR))
    record = run(
        chains=(
            chain("us-east-1"),
            chain("eu-west-1", outcome=Outcome.INVALID, covered=holes),
            chain("eu-west-2", outcome=Outcome.UNDETERMINED, covered=()),
            chain("eu-west-3", outcome=Outcome.INVALID, log_files=LogCounts(valid=1, invalid=1)),
        )
    )
    name = f"account {ACCOUNT}, region {{}} (s3://logs/AWSLogs): "
    assert proven_of(record) == [
        "all of it, in 1 chain",
        name.format("eu-west-1") + "2026-03-01T00:00:00Z to 2026-03-01T04:00:00Z, "
        "2026-03-01T07:00:00Z to 2026-03-02T00:00:00Z",
        name.format("eu-west-2") + "nothing",
        name.format("eu-west-3") + "2026-03-01T00:00:00Z to 2026-03-02T00:00:00Z, "
        "without the log files that findings name",
    ]


def test_many_intervals_and_many_chains_are_cut_short_and_counted() -> None:
    pieces = tuple(hour(number) for number in range(0, 20, 2))
    broken = [
        chain(f"eu-west-{number}", outcome=Outcome.INVALID, covered=pieces)
        for number in range(MOST_CHAINS + 2)
    ]
    lines = proven_of(run(chains=tuple(broken)))
    assert lines[0].endswith("and 4 more periods (see --format json)")
    assert len(lines) == MOST_CHAINS + 1
    assert lines[-1] == "and 2 more chains not wholly proven (see --format json)"
    assert len(proven_of(run(chains=tuple(broken)), Style(verbose=True))) == len(broken)


def test_a_chain_that_ended_is_listed_with_its_end() -> None:
    earlier = TimeWindow(DAY - 5 * HOUR, DAY - 2 * HOUR)
    ended = chain("eu-west-1", state=ChainState.ENDED, covered=(earlier,))
    never = chain("eu-west-2", state=ChainState.ENDED, covered=())
    ended = replace(ended, ended_at=earlier.end)
    lines = proven_of(run(chains=(chain(), ended, never)))
    assert lines[1].endswith(": ended at 2026-02-28T22:00:00Z, before what was asked for")
    assert lines[2].endswith(": ended, before what was asked for")


def test_backfill_chains_cover_no_time() -> None:
    backfill = chain("eu-west-1", kind=ChainKind.BACKFILL, covered=(), outcome=Outcome.INVALID)
    assert proven_of(run(chains=(chain(), backfill))) == ["all of it, in 1 chain"]


@pytest.mark.parametrize(
    ("totals", "why"),
    [
        (Totals(), "No digests found"),
        (Totals(digest_files=DigestCounts(invalid=2)), "No valid digests found in range"),
        (Totals(backfill_digest_files=DigestCounts(valid=2)), "no digest files cover it"),
    ],
)
def test_nothing_proven_is_said_in_the_aws_clis_words(totals: Totals, why: str) -> None:
    assert proven_of(run(chains=(), totals=totals)) == [f"nothing: {why}"]


def test_population_keys_and_judge_are_named() -> None:
    record = replace(
        run(),
        population=Population(
            ("bucket", "trail_status"),
            Expected(2, 1),
            Expected(17, 16),
            ("organizations:ListAccounts is not allowed: allow it",),
        ),
    )
    lines = lines_of(record)
    assert (
        "Expected   17 chains in 2 accounts; found 16 in 1 (asked: bucket, trail_status)" in lines
    )
    assert "           organizations:ListAccounts is not allowed: allow it" in lines
    assert "Keys       1 from ListPublicKeys" in lines
    judged = next(line for line in lines if line.startswith("Judged"))
    assert "2026-03-02T00:00:00Z from s3 as arn:aws:sts::" in judged
    assert "integrity 0.1.0, run r-1" in judged
    nobody = replace(record, run=replace(record.run, caller_arn=None), keys=())
    assert "Keys       no public key was used" in lines_of(nobody)
    assert " as arn" not in text_of(nobody)


def test_what_was_accepted_is_told_with_who_and_why() -> None:
    head = Head(digest_uri(5), at(5), "ab" * 32, "cd" * 256)
    accepted = Acceptance(
        account_id="111122223333",
        region="us-east-1",
        kind=ChainKind.STANDARD,
        old=head,
        new=None,
        lost=2,
        accepted_by="an ARN",
        reason="moved\nthe bucket",
        accepted_at=at(30),
    )
    lines = lines_of(replace(run(), accepted=(accepted, replace(accepted, new=head, lost=1))))

    told = [line for line in lines if line.startswith("Accepted")]
    assert told == [
        "Accepted   111122223333 us-east-1, standard: 2 known digests gone or changed, the newest "
        f"{digest_uri(5)}; the head is now nothing; by an ARN at 2026-03-02T06:00:00Z: "
        "moved\\nthe bucket",
        "Accepted   111122223333 us-east-1, standard: 1 known digest gone or changed, the newest "
        f"{digest_uri(5)}; the head is now {digest_uri(5)}; by an ARN at 2026-03-02T06:00:00Z: "
        "moved\\nthe bucket",
    ]


def test_verbose_names_each_key_with_its_validity() -> None:
    line = f"us-east-1 {'d' * 32}, valid 2026-02-19T00:00:00Z to 2026-03-21T00:00:00Z"
    assert line in text_of(run(), Style(verbose=True))
    assert line not in text_of(run())


def test_the_last_line_is_the_verdict_what_it_means_and_the_exit_status() -> None:
    assert verdict_of(run(), 0).startswith("VALID: every digest file expected is there")
    assert verdict_of(run(), 0).endswith("(exit status 0)")
    invalid = verdict_of(run(finding(Reason.LOG_MISSING, s3_uri=LOG)), 1)
    assert invalid.startswith("INVALID: files of this trail were changed, removed")
    undetermined = verdict_of(run(finding(Reason.CHAIN_GAP)), 3)
    assert undetermined.startswith("UNDETERMINED: part of what was asked for could not be proven")
    assert undetermined.endswith("(exit status 3)")
    assert verdict_of(run(chains=(), totals=Totals())).startswith(
        "UNDETERMINED: nothing was there to be verified"
    )
    assert "exit status" not in verdict_of(run(), None)


def test_gaps_that_are_allowed_are_named_as_forgiven() -> None:
    record = run(
        finding(Reason.CHAIN_GAP), chains=(chain(outcome=Outcome.UNDETERMINED),), allow_gaps=True
    )
    assert "forgiven by --allow-gaps" in verdict_of(record, 0)
    assert verdict_of(record, 0).startswith("UNDETERMINED: ")


@pytest.mark.parametrize(
    ("narrowed", "words"),
    [
        ({"account_ids": (ACCOUNT,)}, f"narrowed to account {ACCOUNT}"),
        (
            {"account_ids": ("1", "2"), "source_regions": ("us-east-1",)},
            "narrowed to accounts 1, 2 and to source region us-east-1",
        ),
        ({"source_regions": ("a", "b")}, "narrowed to source regions a, b"),
        ({"ignored": ("1/us-east-1",)}, "narrowed by ignoring 1/us-east-1"),
    ],
)
def test_a_narrowed_run_says_so_in_its_first_and_last_line(
    narrowed: dict[str, Any], words: str
) -> None:
    record = run(**narrowed)
    assert render_header(ARN, record.requested, PLAIN)[0].endswith(f", {words}")
    assert f"VALID, {words}, which says nothing about the rest of the trail: " in verdict_of(record)
    assert f"2 trails, {words}: 2 VALID" in render_summary([record, record], PLAIN, status=0)
    assert "narrowed" not in text_of(run())


def test_several_trails_end_in_one_summary() -> None:
    runs = [run(), run(finding(Reason.LOG_MISSING, s3_uri=LOG)), run(finding(Reason.CHAIN_GAP))]
    assert render_summary(runs, PLAIN, status=1) == (
        "3 trails: 1 INVALID, 1 UNDETERMINED, 1 VALID (exit status 1)"
    )
    assert render_summary([], PLAIN, status=3) == "0 trails (exit status 3)"


def test_colour_is_laid_on_the_words_of_an_outcome_alone() -> None:
    def paint(outcome: Outcome, text: str) -> str:
        return f"<{outcome}>{text}</>"

    style = Style(paint=paint)
    lines = lines_of(run(finding(Reason.LOG_MISSING, s3_uri=LOG)), style)
    assert lines[0] == f"Log file\t{LOG}\t<invalid>INVALID: not found</>"
    assert lines[-1].startswith("<invalid>INVALID</>: ")
    assert sum("<" in line for line in lines) == 2
    assert "<valid>1 VALID</>" in render_summary([run()], style, status=0)


def test_since_when_a_finding_is_known_is_told_and_who_says_so() -> None:
    alone = finding(Reason.DIGEST_FOREIGN, s3_uri=digest_uri(5))
    own = replace(finding(Reason.LOG_MISSING), first_seen=FirstSeen(at(3), SeenOf.FINDING))
    gap = replace(finding(Reason.CHAIN_GAP), first_seen=FirstSeen(at(2), SeenOf.INCIDENT))
    nobody = "first seen 2026-03-02T00:00:00Z (by this run, which knows of no earlier one)"
    told = [line for line in lines_of(run(own, gap, alone)) if "irst seen" in line]
    assert told == [
        "  First seen 2026-03-01T03:00:00Z",
        "  First seen 2026-03-01T02:00:00Z (its incident; this finding may have joined it later)",
        f"           other findings {nobody}",
    ]
    told = [line for line in lines_of(run(alone)) if "irst seen" in line]
    assert told == [f"           findings {nobody}"]
    assert not [line for line in lines_of(run(own)) if nobody in line]
    assert not [line for line in lines_of(run()) if nobody in line]


def test_what_was_acknowledged_is_told_with_who_and_why() -> None:
    given = Acknowledgement(by="an ARN", reason="known\nto us", at=at(5), until=at(300))
    known = Acknowledged(
        incident_id="3f2a9100c0de",
        reason="log_missing",
        outcome=Outcome.INVALID,
        account_id="111122223333",
        region="us-east-1",
        window=TimeWindow(at(5), at(6)),
        acknowledgements=(replace(given, reason="older"), given),
    )
    [line] = [
        line for line in lines_of(replace(run(), acknowledged=(known,))) if line.startswith("Known")
    ]
    assert line == (
        "Known      log_missing 111122223333 us-east-1: acknowledged by an ARN at "
        "2026-03-01T05:00:00Z, quiet until 2026-03-13T12:00:00Z: known\\nto us"
    )
