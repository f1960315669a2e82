"""Trouble that passes leaves no trace; trouble that stays is told once, and never as tampering."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from integrity.chain.findings import Finding, Outcome, Reason
from integrity.cli import main
from integrity.lab.faults import Fault
from integrity.lab.server import LabServer
from integrity.lab.world import World
from integrity.record import Run
from tests.faults.conftest import WINDOW, Quick, Verify

PASSING: list[dict[str, Any]] = [
    {"do": "throttle"},
    {"do": "reset"},
    {"do": "error"},
    {"do": "cut", "size": 50},
    {"do": "cut-short", "size": 50},
    {"do": "cut", "size": 0},
]
STAYING: list[tuple[dict[str, Any], str]] = [
    ({"do": "throttle"}, "AWS throttled s3:GetObject on arn:aws:s3:::trail-logs/AWSLogs/"),
    ({"do": "reset"}, "no answer to s3:GetObject on arn:aws:s3:::trail-logs/AWSLogs/"),
    ({"do": "error"}, "AWS failed to answer s3:GetObject on arn:aws:s3:::trail-logs/AWSLogs/"),
    ({"do": "cut", "size": 50}, "cut short: 50 of"),
    ({"do": "cut", "size": 0}, "cut short: 0 of"),
    ({"do": "cut-short", "size": 50}, "the transfer broke every time (50 of"),
    ({"do": "drip", "size": 100, "seconds": 0.8}, "the transfer broke every time"),
    ({"do": "delay", "seconds": 0.8}, "no answer to s3:GetObject"),
    ({"do": "deny"}, "s3:GetObject on arn:aws:s3:::trail-logs/AWSLogs/"),
    ({"do": "kms"}, "kms:Decrypt on the key of the object is not allowed"),
    ({"do": "archive"}, "archived (storage class"),
]


def name(value: Any) -> str | None:
    if isinstance(value, dict):
        return "-".join(str(one) for one in value.values())
    return None


def totals(run: Run) -> tuple[int, int, int, int]:
    """Digests and log files: all, and those that are valid."""
    digests, logs = run.totals.digest_files, run.totals.log_files
    return digests.total, logs.total, digests.valid, logs.valid


def only(run: Run) -> Finding:
    (finding,) = run.findings
    return finding


@pytest.mark.parametrize("fault", PASSING, ids=name)
def test_every_object_failing_once_is_valid(
    verify: Verify, lab: LabServer, fault: dict[str, Any]
) -> None:
    calm = totals(verify()[1])
    lab.faults.append(Fault(operation="GetObject", last=1, per_key=True, **fault))
    status, run = verify()
    assert (status, run.findings) == (0, ())
    assert totals(run) == calm
    assert lab.faults[0].seen > calm[0] + calm[1]


@pytest.mark.parametrize("fault", PASSING, ids=name)
@pytest.mark.parametrize("page", [1, 2, 7])
def test_a_listing_page_failing_once_is_valid(
    verify: Verify, lab: LabServer, fault: dict[str, Any], page: int
) -> None:
    lab.s3.page_size = 3
    lab.faults.append(Fault(operation="ListObjectsV2", first=page, last=page, **fault))
    status, run = verify()
    assert (status, run.findings) == (0, ())
    assert lab.faults[0].seen > page


@pytest.mark.parametrize("page", [1, 4, 9])
@pytest.mark.parametrize("do", ["error", "throttle", "reset"])
def test_listings_that_break_off_for_ever_are_no_tampering(
    verify: Verify, lab: LabServer, do: Any, page: int
) -> None:
    lab.s3.page_size = 3
    lab.faults.append(Fault(do, operation="ListObjectsV2", first=page))
    status, run = verify(quick=Quick(attempts=2))
    assert (status, run.outcome) == (3, Outcome.UNDETERMINED)
    assert {finding.outcome for finding in run.findings} == {Outcome.UNDETERMINED}
    assert Reason.OBJECT_UNREADABLE in {finding.reason for finding in run.findings}


def test_one_in_twenty_answers_slow_down_is_valid(verify: Verify, lab: LabServer) -> None:
    for operation in ("GetObject", "ListObjectsV2", "HeadBucket"):
        lab.faults.append(Fault("throttle", operation=operation, every=20))
    status, run = verify()
    assert (status, run.findings) == (0, ())
    assert sum(fault.seen for fault in lab.faults) > 60


@pytest.mark.parametrize("what", ["log", "digest"])
@pytest.mark.parametrize(("fault", "said"), STAYING, ids=name)
def test_one_object_failing_for_ever_is_one_finding(
    verify: Verify, lab: LabServer, world: World, fault: dict[str, Any], said: str, what: str
) -> None:
    chain = world.chains[0]
    victim = chain.digests[3] if what == "digest" else chain.log_files[4]
    calm = totals(verify()[1])
    lab.faults.append(Fault(operation="GetObject", key=victim.address[1], **fault))
    # Only what is meant to take too long is to run out of time, on a busy machine too.
    # libcurl counts silence in whole seconds.
    slow = "seconds" in fault
    patience = {"read_timeout": 0.3, "transfer_timeout": 0.6} if slow else {}
    status, run = verify(quick=Quick(attempts=2, **patience))
    assert status == 3
    finding = only(run)
    assert (finding.reason, finding.outcome) == (Reason.OBJECT_UNREADABLE, Outcome.UNDETERMINED)
    assert finding.s3_uri == f"s3://{victim.address[0]}/{victim.address[1]}"
    assert said in finding.detail
    assert "rewritten" not in finding.detail
    if what == "log":
        assert totals(run) == (*calm[:3], calm[3] - 1)
    else:
        # The log files that only this digest names are nobody's until it can be read.
        named = len(chain.digests[3].log_files)
        assert totals(run)[0::2] == (calm[0], calm[2] - 1)
        assert run.totals.log_files.valid == calm[3] - named
        assert run.totals.log_files.invalid == 0


def test_the_listing_denied_names_the_permission(verify: Verify, lab: LabServer) -> None:
    lab.faults.append(Fault("deny", operation="ListObjectsV2"))
    status, run = verify()
    assert (status, run.outcome) == (3, Outcome.UNDETERMINED)
    assert run.findings
    for finding in run.findings:
        assert finding.outcome is Outcome.UNDETERMINED
    told = [finding for finding in run.findings if finding.reason is Reason.OBJECT_UNREADABLE]
    assert told
    for finding in told:
        assert "s3:ListBucket on arn:aws:s3:::trail-logs is not allowed" in finding.message


def test_the_keys_denied_name_the_permission_once_a_chain(verify: Verify, lab: LabServer) -> None:
    lab.faults.append(Fault("deny", operation="ListPublicKeys"))
    status, run = verify()
    assert (status, run.outcome) == (3, Outcome.UNDETERMINED)
    assert {finding.reason for finding in run.findings} == {Reason.KEYS_UNAVAILABLE}
    assert sorted(finding.region for finding in run.findings) == ["eu-west-1", "us-east-1"]
    for finding in run.findings:
        assert "cloudtrail:ListPublicKeys" in finding.message
        assert f"in region {finding.region} is not allowed" in finding.message


def test_every_object_denied_names_the_permission(verify: Verify, lab: LabServer) -> None:
    lab.faults.append(Fault("deny", operation="GetObject"))
    status, run = verify()
    assert (status, run.outcome) == (3, Outcome.UNDETERMINED)
    assert {finding.outcome for finding in run.findings} == {Outcome.UNDETERMINED}
    assert "s3:GetObject" in run.findings[0].message


def test_a_server_that_is_gone_is_soon_said(verify: Verify, lab: LabServer, world: World) -> None:
    """Hundreds of objects are not each waited for when nothing at all answers."""
    lab.faults.append(Fault("reset", operation="GetObject"))
    status, run = verify(quick=Quick(attempts=8))
    assert status == 3
    assert {finding.outcome for finding in run.findings} == {Outcome.UNDETERMINED}
    assert world.chains


def test_an_object_that_was_rewritten_while_it_was_read_is_judged(
    verify: Verify, lab: LabServer, world: World
) -> None:
    """Another size than the listing's is trouble only where it is still the listed object."""
    log = world.chains[0].log_files[4]
    stored = world.objects[log.address]
    lab.sync()
    rewritten = replace(stored, body=stored.body[:50])
    real = lab.s3.answer

    def late(operation: str, request: Any, bucket: str, key: str) -> Any:
        if operation == "GetObject" and (bucket, key) == log.address:
            world.objects.data[log.address] = replace(rewritten, last_modified=world.now)
        return real(operation, request, bucket, key)

    lab.s3.answer = late  # type: ignore[method-assign]
    status, run = verify()
    assert (status, only(run).reason) == (1, Reason.LOG_MALFORMED)


@pytest.mark.parametrize("shown", [True, False])
def test_waiting_is_told_only_to_who_wants_to_see_everything(
    lab: LabServer, capsys: pytest.CaptureFixture[str], *, shown: bool
) -> None:
    lab.faults.append(Fault("throttle", operation="GetObject", last=40))
    arguments = ["--verbose"] if shown else []
    assert main(["verify", *WINDOW, *arguments], wiring=Quick(attempts=12)) == 0
    said = capsys.readouterr().err
    assert ("S3 asks to slow down: s3://trail-logs/AWSLogs/111122223333/" in said) is shown
    assert shown or said == ""
