"""How a trail of the configuration is watched: its table and the service's, as ticks want them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from integrity.incidents.policy import Policy
from integrity.service.past import PastPolicy
from integrity.service.tick import Watch
from integrity.sources.claimed import parse_trail_arn
from integrity.state import Audience

if TYPE_CHECKING:
    from integrity.config.model import Config, TrailTable


def watch_of(
    table: TrailTable, config: Config, destinations: Mapping[Audience, tuple[str, ...]]
) -> Watch:
    """One trail's. `destinations` are the names of those that each audience has."""
    arn = parse_trail_arn(table.trail_arn)
    assert arn is not None  # noqa: S101 - the configuration takes nothing else
    service, policy = config.service, config.policy
    return Watch(
        trail_arn=table.trail_arn,
        account_id=arn.account_id,
        home_region=arn.region,
        overlap=service.overlap,
        first_window=service.first_window,
        policy=Policy(
            head_ticks=policy.head_ticks,
            trouble_ticks=policy.trouble_ticks,
            unreferenced_after=policy.unreferenced_after,
            unreadable_after=policy.unreadable_after,
            retention_days=table.retention_days,
            remind_every=policy.remind_every,
            past_days=policy.past_days,
        ),
        destinations=destinations,
        per_chain_metrics=config.metrics.per_chain,
        past=_past(table, config),
        unconfirmed_after=policy.unconfirmed_after,
    )


def _past(table: TrailTable, config: Config) -> PastPolicy | None:
    service = config.service
    if not service.watch_days:
        return None
    return PastPolicy(
        watch_days=service.watch_days,
        reprove_days=service.reprove_days,
        retention_days=table.retention_days,
        account_ids=table.account_ids,
        source_regions=table.source_regions,
    )
