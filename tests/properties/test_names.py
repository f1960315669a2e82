"""Keys that are built parse to what they were built from, and no others parse."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from integrity.chain.model import ChainId, ChainKind, Root, S3Location
from integrity.chain.names import (
    DigestName,
    digest_location,
    log_folder,
    log_name_start,
    parse_digest,
    parse_log,
)
from integrity.chain.times import day_folder
from tests.properties import at_length, quick

SECOND = timedelta(seconds=1)
LETTERS = "abcdefghijklmnopqrstuvwxyz"
ALPHANUMERIC = LETTERS + LETTERS.upper() + "0123456789"

ACCOUNTS = st.text("0123456789", min_size=12, max_size=12)
REGIONS = st.from_regex(r"[a-z]{2,4}(-[a-z]{2,9}){1,3}-[0-9]{1,2}", fullmatch=True)
ORGANIZATIONS = st.text(LETTERS + "0123456789", min_size=10, max_size=32).map("o-".__add__)
PLAIN_TRAILS = st.tuples(
    st.sampled_from(ALPHANUMERIC),
    st.text(ALPHANUMERIC + "._-", min_size=1, max_size=126),
    st.sampled_from(ALPHANUMERIC),
).map("".join)
ENDS = st.integers(0, 10**9).map(
    lambda seconds: datetime(2013, 11, 1, tzinfo=UTC) + SECOND * seconds
)
PREFIXES = st.one_of(
    st.just(""),
    st.sampled_from(["AWSLogs", "x/AWSLogs/o-a1b2c3d4e5", "a//b", "o-a1b2c3d4e5", "a\nb"]),
    st.text(min_size=1, max_size=30).filter(lambda text: text == text.strip("/")),
)
ROOTS = st.builds(Root, st.just("trail-logs"), PREFIXES, st.just("") | ORGANIZATIONS)


@st.composite
def confusing_trails(draw: st.DrawFn) -> str:
    """Names made of what else stands in a digest's name: regions, stamps, `_backfill`."""
    parts = st.one_of(
        REGIONS,
        ENDS.map(lambda time: f"{time:%Y%m%dT%H%M%SZ}"),
        st.sampled_from(["backfill", "CloudTrail-Digest", "main", "111122223333", "json.gz", "a"]),
    )
    return "_".join(draw(st.lists(parts, min_size=1, max_size=4)))


TRAILS = PLAIN_TRAILS | confusing_trails().filter(lambda name: 3 <= len(name) <= 128)
CHAINS = st.builds(ChainId, ROOTS, ACCOUNTS, REGIONS, TRAILS, REGIONS, st.sampled_from(ChainKind))


def check_identity(chain: ChainId, end: datetime) -> None:
    place = digest_location(chain, end)

    assert parse_digest(place) == DigestName(chain, end)
    assert parse_log(place) is None


@quick(150)
@given(CHAINS, ENDS)
def test_a_digests_key_parses_to_what_it_was_built_from(chain: ChainId, end: datetime) -> None:
    check_identity(chain, end)


@pytest.mark.slow
@at_length(8_000)
@given(CHAINS, ENDS)
def test_a_digests_key_parses_to_what_it_was_built_from_at_length(
    chain: ChainId, end: datetime
) -> None:
    check_identity(chain, end)


@quick(100)
@given(CHAINS, ENDS, st.integers(0, 300), st.text(min_size=1, max_size=3), st.integers(0, 2))
def test_a_key_that_was_changed_is_another_ones_or_nobodys(
    chain: ChainId, end: datetime, place: int, junk: str, cut: int
) -> None:
    """What parses rebuilds to itself: no two keys are one digest's."""
    key = digest_location(chain, end).key
    start = place % (len(key) + 1)
    changed = S3Location("trail-logs", key[:start] + junk + key[start + cut :])
    assume(changed.key != key)

    name = parse_digest(changed)

    assert name is None or digest_location(name.chain, name.end) == changed


@quick(100)
@given(st.text() | st.from_regex(r"AWSLogs/[0-9]{12}/CloudTrail-Digest/.*\.json\.gz"))
def test_no_text_at_all_parses_to_what_it_is_not(text: str) -> None:
    name = parse_digest(S3Location("trail-logs", text))

    assert name is None or digest_location(name.chain, name.end).key == text


@quick(100)
@given(ROOTS, ACCOUNTS, REGIONS, ENDS, st.text(ALPHANUMERIC, min_size=1, max_size=16))
def test_a_log_files_key_parses_to_what_it_was_built_from(
    root: Root, account_id: str, region: str, time: datetime, unique: str
) -> None:
    folder = log_folder(root, account_id, region) + day_folder(time)
    key = f"{folder}{log_name_start(account_id, region, time)}_{unique}.json.gz"

    name = parse_log(S3Location("trail-logs", key))

    assert name is not None
    assert (name.root, name.account_id, name.region) == (root, account_id, region)
    assert (name.folder, name.time, name.unique) == ("CloudTrail", time.replace(second=0), unique)
    assert parse_digest(S3Location("trail-logs", key)) is None
    assert re.search(r"/[0-9]{4}/[0-9]{2}/[0-9]{2}/[^/]+\Z", key)
