"""Drift bands: a weight that is close enough to its target is not traded."""

from __future__ import annotations

from decimal import Decimal

from repeg.domain.plan import TargetsPlan

_HUNDRED = Decimal(100)


def within_band(plan: TargetsPlan, symbol: str, missing: Decimal, equity: Decimal) -> str:
    """Why a weight is not traded whose distance from its target is `missing` dollars, open orders counted; empty if it
    has drifted.

    The drift is that distance in percent of the account's equity. A weight of zero is an exit, which no band keeps.
    """
    band = plan.drift_band(symbol)
    if not band or plan.targets[symbol] == 0 or equity <= 0:
        return ""
    drift = missing / equity * _HUNDRED
    return f"drifted by {drift:.2f} % of the equity, below min_drift_pct={band}" if drift < band else ""
