"""Whoever removes digests of the standard chain is found out, given a witness of the head.

Silent, and said so in docs/trust.md, is only what nobody could miss: backfill digests with all that
they alone name; and where neither a store nor AWS can be asked, what lay before a restart.
"""

from __future__ import annotations

from dataclasses import dataclass

import pytest
from hypothesis import given
from hypothesis import strategies as st

from integrity.chain.findings import Outcome
from integrity.lab import attacks
from integrity.lab.world import Chain
from tests.properties import at_length, quick
from tests.properties.grounds import GROUNDS, ground


@dataclass(frozen=True)
class Case:
    """Digests of one chain that are removed, by their numbers, with or without their log files."""

    world: str
    chain: int
    digests: frozenset[int]
    with_logs: bool


def chains_of(name: str) -> list[Chain]:
    return ground(name).stage.world.chains


@st.composite
def cases(draw: st.DrawFn) -> Case:
    name = draw(st.sampled_from(GROUNDS))
    number = draw(st.integers(0, len(chains_of(name)) - 1))
    last = len(chains_of(name)[number].digests) - 1
    first, until = sorted((draw(st.integers(0, last)), draw(st.integers(0, last))))
    in_a_row = frozenset(range(first, until + 1))
    anywhere = draw(st.frozensets(st.integers(0, last), min_size=1))
    chosen = draw(st.sampled_from([in_a_row, anywhere, in_a_row | anywhere]))
    return Case(name, number, chosen, draw(st.booleans()))


def check(case: Case) -> None:
    stage = ground(case.world).copy()
    chain = stage.world.chains[case.chain]
    removed = [chain.digests[number] for number in case.digests]
    attacks.delete_digests(stage.world, removed, with_logs=case.with_logs)

    run = ground(case.world).verify(stage)

    assert run.outcome is not Outcome.VALID
    assert any(finding.outcome is not Outcome.VALID for finding in run.findings)
    assert run.totals.digest_files.valid <= len(ground(case.world).digests) - len(removed)


@quick(150)
@given(cases())
def test_whatever_is_removed_is_missed(case: Case) -> None:
    check(case)


@pytest.mark.slow
@at_length(5_000)
@given(cases())
def test_whatever_is_removed_is_missed_at_length(case: Case) -> None:
    check(case)


@pytest.mark.parametrize("with_logs", [True, False])
@pytest.mark.parametrize("name", GROUNDS)
def test_a_chain_that_is_gone_altogether_is_missed(name: str, *, with_logs: bool) -> None:
    for number, chain in enumerate(chains_of(name)):
        check(Case(name, number, frozenset(range(len(chain.digests))), with_logs))


@pytest.mark.parametrize("name", GROUNDS)
def test_log_files_that_are_removed_are_missed(name: str) -> None:
    for address in ground(name).logs:
        stage = ground(name).copy()
        del stage.world.objects[address]

        run = ground(name).verify(stage)

        assert run.outcome is Outcome.INVALID
        assert run.totals.log_files.invalid == 1
