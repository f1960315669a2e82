"""What is asked once findings are there: what lay there before, and who did it.

Nothing that comes of it changes an outcome, a count or what is known to the next verification; it
is laid beside the findings, and who would not answer is a note. A run that was broken off, or one
in which a person is about to settle things, asks nothing.
"""

from __future__ import annotations

from integrity.record import Run
from integrity.structs import replace
from integrity.verify.explanations import Explanations
from integrity.verify.job import Job
from integrity.verify.originals import Originals
from integrity.verify.plan import Plan
from integrity.verify.ports import VersionSource, Witnesses
from integrity.verify.tools import Tools


def inquire(
    run: Run,
    job: Job,
    plan: Plan,
    tools: Tools,
    witnesses: Witnesses,
    versions: VersionSource | None,
) -> Run:
    """The record with originals and explanations beside its findings."""
    if not run.findings or job.accepting or tools.stopping.is_set():
        return run
    findings, notes = list(run.findings), list[str]()
    if versions is not None:
        originals = Originals(job, plan, tools, versions)
        findings = originals.find(findings)
        notes += originals.notes
    explanations = Explanations(job, plan, tools, witnesses)
    findings = explanations.explain(findings)
    notes += explanations.notes
    population = replace(run.population, notes=(*run.population.notes, *notes))
    return replace(run, findings=tuple(findings), population=population)
