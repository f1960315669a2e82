"""How often, and how long in between."""

from __future__ import annotations

from integrity.sources.patience import Patience


def test_waits_double_up_to_the_longest_and_none_comes_first() -> None:
    waits: list[float] = []
    assert list(Patience(6, 1.0, 5.0, waits.append).attempts()) == [False] * 5 + [True]
    for wait, longest in zip(waits, (1, 2, 4, 5, 5), strict=True):
        assert longest / 2 <= wait <= longest


def test_one_attempt_is_the_last() -> None:
    assert list(Patience(1, 1.0, 1.0).attempts()) == [True]


def test_a_long_row_in_vain_is_asked_once_each_until_an_answer_comes() -> None:
    patience = Patience(3, 0.0, 0.0)
    for _ in range(64):
        assert len(list(patience.attempts())) == 3
        patience.note(answered=False)
    assert list(patience.attempts()) == [True]
    patience.note(answered=True)
    assert len(list(patience.attempts())) == 3
