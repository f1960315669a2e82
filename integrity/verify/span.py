"""What reading a trail's digests over a span comes to, for whoever checks what they name."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime

from integrity.chain.findings import Finding
from integrity.chain.link import Entry
from integrity.chain.model import AuthenticDigest, S3Location, TimeWindow, Unreachable


@dataclass(slots=True)
class DigestSpan:
    """What is known of a trail's digests over a span. `entries` reach one digest beyond both ends.

    `authentic` holds the signed documents by place, for their log files, `made` when CloudTrail
    made each, where known; `findings` are about digests that end in the span; `newest` is the end
    of the newest digest that the listings showed.
    """

    span: TimeWindow
    entries: list[Entry] = field(default_factory=list)
    authentic: dict[S3Location, AuthenticDigest] = field(default_factory=dict)
    made: dict[S3Location, datetime] = field(default_factory=dict)
    findings: list[Finding] = field(default_factory=list)
    newest: datetime | None = None
    unlisted: list[Unreachable] = field(default_factory=list)
