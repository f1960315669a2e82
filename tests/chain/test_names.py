"""Keys of digests and log files: built, and parsed whole from both ends."""

from __future__ import annotations

import pytest

from integrity.chain.model import ChainId, ChainKind, Root, S3Location
from integrity.chain.names import (
    DigestName,
    LogName,
    digest_folder,
    digest_location,
    is_marker,
    log_folder,
    parse_digest,
    parse_log,
    region_folders,
)
from integrity.structs import replace
from tests.chain.specimens import CHAIN, at, location

DIGEST = (
    "AWSLogs/111122223333/CloudTrail-Digest/us-east-1/2026/03/01/"
    "111122223333_CloudTrail-Digest_us-east-1_main_us-east-1_20260301T050000Z.json.gz"
)
LOG = (
    "AWSLogs/111122223333/CloudTrail/us-east-1/2026/03/01/"
    "111122223333_CloudTrail_us-east-1_20260301T0505Z_aB3dE5fG7hJ9kL1m.json.gz"
)
ORGANIZATION = "o-a1b2c3d4e5"


def test_a_digest_key_says_its_chain_and_the_end_of_its_hour() -> None:
    assert parse_digest(location(DIGEST)) == DigestName(CHAIN, at(5))
    assert digest_location(CHAIN, at(5)) == location(DIGEST)


@pytest.mark.parametrize(
    "root",
    [
        Root("trail-logs"),
        Root("trail-logs", "audit"),
        Root("trail-logs", "a/b/c"),
        Root("trail-logs", "", ORGANIZATION),
        Root("trail-logs", ORGANIZATION, ORGANIZATION),
        Root("trail-logs", "AWSLogs"),
        Root("trail-logs", "x/AWSLogs/o-a1b2c3d4e5"),
    ],
)
@pytest.mark.parametrize("kind", ChainKind)
@pytest.mark.parametrize("trail", ["main", "a_us-east-1_b", "us-east-1_20260301T000000Z", "a-b.c"])
def test_layouts_are_built_and_parsed(root: Root, kind: ChainKind, trail: str) -> None:
    chain = ChainId(root, "999988887777", "ap-southeast-4", trail, "us-gov-west-1", kind)

    place = digest_location(chain, at(29))

    assert place.key.startswith(root.folder)
    assert "/2026/03/02/" in place.key
    assert parse_digest(place) == DigestName(chain, at(29))


HOSTILE_DIGESTS = {
    "empty": "",
    "something before the layout": DIGEST.replace("AWSLogs", "MyLogs"),
    "no slash before the layout": "x" + DIGEST,
    "bytes behind it": DIGEST + "x",
    "a newline behind it": DIGEST + "\n",
    "another account in the name": DIGEST.replace("/111122223333_", "/111122223334_"),
    "another region in the name": DIGEST.replace("Digest_us-east-1", "Digest_us-east-2"),
    "no region at all": DIGEST.replace("us-east-1", "useast1"),
    "account too short": DIGEST.replace("111122223333", "11112222333"),
    "an organization that is none": DIGEST.replace("AWSLogs/", "AWSLogs/o-SHOUTING00/"),
    "a day folder of another day": DIGEST.replace("2026/03/01/", "2026/03/02/"),
    "a day folder too many": DIGEST.replace("2026/03/01/", "2026/03/01/01/"),
    "a stamp far off": DIGEST.replace("20260301T050000Z", "99991231T235959Z"),
    "a stamp that is no time": DIGEST.replace("20260301T050000Z", "20260301T250000Z"),
    "a stamp of the first hour": DIGEST.replace("2026/03/01/", "0001/01/01/").replace(
        "20260301T050000Z", "00010101T000000Z"
    ),
    "a stamp by the minute": DIGEST.replace("T050000Z", "T0500Z"),
    "digits that are not ASCII": DIGEST.replace("2026", "٢٠٢٦"),
    "a trail name too short": DIGEST.replace("_main_", "_ab_"),
    "a trail name too long": DIGEST.replace("_main_", f"_{'a' * 129}_"),
    "a trail name with a slash": DIGEST.replace("_main_", "_ma/in_"),
    "a trail name with a space": DIGEST.replace("_main_", "_ma in_"),
    "no trail name": DIGEST.replace("_main_", "_"),
    "backfilled twice": DIGEST.replace(".json.gz", "_backfill_backfill.json.gz"),
    "not gzip": DIGEST.removesuffix(".gz"),
    "a log file": LOG,
}


@pytest.mark.parametrize("name", HOSTILE_DIGESTS)
def test_a_key_that_does_not_parse_whole_belongs_to_nobody(name: str) -> None:
    assert parse_digest(location(HOSTILE_DIGESTS[name])) is None


def test_a_trail_name_is_what_is_left_between_both_ends() -> None:
    """A trail may be called so that its sibling's pattern matches it."""
    sibling = DIGEST.replace("_main_", "_main_us-east-1_b_")

    name = parse_digest(location(sibling))

    assert name == DigestName(replace(CHAIN, trail_name="main_us-east-1_b"), at(5))


def test_a_log_key_says_whose_it_is_and_its_minute() -> None:
    assert parse_log(location(LOG)) == LogName(
        CHAIN.root, "111122223333", "CloudTrail", "us-east-1", at(5 + 5 / 60), "aB3dE5fG7hJ9kL1m"
    )


@pytest.mark.parametrize(
    "key",
    [
        LOG.replace("_aB3d", "aB3d"),  # as in 2014
        LOG.replace("AWSLogs/", f"deep/er/AWSLogs/{ORGANIZATION}/"),
        LOG.replace("/CloudTrail/", "/CloudTrail-Insight/").replace(
            "_CloudTrail_", "_CloudTrail-Insight_"
        ),
    ],
)
def test_other_forms_of_log_keys_parse(key: str) -> None:
    assert parse_log(location(key)) is not None


@pytest.mark.parametrize(
    "key",
    [
        LOG.replace("2026/03/01/", "2026/03/02/"),
        LOG.replace("T0505Z", "T2505Z"),
        LOG.replace("T0505Z", "T050500Z"),
        LOG.replace("_CloudTrail_", "_CloudTrail-Insight_"),
        LOG.replace("/CloudTrail/", "/CloudTrail-Digest2/"),
        LOG.replace("aB3dE5fG7hJ9kL1m", "aB3d/5fG7hJ9kL1m"),
        LOG + ".exe",
        DIGEST,
    ],
)
def test_what_is_no_log_key_is_none(key: str) -> None:
    assert parse_log(location(key)) is None


def test_folders_end_in_a_slash_and_lie_under_the_account() -> None:
    root = Root("trail-logs", "audit", ORGANIZATION)

    account = f"audit/AWSLogs/{ORGANIZATION}/111122223333"

    assert region_folders(root, "111122223333") == (
        f"{account}/CloudTrail-Digest/",
        f"{account}/CloudTrail/",
    )
    assert digest_folder(root, "111122223333", "eu-west-1") == (
        f"{account}/CloudTrail-Digest/eu-west-1/"
    )
    assert log_folder(root, "111122223333", "eu-west-1") == f"{account}/CloudTrail/eu-west-1/"


def test_locations_and_roots_are_written_as_uris() -> None:
    assert S3Location("trail-logs", "a b").uri == "s3://trail-logs/a b"
    assert Root("trail-logs").uri == "s3://trail-logs/AWSLogs"
    assert Root("trail-logs", "audit", ORGANIZATION).uri == (
        f"s3://trail-logs/audit/AWSLogs/{ORGANIZATION}"
    )


@pytest.mark.parametrize(
    ("key", "size", "marker"),
    [
        ("AWSLogs/111122223333/CloudTrail/", 0, True),
        ("AWSLogs/111122223333/CloudTrail_$folder$", 0, True),
        ("AWSLogs/111122223333/CloudTrail/", 1, False),
        ("AWSLogs/111122223333/CloudTrail/empty.json.gz", 0, False),
    ],
)
def test_only_an_empty_object_stands_for_a_folder(key: str, size: int, *, marker: bool) -> None:
    assert is_marker(key, size) is marker
