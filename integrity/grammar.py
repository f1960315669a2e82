"""Names and spans as people type them: accounts, regions, trails, buckets, addresses, `6h`.

On the command line and in a configuration alike. Pure grammar, of the same pieces as CloudTrail's
own names: whether such a thing exists is for AWS to say. What does not fit is a UsageError that
says what was expected.
"""

from __future__ import annotations

import ipaddress
import re
from datetime import timedelta
from urllib.parse import urlsplit

from integrity.chain.names import ACCOUNT_ID, ORGANIZATION_ID, REGION, TRAIL_NAME
from integrity.errors import UsageError

_ARN = rf"arn:aws[a-z0-9-]*:cloudtrail:{REGION}:{ACCOUNT_ID}:trail/{TRAIL_NAME}"
# Old buckets of us-east-1 may have capitals, underscores and up to 255 characters.
_BUCKET = r"[A-Za-z0-9._-]{3,255}"
_URL = re.compile(r"[a-z]+://[!-~]{1,2000}")
_MOST_SHOWN = 200
_SPAN = re.compile(r"([0-9]{1,6})([mhdw])")
_UNITS = {
    "m": timedelta(minutes=1),
    "h": timedelta(hours=1),
    "d": timedelta(days=1),
    "w": timedelta(weeks=1),
}


def parse_account(text: str) -> str:
    """An AWS account: 12 digits, leading zeros included."""
    return fitting(ACCOUNT_ID, text, "account: expected 12 digits, such as 111122223333")


def parse_region(text: str) -> str:
    """An AWS region by its code."""
    return fitting(REGION, text, "region: expected its code, such as us-east-1 or eu-central-1")


def parse_organization(text: str) -> str:
    """The id of an AWS organization."""
    return fitting(
        ORGANIZATION_ID,
        text,
        "organization id: expected o- and letters and digits, as in o-exampleorgid",
    )


def parse_ignored(text: str) -> str:
    """`ACCOUNT` or `ACCOUNT/REGION`."""
    expected = "account or account/region: expected 111122223333 or 111122223333/us-east-1"
    return fitting(rf"{ACCOUNT_ID}(?:/{REGION})?", text, expected)


def parse_trail(text: str) -> str:
    """A trail by its ARN, or by its name."""
    if text.startswith("arn:"):
        return fitting(
            _ARN, text, "ARN of a trail: expected arn:aws:cloudtrail:REGION:ACCOUNT:trail/NAME"
        )
    return fitting(
        TRAIL_NAME,
        text,
        "trail: expected its ARN or its name, 3 to 128 letters, digits, '.', '_' and '-' "
        "(integrity trails lists them)",
    )


def parse_bucket(text: str) -> str:
    """A bucket by its name alone."""
    return fitting(
        _BUCKET, text, "bucket: expected its name alone, without s3:// and without a path"
    )


def parse_prefix(text: str) -> str:
    """The prefix before `AWSLogs/`; CloudTrail's own never ends in a slash, so one is taken off."""
    return text.removesuffix("/")


def parse_original(text: str) -> tuple[str, str]:
    """`s3://BUCKET` or `s3://BUCKET/PREFIX`: the bucket, and its folder ("" or `PREFIX/`)."""
    expected = "place of a bucket: expected s3://BUCKET or s3://BUCKET/PREFIX"
    fitting(rf"s3://{_BUCKET}(?:/.*)?", text, expected)
    bucket, _, prefix = text.removeprefix("s3://").partition("/")
    prefix = parse_prefix(prefix)
    return bucket, f"{prefix}/" if prefix else ""


def parse_span(text: str) -> timedelta:
    """`90m`, `24h`, `7d` or `2w` as a span of time; zero is one."""
    match = _SPAN.fullmatch(text.strip())
    if match is None:
        raise UsageError(
            f"{text!r} is no span of time: expected a whole number and m, h, d or w, such as 90m, "
            "24h, 7d or 2w"
        )
    return int(match.group(1)) * _UNITS[match.group(2)]


def parse_url(text: str) -> str:
    """A URL that messages are posted to: https, or http on this very machine.

    It may be a secret: what stood there is never said.
    """
    expected = "expected https://HOST/PATH, without a user, a password and a #fragment"
    try:
        parts = urlsplit(text)
        host, _ = parts.hostname or "", parts.port
    except ValueError:
        raise UsageError(f"it is no URL: {expected}") from None
    odd = parts.username is not None or parts.password is not None or "#" in text
    if _URL.fullmatch(text) is None or not host or odd:
        raise UsageError(f"it is no URL: {expected}")
    if parts.scheme == "https" or (parts.scheme == "http" and _is_loopback(host)):
        return text
    raise UsageError(f"it is not protected by TLS: {expected}")


def parse_listen(text: str) -> tuple[str, int]:
    """`ADDRESS:PORT` to listen at: an address of this machine, not a name. Port 0 is any."""
    host, _, port = text.rpartition(":")
    bare = host[1:-1] if host.startswith("[") and host.endswith("]") else host
    try:
        address = ipaddress.ip_address(bare)
        number = int(port) if re.fullmatch("[0-9]{1,5}", port, re.ASCII) else -1
        if number not in range(1 << 16) or (address.version == 6) != (bare != host):
            raise ValueError
    except ValueError:
        raise UsageError(
            f"{text[:_MOST_SHOWN]!r} is no address to listen at: expected ADDRESS:PORT, such as "
            "127.0.0.1:8080 or [::1]:8080"
        ) from None
    return bare, number


def _is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def fitting(pattern: str, text: str, expected: str) -> str:
    """The text, if the whole of it fits. Raises UsageError: it `is no {expected}`."""
    if re.fullmatch(pattern, text, re.ASCII) is None:
        shown = text if len(text) <= _MOST_SHOWN else f"{text[:_MOST_SHOWN]}…"
        raise UsageError(f"{shown!r} is no {expected}")
    return text
