"""`--sign` and `integrity verify-evidence`: from a key in a file to a verdict on a folder."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import boto3
import pytest
from cryptography.hazmat.primitives.asymmetric.ec import ECDSA
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.utils import Prehashed
from cryptography.hazmat.primitives.hashes import SHA256
from moto import mock_aws
from moto.kms import utils

from integrity.cli import main
from integrity.evidence.signature import Algorithm, Standing, check_signature
from integrity.lab import attacks
from integrity.lab.objects import StoredObject
from integrity.lab.server import LabServer, serve
from integrity.lab.world import World
from integrity.record import Run, encode
from integrity.service.memory import sha256_of
from integrity.stores.records_folder import FolderRecords
from integrity.structs import replace
from integrity.wiring.signed_records import SignedRecords
from tests.cli.stand_in import StandIn
from tests.evidence.pens import NOW, pen, private_pem, signed
from tests.report.samples import run

Captured = pytest.CaptureFixture[str]
JSON = ("--format", "json")


@pytest.fixture
def key(tmp_path: Path) -> Path:
    path = tmp_path / "key.pem"
    path.write_bytes(private_pem(Algorithm.ED25519, 0))
    return path


@pytest.fixture
def public(tmp_path: Path) -> Path:
    path = tmp_path / "key.pub.pem"
    path.write_text(pen().verifying_key.pem)
    return path


def verify(output: Path, *arguments: str, stand_in: StandIn | None = None) -> int:
    typed = ["verify", *JSON, "--output", str(output), *arguments]
    return main(typed, wiring=stand_in or StandIn())


# --sign


def test_a_record_is_signed_as_it_was_written(key: Path, public: Path, tmp_path: Path) -> None:
    output = tmp_path / "record.json"
    answers = StandIn([run(), run()])
    assert verify(output, "--sign", str(key), stand_in=answers) == 0
    document = output.read_bytes()
    assert len(document.splitlines()) == 2
    signature = (tmp_path / "record.json.sig").read_bytes()
    checked = check_signature(document, signature, [pen().verifying_key])
    assert checked.standing is Standing.GENUINE
    assert main(["verify-evidence", str(output), "--key", str(public)]) == 0


def test_an_old_signature_does_not_outlive_its_record(
    key: Path, public: Path, tmp_path: Path, capsys: Captured
) -> None:
    output = tmp_path / "record.json"
    assert verify(output, "--sign", str(key)) == 0
    assert verify(output) == 2
    assert "is the signature of what" in capsys.readouterr().err
    assert verify(output, "--sign", str(key), stand_in=StandIn([run(), run()])) == 0
    assert main(["verify-evidence", str(output), "--key", str(public)]) == 0


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--format", "text", "--output", "r.json"], "add --format json and --output"),
        ([*JSON], "add --format json and --output"),
    ],
)
def test_only_a_records_file_is_signed(
    arguments: list[str], said: str, key: Path, capsys: Captured
) -> None:
    assert main(["verify", *arguments, "--sign", str(key)], wiring=StandIn()) == 2
    assert said in capsys.readouterr().err


def test_a_key_that_is_none_stops_before_anything_is_verified(
    tmp_path: Path, capsys: Captured
) -> None:
    stand_in = StandIn()
    for sign in (str(tmp_path / "gone.pem"), str(Path(__file__))):
        assert verify(tmp_path / "r.json", "--sign", sign, stand_in=stand_in) == 2
        assert "key" in capsys.readouterr().err
    large = tmp_path / "large.pem"
    large.write_bytes(bytes(70_000))
    assert verify(tmp_path / "r.json", "--sign", str(large), stand_in=stand_in) == 2
    assert "it is larger than" in capsys.readouterr().err
    assert stand_in.jobs == []


def test_a_passphrase_comes_from_the_environment(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Captured
) -> None:
    locked = tmp_path / "locked.pem"
    locked.write_bytes(private_pem(Algorithm.ECDSA, passphrase=b"correct horse"))
    output = tmp_path / "record.json"
    assert verify(output, "--sign", str(locked)) == 2
    assert "INTEGRITY_SIGN_PASSPHRASE" in capsys.readouterr().err
    monkeypatch.setenv("INTEGRITY_SIGN_PASSPHRASE", "correct horse")
    assert verify(output, "--sign", str(locked)) == 0
    assert main(["verify-evidence", str(output)]) == 3


# verify-evidence


def records(count: int) -> list[Run]:
    """So many ticks, each naming the one before."""
    made: list[Run] = []
    start = datetime(2026, 3, 1, tzinfo=UTC)
    for number in range(count):
        previous = sha256_of(encode(made[-1])) if made else None
        at = start + timedelta(hours=number)
        info = replace(run().run, id=f"run-{number}", started_at=at, previous_sha256=previous)
        made.append(replace(run(), run=info))
    return made


@pytest.fixture
def store(tmp_path: Path) -> Path:
    """Six signed records of the service."""
    folder = tmp_path / "records"
    kept = SignedRecords(FolderRecords(folder), pen, lambda: NOW)
    for one in records(6):
        kept.write(one.trail_arn, one.run.started_at, one.run.id, encode(one))
    return folder


def record_of(store: Path, number: int) -> Path:
    (path,) = store.rglob(f"*_run-{number}.json")
    return path


def examine(place: Path, public: Path | None, capsys: Captured) -> tuple[int, str]:
    typed = ["verify-evidence", str(place)]
    status = main(typed if public is None else [*typed, "--key", str(public)])
    return status, capsys.readouterr().out


def test_a_whole_store_is_intact(store: Path, public: Path, capsys: Captured) -> None:
    status, out = examine(store, public, capsys)
    assert status == 0
    assert out.count("INTACT: signed by sha256:") == 6
    assert "6 of 6 records intact, from 2026-03-01T00:00:00Z to 2026-03-01T05:00:00Z" in out
    assert "cannot be seen from records" in out


def test_how_a_drill_ended_is_no_record(store: Path, public: Path, capsys: Captured) -> None:
    document = b'{"outcome":"passed"}'
    arn, at = run().trail_arn, datetime(2026, 3, 1, 5, tzinfo=UTC)
    FolderRecords(store).write_drill(arn, at, "a-drill", document)
    assert examine(store, public, capsys)[0] == 0
    (store / "loose.json").write_bytes(document)
    assert examine(store, public, capsys)[0] == 3


def test_without_a_key_nothing_is_certain(store: Path, capsys: Captured) -> None:
    status, out = examine(store, None, capsys)
    assert status == 3
    assert "UNPINNED: signed by the key that lies beside it" in out
    assert "0 of 6 records intact" in out


def edited(store: Path) -> None:
    path = record_of(store, 3)
    path.write_bytes(path.read_bytes().replace(b'"valid"', b'"VALID"', 1))


def removed(store: Path) -> None:
    record_of(store, 2).unlink()


def removed_with_signature(store: Path) -> None:
    path = record_of(store, 2)
    path.with_name(path.name + ".sig").unlink()
    path.unlink()


def removed_from_the_end_but_its_signature(store: Path) -> None:
    record_of(store, 5).unlink()


def exchanged(store: Path) -> None:
    """One record, with its own genuine signature, in the place of another."""
    one, other = record_of(store, 2), record_of(store, 3)
    other.write_bytes(one.read_bytes())
    sig = one.with_name(one.name + ".sig")
    other.with_name(other.name + ".sig").write_bytes(sig.read_bytes())


def signed_anew(store: Path) -> None:
    edited(store)
    path = record_of(store, 3)
    forged = signed(path.read_bytes(), number=1)
    path.with_name(path.name + ".sig").write_bytes(forged)


def filled(store: Path) -> None:
    path = record_of(store, 3)
    path.with_name(path.name + ".sig").write_bytes(bytes(10**6))


@pytest.mark.parametrize(
    ("attack", "said"),
    [
        (edited, "CONTRADICTED: the signature is of another content"),
        (removed, "it is gone, and its signature is left"),
        (removed_with_signature, "MISSING: its predecessor"),
        (removed_from_the_end_but_its_signature, "it is gone, and its signature is left"),
        (exchanged, "it holds the record that belongs to"),
        (signed_anew, "CONTRADICTED: it is signed by another key than was given"),
        (filled, "CONTRADICTED: the signature is larger than"),
    ],
)
def test_an_attack_is_status_1_and_named(
    attack: Callable[[Path], None], said: str, store: Path, public: Path, capsys: Captured
) -> None:
    attack(store)
    status, out = examine(store, public, capsys)
    assert status == 1
    assert said in out


def test_an_edit_of_an_unsigned_store_shows_in_the_next_record(
    store: Path, public: Path, capsys: Captured
) -> None:
    for signature in store.rglob("*.sig"):
        signature.unlink()
    assert examine(store, public, capsys)[0] == 3
    edited(store)
    status, out = examine(store, public, capsys)
    assert status == 1
    assert "run-3.json, which no record names, was changed since" in out


def test_nothing_at_all_is_undetermined(tmp_path: Path, public: Path, capsys: Captured) -> None:
    (tmp_path / "empty").mkdir()
    status, out = examine(tmp_path / "empty", public, capsys)
    assert (status, out.startswith("nothing was found")) == (3, True)


def test_what_is_no_record_is_told(tmp_path: Path, public: Path, capsys: Captured) -> None:
    other = tmp_path / "other.json"
    other.write_text("{}")
    assert examine(other, public, capsys)[0] == 3
    (tmp_path / "other.json.sig").write_bytes(signed(b"{}"))
    assert examine(other, public, capsys)[0] == 0
    page = tmp_path / "report.html"
    page.write_text("<p>")
    (tmp_path / "report.html.sig").write_bytes(signed(b"<p>"))
    assert examine(page, public, capsys)[0] == 0


def test_links_are_not_followed(store: Path, public: Path, tmp_path: Path) -> None:
    if os.name == "nt":
        pytest.skip("links take a privilege on Windows")
    (store / "link.json").symlink_to(tmp_path / "nowhere.json")
    assert main(["verify-evidence", str(store), "--key", str(public)]) == 0


@pytest.mark.parametrize("arguments", [["gone.json"], ["x", "--key", "gone.pem"], []])
def test_usage_errors(arguments: list[str], capsys: Captured) -> None:
    assert main(["verify-evidence", *arguments]) == 2
    assert "Traceback" not in capsys.readouterr().err


def test_a_name_obeys_no_terminal(tmp_path: Path, public: Path, capsys: Captured) -> None:
    if os.name == "nt":
        pytest.skip("no such names on Windows")
    (tmp_path / "\x1b[31m.json").write_text("{}")
    examine(tmp_path, public, capsys)
    main(["verify-evidence", str(tmp_path)])
    assert "\x1b" not in capsys.readouterr().out


# A bundle, a bucket, KMS


@pytest.fixture
def lab(monkeypatch: pytest.MonkeyPatch) -> Iterator[LabServer]:
    for name in [name for name in os.environ if name.lower().endswith("_proxy")]:
        monkeypatch.delenv(name)
    world = World(seed=5)
    start = datetime(2026, 3, 1, tzinfo=UTC)
    world.run_chain(world.add_trail(), start=start, hours=3, logs_per_hour=1)
    with serve(world) as server:
        for name, value in server.environment.items():
            monkeypatch.setenv(name, value)
        yield server


@pytest.mark.usefixtures("lab")
def test_a_bundle_is_signed_and_held_to_its_manifest(
    key: Path, public: Path, tmp_path: Path, capsys: Captured
) -> None:
    out = tmp_path / "q1"
    hours = ("--start-time", "2026-03-01T00:00:00Z", "--end-time", "2026-03-01T02:00:00Z")
    assert main(["bundle", *hours, "--out", str(out), "--sign", str(key), "--quiet"]) == 0
    assert examine(out, public, capsys)[0] == 0
    assert main(["verify", "--bundle", str(out), "--quiet"]) == 0

    log = next(path for path in out.rglob("*_CloudTrail_*.json.gz"))
    whole = log.read_bytes()
    log.write_bytes(whole + b"x")
    status, said = examine(out, public, capsys)
    assert status == 1
    assert "is another one" in said
    log.unlink()
    assert "is gone" in examine(out, public, capsys)[1]
    log.write_bytes(whole)
    keys = (out / "keys.json").read_bytes()
    (out / "keys.json").write_bytes(keys + b" ")
    assert "keys.json is not the file that the manifest names" in examine(out, public, capsys)[1]
    (out / "keys.json").write_bytes(keys)
    (out / "manifest.json").write_text("{}")
    assert examine(out, public, capsys)[0] == 1


def test_an_older_version_in_a_bundle_is_held_to_its_manifest(
    lab: LabServer, key: Path, public: Path, tmp_path: Path, capsys: Captured
) -> None:
    chain, out = lab.world.chains[0], tmp_path / "q1"
    lab.world.objects.enable_versioning(chain.bucket)
    attacks.edit_log(lab.world, chain.log_files[0])
    hours = ("--start-time", "2026-03-01T00:00:00Z", "--end-time", "2026-03-01T02:00:00Z")
    assert main(["bundle", *hours, "--out", str(out), "--sign", str(key), "--quiet"]) == 1
    assert examine(out, public, capsys)[0] == 0
    (version,) = [path for path in (out / "versions").rglob("*") if path.is_file()]
    version.write_bytes(b"another")
    status, said = examine(out, public, capsys)
    assert (status, "its file versions/" in said) == (1, True)


def complete_moto(monkeypatch: pytest.MonkeyPatch) -> None:
    """MessageType DIGEST, which moto's KMS takes for the message itself."""
    hashed = Prehashed(SHA256())
    monkeypatch.setattr(
        utils.RSAPrivateKey, "sign", lambda key, d, _: key.private_key.sign(d, PKCS1v15(), hashed)
    )
    monkeypatch.setattr(
        utils.ECDSAPrivateKey, "sign", lambda key, d, _: key.private_key.sign(d, ECDSA(hashed))
    )


@pytest.mark.slow
def test_a_key_of_kms_signs_and_is_pinned(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Captured
) -> None:
    complete_moto(monkeypatch)
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "testing")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "testing")
    monkeypatch.setenv("AWS_REGION", "us-east-1")
    with mock_aws():
        kms = boto3.client("kms", "eu-west-1")

        def made(spec: str, usage: str = "SIGN_VERIFY") -> str:
            arn: str = kms.create_key(KeySpec=spec, KeyUsage=usage)["KeyMetadata"]["Arn"]
            return f"kms:{arn}"

        for spec in ("ECC_NIST_P256", "RSA_2048"):
            name = made(spec)
            output = tmp_path / f"{spec}.json"
            assert verify(output, "--sign", name) == 0
            assert main(["verify-evidence", str(output), "--key", name]) == 0
            assert main(["verify-evidence", str(output), "--key", made(spec)]) == 1
        capsys.readouterr()
        for name, said in (
            (made("ECC_NIST_P384"), "of a kind"),
            (made("RSA_2048", "ENCRYPT_DECRYPT"), "SIGN_VERIFY"),
        ):
            assert verify(tmp_path / "r.json", "--sign", name) == 2
            assert said in capsys.readouterr().err
        assert verify(tmp_path / "r.json", "--sign", "kms:alias/gone") == 3
        assert "kms:GetPublicKey on alias/gone" in capsys.readouterr().err

        bucket = boto3.client("s3", "us-east-1")
        bucket.create_bucket(Bucket="records")
        assert main(["verify-evidence", "s3://records/none"]) == 3


def test_records_in_a_bucket(store: Path, public: Path, lab: LabServer, capsys: Captured) -> None:
    world = lab.world
    world.add_bucket("records", region="us-east-1", owner="111122223333")
    for path in store.rglob("*.json*"):
        key = f"kept/{path.relative_to(store).as_posix()}"
        world.objects["records", key] = StoredObject(path.read_bytes(), NOW)
    for place in ("s3://records", "s3://records/kept", "s3://records/kept/"):
        assert main(["verify-evidence", place, "--key", str(public)]) == 0
    one = next(key for _, key in world.objects if key.endswith("_run-3.json"))
    assert main(["verify-evidence", f"s3://records/{one}", "--key", str(public)]) == 3
    assert "BEGINS LATE" in capsys.readouterr().out
    del world.objects["records", one]
    assert main(["verify-evidence", "s3://records/kept", "--key", str(public)]) == 1


def test_a_key_that_signs_wrongly_is_noticed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Captured
) -> None:
    """As moto's KMS does without help."""
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "testing")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "testing")
    monkeypatch.setenv("AWS_REGION", "us-east-1")
    with mock_aws():
        kms = boto3.client("kms", "us-east-1")
        made = kms.create_key(KeySpec="ECC_NIST_P256", KeyUsage="SIGN_VERIFY")["KeyMetadata"]
        output = tmp_path / "record.json"
        assert verify(output, "--sign", f"kms:{made['KeyId']}") == 3
        assert "made a signature that is not its own" in capsys.readouterr().err
        assert output.exists()
        assert main(["verify-evidence", str(output)]) == 3
