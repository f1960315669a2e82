"""Compare the skipped tests of pytest's JUnit reports with those that are allowed to be skipped.

Says every skip, fails on one that skips.txt beside this file does not list, and on a missing
report. It does not run tests and does not judge failures: pytest's exit status does that.
"""

import sys
import xml.etree.ElementTree as ET
from pathlib import Path

ALLOWED = Path(__file__).with_name("skips.txt")


def allowed_ids() -> set[str]:
    """Give the test ids that stand in skips.txt, without their reasons."""
    lines = (line.strip() for line in ALLOWED.read_text(encoding="utf-8").splitlines())
    return {line.split(" | ")[0].strip() for line in lines if line and not line.startswith("#")}


def skipped(report: Path) -> list[tuple[str, str]]:
    """Give (test id, reason) of each skip in one report; pytest wrote it, so it is trusted."""
    cases = ET.parse(report).getroot().iter("testcase")  # noqa: S314
    return [
        (f"{case.get('classname')}::{case.get('name')}".removeprefix("::"), skip.get("message", ""))
        for case in cases
        for skip in case.iter("skipped")
        if skip.get("type") != "pytest.xfail"
    ]


def main(reports: list[Path]) -> int:
    """Print every skip of the reports and give the exit status: 1 where one is not allowed."""
    allowed = allowed_ids()
    unlisted = 0
    for report in reports:
        for test_id, reason in skipped(report):
            listed = test_id in allowed
            unlisted += not listed
            print(f"skipped{'' if listed else ', not in .ci/skips.txt'}: {test_id} | {reason}")
    return 1 if unlisted else 0


if __name__ == "__main__":
    sys.exit(main([Path(name) for name in sys.argv[1:]]))
