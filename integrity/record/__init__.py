"""The record of one trail's verification, and its one JSON form, both ways.

The record is the truth: text, pages, metrics and alarms only repeat it. It is decoded strictly, so
a record that was read back is equal to the one that was written. It holds no rule of judgement; how
outcomes became what they are is `chain` and `verify.join`.
"""

from __future__ import annotations

from integrity.record.asked import Expected, KeyRecord, Origin, Population, Requested, RunInfo, Tool
from integrity.record.chains import (
    Acceptance,
    Acknowledged,
    Acknowledgement,
    ChainResult,
    ChainState,
    Head,
)
from integrity.record.counts import DigestCounts, LogCounts, PastCounts, Totals, UnchangedHours
from integrity.record.document import decode, encode
from integrity.record.run import SCHEMA_VERSION, Run
from integrity.record.segments import SegmentResult
from integrity.record.status import ExitStatus, exit_status, outcome_of, worst_status

__all__ = [
    "SCHEMA_VERSION",
    "Acceptance",
    "Acknowledged",
    "Acknowledgement",
    "ChainResult",
    "ChainState",
    "DigestCounts",
    "ExitStatus",
    "Expected",
    "Head",
    "KeyRecord",
    "LogCounts",
    "Origin",
    "PastCounts",
    "Population",
    "Requested",
    "Run",
    "RunInfo",
    "SegmentResult",
    "Tool",
    "Totals",
    "UnchangedHours",
    "decode",
    "encode",
    "exit_status",
    "outcome_of",
    "worst_status",
]
