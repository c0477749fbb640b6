"""Means, standard errors clustered in 15-minute blocks, and paired differences of replayed costs."""

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from repeg_workbench.exchange.market.symbol_day import Int64s

Floats = NDArray[np.float64]

BLOCK: Final = 900 * 1_000_000_000
"""Orders of one quarter of an hour share the market's moves, so they count as one observation of its direction."""


@dataclass(frozen=True)
class Estimate:
    """A mean and its clustered standard error."""

    mean: float
    error: float

    @property
    def t(self) -> float:
        """The mean in standard errors; 0 where the error is 0."""
        return self.mean / self.error if self.error else 0.0


def estimate(values: Floats, arrivals: Int64s) -> Estimate:
    """The mean of some values; those that arrived in the same quarter of an hour are one cluster."""
    if not len(values):
        return Estimate(float("nan"), float("nan"))
    mean = float(values.mean())
    _, block = np.unique(arrivals // BLOCK, return_inverse=True)
    sums = np.bincount(block, values - mean)
    count = len(sums)
    correction = count / (count - 1) if count > 1 else 1.0
    return Estimate(mean, float(np.sqrt(correction * (sums**2).sum()) / len(values)))


def equal_weight(estimates: list[Estimate]) -> Estimate:
    """The mean of some means, each with the same weight and independent of the others."""
    count = len(estimates)
    error = float(np.sqrt(sum(each.error**2 for each in estimates)) / count)
    return Estimate(sum(each.mean for each in estimates) / count, error)
