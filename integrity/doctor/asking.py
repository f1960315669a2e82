"""Asking AWS one thing, and the check that comes of the answer.

A refusal becomes a value here and nowhere else in the room: the missing permission with the
statement that grants it, or another trouble in a sentence. Trouble that passes is waited out for a
moment only: somebody is watching.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any, TypeVar

from msgspec import Struct, field

from integrity.aws.refusal import (
    REFUSALS,
    Call,
    Refusal,
    error_code,
    explain,
    is_denied,
    is_setup_fault,
    kms_call,
    may_pass,
)
from integrity.aws.session import Aws
from integrity.doctor.check import Check, Fault, Outcome, Statement, Trial
from integrity.sources.patience import Patience

T = TypeVar("T")

ATTEMPTS = 3
"""How often anything is asked: somebody is watching."""

_FIRST_WAIT, _LONGEST_WAIT = 0.1, 1.0
_OF_TWO_ACCOUNTS = ("s3:", "kms:", "sns:", "sts:", "events:")
_FORBIDDEN = "explicit deny"
_EXPLICIT = (
    "no statement helps against an explicit deny: find it in the policies of the identity, of the "
    "resource, or of the organization, and take it away"
)
_OTHER_SIDE = "where the resource is another account's, its own policy has to allow the same"


class Need(Struct, frozen=True):
    """A permission, on what, under which condition, as a policy would grant it.

    `key_arn` is the KMS key that the service in question would use for it, where that is known.
    """

    action: str
    resource: str
    condition: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    key_arn: str = ""

    @property
    def statement(self) -> Statement:
        return Statement(
            actions=(self.action,), resources=(self.resource,), condition=self.condition
        )

    def of_key(self, action: str, key_arn: str) -> Statement:
        """What the key has to allow so that the service can do it."""
        suffix = "amazonaws.com.cn" if ":aws-cn:" in self.resource else "amazonaws.com"
        service = self.action.partition(":")[0]
        return Statement(
            actions=(action,),
            resources=(key_arn or self.key_arn or "ARN_OF_THE_KEY",),
            condition={"StringLike": {"kms:ViaService": f"{service}.*.{suffix}"}},
        )


class Refused(Struct, frozen=True):
    """What AWS, or the way to it, said instead of an answer."""

    error: Refusal
    need: Need
    holder: str

    @property
    def code(self) -> str:
        return error_code(self.error)

    @property
    def is_denied(self) -> bool:
        return is_denied(self.error)

    @property
    def is_setup_fault(self) -> bool:
        return is_setup_fault(self.error)

    @property
    def headers(self) -> Mapping[str, str]:
        """Of the answer that refused, if there was one."""
        response: dict[str, Any] = getattr(self.error, "response", {})
        return headers_of(response)

    def check(self, name: str, subject: str, *, is_needed: bool = True, todo: str = "") -> Check:
        """The check that failed by it; one that is not needed counts as skipped."""
        # Of a key that is asked itself the need says all; others ask KMS for their caller.
        key = None if self.need.action.startswith("kms:") else kms_call(self.error)
        said = explain(self.error, Call(self.need.action, f"on {self.need.resource}"))
        statement, help_ = None, todo
        if self.is_denied and _FORBIDDEN in said:
            help_ = _EXPLICIT
        elif self.is_denied:
            statement = self.need.statement if key is None else self.need.of_key(*key)
            help_ = self._help(todo)
        fault = Fault.CONFIGURATION if self.is_setup_fault else Fault.ACCESS
        return Check(
            name=key[0] if key else name,
            subject=subject,
            outcome=Outcome.FAILED if is_needed else Outcome.SKIPPED,
            trial=Trial.TRIED,
            said=said,
            statement=statement,
            holder=self.holder,
            todo=help_,
            fault=fault if is_needed else None,
        )

    def _help(self, todo: str) -> str:
        other = _OTHER_SIDE if self.need.action.startswith(_OF_TWO_ACCOUNTS) else ""
        return "; ".join(part for part in (todo, other) if part)


class Asker(Struct, frozen=True):
    """AWS as one identity. `holder` names whose policy grants what is asked."""

    aws: Aws
    holder: str
    account_id: str

    def ask(self, need: Need, question: Callable[[], T]) -> T | Refused:
        """The answer, or why there is none."""
        # The clients ask again by themselves, save those of S3.
        attempts = ATTEMPTS if need.action.startswith("s3:") else 1
        for is_last in Patience(attempts, _FIRST_WAIT, _LONGEST_WAIT).attempts():
            try:
                return question()
            except REFUSALS as error:
                if is_last or not may_pass(error):
                    return Refused(error, need, self.holder)
        raise AssertionError("there is a last attempt")


def headers_of(response: Mapping[str, Any]) -> Mapping[str, str]:
    """An answer's headers, by names in lower case."""
    headers: Mapping[str, str] = response.get("ResponseMetadata", {}).get("HTTPHeaders", {})
    return headers


def date_of(headers: Mapping[str, str]) -> datetime | None:
    """When AWS gave an answer, by its own clock."""
    try:
        told = parsedate_to_datetime(headers.get("date", ""))
    except ValueError:
        return None
    return told.astimezone(UTC) if told.tzinfo else None
