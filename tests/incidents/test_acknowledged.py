"""What an acknowledgement quiets, and what speaks in spite of it."""

from __future__ import annotations

from datetime import timedelta

import pytest

from integrity.chain.findings import Finding, Outcome, Reason
from integrity.errors import UsageError
from integrity.incidents.acknowledged import (
    LONGEST,
    MOST_KEPT,
    acknowledge,
    acknowledged,
    give,
    named,
)
from integrity.structs import replace
from tests.incidents.story import DAY, HOUR, Story, digest_uri, found, hours, log_uri

WHO = "arn:aws:iam::111122223333:user/alice"
GONE = found(Reason.DIGEST_MISSING, hours(5), uri=digest_uri(5))
REMINDED = [("security", "reminded", "digest_missing")]


def say(story: Story, until: timedelta | None, why: str = "mended soon") -> None:
    """A person acknowledges the open incident, half an hour after the last tick."""
    given = give(WHO, why, story.now + HOUR / 2, until)
    story.open[story.incident.id] = acknowledge(story.incident, given)


def begun(*findings: Finding) -> Story:
    story = Story()
    story.tick(*findings or (GONE,))
    return story


def test_nobody_is_reminded_until_it_ends_and_the_next_tick_speaks_again() -> None:
    story = begun()
    say(story, 3 * DAY)

    assert story.lasts(GONE, ticks=72) == []
    assert story.lasts(GONE) == REMINDED
    assert story.lasts(GONE, ticks=23) == []
    assert story.lasts(GONE) == REMINDED
    assert "Known       acknowledged by arn:aws:iam::111122223333:user/alice at " in (
        story.messages[-1].text
    )
    assert ", was quiet until 2026-03-05T00:50:00Z: mended soon" in story.messages[-1].text


def test_one_that_is_shorter_than_a_day_speaks_when_it_ends() -> None:
    story = begun()
    say(story, 2 * HOUR)

    assert [story.lasts(GONE) for _ in range(4)] == [[], [], REMINDED, []]


def test_what_is_taken_back_speaks_at_the_next_tick() -> None:
    story = begun()
    say(story, 30 * DAY)
    assert story.lasts(GONE, ticks=48) == []
    say(story, None, "not what we thought")

    assert story.lasts(GONE) == REMINDED
    assert f"no longer acknowledged, says {WHO} at " in story.messages[-1].text


def test_the_last_one_counts() -> None:
    story = begun()
    say(story, 2 * DAY)
    say(story, 4 * DAY, "longer")

    assert story.lasts(GONE, ticks=96) == []
    assert story.lasts(GONE) == REMINDED


def test_what_is_quiet_is_looked_at_daily_and_told_when_it_is_over() -> None:
    story = begun()
    say(story, 30 * DAY)
    assert story.lasts(GONE, ticks=40) == []
    quiet = [bool(story.look_at(GONE)) for _ in range(24) if story.lasts(GONE) == []]
    assert quiet.count(True) == 1
    told = [heard for _ in range(25) for heard in story.lasts()]
    assert told == [("security", "resolved", "digest_missing")]
    assert story.messages[-1].facts["acknowledgement"] == {
        "by": WHO,
        "reason": "mended soon",
        "at": "2026-03-02T00:50:00Z",
        "until": "2026-04-01T00:50:00Z",
    }
    incidents = story.messages[-1].facts["incidents"]
    assert isinstance(incidents, list)
    assert [one["acknowledged_until"] for one in incidents] == ["2026-04-01T00:50:00Z"]


def test_what_gets_worse_speaks_in_spite_of_it_and_says_so() -> None:
    files = [found(Reason.LOG_MISSING, hours(20), uri=log_uri(number)) for number in range(3)]
    story = begun(files[0])
    say(story, 30 * DAY)

    assert story.tick(files[0]) == []
    assert story.tick(*files) == [("security", "worsened", "log_missing")]
    assert "quiet until 2026-04-01T00:50:00Z: mended soon" in story.messages[-1].text
    assert story.tick(*files) == []


def test_what_turns_invalid_speaks_in_spite_of_it() -> None:
    story = Story()
    late = found(Reason.DIGEST_LATE, hours(20), uri=digest_uri(20))
    gone = found(Reason.DIGEST_MISSING, hours(20), uri=digest_uri(20))
    assert [story.tick(late) for _ in range(3)][2] == [("operations", "opened", "digest_late")]
    say(story, 30 * DAY)
    assert story.tick(gone) == [
        ("operations", "worsened", "digest_missing"),
        ("security", "opened", "digest_missing"),
    ]
    assert story.incident.outcome is Outcome.INVALID


def test_what_nobody_was_told_of_yet_is_told_all_the_same() -> None:
    story = Story()
    late = found(Reason.DIGEST_LATE, hours(20), uri=digest_uri(20))
    story.tick(late)
    say(story, 30 * DAY)
    assert story.tick(late) == []
    assert story.tick(late) == [("operations", "opened", "digest_late")]
    assert "acknowledged by" in story.messages[-1].text


def test_a_fact_of_the_past_speaks_once_more_when_it_ends() -> None:
    gap = found(Reason.CHAIN_GAP, hours(5))
    story = begun(gap)
    story.lasts(gap, ticks=31 * 24)
    say(story, 3 * DAY)

    assert story.lasts(gap, ticks=72) == []
    assert story.lasts(gap) == [("security", "reminded", "chain_gap")]
    assert story.lasts(gap, ticks=72) == []


def test_one_that_ends_is_not_spoken_of_before_it_was_looked_at() -> None:
    story = begun()
    story.lasts(GONE, ticks=30)
    say(story, 2 * HOUR)
    assert [story.tick() for _ in range(4)] == [[], [], [], []]
    assert story.lasts(GONE) == REMINDED


def test_who_knows_what_of_the_open_ones_is_for_the_record() -> None:
    story = begun(GONE, replace(GONE, region="eu-west-1"))
    quiet, other = story.open.values()
    kept = acknowledge(quiet, give(WHO, "why", story.now, DAY))

    [one] = acknowledged((kept, other))
    assert (one.incident_id, one.reason, one.outcome) == (kept.id, kept.reason, kept.outcome)
    assert one.acknowledgements == kept.acknowledgements
    for _ in range(MOST_KEPT + 5):
        kept = acknowledge(kept, give(WHO, "again", story.now, DAY))
    assert len(kept.acknowledgements) == MOST_KEPT
    assert kept.acknowledgements[0].reason == "again"


@pytest.mark.parametrize("until", [timedelta(0), LONGEST + HOUR])
def test_it_ends_and_not_in_the_past(until: timedelta) -> None:
    now = Story().now
    for one in (until, now + until):
        with pytest.raises(UsageError, match=r"expected a time after now, 2026-03-01T23:20:00Z"):
            give(WHO, "why", now, one)
    assert give(WHO, "why", now, LONGEST).until == now + LONGEST
    assert give(WHO, "why", now, now + DAY).until == now + DAY


def test_an_incident_is_named_by_the_beginning_of_its_id() -> None:
    story = begun()
    one = replace(story.incident, id="abcd12340000")
    two = replace(one, id="abcd99990000")
    over = replace(one, id="ffff00000000", resolved=story.now)

    assert named((one, two, over), "abcd1") is one
    assert named((replace(one, resolved=story.now), two), "abcd") is two
    for start, words in (
        ("abcd", "2 open incidents: abcd12340000, abcd99990000"),
        ("ffff", "ffff00000000 was resolved at 2026-03-02T00:20:00Z"),
        ("0000", "no incident has an id that begins with 0000"),
    ):
        with pytest.raises(UsageError, match=words):
            named((one, two, over), start)
