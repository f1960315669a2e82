"""The lab's names, documents and times beside real ones that others have published."""

from __future__ import annotations

import base64
import json
from datetime import UTC, datetime, timedelta

import pytest

from integrity.lab.keys import md5_fingerprint
from integrity.lab.naming import Place, iso_milliseconds, partition_of, up_to_five_minutes
from integrity.lab.signing import json_line
from integrity.lab.world import World

# AWS: cloudtrail-log-file-custom-validation (one PKCS#1, one SubjectPublicKeyInfo) and a capture
# of ListPublicKeys in us-east-1.
REAL_KEYS = {
    "8eba5db5bea9b640d1c96a77256fe7f2": (
        "MIIBCgKCAQEAn11L2YZ9h7onug2ILi1MWyHiMRsTQjfWE+pHVRLk1QjfWhirG+lpOa8NrwQ/r7Ah5bNL6HepznOU"
        "9XTDSfmmnP97mqyc7z/upfZdS/AHhYcGaz7n6Wc/RRBU6VmiPCrAUojuSk6/GjvA8iOPFsYDuBtviXarvuLPlrT9"
        "kAd4Lb+rFfR5peEgBEkhlzc5HuWO7S0y+KunqxX6jQBnXGMtxmPBPP0FylgWGNdFtks/4YSKcgqwH0YDcawP9GGG"
        "DAeCIqPWIXDLG1jOjRRzWfCmD0iJUkz8vTsn4hq/5ZxRFE7UBAUiVcGbdnDdvVfhF9C3dQiDq3k7adQIziLT0cSh"
        "gQIDAQAB"
    ),
    "31e8b5433410dfb61a9dc45cc65b22ff": (
        "MIIBIjANBgkqhkiG9w0BAQEFAAOCAQ8AMIIBCgKCAQEAqlzPJbvZJ42UdcmLfPUqXYNfOs6I8lCfao/tOs8CmzPO"
        "EdtLWugB9xoIUz78qVHdKIqxbaG4jWHfJBiOSSFBM0lt8cdVo4TnRa7oG9io5pysS6DJhBBAeXsicufsiFJR+wrU"
        "Nh8RSLxL4k6G1+BhLX20tJkZ/erT97tDGBujAelqseGg3vPZbTx9SMfOLN65PdLFudLP7Gat0Z9p5jw/rjpclKfo"
        "9Bfc3heeBxWGKwBBOKnFAaN9V57pOaosCvPKmHd9bg7jsQkI9Xp22IzGLsTFJZYVA3KiTAElDMu80iFXPHEq9hKN"
        "bt9e4URFam+1utKVEiLkR2disdCmPTK0VQIDAQAB"
    ),
    "28f6b7a258b62ece75008b18eaffc92b": (
        "MIIBCgKCAQEAi3us31jIILNaFjMX/ZHdxnL4NreyP517Chth8FfJoHAaXuh+qgRr5xtlWOwHrluP6EQ63gM9yMxn"
        "1hmT37zdbYuMnfjT7SJwBuYRUUmu8yqXFgWd3g8UTo9+gJkGKYP8yF7D6V8/H5l5TIwLNJCSP/G2crj0uq1Pj7ZQ"
        "hEjIohdQsP7luakNpAUU4QV2XuIfTUb6uVF904u9Jtbb7KogoXdRLi0sP8qxP7ytnWCwXg/eo7Zh/CzgQglR3Qz9"
        "mW09MsdPY+y9xjNj05g1+VOpps9U42hPURpYwlrRlQMO5kbBy9AAH3TRz/KO8fIDQxbq2qRFkiNh4UiJHBk9EyFN"
        "nQIDAQAB"
    ),
}

# A published digest, byte for byte, with two of its five log files (protectai/llm-guard).
LLM_GUARD = (
    r'{"awsAccountId":"327878933619","digestStartTime":"2023-10-15T22:04:04Z",'
    r'"digestEndTime":"2023-10-15T23:04:04Z","digestS3Bucket":"llm-guard-trail",'
    r'"digestS3Object":"AWSLogs\/327878933619\/CloudTrail-Digest\/ap-northeast-1\/2023\/10\/15\/'
    r"327878933619_CloudTrail-Digest_ap-northeast-1_llm-guard-trail_us-west-2_20231015T230404Z"
    r'.json.gz","digestPublicKeyFingerprint":"be2f0b997552f44942837300ba1aba9d",'
    r'"digestSignatureAlgorithm":"SHA256withRSA","newestEventTime":"2023-10-15T22:58:17Z",'
    r'"oldestEventTime":"2023-10-15T22:04:51Z","previousDigestS3Bucket":"llm-guard-trail",'
    r'"previousDigestS3Object":"AWSLogs\/327878933619\/CloudTrail-Digest\/ap-northeast-1\/2023\/10'
    r"\/15\/327878933619_CloudTrail-Digest_ap-northeast-1_llm-guard-trail_us-west-2_"
    r'20231015T220404Z.json.gz","previousDigestHashValue":"8f953371d3e85eddb89b05ed6b9e680791055315'
    r'c73e1025ab5dba7bb2aee189","previousDigestHashAlgorithm":"SHA-256",'
    r'"previousDigestSignature":"11c11e253f4929ea","logFiles":[{"s3Bucket":"llm-guard-trail",'
    r'"s3Object":"AWSLogs\/327878933619\/CloudTrail\/ap-northeast-1\/2023\/10\/15\/327878933619_'
    r'CloudTrail_ap-northeast-1_20231015T2205Z_iRIoDMA9l9Q4kmFy.json.gz","hashValue":"4309c6161e37'
    r'538de72ec6f679e86b7e45aebed71fa7e76af70c3019fef44e19","hashAlgorithm":"SHA-256",'
    r'"newestEventTime":"2023-10-15T22:04:51Z","oldestEventTime":"2023-10-15T22:04:51Z"},'
    r'{"s3Bucket":"llm-guard-trail","s3Object":"AWSLogs\/327878933619\/CloudTrail\/ap-northeast-1'
    r"\/2023\/10\/15\/327878933619_CloudTrail_ap-northeast-1_20231015T2225Z_OviGSSWadUI1W1r7"
    r'.json.gz","hashValue":"58583ed7d52597e47e073db9b756f38815a8a5aff92911911710f18e65e1c44d",'
    r'"hashAlgorithm":"SHA-256","newestEventTime":"2023-10-15T22:20:34Z",'
    r'"oldestEventTime":"2023-10-15T22:10:12Z"}]}'
)

# Newest event and minute in the name of published log files (elastic/beats, protectai/llm-guard).
REAL_MINUTES = [
    ("2020-09-11T19:26:24", "1930"),
    ("2020-09-11T19:11:18", "1915"),
    ("2020-09-11T18:32:04", "1835"),
    ("2020-09-11T19:21:28", "1925"),
    ("2020-09-11T18:51:21", "1855"),
    ("2023-10-15T22:04:51", "2205"),
    ("2023-10-15T22:58:17", "2300"),
    ("2023-10-15T22:20:34", "2225"),
]


@pytest.mark.parametrize("fingerprint", REAL_KEYS)
def test_the_fingerprint_of_a_real_key_is_the_md5_of_its_der(fingerprint: str) -> None:
    assert md5_fingerprint(base64.b64decode(REAL_KEYS[fingerprint])) == fingerprint


def test_the_name_of_a_real_digest_of_a_shadow_trail_is_built_again() -> None:
    key = Place("llm-guard-trail").digest_key(
        account_id="327878933619",
        region="ap-northeast-1",
        trail="llm-guard-trail",
        home_region="us-west-2",
        end=datetime(2023, 10, 15, 23, 4, 4, tzinfo=UTC),
    )
    assert key == json.loads(LLM_GUARD)["digestS3Object"]


def test_the_name_of_a_real_log_file_is_built_again() -> None:
    key = Place("leh-ct-test-bucket").log_key(
        account_id="144492464627",
        region="us-west-2",
        minute=datetime(2020, 9, 11, 19, 30, tzinfo=UTC),
        unique="l2pGqVS53QcGdAkp",
    )
    assert key == (
        "AWSLogs/144492464627/CloudTrail/us-west-2/2020/09/11/"
        "144492464627_CloudTrail_us-west-2_20200911T1930Z_l2pGqVS53QcGdAkp.json.gz"
    )


def test_an_organization_and_a_nested_prefix_stand_before_the_account() -> None:
    place = Place("b", "audit/2026", "o-exampleorgid")
    assert place.digest_folder("111122223333", "eu-west-1") == (
        "audit/2026/AWSLogs/o-exampleorgid/111122223333/CloudTrail-Digest/eu-west-1/"
    )


def test_a_backfill_digest_has_the_name_of_its_hour_and_a_tail() -> None:
    end = datetime(2024, 7, 8, 19, 17, 13, tzinfo=UTC)
    names = [
        Place("b").digest_key(
            account_id="111122223333",
            region="us-east-1",
            trail="t",
            home_region="us-east-1",
            end=end,
            backfill=backfill,
        )
        for backfill in (False, True)
    ]
    assert names[1] == names[0].replace(".json.gz", "_backfill.json.gz")


def test_a_generation_timestamp_has_milliseconds() -> None:
    at = datetime(2025, 5, 20, tzinfo=UTC)
    assert iso_milliseconds(at) == "2025-05-20T00:00:00.000Z"
    assert iso_milliseconds(at + timedelta(milliseconds=42)) == "2025-05-20T00:00:00.042Z"


@pytest.mark.parametrize(("newest", "minute"), REAL_MINUTES)
def test_a_log_file_is_named_by_its_newest_event_rounded_up(newest: str, minute: str) -> None:
    rounded = up_to_five_minutes(datetime.fromisoformat(newest).replace(tzinfo=UTC))
    assert f"{rounded:%H%M}" == minute


def test_a_whole_five_minutes_is_not_rounded_to_the_next() -> None:
    at = datetime(2026, 3, 1, 23, 55, tzinfo=UTC)
    assert up_to_five_minutes(at) == at
    assert up_to_five_minutes(at + timedelta(seconds=1)) == datetime(2026, 3, 2, tzinfo=UTC)


def test_a_real_digest_is_spelled_as_the_lab_spells_it() -> None:
    assert json_line(json.loads(LLM_GUARD), escape_slashes=True).decode() == LLM_GUARD
    plain = json_line(json.loads(LLM_GUARD)).decode()
    assert plain == LLM_GUARD.replace("\\/", "/")


@pytest.mark.parametrize("escape_slashes", [False, True])
def test_a_digest_of_the_lab_has_the_fields_of_a_real_one_in_their_order(
    *, escape_slashes: bool
) -> None:
    world = World(seed=1)
    chain = world.run_chain(world.add_trail(), hours=2, escape_slashes=escape_slashes)
    body = chain.digests[2].body_json.decode()
    real = json.loads(LLM_GUARD)
    assert list(json.loads(body)) == list(real)
    assert list(json.loads(body)["logFiles"][0]) == list(real["logFiles"][0])
    assert (r"\/" in body) == escape_slashes
    assert "\n" not in body
    assert ": " not in body


def test_a_starting_digest_is_dated_as_a_real_one() -> None:
    # A capture of a real trail: StartLogging at 15:29:23, delivered at 16:00:01, both empty.
    world = World(seed=1)
    trail = world.add_trail(name="t", account_id="000000000000", bucket="b")
    start = datetime(2026, 3, 22, 15, 29, 23, tzinfo=UTC)
    chain = world.run_chain(trail, start=start, hours=1, empty_hours={0})
    first, second = (digest.document for digest in chain.digests)
    assert (first["digestStartTime"], first["digestEndTime"]) == (
        "2026-03-22T14:29:23Z",
        "2026-03-22T15:29:23Z",
    )
    empty = [name for name, value in first.items() if value is None]
    assert empty == [
        "newestEventTime",
        "oldestEventTime",
        "previousDigestS3Bucket",
        "previousDigestS3Object",
        "previousDigestHashValue",
        "previousDigestHashAlgorithm",
        "previousDigestSignature",
    ]
    assert first["logFiles"] == second["logFiles"] == []
    assert chain.digests[0].key.endswith(
        "_CloudTrail-Digest_us-east-1_t_us-east-1_20260322T152923Z.json.gz"
    )
    stored = world.objects[chain.digests[0].address]
    assert set(stored.metadata) == {"signature", "signature-algorithm"}
    assert (stored.content_type, stored.content_encoding) == ("application/json", "gzip")
    assert second["previousDigestSignature"] == stored.metadata["signature"]
    assert len(stored.metadata["signature"]) == 512


@pytest.mark.parametrize(
    ("region", "partition"),
    [
        ("us-east-1", "aws"),
        ("us-gov-west-1", "aws-us-gov"),
        ("cn-north-1", "aws-cn"),
        ("eusc-de-east-1", "aws-eusc"),
    ],
)
def test_a_trail_is_of_its_home_regions_partition(region: str, partition: str) -> None:
    assert partition_of(region) == partition
    arn = World(seed=1).add_trail(home_region=region).arn
    assert arn == f"arn:{partition}:cloudtrail:{region}:111122223333:trail/main"
