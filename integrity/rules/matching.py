"""Events against rules: which match, what their programs say, and what every rule came to.

What a rule's prefilter leaves is asked of its program, in the order of the events and of the rules,
many at a time. A program's error is no match. A program that has to be stopped, or that is slow
again and again, disables its rule for the rest of the run: it costs its own time once and nobody
else's events.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from integrity.chain.limits import KIB, Limits
from integrity.rules.model import Disabled, Event, Match, Rule, RuleCount

_SECONDS_AN_EVENT, _SECONDS_A_BYTE = 0.0005, 200e-9
"""What a rule may take for each event, all in all: five times what a usual program does."""

_MOST_WAITING = 64
_MOST_BYTES_WAITING = 256 * KIB
"""So many questions are put at a time, and so large."""


class Answering(Protocol):
    """What a program said of an event."""

    @property
    def matches(self) -> bool: ...
    @property
    def text(self) -> str: ...
    @property
    def error(self) -> str: ...
    @property
    def seconds(self) -> float: ...
    @property
    def stopped(self) -> str: ...


class Asking(Protocol):
    """Programs by their number, as `programs.Programs` asks them."""

    def ask(self, questions: Sequence[tuple[int, bytes]]) -> Sequence[Answering]:
        """Answers to the first of the questions, to one at least. A `stopped` one is the last."""


_Question = tuple[int, Event]


@dataclass(slots=True)
class _Tally:
    seen: int = 0
    matched: int = 0
    failed: int = 0
    unasked: int = 0
    asked: int = 0
    seconds: float = 0.0
    allowed: float = 0.0


class Matcher:
    """Rules with the programs that they are asked by, for one run."""

    def __init__(self, rules: Sequence[Rule], programs: Asking, limits: Limits) -> None:
        self._rules, self._programs, self._limits = tuple(rules), programs, limits
        self._tallies = [_Tally() for _ in self._rules]
        self._disabled: dict[int, Disabled] = {}

    def match(self, events: Iterable[Event]) -> Iterator[Match]:
        """Every match, one after another."""
        waiting: list[_Question] = []
        size = 0
        for event in events:
            for number, rule in enumerate(self._rules):
                self._tallies[number].seen += 1
                if rule.wanted.takes(event.name, event.source, event.raw):
                    waiting.append((number, event))
                    size += len(event.raw)
            if len(waiting) > _MOST_WAITING or size > _MOST_BYTES_WAITING:
                yield from self._ask(waiting)
                waiting, size = [], 0
        yield from self._ask(waiting)

    def counts(self) -> Mapping[str, RuleCount]:
        """What every rule came to so far, by its name."""
        return {
            rule.name: RuleCount(
                tally.seen, tally.seen - tally.matched, tally.matched, tally.failed, tally.unasked
            )
            for rule, tally in zip(self._rules, self._tallies, strict=True)
        }

    def disabled(self) -> tuple[Disabled, ...]:
        """The rules that were stopped, in the order of the file."""
        return tuple(self._disabled[number] for number in sorted(self._disabled))

    def _ask(self, waiting: list[_Question]) -> Iterator[Match]:
        while waiting := list(self._askable(waiting)):
            answers = self._programs.ask([(number, event.raw) for number, event in waiting])
            for (number, event), answer in zip(waiting, answers, strict=False):
                if self._weigh(number, event, answer):
                    yield Match(self._rules[number], event, answer.text)
            waiting = waiting[len(answers) :]

    def _askable(self, waiting: Iterable[_Question]) -> Iterator[_Question]:
        for number, event in waiting:
            if number in self._disabled:
                self._tallies[number].unasked += 1
            else:
                yield number, event

    def _weigh(self, number: int, event: Event, answer: Answering) -> bool:
        """Whether it is a match. What is too slow is one still, and is asked no more."""
        rule, tally = self._rules[number], self._tallies[number]
        tally.asked += 1
        tally.seconds += answer.seconds
        tally.allowed += _SECONDS_AN_EVENT + _SECONDS_A_BYTE * len(event.raw)
        if answer.stopped:
            self._disabled[number] = Disabled(rule.name, answer.stopped)
        elif tally.seconds > self._limits.max_rule_seconds + tally.allowed:
            slow = f"it took {tally.seconds:.1f} s of processor time for {tally.asked} events"
            self._disabled.setdefault(number, Disabled(rule.name, slow))
        failed = bool(answer.error or answer.stopped)
        tally.failed += failed
        tally.matched += answer.matches
        return answer.matches
