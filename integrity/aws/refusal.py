"""What an error of botocore means, in one sentence that names what would mend it.

Every refusal that a source meets is put into words here and nowhere else: the permission that is
missing, the archive that an object lies in, the connection that failed. It decides only whether
the credentials are to blame, which stops a command before anything was checked, and whether asking
again may help; what a refusal means for an object or a trail is its source's to say.
(AWS: S3 Error Responses; CloudTrail Common Errors.)
"""

from __future__ import annotations

import re
from typing import Any

from botocore import exceptions as botocore_errors
from botocore.exceptions import BotoCoreError, ClientError
from botocore.parsers import ResponseParserError
from msgspec import Struct

from integrity.chain.trouble import EXPIRED_CREDENTIALS, archived

Refusal = BotoCoreError | ClientError | ResponseParserError
REFUSALS = (BotoCoreError, ClientError, ResponseParserError)


class Call(Struct, frozen=True):
    """A call as a policy would allow it: `s3:GetObject`, `on arn:aws:s3:::bucket/key`."""

    permission: str
    where: str

    def __str__(self) -> str:
        return f"{self.permission} {self.where}"


_DENIED = "{call} is not allowed{because}"
_THROTTLED = "AWS throttled {call} to the end of the retries ({code}): lower --concurrency, or wait"
_FAILED = "AWS failed to answer {call} to the end of the retries ({code}): try again later"
_EXPIRED = f"{EXPIRED_CREDENTIALS} ({{code}}): renew them, for instance with `aws sso login`"
_REJECTED = (
    "AWS does not accept the credentials for {call} ({code}): either the region is not enabled for "
    "this account, or they are wrong (check --profile and `aws sts get-caller-identity`)"
)
_CLOCK = "this machine's clock differs from AWS's ({code}): set it right"
_KMS_DENIED = "{key} is not allowed: it takes the caller's policy and the key's own"
_KMS_STATE = "the KMS key of the object cannot be used ({code}): enable it or cancel its deletion"
_ARCHIVED = archived("{storage}")

_BY_CODE: dict[str, str] = {
    **dict.fromkeys(
        (
            "403",
            "AccessDenied",
            "AccessDeniedException",
            "AllAccessDisabled",
            "AuthorizationError",
            "Forbidden",
            "OperationNotPermittedException",
            "UnauthorizedOperation",
        ),
        _DENIED,
    ),
    **dict.fromkeys(
        (
            "429",
            "503",
            "BandwidthLimitExceeded",
            "RequestLimitExceeded",
            "SlowDown",
            "ThrottledException",
            "Throttling",
            "ThrottlingException",
            "TooManyRequestsException",
        ),
        _THROTTLED,
    ),
    **dict.fromkeys(
        (
            "500",
            "502",
            "504",
            "InternalError",
            "InternalFailure",
            "InternalServerError",
            "RequestTimeout",
            "ServiceUnavailable",
            "ServiceUnavailableException",
        ),
        _FAILED,
    ),
    **dict.fromkeys(
        ("ExpiredToken", "ExpiredTokenException", "RequestExpired", "TokenRefreshRequired"),
        _EXPIRED,
    ),
    **dict.fromkeys(
        (
            "AuthFailure",
            "IncompleteSignature",
            "InvalidAccessKeyId",
            "InvalidClientTokenId",
            "InvalidSignatureException",
            "InvalidToken",
            "MissingAuthenticationToken",
            "OptInRequired",
            "SignatureDoesNotMatch",
            "UnrecognizedClientException",
        ),
        _REJECTED,
    ),
    **dict.fromkeys(("RequestTimeTooSkewed", "RequestInTheFuture"), _CLOCK),
    **dict.fromkeys(
        (
            "KMS.DisabledException",
            "KMS.KMSInvalidStateException",
            "KMS.NotFoundException",
            "KMSDisabledException",
            "KMSInvalidStateException",
            "KMSNotFoundException",
        ),
        _KMS_STATE,
    ),
    "InvalidObjectState": _ARCHIVED,
}
_BLAMING_CREDENTIALS = frozenset({_EXPIRED, _REJECTED, _CLOCK})
_BROKEN = (
    ResponseParserError,
    botocore_errors.HTTPClientError,
    botocore_errors.ConnectionError,
)

_NO_CREDENTIALS = (
    "no AWS credentials were found: give --profile, set AWS_PROFILE, or run `aws configure`"
)
_NO_SESSION = "{error} Next: `aws sso login`, with --profile if it is not the default one"
_CREDENTIALS = "the AWS credentials cannot be had: {error}"
_PROFILE = "{error}: see `aws configure list-profiles`"
_REGION = "{error} Next: give --region, for instance --region us-east-1"
_CONFIG = "the AWS configuration is wrong: {error}"
_NETWORK = "no answer to {call}: {error}"
_NOT_AWS = "the answer to {call} is not one of AWS's (a proxy's, perhaps): {error}"

# In this order: the first class that matches speaks.
_BY_CLASS: tuple[tuple[type[Exception], str], ...] = (
    (ResponseParserError, _NOT_AWS),
    (botocore_errors.NoCredentialsError, _NO_CREDENTIALS),
    (botocore_errors.SSOError, _NO_SESSION),
    (botocore_errors.NoAuthTokenError, _NO_SESSION),
    (botocore_errors.TokenRetrievalError, _NO_SESSION),
    (botocore_errors.LoginError, _CREDENTIALS),
    (botocore_errors.PartialCredentialsError, _CREDENTIALS),
    (botocore_errors.CredentialRetrievalError, _CREDENTIALS),
    (botocore_errors.MetadataRetrievalError, _CREDENTIALS),
    (botocore_errors.RefreshWithMFAUnsupportedError, _CREDENTIALS),
    (botocore_errors.UnknownCredentialError, _CREDENTIALS),
    (botocore_errors.MissingDependencyException, _CREDENTIALS),
    (botocore_errors.ProfileNotFound, _PROFILE),
    (botocore_errors.NoRegionError, _REGION),
    (botocore_errors.InvalidRegionError, _REGION),
    (botocore_errors.ConfigParseError, _CONFIG),
    (botocore_errors.ConfigNotFound, _CONFIG),
    (botocore_errors.InvalidConfigError, _CONFIG),
    (botocore_errors.HTTPClientError, _NETWORK),
    (botocore_errors.ConnectionError, _NETWORK),
)
_ABOUT_THE_SETUP = frozenset(
    {_NO_CREDENTIALS, _NO_SESSION, _CREDENTIALS, _PROFILE, _REGION, _CONFIG}
)

_KMS_ACTION = re.compile(r"(kms:[A-Za-z]+)(?: on (?:the )?resource: (\S+))?")
# How services without a code of their own for it say that the clock is wrong.
_SKEWED = re.compile(r"Signature (?:expired|not yet current)")
_KMS_UNNAMED = "The ciphertext refers to a customer master key"
_BECAUSE = re.compile(r"because [\x20-\x7e]+|with an explicit deny[\x20-\x7e]*")
_MOST_QUOTED = 300


def error_code(error: Refusal) -> str:
    """AWS's code, or "" where there was no answer that could hold one."""
    if isinstance(error, ClientError):
        return str(error.response.get("Error", {}).get("Code", ""))
    return ""


def is_setup_fault(error: Refusal) -> bool:
    """Whether the command's credentials, profile, region or clock are wrong, whatever is asked."""
    if isinstance(error, ClientError):
        return _of_code(error) in _BLAMING_CREDENTIALS
    return _template(error) in _ABOUT_THE_SETUP


def may_pass(error: Refusal) -> bool:
    """Whether the same question may be answered a little later: throttled, failed, broken off."""
    if isinstance(error, ClientError):
        failed = _BY_CODE.get(error_code(error)) == _FAILED or _status(error) >= 500
        return failed or is_slow_down(error)
    return isinstance(error, _BROKEN)


def is_slow_down(error: Refusal) -> bool:
    """Whether AWS asks for fewer requests."""
    if not isinstance(error, ClientError):
        return False
    return _BY_CODE.get(error_code(error)) == _THROTTLED or _status(error) in (429, 503)


def is_expired(error: Refusal) -> bool:
    """Whether the credentials were good until a while ago."""
    return _BY_CODE.get(error_code(error)) == _EXPIRED


def _status(error: ClientError) -> int:
    status: int = error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)
    return status


def is_denied(error: Refusal) -> bool:
    """Whether a permission is missing, and not an answer."""
    return _BY_CODE.get(error_code(error)) == _DENIED


def is_skewed(error: Refusal) -> bool:
    """Whether this machine's clock is too wrong for AWS to take anything from it."""
    return isinstance(error, ClientError) and _of_code(error) == _CLOCK


def kms_call(error: Refusal) -> tuple[str, str] | None:
    """Where it is a KMS key that is refused: the action, and the key's ARN if it is said."""
    message = _message(error)
    if not is_denied(error) or not _kms_key(message):
        return None
    named = _KMS_ACTION.search(message)
    return (named[1], named[2] or "") if named else ("kms:Decrypt", "")


def explain(error: Refusal, call: Call) -> str:
    """One sentence: what failed and what would mend it. Nothing of it is longer than a line."""
    if isinstance(error, ClientError):
        return _explain_answer(error, call)
    return _template(error).format(call=call, error=_quoted(str(error)))


def _template(error: Exception) -> str:
    for kind, template in _BY_CLASS:
        if isinstance(error, kind):
            return template
    return _NETWORK


def _message(error: Refusal) -> str:
    """AWS's own words."""
    if not isinstance(error, ClientError):
        return ""
    return str(error.response.get("Error", {}).get("Message", ""))


def _of_code(error: ClientError) -> str | None:
    template = _BY_CODE.get(error_code(error))
    return _CLOCK if template == _REJECTED and _SKEWED.search(_message(error)) else template


def _explain_answer(error: ClientError, call: Call) -> str:
    details: dict[str, Any] = {**error.response.get("Error", {})}
    code, message = error_code(error), _message(error)
    template = _of_code(error)
    if template == _DENIED and (key := _kms_key(message)):
        return _KMS_DENIED.format(key=key)
    if template is None:
        said = ": ".join(_quoted(part) for part in (code, message) if part)
        return f"{call} was refused ({said or 'without an error of AWS, by a proxy perhaps'})"
    because = _BECAUSE.search(message)
    return template.format(
        call=call,
        code=code,
        because=f" ({_quoted(because.group())})" if because else "",
        storage=_quoted(_archive(error, details)),
    )


def _archive(error: ClientError, details: dict[str, Any]) -> str:
    """The class that S3 names, and the tier of one that moves objects by itself."""
    told = {**error.response, **details}
    named = [str(told[name]) for name in ("StorageClass", "AccessTier") if told.get(name)]
    return ", ".join(named) or "GLACIER or DEEP_ARCHIVE"


def _kms_key(message: str) -> str:
    """`kms:Decrypt on the key ARN` where the message is about a key, else ""."""
    named = _KMS_ACTION.search(message)
    if named is not None:
        key = named.group(2)
        return f"{named.group(1)} on the key {_quoted(key)}" if key else f"{named.group(1)}"
    return "kms:Decrypt on the key of the object" if _KMS_UNNAMED in message else ""


def _quoted(text: str) -> str:
    """Somebody else's words on one line, with nothing in them that a terminal obeys."""
    line = " ".join(text.split())[:_MOST_QUOTED]
    return "".join(letter if letter.isprintable() else "?" for letter in line)
