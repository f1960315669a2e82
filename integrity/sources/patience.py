"""How often S3 is asked the same again, and how long is waited in between.

The waits double and are drawn at random, so that many who were turned away do not come back
together. Where nothing has helped for a long row of objects, the trouble is not theirs: each is
then asked once, without a wait, until one answer comes. Which trouble may pass is not decided here.
"""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Iterator

_IN_VAIN = 64


class Patience:
    """`attempts` in all; waits of up to `first_wait`, doubled each time, at most `longest_wait`.

    Shared by threads; times are in seconds.
    """

    def __init__(
        self,
        attempts: int,
        first_wait: float,
        longest_wait: float,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._attempts = attempts
        self._first_wait, self._longest_wait = first_wait, longest_wait
        self._sleep = sleep
        self._in_vain = 0

    def attempts(self) -> Iterator[bool]:
        """True for the last attempt, False for those before. Waits before each further one."""
        attempts = self._attempts if self._in_vain < _IN_VAIN else 1
        for attempt in range(attempts):
            if attempt:
                longest = min(self._first_wait * 2 ** (attempt - 1), self._longest_wait)
                # It spreads the load, it hides nothing.
                self._sleep(random.uniform(longest / 2, longest))  # noqa: S311
            yield attempt + 1 == attempts

    def note(self, *, answered: bool) -> None:
        """Whether an answer came, whatever it was, or all attempts were in vain."""
        if not answered:
            self._in_vain += 1
        elif self._in_vain:
            self._in_vain = 0
