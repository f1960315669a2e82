"""One digest file to a judgement, in a fixed order: the first reason found is the one."""

from __future__ import annotations

import gzip
import json
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import pytest

from integrity.chain.content import Content, Flaw
from integrity.chain.desk import Desk
from integrity.chain.findings import Finding, Reason
from integrity.chain.judge import (
    KeyAnswer,
    NoKey,
    Opened,
    generated_at,
    hour_of,
    judge_algorithm,
    judge_by_successor,
    judge_form,
    judge_predecessor_algorithm,
    judge_signature,
    open_digest,
    signing_time,
)
from integrity.chain.limits import MIB
from integrity.chain.model import (
    AuthenticDigest,
    Digest,
    Fetched,
    KeysUnavailable,
    PublicKey,
    Witness,
)
from integrity.chain.names import DigestName, digest_location
from integrity.chain.signature import signed_string, usable_keys
from integrity.lab.keys import LabKey, pooled_key
from integrity.structs import replace
from tests.chain.specimens import BACKFILL, CHAIN, at, hours, location

KEY = LabKey.made(pooled_key("a key"), at(-24))
(USABLE,) = usable_keys(
    [PublicKey("us-east-1", KEY.fingerprint, KEY.der, KEY.not_before, KEY.not_after, at(0))]
).values()

NAME = DigestName(CHAIN, at(5))
LATE_NAME = DigestName(BACKFILL, at(5))
OWNER = "999988887777"


def document(name: DigestName = NAME, **changes: Any) -> dict[str, Any]:
    place = digest_location(name.chain, name.end)
    return {
        "awsAccountId": name.chain.account_id,
        "digestStartTime": "2026-03-01T04:00:00Z",
        "digestEndTime": "2026-03-01T05:00:00Z",
        "digestS3Bucket": place.bucket,
        "digestS3Object": place.key,
        "digestPublicKeyFingerprint": KEY.fingerprint,
        "digestSignatureAlgorithm": "SHA256withRSA",
        "previousDigestS3Bucket": None,
        "previousDigestS3Object": None,
        "previousDigestHashValue": None,
        "previousDigestHashAlgorithm": None,
        "previousDigestSignature": None,
        "logFiles": [],
    } | changes


def fetched(
    content: object, name: DigestName = NAME, metadata: Mapping[str, str] | None = None
) -> Fetched[Opened]:
    body = content if isinstance(content, bytes) else json.dumps(content).encode()
    return Fetched(
        digest_location(name.chain, name.end),
        open_digest([gzip.compress(body)], max_bytes=MIB, desk=Desk()),
        metadata or {},
        at(5.5),
        "a version",
    )


def flawed(flaw: Flaw, detail: str = "") -> Fetched[Opened]:
    return replace(fetched({}), content=Opened(Content("", 0, flaw, detail), None))


def formed(name: DigestName = NAME, **changes: Any) -> Digest:
    digest = judge_form(name, fetched(document(name, **changes), name), trail_owner=OWNER)
    assert isinstance(digest, Digest), digest
    return digest


def form_finding(content: Fetched[Opened], name: DigestName = NAME) -> Finding:
    finding = judge_form(name, content, trail_owner=OWNER)
    assert isinstance(finding, Finding), finding
    return finding


def signed(digest: Digest, **changes: str) -> dict[str, str]:
    """The metadata that CloudTrail gives a digest."""
    return {
        "signature": KEY.sign(signed_string(digest)),
        "signature-algorithm": "SHA256withRSA",
    } | changes


def judged(
    metadata: Mapping[str, str], key: KeyAnswer = USABLE, name: DigestName = NAME
) -> AuthenticDigest | Finding:
    return judge_signature(name, fetched(b"", name, metadata), formed(name), key)


def signature_finding(
    metadata: Mapping[str, str], key: KeyAnswer = USABLE, name: DigestName = NAME
) -> Finding:
    finding = judged(metadata, key, name)
    assert isinstance(finding, Finding), finding
    return finding


def test_a_finding_is_about_the_object_and_the_hour_of_its_name() -> None:
    finding = form_finding(flawed(Flaw.MALFORMED))

    assert (finding.account_id, finding.region) == ("111122223333", "us-east-1")
    assert finding.s3_uri == digest_location(CHAIN, at(5)).uri
    assert finding.window == hour_of(NAME) == hours(4, 5)
    assert (finding.version_id, finding.last_modified) == ("a version", at(5.5))


# Malformed


@pytest.mark.parametrize(
    ("content", "reason", "detail"),
    [
        (flawed(Flaw.MALFORMED, "no gzip"), Reason.DIGEST_MALFORMED, "no gzip"),
        (flawed(Flaw.TRAILING_DATA), Reason.DIGEST_MALFORMED, "trailing data"),
        (flawed(Flaw.TOO_LARGE), Reason.LIMIT_EXCEEDED, "inflated size"),
        (fetched(b"digest"), Reason.DIGEST_MALFORMED, "not a digest document"),
        (fetched({}), Reason.DIGEST_MALFORMED, "awsAccountId"),
    ],
    ids=["broken", "trailing", "too large", "no JSON", "no digest"],
)
def test_what_is_no_digest_is_malformed(
    content: Fetched[Opened], reason: Reason, detail: str
) -> None:
    finding = form_finding(content)

    assert finding.reason is reason
    assert detail in finding.detail


# Moved


@pytest.mark.parametrize(
    "changes",
    [{"digestS3Bucket": "other-logs"}, {"digestS3Object": "AWSLogs/elsewhere"}],
)
def test_a_digest_read_from_another_place_than_it_names_was_moved(
    changes: dict[str, Any],
) -> None:
    finding = form_finding(fetched(document(**changes)))

    assert finding.reason is Reason.DIGEST_MOVED
    assert finding.actual == finding.s3_uri
    assert next(iter(changes.values())) in (finding.expected or "")


# Claims


def test_the_end_has_to_be_that_of_the_name() -> None:
    finding = form_finding(fetched(document(digestEndTime="2026-03-01T05:00:01Z")))

    assert (finding.reason, finding.detail) == (Reason.DIGEST_CLAIM_MISMATCH, "digestEndTime")
    assert (finding.expected, finding.actual) == ("2026-03-01T05:00:00Z", "2026-03-01T05:00:01Z")


def test_the_account_has_to_be_that_of_the_name_or_the_trails_owner() -> None:
    finding = form_finding(fetched(document(awsAccountId="000000000000")))

    assert (finding.reason, finding.detail) == (Reason.DIGEST_CLAIM_MISMATCH, "awsAccountId")
    assert (finding.expected, finding.actual) == ("111122223333", "000000000000")
    assert formed(awsAccountId=OWNER).account_id == OWNER


def test_the_length_of_the_window_is_not_judged() -> None:
    assert formed(digestStartTime="2026-02-28T04:00:00Z").window == hours(-20, 5)


# Algorithms


def test_the_algorithm_that_we_know_is_no_finding() -> None:
    assert judge_algorithm(NAME, fetched(b"", metadata={}), formed()) is None


@pytest.mark.parametrize("metadata", [{}, {"signature-algorithm": "Ed25519"}])
def test_a_document_of_an_unknown_algorithm_fails_closed(metadata: dict[str, str]) -> None:
    digest = formed(digestSignatureAlgorithm="Ed25519")

    finding = judge_algorithm(NAME, fetched(b"", metadata=metadata), digest)

    assert finding is not None
    assert finding.reason is Reason.ALGORITHM_UNSUPPORTED
    assert (finding.expected, finding.actual) == ("SHA256withRSA", "Ed25519")


def test_where_label_and_document_disagree_the_signature_is_invalid() -> None:
    digest = formed(digestSignatureAlgorithm="Ed25519")
    honest = fetched(b"", metadata={"signature-algorithm": "SHA256withRSA"})

    finding = judge_algorithm(NAME, honest, digest)

    assert finding is not None
    assert finding.reason is Reason.DIGEST_SIGNATURE_INVALID
    assert (finding.expected, finding.actual) == ("Ed25519", "SHA256withRSA")


def test_how_the_predecessor_was_hashed_has_to_be_known() -> None:
    previous: dict[str, Any] = {
        "previousDigestS3Bucket": "trail-logs",
        "previousDigestS3Object": "AWSLogs/before",
        "previousDigestHashValue": "ab" * 32,
        "previousDigestHashAlgorithm": "SHA-256",
        "previousDigestSignature": "cd" * 256,
    }
    known = formed(**previous)
    unknown = formed(**previous | {"previousDigestHashAlgorithm": "SHA3-512"})

    finding = judge_predecessor_algorithm(NAME, fetched(b""), unknown)

    assert judge_predecessor_algorithm(NAME, fetched(b""), known) is None
    assert judge_predecessor_algorithm(NAME, fetched(b""), formed()) is None
    assert finding is not None
    assert finding.reason is Reason.ALGORITHM_UNSUPPORTED
    assert (finding.expected, finding.actual) == ("SHA-256", "SHA3-512")


# Keys and signatures


def test_a_good_signature_makes_an_authentic_digest() -> None:
    authentic = judged(signed(formed()))

    assert isinstance(authentic, AuthenticDigest)
    assert authentic.witness is Witness.METADATA
    assert authentic.digest == formed()


def test_without_keys_nobody_can_tell() -> None:
    finding = signature_finding({}, KeysUnavailable("us-east-1", "access denied"))

    assert (finding.reason, finding.detail) == (Reason.KEYS_UNAVAILABLE, "access denied")


def test_a_key_that_cloudtrail_does_not_know_is_told_by_region_and_fingerprint() -> None:
    finding = signature_finding(signed(formed()), NoKey())

    assert finding.reason is Reason.DIGEST_KEY_UNKNOWN
    assert "us-east-1" in finding.detail
    assert KEY.fingerprint in finding.detail


@pytest.mark.parametrize("field", ["signature", "signature-algorithm"])
@pytest.mark.parametrize("value", [None, ""])
def test_metadata_that_is_gone_or_empty_is_missing(field: str, value: str | None) -> None:
    metadata = {name: text for name, text in signed(formed()).items() if name != field}
    metadata |= {} if value is None else {field: value}

    finding = signature_finding(metadata)

    assert finding.reason is Reason.DIGEST_SIGNATURE_MISSING
    assert finding.detail == f"no x-amz-meta-{field}"


@pytest.mark.parametrize(
    "changes",
    [
        {"signature": "00" * 256},
        {"signature": "not hex"},
        {"signature-algorithm": "SHA512withRSA"},
    ],
)
def test_a_signature_that_is_wrong_or_mislabelled_is_invalid(changes: dict[str, str]) -> None:
    finding = signature_finding(signed(formed(), **changes))

    assert finding.reason is Reason.DIGEST_SIGNATURE_INVALID


def test_a_mislabelled_signature_says_both_names() -> None:
    finding = signature_finding(signed(formed(), **{"signature-algorithm": "SHA512withRSA"}))

    assert (finding.expected, finding.actual) == ("SHA256withRSA", "SHA512withRSA")
    assert "signature-algorithm" in finding.detail


# Backfill digests

GENERATED = {"backfill-generation-timestamp": "2025-05-20T00:00:00.000Z"}


def test_a_backfill_digest_says_when_it_was_generated() -> None:
    metadata = signed(formed(LATE_NAME))

    missing = signature_finding(metadata, name=LATE_NAME)
    garbled = signature_finding(
        metadata | {"backfill-generation-timestamp": "long ago"}, name=LATE_NAME
    )

    assert isinstance(judged(metadata | GENERATED, name=LATE_NAME), AuthenticDigest)
    assert missing.reason is garbled.reason is Reason.DIGEST_SIGNATURE_MISSING
    assert missing.detail == "no x-amz-meta-backfill-generation-timestamp"
    assert garbled.detail == "x-amz-meta-backfill-generation-timestamp is not a time"


def test_a_backfill_digest_is_signed_when_it_is_generated() -> None:
    generated = datetime(2025, 5, 20, tzinfo=UTC)

    assert signing_time(LATE_NAME, GENERATED) == generated_at(GENERATED) == generated
    assert signing_time(LATE_NAME, {}) == at(5)
    assert signing_time(NAME, GENERATED) == at(5)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "long ago",
        "2025-05-20T00:00:00.000",
        "2025-05-20T00:00:00.000+01:00",
        "2025-05-20",
        "0001-01-01T00:00:00.000Z",
        "2012-12-31T23:59:59.000Z",
        "9999-12-31T23:59:59.000Z",
    ],
)
def test_a_generation_time_at_which_nobody_can_have_signed_is_none(text: str) -> None:
    assert generated_at({"backfill-generation-timestamp": text}) is None


# The second witness


def test_a_successor_can_state_the_signature() -> None:
    digest = formed()
    stated = KEY.sign(signed_string(digest))

    authentic = judge_by_successor(digest, stated, USABLE)

    assert authentic == AuthenticDigest(digest, stated, Witness.SUCCESSOR)


def test_a_successor_that_states_another_signature_is_no_witness() -> None:
    assert judge_by_successor(formed(), "00" * 256, USABLE) is None


@pytest.mark.parametrize("key", [NoKey(), KeysUnavailable("us-east-1", "access denied")])
def test_a_successor_is_no_witness_without_the_key(key: KeyAnswer) -> None:
    digest = formed()

    assert judge_by_successor(digest, KEY.sign(signed_string(digest)), key) is None


def test_where_several_things_are_wrong_the_first_is_told() -> None:
    """Malformed, moved, claims: in this order, whatever else is wrong."""
    both = document(digestS3Bucket="other-logs", digestEndTime="2026-03-01T06:00:00Z")
    all_three = both | {"logFiles": None}

    assert form_finding(fetched(all_three)).reason is Reason.DIGEST_MALFORMED
    assert form_finding(fetched(both)).reason is Reason.DIGEST_MOVED
    claims = document(digestEndTime="2026-03-01T06:00:00Z", awsAccountId="000000000000")
    assert form_finding(fetched(claims)).detail == "digestEndTime"
    assert signature_finding({}, NoKey()).reason is Reason.DIGEST_KEY_UNKNOWN


def test_the_place_that_is_compared_is_the_whole_key() -> None:
    shifted = replace(fetched(document()), location=location("x/" + "AWSLogs/a-digest"))

    assert form_finding(shifted).reason is Reason.DIGEST_MOVED
