"""Keeps what AWS says beside S3 while a verification asks: public keys, GetTrailStatus, population,
and the Event history.

Each answer is passed on as it came; the bundle's `keys.json` and `answers.json` are made of them.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable
from functools import partial
from typing import Protocol, TypeVar

from integrity.chain.estate import ExpirationRule, History, Organization, Region, Unasked
from integrity.chain.model import (
    KeysUnavailable,
    PublicKey,
    StatusUnavailable,
    TimeWindow,
    Trail,
    TrailStatus,
)
from integrity.evidence.manifest import Answers, HeldEvents, Keys, as_key

T = TypeVar("T")


class _Keys(Protocol):
    def fetch_keys(
        self, region: str, window: TimeWindow
    ) -> tuple[PublicKey, ...] | KeysUnavailable: ...


class CollectedKeys:
    """A source of public keys whose answers are kept. Asked from many threads."""

    def __init__(self, keys: _Keys) -> None:
        self._keys, self._lock = keys, threading.Lock()
        self._found: dict[tuple[str, bytes], PublicKey] = {}
        self._refused: dict[str, KeysUnavailable] = {}

    def fetch_keys(
        self, region: str, window: TimeWindow
    ) -> tuple[PublicKey, ...] | KeysUnavailable:
        """What the source answers."""
        answer = self._keys.fetch_keys(region, window)
        with self._lock:
            if isinstance(answer, KeysUnavailable):
                self._refused[region] = answer
            else:
                self._found.update({(region, key.der): key for key in answer})
        return answer

    def all(self) -> Keys:
        """Everything that was answered, in order."""
        ordered = sorted(
            self._found.values(), key=lambda key: (key.region, key.not_before, key.fingerprint)
        )
        refused = tuple(self._refused[region] for region in sorted(self._refused))
        return Keys(keys=tuple(as_key(key) for key in ordered), unavailable=refused)


class _Statuses(Protocol):
    def fetch_status(self, region: str) -> TrailStatus | StatusUnavailable: ...


class _Regions(Protocol):
    def list_regions(self) -> tuple[Region, ...] | Unasked: ...


class _Accounts(Protocol):
    def list_accounts(self) -> Organization | Unasked: ...


class _Rules(Protocol):
    def fetch_rules(self, bucket: str) -> tuple[ExpirationRule, ...] | Unasked: ...


class _History(Protocol):
    def lookup_events(
        self, region: str, names: Iterable[str], window: TimeWindow
    ) -> History | Unasked: ...


class CollectedAnswers:
    """The witnesses of a trail, whose answers are kept; None: nobody of the kind is asked."""

    def __init__(
        self,
        statuses: _Statuses | None,
        regions: _Regions | None,
        accounts: _Accounts | None,
        rules: _Rules | None,
        history: _History | None = None,
    ) -> None:
        self._statuses, self._regions = statuses, regions
        self._accounts, self._rules, self._history = accounts, rules, history
        self._lock = threading.Lock()
        self._kept: dict[tuple[str, str], object] = {}

    def _keep(self, call: str, about: str, ask: Callable[[], T]) -> T:
        answer = ask()
        with self._lock:
            self._kept[call, about] = answer
        return answer

    def fetch_status(self, region: str) -> TrailStatus | StatusUnavailable:
        """What GetTrailStatus answers."""
        if self._statuses is None:
            return StatusUnavailable(region, "nobody was asked")
        ask = self._statuses.fetch_status
        return self._keep("status", region, lambda: ask(region))

    def list_regions(self) -> tuple[Region, ...] | Unasked:
        """What DescribeRegions answers."""
        if self._regions is None:
            return Unasked("ec2:DescribeRegions", "nobody was asked", denied=False)
        return self._keep("regions", "", self._regions.list_regions)

    def list_accounts(self) -> Organization | Unasked:
        """What ListAccounts answers."""
        if self._accounts is None:
            return Unasked("organizations:ListAccounts", "nobody was asked", denied=False)
        return self._keep("accounts", "", self._accounts.list_accounts)

    def fetch_rules(self, bucket: str) -> tuple[ExpirationRule, ...] | Unasked:
        """What GetBucketLifecycleConfiguration answers."""
        if self._rules is None:
            return Unasked("s3:GetLifecycleConfiguration", "nobody was asked", denied=False)
        ask = self._rules.fetch_rules
        return self._keep("rules", bucket, lambda: ask(bucket))

    def lookup_events(
        self, region: str, names: Iterable[str], window: TimeWindow
    ) -> History | Unasked:
        """What LookupEvents answers, of each name by itself."""
        if self._history is None:
            return Unasked("cloudtrail:LookupEvents", "nobody was asked", denied=False)
        told = []
        for name in names:
            ask = partial(self._history.lookup_events, region, [name], window)
            answer = self._keep("history", f"{region} {name}", ask)
            if isinstance(answer, Unasked):
                return answer
            told.append(answer)
        events = tuple(event for one in told for event in one.events)
        return History(events, any(one.more for one in told))

    def all(
        self,
        trail: Trail,
        account_id: str | None,
        caller_arn: str | None,
        *,
        has_versions: bool = False,
    ) -> Answers:
        """Everything that was answered."""
        statuses = self._of("status")
        regions, accounts = self._kept.get(("regions", "")), self._kept.get(("accounts", ""))
        rules, history = self._of("rules"), self._of("history")
        return Answers(
            trail=trail,
            account_id=account_id,
            caller_arn=caller_arn,
            statuses=tuple(one for one in statuses.values() if isinstance(one, TrailStatus)),
            no_statuses=tuple(o for o in statuses.values() if isinstance(o, StatusUnavailable)),
            has_statuses=self._statuses is not None,
            regions=regions if isinstance(regions, tuple) else None,
            no_regions=regions if isinstance(regions, Unasked) else None,
            accounts=accounts if isinstance(accounts, Organization) else None,
            no_accounts=accounts if isinstance(accounts, Unasked) else None,
            rules={name: rule for name, rule in rules.items() if isinstance(rule, tuple)},
            no_rules={name: rule for name, rule in rules.items() if isinstance(rule, Unasked)},
            history=tuple(
                _held(o, told) for o, told in history.items() if isinstance(told, History)
            ),
            no_history=next((o for o in history.values() if isinstance(o, Unasked)), None),
            has_history=self._history is not None,
            has_versions=has_versions,
        )

    def _of(self, call: str) -> dict[str, object]:
        return {
            about: self._kept[name, about] for name, about in sorted(self._kept) if name == call
        }


def _held(about: str, told: History) -> HeldEvents:
    region, _, name = about.partition(" ")
    events = tuple(event.decode() for event in told.events)
    return HeldEvents(region=region, name=name, events=events, more=told.more)
