"""Dust: remainders that the broker cannot take, and plan lines too small to trade."""

from __future__ import annotations

from decimal import Decimal

# Alpaca's smallest order of a fraction of a share, in dollars: https://docs.alpaca.markets/docs/fractional-trading
MIN_NOTIONAL = Decimal(1)


def is_dust(qty: Decimal, price: Decimal) -> bool:
    """Whether a quantity is less than a share and worth less than the broker's smallest order."""
    return 0 < qty < 1 and qty * price < MIN_NOTIONAL
