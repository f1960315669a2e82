"""The one configuration, table by table: what each key is, its form, its default and its meaning.

The values are frozen and hold no client and no secret in the clear. What single keys cannot show,
whether they go together, is `combinations`'; the descriptions are what `docs/configuration.md` and
`integrity config reference` say.
"""

from __future__ import annotations

import hashlib
import json
from datetime import timedelta
from typing import Annotated, Any, Literal

from pydantic import Field, model_validator

from integrity.chain.times import DAY, HOUR
from integrity.config import forms
from integrity.config.audiences import AudiencesTable
from integrity.config.table import Table

DEFAULT_SQLITE_PATH = "/var/lib/integrity/state.sqlite"
_MINUTE = timedelta(minutes=1)


class TrailTable(Table):
    """A trail that is watched, and as whom."""

    trail_arn: forms.TrailArn = Field(description="ARN of the trail.")
    s3_bucket: forms.Bucket | None = Field(
        default=None, description="Where its files lie, if not where AWS says: an old bucket, say."
    )
    s3_prefix: forms.Prefix | None = Field(
        default=None, description="What stands before `AWSLogs/` in that bucket."
    )
    organization_id: forms.OrganizationId | None = Field(
        default=None,
        description="What stands behind `AWSLogs/` in the bucket of an organization trail.",
    )
    expected_bucket_owner: forms.Account | None = Field(
        default=None, description="Refuse a bucket that does not belong to this account."
    )
    role_arn: forms.RoleArn | None = Field(
        default=None,
        description="Role that is assumed for everything but the bucket: CloudTrail, EC2 "
        "(regions), Organizations.",
    )
    external_id: forms.ExternalId | None = Field(
        default=None, description="External id that the role's trust policy asks for."
    )
    bucket_role_arn: forms.RoleArn | None = Field(
        default=None,
        description="Role that is assumed for the bucket: its objects and lifecycle rules. "
        "Without it the same as for the rest.",
    )
    bucket_external_id: forms.ExternalId | None = Field(
        default=None, description="External id that the bucket role's trust policy asks for."
    )
    keys_role_arn: forms.RoleArn | None = Field(
        default=None,
        description="Role of an account that has regions enabled which the trail's has not, asked "
        "for their public keys.",
    )
    keys_external_id: forms.ExternalId | None = Field(
        default=None, description="External id that the keys role's trust policy asks for."
    )
    keys_file: forms.Text | None = Field(
        default=None, description="File of public keys (`integrity keys`), instead of that role."
    )
    session_name: forms.SessionName = Field(
        default="integrity",
        description="Name of the sessions of all these roles, as CloudTrail shows it.",
    )
    account_ids: Annotated[tuple[forms.Account, ...], forms.Unique] = Field(
        default=(), description="Expect and verify these accounts only. Empty: all."
    )
    source_regions: Annotated[tuple[forms.Region, ...], forms.Unique] = Field(
        default=(), description="Expect and verify these regions only. Empty: all."
    )
    ignore: Annotated[tuple[forms.Ignored, ...], forms.Unique] = Field(
        default=(),
        description="`ACCOUNT` or `ACCOUNT/REGION` that has ended: nothing more is expected.",
    )
    grace: forms.Span = Field(
        default=HOUR, le=7 * DAY, description="How late the newest digest file may be."
    )
    redelivery_grace: forms.Span = Field(
        default=DAY,
        le=30 * DAY,
        description="How long a digest file that is not there may still come.",
    )
    log_group: forms.LogGroup | None = Field(
        default=None,
        description="Log group of CloudWatch Logs that this trail alone writes to: what is seen "
        "live in it is missed if no log file comes to hold it.",
    )
    sole_writer: bool = Field(
        default=False,
        strict=True,
        description="No other trail writes to the bucket: what is seen live in its new log files "
        "is missed if no signed one comes to hold it.",
    )
    retention_days: int = Field(
        default=90,
        strict=True,
        ge=1,
        le=36500,
        description="How many days files are meant to be kept: one that a lifecycle rule removed "
        "earlier concerns security.",
    )


class ServiceTable(Table):
    """When it ticks, and how."""

    schedule: forms.Schedule = Field(
        default="20 * * * *",
        description="When it ticks: minute, hour, day, month, weekday (by name), in UTC.",
    )
    jitter: forms.Span = Field(
        default=2 * _MINUTE,
        le=HOUR,
        description="How much later than that a tick may come, at random.",
    )
    overlap: forms.Span = Field(
        default=6 * HOUR,
        ge=HOUR,
        le=30 * DAY,
        description="How far behind the last tick's end each tick looks again, for digest files "
        "that came late.",
    )
    first_window: forms.Span = Field(
        default=48 * HOUR, ge=HOUR, le=366 * DAY, description="How far back the first tick looks."
    )
    watch_days: int = Field(
        default=90,
        strict=True,
        ge=0,
        le=3660,
        description="How many past days are listed again once a day, to see what was changed or "
        "deleted in them. `0`: none.",
    )
    reprove_days: int = Field(
        default=30,
        strict=True,
        ge=0,
        le=3660,
        description="Within how many days each watched day is read and hashed again. `0`: never.",
    )
    concurrency: int = Field(
        default=128,
        strict=True,
        ge=1,
        le=1024,
        description="How many objects a process reads at a time. Where there is much, there is "
        "another process for each core.",
    )
    log_level: Literal["debug", "info", "warning", "error"] = Field(
        default="info",
        description="What is logged: `debug`, `info`, `warning` or `error`, and graver.",
    )


class StateTable(Table):
    """Where checkpoints, incidents and unsent messages are kept."""

    sqlite_path: forms.Text | None = Field(
        default=None,
        description=f"File of an embedded database: `{DEFAULT_SQLITE_PATH}`, unless a table is "
        "named.",
    )
    dynamodb_table: forms.DynamoTable | None = Field(
        default=None,
        description="DynamoDB table, instead of the file: its name, or its ARN where it lies in "
        "another region than the service.",
    )

    @model_validator(mode="before")
    @classmethod
    def _choose(cls, given: Any) -> Any:
        if isinstance(given, dict) and not {"sqlite_path", "dynamodb_table"} & given.keys():
            return {**given, "sqlite_path": DEFAULT_SQLITE_PATH}
        return given

    @property
    def place(self) -> str:
        """The path of the file, `dynamodb://TABLE`, or the ARN of the table."""
        table = self.dynamodb_table
        if table is None:
            return self.sqlite_path or DEFAULT_SQLITE_PATH
        return table if table.startswith("arn:") else f"dynamodb://{table}"


class RecordsTable(Table):
    """Where the record of each tick is kept for ever."""

    place: forms.Place = Field(
        default="/var/lib/integrity/records", description="Folder, or `s3://BUCKET/PREFIX`."
    )
    same_bucket: bool = Field(
        default=False, strict=True, description="Allow a bucket that is audited itself."
    )
    kms_key_id: forms.KmsKey | None = Field(
        default=None,
        description="KMS key that encrypts records in S3. Without it the bucket's default.",
    )
    sign: forms.SigningKey | None = Field(
        default=None,
        description="Key that signs each record: `kms:KEY`, or a private key's file in PEM.",
    )


class MetricsTable(Table):
    """What CloudWatch is told."""

    enabled: bool = Field(
        default=True,
        strict=True,
        description="Send metrics, the heartbeat among them, to CloudWatch.",
    )
    namespace: forms.Namespace = Field(
        default="CloudTrailIntegrity", description="Namespace of the metrics."
    )
    per_chain: bool = Field(
        default=False,
        strict=True,
        description="One of each metric for every account and region as well; each costs money.",
    )
    region: forms.Region | None = Field(
        default=None, description="Region that gets the metrics. Without it the service's own."
    )


class StatusTable(Table):
    """A page of the scheduler's that shows how the trails stand. It is read-only, and off."""

    listen: forms.Listen | None = Field(
        default=None,
        description="`ADDRESS:PORT` at which the page is served, without TLS and without asking "
        "who reads it: best `127.0.0.1:8080`, or `[::1]:8080`.",
    )
    days: int = Field(
        default=7,
        strict=True,
        ge=0,
        le=35,
        description="How many days before today its calendar shows.",
    )


class PolicyTable(Table):
    """How long an incident waits before somebody is told, and told again."""

    head_ticks: int = Field(
        default=2,
        strict=True,
        ge=1,
        le=1000,
        description="At which tick in a row `head_stale` and `no_digests` are told.",
    )
    trouble_ticks: int = Field(
        default=3,
        strict=True,
        ge=1,
        le=1000,
        description="At which tick in a row operations is told of what cannot be read or judged.",
    )
    unreferenced_after: forms.Span = Field(
        default=DAY,
        le=30 * DAY,
        description="How long after its hour has closed `log_unreferenced` is told.",
    )
    unreadable_after: forms.Span = Field(
        default=DAY,
        le=30 * DAY,
        description="How long an object has to stay unreadable beside readable neighbours before "
        "security is told.",
    )
    unconfirmed_after: forms.Span = Field(
        default=DAY,
        ge=2 * HOUR,
        le=7 * DAY,
        description="How long an event that was seen live waits for a signed log file before "
        "security is told.",
    )
    remind_every: forms.Span = Field(
        default=DAY, ge=HOUR, le=366 * DAY, description="How often an open incident is told again."
    )
    past_days: int = Field(
        default=30,
        strict=True,
        ge=1,
        le=36500,
        description="For how many days, if it is of the past and cannot heal.",
    )


class RulesTable(Table):
    """Which events of verified log files somebody wants to hear of ([rules.md](rules.md))."""

    file: forms.Text | None = Field(
        default=None,
        description="The rules file, or `s3://BUCKET/KEY`. Without it nobody is told of events.",
    )


class Config(Table):
    """All of it. Made by `integrity.config.parse.parse_config` alone."""

    notify: Literal["audiences", "none"] = Field(
        default="audiences",
        description="`none`: run although nobody would be told. Otherwise security needs a "
        "destination.",
    )
    trails: tuple[TrailTable, ...] = ()
    service: ServiceTable = Field(default_factory=ServiceTable)
    state: StateTable = Field(default_factory=StateTable)
    records: RecordsTable = Field(default_factory=RecordsTable)
    metrics: MetricsTable = Field(default_factory=MetricsTable)
    audiences: AudiencesTable = Field(default_factory=AudiencesTable)
    status: StatusTable = Field(default_factory=StatusTable)
    policy: PolicyTable = Field(default_factory=PolicyTable)
    rules: RulesTable = Field(default_factory=RulesTable)

    @property
    def sha256(self) -> str:
        """Of everything that is in force, defaults included; of a secret only that there is one."""
        content = self.model_dump(mode="json")
        plain = json.dumps(content, sort_keys=True, separators=(",", ":"), ensure_ascii=True)
        return hashlib.sha256(plain.encode()).hexdigest()
