"""Our own faults: what stops a command. Never a verdict about a trail.

A verdict is a value (`integrity.chain.findings`). An exception of this module means that the
program was asked for something it cannot do, and says what to type next.
"""

from __future__ import annotations

from collections.abc import Sequence


class IntegrityError(Exception):
    """The base of every error that a person is shown instead of a traceback."""


class UsageError(IntegrityError):
    """Command, configuration or credentials are wrong; nothing was checked (status 2)."""


class ConfigError(UsageError):
    """Mistakes in a configuration: all that were found, a line each, and no secret in them."""

    def __init__(self, mistakes: Sequence[str]) -> None:
        self.mistakes = tuple(mistakes)
        super().__init__("; ".join(self.mistakes))


class AccessError(IntegrityError):
    """AWS would not answer what the run cannot start without, though it may later (status 3)."""
