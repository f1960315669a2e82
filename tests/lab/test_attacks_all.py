"""Every attack is one sentence, and is held to it by a test."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

from integrity.lab import attacks

START = datetime(2026, 3, 1, tzinfo=UTC)
HOUR = timedelta(hours=1)


def test_every_attack_has_one_sentence_and_is_tested() -> None:
    stories = Path(__file__).parent.glob("test_attacks_*.py")
    tested = "".join(story.read_text(encoding="utf-8") for story in stories)
    for name in attacks.__all__:
        attack = getattr(attacks, name)
        if callable(attack) and hasattr(attack, "__doc__") and name[0].islower():
            assert attack.__doc__
            assert f"attacks.{name}" in tested, name
