"""The tables of `docs/aws-cli.md`, made of the scenarios: `python -m tests.parity.document`."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable

from integrity.chain.findings import Outcome
from integrity.record import ExitStatus
from tests.scenarios import SCENARIOS, Difference, Scenario

_STATUS = {
    Outcome.VALID: ExitStatus.VALID,
    Outcome.UNDETERMINED: ExitStatus.UNDETERMINED,
    Outcome.INVALID: ExitStatus.INVALID,
}

SECTIONS: tuple[tuple[str, Callable[[int, int], bool]], ...] = (
    (
        "It reports success, and the evidence contradicts itself",
        lambda ours, theirs: theirs == 0 and ours == ExitStatus.INVALID,
    ),
    (
        "It reports success, and nobody vouches for it",
        lambda ours, theirs: theirs == 0 and ours == ExitStatus.UNDETERMINED,
    ),
    (
        "It reports success, and has looked elsewhere",
        lambda ours, theirs: theirs == 0 and ours == ExitStatus.VALID,
    ),
    (
        "It reports tampering, or gives up, where nothing contradicts the evidence",
        lambda ours, theirs: theirs != 0 and ours != ExitStatus.INVALID,
    ),
    (
        "Both fail, over other files or in other words",
        lambda ours, theirs: theirs != 0 and ours == ExitStatus.INVALID,
    ),
)


def render_tables() -> str:
    """Every deliberate difference, under the heading that says how serious it is."""
    differing = [(one, one.differs) for one in SCENARIOS if one.differs is not None]
    lines = []
    for heading, holds in SECTIONS:
        lines += [f"## {heading}", "", "| what happened | integrity | AWS CLI | why |"]
        lines += ["|---|---|---|---|"]
        for scenario, differs in differing:
            if holds(_STATUS[scenario.outcome], differs.status):
                lines.append(_row(scenario, differs))
        lines.append("")
    return "\n".join(lines)


def _row(scenario: Scenario, differs: Difference) -> str:
    counted = Counter(scenario.finds)
    finds = [f"`{reason}`" + (f" × {n}" if n > 1 else "") for reason, n in counted.items()]
    ours = " ".join([str(_STATUS[scenario.outcome]), *([", ".join(finds)] if finds else [])])
    return f"| {scenario.name} | {ours} | {differs.status} | {differs.why} |"


if __name__ == "__main__":
    print(render_tables(), end="")
