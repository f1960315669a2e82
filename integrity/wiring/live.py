"""What Lambda hands over, to letters on their way: the live way in, as it is configured.

Every part of a payload is taken by itself. Of SQS the records that could not be taken are returned,
and those alone; of another source the invocation fails in the end, so that it is made again, which
repeats nothing. An object that is no log file (a digest, say) is passed by. What was kept is
delivered at once; what cannot be is tried again by whoever comes next, a schedule's call too.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from logging import getLogger
from typing import TYPE_CHECKING, Any

from integrity.aws.session import Aws, AwsRecipe
from integrity.chain.content import Content, read_member
from integrity.chain.limits import Limits
from integrity.chain.model import Fetched, S3Location
from integrity.chain.names import parse_log
from integrity.errors import AccessError, IntegrityError, UsageError
from integrity.events.payloads import LogsBatch, Part, PayloadError, Queued, decode_payload
from integrity.events.search import search_log
from integrity.rules.matching import Matcher
from integrity.service.live import LiveEvents, Origin, Taken
from integrity.service.outbox import Outbox
from integrity.sources.claimed import parse_trail_arn
from integrity.sources.s3 import S3Source
from integrity.stores.places import open_state_store
from integrity.wiring.configuration import load_config
from integrity.wiring.logs import log_to_stderr
from integrity.wiring.rules import (
    Rulebook,
    load_rules,
    open_rule_destinations,
    written_buckets,
)
from integrity.wiring.service import GIVE_UP_AFTER

if TYPE_CHECKING:
    from integrity.config.model import Config, TrailTable

_FAILED = (PayloadError, AccessError)

_log = getLogger(__name__)


class LiveInput:
    """The configuration and the rules, opened: stores, destinations, and the rules' process."""

    def __init__(
        self, config: Config, rulebook: Rulebook, clock: Callable[[], datetime], aws: Aws
    ) -> None:
        self._config, self._clock = config, clock
        self._rules, self._limits = rulebook.rules, Limits()
        self._programs = rulebook.open_programs()
        self._store = open_state_store(config.state.place, lambda: aws)
        self._objects = S3Source(aws)
        destinations = open_rule_destinations(rulebook, lambda: aws)
        self._outbox = Outbox(self._store, destinations, give_up_after=GIVE_UP_AFTER)

    def close(self) -> None:
        """End the rules' process, and let go of the store."""
        self._programs.close()
        self._store.close()

    def handle(self, payload: bytes) -> Mapping[str, Any]:
        """Take a payload, deliver what came of it, and say which records of a queue failed.

        Raises PayloadError where something of another source could not be taken.
        """
        matcher = Matcher(self._rules, self._programs, self._limits)
        events = LiveEvents(matcher.match, self._store, self._clock)
        failed = []
        for part in decode_payload(payload, self._limits):
            try:
                self._take(part, events)
            except _FAILED as error:
                _log.error("not taken", extra={"part": _name(part), "error": str(error)})
                failed.append(part)
        for stopped in matcher.disabled():
            _log.error("rule stopped", extra={"rule": stopped.rule, "detail": stopped.detail})
        self._deliver()
        returned = [part.message_id for part in failed if isinstance(part, Queued)]
        if len(returned) < len(failed):
            raise PayloadError(f"{', '.join(map(_name, failed))[:500]}: not taken, see the log")
        return {"batchItemFailures": [{"itemIdentifier": one} for one in returned]}

    def _take(self, part: Part, events: LiveEvents) -> None:
        if isinstance(part, Queued):
            self._take_queued(part, events)
        elif isinstance(part, LogsBatch):
            taken = events.take(part.messages, self._of_log_group(part))
            _report(part, taken)
        elif (name := parse_log(part)) is not None:
            origin = self._of_bucket(part, is_signed=name.folder == "CloudTrail")
            _report(part, events.take(self._read(part), origin))

    def _take_queued(self, queued: Queued, events: LiveEvents) -> None:
        """All that is in it, whichever of it fails."""
        failed = []
        for part in decode_payload(queued.body, self._limits):
            if isinstance(part, Queued):
                raise PayloadError("a queue within a queue")
            try:
                self._take(part, events)
            except _FAILED as error:
                failed.append(str(error))
        if failed:
            raise PayloadError("; ".join(failed)[:500])

    def _read(self, location: S3Location) -> Iterable[bytes]:
        """The events of a new log file that a rule may want."""
        body = bytearray()

        def read(pieces: Iterable[bytes | memoryview]) -> Content:
            body.clear()
            return read_member(pieces, max_bytes=self._limits.max_searched_bytes, sink=body.extend)

        answer = self._objects.fetch(location, read)
        if not isinstance(answer, Fetched):
            raise AccessError(f"{location.uri} could not be read: {_why(answer)}")
        if answer.content.flaw is not None:
            raise PayloadError(f"{location.uri} is no log file: {answer.content.flaw.value}")
        searched = search_log(body, [rule.wanted for rule in self._rules], self._limits)
        if searched.flaw or searched.too_large:
            said = searched.flaw or f"{searched.too_large} events are larger than is safe"
            _log.error("not searched whole", extra={"log_file": location.uri, "error": said})
        return searched.events

    def _deliver(self) -> None:
        try:
            self._outbox.deliver(self._clock())
        except IntegrityError as error:
            _log.error("messages not delivered", extra={"error": str(error)})

    # Whose they are

    def _of_log_group(self, batch: LogsBatch) -> Origin:
        for trail in self._config.trails:
            if trail.log_group == batch.log_group and _owner(trail) == batch.owner:
                return Origin(trail_arn=trail.trail_arn, is_reconciled=True)
        return Origin(trail_arn=self._config.trails[0].trail_arn)

    def _of_bucket(self, location: S3Location, *, is_signed: bool) -> Origin:
        for trail in self._config.trails:
            if trail.s3_bucket == location.bucket:
                reconciled = is_signed and trail.sole_writer
                return Origin(trail_arn=trail.trail_arn, is_reconciled=reconciled)
        return Origin(trail_arn=self._config.trails[0].trail_arn)


def open_live(environ: Mapping[str, str], clock: Callable[[], datetime]) -> LiveInput:
    """As the environment says. Raises as configuration, rules and store do."""
    log_to_stderr("info")
    config = load_config(environ)
    log_to_stderr(config.service.log_level)
    rulebook = load_rules(environ, config.rules.file)
    for warning in rulebook.warnings:
        _log.warning("rules", extra={"place": rulebook.place, "detail": warning})
    audited = {trail.s3_bucket for trail in config.trails if trail.s3_bucket is not None}
    for bucket in sorted(audited & written_buckets(rulebook)):
        raise UsageError(f"events would be written to {bucket}, which is audited: name another one")
    return LiveInput(config, rulebook, clock, AwsRecipe().open())


def _owner(trail: TrailTable) -> str:
    arn = parse_trail_arn(trail.trail_arn)
    return "" if arn is None else arn.account_id


def _report(part: LogsBatch | S3Location, taken: Taken) -> None:
    """Say what came of it. Raises PayloadError where some of it was no event."""
    _log.info("taken", extra={"part": _name(part), "seen": taken.seen, "matched": taken.matched})
    if taken.unread:
        raise PayloadError(f"{taken.unread} of {taken.seen} records are no events in JSON")


def _name(part: Part) -> str:
    if isinstance(part, Queued):
        return f"message {part.message_id}"
    return part.uri if isinstance(part, S3Location) else f"log group {part.log_group}"


def _why(answer: object) -> str:
    return str(getattr(answer, "detail", "it is not there"))
