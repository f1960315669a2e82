"""Reads the configuration that a process was given, and says with what each trail is opened.

The text is INTEGRITY_CONFIG_TOML itself, or what INTEGRITY_CONFIG names: a file, or an object in S3
that is read with the process's own credentials. `integrity.config` makes the value of it; nothing
else of the program reads the environment for it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from integrity.chain.model import Absent, S3Location, Unreachable
from integrity.errors import AccessError, UsageError
from integrity.verify.claim import Claim
from integrity.wiring import Access

if TYPE_CHECKING:
    from pydantic import SecretStr

    from integrity.aws.roles import Role
    from integrity.config.model import Config, TrailTable

MAX_TEXT_BYTES = 1024 * 1024
"""More than this is not a configuration."""

_EXTRA = frozenset({"apscheduler", "jq", "pydantic"})


def load_config(environ: Mapping[str, str], place: str | None = None) -> Config:
    """The configuration of `place`, a file or `s3://BUCKET/KEY`, or else of the environment.

    Raises ConfigError with every mistake in it, UsageError where the text is not there or the
    `service` extra is not installed, AccessError where S3 does not answer.
    """
    with with_extra("service"):
        from integrity.config.parse import parse_config

    return parse_config(_text(environ, place), environ)


def load_reference() -> str:
    """Every key that there is. Raises UsageError where the `service` extra is not installed."""
    with with_extra("service"):
        from integrity.config.reference import render_reference

    return render_reference()


def access_of(trail: TrailTable, config: Config) -> Access:
    """As whom a trail is verified."""
    return Access(
        role=_role(trail.role_arn, trail.external_id, trail.session_name),
        bucket_role=_role(trail.bucket_role_arn, trail.bucket_external_id, trail.session_name),
        keys_role=_role(trail.keys_role_arn, trail.keys_external_id, trail.session_name),
        keys_file=None if trail.keys_file is None else Path(trail.keys_file),
        expected_bucket_owner=trail.expected_bucket_owner,
        concurrency=config.service.concurrency,
    )


def claim_of(trail: TrailTable) -> Claim:
    """Which trail is meant, and where its files lie if not where AWS says."""
    return Claim(
        name=trail.trail_arn,
        bucket=trail.s3_bucket,
        prefix=trail.s3_prefix,
        organization_id=trail.organization_id,
    )


@contextmanager
def with_extra(name: str) -> Iterator[None]:
    """Where the packages are imported that most commands do without: those of the extra `name`."""
    try:
        yield
    except ModuleNotFoundError as error:
        if (error.name or "").partition(".")[0] not in _EXTRA:
            raise
        raise UsageError(
            f"the packages of the {name} are not installed ({error.name}): pip install "
            f"'trail-integrity[{name}]'"
        ) from error


def _role(arn: str | None, external_id: SecretStr | None, session_name: str) -> Role | None:
    from integrity.aws.roles import Role

    if arn is None:
        return None
    secret = None if external_id is None else external_id.get_secret_value()
    return Role(arn=arn, external_id=secret, session_name=session_name)


def _text(environ: Mapping[str, str], place: str | None) -> str:
    """The TOML; empty where variables alone are to say everything."""
    from integrity.config.environment import CONFIG, CONFIG_TOML

    named, itself = environ.get(CONFIG), environ.get(CONFIG_TOML)
    if place is None and named and itself:
        raise UsageError(f"{CONFIG} and {CONFIG_TOML} are both given: leave one of them out")
    place = place or named
    return read_text(place) if place else itself or ""


def read_text(place: str) -> str:
    """The text of a file, or of `s3://BUCKET/KEY`.

    Raises UsageError where it is not there or no text, AccessError where S3 does not answer.
    """
    content = _fetch(place) if place.startswith("s3://") else _read(place)
    if len(content) > MAX_TEXT_BYTES:
        raise UsageError(f"{place} is no configuration: it is larger than {MAX_TEXT_BYTES} bytes")
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise UsageError(f"{place} is no configuration: it is not UTF-8 ({error})") from error


def _read(path: str) -> bytes:
    try:
        with Path(path).open("rb") as file:
            return file.read(MAX_TEXT_BYTES + 1)
    except OSError as error:
        raise UsageError(
            f"the configuration cannot be read: {error}; expected a file or s3://BUCKET/KEY"
        ) from error


def _fetch(uri: str) -> bytes:
    """The object, or a little more than its bound."""
    from integrity.aws.session import AwsRecipe
    from integrity.sources.s3 import S3Source

    bucket, _, key = uri.removeprefix("s3://").partition("/")
    if not bucket or not key:
        raise UsageError(f"{uri!r} names no object: expected s3://BUCKET/KEY")
    answer = S3Source(AwsRecipe().open()).fetch(S3Location(bucket, key), _bounded)
    if isinstance(answer, Absent):
        raise UsageError(f"there is no configuration at {uri}: S3 says that nothing lies there")
    if isinstance(answer, Unreachable):
        raise AccessError(f"the configuration at {uri} cannot be read: {answer.detail}")
    return answer.content


def _bounded(pieces: Iterable[bytes | bytearray | memoryview]) -> bytes:
    content = bytearray()
    for piece in pieces:
        content += memoryview(piece)[: MAX_TEXT_BYTES + 1 - len(content)]
    return bytes(content)
