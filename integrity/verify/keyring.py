"""A region's public keys, asked for generously, once, and again around a digest whose key is
missed.

CloudTrail rotates keys, answers only for the time it is asked about, and a digest may be signed by
a key that begins after the digest ends. A fingerprint counts as unknown only where ListPublicKeys
answered for the time of signing with at least one key that was valid then; otherwise nobody can
tell.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from threading import Lock

from integrity.chain.judge import KeyAnswer, NoKey
from integrity.chain.model import KeysUnavailable, PublicKey, TimeWindow
from integrity.chain.signature import UsableKey, usable_keys
from integrity.chain.times import DAY, HOUR
from integrity.verify.ports import KeySource

_BEFORE, _AFTER = 2 * HOUR, DAY
_WIDELY = timedelta(days=45)


def asked_for(window: TimeWindow) -> TimeWindow:
    """The time to ask ListPublicKeys about, for the digests of a window."""
    return TimeWindow(window.start - _BEFORE, window.end + HOUR + _AFTER)


class KeyRing:
    """The public keys of one source region.

    Shared by threads; picklable keys come in and go out.
    """

    def __init__(self, region: str, source: KeySource, keys: Iterable[PublicKey] = ()) -> None:
        self.region = region
        self._source = source
        self._lock = Lock()
        self._asked: set[TimeWindow] = set()
        self._keys: dict[tuple[str, bytes], PublicKey] = {}
        self._usable: dict[str, UsableKey] = {}
        self._refusal: KeysUnavailable | None = None
        self._add(keys)

    @property
    def keys(self) -> tuple[PublicKey, ...]:
        """Every key that was answered so far."""
        return tuple(self._keys.values())

    def begin(self, window: TimeWindow) -> None:
        """Have the keys for the digests of a window at hand, where none was given."""
        with self._lock:
            if not self._keys:
                self._ask(asked_for(window))

    def key_for(
        self, fingerprint: str, signed_at: datetime, last_modified: datetime | None
    ) -> KeyAnswer:
        """The key of that fingerprint, asking further around when it may have been used."""
        with self._lock:
            if fingerprint not in self._usable:
                around = [signed_at] if last_modified is None else [signed_at, last_modified]
                self._ask_for(fingerprint, around)
            usable = self._usable.get(fingerprint)
            if usable is not None:
                return usable
            answered = (key for key in self._keys.values() if not key.is_from_file)
            if any(key.not_before <= signed_at <= key.not_after for key in answered):
                return NoKey()
            return self._refusal or KeysUnavailable(self.region, self._silence(signed_at))

    def key_at_hand(
        self, fingerprint: str, signed_at: datetime, last_modified: datetime | None
    ) -> KeyAnswer:
        """The same, as far as it is known already: nobody is asked, and nobody waited for."""
        del signed_at, last_modified
        usable = self._usable.get(fingerprint)
        return usable or KeysUnavailable(self.region, "the key is not at hand")

    def _ask_for(self, fingerprint: str, around: Sequence[datetime]) -> None:
        """Ask about the time around each of these, and then widely, until it is known."""
        windows = [TimeWindow(time - _BEFORE, time + _AFTER) for time in around]
        windows.append(TimeWindow(min(around) - _WIDELY, max(around) + _WIDELY))
        for window in windows:
            self._ask(window)
            if fingerprint in self._usable:
                break

    def _silence(self, signed_at: datetime) -> str:
        """What nobody said of the keys of a time."""
        files = sorted({key.origin for key in self._keys.values() if key.is_from_file})
        if files and len(files) == len({key.origin for key in self._keys.values()}):
            return f"{', '.join(files)} has not the key of {self.region} for {signed_at:%Y-%m-%d}"
        return f"ListPublicKeys knows no key of {self.region} for {signed_at:%Y-%m-%d}"

    def _ask(self, window: TimeWindow) -> None:
        if window in self._asked:
            return
        self._asked.add(window)
        answer = self._source.fetch_keys(self.region, window)
        if isinstance(answer, KeysUnavailable):
            self._refusal = answer
        else:
            self._add(answer)

    def _add(self, keys: Iterable[PublicKey]) -> None:
        for key in keys:
            self._keys.setdefault((key.fingerprint, key.der), key)
        self._usable = usable_keys(self._keys.values())
