"""The record of one trail as a whole."""

from __future__ import annotations

from msgspec import Struct

from integrity.chain.findings import Finding, Outcome
from integrity.record.asked import KeyRecord, Population, Requested, RunInfo, Tool
from integrity.record.chains import Acceptance, Acknowledged, ChainResult
from integrity.record.counts import PastCounts, Totals

SCHEMA_VERSION = 1


class Run(Struct, frozen=True, kw_only=True):
    """The record of one trail, and the only thing that reports and alarms are made of.

    `looks` are the narrow runs of the same tick over windows of open incidents and of past days;
    they count for nothing else here, and neither does what was `acknowledged`. `past` is null where
    no past is watched.
    """

    schema_version: int = SCHEMA_VERSION
    tool: Tool
    trail_arn: str
    requested: Requested
    run: RunInfo
    population: Population
    keys: tuple[KeyRecord, ...]
    outcome: Outcome
    totals: Totals
    chains: tuple[ChainResult, ...]
    findings: tuple[Finding, ...]
    accepted: tuple[Acceptance, ...] = ()
    looks: tuple[Run, ...] = ()
    acknowledged: tuple[Acknowledged, ...] = ()
    past: PastCounts | None = None
