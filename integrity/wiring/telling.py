"""Examines who a configuration tells: every destination once, the metrics, and a drill's sights."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import TYPE_CHECKING

from integrity.doctor.asking import Asker, Need
from integrity.doctor.check import Check, skipped
from integrity.doctor.drill import examine_drill
from integrity.doctor.telling import Place, examine_metrics, examine_place_to_tell
from integrity.metrics import Meter
from integrity.state import Audience
from integrity.wiring.destinations import name_destinations, open_destinations

if TYPE_CHECKING:
    from integrity.config.model import Config


def examine_telling(config: Config, asker: Asker, now: datetime, *, sends: bool) -> Iterator[Check]:
    """Every place to tell, the metrics, and what a drill would look at."""
    for place in _places(config, asker, sends=sends):
        yield from examine_place_to_tell(asker, place, config.trails[0].trail_arn, now)
    metrics = config.metrics
    if metrics.enabled:
        yield examine_metrics(asker, metrics.namespace, metrics.region, now)
        for table in config.trails:
            yield from examine_drill(
                asker,
                Meter(table.trail_arn, now).drill(),
                metrics.namespace,
                metrics.region,
            )
    else:
        yield skipped("cloudwatch:PutMetricData", metrics.namespace, "metrics.enabled is false")


def _places(config: Config, asker: Asker, *, sends: bool) -> Iterator[Place]:
    """Every destination once, for the first audience that has it."""
    destinations = open_destinations(config, lambda: asker.aws)[0] if sends else {}
    seen: set[str] = set()
    for audience, names in name_destinations(config).items():
        for name in names:
            if name in seen:
                continue
            seen.add(name)
            destination = destinations.get(name)
            yield Place(
                name,
                audience,
                _need(name, audience, config, asker),
                None if destination is None else destination.deliver,
            )


def _need(name: str, audience: Audience, config: Config, asker: Asker) -> Need | None:
    """What the service needs for a destination that is AWS's."""
    kind, _, where = name.partition(":")
    own = f"arn:{asker.aws.partition()}"
    if kind == "sns":
        return Need("sns:Publish", where)
    if kind == "eventbridge":
        default = f"{own}:events:{asker.aws.region}:{asker.account_id}:event-bus/default"
        return Need("events:PutEvents", default if where == "default" else where)
    if kind == "ses":
        table = config.audiences.of(audience)
        region = table.ses_region or asker.aws.region
        identity = f"{own}:ses:{region}:{asker.account_id}:identity/{table.ses_from}"
        return Need("ses:SendEmail", identity)
    return None
