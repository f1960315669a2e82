"""What holds of everything, tried on much: quickly in every run, at length where there is time.

The quick runs always try the same examples: a change is judged by what it changed, and not by luck.
"""

from hypothesis import settings


def quick(examples: int) -> settings:
    """The same examples every time."""
    return settings(max_examples=examples, derandomize=True)


def at_length(examples: int) -> settings:
    """Others every time."""
    return settings(max_examples=examples)
