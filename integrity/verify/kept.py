"""Whether the bucket's lifecycle removed what is absent; asked only where something is.

A rule that nobody may read explains nothing: what is absent stays missing, and the detail names the
permission. What a rule reaches is decided by `chain.retention`.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from msgspec import Struct

from integrity.chain.estate import ExpirationRule, Unasked
from integrity.chain.model import S3Location
from integrity.chain.retention import Expiry, expiry_of, is_covered
from integrity.chain.times import DAY
from integrity.verify.tools import Tools


class Unkept(Struct, frozen=True):
    """Why an object may be absent: `expiry`, where a rule explains it, and a line for a person."""

    expiry: Expiry | None = None
    detail: str = ""


class Retention:
    """The lifecycle rules of buckets, for who met an object that is not there.

    Where only `known` rules count (None: all do), one that is new explains nothing.
    """

    def __init__(self, tools: Tools, known: Sequence[ExpirationRule] | None = None) -> None:
        self._source, self._now, self._known = tools.retention, tools.now, known

    def explain(self, location: S3Location, written: datetime) -> Unkept:
        """Of an absent object, written at `written` or later. A rule takes a day at least."""
        if self._source is None or written > self._now - DAY:
            return Unkept()
        rules = self._source.fetch_rules(location.bucket)
        if isinstance(rules, Unasked):
            return Unkept(detail=f"whether a lifecycle rule removed it is unknown: {rules.detail}")
        expiry = expiry_of(self._believed(rules), location.key, self._now)
        if expiry is not None and written <= expiry.before:
            return Unkept(expiry, expiry.detail)
        new = expiry_of(rules, location.key, self._now)
        if new is not None and written <= new.before:
            return Unkept(detail=f"{new.detail}, which was not there when it was last seen")
        return Unkept()

    def of_folder(self, bucket: str, folder: str) -> Expiry | None:
        """The rule that reaches furthest for everything in a folder."""
        rules = self._source.fetch_rules(bucket) if self._source is not None else ()
        if isinstance(rules, Unasked):
            return None
        return expiry_of(self._believed(rules), folder, self._now)

    def _believed(self, rules: Sequence[ExpirationRule]) -> Sequence[ExpirationRule]:
        if self._known is None:
            return rules
        return [rule for rule in rules if is_covered(rule, self._known)]
