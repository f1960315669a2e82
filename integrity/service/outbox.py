"""Letters on their way: claimed, handed over, tried again later, given up on and kept.

A letter that a destination has taken is never sent again; one that may have been taken when the
process died is. A destination that is broken delays its own letters and nothing else. Who does not
know a destination leaves its letters to those who do.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime, timedelta
from functools import partial
from itertools import chain
from logging import getLogger

from msgspec import Struct

from integrity.service.ports import Destination, LetterStore
from integrity.state import Audience, DeliveryError, Letter, Message, Step
from integrity.structs import replace

_LEASE = timedelta(minutes=15)
_MOST_AT_ONCE = 100
_FIRST_WAIT = timedelta(minutes=1)
_LONGEST_WAIT = timedelta(minutes=30)
"""Shorter than an hourly tick is from the next: what failed is due again whenever one comes."""

_log = getLogger(__name__)


class Delivered(Struct, frozen=True):
    """How many letters were due, and how many of them arrived."""

    due: int = 0
    sent: int = 0


def address(
    messages: Iterable[Message], destinations: Mapping[Audience, Iterable[str]]
) -> list[Letter]:
    """A letter for each message and destination of its audience, due at once.

    Where two audiences share a destination, it is not told the same step of an incident twice: the
    message that tells more goes there, and of two alike the one for the graver audience.
    """
    told: dict[tuple[str, Step], set[object]] = {}
    letters: list[Letter] = []
    for message in sorted(messages, key=_most_first):
        incidents = _incidents(message)
        names = [names for one, names in destinations.items() if one is message.audience]
        for name in chain.from_iterable(names):
            known = told.setdefault((name, message.step), set())
            if not incidents <= known:
                known |= incidents
                letters.append(
                    Letter(
                        id=f"{message.id}>{name}",
                        message=message,
                        destination=name,
                        due=message.created_at,
                    )
                )
    return letters


def _most_first(message: Message) -> tuple[int, int]:
    return -len(_incidents(message)), [*Audience, None].index(message.audience)


def _incidents(message: Message) -> set[object]:
    """The ids of the incidents that it tells of."""
    ids = message.facts.get("incident_ids")
    return {message.incident_id, *(ids if isinstance(ids, list) else ())}


class Outbox:
    """The store's letters and the configured destinations, by name.

    A letter that could not be delivered for `give_up_after` is dead: it is kept, listed and
    replayed by a person. One to nobody's destination is noticed by who is given `stray_after`: it
    was due for so long, and nobody took it.
    """

    def __init__(
        self,
        store: LetterStore,
        destinations: Mapping[str, Destination],
        *,
        give_up_after: timedelta,
        stray_after: timedelta | None = None,
    ) -> None:
        self._store = store
        self._destinations = destinations
        self._give_up_after = give_up_after
        self._stray_after = stray_after

    def deliver(self, now: datetime) -> Delivered:
        """Try every letter that is due, once. Raises IntegrityError as the store does."""
        due = sent = 0
        for letter in self._claim(now):
            due += 1
            sent += self._try(letter, now)
        return Delivered(due, sent)

    def _claim(self, now: datetime) -> Iterator[Letter]:
        claim = partial(self._store.claim_letters, limit=_MOST_AT_ONCE)
        known = frozenset(self._destinations)
        while letters := claim(now, lease=_LEASE, destinations=known):
            yield from letters
        if self._stray_after is not None:
            due, lease = now - self._stray_after, _LEASE + self._stray_after
            while letters := claim(due, lease=lease):
                yield from letters

    def _try(self, letter: Letter, now: datetime) -> bool:
        try:
            self._destination(letter.destination).deliver(letter.message)
        except DeliveryError as error:
            self._store.mark_failed(self._failed(letter, str(error), now))
            return False
        self._store.mark_sent(letter.id, now)
        return True

    def _destination(self, name: str) -> Destination:
        if name not in self._destinations:
            raise DeliveryError(
                f"the configuration has no destination {name}: add it again, or drop the letter"
            )
        return self._destinations[name]

    def _failed(self, letter: Letter, error: str, now: datetime) -> Letter:
        dead = now - letter.message.created_at >= self._give_up_after
        wait = min(_FIRST_WAIT * 2 ** min(letter.attempts, 10), _LONGEST_WAIT)
        _log.error(
            "message not delivered",
            extra={
                "letter": letter.id,
                "destination": letter.destination,
                "attempts": letter.attempts + 1,
                "dead": dead,
                "error": error,
            },
        )
        return replace(
            letter, attempts=letter.attempts + 1, last_error=error, due=now + wait, dead=dead
        )
