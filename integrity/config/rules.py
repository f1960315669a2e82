"""The tables of a rules file: what a rule and a place to tell of it are. Secrets are never shown.

The keys of cloudtrail-tattletail (`jq_match`, `to_email`, an inline `webhook_url`) are keys here
too, so that its file is taken as it is. Whether rules and destinations go together is
`parse_rules`'s to say; where events are told is the outbox's.
"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import AfterValidator, Field
from pydantic_core import PydanticCustomError

from integrity.config import forms
from integrity.config.table import Table
from integrity.events.fields import parse_field
from integrity.events.templates import check_template

_ARN = "arn:aws[a-z0-9-]*"


def _check_template(text: str) -> str:
    wrong = check_template(text)
    if wrong:
        raise PydanticCustomError(forms.FORM, "{said}", {"said": wrong})
    return text


def _check_field(text: str) -> str:
    if parse_field(text) is None:
        raise PydanticCustomError(
            forms.FORM, "expected NAME=PATH, such as name=userIdentity.userName"
        )
    return text


Template = Annotated[str, AfterValidator(_check_template)]
ItemField = Annotated[str, AfterValidator(_check_field)]
Variable = Annotated[
    str,
    Field(pattern="^[A-Za-z_][A-Za-z0-9_]*$"),
]
EventName = Annotated[str, Field(pattern="^[A-Za-z0-9_]+$")]
EventSource = Annotated[str, Field(pattern=r"^[A-Za-z0-9_.-]+$")]
# Whether there is such a topic is for SNS to say: samples have accounts of any length.
TopicArn = Annotated[str, Field(pattern=rf"^{_ARN}:sns:[a-z0-9-]+:[0-9]{{1,12}}:[A-Za-z0-9_-]+$")]
Program = Annotated[str, Field(min_length=1, max_length=16 * 1024)]
Id = Annotated[str, Field(min_length=1, max_length=100, pattern=r"^[^\x00-\x1f>]+$")]


class RuleTable(Table):
    """`[[rule]]`: what somebody wants to hear of."""

    name: Id = Field(description="What it is called: in messages, counters and logs.")
    match: Program | None = Field(default=None, description="jq program; its first output decides.")
    jq_match: Program | None = Field(default=None, description="The same as `match`.")
    description: str = Field(default="", description="A sentence for who is told.")
    destinations: tuple[str, ...] = Field(
        default=(), description="Ids of the destinations that are told."
    )
    event_names: tuple[EventName, ...] = Field(
        default=(), description="Only events of these names are looked at."
    )
    event_sources: tuple[EventSource, ...] = Field(
        default=(), description="Only events of these services, such as `signin.amazonaws.com`."
    )
    subject: Template = Field(default="", description="Subject of the message, with fields.")
    template: Template = Field(default="", description="Text of the message, with fields.")
    time_zone: forms.TimeZone = Field(
        default="UTC", description="Zone of `{@localTime}` in subject and template."
    )

    @property
    def program(self) -> str:
        """The jq program, by either key."""
        return self.match or self.jq_match or ""


class DestinationTable(Table):
    """`[[destination]]`: a place to tell people. What else it needs depends on its type."""

    id: Id = Field(description="What rules call it.")


class SnsTable(DestinationTable):
    """An SNS topic."""

    type: Literal["sns"]
    sns_arn: TopicArn = Field(description="The topic.")


class SlackTable(DestinationTable):
    """A Slack channel, through an incoming webhook. Its URL is a secret."""

    type: Literal["slack_webhook"]
    webhook_url: forms.SecretUrl | None = Field(
        default=None, description="The URL itself; a variable is the better place for it."
    )
    webhook_url_env: Variable | None = Field(
        default=None, description="Environment variable that holds the URL."
    )


class SesTable(DestinationTable):
    """E-mail through SES."""

    type: Literal["ses"]
    to_emails: Annotated[tuple[forms.Address, ...], forms.Unique, forms.Recipients] = Field(
        default=(), description="Recipients, at most 50."
    )
    to_email: forms.Address | None = Field(default=None, description="The one recipient.")
    from_email: forms.Address = Field(description="Sender, an identity that SES has verified.")
    region: forms.Region | None = Field(
        default=None, description="Region in which SES knows the sender."
    )
    configuration_set: forms.ConfigurationSet | None = Field(
        default=None, description="Configuration set that e-mail is sent with."
    )

    @property
    def recipients(self) -> tuple[str, ...]:
        """By either key."""
        return self.to_emails or ((self.to_email,) if self.to_email else ())


class EventBusTable(DestinationTable):
    """An EventBridge bus."""

    type: Literal["eventbridge"]
    bus_arn: forms.BusArn = Field(description="The bus, or `default`.")


class HookTable(DestinationTable):
    """A program of one's own that events are posted to, signed (docs/destinations.md)."""

    type: Literal["webhook"]
    url: forms.SecretUrl | None = Field(default=None, description="Where to post.")
    url_env: Variable | None = Field(
        default=None, description="Environment variable that holds the URL."
    )
    secret_env: Variable = Field(
        description="Environment variable that holds the shared secret of the signature."
    )


class LedgerTable(DestinationTable):
    """A DynamoDB table, an item an event, put only if it is new."""

    type: Literal["dynamodb"]
    table: forms.DynamoTable = Field(description="Name or ARN of the table; its key is `eventID`.")
    fields: tuple[ItemField, ...] = Field(
        default=(),
        description="What an item has: `NAME=PATH`. Without them the fields of a ledger of logins.",
    )
    time_zone: forms.TimeZone = Field(default="UTC", description="Zone of `@localTime`.")
    keep_days: int = Field(
        default=90, strict=True, ge=1, le=36500, description="Days until `unixtime`, the TTL."
    )
    region: forms.Region | None = Field(
        default=None, description="The table's region, where `table` is no ARN."
    )


class ArchiveTable(DestinationTable):
    """A bucket, an object an event, under its local date. It must not be an audited one."""

    type: Literal["s3"]
    bucket: forms.Bucket = Field(description="The bucket, which is not an audited one.")
    kms_key_id: forms.KmsKey = Field(description="KMS key that encrypts the objects.")
    prefix: forms.Folder = Field(default="", description="Folder in which the dates lie.")
    error_prefix: forms.Folder = Field(
        default="errors/", description="Folder of what has no time, no id, or is too large."
    )
    time_zone: forms.TimeZone = Field(default="UTC", description="Zone of the dates.")
    region: forms.Region | None = Field(default=None, description="The bucket's region.")


class StreamTable(DestinationTable):
    """A Data Firehose stream, a record an event."""

    type: Literal["firehose"]
    stream_arn: forms.StreamArn = Field(description="The stream.")


AnyDestination = (
    SnsTable
    | SlackTable
    | SesTable
    | EventBusTable
    | HookTable
    | LedgerTable
    | ArchiveTable
    | StreamTable
)

DESTINATIONS: dict[str, type[AnyDestination]] = {
    "sns": SnsTable,
    "slack_webhook": SlackTable,
    "ses": SesTable,
    "eventbridge": EventBusTable,
    "webhook": HookTable,
    "dynamodb": LedgerTable,
    "s3": ArchiveTable,
    "firehose": StreamTable,
}
"""The tables by their `type`."""

SECRET_KEYS = frozenset({"webhook_url", "url"})
"""What may stand in the file and should not; it is never shown."""
