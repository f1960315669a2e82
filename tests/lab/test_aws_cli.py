"""The AWS CLI, run for real, accepts what the lab writes and catches what is done to it."""

from __future__ import annotations

import os
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from integrity.lab import attacks
from integrity.lab.server import serve
from integrity.lab.world import Chain, LabTrail, World

AWS = Path(sys.executable).with_name("aws")
START = datetime(2026, 3, 1, tzinfo=UTC)
HOUR = timedelta(hours=1)
DAY = 24 * HOUR

pytestmark = pytest.mark.skipif(not AWS.exists(), reason="the AWS CLI is not installed")


def validate_logs(
    world: World,
    trail: LabTrail,
    *options: str,
    hours: int = 24,
    region: str = "us-east-1",
) -> subprocess.CompletedProcess[str]:
    """What `aws cloudtrail validate-logs` says of the hours from the start on."""
    with serve(world) as server:
        return subprocess.run(
            [
                AWS,
                *("cloudtrail", "validate-logs", "--trail-arn", trail.arn, "--region", region),
                *("--start-time", START.isoformat(), "--end-time"),
                (START + hours * HOUR).isoformat(),
                *options,
            ],
            env={**os.environ, **server.environment},
            capture_output=True,
            text=True,
            check=False,
        )


def counts(result: subprocess.CompletedProcess[str]) -> list[str]:
    """The lines of the summary that count."""
    return [line for line in result.stdout.splitlines() if "valid" in line]


@pytest.fixture
def world() -> World:
    return World(seed=5)


def test_everything_that_cloudtrail_does_is_accepted(world: World) -> None:
    trail = world.add_trail(prefix="audit/logs")
    chain = world.run_chain(trail, start=START, hours=6, empty_hours={3}, late_hours={4})
    world.rotate_key("us-east-1", at=START + timedelta(hours=6, minutes=30))
    world.continue_chain(chain, hours=3)
    world.switch_bucket(chain, bucket="second-logs", prefix="audit/logs")
    world.continue_chain(chain, hours=3)
    world.restart_chain(
        chain,
        stop=START + timedelta(hours=12, minutes=10),
        start=START + timedelta(hours=15, minutes=20),
        hours=4,
    )
    # In the order of their hours: it walks backfills out of order twice, and counts them twice.
    for end, generated in ((3, 30), (5, 31)):
        world.backfill(chain, end=START + end * HOUR, generated_at=START + generated * DAY)
    result = validate_logs(world, trail)
    assert result.returncode == 0, result.stderr
    named = len(chain.log_files)
    assert counts(result) == [
        f"{len(chain.digests)}/{len(chain.digests)} digest files valid",
        "2/2 backfill digest files valid",
        f"{named}/{named} log files valid",
    ]
    assert len(chain.digests) == 1 + 12 + 1 + 1 + 4
    assert "INVALID" not in result.stderr
    assert "No log files were delivered by CloudTrail between" in result.stderr + result.stdout


def test_a_member_of_an_organization_in_another_region_is_accepted(world: World) -> None:
    trail = world.add_trail(organization_id="o-exampleorgid", prefix="o-exampleorgid")
    world.run_chain(trail, region="us-east-1", start=START, hours=2)
    world.run_chain(
        trail,
        region="eu-west-1",
        account_id="444455556666",
        start=START,
        hours=5,
        escape_slashes=True,
    )
    result = validate_logs(world, trail, "--account-id", "444455556666", region="eu-west-1")
    assert result.returncode == 0, result.stderr
    assert counts(result) == ["6/6 digest files valid", "15/15 log files valid"]


@pytest.mark.parametrize("region", ["us-gov-west-1", "cn-north-1"])
def test_other_partitions_are_accepted(world: World, region: str) -> None:
    trail = world.add_trail(home_region=region)
    world.run_chain(trail, region=region, start=START, hours=3, begin="linked")
    result = validate_logs(world, trail, region=region, hours=2)
    assert result.returncode == 0, result.stderr
    assert counts(result) == ["4/4 digest files valid", "9/9 log files valid"]


@pytest.fixture
def chain(world: World) -> Chain:
    trail = world.add_trail()
    chain = world.run_chain(trail, start=START, hours=8)
    world.backfill(chain, end=START + 4 * HOUR, generated_at=START + 3 * DAY)
    return chain


def test_what_is_done_to_log_files_is_caught(world: World, chain: Chain) -> None:
    logs = chain.log_files
    attacks.edit_log(world, logs[0])
    attacks.delete_log(world, logs[1])
    attacks.plain_log(world, logs[2])
    attacks.append_to_log(world, logs[3])
    attacks.second_member(world, logs[4])
    attacks.wrong_crc(world, logs[5])
    attacks.recompress_log(world, logs[6])
    result = validate_logs(world, chain.trail)
    assert result.returncode == 1
    assert counts(result)[-1] == "20/26 log files valid, 6/26 log files INVALID"
    for log, said in zip(
        logs[:6],
        (
            "hash value doesn't match",
            "not found",
            "invalid format",
            "unexpected data after end of compressed stream",
            "unexpected data after end of compressed stream",
            "invalid format",
        ),
        strict=True,
    ):
        assert f"Log file\ts3://{log.bucket}/{log.key}\tINVALID: {said}" in result.stderr


def test_what_is_done_to_digests_is_caught(world: World, chain: Chain) -> None:
    digests = chain.digests
    attacks.malform_digest(world, digests[1], "not-gzip")
    attacks.unsign_digest(world, digests[2])
    attacks.edit_digest(world, digests[3])
    attacks.replay_digest(world, digests[3], over=digests[4])
    attacks.foreign_key(world, digests[5])
    attacks.delete_digest(world, digests[6])
    attacks.tamper_backfill(world, chain.backfills[0])
    result = validate_logs(world, chain.trail)
    assert result.returncode == 1
    assert counts(result)[:2] == [
        "3/9 digest files valid, 6/9 digest files INVALID",
        "0/1 backfill digest files valid, 1/1 backfill digest files INVALID",
    ]
    for digest, said in (
        (digests[1], "invalid format"),
        (digests[2], "signature verification failed"),
        (digests[3], "signature verification failed"),
        (digests[4], "has been moved from its original location"),
        (digests[5], "public key not found in region us-east-1 for fingerprint"),
        (digests[6], "not found"),
    ):
        assert f"s3://{digest.bucket}/{digest.key}\tINVALID: {said}" in result.stderr


def test_a_future_stamp_hides_later_days_from_it(world: World) -> None:
    # A known weakness of the AWS CLI: the attack is real, and it is not caught there.
    trail = world.add_trail()
    chain = world.run_chain(trail, start=START, hours=48)
    attacks.edit_log(world, chain.digests[40].log_files[0])
    assert validate_logs(world, trail, hours=48).returncode == 1
    attacks.plant_future(world, chain, day=START, junk=chain.digests[1])
    assert validate_logs(world, trail, hours=48).returncode == 0


def test_it_can_attack_the_world_by_hand(world: World, chain: Chain) -> None:
    log = chain.log_files[0]
    with serve(world) as server:
        subprocess.run(
            [AWS, "s3", "rm", f"s3://{log.bucket}/{log.key}"],
            env={**os.environ, **server.environment},
            check=True,
            capture_output=True,
        )
    assert log.address not in world.objects
