"""What an examination finds: checks, each with what it means and the statement that would mend it.

Values only. A check says how far it went, because what was only looked up may still be refused when
it is needed. The exit status is that of the worst check.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from enum import StrEnum

from msgspec import Struct, field

from integrity.record import ExitStatus


class Outcome(StrEnum):
    """What came of a check."""

    OK = "ok"
    FAILED = "failed"
    SKIPPED = "skipped"


class Trial(StrEnum):
    """How far a check went: what the service does, a part of it, a question about it, nothing."""

    TRIED = "tried"
    IN_PART = "in part"
    LOOKED_UP = "looked up"
    NOT = "not tried"


class Fault(StrEnum):
    """Where a failure has its cause: in what was configured, or in what is granted or reached."""

    CONFIGURATION = "configuration"
    ACCESS = "access"


class Statement(Struct, frozen=True, kw_only=True):
    """One statement of an IAM policy that allows something."""

    actions: tuple[str, ...]
    resources: tuple[str, ...]
    condition: Mapping[str, Mapping[str, str]] = field(default_factory=dict)

    def document(self) -> dict[str, object]:
        """As it stands in a policy."""
        document: dict[str, object] = {
            "Effect": "Allow",
            "Action": list(self.actions),
            "Resource": list(self.resources),
        }
        if self.condition:
            document["Condition"] = {name: dict(about) for name, about in self.condition.items()}
        return document


class Check(Struct, frozen=True, kw_only=True):
    """One thing that the configuration needs.

    `name` is the IAM action where there is one, `subject` what it was tried on. `said` is what came
    of it, or why it was not tried. `statement` is what the policy of `holder` lacks, `todo` what
    else would help. `fault` is set where it counts.
    """

    name: str
    subject: str
    outcome: Outcome
    trial: Trial
    said: str
    statement: Statement | None = None
    holder: str = ""
    todo: str = ""
    fault: Fault | None = None


def passed(name: str, subject: str, said: str, *, trial: Trial = Trial.TRIED) -> Check:
    """It is as it has to be."""
    return Check(name=name, subject=subject, outcome=Outcome.OK, trial=trial, said=said)


def skipped(name: str, subject: str, why: str, *, fault: Fault | None = None) -> Check:
    """It was not tried; with a `fault` although it is needed."""
    return Check(
        name=name,
        subject=subject,
        outcome=Outcome.SKIPPED,
        trial=Trial.NOT,
        said=why,
        fault=fault,
    )


def failed(name: str, subject: str, said: str) -> Check:
    """It could not be done, for a reason that is no refusal of AWS's."""
    return Check(
        name=name,
        subject=subject,
        outcome=Outcome.FAILED,
        trial=Trial.TRIED,
        said=said,
        fault=Fault.ACCESS,
    )


def misconfigured(name: str, subject: str, said: str, todo: str) -> Check:
    """The configuration says something that cannot be meant."""
    return Check(
        name=name,
        subject=subject,
        outcome=Outcome.FAILED,
        trial=Trial.TRIED,
        said=said,
        todo=todo,
        fault=Fault.CONFIGURATION,
    )


def status_of(checks: Iterable[Check]) -> int:
    """2 where the configuration is wrong, else 3 where something is missing or untried, else 0."""
    faults = {check.fault for check in checks}
    if Fault.CONFIGURATION in faults:
        return ExitStatus.USAGE
    return ExitStatus.UNDETERMINED if Fault.ACCESS in faults else ExitStatus.VALID


def missing_policies(checks: Iterable[Check]) -> dict[str, dict[str, object]]:
    """For each holder one policy of all that was found missing; the same statement once."""
    by_holder: dict[str, list[dict[str, object]]] = {}
    for check in checks:
        if check.statement is None or check.fault is None:
            continue
        statements = by_holder.setdefault(check.holder, [])
        if check.statement.document() not in statements:
            statements.append(check.statement.document())
    return {
        holder: {"Version": "2012-10-17", "Statement": statements}
        for holder, statements in by_holder.items()
    }
