"""The digests of a span that were judged so far, and what they say of each other.

An authentic digest states the signature of the one before it, so it is a second witness of it; and
it names it, so that what is named and not there is missing. In a copy without metadata the newest
digest is proven by nobody, and what it states of the one before it proves that one all the same: a
signature needs no witness. What to read next is not decided here.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime

from integrity.chain.judge import hour_of, judge_by_successor
from integrity.chain.link import Entry, Standing, in_order
from integrity.chain.model import AuthenticDigest, ChainKind, Predecessor, S3Location, TimeWindow
from integrity.verify.judged import Judged
from integrity.verify.keyring import KeyRing


class Gathered:
    """Judged digests by their place, in the order in which they came.

    `known` are the places of digests that an earlier verification saw. In a copy, digests that are
    not authentic may state the signatures of others.
    """

    def __init__(self, known: Iterable[S3Location] = (), *, is_copy: bool = False) -> None:
        self._known, self._is_copy = frozenset(known), is_copy
        self._judged: dict[S3Location, Judged] = {}

    def add(self, judged: Judged) -> None:
        """One more."""
        self._judged[judged.location] = judged

    def __contains__(self, location: S3Location) -> bool:
        return location in self._judged

    def __iter__(self) -> Iterator[Judged]:
        return iter(self._judged.values())

    def authentic(self) -> dict[S3Location, AuthenticDigest]:
        """The signed documents by place."""
        return {one.location: one.authentic for one in self if one.authentic is not None}

    def made(self) -> dict[S3Location, datetime]:
        """When CloudTrail made them, where that is known."""
        return {one.location: one.made for one in self if one.made is not None}

    def since(self, span: TimeWindow) -> datetime:
        """The span's start; earlier where what is broken stands for an hour that began before it.

        Only with the digest over all of that hour can it be told whether it is foreign.
        """
        broken = [
            hour_of(judged.name).start
            for judged in self
            if judged.standing in (Standing.BROKEN, Standing.UNPROVEN)
        ]
        return min([span.start, *broken])

    def first_beyond(self, span: TimeWindow) -> datetime:
        """The end of the first standard digest behind the span, of which there is one."""
        return min(
            judged.name.end
            for judged in self
            if judged.name.chain.kind is ChainKind.STANDARD and judged.name.end > span.end
        )

    def ask_successors(self, ring: KeyRing) -> None:
        """What its own metadata could not authenticate, its successor's word may: an authentic
        one's, in a copy anyone's.
        """
        witnessed = True
        while witnessed:
            witnessed = False
            for previous in self._stated():
                judged = self._judged.get(previous.location)
                if judged is None or judged.authentic is not None or judged.digest is None:
                    continue
                key = ring.key_for(judged.digest.fingerprint, judged.name.end, judged.last_modified)
                authentic = judge_by_successor(judged.digest, previous.signature, key)
                if authentic is not None:
                    self._judged[previous.location] = judged.proven(authentic)
                    witnessed = True

    def _stated(self) -> list[Predecessor]:
        """What digests say of others, where it may be held against these."""
        stated = [previous for _, previous in self.predecessors()]
        unproven = (judged.digest for judged in self if judged.is_unproven and self._is_copy)
        stated += [d.previous for d in unproven if d is not None and d.previous is not None]
        return stated

    def contradicted(self) -> list[Judged]:
        """Digests that nobody has proven though an authentic one states their signature."""
        named = [self._judged.get(previous.location) for _, previous in self.predecessors()]
        return [judged for judged in named if judged is not None and judged.is_unproven]

    def predecessors(self) -> Iterator[tuple[Judged, Predecessor]]:
        """Each authentic digest that has one, with what it says of it."""
        for judged in list(self):
            if judged.authentic is not None and judged.authentic.digest.previous is not None:
                yield judged, judged.authentic.digest.previous

    def vouched(self) -> set[S3Location]:
        """Digests that were there: an authentic one says so, or an earlier verification."""
        return {*self._known, *(previous.location for _, previous in self.predecessors())}

    def entries(self, kind: ChainKind) -> list[Entry]:
        """Those of a chain, in order."""
        named = self.vouched()
        of_kind = [judged for judged in self if judged.name.chain.kind is kind]
        return in_order(judged.entry(named=judged.location in named) for judged in of_kind)
