"""CloudTrail's public keys, a source region at a time, from AWS itself.

Every region signs with keys of its own, and any principal of the partition that may call
ListPublicKeys gets them: so another profile can stand in for an account that has not enabled a
region. How wide a window to ask for is the caller's affair; which key is the right one is decided
by its fingerprint, in the core. (AWS: API_ListPublicKeys.)
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any, Protocol

from integrity.aws.refusal import REFUSALS, Call, error_code, explain, is_expired
from integrity.aws.session import Aws, AwsRecipe
from integrity.chain.model import KeysUnavailable, PublicKey, TimeWindow
from integrity.chain.names import is_region_name
from integrity.errors import UsageError

_MOST_PAGES = 100
_STAND_IN = "hand the keys over with --keys FILE, or name a profile with --keys-profile"


class KeySource(Protocol):
    """Whoever answers for a region's keys."""

    def fetch_keys(
        self, region: str, window: TimeWindow
    ) -> tuple[PublicKey, ...] | KeysUnavailable:
        """Every key that was valid at some time in `window`, and perhaps more."""


class LivePublicKeys:
    """ListPublicKeys, asked in the source region. `origin` is who answered, for the record.

    `now` is when the keys were fetched, and as far as a range may reach where AWS refuses more.
    """

    def __init__(self, aws: Aws, now: datetime, *, origin: str = "ListPublicKeys") -> None:
        self._aws = aws
        self._now = now
        self._origin = origin

    def fetch_keys(
        self, region: str, window: TimeWindow
    ) -> tuple[PublicKey, ...] | KeysUnavailable:
        """Every key of `region` that AWS lists for `window`; KeysUnavailable where it refuses.

        A range that AWS does not accept is asked again with its end at `now`.
        """
        if not is_region_name(region):
            return KeysUnavailable(region, f"{region!r} is not a region's name")
        generation = self._aws.generation
        try:
            try:
                return self._list(region, window)
            except REFUSALS as error:
                if error_code(error) != "InvalidTimeRangeException" or window.start > self._now:
                    raise
                return self._list(region, TimeWindow(window.start, min(window.end, self._now)))
        except REFUSALS as error:
            if is_expired(error) and self._aws.renew(generation):
                return self.fetch_keys(region, window)
            call = Call("cloudtrail:ListPublicKeys", f"in region {region}")
            return KeysUnavailable(region, f"{self._origin}: {explain(error, call)}; {_STAND_IN}")
        except UsageError as error:
            return KeysUnavailable(region, f"{self._origin}: {error}")

    def _list(self, region: str, window: TimeWindow) -> tuple[PublicKey, ...] | KeysUnavailable:
        keys: dict[str, PublicKey] = {}
        for page, answer in enumerate(self._pages(region, window)):
            if page == _MOST_PAGES:
                return KeysUnavailable(
                    region, f"{self._origin} gave {_MOST_PAGES} pages and no end of them"
                )
            for one in answer.get("PublicKeyList", ()):
                key = self._key(region, one)
                keys.setdefault(key.fingerprint, key)
        return tuple(keys.values())

    def _pages(self, region: str, window: TimeWindow) -> Iterator[dict[str, Any]]:
        client = self._aws.client("cloudtrail", region)
        asked: dict[str, Any] = {"StartTime": window.start, "EndTime": window.end}
        while True:
            answer = client.list_public_keys(**asked)
            yield answer
            token = answer.get("NextToken")
            # The token is "reserved": a service that only repeats it has no more to tell.
            if not token or token == asked.get("NextToken"):
                return
            asked["NextToken"] = token

    def _key(self, region: str, one: dict[str, Any]) -> PublicKey:
        return PublicKey(
            region=region,
            fingerprint=one["Fingerprint"],
            der=one["Value"],
            not_before=one["ValidityStartTime"].astimezone(UTC),
            not_after=one["ValidityEndTime"].astimezone(UTC),
            fetched_at=self._now,
            origin=self._origin,
        )


def keys_of(recipe: AwsRecipe, now: datetime) -> LivePublicKeys:
    """ListPublicKeys as somebody else. Raises UsageError where the recipe does not open."""
    who = recipe.role.arn if recipe.role else f"profile {recipe.profile or 'default'}"
    return LivePublicKeys(recipe.open(), now, origin=who)


class FirstOf:
    """Several sources in order of trust: a later one adds the keys that no earlier one gave.

    It is unavailable only where all of them are, and then says why each of them is.
    """

    def __init__(self, *sources: KeySource) -> None:
        self._sources = sources

    def fetch_keys(
        self, region: str, window: TimeWindow
    ) -> tuple[PublicKey, ...] | KeysUnavailable:
        """The keys of `region` from every source that answers, the first one's word counting."""
        keys: dict[str, PublicKey] = {}
        refusals: list[str] = []
        for source in self._sources:
            answer = source.fetch_keys(region, window)
            if isinstance(answer, KeysUnavailable):
                refusals.append(answer.detail)
                continue
            for key in answer:
                keys.setdefault(key.fingerprint, key)
        if len(refusals) == len(self._sources):
            return KeysUnavailable(region, "; ".join(refusals))
        return tuple(keys.values())
