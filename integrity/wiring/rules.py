"""Reads a rules file and opens what it names: jq's process, and the places that are told.

The file is named, or found: INTEGRITY_RULES_TOML, which is its text, INTEGRITY_RULES_FILE, then
S3_CONFIG_BUCKET and S3_CONFIG_PATH, then `tattletail.toml` in the working directory, as
cloudtrail-tattletail finds it. Whether a program is
one is asked of jq itself. A secret is read where its destination is opened, and nowhere else.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from integrity.chain.limits import Limits
from integrity.errors import ConfigError, UsageError
from integrity.events.fields import LOGIN_LEDGER, parse_field
from integrity.events.search import Wanted
from integrity.rules.messages import DESTINATION_PREFIX
from integrity.rules.model import Rule, wanted_by
from integrity.rules.prefilter import derive_wanted
from integrity.wiring.configuration import read_text, with_extra

if TYPE_CHECKING:
    from pydantic import SecretStr

    from integrity.aws.session import Aws
    from integrity.config.rules import AnyDestination, ArchiveTable, LedgerTable, RuleTable
    from integrity.rules.programs import Programs
    from integrity.service.ports import Destination

OpenAws = Callable[[], "Aws"]

FILE, TEXT = "INTEGRITY_RULES_FILE", "INTEGRITY_RULES_TOML"
_S3_BUCKET, _S3_PATH = "S3_CONFIG_BUCKET", "S3_CONFIG_PATH"
_BUNDLED = "tattletail.toml"


@dataclass(frozen=True, slots=True)
class Rulebook:
    """A rules file that can be used. `warnings` are a person's business; `environ` has secrets."""

    place: str
    rules: tuple[Rule, ...]
    destinations: tuple[AnyDestination, ...]
    warnings: tuple[str, ...]
    environ: Mapping[str, str] = field(repr=False)

    @property
    def wanted(self) -> tuple[Wanted, ...]:
        """What verification is to bring along for the rules."""
        return wanted_by(self.rules)

    def open_programs(self) -> Programs:
        """The process that the rules' programs run in, for one run."""
        return open_programs(self.rules)


def open_programs(rules: Sequence[Rule]) -> Programs:
    """The process that the programs of rules run in; it starts when one of them is asked."""
    from integrity.rules.programs import Programs

    return Programs([rule.match for rule in rules], Limits())


def load_rules(environ: Mapping[str, str], place: str | None = None) -> Rulebook:
    """The rules of `place`, a file or `s3://BUCKET/KEY`, or else of where they are found.

    Raises ConfigError with every mistake in them, UsageError where there are none or the `rules`
    extra is not installed, AccessError where S3 does not answer.
    """
    with with_extra("rules"):
        from integrity.config.parse_rules import parse_rules

    place = place or find_rules(environ)
    if place is None:
        raise UsageError(
            f"there are no rules: name a file, or set {FILE}, {TEXT}, or {_S3_BUCKET} and "
            f"{_S3_PATH}"
        )
    found = parse_rules(environ[TEXT] if place == TEXT else read_text(place))
    rules = tuple(map(_rule, found.rules))
    with open_programs(rules) as programs:
        mistakes = list(_check_programs(rules, found.rules, programs.check))
    if mistakes:
        raise ConfigError(mistakes)
    unset = _unset(found.destinations, environ)
    return Rulebook(place, rules, found.destinations, (*found.warnings, *unset), environ)


def find_rules(environ: Mapping[str, str]) -> str | None:
    """Where the rules are, by the environment or in the working directory; None: nowhere."""
    if environ.get(TEXT):
        return TEXT
    if environ.get(FILE):
        return environ[FILE]
    bucket, path = environ.get(_S3_BUCKET), environ.get(_S3_PATH)
    if bucket and path:
        return f"s3://{bucket}/{path.lstrip('/')}"
    return _BUNDLED if Path(_BUNDLED).is_file() else None


def open_rule_destinations(rulebook: Rulebook, open_aws: OpenAws) -> Mapping[str, Destination]:
    """The places of the rules file by the names that letters have.

    Raises ConfigError where the environment does not have a secret that one of them needs.
    """
    opened: list[Aws] = []

    def once() -> Aws:
        if not opened:
            opened.append(open_aws())
        return opened[0]

    missing = _unset(rulebook.destinations, rulebook.environ)
    if missing:
        raise ConfigError(missing)
    return {
        f"{DESTINATION_PREFIX}{table.id}": _open(table, once, rulebook.environ)
        for table in rulebook.destinations
    }


def written_buckets(rulebook: Rulebook) -> frozenset[str]:
    """The buckets that events are written to: none of them may be an audited one."""
    buckets = (getattr(table, "bucket", None) for table in rulebook.destinations)
    return frozenset(bucket for bucket in buckets if bucket)


def _rule(table: RuleTable) -> Rule:
    """What is declared of the events counts more than what can be derived of the program."""
    derived = derive_wanted(table.program)
    return Rule(
        name=table.name,
        match=table.program,
        destinations=tuple(dict.fromkeys(table.destinations)),
        description=table.description,
        wanted=Wanted(
            table.event_names or derived.names,
            table.event_sources or derived.sources,
            derived.words,
        ),
        subject=table.subject,
        template=table.template,
        time_zone=table.time_zone,
    )


def _check_programs(
    rules: tuple[Rule, ...], tables: tuple[RuleTable, ...], check: Callable[[int], str]
) -> Iterator[str]:
    for number, (rule, table) in enumerate(zip(rules, tables, strict=True)):
        key = "match" if table.match is not None else "jq_match"
        wrong = check(number)
        if wrong:
            said = " ".join(wrong.split())
            yield f"rule[{number}].{key} ({rule.name}): it is no jq program: {said}"


def _unset(tables: tuple[AnyDestination, ...], environ: Mapping[str, str]) -> list[str]:
    return [
        f"destination[{number}].{key} ({table.id}): the environment has no {getattr(table, key)}"
        for number, table in enumerate(tables)
        for key in ("webhook_url_env", "url_env", "secret_env")
        if getattr(table, key, None) and not environ.get(getattr(table, key))
    ]


def _secret(inline: SecretStr | None, variable: str | None, environ: Mapping[str, str]) -> str:
    return environ[variable or ""] if inline is None else inline.get_secret_value()


# What AWS and HTTP need is imported where a destination is opened.


def _open(table: AnyDestination, open_aws: OpenAws, environ: Mapping[str, str]) -> Destination:
    from integrity.config import rules as tables

    match table:
        case tables.SlackTable():
            from integrity.deliver.slack import SlackChannel

            return SlackChannel(_secret(table.webhook_url, table.webhook_url_env, environ))
        case tables.HookTable():
            from integrity.deliver.webhook import Webhook

            url = _secret(table.url, table.url_env, environ)
            return Webhook(url, environ[table.secret_env], lambda: datetime.now(UTC))
        case _:
            return _open_at_aws(table, open_aws())


def _open_at_aws(table: AnyDestination, aws: Aws) -> Destination:
    from integrity.config import rules as tables

    match table:
        case tables.SnsTable():
            from integrity.deliver.sns import SnsTopic

            return SnsTopic(aws, table.sns_arn)
        case tables.SesTable():
            from integrity.deliver.ses import Mail

            return Mail(
                aws,
                table.from_email,
                table.recipients,
                configuration_set=table.configuration_set,
                region=table.region,
            )
        case tables.EventBusTable():
            from integrity.deliver.eventbridge import EventBus

            return EventBus(aws, table.bus_arn)
        case tables.LedgerTable():
            return _open_ledger(table, aws)
        case tables.ArchiveTable():
            return _open_archive(table, aws)
        case tables.StreamTable():
            from integrity.deliver.firehose import DeliveryStream

            return DeliveryStream(aws, table.stream_arn)
    raise AssertionError(f"no place for {table.type}")


def _open_ledger(table: LedgerTable, aws: Aws) -> Destination:
    from integrity.deliver.dynamodb import ItemTable

    fields = tuple(one for one in map(parse_field, table.fields) if one is not None)
    return ItemTable(
        aws,
        table.table,
        fields=fields or LOGIN_LEDGER,
        zone=ZoneInfo(table.time_zone),
        keep=timedelta(days=table.keep_days),
        region=table.region,
    )


def _open_archive(table: ArchiveTable, aws: Aws) -> Destination:
    from integrity.deliver.s3 import EventBucket

    return EventBucket(
        aws,
        table.bucket,
        prefix=table.prefix,
        error_prefix=table.error_prefix,
        kms_key_id=table.kms_key_id,
        zone=ZoneInfo(table.time_zone),
        region=table.region,
    )
