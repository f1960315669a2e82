"""The key that signs records, a file or one of KMS: tried, and told what is wrong with it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from integrity.evidence.signature import Algorithm
from integrity.lab.faults import Fault
from tests.cli.test_verify_evidence import complete_moto
from tests.doctor.conftest import Clinic, Examined
from tests.evidence.pens import private_pem

ALIAS = "alias/records"


def examine(clinic: Clinic, key: object) -> Examined:
    folder = clinic.stage.folder / "records"
    clinic.stage.records = f'place = "{folder}"\nsign = "{key}"'
    return clinic.examine()


def test_a_key_in_a_file_is_opened_and_signs(clinic: Clinic, tmp_path: Path) -> None:
    file = tmp_path / "key.pem"
    file.write_bytes(private_pem(Algorithm.ED25519))

    found = examine(clinic, file)

    assert (found.status, found.bad()) == (0, set())
    assert "by ed25519" in found.one("records.sign")["said"]
    assert list(clinic.stage.folder.iterdir()) == [file]


@pytest.mark.slow
def test_a_file_that_is_no_key_is_named(clinic: Clinic, tmp_path: Path) -> None:
    gone, locked = tmp_path / "gone.pem", tmp_path / "locked.pem"
    locked.write_bytes(private_pem(Algorithm.ECDSA, passphrase=b"correct horse"))
    for file, said in ((gone, "cannot be read"), (locked, "INTEGRITY_SIGN_PASSPHRASE")):
        found = examine(clinic, file)

        assert (found.status, found.bad()) == (2, {"records.sign"})
        assert said in found.one("records.sign")["said"]


@pytest.fixture
def kms(clinic: Clinic, monkeypatch: pytest.MonkeyPatch) -> Any:
    complete_moto(monkeypatch)
    return clinic.stage.aws.client("kms", "us-east-1")


def make(kms: Any, usage: str = "SIGN_VERIFY", spec: str = "ECC_NIST_P256") -> str:
    arn: str = kms.create_key(KeySpec=spec, KeyUsage=usage)["KeyMetadata"]["Arn"]
    return arn


@pytest.mark.slow
def test_a_key_of_kms_signs_by_any_of_its_names(clinic: Clinic, kms: Any) -> None:
    arn = make(kms)
    kms.create_alias(AliasName=ALIAS, TargetKeyId=arn)
    for name in (arn, arn.rpartition("/")[2], ALIAS):
        found = examine(clinic, f"kms:{name}")

        assert (found.status, found.bad()) == (0, set())
        tried = [found.one(action)["trial"] for action in ("kms:GetPublicKey", "kms:Sign")]
        assert tried == ["tried", "tried"]
    elsewhere = make(clinic.stage.aws.client("kms", "eu-west-1"))
    assert examine(clinic, f"kms:{elsewhere}").status == 0


@pytest.mark.slow
def test_a_key_that_is_not_there_or_does_not_sign_is_named(clinic: Clinic, kms: Any) -> None:
    found = examine(clinic, "kms:11111111-2222-3333-4444-555555555555")
    assert (found.status, found.bad()) == (2, {"kms:GetPublicKey"})
    assert "no such key in us-east-1" in found.one("kms:GetPublicKey")["said"]

    for usage, spec, said in (
        ("ENCRYPT_DECRYPT", "RSA_2048", "SIGN_VERIFY"),
        ("SIGN_VERIFY", "ECC_NIST_P384", "of a kind"),
    ):
        found = examine(clinic, f"kms:{make(kms, usage, spec)}")
        assert (found.status, found.bad()) == (2, {"records.sign"})
        assert said in found.one("records.sign")["said"]


@pytest.mark.slow
def test_what_the_key_refuses_is_named_with_the_statement(clinic: Clinic, kms: Any) -> None:
    arn = make(kms)
    message = f"User: lab is not authorized to perform: kms:Sign on resource: {arn}"
    clinic.stage.server.faults.append(Fault("deny", operation="Sign", message=message))

    found = examine(clinic, f"kms:{arn}")

    assert (found.status, found.bad()) == (3, {"kms:Sign"})
    # The key is asked itself: no service asks it for the caller, so no kms:ViaService.
    assert found.one("kms:Sign")["missing_statement"] == {
        "Effect": "Allow",
        "Action": ["kms:Sign"],
        "Resource": [arn],
    }
    assert "own policy" in found.one("kms:Sign")["todo"]


@pytest.mark.slow
def test_behind_an_alias_the_statement_names_the_alias(clinic: Clinic, kms: Any) -> None:
    kms.create_alias(AliasName=ALIAS, TargetKeyId=make(kms))
    clinic.stage.server.faults.append(Fault("deny", operation="GetPublicKey"))

    found = examine(clinic, f"kms:{ALIAS}")

    assert (found.status, found.bad()) == (3, {"kms:GetPublicKey", "kms:Sign"})
    assert found.one("kms:GetPublicKey")["missing_statement"] == {
        "Effect": "Allow",
        "Action": ["kms:GetPublicKey"],
        "Resource": ["arn:aws:kms:us-east-1:111122223333:key/*"],
        "Condition": {"ForAnyValue:StringEquals": {"kms:ResourceAliases": ALIAS}},
    }
    assert found.one("kms:Sign")["outcome"] == "skipped"
    assert "it takes kms:GetPublicKey" in found.one("kms:Sign")["said"]


@pytest.mark.slow
def test_a_key_that_signs_wrongly_is_named(clinic: Clinic) -> None:
    """As moto's KMS does without help: it hashes what is a hash already."""
    arn = make(clinic.stage.aws.client("kms", "us-east-1"))

    found = examine(clinic, f"kms:{arn}")

    assert (found.status, found.bad()) == (3, {"kms:Sign"})
    assert "not its own" in found.one("kms:Sign")["said"]
