"""Rules in a tick: each verified event is asked about once, none is lost, no verdict changes."""

from __future__ import annotations

import gzip
import json
from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field
from datetime import timedelta

import pytest

from integrity.chain.limits import Limits
from integrity.errors import UsageError
from integrity.events.search import Wanted
from integrity.lab import attacks
from integrity.record import Run, encode
from integrity.rules.matching import Asking
from integrity.rules.model import Rule
from integrity.rules.programs import Answer
from integrity.service.hearing import Hearing
from integrity.state import RuleTotal
from integrity.structs import replace
from tests.service.memory_stage import HOUR, Box, MemoryStage, begun

NAME = "CreateAccessKey"
RULE = Rule(name="keys", match="", destinations=("box",), wanted=Wanted(names=(NAME,)))


@dataclass
class Asked:
    """Stands in for jq: every event matches, or the rule is stopped."""

    stops: bool = False
    events: list[bytes] = field(default_factory=list)

    def ask(self, questions: Sequence[tuple[int, bytes]]) -> list[Answer]:
        if self.stops:
            return [Answer(stopped="it did not end")]
        self.events += [event for _, event in questions]
        return [Answer(matches=True) for _ in questions]


@dataclass
class RuleStage:
    """A watched trail, a rule, and the box that it names."""

    stage: MemoryStage
    asked: Asked = field(default_factory=Asked)
    box: Box = field(default_factory=Box)
    rules: Sequence[Rule] = (RULE,)

    def __post_init__(self) -> None:
        self.since = self.stage.world.now - 24 * HOUR
        self.stage.boxes["rules:box"] = self.box
        self.use(lambda: nullcontext(self.asked))

    def use(self, opening: Callable[[], AbstractContextManager[Asking]], fault: str = "") -> None:
        self.stage.rules = Hearing(() if fault else self.rules, opening, fault=fault)

    def tick(self, hours: int = 0) -> Run:
        self.stage.pass_hours(hours)
        return self.stage.tick().run

    def told(self) -> Counter[str]:
        """The ids of the events that were told so far."""
        return Counter(str(one.facts["event_id"]) for one in self.box.taken)

    def signed(self) -> Counter[str]:
        """The ids of the rule's events in all log files that are named by digests by now."""
        world = self.stage.world
        digests = [
            one
            for one in world.chains[0].digests
            if one.end >= self.since and one.last_modified <= world.now
        ]
        bodies = [world.objects[log.address].body for one in digests for log in one.log_files]
        events = [one for body in bodies for one in json.loads(gzip.decompress(body))["Records"]]
        return Counter(one["eventID"] for one in events if one["eventName"] == NAME)

    def total(self) -> RuleTotal:
        checkpoint = self.stage.store.load(self.stage.trail.arn).checkpoint
        assert checkpoint is not None
        [total] = checkpoint.rule_totals
        return total

    def balances(self) -> bool:
        """Whether the numbers that were put balance."""
        got = {name: int(value) for name, value in self.stage.sink.values.items()}
        return (
            got["RuleSeen"] == got["RuleSkipped"] + got["RuleMatched"]
            and got["RuleMatched"] == got["RuleDelivered"] + got["RulePending"] + got["RuleDead"]
        )


@pytest.fixture
def stage() -> RuleStage:
    return RuleStage(begun(logs_per_hour=2))


def test_every_verified_event_is_asked_about_and_told_once(stage: RuleStage) -> None:
    for hours in (0, 1, 1, 1):
        stage.tick(hours)

    assert stage.told() == stage.signed() != Counter()
    assert len(stage.asked.events) == len(stage.box.taken)
    assert stage.total() == RuleTotal(
        rule="keys", seen=len(stage.told()), matched=len(stage.told())
    )
    assert stage.balances()


def test_what_is_told_says_that_it_is_proven(stage: RuleStage) -> None:
    stage.tick()
    message = stage.box.taken[0]

    assert message.facts["proven"] is True
    log = str(message.facts["log_file"]).removeprefix("s3://").partition("/")
    body = stage.stage.world.objects[log[0], log[2]].body
    assert message.event in gzip.decompress(body).decode()
    assert str(message.facts["digest_file"]).endswith(".json.gz")
    assert "Proven: it stands in a log file that CloudTrail signed" in message.text


def test_verdicts_are_the_same_with_rules_on_and_off() -> None:
    def run(rules: Sequence[Rule] | None) -> bytes:
        stage = begun(logs_per_hour=2)
        attacks.edit_log(stage.world, stage.newest.log_files[0])
        attacks.delete_digest(stage.world, stage.world.chains[0].digests[12])
        if rules is not None:
            RuleStage(stage, rules=rules)
        return encode(stage.tick().run)

    off = run(None)
    assert b'"invalid"' in off
    assert run([RULE]) == run([replace(RULE, wanted=Wanted())]) == run([]) == off


def test_a_log_file_that_can_be_read_later_is_heard_then_and_the_others_not_again(
    stage: RuleStage,
) -> None:
    log = "/".join(stage.stage.newest.log_files[0].address)
    stage.stage.source.unreachable[log] = "s3:GetObject is not allowed"
    stage.tick()
    before = stage.told()
    stage.tick(hours=1)
    stage.stage.source.unreachable.clear()
    stage.tick(hours=1)

    assert set(before.values()) == {1}
    assert stage.told() == stage.signed()
    assert stage.balances()


def test_an_altered_log_file_is_not_heard(stage: RuleStage) -> None:
    events = stage.signed()
    log = stage.stage.newest.log_files[0]
    attacks.edit_log(stage.stage.world, log)
    stage.tick()

    body = gzip.decompress(stage.stage.world.objects[log.address].body)
    altered = {one["eventID"] for one in json.loads(body)["Records"]}
    assert stage.told() == Counter({k: v for k, v in events.items() if k not in altered})


def test_a_stopped_rule_is_operations_business_and_is_asked_again(stage: RuleStage) -> None:
    stage.asked.stops = True
    run = stage.tick()

    assert (stage.told(), run.outcome.value) == (Counter(), "valid")
    [message] = stage.stage.boxes["operations"].taken
    assert message.facts["reason"] == "rule_stopped"
    assert "rule keys was stopped: it did not end" in message.text
    total = stage.total()
    assert (total.seen, total.skipped, total.matched) == (len(stage.signed()), total.seen, 0)

    stage.asked.stops = False
    stage.stage.boxes["operations"].taken.clear()
    stage.tick(hours=1)
    # As far as the second tick looks back.
    stage.since = stage.stage.world.now - 7 * HOUR
    assert stage.told() == stage.signed() != Counter()
    assert stage.stage.boxes["operations"].news == [("resolved", "rule_stopped")]


def test_rules_that_cannot_be_used_delay_nothing_and_are_made_up_for(stage: RuleStage) -> None:
    stage.use(lambda: nullcontext(stage.asked), fault="rule[0].match: it is no jq program")
    run = stage.tick()
    assert run.outcome.value == "valid"
    assert stage.stage.boxes["operations"].news == [("opened", "rule_stopped")]

    stage.use(lambda: nullcontext(stage.asked))
    stage.tick(hours=1)
    kept = stage.total()
    assert stage.told() != Counter()

    stage.use(lambda: nullcontext(stage.asked), fault="rule[0].match: it is no jq program")
    stage.tick(hours=1)
    assert stage.total() == kept


def test_a_process_that_does_not_start_is_told_too(stage: RuleStage) -> None:
    def refuse() -> AbstractContextManager[Asking]:
        raise UsageError("the process that rules run in did not start")

    stage.use(refuse)
    stage.tick()

    assert stage.stage.boxes["operations"].news == [("opened", "rule_stopped")]
    stage.use(lambda: nullcontext(stage.asked))
    stage.tick(hours=1)
    assert stage.told() != Counter()


def test_what_waits_and_what_is_given_up_on_is_in_the_account(stage: RuleStage) -> None:
    stage.box.refuses = "the topic is gone"
    stage.tick()
    waiting = stage.stage.sink.values["RulePending"]
    assert waiting == len(stage.signed())
    assert stage.balances()

    stage.tick(hours=80)
    assert stage.stage.sink.values["RuleDead"] == waiting
    assert stage.balances()


def test_what_is_told_live_is_in_nobodys_account_here(stage: RuleStage) -> None:
    stage.box.refuses = "no"
    stage.tick()
    [letter, *_] = stage.stage.store.unsent_letters()
    facts = {**letter.message.facts, "proven": False}
    live = replace(letter, id="live", message=replace(letter.message, id="live", facts=facts))
    stage.stage.store.keep_letters([live])
    stage.tick(hours=1)

    assert stage.balances()
    assert stage.stage.sink.values["RulePending"] == stage.total().matched


def test_a_match_of_two_destinations_is_delivered_when_both_have_it(stage: RuleStage) -> None:
    other = Box(refuses="no")
    stage.stage.boxes["rules:other"] = other
    stage.rules = (replace(RULE, destinations=("box", "other")),)
    stage.use(lambda: nullcontext(stage.asked))
    stage.tick()

    matched = len(stage.signed())
    assert len(stage.box.taken) == matched
    assert stage.stage.sink.values["RulePending"] == matched
    assert stage.stage.sink.values["RuleDelivered"] == 0


def test_what_is_left_out_for_the_bounds_is_counted_and_told(stage: RuleStage) -> None:
    stage.stage.asked["limits"] = Limits(max_rule_events=1)
    stage.tick()
    assert stage.stage.boxes["operations"].news == [("opened", "rule_stopped")]
    assert 0 < len(stage.told()) < len(stage.signed())

    other = RuleStage(begun(logs_per_hour=2))
    other.stage.asked["limits"] = Limits(max_run_bytes=1500)
    other.tick()
    assert other.stage.boxes["operations"].news == [("opened", "rule_stopped")]
    assert len(other.told()) == 1


def test_a_look_at_an_incidents_hours_is_heard_too(stage: RuleStage) -> None:
    log = "/".join(stage.stage.newest.log_files[0].address)
    stage.stage.source.unreachable[log] = "s3:GetObject is not allowed"
    stage.tick()
    for _ in range(4):
        stage.tick(hours=10)
    stage.stage.source.unreachable.clear()
    stage.tick(hours=24)

    assert stage.stage.looks
    assert stage.told() == stage.signed()


def test_two_rules_in_one_file_do_not_take_from_each_other(stage: RuleStage) -> None:
    stage.rules = (RULE, replace(RULE, name="again", destinations=()))
    stage.use(lambda: nullcontext(stage.asked))
    stage.tick()

    checkpoint = stage.stage.store.load(stage.stage.trail.arn).checkpoint
    assert checkpoint is not None
    assert {one.rule: one.matched for one in checkpoint.rule_totals} == {
        "keys": len(stage.signed()),
        "again": len(stage.signed()),
    }
    assert stage.told() == stage.signed()


def test_what_is_remembered_is_forgotten_when_it_cannot_come_again(stage: RuleStage) -> None:
    log = "/".join(stage.stage.newest.log_files[0].address)
    stage.stage.source.unreachable[log] = "no"
    stage.tick()
    stage.stage.pass_hours(int(timedelta(days=4) / timedelta(hours=1)))
    for _ in range(2):
        stage.tick()

    checkpoint = stage.stage.store.load(stage.stage.trail.arn).checkpoint
    assert checkpoint is not None
    assert all(one.at > stage.stage.world.now - timedelta(days=2) for one in checkpoint.told)
