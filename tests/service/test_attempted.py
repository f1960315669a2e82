"""Up to when a service has looked at its trails, which decides whether a tick was missed."""

from __future__ import annotations

from datetime import timedelta
from threading import Event

from tests.service.stage import Stage


def test_a_tick_that_was_cut_short_is_no_tick(stage: Stage) -> None:
    service = stage.service()
    assert service.last_attempted() is None
    service.store.close()

    class Soon(Event):
        """Set as soon as the first object was asked for."""

        def is_set(self) -> bool:
            return stage.server.requests.by_operation["GetObject"] > 0

    stage.tick()
    first = stage.world.now
    stage.pass_hours(3)
    stage.server.requests.clear()
    cut = stage.tick(Soon())

    service = stage.service()
    assert cut.run is not None
    assert cut.run.run.interrupted
    assert len(service.store.list_runs(stage.trail_arn, limit=9)) == 2
    assert service.last_attempted() == first
    [whole] = service.tick(Event())
    assert whole.status == 0
    assert service.last_attempted() == stage.world.now == first + timedelta(hours=3)
    service.store.close()


def test_of_several_trails_the_one_furthest_behind_counts(stage: Stage) -> None:
    stage.tick()
    other = stage.trail_arn.replace("trail/", "trail/another-")
    stage.settings += f'\n[[trails]]\ntrail_arn = "{other}"'
    service = stage.service()
    assert service.last_attempted() is None
    service.store.close()
