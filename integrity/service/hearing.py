"""A tick's verified events to letters: what the rules match, once, and what every rule came to.

It comes after the verdict and cannot touch it. Ticks overlap, so an event may come again: the
digests whose events were all given are known as heard, and of the others what was matched is
remembered for two days; the letters' ids, which the store knows for longer, are the last line. A
rule that was stopped is given the same events again by the next tick.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from datetime import datetime, timedelta
from logging import getLogger

from msgspec import Struct, field
from msgspec.structs import asdict

from integrity.chain.limits import Limits
from integrity.chain.model import S3Location
from integrity.errors import IntegrityError
from integrity.events.search import Wanted
from integrity.metrics import Meter
from integrity.rules.matching import Asking, Matcher
from integrity.rules.messages import address_match, message_id, write_match
from integrity.rules.model import Match, Rule, RuleCount, wanted_by
from integrity.rules.reading import read_verified
from integrity.state import Checkpoint, Datapoint, Letter, RuleTotal, ToldMatch
from integrity.verify.run import Verification

_MEMORY = timedelta(days=2)
_MOST_TOLD = 20_000

_log = getLogger(__name__)


class Heard(Struct, frozen=True):
    """What came of one tick's events. `trouble` is operations' business, a line each.

    Where it is not whole, a rule was not asked for all events: none of them counts as heard.
    """

    letters: tuple[Letter, ...] = ()
    told: tuple[ToldMatch, ...] = ()
    totals: tuple[RuleTotal, ...] = ()
    trouble: tuple[str, ...] = ()
    is_whole: bool = True


class RuleBalance(Struct, frozen=True):
    """One rule since it was first heard, and where its matches are now.

    seen == skipped + matched, and matched == delivered + pending + dead. A match that goes to
    several destinations is delivered when all of them have it, and dead when one of them is.
    """

    total: RuleTotal
    pending: int
    dead: int

    @property
    def delivered(self) -> int:
        """What is matched and waits no more: a letter leaves the outbox by arriving alone."""
        return self.total.matched - self.pending - self.dead


class Hearing(Struct, frozen=True):
    """The rules of a service, and how to open the process that their programs run in.

    With a `fault` there are none, because their file cannot be used: what comes meanwhile is given
    to them later.
    """

    rules: Sequence[Rule]
    open_programs: Callable[[], AbstractContextManager[Asking]]
    limits: Limits = field(default_factory=Limits)
    fault: str = ""

    @property
    def wanted(self) -> tuple[Wanted, ...]:
        """What verification is to bring along."""
        return wanted_by(self.rules)

    def hear(
        self,
        verifications: Sequence[Verification],
        *,
        before: Checkpoint | None,
        trail_arn: str,
        now: datetime,
    ) -> Heard:
        """The letters of what matches and was not told before. No rule makes it raise."""
        told = before.told if before is not None else ()
        matched = self._match(verifications)
        news = _news(matched.matches, told)
        heard = _heard_digests(verifications) if matched.is_whole else frozenset()
        again = [one for one in matched.matches if _digest_of(one) not in heard]
        messages = [(one.rule, write_match(one, trail_arn=trail_arn, now=now)) for one in news]
        for one in matched.trouble:
            _log.error("rules", extra={"trail": trail_arn, "detail": one})
        return Heard(
            letters=tuple(
                letter for rule, message in messages for letter in address_match(message, rule)
            ),
            told=_remember(told, again, now),
            totals=self._totals(before, matched.counts, news),
            trouble=matched.trouble,
            is_whole=matched.is_whole,
        )

    def _match(self, verifications: Sequence[Verification]) -> _Matched:
        events = list(read_verified(event for one in verifications for event in one.asked))
        dropped = sum(one.dropped for one in verifications)
        left_out = f"{dropped} log files or events were left out for their size or number"
        trouble = [left_out] if dropped else []
        counts = {rule.name: RuleCount() for rule in self.rules}
        if self.fault:
            return _Matched([], counts, (self.fault,), is_whole=False)
        if not events:
            return _Matched([], counts, tuple(trouble), is_whole=True)
        try:
            with self.open_programs() as programs:
                matcher = Matcher(self.rules, programs, self.limits)
                matches = list(matcher.match(events))
        except IntegrityError as error:
            return _Matched([], counts, (*trouble, str(error)), is_whole=False)
        disabled = matcher.disabled()
        trouble += [f"rule {one.rule} was stopped: {one.detail}" for one in disabled]
        return _Matched(matches, matcher.counts(), tuple(trouble), is_whole=not disabled)

    def _totals(
        self, before: Checkpoint | None, counts: Mapping[str, RuleCount], news: Iterable[Match]
    ) -> tuple[RuleTotal, ...]:
        """What was matched again, though it was told, counts as skipped."""
        kept = before.rule_totals if before is not None else ()
        if self.fault:
            return kept
        known = {one.rule: one for one in kept}
        matched = Counter(one.rule.name for one in news)
        totals = []
        for rule in self.rules:
            total = known.get(rule.name, RuleTotal(rule=rule.name))
            count, fresh = counts[rule.name], matched[rule.name]
            totals.append(
                RuleTotal(
                    rule=rule.name,
                    seen=total.seen + count.seen,
                    skipped=total.skipped + count.seen - fresh,
                    matched=total.matched + fresh,
                    failed=total.failed + count.failed,
                )
            )
        return tuple(totals)


class _Matched(Struct, frozen=True):
    matches: Sequence[Match]
    counts: Mapping[str, RuleCount]
    trouble: tuple[str, ...]
    is_whole: bool


def balance(totals: Iterable[RuleTotal], unsent: Iterable[Letter]) -> list[RuleBalance]:
    """Where the matches of every rule are, now that these letters have not arrived."""
    waiting: dict[object, dict[str, bool]] = {}
    for letter in unsent:
        message = letter.message
        # What was told live is the live handler's to count.
        if message.facts.get("proven") is True:
            of_rule = waiting.setdefault(message.facts.get("rule"), {})
            of_rule[message.id] = letter.dead or of_rule.get(message.id, False)
    return [
        RuleBalance(total, len(of_rule) - sum(of_rule.values()), sum(of_rule.values()))
        for total, of_rule in ((one, waiting.get(one.rule, {})) for one in totals)
    ]


def account(
    meter: Meter, totals: Sequence[RuleTotal], unsent: Iterable[Letter], trail_arn: str
) -> Iterator[Datapoint]:
    """Every rule's account, which has to balance, in the log and as numbers."""
    for one in balance(totals, unsent):
        numbers = asdict(one.total) | {
            "delivered": one.delivered,
            "pending": one.pending,
            "dead": one.dead,
        }
        _log.info("rule", extra={"trail": trail_arn, **numbers})
        rule = str(numbers.pop("rule"))
        yield from meter.rule(rule, numbers)


def _news(matches: Iterable[Match], told: Iterable[ToldMatch]) -> list[Match]:
    """Each match once, and none that was told."""
    known = {one.message_id for one in told}
    news = []
    for match in matches:
        mark = message_id(match.rule, match.event)
        if mark not in known:
            known.add(mark)
            news.append(match)
    return news


def _digest_of(match: Match) -> S3Location | None:
    proof = match.event.proof
    return proof.digest if proof is not None else None


def _heard_digests(verifications: Iterable[Verification]) -> frozenset[S3Location | None]:
    return frozenset(
        digest.location
        for one in verifications
        for chain in one.known
        for digest in chain.held
        if digest.heard
    )


def _remember(
    told: Iterable[ToldMatch], again: Iterable[Match], now: datetime
) -> tuple[ToldMatch, ...]:
    """What may come again, the newest of it, each once."""
    kept = {one.message_id: one for one in told if one.at > now - _MEMORY}
    marks = (message_id(one.rule, one.event) for one in again)
    kept |= {mark: ToldMatch(mark, now) for mark in marks}
    return tuple(sorted(kept.values(), key=lambda one: one.at)[-_MOST_TOLD:])
