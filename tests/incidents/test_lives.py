"""An incident's life: what joins it, when it gets worse, when it is looked at, when it is over."""

from __future__ import annotations

import pytest

from integrity.chain.findings import Finding, Outcome, Reason
from integrity.chain.model import TimeWindow
from integrity.incidents.looks import due_looks
from integrity.incidents.policy import Policy
from integrity.record import LogCounts
from integrity.structs import replace
from tests.incidents.story import (
    ACCOUNT,
    BEGIN,
    DAY,
    HOUR,
    REGION,
    Story,
    chain,
    digest_uri,
    found,
    hours,
    log_uri,
    run,
)


def missing(number: int, reason: Reason = Reason.DIGEST_MISSING) -> Finding:
    return found(reason, hours(number), uri=digest_uri(number))


def altered(number: int, reason: Reason = Reason.LOG_HASH_MISMATCH) -> Finding:
    return found(reason, hours(number), uri=log_uri(number))


# One cause


def test_neighbouring_digests_are_one_incident_with_a_window_and_a_count() -> None:
    story = Story()
    told = story.tick(*(missing(number) for number in (7, 5, 6, 12)))

    assert told == [("security", "opened", "digest_missing")]
    assert sorted((one.window, one.count) for one in story.open.values()) == [
        (hours(5, 8), 3),
        (hours(12), 1),
    ]
    assert story.messages[0].facts["count"] == 4
    assert story.messages[0].facts["incident_count"] == 2


def test_an_attack_on_17_regions_is_told_in_as_many_messages_as_it_has_reasons() -> None:
    story = Story()
    regions = [f"eu-west-{number}" for number in range(17)]
    findings = [
        found(reason, hours(hour), uri=digest_uri(hour, region=region), region=region)
        for region in regions
        for hour in (5, 6, 7)
        for reason in (Reason.DIGEST_MISSING, Reason.LOG_MISSING)
    ]
    assert story.tick(*findings) == [
        ("security", "opened", "digest_missing"),
        ("security", "opened", "log_missing"),
    ]
    assert len(story.open) == 34
    assert "(51 files)" in story.messages[0].subject


def test_what_lies_apart_in_place_or_kind_is_another_incident() -> None:
    story = Story()
    story.tick(
        altered(5),
        altered(5, Reason.LOG_MISSING),
        missing(5),
        replace(altered(5), region="eu-west-1"),
        replace(altered(5), account_id="444455556666"),
    )
    assert len(story.open) == 5


def test_a_finding_joins_the_incident_that_it_touches_after_the_window_has_moved_on() -> None:
    story = Story()
    story.tick(altered(5))
    story.lasts(altered(5), ticks=40)
    look = run(hours(4, 8), altered(5), altered(6), look=True)
    assert story.tick(looks=[look]) == [("security", "worsened", "log_hash_mismatch")]
    assert story.incident.window == hours(5, 7)
    assert story.incident.count == 2


def test_a_finding_between_two_incidents_joins_the_closest_and_neither_is_lost() -> None:
    story = Story()
    story.tick(altered(5))
    story.tick(altered(5), altered(7))
    assert len(story.open) == 2
    story.tick(altered(5), altered(6), altered(7))
    assert sorted(one.window for one in story.open.values()) == [hours(5, 7), hours(7)]
    assert story.tick() == [("security", "resolved", "log_hash_mismatch")]
    assert len(story.closed) == 2


def test_a_finding_over_two_incidents_keeps_both_open() -> None:
    story = Story()
    story.tick(altered(5), altered(8))
    both = found(Reason.LOG_HASH_MISMATCH, hours(5, 9), uri=log_uri(1))
    assert story.tick(both) == []
    assert len(story.open) == 2


def test_trouble_of_one_night_is_one_incident_though_not_every_hour_has_files() -> None:
    story = Story()
    night = [found(Reason.OBJECT_UNREADABLE, hours(at), uri=log_uri(at)) for at in (1, 9, 20)]
    story.tick(*night)
    story.tick(*night)
    assert story.tick(*night) == [("operations", "opened", "object_unreadable")]
    assert len(story.open) == 1


# It gets worse


def test_a_late_digest_that_stays_away_is_for_security_and_operations_hear_it_is_worse() -> None:
    story = Story()
    for _ in range(3):
        story.tick(missing(22, Reason.DIGEST_LATE))
    assert story.tick(missing(22)) == [
        ("operations", "worsened", "digest_missing"),
        ("security", "opened", "digest_missing"),
    ]
    assert story.incident.outcome is Outcome.INVALID
    assert story.tick() == [
        ("operations", "resolved", "digest_missing"),
        ("security", "resolved", "digest_missing"),
    ]


def test_a_stale_head_that_was_rewound_is_told_as_worse() -> None:
    story = Story()
    story.tick(found(Reason.HEAD_STALE))
    story.tick(found(Reason.NO_DIGESTS))
    assert story.incident.reason == "head_stale"
    assert story.tick(found(Reason.HEAD_REWOUND)) == [("security", "worsened", "head_rewound")]
    assert story.tick(found(Reason.HEAD_STALE)) == []
    assert story.incident.reason == "head_rewound"
    assert story.incident.finding == found(Reason.HEAD_REWOUND)


def test_an_attack_that_goes_on_is_told_when_it_has_doubled() -> None:
    story, told = Story(), []
    for number in range(10):
        told.append(len(story.tick(*(altered(at) for at in range(number + 1)))))
    assert told == [1, 1, 0, 1, 0, 0, 0, 1, 0, 0]
    assert len(story.open) == 1


def test_the_next_attack_elsewhere_is_told_at_once_after_thirty_days() -> None:
    story = Story()
    story.tick(altered(5))
    story.lasts(altered(5), ticks=24 * 30)
    fresh = found(Reason.LOG_HASH_MISMATCH, TimeWindow(story.now - 3 * HOUR, story.now - 2 * HOUR))
    assert ("security", "opened", "log_hash_mismatch") in story.tick(fresh)


# Reminders and looks


def test_an_unrepaired_incident_is_told_once_reminded_daily_and_looked_at_once_a_day() -> None:
    story, looked = Story(), 0
    told = story.tick(altered(5))
    for _ in range(24 * 30):
        looked += len(story.looks())
        told += story.lasts(altered(5))
    assert told[0] == ("security", "opened", "log_hash_mismatch")
    assert set(told[1:]) == {("security", "reminded", "log_hash_mismatch")}
    assert 29 <= len(told[1:]) <= 30
    assert looked <= 30


def test_nothing_is_looked_at_that_the_tick_covers_or_every_tick_answers() -> None:
    story = Story()
    story.tick(
        altered(5),
        found(Reason.TRAIL_OFF),
        found(Reason.HEAD_STALE),
        found(Reason.OBJECT_EXPIRED, hours(-24 * 200)),
    )
    later = BEGIN + 2 * DAY
    everything = TimeWindow(hours(0).start, later)
    assert due_looks(story.open.values(), everything, later, limit=9) == ()
    (look,) = due_looks(story.open.values(), hours(40, 70), later, limit=9)
    assert (look.account_id, look.region, look.window) == (ACCOUNT, REGION, hours(4, 7))


def test_looks_of_a_chain_that_meet_are_one_and_the_longest_due_come_first() -> None:
    story = Story()
    story.tick(
        altered(5),
        missing(6),
        replace(altered(5), region="eu-west-1"),
        altered(12),
    )
    by_region = {(one.region, one.window): one for one in story.open.values()}
    west = by_region["eu-west-1", hours(5)]
    incidents = [
        *(one for one in story.open.values() if one is not west),
        replace(west, look_again=west.look_again - HOUR),
    ]
    later = BEGIN + 3 * DAY
    covered = TimeWindow(later - DAY, later)
    looks = due_looks(incidents, covered, later, limit=9)
    assert [(look.region, look.window) for look in looks] == [
        ("eu-west-1", hours(4, 7)),
        (REGION, hours(4, 8)),
        (REGION, hours(11, 14)),
    ]
    assert len(looks[1].incident_ids) == 2
    assert due_looks(incidents, covered, later, limit=1) == looks[:1]


def test_a_look_reaches_no_further_than_now() -> None:
    story = Story()
    window = TimeWindow(BEGIN - HOUR, BEGIN)
    story.tick(found(Reason.LOG_HASH_MISMATCH, window, uri=log_uri()))
    incident = replace(story.incident, look_again=BEGIN)
    (look,) = due_looks([incident], hours(0), BEGIN, limit=1)
    assert look.window == TimeWindow(BEGIN - 2 * HOUR, BEGIN)


def test_a_threshold_outside_of_the_tick_is_looked_at_when_it_comes() -> None:
    story = Story()
    finding = found(Reason.LOG_UNREFERENCED, hours(5), uri=log_uri())
    story.now = hours(10).start
    story.tick(finding)
    assert story.incident.look_again == hours(6).start + DAY
    told = story.lasts(finding, ticks=21)
    assert story.now == hours(32).start
    assert told == [("security", "opened", "log_unreferenced")]


def test_a_planted_log_file_is_looked_for_in_the_folder_where_it_lies() -> None:
    story = Story()
    uri = log_uri(day="2025/11/30")
    assert story.tick(found(Reason.LOG_UNREFERENCED, hours(5), uri=uri)) == [
        ("security", "opened", "log_unreferenced")
    ]
    assert story.incident.window.start.isoformat() == "2025-11-30T00:00:00+00:00"
    for odd in (log_uri(day="2026/13/77"), log_uri(day="x"), log_uri()):
        other = Story()
        other.tick(found(Reason.LOG_UNREFERENCED, hours(5), uri=odd))
        assert other.incident.window == hours(5)


def test_a_look_that_was_broken_off_is_repeated_but_not_within_the_hour() -> None:
    story = Story()
    story.tick(altered(5))
    story.tick(after=30 * HOUR)
    (look,) = story.looks()
    broken = run(look.window, interrupted=True, look=True)
    assert story.tick(looks=[broken]) == [("security", "reminded", "log_hash_mismatch")]
    assert story.incident.look_again == story.now + HOUR
    assert story.looks() != ()


def test_who_cannot_be_looked_for_is_reminded_all_the_same_a_day_later() -> None:
    story, told = Story(), []
    story.tick(altered(1))
    for _ in range(100):
        told += story.tick(chains=[])
    assert told == [
        ("security", "reminded", "log_hash_mismatch"),
        ("security", "reminded", "log_hash_mismatch"),
    ]


def test_a_gap_is_a_fact_of_the_past_reminded_for_thirty_days_and_seldom_looked_at() -> None:
    story = Story()
    gap = found(Reason.CHAIN_GAP, hours(5, 9))
    story.tick(gap)
    told = story.lasts(gap, ticks=24 * 45)
    assert 29 <= len(told) <= 31
    assert story.incident.look_again - story.now > DAY
    assert story.tick(looks=[run(hours(4, 10), look=True)]) == [
        ("security", "resolved", "chain_gap")
    ]


# It is over


def test_what_nobody_was_told_of_ends_without_a_word() -> None:
    story = Story()
    story.tick(missing(22, Reason.DIGEST_LATE))
    assert story.tick() == []
    assert [one.resolved for one in story.closed] == [story.now]


def test_what_comes_back_is_another_incident() -> None:
    story = Story()
    story.tick(altered(5))
    assert story.tick() == [("security", "resolved", "log_hash_mismatch")]
    assert story.tick(altered(5)) == [("security", "opened", "log_hash_mismatch")]
    assert story.incident.id != story.closed[0].id


@pytest.mark.parametrize(
    "reason",
    sorted(
        set(Reason)
        - {Reason.LOG_UNREFERENCED, Reason.TRAIL_OFF, Reason.DIGEST_FOREIGN}
        - {Reason.LOG_MISSING, Reason.LOG_HASH_MISMATCH}
        - {Reason.LOG_MALFORMED, Reason.LOG_TRAILING_DATA, Reason.EVENT_UNCONFIRMED}
    ),
)
def test_who_hides_an_altered_log_file_has_mended_nothing(reason: Reason) -> None:
    story = Story()
    story.tick(altered(5))
    told = story.tick(found(reason, hours(5), uri=digest_uri(5)))
    assert "resolved" not in {step for _, step, _ in told}


def test_a_log_file_that_is_back_but_altered_is_not_repaired() -> None:
    story = Story()
    story.tick(altered(5, Reason.LOG_MISSING))
    assert story.tick(altered(5)) == [("security", "opened", "log_hash_mismatch")]
    assert len(story.open) == 2


def test_an_altered_log_file_does_not_hide_that_a_digest_is_back() -> None:
    story = Story()
    story.tick(missing(5))
    assert ("security", "resolved", "digest_missing") in story.tick(altered(5))


def test_trouble_elsewhere_hides_nothing() -> None:
    story = Story()
    story.tick(altered(5))
    elsewhere = found(Reason.OBJECT_UNREADABLE, hours(9), uri=log_uri(9))
    abroad = found(Reason.OBJECT_UNREADABLE, hours(5), uri=log_uri(9), region="eu-west-1")
    note = found(Reason.CHAIN_GAP, hours(5), outcome=Outcome.VALID)
    assert story.tick(elsewhere, abroad, note) == [("security", "resolved", "log_hash_mismatch")]


def test_a_run_that_did_not_look_resolves_nothing() -> None:
    story = Story()
    story.tick(altered(5))
    assert story.tick(interrupted=True) == []
    assert story.tick(chains=[]) == []
    assert story.tick(chains=[chain(region="eu-west-1")]) == []
    assert story.tick(chains=[chain(account="444455556666")]) == []
    abroad = run(hours(0, 10), chains=[chain(region="eu-west-1")], look=True)
    other = run(hours(0, 10), chains=[chain(account="444455556666")], look=True)
    story.now += 5 * DAY
    assert "resolved" not in {step for _, step, _ in story.tick(looks=[abroad, other])}
    assert story.tick(looks=[run(hours(5), look=True)]) == [
        ("security", "resolved", "log_hash_mismatch")
    ]


def test_log_files_that_no_digest_names_are_over_only_where_their_folders_were_listed() -> None:
    story = Story()
    finding = found(Reason.LOG_UNREFERENCED, hours(-20), uri=log_uri(day="2026/02/28"))
    story.tick(finding)
    window = hours(-21, -18)
    assert story.tick(looks=[run(window, unreferenced=False, look=True)]) == []
    unattested = chain(logs=LogCounts(unattested=1))
    assert story.tick(looks=[run(window, chains=[unattested], look=True)]) == []
    abroad = chain(region="eu-west-1", logs=LogCounts(unattested=1))
    both = run(window, chains=[chain(), abroad], look=True)
    assert story.tick(looks=[both]) == [("security", "resolved", "log_unreferenced")]


def test_several_runs_together_may_answer_for_one_window() -> None:
    story = Story()
    story.now = hours(29).start
    story.tick(*(altered(number) for number in range(5, 12)))
    story.tick(after=5 * HOUR)
    assert story.window == hours(10, 35)
    early = run(hours(4, 11), look=True)
    assert story.tick(looks=[early]) == [("security", "resolved", "log_hash_mismatch")]


def test_trouble_that_is_over_is_looked_at_once_where_the_tick_has_moved_on() -> None:
    story = Story()
    story.now = hours(9).start
    for number in range(9, 49):
        story.tick(found(Reason.KEYS_UNAVAILABLE, TimeWindow(story.now - DAY, story.now)))
        assert number > 12 or story.looks() == ()
    assert story.tick() == []
    assert story.incident.quiet_since == story.now
    (look,) = story.looks()
    assert look.window.start < hours(0).start
    # It is not over everywhere: from then on it is looked at once a day.
    early = found(Reason.KEYS_UNAVAILABLE, hours(2, 5))
    story.tick(looks=[run(look.window, early, look=True)])
    assert story.incident.quiet_since is not None
    looked = 0
    for _ in range(48):
        looked += len(story.looks())
        story.lasts(early)
    assert looked == 2
    story.tick(looks=[run(look.window, look=True)])
    assert story.open == {}


def test_a_trail_that_is_off_is_over_only_when_aws_says_so() -> None:
    story = Story()
    off = found(Reason.TRAIL_OFF)
    assert story.tick(off) == [("security", "opened", "trail_off")]
    assert story.tick(method=("bucket",)) == []
    assert story.tick(unasked=("cloudtrail:GetTrailStatus denied",)) == []
    assert story.tick(interrupted=True) == []
    assert story.tick() == [("security", "resolved", "trail_off")]


def test_a_rewound_head_is_over_only_when_aws_was_asked_and_the_chain_was_listed() -> None:
    story = Story()
    assert story.tick(found(Reason.HEAD_REWOUND)) == [("security", "opened", "head_rewound")]
    assert story.tick(method=("bucket",)) == []
    assert story.tick(chains=[]) == []
    unlisted = found(Reason.OBJECT_UNREADABLE, uri=digest_uri())
    assert story.tick(unlisted) == []
    assert story.tick() == [("security", "resolved", "head_rewound")]


def test_a_look_at_the_past_knows_nothing_of_the_head() -> None:
    story = Story(Policy(head_ticks=1))
    assert story.tick(looks=[run(hours(4, 7), found(Reason.NO_DIGESTS), look=True)]) == []
    assert story.open == {}


def test_what_was_folded_is_not_counted_twice() -> None:
    story = Story()
    one = found(Reason.KEYS_UNAVAILABLE, hours(4, 9), uri=None, count=5)
    other = found(Reason.KEYS_UNAVAILABLE, hours(4, 8), uri=None, count=4)
    story.tick(one, looks=[run(hours(4, 8), other, look=True), run(hours(4, 9), one, look=True)])
    assert story.incident.count == 5
