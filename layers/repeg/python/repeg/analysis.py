"""What a run cost, order by order, from its executions and its arrival quotes."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from typing import Any

from pydantic import BaseModel, ConfigDict

from repeg.broker import Execution
from repeg.order import ParentOrder
from repeg.run import Run

_HUNDREDTH = Decimal("0.01")
_PRICE = Decimal("0.000001")


class Settlement(BaseModel):
    """How a run ended: settled or failed, with the error's name and the reason in words."""

    model_config = ConfigDict(frozen=True)

    outcome: str
    error: str
    reason: str
    turns: int


def analyse(
    run: Run, orders: Sequence[ParentOrder], executions: Sequence[Execution], settlement: Settlement
) -> dict[str, Any]:
    """The report of a run, as JSON: money and quantities as strings, costs in basis points of the arrival mid.

    A cost is positive where we paid: above the arrival mid for a buy, below it for a sell.
    """
    rows = [_row(order, _of(order, executions)) for order in orders]
    return {
        "run_id": run.run_id,
        "outcome": settlement.outcome,
        "error": settlement.error,
        "reason": settlement.reason,
        "trading_date": run.trading_day.day.isoformat(),
        "preview": run.preview,
        "orders": rows,
        "totals": {**_totals(orders, executions), "turns": settlement.turns},
    }


def cost_bps(order: ParentOrder, executions: Sequence[Execution]) -> Decimal | None:
    """Average price against the arrival mid, in basis points; None where nothing was filled or nothing arrived."""
    price = vwap(executions)
    if price is None or order.arrival is None:
        return None
    return order.side.sign * (price - order.arrival.mid) / order.arrival.mid * 10_000


def market_cost_bps(order: ParentOrder) -> Decimal | None:
    """What a market order would have cost at arrival, from the same quote: half the spread."""
    return None if order.arrival is None else order.arrival.spread / 2 / order.arrival.mid * 10_000


def vwap(executions: Sequence[Execution]) -> Decimal | None:
    """Dollars per share over executions; None where there are none."""
    shares = sum((execution.qty for execution in executions), Decimal(0))
    if shares == 0:
        return None
    return sum((execution.qty * execution.price for execution in executions), Decimal(0)) / shares


def _row(order: ParentOrder, executions: Sequence[Execution]) -> dict[str, Any]:
    cost, market = cost_bps(order, executions), market_cost_bps(order)
    return {
        "symbol": order.symbol,
        "side": str(order.side),
        "qty": _plain(order.target),
        "filled_qty": _plain(order.filled),
        "average_price": _shown(vwap(executions), _PRICE),
        "arrival_mid": _shown(order.arrival.mid if order.arrival else None, _PRICE),
        "cost_bps": _shown(cost, _HUNDREDTH),
        "cost_half_spreads": _shown(cost / market if cost is not None and market else None, _HUNDREDTH),
        "moves": order.moves,
        "children": len(order.children),
        "outcome": str(order.outcome) if order.outcome else None,
        "reason": order.reason,
    }


def _totals(orders: Sequence[ParentOrder], executions: Sequence[Execution]) -> dict[str, Any]:
    paid = market = notional = Decimal(0)
    for order in orders:
        fills = _of(order, executions)
        cost, at_arrival = cost_bps(order, fills), market_cost_bps(order)
        if cost is None or at_arrival is None:
            continue
        dollars = sum((fill.qty * fill.price for fill in fills), Decimal(0))
        notional += dollars
        paid += cost * dollars
        market += at_arrival * dollars
    return {
        "orders": len(orders),
        "orders_filled": sum(order.outcome == "filled" for order in orders),
        "filled_notional": _shown(notional, _HUNDREDTH),
        "cost_bps": _shown(paid / notional if notional else None, _HUNDREDTH),
        "market_cost_bps": _shown(market / notional if notional else None, _HUNDREDTH),
        "executions": len(executions),
    }


def _of(order: ParentOrder, executions: Sequence[Execution]) -> list[Execution]:
    return [e for e in executions if e.symbol == order.symbol and e.side is order.side]


def _shown(value: Decimal | None, step: Decimal) -> str | None:
    return None if value is None else _plain(value.quantize(step))


def _plain(value: Decimal) -> str:
    return f"{value.normalize() + 0:f}"  # adding zero takes the sign off a zero
