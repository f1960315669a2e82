"""Since when a finding is known, tick after tick, as the records have it."""

from __future__ import annotations

from integrity.chain.evidence import FirstSeen, SeenOf
from integrity.lab import attacks
from integrity.lab.objects import LabLog
from integrity.record import Run, decode
from tests.service.memory_stage import MemoryStage, begun


def attacked(memory: MemoryStage, log: LabLog) -> dict[str | None, FirstSeen]:
    """Between two ticks, of which the next one finds it."""
    attacks.edit_log(memory.world, log)
    return {f"s3://{log.bucket}/{log.key}": FirstSeen(memory.world.now, SeenOf.FINDING)}


def kept(memory: MemoryStage, run: Run) -> dict[str | None, FirstSeen | None]:
    """What the record of a tick has, read back."""
    newest = memory.records.newest(memory.trail.arn)
    assert newest is not None
    assert decode(newest.document) == run
    found = [one for part in (run, *run.looks) for one in part.findings]
    return {one.s3_uri: one.first_seen for one in found}


def test_each_record_says_when_the_service_learned_of_each_finding() -> None:
    memory = begun()
    seen = attacked(memory, memory.newest.log_files[0])
    assert kept(memory, memory.tick().run) == seen
    memory.pass_hours()
    seen |= attacked(memory, memory.newest.log_files[0])
    assert kept(memory, memory.tick().run) == seen
    memory.pass_hours(30)
    memory.tick()
    memory.pass_hours(30)  # the window has left them behind, and their incident is looked at again
    run = memory.tick().run
    assert not run.findings
    assert kept(memory, run) == seen
