"""A record as a page: every question of an auditor answered, and strangers' names only text."""

from __future__ import annotations

import re
from datetime import timedelta
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from integrity.chain.evidence import EventRecord, EventWitness, Explanation, Fate, Original
from integrity.chain.findings import Finding, Outcome, Reason
from integrity.chain.model import ChainKind, TimeWindow
from integrity.record import (
    Acceptance,
    Acknowledged,
    Acknowledgement,
    ChainState,
    Head,
    LogCounts,
    Run,
    Totals,
    encode,
)
from integrity.report.exceptions import MOST_FINDINGS
from integrity.report.page import POLICY, QUESTIONS, render_page
from integrity.report.recorded import decode_record
from integrity.structs import replace
from tests.report.pages import Page, html_of, page_of
from tests.report.samples import ARN, DAY, HOUR, chain, digest_uri, finding, log_uri, run

LOG_FILE = EventWitness.LOG_FILE
CLEAN = run()
TAMPERED = run(
    replace(
        finding(Reason.LOG_HASH_MISMATCH, 3, s3_uri=log_uri(3)),
        expected="1" * 64,
        actual="2" * 64,
        version_id="v-7",
        last_modified=DAY + 9 * HOUR,
    ),
    finding(Reason.CHAIN_GAP, 7, detail="unexplained"),
    finding(Reason.DIGEST_FOREIGN, 9, s3_uri="s3://logs/x"),
    chains=(replace(chain(outcome=Outcome.INVALID), hours="PPPXPPPGPEPPPPPPPPPPPPMU.."),),
)

# Each of an auditor's questions, the words of its heading, and what answers it for TAMPERED.
ANSWERS = {
    "asked/proven": ("What was asked, and what is proven?", "2026-03-01T00:00:00Z to 2026-03-02"),
    "which hours not": ("Which hours are not proven?", "X invalid"),
    "why": ("Why not: what was found?", "log_hash_mismatch"),
    "who": ("Who verified, and who is behind what was found?", "assumed-role/audit/me"),
    "which keys": ("Which public keys vouch for it?", "d" * 32),
    "which tool": ("Which program judged, and how was it set?", "integrity 0.1.0"),
    "population": ("What should be there, who says so, and is all of it counted?", "Expected"),
    "what it does not prove": ("What does the verdict not prove?", "AWS itself"),
    "is the report itself intact": ("Is this report itself intact?", "names no predecessor"),
    "how do I check": ("How do I check it again?", "integrity verify --trail-arn"),
}


@pytest.mark.parametrize("question", ANSWERS)
def test_each_of_the_ten_questions_is_answered_below_its_own_heading(question: str) -> None:
    heading, answer = ANSWERS[question]
    page = page_of(TAMPERED)
    assert [words for tag, words in page.headings if tag == "h3"].count(heading) == 1
    assert answer in page.sections[heading]


def test_there_are_ten_and_the_verdict_and_the_periods_come_first() -> None:
    assert [heading for _, _, heading, _ in QUESTIONS] == [one for one, _ in ANSWERS.values()]
    text = page_of(TAMPERED).text
    places = [
        text.index(part) for part in ("INVALID", "Period asked", "Period proven", "Which hours")
    ]
    assert places[1:] == sorted(places[1:])
    assert text.index(f"Trail {ARN}INVALID") < places[1]


def section(page: Page, question: str) -> str:
    return page.sections[ANSWERS[question][0]]


def test_a_finding_is_told_with_all_that_the_record_has_of_it() -> None:
    why = section(page_of(TAMPERED), "why")
    for part in (
        log_uri(3),
        "2026-03-01T03:00:00Z to 2026-03-01T04:00:00Z",
        "1" * 64,
        "2" * 64,
        "v-7",
        "2026-03-01T09:00:00Z",
        "Next: leave the bucket as it is",
        "unexplained",
    ):
        assert part in why
    assert "First seen2026-03-02T00:00:00Z (by this run, which knows of no earlier one)" in why
    assert "acknowledged" in why


def test_the_gravest_findings_come_first_and_notes_are_notes() -> None:
    headings = [words for tag, words in page_of(TAMPERED).headings if tag == "h5"]
    assert [words.split(":")[0] for words in headings] == ["INVALID", "UNDETERMINED", "NOTE"]


def test_of_too_many_findings_the_others_are_counted() -> None:
    many = [finding(Reason.DIGEST_MISSING, s3_uri=digest_uri(n % 24)) for n in range(MOST_FINDINGS)]
    page = page_of(run(finding(Reason.CHAIN_GAP), *many, finding(Reason.LOG_MISSING, 9)))
    assert page.tags["article"] == MOST_FINDINGS
    why = section(page, "why")
    assert "And 1 more, in the record and in the CSV: 1 log_missing." in why
    assert "And 1 more, in the record and in the CSV: 1 chain_gap." in why


def test_a_clean_record_has_nothing_to_explain() -> None:
    page = page_of(CLEAN)
    assert "Nothing was found" in section(page, "why")
    assert "Every hour of every chain is proven." in section(page, "which hours not")
    assert "24 of 24 hours" in section(page, "asked/proven")


def test_hours_that_chains_share_are_one_line() -> None:
    hours = "P" * 20 + "M.." + "P"
    chains = [replace(chain(region), hours=hours) for region in ("eu-west-1", "us-east-1")]
    rows = page_of(run(chains=tuple(chains))).rows
    both = "111122223333 eu-west-1, 111122223333 us-east-1"
    start, end = "2026-03-01T20:00:00Z", "2026-03-01T21:00:00Z"
    assert ["M digest file missing", start, end, both, "2"] in rows


def test_no_chain_is_no_proof() -> None:
    page = page_of(run(finding(Reason.NO_DIGESTS), chains=(), totals=Totals()))
    assert "not one hour is proven" in section(page, "which hours not")
    assert "UNDETERMINED" in page.text


def test_the_counts_are_shown_as_sums() -> None:
    text = section(page_of(CLEAN), "population")
    assert "24 valid + 0 invalid + 0 undetermined = 24 expected" in text
    assert "70 valid + 0 invalid + 0 undetermined = 70 named by authentic digest files" in text
    unlisted = Totals(log_files=LogCounts(unattested=None, unreferenced=None, pending=None))
    text = section(page_of(run(totals=unlisted)), "population")
    assert "Log files that no digest file names were not looked for." in text


def test_what_narrowed_the_run_stands_beside_the_verdict_and_in_what_it_does_not_prove() -> None:
    page = page_of(run(account_ids=("111122223333",), unreferenced=False, allow_gaps=True))
    assert "narrowed to account 111122223333" in page.text.split("What was asked")[0]
    limits = section(page, "what it does not prove")
    assert "accounts other than 111122223333" in limits
    assert "slipped in were not looked for" in limits
    again = section(page, "how do I check")
    assert "--account-id 111122223333" in again
    assert "--no-unreferenced" in again
    assert "--allow-gaps" in again


def test_an_accepted_head_is_told() -> None:
    head = Head("s3://logs/old", DAY, "a" * 64, "b" * 8)
    accepted = Acceptance(
        account_id="111122223333",
        region="us-east-1",
        kind=ChainKind.STANDARD,
        old=head,
        new=replace(head, s3_uri="s3://logs/new"),
        lost=3,
        accepted_by="arn:aws:iam::111122223333:user/eve",
        reason="moved",
        accepted_at=DAY,
    )
    why = section(page_of(replace(CLEAN, accepted=(accepted,))), "why")
    for part in ("s3://logs/old", "s3://logs/new", "3 known digests", "user/eve", "moved"):
        assert part in why
    assert "None: nobody took" in section(page_of(CLEAN), "why")


def test_what_was_acknowledged_is_told_with_its_finding_and_in_a_list() -> None:
    judged, finding = TAMPERED.run.judged_at, TAMPERED.findings[0]
    given = Acknowledgement(
        by="arn:aws:iam::111122223333:user/<eve>", reason="<b>known</b>", at=DAY, until=judged
    )
    longer = replace(given, until=judged + (judged - DAY))
    known = Acknowledged(
        incident_id="3f2a9100c0de",
        reason=finding.reason,
        outcome=finding.outcome,
        account_id=finding.account_id,
        region=finding.region,
        window=finding.window,
        acknowledgements=(given, longer),
    )
    run_with = replace(TAMPERED, acknowledged=(known,) * 101)
    why = section(page_of(run_with), "why")
    assert why.count("Acknowledgement") == 1
    for part in ("3f2a9100c0de", "was quiet until", ", quiet until", "user/<eve>", "<b>known</b>"):
        assert part in why
    assert "<b>known" not in html_of(run_with)
    assert "And 1 more incidents" in why
    elsewhere = replace(known, region="eu-west-9")
    later = TimeWindow(finding.window.end, finding.window.end + (judged - DAY))
    apart = replace(known, window=later, acknowledgements=(replace(given, until=DAY),))
    why = section(page_of(replace(TAMPERED, acknowledged=(elsewhere, apart))), "why")
    assert "Acknowledgement" not in why
    assert "no longer acknowledged, says" in why
    assert "None: nobody had acknowledged" in section(page_of(CLEAN), "why")


def test_windows_that_were_looked_at_again_are_told() -> None:
    why = section(page_of(replace(CLEAN, looks=(TAMPERED,))), "why")
    assert "Windows of open incidents, looked at again (1)" in why
    assert "2026-03-01T00:00:00Z to 2026-03-02T00:00:00Z" in why


def test_the_event_that_ended_a_chain_is_told_with_its_actor() -> None:
    event = EventRecord(
        event_name="StopLogging", time=DAY, by="user/eve", event_id="e", s3_uri="s3://l", sha256="f"
    )
    ended = replace(chain(state=ChainState.ENDED), ended_at=DAY, ended_by=event)
    who = section(page_of(run(chains=(ended,))), "who")
    assert "StopLogging" in who
    assert "user/eve" in who


def test_events_that_explain_a_finding_stand_beside_it_and_with_who() -> None:
    event = EventRecord(
        event_name="StopLogging", time=DAY, by="user/eve", event_id="e", s3_uri="s3://l", sha256="f"
    )
    history = replace(event, s3_uri=None, sha256=None, witness=EventWitness.EVENT_HISTORY, by="")
    gap = finding(Reason.CHAIN_GAP)
    explained = Explanation(events=(event, history), asked=(LOG_FILE,))
    unexplained = Explanation(near=(event,), asked=tuple(EventWitness))
    page = page_of(
        run(
            replace(gap, explanation=explained),
            replace(gap, explanation=unexplained),
            gap,
        )
    )
    why, who = section(page, "why"), section(page, "who")
    assert "explained by StopLogging by user/eve at 2026-03-01T00:00:00Z (verified log" in why
    assert "unexplained by verified log files and the Event history; near it, and no expl" in why
    assert why.count("Explanation") == 2
    assert who.count("StopLogging") == 2
    assert "event_history" in who
    assert "Events that explain findings" not in section(page_of(CLEAN), "who")


def test_what_lay_there_before_stands_beside_a_finding() -> None:
    gone = finding(Reason.LOG_MISSING, s3_uri="s3://logs/gone")
    own = original("s3://logs/gone", version_id="v1")
    many = tuple(original(f"s3://logs/{number}", version_id="v2") for number in range(8))
    why = section(page_of(run(replace(gone, versions_tried=1, originals=(own, *many)))), "why")
    assert "v1, written 2026-03-01T00:00:00Z, deleted 2026-03-01T01:00:00Z" in why
    assert "v2 of s3://logs/0, written" in why
    assert "and 4 more, which the record has" in why
    tried = section(page_of(run(replace(gone, versions_tried=3))), "why")
    assert "none that verifies (3 tried)" in tried
    assert "none is left" in section(page_of(run(replace(gone, versions_tried=0))), "why")
    assert "Older versions" not in section(page_of(run(gone)), "why")


def test_the_record_names_its_predecessor_and_its_hash() -> None:
    named = replace(CLEAN, run=replace(CLEAN.run, previous_sha256="9" * 64))
    intact = section(page_of(named), "is the report itself intact")
    assert "this record names its predecessor: " + "9" * 64 in intact
    assert decode_record(encode(named)).sha256 in intact
    assert "NO" not in intact


def test_a_record_that_contradicts_itself_is_told() -> None:
    made_up = replace(TAMPERED, outcome=Outcome.VALID)
    intact = section(page_of(made_up), "is the report itself intact")
    assert "NO: its verdict is valid, and the worst of its parts is invalid" in intact
    reformatted = render_page([decode_record(encode(CLEAN) + b" ")])
    assert "NO: its bytes are not those" in Page(reformatted).text


def test_an_interrupted_run_says_so_beside_the_verdict() -> None:
    broken_off = replace(CLEAN, run=replace(CLEAN.run, interrupted=True))
    assert "The run was interrupted" in page_of(broken_off).text.split("What was asked")[0]


def test_several_records_are_one_page_with_a_section_each_and_ids_of_their_own() -> None:
    other = replace(TAMPERED, trail_arn=ARN.replace("main", "other"))
    page = page_of(CLEAN, other)
    assert len(page.ids) == len(set(page.ids))
    assert [tag for tag, _ in page.headings].count("h3") == 2 * 11
    assert "2 records: 1 valid, 1 invalid" in page.text
    links = {value for tag, name, value in page.attributes if (tag, name) == ("a", "href")}
    assert {link.removeprefix("#") for link in links} <= set(page.ids)


def test_a_trail_that_could_not_be_verified_is_not_passed_over() -> None:
    recorded = decode_record(encode(CLEAN))
    page = Page(render_page([recorded], unverified=[(ARN, "throttled")]))
    assert f"{ARN}: throttled" in page.text
    assert "UNDETERMINED: CloudTrail integrity report" in page.text


# What keeps it a page that loads nothing and that everybody can read


@pytest.mark.parametrize("record", [CLEAN, TAMPERED])
def test_nothing_is_loaded_and_nothing_runs(record: Run) -> None:
    html = html_of(record)
    page = Page(html)
    assert not {"script", "link", "img", "iframe", "object", "form", "base"} & set(page.tags)
    assert not [name for _, name, _ in page.attributes if name.startswith("on") or name == "src"]
    assert "://" not in re.sub(r"s3://", "", html)
    assert "@import" not in html
    assert set(re.findall(r"url\(([^)]*)\)", html)) <= {f"#p{letter}" for letter in "EGMXU"}
    assert ("meta", "content", POLICY) in page.attributes
    assert html.isascii()


def test_it_is_built_for_screen_readers() -> None:
    page = page_of(TAMPERED)
    for landmark in ("header", "nav", "main", "footer", "h1"):
        assert page.tags[landmark] == 1
    assert page.tags["caption"] == page.tags["table"] > 0
    scopes = [value for tag, name, value in page.attributes if (tag, name) == ("th", "scope")]
    assert len(scopes) == page.tags["th"]
    pictures = [value for tag, name, value in page.attributes if (tag, name) == ("svg", "role")]
    assert page.tags["desc"] == page.tags["title"] - 1 == len(pictures) > 0
    labels = [value for _, name, value in page.attributes if name == "aria-labelledby"]
    assert {part for label in labels for part in label.split()} <= set(page.ids)
    levels = [int(tag[1]) for tag, _ in page.headings]
    assert all(after - before <= 1 for before, after in pairwise(levels))


def test_the_same_record_is_the_same_page() -> None:
    assert html_of(TAMPERED) == html_of(TAMPERED)


# What strangers named

HOSTILE = [
    "<script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    "'; rm -rf / #",
    "\u202egpj.exe",
    "a\x00b\x1b[2Jc\nd",
    "</code></style><svg onload=alert(1)>",
    "\ud7ff\uffff\U0010ffff",
    "&lt;b&gt;&amp;",
]


def hand(text: str) -> EventRecord:
    return EventRecord(event_name=text, time=DAY, by=text, event_id=text, s3_uri=text, sha256=text)


def original(text: str, **changes: object) -> Original:
    made = Original(
        s3_uri=text, version_id=text, written_at=DAY, gone_at=DAY + HOUR, fate=Fate.DELETED
    )
    return replace(made, **changes)  # type: ignore[arg-type]


def named(text: str) -> Run:
    """A record in which a stranger chose every name that he could, and some that he could not."""
    bad: Finding = replace(
        finding(Reason.LOG_HASH_MISMATCH, s3_uri=text),
        account_id=text,
        region=text,
        version_id=text,
        expected=text,
        actual=text,
        detail=text,
        message=text,
        first=text,
        last=text,
        count=2,
        explanation=Explanation(events=(hand(text),), near=(hand(text),), asked=(LOG_FILE,)),
        versions_tried=1,
        originals=(original(text),),
    )
    part = replace(chain(outcome=Outcome.INVALID), account_id=text, region=text, root=text)
    record = run(bad, chains=(part,), trail_arn=text, account_ids=(text,), ignored=(text,))
    return replace(
        record,
        tool=replace(record.tool, name=text, version=text),
        run=replace(record.run, id=text, caller_arn=text, source=text, configuration_sha256=text),
        population=replace(record.population, method=(text,), notes=(text,), unasked=(text,)),
        keys=tuple(replace(key, region=text, fingerprint=text, origin=text) for key in record.keys),
    )


BENIGN = page_of(named("benign"))


@pytest.mark.parametrize("text", HOSTILE)
def test_hostile_names_stay_text(text: str) -> None:
    check_is_text(text)


@given(st.text(alphabet=st.characters(exclude_categories=["Cs"]), min_size=1, max_size=60))
def test_any_name_stays_text(text: str) -> None:
    check_is_text(text)


def check_is_text(text: str) -> None:
    html = html_of(named(text))
    page = Page(html)
    assert page.tags == BENIGN.tags
    assert [name for _, name, _ in page.attributes] == [name for _, name, _ in BENIGN.attributes]
    assert html.isascii()
    assert not page.open


def test_a_name_of_a_megabyte_is_bounded() -> None:
    page = html_of(named("<\u202e" * 500_000))
    assert len(page) < 200_000
    assert "1,000,000 characters in the record" in page


def test_a_command_cannot_be_slipped_in() -> None:
    again = section(page_of(named("x; rm -rf / #")), "how do I check")
    assert "--trail-arn 'x; rm -rf / #'" in again
    assert "--region 'x; rm -rf / #'" in again
    assert not re.search(r"(?<!')x; rm", again.split("AWS no longer knows")[0])


# Size


def test_a_quarter_of_340_chains_is_a_small_page() -> None:
    days = 90
    window = TimeWindow(DAY, DAY + timedelta(days=days))
    quiet = "PPPPPPEEEEEPPPPPPPPPPPPP" * days
    loud = "PXEMUGP." * (3 * days)
    for hours, findings, most in ((quiet, 0, 600_000), (loud, 1000, 2_000_000)):
        part = replace(chain(covered=(window,)), hours=hours)
        chains = [replace(part, account_id=f"{number:012}") for number in range(340)]
        found = [
            finding(Reason.LOG_MISSING, s3_uri=log_uri(number % 24)) for number in range(findings)
        ]
        record = run(*found, chains=tuple(chains), start=window.start, end=window.end)
        html = html_of(record)
        assert len(html) < most
        page = Page(html)
        assert page.text.count("000000000339 us-east-1") >= 1
