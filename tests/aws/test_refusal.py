"""What an error means: one line, the permission or the action in it, nothing a terminal obeys."""

from __future__ import annotations

from typing import Any

import pytest
from botocore.exceptions import (
    BotoCoreError,
    ClientError,
    EndpointConnectionError,
    NoCredentialsError,
    PaginationError,
    ParamValidationError,
    ReadTimeoutError,
)
from botocore.parsers import ResponseParserError

from integrity.aws.refusal import (
    Call,
    Refusal,
    error_code,
    explain,
    is_expired,
    is_setup_fault,
    is_skewed,
    is_slow_down,
    kms_call,
    may_pass,
)

CALL = Call("s3:ListBucket", "on arn:aws:s3:::logs")


def answered(code: str, message: str = "", **more: str) -> ClientError:
    details: Any = {"Code": code, "Message": message, **more}
    return ClientError({"Error": details}, "ListObjectsV2")


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (answered("AccessDenied"), "s3:ListBucket on arn:aws:s3:::logs is not allowed"),
        (
            answered("AccessDenied", "x is not authorized to perform: kms:GenerateDataKey"),
            "kms:GenerateDataKey is not allowed: it takes the caller's policy and the key's own",
        ),
        (answered("SlowDown"), "AWS throttled s3:ListBucket on arn:aws:s3:::logs to the end of"),
        (answered("Odd", "a\nb\x1b[31m{c}"), "was refused (Odd: a b?[31m{c})"),
        (answered("Odd"), "was refused (Odd)"),
        (answered("InvalidObjectState", StorageClass="{GLACIER}"), "(storage class {GLACIER})"),
        (
            answered(
                "InvalidObjectState",
                StorageClass="INTELLIGENT_TIERING",
                AccessTier="DEEP_ARCHIVE_ACCESS",
            ),
            "archived (storage class INTELLIGENT_TIERING, DEEP_ARCHIVE_ACCESS): restore it",
        ),
        (NoCredentialsError(), "no AWS credentials were found"),
        (EndpointConnectionError(endpoint_url="http://{x}"), "no answer to s3:ListBucket on arn"),
        (PaginationError(message="the same token twice"), "no answer to s3:ListBucket on arn"),
        (ResponseParserError("<html>"), "is not one of AWS's (a proxy's, perhaps): <html>"),
    ],
)
def test_it_becomes_one_sentence(error: Refusal, said: str) -> None:
    sentence = explain(error, CALL)
    assert said in sentence
    assert sentence.isprintable()


def test_it_is_never_long() -> None:
    assert len(explain(answered("Odd", "x" * 9999), CALL)) < 500


@pytest.mark.parametrize(
    ("error", "code", "setup"),
    [
        (answered("ExpiredToken"), "ExpiredToken", True),
        (answered("AccessDenied"), "AccessDenied", False),
        (answered("Odd"), "Odd", False),
        (NoCredentialsError(), "", True),
        (EndpointConnectionError(endpoint_url="x"), "", False),
        (BotoCoreError(), "", False),
    ],
)
def test_the_commands_own_faults_are_told_apart(error: Refusal, code: str, setup: bool) -> None:  # noqa: FBT001
    assert (error_code(error), is_setup_fault(error)) == (code, setup)


def with_status(code: str, status: int) -> ClientError:
    error = answered(code)
    metadata: Any = {"HTTPStatusCode": status}
    error.response["ResponseMetadata"] = metadata
    return error


@pytest.mark.parametrize(
    ("error", "passing", "slow_down"),
    [
        (answered("SlowDown"), True, True),
        (answered("503"), True, True),
        (answered("RequestLimitExceeded"), True, True),
        (with_status("ServiceUnavailable", 503), True, True),
        (with_status("Odd", 429), True, True),
        (answered("InternalError"), True, False),
        (with_status("Odd", 599), True, False),
        (with_status("Odd", 400), False, False),
        (answered("AccessDenied"), False, False),
        (answered("NoSuchKey"), False, False),
        (answered("ExpiredToken"), False, False),
        (answered("InvalidObjectState"), False, False),
        (EndpointConnectionError(endpoint_url="x"), True, False),
        (ReadTimeoutError(endpoint_url="x"), True, False),
        (ResponseParserError("<html>"), True, False),
        (NoCredentialsError(), False, False),
        (ParamValidationError(report="x"), False, False),
    ],
)
def test_what_may_pass_is_asked_again(error: Refusal, passing: bool, slow_down: bool) -> None:  # noqa: FBT001
    assert (may_pass(error), is_slow_down(error)) == (passing, slow_down)


def test_only_credentials_that_were_good_can_expire() -> None:
    assert is_expired(answered("ExpiredToken"))
    assert not is_expired(answered("InvalidAccessKeyId"))
    assert not is_expired(EndpointConnectionError(endpoint_url="x"))


@pytest.mark.parametrize(
    ("code", "message"),
    [
        ("RequestTimeTooSkewed", ""),
        ("SignatureDoesNotMatch", "Signature expired: 20260301T000000Z is now earlier than"),
        ("InvalidSignatureException", "Signature not yet current: 20260301T010000Z is still"),
    ],
)
def test_a_wrong_clock_is_told_in_every_service_s_words(code: str, message: str) -> None:
    error = answered(code, message)

    assert is_skewed(error)
    assert is_setup_fault(error)
    assert "clock differs from AWS's" in explain(error, CALL)


def test_a_wrong_key_is_no_wrong_clock() -> None:
    error = answered("SignatureDoesNotMatch", "The request signature we calculated does not match")

    assert not is_skewed(error)
    assert not is_skewed(NoCredentialsError())
    assert "does not accept the credentials" in explain(error, CALL)


@pytest.mark.parametrize(
    ("error", "call"),
    [
        (
            answered("AccessDenied", "not authorized to perform: kms:Decrypt on resource: arn:k x"),
            ("kms:Decrypt", "arn:k"),
        ),
        (answered("AccessDenied", "not authorized to perform: kms:Decrypt"), ("kms:Decrypt", "")),
        (
            answered("AccessDenied", "The ciphertext refers to a customer master key that does"),
            ("kms:Decrypt", ""),
        ),
        (answered("AccessDenied"), None),
        (answered("Odd", "kms:Decrypt"), None),
        (NoCredentialsError(), None),
    ],
)
def test_a_key_that_refuses_is_told_apart(error: Refusal, call: tuple[str, str] | None) -> None:
    assert kms_call(error) == call
