"""A service that signs its records: each tick's, in their chain; without the key they are kept."""

from __future__ import annotations

from pathlib import Path

import pytest

from integrity.cli import main
from integrity.evidence.signature import Algorithm
from tests.evidence.pens import pen, private_pem
from tests.service.stage import Stage


@pytest.fixture
def key(stage: Stage) -> Path:
    path = stage.folder / "key.pem"
    path.write_bytes(private_pem(Algorithm.ECDSA, 0))
    stage.records = f'place = "{stage.folder / "records"}"\nsign = "{path}"'
    return path


@pytest.fixture
def public(stage: Stage) -> Path:
    path = stage.folder / "key.pub.pem"
    path.write_text(pen(Algorithm.ECDSA).verifying_key.pem)
    return path


def examine(stage: Stage, public: Path) -> int:
    return main(["verify-evidence", str(stage.folder / "records"), "--key", str(public)])


@pytest.mark.slow
@pytest.mark.usefixtures("key")
def test_the_records_of_ticks_are_signed_and_linked(
    stage: Stage, public: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for _ in range(3):
        assert stage.tick().status == 0
        stage.pass_hours()
    assert examine(stage, public) == 0
    assert "3 of 3 records intact" in capsys.readouterr().out

    second = sorted((stage.folder / "records").rglob("*.json"))[1]
    second.with_name(second.name + ".sig").unlink()
    second.unlink()
    assert examine(stage, public) == 1
    assert "MISSING: its predecessor" in capsys.readouterr().out


@pytest.mark.slow
def test_a_record_that_cannot_be_signed_is_kept_and_told(
    stage: Stage, key: Path, public: Path
) -> None:
    key.unlink()
    for _ in range(3):
        tick = stage.tick()
        assert tick.status == 0
        stage.pass_hours()
    assert len(list((stage.folder / "records").rglob("*.json"))) == 3
    assert examine(stage, public) == 3
    told = [mail for mail in stage.mail("operations") if "is kept and not signed" in str(mail)]
    assert told
