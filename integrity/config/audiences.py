"""Who is told, and where: the tables of the two audiences. Secrets in them are never shown."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from integrity.config import forms
from integrity.config.table import Table
from integrity.state import Audience

DESTINATIONS = (
    "sns_topic_arns",
    "slack_webhook_url",
    "eventbridge_bus_arns",
    "ses_to",
    "webhooks",
    "dynamodb_tables",
    "s3",
    "firehose_stream_arns",
)
"""The keys of an audience that each name somebody who is told."""


class WebhookTable(Table):
    """A program of one's own that every message is posted to, signed. Both keys are secret."""

    url: forms.SecretUrl = Field(description="Where to post: `https://`, or `http://` on loopback.")
    secret: forms.SigningSecret = Field(
        description="Shared secret of the signature (HMAC-SHA256), at least 32 characters."
    )


class BucketTable(Table):
    """A bucket that every message is written to, an object each. It must not be an audited one."""

    bucket: forms.Bucket = Field(description="The bucket, which is not an audited one.")
    kms_key_id: forms.KmsKey = Field(description="KMS key that encrypts the objects.")
    prefix: forms.Folder = Field(
        default="integrity/", description="Folder in which the dates lie, with a slash at its end."
    )
    time_zone: forms.TimeZone = Field(
        default="UTC", description="Zone of these dates, such as `Asia/Tokyo`."
    )
    region: forms.Region | None = Field(
        default=None, description="The bucket's region. Without it the service's own."
    )


class AudienceTable(Table):
    """How one audience is told."""

    sns_topic_arns: Annotated[tuple[forms.TopicArn, ...], forms.Unique] = Field(
        default=(), description="SNS topics that every message is published to."
    )
    slack_webhook_url: forms.SecretUrl | None = Field(
        default=None, description="Slack incoming webhook of a channel. Whoever has it can post."
    )
    eventbridge_bus_arns: Annotated[tuple[forms.BusArn, ...], forms.Unique] = Field(
        default=(),
        description="EventBridge buses that every message is put on; `default` is that of the "
        "service's own region.",
    )
    ses_from: forms.Address | None = Field(
        default=None, description="Sender of e-mail, an identity that SES has verified."
    )
    ses_to: Annotated[tuple[forms.Address, ...], forms.Unique, forms.Recipients] = Field(
        default=(), description="Recipients of e-mail, at most 50."
    )
    ses_configuration_set: forms.ConfigurationSet | None = Field(
        default=None, description="Configuration set that e-mail is sent with."
    )
    ses_region: forms.Region | None = Field(
        default=None,
        description="Region in which SES knows the sender. Without it the service's own.",
    )
    webhooks: tuple[WebhookTable, ...] = ()
    dynamodb_tables: Annotated[tuple[forms.DynamoTable, ...], forms.Unique] = Field(
        default=(),
        description="DynamoDB tables, key `eventID`, that every message is an item of for 90 days "
        "(`unixtime`).",
    )
    s3: tuple[BucketTable, ...] = ()
    firehose_stream_arns: Annotated[tuple[forms.StreamArn, ...], forms.Unique] = Field(
        default=(), description="Data Firehose streams that every message is a record of."
    )

    @property
    def has_destination(self) -> bool:
        """Whether somebody would be told."""
        return any(getattr(self, name) for name in DESTINATIONS)


class SecurityTable(AudienceTable):
    """How security is told, whom tampering and lost evidence concern."""


class OperationsTable(AudienceTable):
    """How operations is told, whom trouble concerns. Without a destination the same as security."""


class AudiencesTable(Table):
    """Whom an incident concerns."""

    security: SecurityTable = Field(default_factory=SecurityTable)
    operations: OperationsTable = Field(default_factory=OperationsTable)

    def of(self, audience: Audience) -> AudienceTable:
        """How an audience is told: operations where security is, unless it has its own."""
        own = self.operations if audience is Audience.OPERATIONS else self.security
        return own if own.has_destination else self.security
