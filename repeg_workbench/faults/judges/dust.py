"""What is too small to trade: less than a share, and worth less than the broker's smallest order of a dollar."""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal

from repeg_workbench.exchange.units import QTY_SCALE
from repeg_workbench.faults.judges.record import ServedQuote

LEAST_ORDER = Decimal(1)
HALF = Decimal("0.00005")
QTY = Decimal("1e-9")


def is_dust(units: int, quotes: Iterable[ServedQuote]) -> bool:
    """Whether so many quantity units are less than a share, and worth less than a dollar at the mid of such a quote.

    Every symbol of the simulated days trades in fractions.
    """
    if not 0 < units < QTY_SCALE:
        return False
    mids = [(quote.bid + quote.ask) * HALF for quote in quotes if quote.bid > 0 and quote.ask > 0]
    return bool(mids) and units * QTY * min(mids) < LEAST_ORDER
