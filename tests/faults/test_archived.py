"""What a lifecycle rule archived is told by the day; what was put there later, one by one."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime, timedelta

from integrity.chain.findings import Reason
from integrity.lab.faults import Fault
from integrity.lab.objects import Address
from integrity.lab.server import LabServer
from integrity.lab.world import World
from tests.faults.conftest import START, Verify

MONTH = timedelta(days=31)


def archive(
    world: World,
    addresses: Iterable[Address],
    storage_class: str = "DEEP_ARCHIVE",
    *,
    written: datetime | None = None,
) -> None:
    for address in addresses:
        stored = world.objects[address]
        world.objects[address] = replace(
            stored,
            storage_class=storage_class,
            last_modified=written or stored.last_modified,
        )


def everything(world: World, number: int) -> list[Address]:
    chain = world.chains[number]
    return [*(one.address for one in chain.digests), *(one.address for one in chain.log_files)]


def test_an_archived_day_is_one_finding_without_a_get(
    verify: Verify, lab: LabServer, world: World
) -> None:
    archive(world, everything(world, 0))
    lab.sync()
    status, run = verify()
    assert status == 3
    (finding,) = run.findings
    assert finding.reason is Reason.OBJECT_UNREADABLE
    assert (finding.account_id, finding.region) == ("111122223333", "us-east-1")
    assert finding.detail.startswith("archived (storage class DEEP_ARCHIVE): restore it")
    assert finding.count == 8
    assert finding.first is not None
    assert finding.last is not None
    assert finding.first < finding.last
    asked = [key for operation, key in lab.requests.by_key if operation == "GetObject"]
    assert asked
    assert not any("us-east-1/2026" in key for key in asked)


def test_each_day_is_told_by_itself(verify: Verify, lab: LabServer, world: World) -> None:
    world.continue_chain(world.chains[1], hours=30)
    archive(world, (log.address for log in world.chains[1].log_files), "GLACIER")
    lab.sync()
    status, run = verify("--end-time", "2026-03-02T06:00:00Z", "--source-region", "eu-west-1")
    assert status == 3
    assert [finding.window.end.day for finding in run.findings] == [1, 2]
    assert sum(finding.count for finding in run.findings) == run.totals.log_files.undetermined
    assert run.totals.digest_files.undetermined == 0


def test_what_can_be_read_again_is_judged(verify: Verify, lab: LabServer, world: World) -> None:
    """Restored for a while, or in an archive that answers at once."""
    log, other = world.chains[0].log_files[3:5]
    archive(world, [log.address], "GLACIER_IR")
    archive(world, [other.address], "DEEP_ARCHIVE")
    lab.s3.restored.add(other.address)
    lab.sync()
    status, run = verify()
    assert (status, run.findings) == (0, ())


def test_a_tier_that_no_listing_shows_is_told_too(
    verify: Verify, lab: LabServer, world: World
) -> None:
    for log in world.chains[0].log_files:
        lab.faults.append(Fault("archive", operation="GetObject", key=log.address[1]))
    status, run = verify()
    assert status == 3
    (finding,) = run.findings
    assert finding.detail.startswith("archived (storage class")
    assert finding.count == run.totals.log_files.undetermined > 1


def test_a_log_file_put_into_an_archive_after_its_delivery_is_told_by_itself(
    verify: Verify, lab: LabServer, world: World
) -> None:
    logs = world.chains[0].log_files
    archive(world, (log.address for log in logs))
    archive(world, [logs[4].address], written=START + timedelta(hours=7, minutes=30))
    lab.sync()
    status, run = verify()
    assert status == 3
    plain, rewritten = sorted(run.findings, key=lambda finding: finding.detail)
    assert plain.count > 1
    assert rewritten.detail.endswith("; rewritten after delivery")
    assert rewritten.s3_uri == f"s3://{logs[4].address[0]}/{logs[4].address[1]}"
    assert rewritten.last_modified == START + timedelta(hours=7, minutes=30)


def test_an_archived_digest_put_again_a_month_later_is_told_by_itself(
    verify: Verify, lab: LabServer, world: World
) -> None:
    early, late = world.chains[0].digests[2:4]
    archive(world, [early.address], written=early.end + timedelta(days=29))
    archive(world, [late.address], written=late.end + MONTH)
    lab.sync()
    status, run = verify()
    assert status == 3
    told = {
        finding.s3_uri: finding.detail.endswith("; rewritten after delivery")
        for finding in run.findings
    }
    assert told == {
        f"s3://{early.address[0]}/{early.address[1]}": False,
        f"s3://{late.address[0]}/{late.address[1]}": True,
    }


def test_what_a_backfill_digest_names_is_measured_by_when_that_was_made(
    verify: Verify, lab: LabServer, world: World
) -> None:
    made = START + timedelta(hours=7)
    backfill = world.backfill(world.chains[0], end=START + timedelta(hours=3), generated_at=made)
    early, late = backfill.log_files
    archive(world, [early.address])
    archive(world, [late.address], written=made + timedelta(minutes=16))
    lab.sync()
    status, run = verify()
    assert status == 3
    told = {
        finding.s3_uri: finding.detail.endswith("; rewritten after delivery")
        for finding in run.findings
    }
    assert told == {
        f"s3://{early.address[0]}/{early.address[1]}": False,
        f"s3://{late.address[0]}/{late.address[1]}": True,
    }
