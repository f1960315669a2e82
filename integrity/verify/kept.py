"""Whether the bucket's lifecycle removed what is absent; asked only where something is.

A rule that nobody may read explains nothing: what is absent stays missing, and the detail names the
permission. What a rule reaches is decided by `chain.retention`.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from integrity.chain.estate import Unasked
from integrity.chain.model import S3Location
from integrity.chain.retention import Expiry, expiry_of
from integrity.chain.times import DAY
from integrity.verify.tools import Tools


@dataclass(frozen=True, slots=True)
class Unkept:
    """Why an object may be absent: `expiry`, where a rule explains it, and a line for a person."""

    expiry: Expiry | None = None
    detail: str = ""


class Retention:
    """The lifecycle rules of buckets, for who met an object that is not there."""

    def __init__(self, tools: Tools) -> None:
        self._source, self._now = tools.retention, tools.now

    def explain(self, location: S3Location, written: datetime) -> Unkept:
        """Of an absent object, written at `written` or later. A rule takes a day at least."""
        if self._source is None or written > self._now - DAY:
            return Unkept()
        rules = self._source.fetch_rules(location.bucket)
        if isinstance(rules, Unasked):
            return Unkept(detail=f"whether a lifecycle rule removed it is unknown: {rules.detail}")
        expiry = expiry_of(rules, location.key, self._now)
        if expiry is None or written > expiry.before:
            return Unkept()
        return Unkept(expiry, expiry.detail)

    def of_folder(self, bucket: str, folder: str) -> Expiry | None:
        """The rule that reaches furthest for everything in a folder."""
        rules = self._source.fetch_rules(bucket) if self._source is not None else ()
        return None if isinstance(rules, Unasked) else expiry_of(rules, folder, self._now)
