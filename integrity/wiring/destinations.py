"""Who is told where: from the configuration's audiences to destinations that have names.

A name is kept with each unsent letter. So it is the same after a restart, says to a person which
place is meant, and holds no secret: `sns:ARN`, `eventbridge:ARN`, `firehose:ARN`; `dynamodb:TABLE`
and `s3:BUCKET/PREFIX`; `slack:AUDIENCE` and `ses:AUDIENCE`, of which an audience has one at most;
`webhook:HOST#N`, the N-th of that host as the configuration has them. A place that both audiences
have is one destination under one name. Nothing is asked of a place here.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterator, Mapping
from datetime import UTC, datetime
from functools import partial
from typing import TYPE_CHECKING
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

from msgspec import Struct

from integrity.service.ports import Destination
from integrity.state import Audience

if TYPE_CHECKING:
    from integrity.aws.session import Aws
    from integrity.config.audiences import AudienceTable, BucketTable
    from integrity.config.model import Config

OpenAws = Callable[[], "Aws"]


class _Plan(Struct, frozen=True):
    """A place of the configuration. `place` is equal where the place is the same; it may be secret.

    `name` is what the first audience that has it calls it.
    """

    place: tuple[Hashable, ...]
    name: str
    open: Callable[[OpenAws], Destination]


def open_destinations(
    config: Config, open_aws: OpenAws
) -> tuple[Mapping[str, Destination], Mapping[Audience, tuple[str, ...]]]:
    """Every destination by its name, and the names of those that each audience is told at.

    `open_aws` opens AWS as the service itself: called once, and only where a destination is AWS's.
    """
    opened: list[Aws] = []

    def once() -> Aws:
        if not opened:
            opened.append(open_aws())
        return opened[0]

    by_place = _named(config)
    destinations = {plan.name: plan.open(once) for plan in by_place.values()}
    return destinations, _by_audience(config, by_place)


def name_destinations(config: Config) -> Mapping[Audience, tuple[str, ...]]:
    """The names alone, for whoever only tells them."""
    return _by_audience(config, _named(config))


def _named(config: Config) -> dict[tuple[Hashable, ...], _Plan]:
    plans: dict[tuple[Hashable, ...], _Plan] = {}
    of_host: dict[str, int] = {}
    for audience in Audience:
        for plan in _plans(audience, config.audiences.of(audience)):
            if plan.place in plans:
                continue
            name = plan.name
            if plan.place[0] == "webhook":
                of_host[name] = of_host.get(name, 0) + 1
                name = f"{name}#{of_host[name]}"
            plans[plan.place] = _Plan(plan.place, name, plan.open)
    return plans


def _by_audience(
    config: Config, by_place: Mapping[tuple[Hashable, ...], _Plan]
) -> dict[Audience, tuple[str, ...]]:
    return {
        audience: tuple(
            dict.fromkeys(
                by_place[plan.place].name
                for plan in _plans(audience, config.audiences.of(audience))
            )
        )
        for audience in Audience
    }


def _plans(audience: Audience, table: AudienceTable) -> Iterator[_Plan]:
    for arn in table.sns_topic_arns:
        yield _Plan(("sns", arn), f"sns:{arn}", partial(_open_sns, arn))
    if table.slack_webhook_url is not None:
        url = table.slack_webhook_url.get_secret_value()
        yield _Plan(("slack", url), f"slack:{audience.value}", partial(_open_slack, url))
    for bus in table.eventbridge_bus_arns:
        yield _Plan(("eventbridge", bus), f"eventbridge:{bus}", partial(_open_event_bus, bus))
    if table.ses_to:
        mail = (table.ses_from, table.ses_to, table.ses_configuration_set, table.ses_region)
        yield _Plan(("ses", *mail), f"ses:{audience.value}", partial(_open_mail, table))
    for webhook in table.webhooks:
        url, secret = webhook.url.get_secret_value(), webhook.secret.get_secret_value()
        host = urlsplit(url).netloc.lower()
        yield _Plan(
            ("webhook", url, secret), f"webhook:{host}", partial(_open_webhook, url, secret)
        )
    for table_name in table.dynamodb_tables:
        yield _Plan(
            ("dynamodb", table_name), f"dynamodb:{table_name}", partial(_open_items, table_name)
        )
    for bucket in table.s3:
        yield _Plan(
            ("s3", bucket), f"s3:{bucket.bucket}/{bucket.prefix}", partial(_open_bucket, bucket)
        )
    for arn in table.firehose_stream_arns:
        yield _Plan(("firehose", arn), f"firehose:{arn}", partial(_open_stream, arn))


# What AWS and HTTP need is imported where a destination is opened: to name them needs none of it.


def _open_sns(arn: str, open_aws: OpenAws) -> Destination:
    from integrity.deliver.sns import SnsTopic

    return SnsTopic(open_aws(), arn)


def _open_slack(url: str, _: OpenAws) -> Destination:
    from integrity.deliver.slack import SlackChannel

    return SlackChannel(url)


def _open_event_bus(bus: str, open_aws: OpenAws) -> Destination:
    from integrity.deliver.eventbridge import EventBus

    return EventBus(open_aws(), bus)


def _open_mail(table: AudienceTable, open_aws: OpenAws) -> Destination:
    from integrity.deliver.ses import Mail

    return Mail(
        open_aws(),
        table.ses_from or "",
        table.ses_to,
        configuration_set=table.ses_configuration_set,
        region=table.ses_region,
    )


def _open_webhook(url: str, secret: str, _: OpenAws) -> Destination:
    from integrity.deliver.webhook import Webhook

    return Webhook(url, secret, lambda: datetime.now(UTC))


def _open_items(table: str, open_aws: OpenAws) -> Destination:
    from integrity.deliver.dynamodb import ItemTable

    return ItemTable(open_aws(), table)


def _open_bucket(table: BucketTable, open_aws: OpenAws) -> Destination:
    from integrity.deliver.s3 import EventBucket

    return EventBucket(
        open_aws(),
        table.bucket,
        prefix=table.prefix,
        error_prefix=f"{table.prefix}errors/",
        kms_key_id=table.kms_key_id,
        zone=ZoneInfo(table.time_zone),
        region=table.region,
    )


def _open_stream(arn: str, open_aws: OpenAws) -> Destination:
    from integrity.deliver.firehose import DeliveryStream

    return DeliveryStream(open_aws(), arn)
