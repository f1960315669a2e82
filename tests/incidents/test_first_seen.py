"""Since when each finding is known, and whose time that is."""

from __future__ import annotations

from datetime import datetime

from integrity.chain.evidence import FirstSeen, SeenOf
from integrity.chain.findings import Finding, Outcome, Reason
from integrity.chain.model import TimeWindow
from integrity.incidents.first_seen import date_findings
from integrity.structs import replace
from tests.incidents.story import DAY, HOUR, Story, digest_uri, found, hours, log_uri, run

OWN, INCIDENT = SeenOf.FINDING, SeenOf.INCIDENT
GONE = found(Reason.DIGEST_MISSING, hours(5), uri=digest_uri(5))
GAP = found(Reason.CHAIN_GAP, hours(5, 7))


def dated(
    story: Story, *findings: Finding, looks: tuple[Finding, ...] = ()
) -> list[FirstSeen | None]:
    """What the record of the next tick says of its findings, and of those of a look."""
    now = story.now + HOUR
    look = run(hours(0, 24), *looks, look=True)
    main = replace(run(story.window, *findings), looks=(look,) if looks else ())
    told = date_findings(main, list(story.open.values()), story.policy, now)
    assert [replace(one, first_seen=None) for one in told.findings] == list(findings)
    return [one.first_seen for part in (told, *told.looks) for one in part.findings]


def begun(*findings: Finding) -> tuple[Story, datetime]:
    story = Story()
    story.tick(*findings)
    return story, story.now


def test_what_nobody_knew_is_new_and_a_note_has_no_time() -> None:
    note = found(Reason.DIGEST_FOREIGN, uri=digest_uri(9), outcome=Outcome.VALID)
    story, first = begun()
    assert dated(story, GONE, GAP, note) == [FirstSeen(first + HOUR, OWN)] * 2 + [None]


def test_an_object_has_its_own_time_though_its_incident_is_older() -> None:
    story, first = begun(GONE)
    later = found(Reason.DIGEST_MISSING, hours(6), uri=digest_uri(6))
    assert dated(story, GONE, later) == [FirstSeen(first, OWN), FirstSeen(first + HOUR, OWN)]
    story.tick(GONE, later)
    story.lasts(GONE, later, ticks=3)
    assert len(story.open) == 1
    assert dated(story, GONE, later) == [FirstSeen(first, OWN), FirstSeen(first + HOUR, OWN)]


def test_what_gets_worse_is_known_since_it_was_late() -> None:
    late = found(Reason.DIGEST_LATE, hours(5), uri=digest_uri(5))
    story, first = begun(late)
    assert dated(story, GONE) == [FirstSeen(first, OWN)]


def test_what_was_over_and_came_back_is_new() -> None:
    story, first = begun(GONE)
    story.tick()
    assert not story.open
    assert dated(story, GONE) == [FirstSeen(first + 2 * HOUR, OWN)]


def test_a_gap_has_the_time_of_its_incident_where_that_held_its_hours() -> None:
    story, first = begun(GAP)
    beside = found(Reason.CHAIN_GAP, hours(7, 8))
    within = found(Reason.CHAIN_GAP, hours(5))
    longer = found(Reason.CHAIN_GAP, hours(6, 8))
    at_its_end = found(Reason.CHAIN_GAP, TimeWindow(beside.window.start, beside.window.start))
    for one in (GAP, within, longer, at_its_end):
        assert dated(story, one) == [FirstSeen(first, INCIDENT)]
    assert dated(story, beside) == [FirstSeen(first + HOUR, OWN)]


def test_a_stale_head_is_known_since_its_incident_whatever_hour_it_is() -> None:
    story, first = begun(found(Reason.HEAD_STALE, hours(5, 6)))
    assert dated(story, found(Reason.HEAD_STALE, hours(8, 9))) == [FirstSeen(first, INCIDENT)]


def test_of_more_objects_than_it_names_the_incident_speaks() -> None:
    logs = [found(Reason.LOG_MISSING, hours(5), uri=log_uri(number)) for number in range(22)]
    story, first = begun(*logs[:21])
    assert dated(story, logs[0], logs[20], logs[21]) == [
        FirstSeen(first, OWN),
        FirstSeen(first, INCIDENT),
        FirstSeen(first, INCIDENT),
    ]


def test_where_there_is_no_room_for_another_name_it_may_have_been_known() -> None:
    logs = [found(Reason.LOG_MISSING, hours(5), uri=log_uri(number)) for number in range(21)]
    story, first = begun(*logs[:20])
    assert dated(story, logs[20]) == [FirstSeen(first, INCIDENT)]


def test_of_findings_that_were_folded_the_incident_speaks() -> None:
    folded = replace(
        found(Reason.LOG_MISSING, hours(5)), count=1500, first=log_uri(), last=log_uri(9)
    )
    story, first = begun(folded)
    one = found(Reason.LOG_MISSING, hours(5), uri=log_uri(3))
    assert dated(story, folded, one) == [FirstSeen(first, INCIDENT)] * 2
    story, first = begun(one)
    assert dated(story, folded) == [FirstSeen(first, INCIDENT)]


def test_of_what_was_named_before_times_were_kept_the_incident_speaks() -> None:
    story, first = begun(GONE)
    story.open = {name: replace(one, seen=()) for name, one in story.open.items()}
    assert dated(story, GONE) == [FirstSeen(first, INCIDENT)]
    later = found(Reason.DIGEST_MISSING, hours(6), uri=digest_uri(6))
    story.tick(GONE, later)
    assert story.incident.seen == (None, first + HOUR)
    assert dated(story, GONE, later) == [FirstSeen(first, INCIDENT), FirstSeen(first + HOUR, OWN)]


def test_a_look_says_the_same_of_the_same() -> None:
    story, first = begun(GONE)
    story.now += 2 * DAY
    other = found(Reason.LOG_MISSING, hours(8), uri=log_uri(8))
    now = story.now + HOUR
    assert dated(story, GONE, looks=(GONE, other)) == [
        FirstSeen(first, OWN),
        FirstSeen(first, OWN),
        FirstSeen(now, OWN),
    ]
