"""Rounding noise in computed weights: what is tolerated, and how a plan says so."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from decimal import Decimal

# A negative weight down to -NOISE is zero, and weights may add up to 1 + NOISE.
NOISE = Decimal("0.0001")
# A positive weight below this is what an optimiser leaves of zero: a dollar of a million.
ALMOST_ZERO = Decimal("0.000001")


def is_weight(share: Decimal) -> bool:
    """Whether a number is a weight between 0 and 1, but for noise."""
    return -NOISE <= share <= 1 + NOISE


def without_noise(share: Decimal) -> Decimal:
    """The weight, or zero if it is noise."""
    return Decimal(0) if share < ALMOST_ZERO else share


def tolerated(given: Mapping[str, Decimal], total: Decimal) -> Iterator[str]:
    """What was taken as rounding noise, one sentence for each kind."""
    noise = [f"{name} {share:.3g}" for name, share in given.items() if share < 0 or 0 < share < ALMOST_ZERO]
    if noise:
        yield f"taken as zero: {', '.join(noise)}"
    if total > 1:
        yield f"weights and cash_reserve add up to 1 and {(total - 1).normalize():.3g}, which is taken as rounding"
