"""The ready files of examples/rules: what each of their rules is about, and what it is not."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from integrity.chain.limits import Limits
from integrity.rules.matching import Matcher
from integrity.rules.messages import write_match
from integrity.rules.model import Match
from integrity.rules.reading import read_event
from integrity.wiring.rules import Rulebook, load_rules, open_programs
from tests.rules.samples import ROLE, ROOT, event, login, made_key, raw, session

NOW = datetime(2026, 3, 1, 4, tzinfo=UTC)
EXAMPLES = Path(__file__).parents[2] / "examples" / "rules"


class Book:
    """One file's rules, and the process that answers for them."""

    def __init__(self, name: str) -> None:
        self.book: Rulebook = load_rules({}, str(EXAMPLES / f"{name}.toml"))
        self.programs = open_programs(self.book.rules)

    def fired(self, *events: dict[str, Any]) -> list[Match]:
        matcher = Matcher(self.book.rules, self.programs, Limits())
        read = [read_event(raw(one)) for one in events]
        found = list(matcher.match(one for one in read if one is not None))
        assert matcher.disabled() == ()
        assert all(count.failed == 0 for count in matcher.counts().values())
        return found

    def names(self, *events: dict[str, Any]) -> list[str]:
        return [match.rule.name for match in self.fired(*events)]


@pytest.fixture(scope="module")
def books() -> Iterator[dict[str, Book]]:
    found = {path.stem: Book(path.stem) for path in sorted(EXAMPLES.glob("*.toml"))}
    yield found
    for book in found.values():
        book.programs.close()


FAILED = {"errorCode": "AccessDenied", "errorMessage": "no"}


def bucket(name: str, bucket_name: str = "audit-logs") -> dict[str, Any]:
    return event(name, "s3", requestParameters={"bucketName": bucket_name})


def trail(name: str, **request: Any) -> dict[str, Any]:
    return event(name, "cloudtrail", requestParameters={"name": "main", **request})


def key(name: str, **more: Any) -> dict[str, Any]:
    return event(name, "kms", requestParameters={"keyId": "arn:aws:kms:::key/1"}, **more)


WATCHED: list[tuple[str, dict[str, Any]]] = [
    ("Root login", login(ROOT)),
    ("Root login", login(ROOT, result="Failure")),
    ("Login without MFA", login(mfa="No")),
    ("Access key created", made_key()),
    ("SSM session started", session()),
    ("Trail stopped or changed", trail("StopLogging")),
    ("Trail stopped or changed", trail("DeleteTrail") | FAILED),
    ("Trail stopped or changed", trail("PutEventSelectors")),
    ("Trail's bucket changed", bucket("PutBucketPolicy")),
    ("Trail's bucket changed", bucket("PutBucketLifecycle")),
    ("Trail's bucket changed", bucket("DeleteBucketPolicy") | FAILED),
    ("KMS key disabled", key("DisableKey")),
    ("KMS key disabled", key("ScheduleKeyDeletion")),
]

QUIET: list[dict[str, Any]] = [
    login(),
    login(mfa="No", result="Failure"),
    login(ROLE, mfa="No"),
    event("AssumeRole", "sts", by=ROOT),
    made_key() | FAILED,
    event("CreateAccessKey", "elsewhere"),
    session() | FAILED,
    event("StartSession", "athena"),
    trail("StartLogging"),
    trail("DescribeTrails"),
    bucket("PutBucketPolicy", "other-logs"),
    bucket("GetBucketPolicy"),
    key("EnableKey"),
    key("DisableKey") | FAILED,
]


@pytest.mark.parametrize(("name", "one"), WATCHED)
def test_the_watch_list_fires(books: dict[str, Book], name: str, one: dict[str, Any]) -> None:
    assert books["watch-list"].names(one) == [name]


@pytest.mark.parametrize("one", QUIET)
def test_the_watch_list_is_quiet_otherwise(books: dict[str, Book], one: dict[str, Any]) -> None:
    assert books["watch-list"].names(one) == []


def test_validation_that_is_switched_off_is_both(books: dict[str, Book]) -> None:
    off = trail("UpdateTrail", enableLogFileValidation=False)

    assert books["watch-list"].names(off) == ["Trail stopped or changed", "Validation switched off"]
    for other in (off | FAILED, trail("UpdateTrail", enableLogFileValidation=True)):
        assert books["watch-list"].names(other) == ["Trail stopped or changed"]


def test_the_watch_list_leaves_everything_else_to_a_prefilter(books: dict[str, Book]) -> None:
    assert not any(rule.wanted.is_everything for rule in books["watch-list"].book.rules)


def test_what_a_user_does_is_watched(books: dict[str, Book]) -> None:
    mine, other = event("ListBuckets", "s3"), event("ListBuckets", "s3", by=ROLE)
    lookalike = event("ListBuckets", "s3", by={"userName": "alice2"}, userAgent="alice")
    [match] = books["user-watch"].fired(mine, other, lookalike, login(ROOT))
    message = write_match(match, trail_arn="a trail", now=NOW)

    assert message.subject == "alice: ListBuckets"
    for said in (
        "2026-03-01T03:04:05Z",
        "203.0.113.7",
        "aws-cli/2.31",
        "ListBuckets (s3.",
    ):
        assert said in message.text


@pytest.mark.parametrize("name", ["login-archive", "login-ledger"])
def test_logins_are_archived_and_entered(books: dict[str, Book], name: str) -> None:
    logins = [login(), login(ROOT), login(ROLE, result="Failure")]

    assert (
        books[name].names(*logins, session(), event("ConsoleLogin", "elsewhere"))
        == ["Console login"] * 3
    )


def test_the_ledgers_mail_is_in_its_readers_language_and_time(books: dict[str, Book]) -> None:
    [match] = books["login-ledger"].fired(login(ROLE, result="Failure"))
    message = write_match(match, trail_arn="a trail", now=NOW)

    assert message.subject == "コンソールログイン: bob@example.com (Failure)"
    assert "2026/03/01 12:04:05" in message.text


def test_tattletails_form_fires_for_keys_and_sessions(books: dict[str, Book]) -> None:
    found = books["tattletail"].fired(
        made_key(), session(), login(), event("ListAccessKeys", "iam")
    )

    assert [(match.rule.name, match.text) for match in found] == [
        ("Access key created", "arn:aws:iam::111122223333:user/alice made a key for carol"),
        ("SSM session started", f"{ROLE['arn']} is on i-0abc"),
    ]
    assert found[0].rule.destinations == ("channel", "topic", "mailbox")


def test_only_the_inline_webhook_is_warned_of(books: dict[str, Book]) -> None:
    warned = {name: book.book.warnings for name, book in books.items() if book.book.warnings}

    assert list(warned) == ["tattletail"]
    assert "XXXX" not in str(warned) + repr(books["tattletail"].book)
