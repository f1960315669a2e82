"""The gate from bytes to a digest: strict about what is judged, blind to what is not."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from integrity.chain.decode import Malformed, decode_digest
from integrity.chain.model import Digest, LogFileRef, Predecessor, S3Location
from integrity.chain.packed import PackedLogFiles
from tests.chain.specimens import at, hours

Document = dict[str, Any]

LOG: Document = {
    "s3Bucket": "trail-logs",
    "s3Object": "AWSLogs/a-log",
    "hashValue": "ab" * 32,
    "hashAlgorithm": "SHA-256",
    "newestEventTime": "2026-03-01T04:55:00Z",
    "oldestEventTime": "2026-03-01T04:10:00Z",
}
DOCUMENT: Document = {
    "awsAccountId": "111122223333",
    "digestStartTime": "2026-03-01T04:00:00Z",
    "digestEndTime": "2026-03-01T05:00:00Z",
    "digestS3Bucket": "trail-logs",
    "digestS3Object": "AWSLogs/a-digest",
    "digestPublicKeyFingerprint": "31e8b5433410dfb61a9dc45cc65b22ff",
    "digestSignatureAlgorithm": "SHA256withRSA",
    "newestEventTime": "2026-03-01T04:55:00Z",
    "oldestEventTime": "2026-03-01T04:10:00Z",
    "previousDigestS3Bucket": "trail-logs",
    "previousDigestS3Object": "AWSLogs/the-digest-before",
    "previousDigestHashValue": "cd" * 32,
    "previousDigestHashAlgorithm": "SHA-256",
    "previousDigestSignature": "ef" * 256,
    "logFiles": [LOG],
}
PREVIOUS = [field for field in DOCUMENT if field.startswith("previous")]
OPTIONAL = {"newestEventTime", "oldestEventTime"}


def decode(document: object) -> Digest | Malformed:
    return decode_digest(json.dumps(document).encode(), "a hash")


def digest(document: object) -> Digest:
    decoded = decode(document)
    assert isinstance(decoded, Digest), decoded
    return decoded


def flaw(document: object) -> str:
    decoded = decode(document)
    assert isinstance(decoded, Malformed), decoded
    return decoded.detail


def test_a_document_becomes_a_digest() -> None:
    assert digest(DOCUMENT) == Digest(
        account_id="111122223333",
        window=hours(4, 5),
        end_text="2026-03-01T05:00:00Z",
        location=S3Location("trail-logs", "AWSLogs/a-digest"),
        fingerprint="31e8b5433410dfb61a9dc45cc65b22ff",
        signature_algorithm="SHA256withRSA",
        previous=Predecessor(
            S3Location("trail-logs", "AWSLogs/the-digest-before"), "cd" * 32, "SHA-256", "ef" * 256
        ),
        log_files=(LogFileRef(S3Location("trail-logs", "AWSLogs/a-log"), "ab" * 32, "SHA-256"),),
        sha256="a hash",
    )


def test_a_starting_digest_has_no_predecessor_and_names_no_log_files() -> None:
    nothing = dict.fromkeys([*PREVIOUS, *OPTIONAL])

    starting = digest(DOCUMENT | nothing | {"logFiles": []})

    assert (starting.previous, list(starting.log_files)) == (None, [])


def test_many_log_files_are_held_packed() -> None:
    logs = [LOG | {"s3Object": f"AWSLogs/{number}"} for number in range(17)]

    few, many = digest(DOCUMENT | {"logFiles": logs[:16]}), digest(DOCUMENT | {"logFiles": logs})

    assert isinstance(many.log_files, PackedLogFiles)
    assert list(many.log_files)[:16] == list(few.log_files)


def test_escaped_slashes_are_slashes() -> None:
    body = json.dumps(DOCUMENT).replace("/", r"\/").encode()

    assert decode_digest(body, "a hash") == digest(DOCUMENT)


def test_fields_that_nobody_knows_yet_change_nothing() -> None:
    more = {"digestVersion": 2, "nested": [{"deep": [1.5, None, "x"]}]}

    assert digest(DOCUMENT | more | {"logFiles": [LOG | more]}) == digest(DOCUMENT)


def test_a_log_file_named_twice_with_one_hash_is_one_log_file() -> None:
    other = LOG | {"hashValue": "00" * 32}

    assert tuple(digest(DOCUMENT | {"logFiles": [LOG, other, LOG]}).log_files) == (
        *digest(DOCUMENT).log_files,
        *digest(DOCUMENT | {"logFiles": [other]}).log_files,
    )


@pytest.mark.parametrize("field", sorted(DOCUMENT.keys() - OPTIONAL))
def test_every_field_that_is_judged_has_to_be_there(field: str) -> None:
    assert field in flaw({name: value for name, value in DOCUMENT.items() if name != field})


@pytest.mark.parametrize("field", sorted(LOG.keys() - OPTIONAL))
def test_every_field_of_a_log_file_that_is_judged_has_to_be_there(field: str) -> None:
    less = {name: value for name, value in LOG.items() if name != field}

    assert field in flaw(DOCUMENT | {"logFiles": [LOG, less]})


@pytest.mark.parametrize("field", sorted(DOCUMENT))
@pytest.mark.parametrize("value", [1, True, {}, [[]]], ids=repr)
def test_every_field_has_its_type(field: str, value: object) -> None:
    assert field in flaw(DOCUMENT | {field: value})


@pytest.mark.parametrize("field", PREVIOUS)
def test_the_predecessor_is_named_wholly_or_not_at_all(field: str) -> None:
    assert "previousDigest" in flaw(DOCUMENT | {field: None})


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"digestStartTime": "2026-03-01T05:00:01Z"}, "digestStartTime"),
        ({"digestStartTime": "2026-03-01 04:00:00Z"}, "digestStartTime"),
        ({"digestEndTime": "2026-03-32T05:00:00Z"}, "digestEndTime"),
        ({"digestEndTime": "2026-03-01T05:00:00+00:00"}, "digestEndTime"),
        ({"previousDigestHashValue": "CD" * 32}, "previousDigestHashValue"),
        ({"previousDigestHashValue": "cd" * 31}, "previousDigestHashValue"),
        ({"previousDigestHashValue": "cd" * 32 + "\n"}, "previousDigestHashValue"),
        ({"previousDigestSignature": ""}, "previousDigestSignature"),
        ({"previousDigestSignature": "ef" * 255 + "e"}, "previousDigestSignature"),
        ({"previousDigestSignature": "EF" * 256}, "previousDigestSignature"),
        ({"previousDigestSignature": "null"}, "previousDigestSignature"),
        ({"logFiles": [LOG | {"hashValue": "AB" * 32}]}, "hashValue"),
        ({"logFiles": [LOG, LOG | {"hashValue": ""}]}, "hashValue"),
    ],
)
def test_values_have_the_form_that_their_algorithm_gives_them(
    changes: Document, field: str
) -> None:
    assert field in flaw(DOCUMENT | changes)


def test_of_an_algorithm_that_nobody_knows_no_form_is_asked() -> None:
    """It is well-formed, and judged as what it is: unsupported."""
    unknown = digest(
        DOCUMENT
        | {
            "digestSignatureAlgorithm": "Ed25519",
            "previousDigestSignature": "base64==",
            "previousDigestHashAlgorithm": "SHA3-512",
            "previousDigestHashValue": "short",
            "logFiles": [LOG | {"hashAlgorithm": "SHA3-512", "hashValue": "short"}],
        }
    )

    assert unknown.signature_algorithm == "Ed25519"
    assert next(iter(unknown.log_files)).algorithm == "SHA3-512"


def test_a_digest_of_an_instant_is_in_order() -> None:
    instant = digest(DOCUMENT | {"digestStartTime": DOCUMENT["digestEndTime"]})

    assert (instant.window.start, instant.window.end) == (at(5), at(5))


GOOD = json.dumps(DOCUMENT).encode()

HOSTILE: dict[str, Callable[[], bytes]] = {
    "nothing": lambda: b"",
    "blanks": lambda: b" " * 1000,
    "not JSON": lambda: b"digest",
    "an array": lambda: b"[" + GOOD + b"]",
    "null": lambda: b"null",
    "a string": lambda: b'"digest"',
    "cut short": lambda: GOOD[:-1],
    "something behind it": lambda: GOOD + b"{}",
    "a byte order mark": lambda: b"\xef\xbb\xbf" + GOOD,
    "UTF-16": lambda: GOOD.decode().encode("utf-16"),
    "not UTF-8": lambda: GOOD.replace(b"trail-logs", b"trail\xff\xfelogs"),
    "a surrogate as UTF-8": lambda: GOOD.replace(b"trail-logs", b"trail\xed\xa0\x80logs"),
    "half a surrogate pair": lambda: GOOD.replace(b"trail-logs", rb"trail\ud800logs"),
    "a line feed in a string": lambda: GOOD.replace(b"trail-logs", b"trail\nlogs"),
    "nested deep where it is read": lambda: deep(b'{"logFiles":', b"}"),
    "nested deep where it is skipped": lambda: deep(GOOD[:-1] + b',"x":', b"}"),
    "nested deep and never closed": lambda: b'{"logFiles":' + b"[" * 100_000,
    "a log file that is none": lambda: json.dumps(DOCUMENT | {"logFiles": [None]}).encode(),
}


def deep(before: bytes, after: bytes) -> bytes:
    return before + b"[" * 100_000 + b"]" * 100_000 + after


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_bytes_are_malformed_and_say_how(name: str) -> None:
    decoded = decode_digest(HOSTILE[name](), "a hash")

    assert isinstance(decoded, Malformed)
    assert len(decoded.detail) < 200
