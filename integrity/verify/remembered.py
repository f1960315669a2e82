"""Known digests that the window does not show: the head of a chain that went on, and what was lost.

Each is read where it was. What its absence or its content means is decided in `chain.recall`.
"""

from __future__ import annotations

from collections.abc import Iterable

from integrity.chain.findings import Finding
from integrity.chain.known import Recall
from integrity.chain.link import Entry, Standing
from integrity.chain.names import DigestName, parse_digest
from integrity.verify.job import Job
from integrity.verify.judged import DigestJudge
from integrity.verify.keyring import KeyRing
from integrity.verify.parallel import each
from integrity.verify.tools import Tools


def look_up(
    known: Iterable[Recall], seen: Iterable[Entry], *, job: Job, tools: Tools, ring: KeyRing
) -> tuple[list[Entry], list[Finding]]:
    """How those of the known digests stand that were not `seen`, and what is wrong with them."""
    shown = {entry.location for entry in seen}
    left = {one.digest.location: one for one in known if one.digest.location not in shown}
    judge = DigestJudge(job, tools, ring, {location: one.is_lost for location, one in left.items()})
    answers = each(
        tools.executor,
        lambda one: judge.judge(name_of(one), one.digest.location),
        left.values(),
        in_flight=job.concurrency,
        stopping=tools.stopping,
    )
    judged = sorted((answer for _, answer in answers), key=lambda one: one.location)
    return (
        [one.entry(named=True) for one in judged],
        [
            one.finding
            for one in judged
            if one.finding is not None and one.standing is not Standing.AUTHENTIC
        ],
    )


def name_of(known: Recall) -> DigestName:
    """What a known digest stands for, also where its key has a form that nobody knows."""
    return parse_digest(known.digest.location) or DigestName(known.chain, known.digest.end)
