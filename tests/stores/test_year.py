"""How large the SQLite file is after a year of hourly ticks."""

from __future__ import annotations

from collections import deque
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from integrity.chain.known import KnownChain
from integrity.chain.seal import SealedMonth
from integrity.state import Checkpoint, Incident, Letter
from integrity.stores.sqlite import SqliteStore
from integrity.structs import replace
from tests.stores.specimens import (
    ARN,
    DAY,
    HOUR,
    NOW,
    chain_id,
    checkpoint,
    commit,
    digest,
    incident,
    letter,
    run_summary,
)
from tests.stores.test_months import month

CHAINS = 20
RECENT = 48
TICKS = 8760
MOST_BYTES = 50_000_000


class Chains:
    """Chains that grow by a digest an hour, each known digest made once."""

    def __init__(self) -> None:
        self.known = [
            deque(digest(chain_id(number), NOW - HOUR * back) for back in range(RECENT, 0, -1))
            for number in range(CHAINS)
        ]

    def tick(self, now: datetime) -> Checkpoint:
        chains = []
        for number, digests in enumerate(self.known):
            digests.append(digest(chain_id(number), now))
            recent = tuple(digests)
            digests.popleft()
            chains.append(
                KnownChain(
                    chain=chain_id(number),
                    head=recent[-1],
                    recent=recent[:-1],
                    attempted=now,
                    verified=now,
                )
            )
        return replace(checkpoint(now, chains=0), chains=tuple(chains))


def news(now: datetime, tick: int) -> tuple[tuple[Incident, ...], tuple[Letter, ...]]:
    """Twice a day something is found, told, and over an hour later."""
    if tick % 12:
        return (), ()
    found = incident(f"i-{tick}", first_seen=now, resolved=now + HOUR)
    told = tuple(letter(f"{tick}-{step}", created_at=now, due=now) for step in range(2))
    return (found,), told


def past(tick: int, now: datetime) -> tuple[SealedMonth, ...]:
    """Of one chain a tick all the months of its watched past: more than change in an hour."""
    months = [now.replace(day=1, hour=0, minute=0)]
    while len(months) < 5:
        months.append((months[-1] - DAY).replace(day=1))
    kept = [month(tick % CHAINS, at, 28) for at in months[:4]]
    return (*kept, replace(month(tick % CHAINS, months[4]), days=()))


def size(path: Path) -> int:
    return sum(part.stat().st_size for part in path.parent.glob(f"{path.name}*"))


@pytest.mark.slow
def test_a_year_of_hourly_ticks_stays_small(tmp_path: Path) -> None:
    path = tmp_path / "state.db"
    store = SqliteStore(path)
    store._connection.execute("PRAGMA synchronous = OFF")
    chains, largest = Chains(), 0
    for tick in range(TICKS):
        now = NOW + HOUR * tick
        incidents, letters = news(now, tick)
        run = run_summary(f"7f0c4c5e-8f7e-4a39-9f0a-{tick:012}", now)
        own = commit(tick, state=chains.tick(now), incidents=incidents, letters=letters, run=run)
        store.commit(replace(own, months=past(tick, now)))
        for one in store.claim_letters(now, lease=timedelta(minutes=5), limit=10):
            store.mark_sent(one.id, now)
        if tick % 100 == 0:
            largest = max(largest, size(path))
    store.close()
    print(f"a year: {largest:,} bytes while it was open, {size(path):,} closed")
    assert size(path) <= largest < MOST_BYTES
    again = SqliteStore(path)
    kept = again.load(ARN).checkpoint
    assert kept is not None
    assert [len(chain.recent) for chain in kept.chains] == [RECENT] * CHAINS
    assert len(again.load_months(ARN)) == 4 * CHAINS
    assert len(again.list_runs(ARN, limit=2 * TICKS)) == TICKS
    assert len(again.list_incidents(ARN, since=NOW - DAY)) == TICKS / 12
    again.close()
