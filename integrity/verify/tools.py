"""What a worker has in its hands while it checks: sources, threads, the time, who is told."""

from __future__ import annotations

from concurrent.futures import Executor
from dataclasses import dataclass
from datetime import datetime

from integrity.verify.parallel import Stopping
from integrity.verify.ports import KeySource, ObjectSource, Progress, RetentionSource


@dataclass(frozen=True, slots=True)
class Tools:
    """Opened in the process that uses them. `now` was read once, for the whole run.

    Without `retention` nobody tells what lifecycles delete. Once `stopping` is set, nothing new is
    begun, and results say that they are not whole.
    """

    objects: ObjectSource
    keys: KeySource
    retention: RetentionSource | None
    executor: Executor
    now: datetime
    progress: Progress
    stopping: Stopping
