"""Which past days of a trail are watched, and what of them is due now: to be listed, to be read.

1. A day is watched from its end on, `watch_days` long, unless retention takes it away before.
2. It is read whole for the first time soon after its end: then its listing is sealed. Days from
   before the watch began are read within `reprove_days`, spread evenly.
3. Sealed days are listed again once a day, a month of an account's region together, each month at
   its own time of the day.
4. Each is read again within `reprove_days`, spread evenly; what was missed is caught up in steps.

Everything that is spread is spread by hashes: the same days are due at the same times whoever asks.
Pure.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from math import ceil

from msgspec import Struct

from integrity.chain.findings import Outcome
from integrity.chain.known import KnownChain
from integrity.chain.model import ChainKind
from integrity.chain.population import Pair
from integrity.chain.seal import SealedDay, SealedMonth
from integrity.chain.times import DAY, HOUR, day_of
from integrity.structs import replace
from integrity.verify.days import DayKey
from integrity.verify.listing import days_from

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_SETTLED = 2 * HOUR
"""So long after a day its last digest, and the one over its last log files, have been delivered."""

_LATELY = 2 * DAY
"""Days that ended since are read soon when the watch begins, if the chain is known of that time."""

_AT_ONCE = 4
"""So many times the even rate is read where something was missed."""

_SLACK = 0.9
"""The part of `reprove_days` after which a day is due again: what is due together needs time."""

_GOLDEN = 0x9E3779B97F4A7C15
_RANGE = 1 << 64


class PastPolicy(Struct, frozen=True, kw_only=True):
    """How the past of one trail is watched. `reprove_days` 0: nothing is read again.

    Where nobody may read the bucket's lifecycle rules, files are gone after `retention_days`. Empty
    `account_ids` and `source_regions` narrow nothing.
    """

    watch_days: int = 90
    reprove_days: int = 30
    retention_days: int = 90
    account_ids: tuple[str, ...] = ()
    source_regions: tuple[str, ...] = ()

    def holds(self, pair: Pair) -> bool:
        account_id, region = pair
        return (not self.account_ids or account_id in self.account_ids) and (
            not self.source_regions or region in self.source_regions
        )


class Past:
    """The watched days of one trail at one time."""

    def __init__(self, months: Iterable[SealedMonth], policy: PastPolicy, now: datetime) -> None:
        self._policy, self._now = policy, now
        self._before = {(one.account_id, one.region, one.month): one for one in months}
        self._listed = {key: one.listed for key, one in self._before.items()}
        self.days: dict[DayKey, SealedDay] = {
            (account_id, region, day.day): day
            for (account_id, region, _), month in self._before.items()
            for day in month.days
        }

    def renew(
        self,
        chains: Iterable[KnownChain],
        floors: Mapping[Pair, datetime | None],
        *,
        spread: timedelta,
    ) -> None:
        """Take in days that have ended, and let go of those that are too old.

        `floors` is, by account and region, before when retention takes what was written. Within
        `spread` all days that end together are read for the first time.
        """
        oldest = day_of(self._now) - self._policy.watch_days * DAY
        kept = {
            key: day
            for key, day in self.days.items()
            if day.day >= max(oldest, floors.get(key[:2]) or oldest) and self._policy.holds(key[:2])
        }
        self.days = kept
        newest: dict[Pair, datetime] = {}
        for account_id, region, day in kept:
            newest[account_id, region] = max(day, newest.get((account_id, region), day))
        for known in chains:
            pair = (known.chain.account_id, known.chain.region)
            if known.chain.kind is not ChainKind.STANDARD or not self._policy.holds(pair):
                continue
            if known.head is None:
                continue
            # Of a chain that has ended there are no days after its head.
            last = min(day_of(self._now) - DAY, day_of(known.head.end))
            if pair in newest:
                days = self._ended(pair, newest[pair] + DAY, last, spread)
            else:
                days = self._begun(known, max(oldest, floors.get(pair) or oldest), last, spread)
            self.days |= {(*pair, day.day): day for day in days}

    def _ended(
        self, pair: Pair, first: datetime, last: datetime, spread: timedelta
    ) -> Iterator[SealedDay]:
        """Days to be read soon after their end."""
        slot = _share(pair[0]) * spread
        for day in days_from(first, last):
            yield SealedDay(day=day, due=day + DAY + _SETTLED + slot)

    def _begun(
        self, known: KnownChain, first: datetime, last: datetime, spread: timedelta
    ) -> Iterator[SealedDay]:
        """The days of a chain of which none was watched before. What is old is read by and by."""
        pair = (known.chain.account_id, known.chain.region)
        lately = max(known.since or self._now, self._now - _LATELY)
        whole = first if first == day_of(first) else day_of(first) + DAY
        old = [day for day in days_from(whole, last) if day + DAY <= lately]
        if self._policy.reprove_days:
            for day in old:
                yield SealedDay(day=day, due=self._now + self._phase((*pair, day)) * self._period)
        yield from self._ended(pair, whole + len(old) * DAY, last, spread)

    # What is due

    def due_listings(self) -> list[DayKey]:
        """Sealed days whose month has not been listed since its time of the day came last."""
        return [
            key
            for key, day in sorted(self.days.items(), key=lambda item: item[0])
            if day.seal is not None and self._is_to_list(_month_of(key))
        ]

    def _is_to_list(self, month: DayKey) -> bool:
        listed = self._listed.get(month)
        slot = day_of(self._now) + _share(*month[:2], str(month[2])) * DAY
        return listed is None or listed < (slot if slot <= self._now else slot - DAY)

    def due_first(self) -> list[DayKey]:
        """Days that have ended since the last ticks and were not read whole yet."""
        return [
            key
            for key, day in sorted(self.days.items(), key=lambda item: item[0])
            if day.tried is None and not _is_old(day) and day.due <= self._now
        ]

    def due_again(self, elapsed: timedelta) -> list[DayKey]:
        """Days to be read again, or for the first time long after they ended: those longest due.

        `elapsed` is the time since the last tick: how many are due by and by in such a time.
        """
        due = {
            key: when
            for key, day in self.days.items()
            if (day.tried is not None or _is_old(day))
            and (when := self._next_reading(key, day)) is not None
            and when <= self._now
        }
        rate = min(max(elapsed, HOUR), DAY) / self._period if self._policy.reprove_days else 0.0
        most = ceil(_AT_ONCE * len(self.days) * rate)
        return sorted(due, key=lambda key: (due[key], key))[:most]

    def _next_reading(self, key: DayKey, day: SealedDay) -> datetime | None:
        if day.tried is None:
            return day.due
        if not self._policy.reprove_days:
            return None
        period = self._period
        start = _EPOCH + self._phase(key) * period
        due = start + ((day.tried - start) // period + 1) * period
        # One that was read a moment ago has the slack of another round.
        whole = self._policy.reprove_days * DAY
        return due + period if due + period <= day.tried + whole else due

    @property
    def _period(self) -> timedelta:
        return self._policy.reprove_days * DAY * _SLACK

    def _phase(self, key: DayKey) -> float:
        """Where in a period a day is read: multiples of the golden ratio never crowd."""
        account_id, region, day = key
        start = int(_share(account_id, region) * _RANGE)
        return ((start + (day - _EPOCH) // DAY * _GOLDEN) % _RANGE) / _RANGE

    # What came of it

    def note_listed(self, keys: Iterable[DayKey], left: Iterable[DayKey]) -> None:
        """The months of these days were listed, but for those in which something is left to do."""
        undone = {_month_of(key) for key in left}
        for month in {_month_of(key) for key in keys} - undone:
            self._listed[month] = self._now

    def put(self, key: DayKey, day: SealedDay) -> None:
        """What is known of a day now. One from before anything was there is none to watch."""
        if day.outcome is Outcome.VALID and day.seal is not None and day.seal.is_empty:
            del self.days[key]
        else:
            self.days[key] = day

    def settle(self) -> None:
        """A person takes what there is for the truth: nothing that was there once is missed."""
        for key, day in self.days.items():
            if day.seal is not None:
                self.days[key] = replace(day, digests=day.seal.digests, logs=day.seal.logs)

    def changed(self) -> tuple[SealedMonth, ...]:
        """The months that are not as they were, those without a day left included."""
        months: dict[DayKey, list[SealedDay]] = {key: [] for key in self._before}
        for key in sorted(self.days):
            months.setdefault(_month_of(key), []).append(self.days[key])
        after = [
            SealedMonth(
                account_id=account_id,
                region=region,
                month=month,
                days=tuple(days),
                listed=self._listed.get((account_id, region, month)),
            )
            for (account_id, region, month), days in sorted(months.items())
        ]
        return tuple(
            one for one in after if one != self._before.get((one.account_id, one.region, one.month))
        )


def _month_of(key: DayKey) -> DayKey:
    account_id, region, day = key
    return account_id, region, day.replace(day=1)


def _is_old(day: SealedDay) -> bool:
    """Whether it had ended long before the watch began."""
    return day.due > day.day + DAY + _LATELY


@lru_cache(4096)
def _share(*words: str) -> float:
    """A part of one, the same for the same words."""
    return int.from_bytes(hashlib.sha256("\n".join(words).encode()).digest()[:6]) / (1 << 48)
