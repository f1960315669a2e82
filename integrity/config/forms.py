"""The forms that a value of the configuration can have, as types that pydantic checks.

Each reads one value and decides whether it has the form; whether such a role, topic or bucket
exists is for AWS to say. A mistake says what stood there and what was expected, save for secrets,
whose text appears nowhere.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any
from zoneinfo import ZoneInfo

from pydantic import AfterValidator, BeforeValidator, SecretStr
from pydantic_core import PydanticCustomError

from integrity import grammar
from integrity.chain.names import ACCOUNT_ID, REGION
from integrity.errors import UsageError

FORM = "form"
"""The type of an error whose message already says everything."""

_ARN = "arn:aws[a-z0-9-]*"
_BUCKET = r"[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]"
_MOST_RECIPIENTS = 50
_ANY_DAY = datetime(2026, 1, 1, tzinfo=UTC)


def _reads(parse: Callable[[str], object]) -> BeforeValidator:
    """A parser of ours: its UsageError becomes a mistake; what is not text is left to the type."""

    def validate(value: Any) -> Any:
        if not isinstance(value, str):
            raise PydanticCustomError("string_type", "expected text")
        try:
            return parse(value)
        except UsageError as error:
            raise PydanticCustomError(FORM, "{said}", {"said": str(error)}) from error

    return BeforeValidator(validate)


def _fits(pattern: str, expected: str) -> BeforeValidator:
    return _reads(lambda text: grammar.fitting(pattern, text, expected))


def _parse_trail_arn(text: str) -> str:
    if not text.startswith("arn:"):
        raise UsageError(
            f"{text!r} is no ARN of a trail: expected arn:aws:cloudtrail:REGION:ACCOUNT:trail/NAME "
            "(integrity trails --format json shows it); by its name alone a trail that somebody "
            "deletes could not be told from one that never was"
        )
    return grammar.parse_trail(text)


def _parse_schedule(text: str) -> str:
    # The service's alone: who only checks rules does without it.
    from apscheduler.triggers.cron import CronTrigger

    said = (
        f"{text!r} is no schedule: expected minute, hour, day, month and weekday in UTC, such as "
    )
    said += "'20 * * * *' for 20 past each hour"
    fields = text.split()
    if len(fields) == 5 and any(letter.isdigit() for letter in fields[4]):
        raise UsageError(
            f"{said}; weekdays by name (mon-fri), because their numbers begin on different days in "
            "different programs"
        )
    try:
        trigger = CronTrigger.from_crontab(text, timezone=UTC)
    except ValueError as error:
        raise UsageError(f"{said} ({error})") from error
    if trigger.get_next_fire_time(None, _ANY_DAY) is None:
        raise UsageError(f"{said}; this one never comes")
    return text


def _parse_place(text: str) -> str:
    expected = "place: expected a folder, or s3://BUCKET or s3://BUCKET/PREFIX"
    if "://" in text:
        return grammar.fitting(rf"s3://{_BUCKET}(?:/[^\x00-\x1f]*)?", text, expected).rstrip("/")
    return grammar.fitting(r"[^\x00-\x1f]+", text, expected)


def _parse_listen(text: str) -> str:
    grammar.parse_listen(text)
    return text


def _parse_namespace(text: str) -> str:
    form = r"(?!AWS/)[A-Za-z0-9._/#-][A-Za-z0-9._/#: -]{0,254}"
    return grammar.fitting(
        form, text, "namespace of metrics: expected at most 255 letters, digits and ._-/#, not AWS/"
    )


def _parse_time_zone(text: str) -> str:
    try:
        return ZoneInfo(text).key
    except (KeyError, ValueError, OSError):  # no such name, or one that is no name
        raise UsageError(
            f"{text[:200]!r} is no time zone: expected its name, such as Asia/Tokyo or UTC"
        ) from None


def _check_external_id(secret: SecretStr) -> SecretStr:
    try:
        grammar.fitting(r"[A-Za-z0-9_+=,.@:/-]{2,1224}", secret.get_secret_value(), "")
    except UsageError:
        raise PydanticCustomError(
            FORM, "expected 2 to 1,224 letters, digits and _+=,.@:/- (AWS: STS API_AssumeRole)"
        ) from None
    return secret


def _check_url(secret: SecretStr) -> SecretStr:
    try:
        grammar.parse_url(secret.get_secret_value())
    except UsageError as error:
        raise PydanticCustomError(FORM, "{said}", {"said": str(error)}) from None
    return secret


def _check_signing_secret(secret: SecretStr) -> SecretStr:
    try:
        grammar.fitting(r"[!-~]{32,1024}", secret.get_secret_value(), "")
    except UsageError:
        raise PydanticCustomError(
            FORM,
            "expected 32 to 1,024 printable letters without spaces, for instance those of "
            "`openssl rand -hex 32`",
        ) from None
    return secret


def _check_recipients(addresses: tuple[str, ...]) -> tuple[str, ...]:
    if len(addresses) > _MOST_RECIPIENTS:
        raise PydanticCustomError(
            FORM,
            "expected at most {most} recipients, not {number}: use a mailing list",
            {"most": _MOST_RECIPIENTS, "number": len(addresses)},
        )
    return addresses


Text = Annotated[str, _fits(r"[^\x00-\x1f]+", "text: expected at least one character")]
TrailArn = Annotated[str, _reads(_parse_trail_arn)]
Bucket = Annotated[str, _reads(grammar.parse_bucket)]
Prefix = Annotated[str, _reads(grammar.parse_prefix)]
Account = Annotated[str, _reads(grammar.parse_account)]
Region = Annotated[str, _reads(grammar.parse_region)]
OrganizationId = Annotated[str, _reads(grammar.parse_organization)]
Ignored = Annotated[str, _reads(grammar.parse_ignored)]
Span = Annotated[timedelta, _reads(grammar.parse_span)]
Schedule = Annotated[str, _reads(_parse_schedule)]
Place = Annotated[str, _reads(_parse_place)]
Listen = Annotated[str, _reads(_parse_listen)]
Namespace = Annotated[str, _reads(_parse_namespace)]
ExternalId = Annotated[SecretStr, AfterValidator(_check_external_id)]
RoleArn = Annotated[
    str,
    _fits(
        rf"{_ARN}:iam::{ACCOUNT_ID}:role/[!-~]{{1,512}}",
        "ARN of a role: expected arn:aws:iam::ACCOUNT:role/NAME",
    ),
]
SessionName = Annotated[
    str,
    _fits(
        r"[A-Za-z0-9_+=,.@-]{2,64}",
        "name of a session: expected 2 to 64 letters, digits and _+=,.@-",
    ),
]
TopicArn = Annotated[
    str,
    _fits(
        rf"{_ARN}:sns:{REGION}:{ACCOUNT_ID}:[A-Za-z0-9_-]{{1,256}}",
        "ARN of a standard SNS topic: expected arn:aws:sns:REGION:ACCOUNT:NAME",
    ),
]
SecretUrl = Annotated[SecretStr, AfterValidator(_check_url)]
SigningSecret = Annotated[SecretStr, AfterValidator(_check_signing_secret)]
BusArn = Annotated[
    str,
    _fits(
        rf"default|{_ARN}:events:{REGION}:{ACCOUNT_ID}:event-bus/[A-Za-z0-9/._-]{{1,256}}",
        "event bus: expected its ARN, arn:aws:events:REGION:ACCOUNT:event-bus/NAME, or `default`",
    ),
]
Address = Annotated[
    str,
    _fits(
        r"[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]{1,64}@[A-Za-z0-9-]{1,63}(?:\.[A-Za-z0-9-]{1,63}){1,8}",
        "e-mail address: expected the address alone, NAME@DOMAIN, in ASCII",
    ),
]
Recipients = AfterValidator(_check_recipients)
"""No more than SES takes in one message (AWS: SES quotas)."""
ConfigurationSet = Annotated[
    str,
    _fits(
        r"[A-Za-z0-9_-]{1,64}",
        "configuration set of SES: expected its name, at most 64 letters, digits, _ and -",
    ),
]
DynamoTable = Annotated[
    str,
    _fits(
        rf"(?:{_ARN}:dynamodb:{REGION}:{ACCOUNT_ID}:table/)?[A-Za-z0-9_.-]{{3,255}}",
        "DynamoDB table: expected its name, 3 to 255 letters, digits and _.-, or its ARN",
    ),
]
KmsKey = Annotated[
    str,
    _fits(
        rf"(?:{_ARN}:kms:{REGION}:{ACCOUNT_ID}:(?:key/)?)?(?:alias/)?[A-Za-z0-9/_-]{{1,256}}",
        "KMS key: expected its ARN, its id, or alias/NAME",
    ),
]
SigningKey = Annotated[
    str,
    _fits(
        rf"kms:(?:{_ARN}:kms:{REGION}:{ACCOUNT_ID}:(?:key/)?)?(?:alias/)?[A-Za-z0-9/_-]{{1,256}}"
        r"|(?!kms:)[^\0]{1,4096}",
        "signing key: expected kms:KEY (its ARN, its id, or alias/NAME), or a file",
    ),
]
LogGroup = Annotated[
    str,
    _fits(
        r"[A-Za-z0-9_./#-]{1,512}",
        "log group: expected its name alone, letters, digits and _./#-",
    ),
]
StreamArn = Annotated[
    str,
    _fits(
        rf"{_ARN}:firehose:{REGION}:{ACCOUNT_ID}:deliverystream/[A-Za-z0-9_.-]{{1,64}}",
        "ARN of a Firehose stream: expected arn:aws:firehose:REGION:ACCOUNT:deliverystream/NAME",
    ),
]
Folder = Annotated[
    str,
    _fits(
        r"(?:[A-Za-z0-9._=-]{1,200}/){0,8}",
        "folder in a bucket: expected nothing, or names that each end in a slash, such as logins/",
    ),
]
TimeZone = Annotated[str, _reads(_parse_time_zone)]
Unique = AfterValidator(lambda values: tuple(dict.fromkeys(values)))
"""A list in which each value counts once."""
