"""What a case found: figures, each beside what it must be, and the numbers that explain them."""

from __future__ import annotations

import os
from dataclasses import dataclass, field

from bench.timed import Middle


@dataclass(frozen=True)
class Figure:
    """One number that counts, with its spread.

    `must` is what it may be at worst, `aimed` what is aimed at; where `less`, less is better.
    """

    what: str
    value: Middle
    must: float
    aimed: float
    unit: str = ""
    less: bool = False

    @property
    def holds(self) -> bool:
        """Whether it is as good as it must be."""
        return self.value.median <= self.must if self.less else self.value.median >= self.must


@dataclass(frozen=True)
class Measured:
    """A case's figures, and `details` by what they are.

    `load` is what else the machine had to do when it ended: processes that wanted a processor.
    """

    case: str
    title: str
    runs: int
    figures: tuple[Figure, ...]
    details: dict[str, float] = field(default_factory=dict)
    load: float = field(default_factory=lambda: os.getloadavg()[0])
