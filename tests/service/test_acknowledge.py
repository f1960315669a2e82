"""A person's word beside the ticks: what it changes, what it never does, and who may be faster."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from datetime import datetime

import pytest

from integrity.cli import main
from integrity.errors import AccessError, UsageError
from integrity.incidents.acknowledged import give
from integrity.lab import attacks
from integrity.lab.faults import Fault
from integrity.record import Acknowledgement, ExitStatus, exit_status
from integrity.service.acknowledge import keep_acknowledgement
from integrity.state import Commit, ConflictError, Incident
from integrity.structs import replace
from tests.memory_store import MemoryStore
from tests.service.memory_stage import HOUR, MemoryStage, begun
from tests.service.stage import Stage
from tests.service.test_commands import Captured, log_lines, shell

__all__ = ["shell"]

WHO = "arn:aws:iam::111122223333:user/alice"


class Interrupted(MemoryStore):
    """A store in which something happens just before a commit, once or each time."""

    def __init__(self, *happenings: Callable[[], object]) -> None:
        super().__init__()
        self.happenings = list(happenings)

    def commit(self, commit: Commit) -> None:
        if self.happenings:
            self.happenings.pop(0)()
        super().commit(commit)


@pytest.fixture
def memory() -> MemoryStage:
    """One with an open incident that security was told of."""
    memory = begun()
    attacks.edit_log(memory.world, memory.newest.log_files[0])
    memory.tick()
    assert memory.boxes["security"].news == [("opened", "log_hash_mismatch")]
    return memory


def incident(memory: MemoryStage) -> Incident:
    [one] = memory.store.load(memory.trail.arn).incidents
    return one


def given(memory: MemoryStage, why: str = "known") -> Acknowledgement:
    return give(WHO, why, memory.world.now, 100 * HOUR)


def say(memory: MemoryStage, why: str = "known") -> Incident:
    return keep_acknowledgement(
        memory.store, [memory.trail.arn], incident(memory).id[:4], given(memory, why)
    )


def test_it_is_in_every_record_and_lowers_nothing(memory: MemoryStage) -> None:
    assert memory.tick().run.acknowledged == ()
    before = memory.store.load(memory.trail.arn)
    kept = say(memory)
    after = memory.store.load(memory.trail.arn)

    assert after.checkpoint == before.checkpoint
    assert after.incidents == (kept,)
    for _ in range(2):
        memory.pass_hours()
        run = memory.tick().run
        [one] = run.acknowledged
        assert (one.incident_id, one.acknowledgements) == (kept.id, kept.acknowledgements)
        assert exit_status(run) == ExitStatus.INVALID
        assert memory.sink.values["OpenInvalidIncidents"] == 1
    memory.pass_hours(30)
    memory.tick()
    assert memory.boxes["security"].news == []
    memory.pass_hours(70)
    memory.tick()
    assert memory.boxes["security"].news == [("reminded", "log_hash_mismatch")]


def test_a_tick_that_meets_it_decides_again_and_loses_nothing(memory: MemoryStage) -> None:
    """A person between a tick's beginning and its end: the tick's own news are not lost."""
    store = Interrupted()
    store.__dict__ |= {**memory.store.__dict__, "happenings": [lambda: say(memory)]}
    memory.store = store
    memory.pass_hours()
    attacks.edit_log(memory.world, memory.newest.log_files[0])
    # `say` commits, too, and finds no more that happens.
    run = memory.tick().run

    assert run.acknowledged == ()  # it began before
    worse = incident(memory)
    assert worse.count == 2
    assert [one.by for one in worse.acknowledgements] == [WHO]
    assert memory.boxes["security"].news == [("worsened", "log_hash_mismatch")]
    assert [one.run_id for one in memory.store.list_runs(memory.trail.arn, limit=1)] == [run.run.id]


def test_a_tick_that_another_one_overtakes_leaves_it_all_to_that_one(memory: MemoryStage) -> None:
    store = Interrupted()
    store.__dict__ |= {**memory.store.__dict__, "happenings": [memory.tick]}
    memory.store = store
    memory.pass_hours()
    attacks.edit_log(memory.world, memory.newest.log_files[0])
    run = memory.tick().run

    assert memory.boxes["security"].news == [("worsened", "log_hash_mismatch")]
    [last] = memory.store.list_runs(memory.trail.arn, limit=1)
    assert last.run_id != run.run.id


def test_who_is_slower_than_a_tick_or_another_person_says_it_again(memory: MemoryStage) -> None:
    def tick() -> None:
        memory.pass_hours()
        memory.tick()

    store = Interrupted()
    happenings = [tick, lambda: None, lambda: say(memory, "the other"), lambda: None]
    store.__dict__ |= {**memory.store.__dict__, "happenings": happenings}
    memory.store = store

    kept = say(memory)

    assert [one.reason for one in kept.acknowledgements] == ["the other", "known"]
    assert incident(memory) == kept


def test_who_is_always_slower_hears_that_nothing_was_kept(memory: MemoryStage) -> None:
    def lose() -> None:
        raise ConflictError

    store = Interrupted(*[lose] * 9)
    store.__dict__ |= {**memory.store.__dict__, "happenings": [lose] * 9}
    memory.store = store

    with pytest.raises(AccessError, match="nothing was kept"):
        say(memory)
    assert incident(memory).acknowledgements == ()


def test_what_a_tick_ends_meanwhile_is_not_acknowledged(memory: MemoryStage) -> None:
    class Ending(MemoryStore):
        def list_incidents(self, trail_arn: str, *, since: datetime) -> Sequence[Incident]:
            found = super().list_incidents(trail_arn, since=since)
            self.incidents = {
                key: replace(one, resolved=memory.world.now) for key, one in self.incidents.items()
            }
            return found

    store = Ending()
    store.__dict__ |= memory.store.__dict__
    with pytest.raises(UsageError, match="was resolved at"):
        keep_acknowledgement(store, [memory.trail.arn], incident(memory).id, given(memory))


# As a person types it


def attacked(shell: Stage, capsys: Captured) -> str:
    main(["run"])
    shell.pass_hours()
    attacks.edit_log(shell.world, shell.newest.log_files[0])
    main(["run"])
    capsys.readouterr()
    main(["incidents"])
    return capsys.readouterr().out.split("\t")[0]


def test_ack_says_what_it_did_and_the_list_shows_it(
    shell: Stage, capsys: Captured, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("integrity.cli.incidents.read_clock", lambda: shell.world.now)
    incident_id = attacked(shell, capsys)

    assert (
        main(["ack", incident_id[:6], "--reason", " change\n4711 ", "--until", "2026-03-09"]) == 0
    )
    shown = capsys.readouterr()
    assert shown.out == (
        f"{incident_id}\tlog_hash_mismatch\tacknowledged by arn:aws:iam::111122223333:user/auditor "
        "until 2026-03-10T00:00:00Z: security not reminded\n"
    )
    [line] = log_lines(shown.err)
    assert (line["message"], line["incident"]) == ("acknowledged", incident_id)
    assert (line["reason"], line["until"]) == ("change 4711", "2026-03-10T00:00:00Z")
    main(["incidents"])
    assert "\topen, acknowledged until 2026-03-10T00:00:00Z\t" in capsys.readouterr().out

    shell.pass_hours()
    assert main(["ack", incident_id, "--reason", "no", "--withdraw"]) == 0
    assert "no longer acknowledged: the next tick speaks" in capsys.readouterr().out
    main(["incidents", "--format", "json"])
    past = json.loads(capsys.readouterr().out)["acknowledgements"]
    assert [one["reason"] for one in past] == ["change 4711", "no"]
    assert past[1]["at"] == past[1]["until"]
    shell.mail()
    shell.pass_hours()
    assert main(["run"]) == 1
    assert shell.news() == [("reminded", "log_hash_mismatch")]


def test_ack_of_what_nobody_was_told_says_so(shell: Stage, capsys: Captured) -> None:
    incident_id = attacked(shell, capsys)
    [one] = shell.service().list_incidents(since=shell.world.now)
    told = replace(one, told=())
    state = shell.service().store.load(shell.trail_arn)
    assert state.checkpoint is not None
    shell.service().store.commit(
        Commit(
            trail_arn=shell.trail_arn,
            version=state.version,
            checkpoint=state.checkpoint,
            incidents=(told,),
            letters=(),
            run=None,
        )
    )
    assert main(["ack", incident_id, "--reason", "r", "--until", "12h"]) == 0
    assert "nobody was told yet, and will be all the same" in capsys.readouterr().out


def test_ack_without_a_name_is_3(shell: Stage, capsys: Captured) -> None:
    incident_id = attacked(shell, capsys)
    shell.server.faults.append(Fault("deny", operation="GetCallerIdentity"))

    assert main(["ack", incident_id, "--reason", "r", "--until", "12h"]) == 3
    assert "STS does not say who you are" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("zzzz", "--reason", "r", "--until", "7d"), "'zzzz' is no incident"),
        (("abc", "--reason", "r", "--until", "7d"), "'abc' is no incident"),
        (("abcd", "--until", "7d"), "--reason"),
        (("abcd", "--reason", "  ", "--until", "7d"), "a reason of 1 to 1000 characters"),
        (("abcd", "--reason", "x" * 1001, "--until", "7d"), "a reason of 1 to 1000 characters"),
        (("abcd", "--reason", "r"), "either how long, --until 7d, or --withdraw"),
        (("abcd", "--reason", "r", "--until", "7d", "--withdraw"), "either how long"),
        (("abcd", "--reason", "r", "--until", "soon"), "a span of time, such as 7d"),
        (("abcd", "--reason", "r", "--until", "2026-13-01"), "is no time"),
        (("abcd", "--reason", "r", "--until", "2020-03-01"), "expected a time after now"),
        (("abcd", "--reason", "r", "--until", "7d"), "no incident has an id that begins with abcd"),
    ],
)
def test_an_ack_that_is_typed_wrong_is_2(
    shell: Stage, capsys: Captured, arguments: tuple[str, ...], words: str
) -> None:
    del shell
    assert main(["ack", *arguments]) == 2
    assert words in " ".join(capsys.readouterr().err.split())
