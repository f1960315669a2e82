"""What each witness saw of an act, read from what it said, and where the AWS CLI is found."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

from integrity.chain.findings import Finding, Reason
from integrity.cli.witnesses import (
    Answer,
    AwsCli,
    Target,
    find_aws_cli,
    lab_environment,
    seen_by_aws_cli,
    seen_by_integrity,
)
from integrity.structs import replace
from tests.report.samples import digest_uri, finding, hour, log_uri, run

ONE, OTHER = digest_uri(5), digest_uri(6)
BOTH = Target((ONE, OTHER), "us-east-1", hour(5))


@pytest.mark.parametrize(
    ("findings", "seen"),
    [
        ([], "not seen"),
        ([finding(Reason.LOG_MISSING, s3_uri=log_uri(5))], "not seen"),
        ([finding(Reason.DIGEST_FOREIGN, s3_uri=ONE)], "not seen"),
        ([finding(Reason.DIGEST_MISSING, s3_uri=ONE)], "1 of 2 seen: digest_missing"),
        (
            [
                finding(Reason.DIGEST_MISSING, s3_uri=ONE),
                finding(Reason.DIGEST_MALFORMED, s3_uri=OTHER),
                finding(Reason.HEAD_REWOUND),
            ],
            "seen: digest_missing, digest_malformed",
        ),
        ([finding(Reason.HEAD_REWOUND)], "seen: head_rewound"),
        ([finding(Reason.HEAD_REWOUND, 6)], "not seen"),
        ([replace(finding(Reason.HEAD_REWOUND), region="eu-west-1")], "not seen"),
    ],
)
def test_integrity_has_seen_what_its_record_names(findings: list[Finding], seen: str) -> None:
    assert seen_by_integrity(run(*findings), BOTH) == seen


@pytest.mark.parametrize(
    ("text", "status", "seen"),
    [
        ("22/22 digest files valid\n", 0, "not seen"),
        (f"Digest file\t{ONE}\tvalid\nDigest file\t{OTHER}\tvalid\n", 0, "not seen"),
        (f"Digest file\t{ONE}\tINVALID: not found\n", 1, "1 of 2 seen"),
        (f"Digest file\t{ONE}\tINVALID: a\n\nDigest file\t{OTHER}\tINVALID: b\n", 1, "seen"),
        ("Unable to locate credentials\n", 253, "no answer (exit status 253)"),
    ],
)
def test_the_aws_cli_has_seen_what_it_calls_invalid(text: str, status: int, seen: str) -> None:
    assert seen_by_aws_cli(Answer(text, status), BOTH) == seen


def test_nothing_in_the_environment_leads_away_from_the_lab() -> None:
    mine = {
        "HOME": "/home",
        "AWS_PROFILE": "work",
        "AWS_REGION": "eu-west-1",
        "AWS_ENDPOINT_URL_S3": "https://elsewhere.example",
        "https_proxy": "http://elsewhere.example",
    }
    assert lab_environment(mine, {"AWS_REGION": "us-east-1"}) == {
        "HOME": "/home",
        "AWS_REGION": "us-east-1",
    }


def look_for_aws(folder: Path, monkeypatch: pytest.MonkeyPatch, version: str) -> AwsCli | str:
    """With an AWS CLI beside this Python that says so of its version, or with none at all."""
    monkeypatch.setattr(sys, "executable", str(folder / "python"))
    monkeypatch.setenv("PATH", str(folder))
    if version:
        aws = folder / "aws"
        aws.write_text(f"#!/bin/sh\necho '{version}'\n")
        aws.chmod(0o755)
    return find_aws_cli(os.environ)


@pytest.mark.skipif(sys.platform == "win32", reason="the stand-in is a shell script")
@pytest.mark.parametrize("version", ["1.29.0", "1.46.2", "2.13.0", "2.31.1"])
def test_the_aws_cli_is_found_with_its_version(
    version: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    aws = look_for_aws(tmp_path, monkeypatch, f"aws-cli/{version} Python/3.11.7 Linux/6.1")
    assert isinstance(aws, AwsCli)
    assert (aws.path, aws.version) == (str(tmp_path / "aws"), version)


@pytest.mark.skipif(sys.platform == "win32", reason="the stand-in is a shell script")
@pytest.mark.parametrize(
    ("version", "why"),
    [
        ("", "it is not installed here (pip install awscli)"),
        ("aws-cli/1.28.9 Python/3.11.7", "too old"),
        ("aws-cli/2.12.7 Python/3.11.7", "too old"),
        ("aws: command broken", "does not say which version it is"),
    ],
)
def test_an_aws_cli_that_cannot_be_asked_is_a_reason(
    version: str, why: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    aws = look_for_aws(tmp_path, monkeypatch, version)
    assert isinstance(aws, str)
    assert why in aws
