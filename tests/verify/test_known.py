"""Attacks between two ticks: what an earlier verification saw is held against what is left of it.

The trail began with March. A tick verifies the last day and is told what the tick before it knew.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

import pytest

from integrity.chain.findings import Outcome, Reason
from integrity.chain.known import KnownChain, settle
from integrity.chain.model import ChainKind, TimeWindow
from integrity.lab import attacks
from integrity.lab.estate import ExpirationRule, LabTrail
from integrity.lab.objects import LabDigest
from integrity.lab.world import Chain, World
from integrity.record import Run
from integrity.structs import replace
from integrity.verify import checking, join, plan
from integrity.verify.accept import accept
from tests.chain.specimens import at
from tests.memory import MemorySource, SwiftSource, only, reasons, verify_on
from tests.scenarios.stage import START

DAY, HOUR, MINUTE = timedelta(days=1), timedelta(hours=1), timedelta(minutes=1)
V, U, X = Outcome.VALID, Outcome.UNDETERMINED, Outcome.INVALID


@dataclass
class Service:
    """A trail, the hour of the last tick, and what that tick knew."""

    world: World
    trail: LabTrail
    chain: Chain
    hour: float = 0
    known: tuple[KnownChain, ...] = ()
    source: MemorySource = field(init=False)
    asked: dict[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.source = SwiftSource(self.world)

    def wait(self, hour: float) -> None:
        """The world goes on to this hour of March."""
        self.hour = hour
        self.world.advance(at(hour))

    def tick(self, hour: float | None = None, *, hours: float = 24, **asked: Any) -> Run:
        """The hours before this one are verified, and what is known advances."""
        if hour is not None:
            self.wait(hour)
        self.source.fetched.clear()
        verification = verify_on(
            self.world,
            self.trail,
            max(START, at(self.hour - hours)),
            at(self.hour),
            source=self.source,
            known=self.known,
            **self.asked | asked,
        )
        self.known = verification.known
        return verification.run

    def of(self, kind: ChainKind = ChainKind.STANDARD) -> KnownChain:
        (known,) = [one for one in self.known if one.chain.kind is kind]
        return known

    def digest(self, hour: float) -> LabDigest:
        """The digest that ends at this hour."""
        (digest,) = [one for one in self.chain.digests if one.end == at(hour)]
        return digest

    def delete(self, *hours: float) -> None:
        for hour in hours:
            attacks.delete_digest(self.world, self.digest(hour))

    def put(self, digest: LabDigest, body: bytes | None = None) -> None:
        """The digest is written again, now."""
        stored = digest_of(self.kept, digest)
        self.world.objects[digest.address] = dataclasses.replace(
            stored, body=stored.body if body is None else body, last_modified=self.world.now
        )

    @property
    def kept(self) -> World:
        return self._kept

    def keep(self) -> None:
        """A copy of what lies there now, to put back from."""
        self._kept = self.world.copy()


def digest_of(world: World, digest: LabDigest) -> Any:
    return world.objects[digest.address]


def begun(now: float) -> Service:
    """A trail of thirty hours, before anybody verified it."""
    world = World(seed=7, now=at(now))
    trail = world.add_trail(name="main")
    chain = world.run_chain(trail, start=START, hours=30, logs_per_hour=1)
    return Service(world, trail, chain, now)


@pytest.fixture
def service() -> Service:
    """It was verified once, at half past six in the morning of the second day."""
    service = begun(30.6)
    assert service.tick().outcome is V
    assert service.of().head is not None
    service.keep()
    return service


def silenced(service: Service) -> None:
    """Nobody may ask AWS for its own word."""
    service.asked["refused"] = ("cloudtrail:GetTrailStatus",)


def test_healthy_ticks_are_quiet_and_advance(service: Service) -> None:
    heads: list[datetime] = []
    for hour in (31.6, 32.6, 33.6, 57.6):
        run = service.tick(hour, hours=26)
        known = service.of()
        assert (run.outcome, run.findings) == (V, ())
        assert known.head is not None
        assert len(known.recent) == 24
        assert (known.lost, known.attempted, known.verified) == ((), at(hour), known.head.end)
        heads.append(known.head.end)
    assert heads == [at(31), at(32), at(33), at(57)]


def test_a_digest_that_comes_late_is_no_alarm(service: Service) -> None:
    service.wait(31.6)
    service.world.redeliver(service.chain, service.digest(31), at=at(35))

    runs = [service.tick(hour) for hour in (32.6, 33.6, 35.6, 36.6)]

    assert [reasons(run) for run in runs] == [["digest_late"], ["digest_late"], [], []]
    assert at(31) in [digest.end for digest in service.of().recent]
    assert service.of().verified == at(36)


def test_the_window_shows_what_is_known_at_no_cost(service: Service) -> None:
    service.tick(31.6)
    told = list(service.source.fetched)
    known, service.known = service.known, ()
    service.tick()
    assert sorted(told) == sorted(service.source.fetched)

    service.known = known
    service.tick(200.6, hours=3)
    outside = [place for place in service.source.fetched if place == known[0].head.location]  # type: ignore[union-attr]
    assert len(outside) == 1
    assert service.of().lost == ()


# The head


def test_a_head_cut_below_a_checkpoint(service: Service) -> None:
    silenced(service)
    service.delete(28, 29, 30)

    run = service.tick()

    assert reasons(run) == ["head_rewound"]
    finding = only(run, Reason.HEAD_REWOUND)
    assert (finding.s3_uri, finding.outcome) == (None, X)
    assert finding.window == TimeWindow(at(27), at(30))
    assert finding.detail.endswith("is gone: an earlier verification saw it, and 2 more like it")
    assert (finding.expected, finding.actual) == (service.of().lost[-1].sha256, None)
    assert run.chains[0].digest_files.invalid == 3
    assert run.chains[0].hours.count("M") == 3
    known = service.of()
    assert known.head is not None
    assert known.head.end == at(27)
    assert [(one.end, one.was_head) for one in known.lost] == [
        (at(28), True),
        (at(29), True),
        (at(30), True),
    ]


def test_what_was_cut_with_the_head_stays_one_finding_as_the_chain_goes_on(
    service: Service,
) -> None:
    silenced(service)
    service.delete(28, 29, 30)
    service.tick()

    for hour, hours in ((32.6, 24), (80.6, 24), (100.6, 3)):
        run = service.tick(hour, hours=hours)
        assert reasons(run) == ["head_rewound"]
        assert only(run, Reason.HEAD_REWOUND).window == TimeWindow(at(27), at(30))

    service.put(service.digest(30))
    service.put(service.digest(28))
    run = service.tick()
    assert only(run, Reason.HEAD_REWOUND).window == TimeWindow(at(28), at(29))
    assert [one.end for one in service.of().lost] == [at(29)]


def test_a_hole_before_a_cut_head_is_a_matter_of_its_own(service: Service) -> None:
    """One that was known is left between them."""
    silenced(service)
    service.delete(28, 30)

    run = service.tick()

    assert reasons(run) == ["digest_missing", "head_rewound"]
    assert only(run, Reason.HEAD_REWOUND).window == TimeWindow(at(29), at(30))
    assert [(one.end, one.was_head) for one in service.of().lost] == [
        (at(28), False),
        (at(30), True),
    ]


def test_a_hole_that_was_told_is_not_told_again_with_the_head(service: Service) -> None:
    silenced(service)
    service.delete(29)
    service.tick()
    service.delete(30)

    assert reasons(service.tick()) == ["digest_missing", "head_rewound"]


def test_what_has_come_since_a_cut_does_not_make_two_matters_of_it(service: Service) -> None:
    """By the next tick, CloudTrail has written on."""
    service.wait(31.6)
    service.delete(29, 30)

    run = service.tick()

    assert reasons(run) == ["head_rewound"]
    assert only(run, Reason.HEAD_REWOUND).window == TimeWindow(at(28), at(30))


def test_the_next_head_is_missed_too_and_the_first_is_not_forgotten(service: Service) -> None:
    silenced(service)
    service.delete(30)
    service.tick()
    service.delete(29)

    run = service.tick()

    finding = only(run, Reason.HEAD_REWOUND)
    assert reasons(run) == ["head_rewound"]
    assert finding.window.start == at(28)
    assert finding.detail.endswith(", and 1 more like it")
    assert [one.end for one in service.of().lost] == [at(29), at(30)]


def test_newer_digests_do_not_hide_a_head_that_is_gone(service: Service) -> None:
    service.delete(30)

    for hour, hours in ((32.6, 24), (33.6, 24), (80.6, 24)):
        run = service.tick(hour, hours=hours)
        assert reasons(run) == ["head_rewound"]

    service.put(service.digest(30))
    assert service.tick().outcome is V
    assert service.of().lost == ()


def test_aws_and_memory_together_are_one_finding(service: Service) -> None:
    attacks.delete_all(service.world, service.chain)

    run = service.tick()

    assert reasons(run) == ["head_rewound"]
    assert service.of().head is None
    assert (run.population.chains.expected, run.population.chains.found) == (1, 0)
    assert run.population.method[-1] == "store"


def test_an_older_digest_written_again_does_not_explain_the_delivery(service: Service) -> None:
    """AWS's own word is satisfied by any digest that was written when it delivered one."""
    service.delete(28, 29, 30)
    moment = service.digest(30).last_modified
    older = service.digest(26)
    service.world.objects[older.address] = dataclasses.replace(
        service.world.objects[older.address], last_modified=moment
    )

    run = service.tick()

    assert "head_rewound" in reasons(run)
    service.known = ()
    assert reasons(service.tick()) == ["head_stale"]


def test_an_older_digest_in_the_head_s_place_is_that_digest_s_own_finding(
    service: Service,
) -> None:
    service.put(service.digest(30), digest_of(service.world, service.digest(29)).body)

    run = service.tick()

    assert reasons(run) == ["digest_moved"]
    assert [one.end for one in service.of().lost] == [at(30)]


def test_another_authentic_digest_in_a_known_one_s_place(service: Service) -> None:
    """CloudTrail writes each digest once: whoever has it sign another cannot unsay the first."""
    known = service.of()
    assert known.head is not None
    other = replace(known.head, sha256="00" * 32)
    service.known = (replace(known, head=other),)

    run = service.tick()

    finding = only(run, Reason.HEAD_REWOUND)
    assert reasons(run) == ["head_rewound"]
    assert (finding.expected, finding.actual) == (other.sha256, known.head.sha256)
    assert "has other content now" in finding.detail
    assert run.chains[0].digest_files.invalid == 1
    assert service.of().lost == (replace(other, was_head=True),)
    assert service.of().head == replace(known.recent[-1])


def test_a_head_that_nobody_may_read_is_not_gone(service: Service) -> None:
    service.source.unreachable[service.digest(30).key] = "access denied"
    before = service.of()

    run = service.tick()
    far = service.tick(100.6, hours=3)

    assert (run.outcome, reasons(run)) == (U, ["object_unreadable"])
    assert (far.outcome, reasons(far)) == (U, ["object_unreadable"])
    assert service.of().lost == ()
    assert before.head in service.of().held or service.of().head != before.head


def test_a_folder_that_nobody_may_list_does_not_excuse_a_head(service: Service) -> None:
    silenced(service)
    service.delete(30)
    service.source.unreachable["CloudTrail-Digest/us-east-1/2026/03/01"] = "access denied"
    before = service.of()

    run = service.tick()

    assert {"head_rewound", "object_unreadable"} <= set(reasons(run))
    assert service.of().attempted == before.attempted


def test_a_head_that_went_while_the_window_moved_on(service: Service) -> None:
    service.delete(30)

    run = service.tick(100.6, hours=3)

    assert reasons(run) == ["head_rewound"]
    assert only(run, Reason.HEAD_REWOUND).window.end == at(30)


def test_a_broken_head_beyond_the_window_is_told(service: Service) -> None:
    service.put(service.digest(30), b"junk")

    run = service.tick(100.6, hours=3)

    assert reasons(run) == ["digest_malformed"]
    assert [one.end for one in service.of().lost] == [at(30)]


def test_the_region_s_folder_is_deleted(service: Service) -> None:
    silenced(service)
    region = service.world.run_chain(service.trail, region="eu-west-1", start=at(25), hours=5)
    service.tick()
    for address in [one for one in service.world.objects if "/eu-west-1/" in one[1]]:
        del service.world.objects[address]

    run = service.tick()

    assert {one.region for one in run.findings} == {"eu-west-1"}
    assert only(run, Reason.HEAD_REWOUND).outcome is X
    assert reasons(run) == ["head_rewound"]
    assert (run.population.chains.expected, run.population.chains.found) == (2, 1)
    assert run.chains[0].digest_files.invalid == len(region.digests)


def test_a_restart_after_a_wiped_past_is_no_new_chain(service: Service) -> None:
    silenced(service)
    attacks.delete_all(service.world, service.chain, with_logs=True)
    service.world.stop_chain(service.chain)
    service.wait(34.6)
    service.world.restart_chain(service.chain, start=at(32), hours=3)

    run = service.tick(hours=3)

    assert {one.reason for one in run.findings} == {Reason.HEAD_REWOUND, Reason.CHAIN_GAP}
    assert run.chains[0].state == "open"


# Other digests


def test_a_recent_digest_that_goes_is_missing_at_once(service: Service) -> None:
    service.delete(25)

    run = service.tick()

    finding = only(run, Reason.DIGEST_MISSING)
    assert reasons(run) == ["digest_missing"]
    assert finding.detail == "an earlier verification saw it"
    service.known = ()
    assert reasons(service.tick()) == ["digest_late"]


def test_a_lost_digest_is_told_when_the_window_has_left_it(service: Service) -> None:
    service.delete(25)
    service.tick()

    run = service.tick(90.6, hours=3)

    assert reasons(run) == ["digest_missing"]
    assert [one.end for one in service.of().lost] == [at(25)]


def test_junk_in_a_known_digest_s_place_is_not_foreign() -> None:
    """Another chain of the same region covers its time, and would excuse any junk."""
    service = begun(31.1)
    service.world.run_chain(service.trail, start=at(0.5), hours=30, logs_per_hour=1)
    service.tick()
    last = service.digest(30)
    stored = service.world.objects[last.address]
    service.world.objects[last.address] = dataclasses.replace(stored, body=b"junk")

    seen = service.tick()
    service.known = ()
    unseen = service.tick()

    assert "digest_malformed" in reasons(seen)
    assert "digest_foreign" in reasons(unseen)


def backfilled(service: Service) -> LabDigest:
    late = service.world.backfill(service.chain, end=at(5), generated_at=at(30.2))
    service.tick(hours=30)
    assert service.of(ChainKind.BACKFILL).head is not None
    return late


def test_a_known_backfill_digest_is_gone(service: Service) -> None:
    late = backfilled(service)
    attacks.delete_backfill(service.world, late)

    run = service.tick(hours=30)
    far = service.tick(60.6, hours=3)

    assert (reasons(run), reasons(far)) == (["digest_missing"], ["digest_missing"])
    assert only(run, Reason.DIGEST_MISSING).s3_uri == f"s3://{late.bucket}/{late.key}"
    standard = [chain for chain in far.chains if chain.kind == "standard"]
    assert [chain.outcome for chain in standard] == [V]
    service.known = ()
    assert service.tick(hours=70).outcome is V


def test_a_backfill_digest_with_other_content(service: Service) -> None:
    backfilled(service)
    known = service.of(ChainKind.BACKFILL)
    assert known.head is not None
    other = replace(known, head=replace(known.head, sha256="00" * 32))
    service.known = (service.of(), other)

    run = service.tick(hours=30)

    assert reasons(run) == ["head_rewound"]
    assert only(run, Reason.HEAD_REWOUND).s3_uri == known.head.location.uri
    outcomes = {chain.kind.value: chain.outcome for chain in run.chains}
    assert outcomes == {"standard": V, "backfill": X}


def test_retention_forgets_what_it_removes_but_not_what_was_lost_before(service: Service) -> None:
    service.delete(25)
    service.tick()
    service.wait(24 * 40)
    service.world.buckets[service.trail.bucket].expirations = [ExpirationRule("all", "", 2)]
    for address in list(service.world.objects):
        if service.world.objects[address].last_modified < service.world.now - 2 * DAY:
            del service.world.objects[address]

    run = service.tick(hours=3)

    assert reasons(run) == ["digest_missing", "object_expired"]
    assert [one.end for one in service.of().lost] == [at(25)]
    assert reasons(service.tick(hours=3)) == ["digest_missing"]


# What is not looked at


def test_a_narrowed_run_knows_the_rest_as_before(service: Service) -> None:
    service.world.run_chain(service.trail, region="eu-west-1", start=at(25), hours=5)
    service.tick()
    before = service.known

    service.tick(31.6, source_regions=("eu-west-1",))

    changed = [one for one in service.known if one not in before]
    assert [one.chain.region for one in changed] == ["eu-west-1"]
    assert [one.chain.region for one in before] == [one.chain.region for one in service.known]


def test_what_is_known_of_another_trail_is_left_alone(service: Service) -> None:
    known = service.of()
    other = replace(known, chain=replace(known.chain, trail_name="other"))
    service.known = (known, other)
    service.delete(30)

    service.tick()

    assert other in service.known


def test_a_trail_that_moved_is_the_same_chain(service: Service) -> None:
    service.world.switch_bucket(service.chain, bucket="new-logs")

    run = service.tick(36.6)

    assert run.outcome is V
    assert [one.chain.root.bucket for one in service.known] == ["new-logs"]
    service.delete(30)
    assert reasons(service.tick()) == ["digest_missing"]


# Acceptance and record


def test_what_a_person_accepts_is_not_told_and_stands_in_the_record(service: Service) -> None:
    silenced(service)
    head = service.of().head
    service.delete(29, 30)

    run = service.tick(accepting=True)
    accepted = accept(service.known, who="an ARN", why="we restored", at=at(31))

    assert "head_rewound" not in reasons(run)
    (one,) = accepted
    assert head is not None
    assert (one.old.s3_uri, one.old.sha256, one.lost) == (head.location.uri, head.sha256, 2)
    assert one.new is not None
    assert one.new.end == at(28)
    assert (one.accepted_by, one.reason, one.accepted_at) == ("an ARN", "we restored", at(31))

    service.known = tuple(settle(known) for known in service.known)
    assert "head_rewound" not in reasons(service.tick())
    assert accept(service.known, who="", why="", at=at(31)) == ()


def test_an_accepted_chain_may_have_nothing_left(service: Service) -> None:
    attacks.delete_all(service.world, service.chain, with_logs=True)

    service.tick(accepting=True)

    (one,) = accept(service.known, who="an ARN", why="closed", at=at(31))
    assert one.new is None


def test_the_record_names_its_predecessor_and_what_was_read(service: Service) -> None:
    run = service.tick(previous_sha256="ab" * 32)

    assert run.run.previous_sha256 == "ab" * 32
    assert run.run.stored_bytes == sum(
        len(service.world.objects[log.address].body)
        for digest in service.chain.digests
        if digest.end >= at(6.6)
        for log in digest.log_files
    )


def test_what_is_known_is_no_configuration(service: Service) -> None:
    one = service.tick().run.configuration_sha256
    service.known = ()

    assert service.tick().run.configuration_sha256 == one


# Each check switched off


def nothing_contradicts(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(join, "check_known", lambda known, entries: None)  # noqa: ARG005


def nobody_remembers(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(plan, "recalls", lambda *chains, **rest: iter(()))  # noqa: ARG005


def nothing_is_looked_up(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(checking, "look_up", lambda *chains, **rest: ([], []))  # noqa: ARG005


def cut(service: Service) -> None:
    service.delete(28, 29, 30)
    older = service.digest(26)
    written = service.digest(30).last_modified
    stored = service.world.objects[older.address]
    service.world.objects[older.address] = dataclasses.replace(stored, last_modified=written)


def gone_with_newer(service: Service) -> None:
    service.delete(30)
    service.wait(100.6)


def other_content(service: Service) -> None:
    known = service.of()
    assert known.head is not None
    service.known = (replace(known, head=replace(known.head, sha256="00" * 32)),)


def the_late_one(service: Service) -> None:
    attacks.delete_backfill(service.world, backfilled(service))


SWITCHES: list[
    tuple[Callable[[Service], None], Callable[[pytest.MonkeyPatch], None], float, list[str]]
] = [
    (cut, nobody_remembers, 24, ["head_stale"]),
    (gone_with_newer, nothing_is_looked_up, 3, []),
    (other_content, nothing_contradicts, 24, []),
    (lambda one: one.delete(25), nobody_remembers, 24, ["digest_late"]),
    (the_late_one, nobody_remembers, 30, []),
]


@pytest.mark.parametrize(("attack", "switch_off", "hours", "unseen"), SWITCHES)
def test_without_its_check_an_attack_is_not_told(
    service: Service,
    monkeypatch: pytest.MonkeyPatch,
    attack: Callable[[Service], None],
    switch_off: Callable[[pytest.MonkeyPatch], None],
    hours: float,
    unseen: list[str],
) -> None:
    attack(service)
    known = service.known
    assert service.tick(hours=hours).outcome is X

    service.known = known
    switch_off(monkeypatch)
    assert reasons(service.tick(hours=hours)) == unseen
