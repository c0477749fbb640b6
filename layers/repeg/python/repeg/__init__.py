"""repeg: works a rebalance at the top of the book, and knows when to stop."""

from __future__ import annotations

from typing import Any


def from_weights(weights: Any, name: str, **fields: Any) -> dict[str, Any]:
    """A plan from the weights of an optimiser: what `json.dump` writes, and an execution's input holds as `plan`.

    `weights` are a dict, a pandas Series, a DataFrame of one column, a portfolio of skfolio, or pairs of symbol and
    weight. `fields` are the plan's own: cash_reserve, min_trade_notional, min_drift_pct, min_drift_pct_of, buy_only and
    confirmed_symbols. Raises InvalidPlan naming the field, its value and what is expected.
    """
    from repeg.portfolio import plan_document  # noqa: PLC0415 - no function that is deployed needs it

    return plan_document(weights, name, fields)
