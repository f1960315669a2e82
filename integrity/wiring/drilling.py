"""A drill of the service as it is configured, and what is kept of it.

It goes with the process's own credentials, as everything does that the service tells.
"""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from logging import getLogger
from threading import Event
from typing import TYPE_CHECKING

from integrity.aws.session import Aws, AwsRecipe
from integrity.errors import AccessError
from integrity.service.drill import Drill
from integrity.service.drill_ports import Way
from integrity.service.drilled import Drilled, encode
from integrity.service.ports import RecordStore
from integrity.sources.claimed import parse_trail_arn
from integrity.state import DeliveryError
from integrity.wiring.destinations import open_destinations

if TYPE_CHECKING:
    from integrity.config.model import Config, TrailTable

_log = getLogger(__name__)


def make_drill(
    config: Config,
    table: TrailTable,
    *,
    clock: Callable[[], datetime],
    timeout: timedelta,
    queue_urls: Sequence[str],
    stopping: Event,
) -> Drilled:
    """Go the whole way once. Raises AccessError where a queue cannot be emptied beforehand."""
    from integrity.deliver.alarms import Alarms
    from integrity.deliver.cloudwatch import Metrics
    from integrity.deliver.topics import DrillQueue, Topics

    opened: list[Aws] = []

    def open_aws() -> Aws:
        if not opened:
            opened.append(AwsRecipe().open())
        return opened[0]

    arn = parse_trail_arn(table.trail_arn)
    assert arn is not None  # noqa: S101 - the configuration takes nothing else
    destinations, names = open_destinations(config, open_aws)
    numbers = config.metrics
    place = numbers.namespace, numbers.region
    try:
        queues = [DrillQueue(open_aws(), url) for url in queue_urls]
    except DeliveryError as error:
        raise AccessError(f"the drill was not begun: {error}") from error
    way = Way(
        trail_arn=table.trail_arn,
        place=(arn.account_id, arn.region),
        names=names,
        destinations=destinations,
        metrics=Metrics(open_aws(), *place) if numbers.enabled else None,
        alarms=Alarms(open_aws(), *place) if numbers.enabled else None,
        topics=Topics(open_aws),
        queues=queues,
        clock=clock,
        timer=time.monotonic,
        pause=stopping.wait,
        stopping=stopping,
    )
    # Who needs nothing of AWS is not asked for credentials.
    caller = opened[0].caller(arn.region) if opened else None
    drill = Drill(way, f"drill-{secrets.token_hex(4)}", timeout)
    return drill.run(caller.arn if caller else None)


def keep_drill(records: RecordStore, drilled: Drilled) -> None:
    """A line in the log, and a document beside the records; without it the line has to do."""
    try:
        uri = records.write_drill(
            drilled.trail_arn, drilled.started_at, drilled.id, encode(drilled)
        )
    except AccessError as error:
        _log.error("drill not kept", extra={"drill": drilled.id, "error": str(error)})
        uri = ""
    _log.info(
        "drill",
        extra={
            "trail": drilled.trail_arn,
            "drill": drilled.id,
            "by": drilled.by,
            "passed": drilled.has_passed,
            "missing": [f"{hop.name} {hop.place}" for hop in drilled.missing],
            "seconds": (drilled.finished_at - drilled.started_at).total_seconds(),
            "uri": uri,
        },
    )
