"""Worlds in which everything is valid, to be harmed: each is made once and copied for each try."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cache

from integrity.lab.objects import Address
from integrity.record import Run
from tests.chain.specimens import at
from tests.verify.stage import Stage, made


@dataclass(frozen=True)
class Ground:
    """A trail all of whose digests and log files lie in the first `hours` of March."""

    stage: Stage = field(repr=False)
    hours: float

    @property
    def digests(self) -> list[Address]:
        """Where its digests lie, backfill ones too."""
        chains = self.stage.world.chains
        return sorted(d.address for chain in chains for d in (*chain.digests, *chain.backfills))

    @property
    def logs(self) -> list[Address]:
        """Where its log files lie."""
        return sorted(log.address for chain in self.stage.world.chains for log in chain.log_files)

    def copy(self) -> Stage:
        """The same again, to be harmed."""
        world = self.stage.world.copy()
        return Stage(world, world.trails[0], world.chains[0])

    def verify(self, stage: Stage) -> Run:
        """The record of all of it, with AWS's own word."""
        return stage.verify(0, self.hours)


GROUNDS = ["begun", "older", "restarted", "moved", "backfilled", "two regions"]


@cache
def ground(name: str) -> Ground:
    """One of these worlds."""
    match name:
        case "begun":
            return Ground(made(hours=8, logs_per_hour=1, empty_hours=(3,)), 8)
        case "older":
            return Ground(made(hours=8, logs_per_hour=1, begin="linked", late_hours=(2, 5)), 8)
        case "restarted":
            stage = made(hours=5, logs_per_hour=1)
            stage.world.restart_chain(stage.chain, stop=at(5.25), start=at(5.5), hours=4)
            return Ground(stage, 9.5)
        case "moved":
            stage = made(hours=4, logs_per_hour=1)
            stage.world.switch_bucket(stage.chain, bucket="new-logs", prefix="moved")
            stage.world.continue_chain(stage.chain, hours=4)
            return Ground(stage, 8)
        case "backfilled":
            stage = made(hours=8, logs_per_hour=1)
            for end, generated in ((5, 7.2), (3, 8.2)):
                stage.world.backfill(stage.chain, end=at(end), generated_at=at(generated))
            return Ground(stage, 8)
        case "two regions":
            stage = made(hours=4, logs_per_hour=1)
            stage.world.run_chain(
                stage.trail, region="eu-west-1", start=at(0.5), hours=4, logs_per_hour=1
            )
            return Ground(stage, 4)
    raise KeyError(name)
