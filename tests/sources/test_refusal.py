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
)
from botocore.parsers import ResponseParserError

from integrity.sources.refusal import Call, Refusal, error_code, explain, is_setup_fault

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
