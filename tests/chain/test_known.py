"""What is known advances: heads never go back, what is lost is not forgotten, twice is once."""

from __future__ import annotations

from datetime import datetime

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from integrity.chain.known import (
    KnownChain,
    KnownDigest,
    Seen,
    advance,
    is_changed,
    is_gone,
    recalls,
    settle,
    unheard,
)
from integrity.chain.limits import Limits
from integrity.chain.link import Entry, Standing
from integrity.chain.model import ChainKind
from integrity.chain.names import digest_location
from integrity.chain.recall import check_known
from integrity.chain.times import DAY
from integrity.structs import replace
from tests.chain.specimens import BACKFILL, CHAIN, at, hours
from tests.properties import quick

NOW = at(60)
LIMITS = Limits()


def digest(hour: float, sha256: str = "a") -> KnownDigest:
    return KnownDigest(
        location=digest_location(CHAIN, at(hour)), end=at(hour), sha256=sha256, signature="b"
    )


def entry(hour: float, standing: Standing = Standing.AUTHENTIC, sha256: str = "a") -> Entry:
    return Entry(
        chain=CHAIN,
        location=digest_location(CHAIN, at(hour)),
        window=hours(hour - 1, hour),
        standing=standing,
        sha256=sha256 if standing is Standing.AUTHENTIC else "",
        signature="b",
        log_files=1,
    )


def seen(
    *entries: Entry, start: float = 0, end: float = 24, complete: bool = True, begins: float = -1
) -> Seen:
    return Seen(
        chain=CHAIN,
        window=hours(start, end),
        entries={one.location: one for one in entries},
        proven=[one.window for one in entries if one.is_authentic],
        complete=complete,
        begins=None if begins < 0 else at(begins),
    )


def known(head: float | None, *recent: float, **left: object) -> KnownChain:
    return replace(
        KnownChain(
            chain=CHAIN,
            head=None if head is None else digest(head),
            recent=tuple(digest(hour) for hour in recent),
            attempted=at(10),
        ),
        **left,  # type: ignore[arg-type]
    )


def advanced(
    before: KnownChain | None, after: Seen, limits: Limits = LIMITS, now: datetime = NOW
) -> KnownChain:
    chain = advance(before, after, now, grace=DAY, limits=limits)
    assert chain is not None
    return chain


def test_of_nothing_nothing_is_known() -> None:
    assert advance(None, seen(), NOW, grace=DAY, limits=LIMITS) is None
    broken = seen(entry(3, Standing.BROKEN))
    assert advance(None, broken, NOW, grace=DAY, limits=LIMITS) is None
    assert known(None).since is None


def test_the_newest_authentic_digest_is_the_head_and_a_day_before_it_is_recent() -> None:
    chain = advanced(None, seen(*map(entry, range(1, 31)), entry(31, Standing.UNREADABLE), end=31))

    assert chain.head == digest(30)
    assert [one.end for one in chain.recent] == [at(hour) for hour in range(6, 30)]
    assert chain.since == at(6)
    assert (chain.attempted, chain.verified) == (at(31), at(30))


def test_memory_is_bounded() -> None:
    limits = Limits(max_known_recent=2, max_known_lost=2)
    chain = advanced(None, seen(*map(entry, range(1, 9))), limits)
    assert [one.end for one in chain.recent] == [at(6), at(7)]

    head = replace(digest(1), was_head=True)
    chain = known(9, 3, 4, 5, lost=(head,))
    gone = seen(*(entry(hour, Standing.MISSING) for hour in (1, 3, 4, 5)))
    assert advanced(chain, gone, limits).lost == (head, digest(5))


def test_backfill_digests_are_remembered_by_their_age() -> None:
    late = replace(CHAIN, kind=ChainKind.BACKFILL)
    entries = seen(*(replace(entry(hour), chain=late) for hour in (1, 30, 50)))
    chain = advanced(None, replace(entries, chain=late), now=at(10) + 90 * DAY)
    assert [one.end for one in chain.recent] == [at(30)]

    few = Limits(max_known_backfills=1)
    chain = advanced(None, replace(entries, chain=late), few)
    assert [one.end for one in chain.recent] == [at(30)]


def test_time_that_nobody_looked_at_is_not_left_behind() -> None:
    before = known(9, attempted=at(10))
    for after, attempted in (
        (seen(start=5, end=12), 12),
        (seen(start=10, end=12), 12),
        (seen(start=11, end=12), 10),
        (seen(start=5, end=12, complete=False), 10),
        (seen(start=5, end=8), 10),
        (seen(start=5, end=70), 60),
    ):
        assert advanced(before, after).attempted == at(attempted)
    assert advanced(None, seen(entry(7), start=5, end=12, complete=False)).attempted == at(5)
    assert advanced(None, seen(entry(7), start=5, end=70)).attempted == NOW


def test_verified_goes_on_only_where_it_ended() -> None:
    before = known(9, verified=at(9))
    assert advanced(before, seen(entry(10), entry(11))).verified == at(11)
    assert advanced(before, seen(entry(11), entry(12))).verified == at(9)
    assert advanced(before, seen(entry(8))).verified == at(9)
    assert advanced(known(9), seen(entry(10), entry(11))).verified is None
    assert advanced(None, seen(entry(11), entry(12))).verified is None
    assert advanced(None, seen(entry(11), entry(12), begins=10)).verified == at(12)
    assert advanced(None, seen(entry(12), begins=10)).verified is None


def test_what_expired_is_forgotten_save_how_far_the_chain_was() -> None:
    gone = seen(entry(9, Standing.EXPIRED), entry(8, Standing.EXPIRED))

    chain = advanced(known(9, 8), gone)

    assert (chain.head, chain.recent, chain.lost) == (digest(9), (), ())


def test_nobody_stands_in_for_a_digest_that_was_changed() -> None:
    chain = advanced(known(9, 8), seen(entry(9, sha256="other"), entry(8)))

    assert (chain.head, chain.lost) == (digest(8), (replace(digest(9), was_head=True),))


def test_a_person_may_settle_it() -> None:
    assert settle(known(9, lost=(digest(8),))) == known(9)


def test_what_was_heard_stays_so_as_long_as_it_is_the_same_digest() -> None:
    heard = advanced(None, seen(replace(entry(9), heard=True), entry(10)))
    assert [(one.end, one.heard) for one in heard.held] == [(at(10), False), (at(9), True)]

    again = advanced(heard, seen(entry(9), replace(entry(10), heard=True)))
    assert [one.heard for one in again.held] == [True, True]
    changed = advanced(heard, seen(entry(9, sha256="other"), entry(10)))
    assert at(9) not in [one.end for one in changed.held]


def test_what_was_heard_in_vain_is_heard_again() -> None:
    before = advanced(None, seen(replace(entry(9), heard=True)))
    after = advanced(before, seen(entry(9), *(replace(entry(n), heard=True) for n in (10, 11))))
    [forgotten] = unheard([after], [before])

    assert [(one.end, one.heard) for one in forgotten.held] == [
        (at(11), False),
        (at(9), True),
        (at(10), False),
    ]
    lost = replace(known(None), lost=(digest(3),))
    assert unheard([lost], []) == (lost,)


def test_what_is_looked_at() -> None:
    lost = tuple(digest(hour) for hour in (1, 2, 3, 12))
    chain = known(40, 11, 20, 39, lost=lost)

    def looked_at(beyond: bool, limits: Limits = LIMITS, **left: object) -> list[datetime]:  # noqa: FBT001
        some = replace(chain, **left)  # type: ignore[arg-type]
        whole = hours(10, 30) if beyond else None
        return [
            one.digest.end for one in recalls([some], hours(10, 15), beyond=whole, limits=limits)
        ]

    assert looked_at(beyond=False) == [at(12), at(11)]
    assert looked_at(beyond=True) == [at(hour) for hour in (1, 2, 3, 12, 40, 11)]
    assert looked_at(beyond=True, limits=Limits(max_lost_reads=1)) == [
        at(hour) for hour in (3, 12, 40, 11)
    ]
    assert looked_at(beyond=True, head=None, lost=()) == [at(11)]
    assert looked_at(beyond=True, head=digest(20), lost=()) == [at(11)]


def test_retention_and_trouble_contradict_nothing() -> None:
    for standing in (Standing.EXPIRED, Standing.UNREADABLE, Standing.BROKEN):
        one = entry(9, standing)
        assert check_known(known(9), {one.location: one}) is None
    assert check_known(known(9), {}) is None


def test_a_backfill_digest_that_is_gone_rewinds_no_head() -> None:
    one = entry(9, Standing.MISSING)
    assert check_known(known(9, chain=BACKFILL), {one.location: one}) is None
    assert check_known(known(9), {one.location: one}) is not None


# Whatever is seen

STANDINGS = st.sampled_from(
    [
        Standing.AUTHENTIC,
        Standing.AUTHENTIC,
        Standing.BROKEN,
        Standing.UNREADABLE,
        Standing.MISSING,
        Standing.LATE,
        Standing.EXPIRED,
    ]
)
ENTRIES = st.builds(entry, st.integers(1, 30), STANDINGS, st.sampled_from(["a", "a", "other"]))


@st.composite
def sights(draw: st.DrawFn) -> Seen:
    entries = draw(st.lists(ENTRIES, max_size=20))
    start = draw(st.integers(0, 30))
    return seen(
        *entries,
        start=start,
        end=start + draw(st.integers(0, 30)),
        complete=draw(st.booleans()),
        begins=draw(st.integers(-5, 30)),
    )


def check_history(history: list[Seen]) -> None:
    chain: KnownChain | None = None
    for sight in history:
        before, chain = chain, advance(chain, sight, NOW, grace=DAY, limits=LIMITS)
        if chain is None:
            assert before is None
            continue
        assert advance(chain, sight, NOW, grace=DAY, limits=LIMITS) == chain
        assert len({one.location for one in (*chain.held, *chain.lost)}) == len(
            (*chain.held, *chain.lost)
        )
        if before is not None:
            check_step(before, chain, sight)


def check_step(before: KnownChain, after: KnownChain, sight: Seen) -> None:
    """The head goes back only by being lost; what is lost stays so until it is back."""
    if before.head is not None and before.head.location not in {one.location for one in after.lost}:
        assert after.head is not None
        assert after.head.end >= before.head.end
    for one in before.lost:
        there = sight.entries.get(one.location)
        is_back = there is not None and there.is_authentic and not is_changed(one, there)
        assert (one in after.lost) is not is_back
    for one in before.held:
        there = sight.entries.get(one.location)
        if there is not None and (is_gone(there) or is_changed(one, there)):
            assert one.location in {lost.location for lost in after.lost}
    assert after.attempted >= before.attempted
    assert before.verified is None or (after.verified or before.verified) >= before.verified


@quick(200)
@given(st.lists(sights(), max_size=6))
def test_whatever_is_seen_nothing_known_is_forgotten(history: list[Seen]) -> None:
    check_history(history)


def test_what_is_known_can_be_written_down_and_read() -> None:
    chain = known(9, 8, lost=(replace(digest(7), was_head=True, version_id="v"),), verified=at(9))

    assert msgspec.json.decode(msgspec.json.encode(chain), type=KnownChain) == chain
