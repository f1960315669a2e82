"""Events against rules: which match, what their programs say, and what every rule came to.

What a rule's prefilter leaves is asked of its program, in the order of the events and of the rules.
A program's error is no match. A program that has to be stopped, or that is slow again and again,
disables its rule for the rest of the run: it costs its own time once and nobody else's events.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from integrity.chain.limits import Limits
from integrity.rules.model import Disabled, Event, Match, Rule, RuleCount, StoppedError

_SECONDS_AN_EVENT = 0.005
"""What a rule may take for each event, all in all: fifty times what a usual program does."""


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


class Asking(Protocol):
    """Programs by their number, as `programs.Programs` asks them."""

    def ask(self, number: int, event: bytes) -> Answering:
        """Raises StoppedError where the program had to be stopped."""


@dataclass(slots=True)
class _Tally:
    seen: int = 0
    matched: int = 0
    failed: int = 0
    unasked: int = 0
    asked: int = 0
    seconds: float = 0.0


class Matcher:
    """Rules with the programs that they are asked by, for one run."""

    def __init__(self, rules: Sequence[Rule], programs: Asking, limits: Limits) -> None:
        self._rules, self._programs, self._limits = tuple(rules), programs, limits
        self._tallies = [_Tally() for _ in self._rules]
        self._disabled: dict[int, Disabled] = {}

    def match(self, events: Iterable[Event]) -> Iterator[Match]:
        """Every match, one after another."""
        for event in events:
            for number, rule in enumerate(self._rules):
                self._tallies[number].seen += 1
                if rule.wanted.takes(event.name, event.source, event.raw):
                    yield from self._ask(number, rule, event)

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

    def _ask(self, number: int, rule: Rule, event: Event) -> Iterator[Match]:
        tally = self._tallies[number]
        if number in self._disabled:
            tally.unasked += 1
            return
        tally.asked += 1
        try:
            answer = self._programs.ask(number, event.raw)
        except StoppedError as error:
            tally.failed += 1
            self._disabled[number] = Disabled(rule.name, str(error))
            return
        tally.seconds += answer.seconds
        if tally.seconds > self._limits.max_rule_seconds + _SECONDS_AN_EVENT * tally.asked:
            slow = f"it took {tally.seconds:.1f} s of processor time for {tally.asked} events"
            self._disabled[number] = Disabled(rule.name, slow)
        if answer.error:
            tally.failed += 1
        elif answer.matches:
            tally.matched += 1
            yield Match(rule, event, answer.text)
