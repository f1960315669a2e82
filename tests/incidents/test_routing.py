"""Whom a reason concerns, and after how much patience: every line of the table."""

from __future__ import annotations

from datetime import timedelta

import pytest

from integrity.chain.findings import CLAUSES, Finding, Outcome, Reason
from integrity.chain.model import ChainKind
from integrity.chain.trouble import REWRITTEN
from integrity.incidents.policy import Policy
from integrity.incidents.tick import Notice, Remark
from integrity.record import ChainState, LogCounts
from integrity.state import Audience
from integrity.structs import replace
from tests.incidents.story import (
    ACCOUNT,
    DAY,
    REGION,
    Heard,
    Story,
    chain,
    digest_uri,
    found,
    hours,
    log_uri,
    run,
)

AT_ONCE = {
    *(reason for reason, clause in CLAUSES.items() if clause.outcome is Outcome.INVALID),
    Reason.TRAIL_OFF,
    Reason.CHAIN_GAP,
    Reason.LIMIT_EXCEEDED,
}
SECOND_TICK = {Reason.HEAD_STALE, Reason.NO_DIGESTS}
THIRD_TICK = {
    Reason.OBJECT_UNREADABLE,
    Reason.KEYS_UNAVAILABLE,
    Reason.ALGORITHM_UNSUPPORTED,
    Reason.DIGEST_LATE,
    Reason.DIGEST_UNPROVEN,
}
NOTED = {Reason.OBJECT_EXPIRED, Reason.EVENT_UNCONFIRMED}
NOTES = {Reason.DIGEST_FOREIGN}
A_DAY_LATER = {Reason.LOG_UNREFERENCED}


def test_every_reason_is_routed_once() -> None:
    groups = [AT_ONCE, SECOND_TICK, THIRD_TICK, NOTED, NOTES, A_DAY_LATER]
    assert sorted(reason for group in groups for reason in group) == sorted(Reason)
    assert len(AT_ONCE) == 16


@pytest.mark.parametrize("reason", Reason)
def test_a_reason_is_told_to_its_audience_when_its_patience_is_over(reason: Reason) -> None:
    story = Story()
    old = hours(-24 * 100) if reason in NOTED else hours(20)
    told: list[list[Heard]] = [story.tick(found(reason, old, uri=log_uri())) for _ in range(30)]
    first = next((number for number, heard in enumerate(told) if heard), None)
    everything = [heard for tick in told for heard in tick]

    operations = THIRD_TICK | {Reason.OBJECT_EXPIRED}
    audience = "operations" if reason in operations else "security"
    opened = (audience, "noted" if reason in NOTED else "opened", reason.value)
    reminded = (audience, "reminded", reason.value)
    if reason in NOTES:
        assert everything == []
        return
    if reason in AT_ONCE | NOTED:
        assert first == 0
    elif reason in SECOND_TICK:
        assert first == 1
    elif reason in THIRD_TICK:
        assert first == 2
    else:
        assert story.messages[0].created_at >= hours(20).end + DAY
        assert first == 21  # the first tick after 21:00 of the next day
    assert everything[0] == opened
    assert everything[1:] in ([], [reminded])
    assert (reason in NOTED) <= (everything == [opened])


@pytest.mark.parametrize("reason", Reason)
def test_a_note_concerns_nobody(reason: Reason) -> None:
    story = Story()
    for _ in range(5):
        assert story.tick(found(reason, outcome=Outcome.VALID, uri=log_uri())) == []
    assert story.open == {}


@pytest.mark.parametrize("reason", sorted(SECOND_TICK | THIRD_TICK))
def test_patience_counts_ticks_in_a_row(reason: Reason) -> None:
    story = Story()
    finding = found(reason, hours(20), uri=log_uri())
    told = []
    for _ in range(4):
        told += story.tick(finding)
        told += story.tick()
    assert told == []
    assert story.open == {}


@pytest.mark.parametrize("reason", sorted(SECOND_TICK | THIRD_TICK))
def test_the_numbers_are_configuration(reason: Reason) -> None:
    story = Story(Policy(head_ticks=1, trouble_ticks=1))
    assert len(story.tick(found(reason, uri=log_uri()))) == 1


def test_an_audience_can_be_replaced_and_patience_stays() -> None:
    both = (Audience.SECURITY, Audience.OPERATIONS)
    policy = Policy(audiences={"keys_unavailable": both, "log_missing": ()})
    story = Story(policy)
    findings = [found(Reason.KEYS_UNAVAILABLE), found(Reason.LOG_MISSING, uri=log_uri())]

    assert story.tick(*findings) == []
    assert story.tick(*findings) == []
    assert story.tick(*findings) == [
        ("security", "opened", "keys_unavailable"),
        ("operations", "opened", "keys_unavailable"),
    ]
    assert len(story.open) == 2


# A throttled or denied night


def denied(number: int, uri: str) -> Finding:
    return found(Reason.OBJECT_UNREADABLE, hours(number), uri=uri, detail="access denied")


def test_a_denied_night_wakes_nobody_from_security() -> None:
    story, told = Story(), []
    for tick in range(12):
        told += story.tick(
            *(denied(number, log_uri(number)) for number in range(tick, tick + 24)),
            *(denied(number, f"{log_uri(number)}; {REWRITTEN}") for number in (3, 4)),
        )
    told += story.tick()
    told += story.tick(looks=[run(look.window, look=True) for look in story.looks()])
    assert told == [
        ("operations", "opened", "object_unreadable"),
        ("operations", "resolved", "object_unreadable"),
    ]
    assert story.open == {}


def test_a_throttled_night_with_readable_neighbours_wakes_nobody_from_security() -> None:
    story, told = Story(), []
    for tick in range(30):
        readable = chain(letters="P" * 26)
        told += story.tick(denied(tick, log_uri(tick)), chains=[readable])
    assert told == [
        ("operations", "opened", "object_unreadable"),
        ("operations", "reminded", "object_unreadable"),
    ]


def test_keys_that_fail_in_every_region_are_one_message() -> None:
    story, told = Story(), []
    for _ in range(3):
        told += story.tick(
            *(found(Reason.KEYS_UNAVAILABLE, region=f"eu-west-{number}") for number in range(17))
        )
    assert told == [("operations", "opened", "keys_unavailable")]
    assert len(story.open) == 17
    assert len(story.messages[0].facts["incident_ids"]) == 17  # type: ignore[arg-type]
    assert "17 regions" in story.messages[0].subject


# Objects that are hidden


@pytest.mark.parametrize("uri", [log_uri(), digest_uri()])
def test_a_single_object_that_stays_unreadable_beside_readable_ones_is_for_security(
    uri: str,
) -> None:
    story, told = Story(), []
    for _ in range(26):
        told += story.tick(denied(23, uri), chains=[chain(letters="P" * 26)])
    assert told[:1] == [("operations", "opened", "object_unreadable")]
    assert ("security", "opened", "object_unreadable") in told
    assert story.messages[1].created_at - story.messages[0].created_at >= timedelta(hours=22)


def test_a_digest_is_beside_readable_ones_where_the_hours_are_empty() -> None:
    for uri, security in ((digest_uri(), True), (log_uri(), False)):
        story, told = Story(), []
        for _ in range(26):
            told += story.tick(denied(23, uri), chains=[chain(letters="E" * 26)])
        assert (("security", "opened", "object_unreadable") in told) is security


@pytest.mark.parametrize(
    "finding",
    [
        denied(23, "s3://logs/AWSLogs/1/CloudTrail/us-east-1/2026/03/01/"),
        found(Reason.OBJECT_UNREADABLE, hours(23), detail="archived; 9 of them", count=9),
    ],
)
def test_a_folder_or_many_that_are_told_as_one_are_no_single_object(finding: Finding) -> None:
    story, told = Story(), []
    for _ in range(26):
        told += story.tick(finding, chains=[chain(letters="P" * 26)])
    assert {audience for audience, _, _ in told} == {"operations"}


def test_rewritten_after_delivery_is_for_security_at_once_beside_readable_neighbours() -> None:
    finding = found(
        Reason.OBJECT_UNREADABLE, hours(5), uri=log_uri(), detail=f"decrypt refused; {REWRITTEN}"
    )
    story = Story()
    assert story.tick(finding, chains=[chain(letters="P" * 26)]) == [
        ("security", "opened", "object_unreadable")
    ]
    for letters in ("", "U" * 26, "P" + "U" * 25):  # nothing of that day was read
        assert Story().tick(finding, chains=[chain(letters=letters)]) == []


def test_a_narrow_run_shows_its_neighbours_by_their_number() -> None:
    finding = found(Reason.OBJECT_UNREADABLE, hours(5), uri=log_uri(), detail=f"no; {REWRITTEN}")
    for valid, told in ((3, 1), (0, 0)):
        chains = [chain(letters="UU", logs=LogCounts(valid=valid))]
        look = run(hours(4, 7), finding, chains=chains, look=True)
        assert len(Story(now=BEGUN).tick(looks=[look])) == told


BEGUN = hours(24 * 3).start


def test_valid_logs_of_a_backfill_chain_say_nothing_of_the_day() -> None:
    finding = found(Reason.OBJECT_UNREADABLE, hours(5), uri=log_uri(), detail=f"no; {REWRITTEN}")
    backfill = replace(chain(letters="P" * 26), kind=ChainKind.BACKFILL)
    assert Story().tick(finding, chains=[chain(), backfill]) == []


def test_a_folder_above_the_chains_is_answered_by_every_tick() -> None:
    story = Story()
    folder = denied(20, f"s3://logs/AWSLogs/{ACCOUNT}/CloudTrail-Digest/")
    story.tick(folder)
    story.tick(folder)
    assert story.tick(folder) == [("operations", "opened", "object_unreadable")]
    assert story.looks() == ()
    assert story.tick(interrupted=True) == []
    assert story.tick() == [("operations", "resolved", "object_unreadable")]


# Retention

RULE = "lifecycle rule 'old': expires after 60 days, everywhere"


def expired(days: int, detail: str = RULE, count: int = 1) -> Finding:
    window = hours(-24 * days)
    return found(Reason.OBJECT_EXPIRED, window, uri=log_uri(days), detail=detail, count=count)


def test_what_expires_too_young_is_for_security_and_stays_so() -> None:
    story = Story(Policy(retention_days=90))
    assert story.tick(expired(89)) == [("security", "opened", "object_expired")]
    story.now += 3 * DAY
    assert story.tick(expired(89)) == [("security", "reminded", "object_expired")]
    assert len(story.open) == 1


@pytest.mark.parametrize(
    ("detail", "audience", "count"),
    [
        (RULE, "operations", 1),
        (f"named by x.json.gz; {RULE}", "operations", 1),
        (f"{RULE}; 5 of them, a to b", "operations", 5),
        (RULE.replace("60", "1"), "security", 1),
        (f"{RULE}{RULE.replace('60', '1')}", "security", 1),
        ("", "security", 1),
    ],
)
def test_an_unknown_rule_is_no_retention(detail: str, audience: str, count: int) -> None:
    story = Story(Policy(retention_days=10, known_rules=(RULE,)))
    assert [heard[0] for heard in story.tick(expired(70, detail, count))] == [audience]


def test_retention_is_told_once_and_forgotten_a_month_after_it_was_last_seen() -> None:
    story = Story(Policy(retention_days=10))
    assert story.tick(expired(70), expired(40)) == [("operations", "noted", "object_expired")]
    assert story.tick(expired(70), expired(41)) == []
    assert story.tick(after=29 * DAY) == []
    assert len(story.open) == 1
    assert story.tick(after=2 * DAY) == []
    assert story.open == {}


def test_what_expired_at_another_place_than_a_young_one_is_retention() -> None:
    story = Story(Policy(retention_days=90))
    story.tick(expired(80))
    assert story.tick(expired(200)) == [("operations", "noted", "object_expired")]


# Chains and the service itself


def test_a_new_chain_is_told_to_operations_once() -> None:
    story = Story()
    begun = [chain(state=ChainState.NEW, region=region) for region in ("us-east-1", "eu-west-1")]
    assert story.tick(chains=begun) == [("operations", "noted", "new_chain")]
    assert "2 chains" in story.messages[0].subject
    assert story.tick(chains=begun) == []
    assert story.tick(chains=[chain()]) == []
    assert story.open == {}
    assert story.tick(chains=[replace(begun[0], covered=())]) != []


def notice(remark: Remark) -> Notice:
    return Notice(
        remark=remark,
        account_id=ACCOUNT,
        region=REGION,
        window=hours(5),
        detail="the state is older than s3://records/one.json",
    )


def test_a_lost_state_is_told_to_operations_once() -> None:
    story = Story()
    assert story.tick(notices=[notice(Remark.STATE_LOST)]) == [
        ("operations", "noted", "state_lost")
    ]
    assert story.tick() == []
    assert story.open == {}
    assert "the state is older" in story.messages[0].text


def test_unreadable_records_are_told_at_once_and_resolved() -> None:
    story = Story()
    for _ in range(3):
        story.tick(notices=[notice(Remark.RECORDS_UNREADABLE)])
    assert story.tick(interrupted=True) == [("operations", "resolved", "records_unreadable")]
    assert [message.step.value for message in story.messages] == ["opened", "resolved"]


def test_a_log_file_that_a_backfill_names_in_time_is_never_told() -> None:
    story = Story()
    for _ in range(20):
        assert story.tick(found(Reason.LOG_UNREFERENCED, hours(20), uri=log_uri())) == []
    assert story.tick() == []
    assert story.open == {}
