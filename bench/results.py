"""What was measured last of each case, kept as JSON beside the page that is made of it."""

from __future__ import annotations

import os
import platform
from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path

import msgspec

from bench.measured import Measured

DOCS = Path(__file__).parents[1] / "docs"
_JSON = DOCS / "performance.json"


@dataclass(frozen=True)
class Machine:
    """Where it was measured."""

    processors: int
    system: str
    python: str

    @classmethod
    def here(cls) -> Machine:
        """This one."""
        system = f"{platform.system()} {platform.machine()}"
        return cls(os.cpu_count() or 1, system, platform.python_version())


@dataclass(frozen=True)
class Results:
    """Every case that was measured, in no order that means anything."""

    machine: Machine
    cases: tuple[Measured, ...] = ()

    @classmethod
    def read(cls) -> Results:
        """What is kept, or nothing yet."""
        if not _JSON.exists():
            return cls(Machine.here())
        return msgspec.json.decode(_JSON.read_bytes(), type=cls)

    def add(self, measured: Measured, order: Iterable[str]) -> Results:
        """With what this case found in the place of what it found before."""
        known = {one.case: one for one in self.cases} | {measured.case: measured}
        cases = tuple(known[name] for name in order if name in known)
        return replace(self, machine=Machine.here(), cases=cases)

    def write(self) -> None:
        """Keep them."""
        encoded = msgspec.json.encode(self)
        _JSON.write_bytes(msgspec.json.format(encoded, indent=2) + b"\n")
