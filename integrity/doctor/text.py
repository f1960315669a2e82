"""An examination as people read it, a check as soon as it is made, and as one JSON document."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from typing import Any

from integrity.doctor.check import Check, Outcome, Trial, missing_policies, status_of
from integrity.doctor.forecast import Forecast, Requests
from integrity.record import ExitStatus

SCHEMA_VERSION = 1

_MARKS = {Outcome.OK: "ok", Outcome.FAILED: "FAILED", Outcome.SKIPPED: "skipped"}
_ENDS = {
    ExitStatus.VALID: "Nothing that the configuration needs is missing.",
    ExitStatus.USAGE: "The configuration is wrong: see what FAILED, and Next below it.",
    ExitStatus.UNDETERMINED: "Something that is needed is missing, or could not be tried.",
}


def render_check(check: Check) -> Iterator[str]:
    """A line for what is well; for the rest what it means and what to do."""
    how = f" ({check.trial.value})" if check.trial in (Trial.IN_PART, Trial.LOOKED_UP) else ""
    yield f"{_MARKS[check.outcome]:<8} {check.name}  {check.subject}"
    yield f"         {check.said}{how}"
    if check.statement is not None:
        needs = "Missing" if check.fault else "It would take this"
        yield f"         {needs} in the policy of {check.holder}:"
        yield f"           {json.dumps(check.statement.document())}"
    if check.todo:
        yield f"         Next: {check.todo}"


def render_forecast(forecast: Forecast) -> Iterator[str]:
    """The bill in requests, with how it was reckoned."""
    yield ""
    yield f"A month of {forecast.trail_arn}, if every day is like {forecast.day}:"
    yield (
        f"  chains {forecast.chains:,}, of which {forecast.sampled:,} were listed; a day "
        f"{forecast.digest_files:,} digest and {forecast.log_files:,} log files, "
        f"{forecast.stored_bytes:,} bytes"
    )
    for line in forecast.lines:
        yield f"  {line.what:<18} {_requests(line.requests)}"
        yield f"  {'':<18}   {line.because}"
    yield f"  {'together':<18} {_requests(forecast.total)}{_kms(forecast)}"


def render_end(checks: Sequence[Check]) -> Iterator[str]:
    """How many of each, every missing permission as a policy to paste, and what it comes to."""
    for holder, policy in missing_policies(checks).items():
        yield ""
        yield f"All that was found missing in the policy of {holder}:"
        yield from json.dumps(policy, indent=2).splitlines()
    counts = {outcome: sum(check.outcome is outcome for check in checks) for outcome in Outcome}
    yield ""
    yield ", ".join(f"{count} {outcome.value}" for outcome, count in counts.items())
    yield _ENDS[status_of(checks)]


def encode_examination(checks: Sequence[Check], forecasts: Sequence[Forecast]) -> str:
    """All of it, for machines."""
    return json.dumps(
        {
            "schema_version": SCHEMA_VERSION,
            "status": int(status_of(checks)),
            "checks": [_check(check) for check in checks],
            "missing_policies": missing_policies(checks),
            "forecasts": [_forecast(forecast) for forecast in forecasts],
        },
        indent=2,
    )


def _requests(requests: Requests) -> str:
    return f"{requests.lists:>13,} LIST {requests.gets:>15,} GET"


def _kms(forecast: Forecast) -> str:
    if forecast.kms_decrypts is None:
        return ", and far fewer kms:Decrypt: the files have bucket keys"
    return f" {forecast.kms_decrypts:>15,} kms:Decrypt" if forecast.by_kms else ""


def _check(check: Check) -> dict[str, Any]:
    return {
        "name": check.name,
        "subject": check.subject,
        "outcome": check.outcome.value,
        "trial": check.trial.value,
        "said": check.said,
        "missing_statement": check.statement and check.statement.document(),
        "holder": check.holder,
        "todo": check.todo,
        "fault": check.fault and check.fault.value,
    }


def _forecast(forecast: Forecast) -> dict[str, Any]:
    return {
        "trail_arn": forecast.trail_arn,
        "day": forecast.day,
        "chains": forecast.chains,
        "sampled_chains": forecast.sampled,
        "digest_files_a_day": forecast.digest_files,
        "log_files_a_day": forecast.log_files,
        "stored_bytes_a_day": forecast.stored_bytes,
        "month": {
            "list": forecast.total.lists,
            "get": forecast.total.gets,
            "kms_decrypt": forecast.kms_decrypts,
        },
        "parts": [
            {
                "what": line.what,
                "list": line.requests.lists,
                "get": line.requests.gets,
                "because": line.because,
            }
            for line in forecast.lines
        ],
    }
