"""What a verification printed, taken apart: the verdict on every file, the counts, the exit status.

`aws cloudtrail validate-logs --verbose` and `integrity verify --verbose` use the same lines for
these, so one reader serves both. What only ours says (UNDETERMINED, NOTE, chains) is no verdict on
a file; any other line about a file that cannot be read is an error, lest a verdict be overlooked.
"""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass

_SUBJECT = re.compile(r"(?:\(backfill\) )?(?:Digest|Log) file\t")
_LINE = re.compile(_SUBJECT.pattern + r"(?P<uri>s3://[^\t]+)\t(?P<verdict>valid|INVALID: .+)")
_OURS_ALONE = re.compile(_SUBJECT.pattern + r"s3://[^\t]+\t(?:UNDETERMINED|NOTE): .+")
_RATIO = re.compile(
    r"(?P<valid>\d+)/(?P<total>\d+) (?P<files>(?:backfill )?(?:digest|log) files) valid"
    r"(?:, (?P<invalid>\d+)/(?P=total) (?P=files) INVALID)?"
    r"(?:, (?P<undetermined>\d+)/(?P=total) (?P=files) UNDETERMINED)?"
)

Verdict = tuple[str, str]
"""A file's URI and `valid` or `INVALID: …`."""


@dataclass(frozen=True, slots=True)
class Said:
    """What was said. `ratios`: of which files how many are valid, and how many there are in all.

    `repeats`: a verdict was given more than once, and counted as often.
    """

    status: int
    verdicts: frozenset[Verdict]
    ratios: dict[str, tuple[int, int]]
    repeats: bool


def read(printed: str, status: int) -> Said:
    """All that was printed. Raises ValueError for a line about a file that has no verdict."""
    given: Counter[Verdict] = Counter()
    ratios: dict[str, tuple[int, int]] = {}
    for line in printed.splitlines():
        if verdict := _LINE.fullmatch(line):
            given[verdict["uri"], verdict["verdict"]] += 1
        elif _SUBJECT.match(line) and not _OURS_ALONE.fullmatch(line):
            raise ValueError(f"no verdict: {line!r}")
        elif ratio := _RATIO.fullmatch(line):
            ratios[ratio["files"]] = int(ratio["valid"]), int(ratio["total"])
    return Said(status, frozenset(given), ratios, any(times > 1 for times in given.values()))
