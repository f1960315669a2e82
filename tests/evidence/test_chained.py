"""The chain of records: what its neighbours tell of a record that is gone, moved or changed."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import permutations

import pytest

from integrity.chain.findings import Outcome
from integrity.errors import UsageError
from integrity.evidence.chained import Break, Link, check_chains, decode_link
from integrity.evidence.signature import Standing
from integrity.structs import replace

START = datetime(2026, 3, 1, tzinfo=UTC)


def link(number: int, previous: int | None, *, trail: str = "main", **other: object) -> Link:
    made = Link(
        name=f"{number}.json",
        trail_arn=trail,
        run_id=f"run-{number}",
        started_at=START + timedelta(hours=number),
        sha256=f"hash-{number}",
        previous_sha256=None if previous is None else f"hash-{previous}",
        standing=Standing.GENUINE,
    )
    return replace(made, **other)  # type: ignore[arg-type]


def chain(*numbers: int) -> list[Link]:
    """Records of ticks 0 to 5, of which these are there."""
    return [link(number, number - 1 if number else None) for number in numbers]


def told(links: list[Link]) -> list[tuple[Break, Outcome, str]]:
    found = {tuple(check_chains(order)) for order in permutations(links)}
    assert len(found) == 1, "the order in which files are found says nothing"
    return [(one.kind, one.outcome, one.name) for one in found.pop()]


def test_a_whole_chain_is_nothing_to_speak_of() -> None:
    assert told(chain(0, 1, 2, 3, 4, 5)) == []
    assert check_chains([]) == []


@pytest.mark.parametrize("gone", [1, 2, 3, 4])
def test_one_that_was_removed_from_the_middle_is_missed(gone: int) -> None:
    left = [number for number in range(6) if number != gone]
    assert told(chain(*left)) == [(Break.MISSING, Outcome.INVALID, f"{gone + 1}.json")]


def test_several_in_a_row_are_missed_once() -> None:
    assert told(chain(0, 4, 5)) == [(Break.MISSING, Outcome.INVALID, "4.json")]


def test_what_was_removed_from_the_end_is_seen_by_nobody() -> None:
    assert told(chain(0, 1, 2)) == []


def test_a_chain_that_begins_in_the_middle_says_so() -> None:
    assert told(chain(3, 4)) == [(Break.BEGINS_LATE, Outcome.UNDETERMINED, "3.json")]


def test_one_that_was_changed_is_named_by_nobody() -> None:
    links = chain(0, 1, 2, 3)
    links[1] = replace(links[1], sha256="another")
    (remark,) = check_chains(links)
    assert (remark.kind, remark.name) == (Break.MISSING, "2.json")
    assert "1.json, which no record names, was changed since" in remark.detail


def test_a_neighbour_that_somebody_names_was_not_changed() -> None:
    (remark, fork) = check_chains([*chain(0, 1), link(3, 2), link(4, 1), link(5, 1)])
    assert (remark.name, fork.kind) == ("3.json", Break.FORKED)
    assert "or could not be kept when it was made" in remark.detail


def test_a_time_without_zone_is_no_records() -> None:
    document = b'{"trail_arn":"a","run":{"id":"r","started_at":"2026-03-01T00:00:00"}}'
    with pytest.raises(UsageError, match="no zone"):
        decode_link(document, name="n", sha256="s", standing=Standing.UNSIGNED)


def test_records_in_another_order_than_they_name_each_other() -> None:
    links = chain(0, 1, 2)
    links[1] = replace(links[1], started_at=START + timedelta(hours=9))
    assert (Break.REORDERED, Outcome.INVALID, "2.json") in told(links)


def test_a_fork_of_genuine_records_is_a_note() -> None:
    links = [*chain(0, 1, 2), link(3, 1)]
    assert told(links) == [(Break.FORKED, Outcome.VALID, "2.json")]


@pytest.mark.parametrize("standing", [Standing.UNSIGNED, Standing.UNPINNED])
def test_a_fork_that_nobody_vouches_for_is_not(standing: Standing) -> None:
    links = [*chain(0, 1, 2), link(3, 1, standing=standing)]
    assert told(links) == [(Break.FORKED, Outcome.UNDETERMINED, "2.json")]


def test_a_second_beginning_is_told() -> None:
    links = [*chain(0, 1, 2), link(3, None), link(4, 3)]
    assert told(links) == [(Break.BEGINS_ANEW, Outcome.UNDETERMINED, "3.json")]


def test_records_that_stand_alone_are_no_chain() -> None:
    assert told([link(0, None), link(1, None), link(2, None)]) == []


def test_the_same_record_twice_is_told() -> None:
    links = [*chain(0, 1, 2), link(1, 0, name="copy.json")]
    assert told(links) == [(Break.TWICE, Outcome.UNDETERMINED, "copy.json")]


def test_trails_have_chains_of_their_own() -> None:
    other = [replace(one, trail_arn="other", name=f"o-{one.name}") for one in chain(0, 2)]
    assert told([*chain(0, 1), *other]) == [(Break.MISSING, Outcome.INVALID, "o-2.json")]


def test_a_hash_that_someone_else_names_is_not_lost_twice() -> None:
    links = [link(0, None), link(1, 0), link(2, 1), link(5, 4), link(3, 1)]
    kinds = [(kind, name) for kind, _, name in told(links)]
    assert kinds == [(Break.MISSING, "5.json"), (Break.FORKED, "2.json")]


@pytest.mark.parametrize(
    "document",
    [b"", b"[]", b"{}", b"[" * 100_000, b'{"trail_arn":"a","run":{"id":1}}', b"\xff"],
)
def test_what_is_no_record_is_no_link(document: bytes) -> None:
    with pytest.raises(UsageError, match="no record of integrity"):
        decode_link(document, name="n", sha256="s", standing=Standing.UNSIGNED)
