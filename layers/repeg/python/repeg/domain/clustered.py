"""Means and differences of means with their confidence intervals, for orders that share the market of their run.

Orders of one run were worked at the same time, so their costs are not independent: errors are clustered by run. The
weighted mean of a sample is a ratio of two sums; its variance is that of what each run adds to it (linearisation, or
the cluster-robust sandwich). Few runs are allowed for by Student's t.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from decimal import ROUND_CEILING, Decimal
from typing import NamedTuple

from repeg.domain.frozen import Frozen

# With fewer runs an error that is computed from their scatter says little.
FEWEST_RUNS = 5

# More orders than this are not a prospect.
MOST_ORDERS = 1_000_000

# Results are rounded to this, far below any figure that is shown.
_STEP = Decimal("0.000000001")

# Two-sided 95 %: degrees of freedom, and Student's t. A number in between takes the next lower one.
_STUDENT = tuple(
    (degrees, Decimal(t))
    for degrees, t in (
        (4, "2.776"), (5, "2.571"), (6, "2.447"), (7, "2.365"), (8, "2.306"), (9, "2.262"), (10, "2.228"),
        (11, "2.201"), (12, "2.179"), (13, "2.160"), (14, "2.145"), (15, "2.131"), (16, "2.120"), (17, "2.110"),
        (18, "2.101"),
        (19, "2.093"), (20, "2.086"), (22, "2.074"), (24, "2.064"), (26, "2.056"), (28, "2.048"), (30, "2.042"),
        (40, "2.021"), (60, "2.000"), (120, "1.980"), (1_000, "1.962"),
    )
)  # fmt: skip

# The sum of the normal quantiles of 95 % confidence and of 80 % power.
_CONFIDENCE_AND_POWER = Decimal("1.960") + Decimal("0.842")


class Sample(NamedTuple):
    """One order's value, its weight, and the run that it belongs to."""

    run: str
    value: Decimal
    weight: Decimal = Decimal(1)


class Mean(Frozen):
    """A mean, or a difference of means, of `orders` orders in `runs` runs.

    `error` is its standard error, `low` and `high` the 95 % confidence interval; None with too few runs.
    """

    value: Decimal
    orders: int
    runs: int
    error: Decimal | None = None
    low: Decimal | None = None
    high: Decimal | None = None

    @property
    def is_certain(self) -> bool:
        """Whether the interval leaves out zero, so that the sign is known."""
        return self.low is not None and self.high is not None and (self.low > 0 or self.high < 0)

    def orders_for(self, difference: Decimal) -> int | None:
        """How many orders in all would show a difference of that size in four cases of five, if they scatter like these
        and come in runs like these; None where that is not known, or more than MOST_ORDERS."""
        if self.error is None or difference == 0:
            return None
        needed = self.orders * (_CONFIDENCE_AND_POWER * self.error / difference) ** 2
        return int(needed.to_integral_value(ROUND_CEILING)) if needed <= MOST_ORDERS else None


def mean_of(sample: Sequence[Sample]) -> Mean | None:
    """The weighted mean of a sample; None if it weighs nothing."""
    return _estimate([(Decimal(1), sample)])


def difference_of(first: Sequence[Sample], second: Sequence[Sample]) -> Mean | None:
    """The first sample's weighted mean less the second's; None if one of them weighs nothing."""
    return _estimate([(Decimal(1), first), (Decimal(-1), second)])


def _estimate(terms: Sequence[tuple[Decimal, Sequence[Sample]]]) -> Mean | None:
    totals = [sum((each.weight for each in sample), Decimal(0)) for _, sample in terms]
    if not all(total > 0 for total in totals):
        return None
    value, added = Decimal(0), defaultdict[str, Decimal](Decimal)
    for (sign, sample), total in zip(terms, totals, strict=True):
        mean = sum((each.weight * each.value for each in sample), Decimal(0)) / total
        value += sign * mean
        for each in sample:
            added[each.run] += sign * each.weight * (each.value - mean) / total
    orders = sum(len(sample) for _, sample in terms)
    # The arm with the fewer runs has most of the error, so its runs count.
    runs = min(len({each.run for each in sample}) for _, sample in terms)
    if runs < FEWEST_RUNS:
        return Mean(value=value.quantize(_STEP) + 0, orders=orders, runs=len(added))
    scatter = sum((sum_of_run**2 for sum_of_run in added.values()), Decimal(0))
    error = (scatter * len(added) / (len(added) - 1)).sqrt()
    reach = student(runs - 1) * error
    bounds = {"error": error, "low": value - reach, "high": value + reach}
    rounded = {name: number.quantize(_STEP) + 0 for name, number in {"value": value, **bounds}.items()}
    return Mean(orders=orders, runs=len(added), **rounded)


def student(degrees: int) -> Decimal:
    """Student's t of a two-sided 95 % interval, rounded up to a listed number of degrees of freedom.

    Raises ValueError for fewer than FEWEST_RUNS leave.
    """
    listed = [t for known, t in _STUDENT if known <= degrees]
    if not listed:
        raise ValueError(f"no t is listed for {degrees} degrees of freedom")
    return listed[-1]
