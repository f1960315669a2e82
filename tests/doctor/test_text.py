"""How an examination is shown, and what it comes to."""

from __future__ import annotations

import json

import pytest

from integrity.doctor.check import (
    Check,
    Fault,
    Outcome,
    Statement,
    Trial,
    failed,
    misconfigured,
    missing_policies,
    passed,
    skipped,
    status_of,
)
from integrity.doctor.forecast import ChainDay, forecast
from integrity.doctor.text import encode_examination, render_check, render_end, render_forecast
from tests.doctor.test_forecast import USUAL

FINE = passed("s3:GetObject", "s3://logs/x", "a digest file can be read")
LOOKED = passed("sns:GetTopicAttributes", "topic", "1 confirmed", trial=Trial.LOOKED_UP)
WRONG = misconfigured("clock", "this machine's", "60 min behind", "set it")
BROKEN = failed("send to webhook", "webhook:example.com#1", "no answer")
UNTRIED = skipped("s3:GetObject", "arn", "it takes s3:ListBucket", fault=Fault.ACCESS)
LEFT = skipped("organization", "arn", "it is no organization's trail")
PUBLISH = Statement(actions=("sns:Publish",), resources=("arn:aws:sns:us-east-1:1:a",))


def denied(holder: str = "role/task", *, is_needed: bool = True) -> Check:
    return Check(
        name="sns:Publish",
        subject="topic",
        outcome=Outcome.FAILED if is_needed else Outcome.SKIPPED,
        trial=Trial.TRIED,
        said="sns:Publish is not allowed",
        statement=PUBLISH,
        holder=holder,
        todo="look at the topic's policy",
        fault=Fault.ACCESS if is_needed else None,
    )


@pytest.mark.parametrize(
    ("checks", "status"),
    [
        ([], 0),
        ([FINE, LOOKED, LEFT, denied(is_needed=False)], 0),
        ([FINE, denied()], 3),
        ([FINE, UNTRIED], 3),
        ([BROKEN], 3),
        ([denied(), WRONG], 2),
    ],
)
def test_the_worst_check_is_the_status(checks: list[Check], status: int) -> None:
    assert status_of(checks) == status


def test_what_is_missing_is_a_policy_for_each_holder_without_repeats() -> None:
    policies = missing_policies([denied(), denied(), denied("role/other"), FINE])

    assert policies == {
        holder: {"Version": "2012-10-17", "Statement": [PUBLISH.document()]}
        for holder in ("role/task", "role/other")
    }
    assert missing_policies([denied(is_needed=False)]) == {}


def test_a_check_shows_what_it_means_what_is_missing_and_what_to_do() -> None:
    assert list(render_check(denied())) == [
        "FAILED   sns:Publish  topic",
        "         sns:Publish is not allowed",
        "         Missing in the policy of role/task:",
        '           {"Effect": "Allow", "Action": ["sns:Publish"], "Resource": '
        '["arn:aws:sns:us-east-1:1:a"]}',
        "         Next: look at the topic's policy",
    ]


def test_what_was_only_looked_up_says_so() -> None:
    assert list(render_check(LOOKED))[1].endswith("1 confirmed (looked up)")
    assert list(render_check(FINE))[1].endswith("a digest file can be read")


def test_the_end_counts_and_says_what_it_comes_to() -> None:
    lines = list(render_end([FINE, denied(), LEFT]))

    assert lines[-2:] == [
        "1 ok, 1 failed, 1 skipped",
        "Something that is needed is missing, or could not be tried.",
    ]
    policy = json.loads("\n".join(lines[lines.index("{") : lines.index("}") + 1]))
    assert policy["Statement"] == [PUBLISH.document()]


def made(**about: bool) -> list[str]:
    day = ChainDay("111122223333", "us-east-1", 24, 48, 78_503)
    month = forecast("arn", "2026-03-01", [day], 1, USUAL, **about)
    assert month is not None
    return list(render_forecast(month))


def test_a_month_is_shown_with_its_arithmetic() -> None:
    lines = made(by_kms=True, bucket_key=False)

    assert lines[1] == "A month of arn, if every day is like 2026-03-01:"
    assert "720 ticks x" in " ".join(lines)
    assert lines[-1].split() == [
        "together",
        "7,320",
        "LIST",
        "9,360",
        "GET",
        "9,360",
        "kms:Decrypt",
    ]


def test_bucket_keys_and_no_key_are_told_apart() -> None:
    assert "far fewer kms:Decrypt" in made(by_kms=True, bucket_key=True)[-1]
    assert "kms" not in made(by_kms=False, bucket_key=False)[-1]


def test_the_document_has_all_of_it() -> None:
    day = ChainDay("111122223333", "us-east-1", 24, 48, 78_503)
    month = forecast("arn", "2026-03-01", [day], 1, USUAL, by_kms=False, bucket_key=False)
    assert month is not None

    document = json.loads(encode_examination([denied(), FINE], [month]))

    assert (document["schema_version"], document["status"]) == (1, 3)
    assert [one["outcome"] for one in document["checks"]] == ["failed", "ok"]
    assert document["checks"][0]["missing_statement"] == PUBLISH.document()
    assert document["missing_policies"]["role/task"]["Statement"] == [PUBLISH.document()]
    assert document["forecasts"][0]["month"]["get"] == sum(
        part["get"] for part in document["forecasts"][0]["parts"]
    )
