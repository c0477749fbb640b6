"""A plan that only buys: nothing is sold, and the buys share the cash that is there."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal

from repeg.domain.outcome import Outcome
from repeg.domain.parent_order import ParentOrder
from repeg.domain.plan import TargetsPlan
from repeg.domain.quote import Side


def buying_only(
    orders: Sequence[ParentOrder], plan: TargetsPlan, equity: Decimal, spendable: Decimal
) -> list[ParentOrder]:
    """The orders without sells, and with buys that cost no more at the prices that they were sized at than what is
    spendable less the plan's reserve.

    Every buy is scaled by the same part, to whole shares. One that is then worth less than `min_trade_notional` is not
    traded.
    """
    cash, least = spendable - plan.cash_reserve * equity, plan.min_trade_notional
    cost = sum((o.target * o.reference_price for o in orders if o.outcome is None and o.side is Side.BUY), Decimal(0))
    return [_bought(order, max(cash, Decimal(0)), cost, f"{cash:.2f} of cash for buys of {cost:.2f}", least)
            for order in orders]  # fmt: skip


def _bought(order: ParentOrder, cash: Decimal, cost: Decimal, words: str, least: Decimal) -> ParentOrder:
    if order.outcome is not None:
        return order
    if order.side is Side.SELL:
        return _dropped(order, "buy_only: nothing is sold")
    # Divided last, and without a rest: a third of three shares, as a rounded part, would be none.
    target = order.target if cash >= cost else (order.target * cash) // cost
    if target == order.target:
        return order
    scaled = f"buy_only: {target} of {order.target.normalize():f} shares, {words}"
    worth = target * order.reference_price
    if target == 0:
        return _dropped(order, scaled)
    if worth < least:
        return _dropped(order, f"{scaled}; worth {worth:.2f}, below min_trade_notional={least}")
    return order.cut_to(target, "; ".join(filter(None, (order.note, scaled))))


def _dropped(order: ParentOrder, reason: str) -> ParentOrder:
    return order.cut_to(Decimal(0), order.note).done(Outcome.NO_TRADE, reason)
