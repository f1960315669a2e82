"""A file of keys: written and read back, in the forms that AWS prints, and refused by name."""

from __future__ import annotations

import base64
import json
import os
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from integrity.chain.model import KeysUnavailable, PublicKey, TimeWindow
from integrity.errors import UsageError
from integrity.sources.key_file import KeyFile, encode_keys

DAY = TimeWindow(datetime(2026, 9, 22, tzinfo=UTC), datetime(2026, 9, 23, tzinfo=UTC))

# Published by AWS and by others: a PKCS#1 key of us-east-1, and one that is SubjectPublicKeyInfo.
PKCS1 = (
    "28f6b7a258b62ece75008b18eaffc92b",
    "MIIBCgKCAQEAi3us31jIILNaFjMX/ZHdxnL4NreyP517Chth8FfJoHAaXuh+qgRr5xtlWOwHrluP6EQ63gM9yMxn1hmT37"
    "zdbYuMnfjT7SJwBuYRUUmu8yqXFgWd3g8UTo9+gJkGKYP8yF7D6V8/H5l5TIwLNJCSP/G2crj0uq1Pj7ZQhEjIohdQsP7l"
    "uakNpAUU4QV2XuIfTUb6uVF904u9Jtbb7KogoXdRLi0sP8qxP7ytnWCwXg/eo7Zh/CzgQglR3Qz9mW09MsdPY+y9xjNj05"
    "g1+VOpps9U42hPURpYwlrRlQMO5kbBy9AAH3TRz/KO8fIDQxbq2qRFkiNh4UiJHBk9EyFNnQIDAQAB",
)
SPKI = (
    "31e8b5433410dfb61a9dc45cc65b22ff",
    "MIIBIjANBgkqhkiG9w0BAQEFAAOCAQ8AMIIBCgKCAQEAqlzPJbvZJ42UdcmLfPUqXYNfOs6I8lCfao/tOs8CmzPOEdtLWu"
    "gB9xoIUz78qVHdKIqxbaG4jWHfJBiOSSFBM0lt8cdVo4TnRa7oG9io5pysS6DJhBBAeXsicufsiFJR+wrUNh8RSLxL4k6G"
    "1+BhLX20tJkZ/erT97tDGBujAelqseGg3vPZbTx9SMfOLN65PdLFudLP7Gat0Z9p5jw/rjpclKfo9Bfc3heeBxWGKwBBOK"
    "nFAaN9V57pOaosCvPKmHd9bg7jsQkI9Xp22IzGLsTFJZYVA3KiTAElDMu80iFXPHEq9hKNbt9e4URFam+1utKVEiLkR2di"
    "sdCmPTK0VQIDAQAB",
)
START = datetime(2026, 9, 5, 17, 6, 29, tzinfo=UTC)
DAYS = timedelta(days=30)


def listed(
    key: tuple[str, str] = PKCS1,
    start: Any = "2026-09-05T18:06:29+01:00",
    end: Any = "2026-10-05T18:06:29+01:00",
) -> dict[str, Any]:
    """One key as ListPublicKeys' stored output has it."""
    return {
        "Value": key[1],
        "ValidityStartTime": start,
        "ValidityEndTime": end,
        "Fingerprint": key[0],
    }


def own(**changed: Any) -> dict[str, Any]:
    """One entry of our own form."""
    entry = {
        "region": "us-east-1",
        "fingerprint": PKCS1[0],
        "value": PKCS1[1],
        "not_before": "2026-09-05T17:06:29Z",
        "not_after": "2026-10-05T17:06:29Z",
        "fetched_at": "2026-09-22T12:00:00Z",
    }
    return entry | changed


def read(folder: Path, content: object, name: str = "keys.json") -> KeyFile:
    path = folder / name
    path.write_bytes(content if isinstance(content, bytes) else json.dumps(content).encode())
    os.utime(path, (1_790_000_000, 1_790_000_000))
    return KeyFile.read(path)


def keys(file: KeyFile, region: str = "us-east-1") -> tuple[PublicKey, ...]:
    answer = file.fetch_keys(region, DAY)
    assert isinstance(answer, tuple)
    return answer


def test_what_is_written_is_read_back(tmp_path: Path) -> None:
    written = [
        PublicKey(region, pair[0], base64.b64decode(pair[1]), start, start + DAYS, DAY.end, "x")
        for region, pair, start in (
            ("us-east-1", SPKI, START + DAYS),
            ("us-east-1", PKCS1, START),
            ("eu-west-1", SPKI, START),
        )
    ]
    document = encode_keys(written)
    assert document == encode_keys(reversed(written))
    file = read(tmp_path, document)
    found = keys(file) + keys(file, "eu-west-1")
    assert [one.origin for one in found] == ["file keys.json"] * 3
    assert encode_keys(found) == document
    assert [(one.region, one.fingerprint, one.der, one.not_before) for one in found] == [
        (one.region, one.fingerprint, one.der, one.not_before)
        for one in (written[1], written[0], written[2])
    ]


def test_the_file_is_what_a_person_can_read() -> None:
    key = PublicKey("us-east-1", PKCS1[0], b"0", START, START + DAYS, DAY.end)
    assert json.loads(encode_keys([key])) == {
        "schema_version": 1,
        "keys": [
            {
                "region": "us-east-1",
                "fingerprint": PKCS1[0],
                "value": "MA==",
                "not_before": "2026-09-05T17:06:29Z",
                "not_after": "2026-10-05T17:06:29Z",
                "fetched_at": "2026-09-23T00:00:00Z",
            }
        ],
    }
    assert encode_keys([key]).startswith(b'{\n  "schema_version": 1,\n')


def test_a_region_without_keys_in_the_file_is_unavailable(tmp_path: Path) -> None:
    file = read(tmp_path, {"schema_version": 1, "keys": [own()]})
    assert file.fetch_keys("eu-west-1", DAY) == KeysUnavailable(
        "eu-west-1", "file keys.json has no key of region eu-west-1"
    )


@pytest.mark.parametrize(
    ("start", "end"),
    [
        ("2026-09-05T18:06:29+01:00", "2026-10-05T18:06:29+01:00"),
        ("2026-09-05T17:06:29Z", "2026-10-05T17:06:29Z"),
        ("2026-09-05T17:06:29", "2026-10-05T17:06:29"),
        (START.timestamp(), (START + DAYS).timestamp()),
        (int(START.timestamp()), int((START + DAYS).timestamp())),
        (str(START.timestamp()), str(int((START + DAYS).timestamp()))),
    ],
)
def test_stored_answers_by_region_are_read_in_every_spelling_of_time(
    tmp_path: Path, start: Any, end: Any
) -> None:
    answers = {"us-east-1": {"PublicKeyList": [listed(start=start, end=end)], "NextToken": None}}
    assert keys(read(tmp_path, answers)) == (
        PublicKey(
            "us-east-1",
            PKCS1[0],
            base64.b64decode(PKCS1[1]),
            START,
            START + DAYS,
            datetime.fromtimestamp(1_790_000_000, UTC),
            "file keys.json",
        ),
    )


def test_one_stored_answer_is_of_the_region_that_names_its_file(tmp_path: Path) -> None:
    answer = {"PublicKeyList": [listed(), listed(SPKI)]}
    assert len(keys(read(tmp_path, answer, "us-east-1.json"))) == 2
    with pytest.raises(UsageError, match=r"'keys' is not a region's name.*REGION.json"):
        read(tmp_path, answer)


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "truncated"),
        (b"[]", "Expected `object`"),
        (b"\xff\xfe", "not a file of public keys"),
        ({"schema_version": 2, "keys": []}, "schema version is 2, not 1"),
        ({"keys": []}, "schema_version"),
        ({"schema_version": 1, "keys": [own(), {"region": 7}]}, r"\$.keys\[1\]"),
        ({"schema_version": 1, "keys": [own(), own(region="Mars")]}, r"keys\[1\]: 'Mars'"),
        ({"schema_version": 1, "keys": [own(value="&")]}, r"keys\[0\]: its value is not base64"),
        ({"schema_version": 1, "keys": [own(value="ü")]}, r"keys\[0\]: its value is not base64"),
        ({"schema_version": 1, "keys": [own(fingerprint="0" * 32)]}, r"keys\[0\]: its fingerprint"),
        (
            {"schema_version": 1, "keys": [own(not_after="soon")]},
            r"keys\[0\]: 'soon' is not a time",
        ),
        ({"schema_version": 1, "keys": [own(not_after="nan")]}, r"keys\[0\]: 'nan' is not a time"),
        ({"schema_version": 1, "keys": [own(not_after=1e99)]}, r"keys\[0\]: 1e\+99 is not a time"),
        ({"us-east-1": {"PublicKeyList": [listed(start="")]}}, r"us-east-1, PublicKeyList\[0\]"),
        ({"us-east-1": {"PublicKeyList": [{}]}}, r"\$\[...\].PublicKeyList\[0\]"),
        ({"us-east-1": []}, "Expected `object`"),
    ],
)
def test_what_is_wrong_is_named(tmp_path: Path, content: object, said: str) -> None:
    with pytest.raises(UsageError, match=said) as raised:
        read(tmp_path, content)
    assert str(tmp_path / "keys.json") in str(raised.value)
    assert "integrity keys" in str(raised.value)


def test_a_file_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"the key file .*none.json cannot be read: No such file"):
        KeyFile.read(tmp_path / "none.json")
