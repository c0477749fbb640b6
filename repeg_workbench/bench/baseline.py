"""The figures of an earlier release, for comparison with later ones on any machine.

A figure is CPU time divided by the CPU time of a fixed piece of Python, measured just before and after. Another
machine, or other load on the same one, changes both of them, so that their quotient stays comparable to a tenth or so.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from time import process_time

RELEASE = "ff73b05"
FIGURES = {"simulate": 68.0, "day": 368.0}

_ROUNDS = 1_000_000


class Comparison:
    """CPU time in units of the fixed piece of Python, once the work is done."""

    def __init__(self, name: str) -> None:
        self._name = name
        self.unit = 0.0

    def against(self, cpu_seconds: float) -> str:
        """The ratio to the same figure of the earlier release, in words."""
        return f"{cpu_seconds / self.unit / FIGURES[self._name]:.2f} of {RELEASE}"


@contextmanager
def compared(name: str) -> Iterator[Comparison]:
    """Measure the fixed piece of Python before and after what is done here."""
    comparison = Comparison(name)
    before = _unit()
    yield comparison
    comparison.unit = (before + _unit()) / 2


def _unit() -> float:
    began = process_time()
    total = 0
    for number in range(_ROUNDS):
        total += number * number % 7
    return process_time() - began
