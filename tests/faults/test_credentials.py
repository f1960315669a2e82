"""Credentials that end while a run is under way."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from integrity.aws.session import AwsRecipe
from integrity.chain.findings import Outcome, Reason
from integrity.chain.model import Fetched, S3Location
from integrity.lab.faults import Fault
from integrity.lab.server import LabServer
from integrity.lab.world import World
from integrity.sources.s3 import S3Source
from tests.faults.conftest import Verify

OLD, NEW = "AKIALABX111122223333", "AKIALABY111122223333"


def credentials_file(path: Path, access_key: str) -> None:
    path.write_text(
        f"[default]\naws_access_key_id = {access_key}\naws_secret_access_key = lab\n"
        f"aws_session_token = of-{access_key}\n"
    )


@pytest.fixture
def shared(tmp_path: Path, lab: LabServer, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A credentials file, which somebody else may renew."""
    assert lab.endpoint
    path = tmp_path / "credentials"
    credentials_file(path, OLD)
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(path))
    monkeypatch.delenv("AWS_ACCESS_KEY_ID")
    monkeypatch.delenv("AWS_SECRET_ACCESS_KEY")
    return path


def renewing(path: Path, lab: LabServer, operation: str, number: int) -> None:
    """Let the old credentials end, and new ones lie ready, at the n-th request of a kind."""
    real = lab.answer
    seen = 0

    def answer(request: object) -> object:
        nonlocal seen
        seen += lab._operation(request, *request.bucket_and_key) == operation  # type: ignore[attr-defined, arg-type]
        if seen == number and not lab.faults:
            credentials_file(path, NEW)
            lab.faults.append(Fault("expire", access_key=OLD))
        return real(request)  # type: ignore[arg-type]

    lab.answer = answer  # type: ignore[method-assign, assignment]


@pytest.mark.parametrize(
    ("operation", "number"), [("ListObjectsV2", 3), ("GetObject", 9), ("ListPublicKeys", 1)]
)
def test_credentials_that_somebody_renews_are_used_by_both_clients(
    verify: Verify, lab: LabServer, shared: Path, operation: str, number: int
) -> None:
    renewing(shared, lab, operation, number)
    status, run = verify()
    assert (status, run.findings) == (0, ())
    assert lab.faults[0].seen > 0


def test_a_process_that_gives_credentials_is_asked_again_by_both_clients(
    lab: LabServer, world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    given = tmp_path / "given"

    def give(access_key: str) -> None:
        given.write_text(
            json.dumps({"Version": 1, "AccessKeyId": access_key, "SecretAccessKey": "lab"})
        )

    give(OLD)
    config = tmp_path / "config"
    config.write_text(f"[profile audit]\nregion = us-east-1\ncredential_process = cat {given}\n")
    monkeypatch.setenv("AWS_CONFIG_FILE", str(config))
    source = S3Source(AwsRecipe(profile="audit", attempts=3, first_wait=0.001).open())
    address = world.chains[0].log_files[0].address
    world.objects[address[0], "a/./b"] = world.objects[address]
    used: list[str] = []
    real = lab.answer

    def answer(request: object) -> object:
        used.append(request.access_key)  # type: ignore[attr-defined]
        return real(request)  # type: ignore[arg-type]

    lab.answer = answer  # type: ignore[method-assign, assignment]

    def read(key: str) -> bool:
        used.clear()
        answer = source.fetch(S3Location(address[0], key), lambda pieces: b"".join(pieces))
        return isinstance(answer, Fetched)

    assert read(address[1])
    assert read("a/./b")
    give(NEW)
    lab.faults.append(Fault("expire", access_key=OLD))
    assert read("a/./b")
    assert used == [OLD, NEW]
    assert read(address[1])
    assert used == [NEW]
    assert isinstance(source.list_folders(address[0], ""), tuple)


@pytest.mark.parametrize("number", [1, 9])
def test_credentials_that_nobody_renews_are_told_once_a_chain_and_the_rest_is_kept(
    verify: Verify, lab: LabServer, number: int
) -> None:
    lab.faults.append(Fault("expire", operation="GetObject", first=number))
    status, run = verify()
    assert (status, run.outcome) == (3, Outcome.UNDETERMINED)
    told = [finding for finding in run.findings if "expired (ExpiredToken)" in finding.detail]
    assert {finding.reason for finding in told} == {Reason.OBJECT_UNREADABLE}
    assert len({finding.region for finding in told}) == len(told) > 0
    assert "aws sso login" in told[0].message
    assert run.totals.digest_files.invalid == run.totals.log_files.invalid == 0
    if number > 1:
        assert run.totals.digest_files.valid > 0


def test_everything_expiring_at_once_is_still_a_record(verify: Verify, lab: LabServer) -> None:
    lab.faults.append(Fault("expire", operation="GetObject", first=5))
    lab.faults.append(Fault("expire", operation="ListObjectsV2", first=5))
    lab.faults.append(Fault("expire", operation="ListPublicKeys"))
    status, run = verify()
    assert (status, run.outcome) == (3, Outcome.UNDETERMINED)
    assert {finding.outcome for finding in run.findings} == {Outcome.UNDETERMINED}
