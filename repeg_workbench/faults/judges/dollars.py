"""The prices that a limit in dollars makes right: what fits it, and what was reserved within it."""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal
from itertools import accumulate

from repeg_workbench.exchange.broker.ledger import OrderEvent
from repeg_workbench.faults.judges import rules as law
from repeg_workbench.faults.judges.placed import PRICE, QTY, Parent, Placed
from repeg_workbench.faults.judges.record import DayRecord
from repeg_workbench.faults.judges.rules import Rules

IN_DOLLARS = ("max_order_notional", "max_run_notional", "max_day_notional")


def fitting(event: OrderEvent, parent: Parent, rules: Rules, right: Iterable[Decimal]) -> set[Decimal]:
    """The right limits, none higher than a buy's that fits max_order_notional beside what its line has spent.

    What fits is what is left of the line, or of the order in its place; cash may allow only a part of it.
    """
    most = rules.most("max_order_notional")
    if most is None or event.side < 0 or not event.quantity:
        return set()
    earlier = [order for order in parent.orders if order.arrival.at < event.at and order.arrival.limit is not None]
    spent = sum((order.executed * QTY * (order.arrival.limit or 0) * PRICE for order in earlier), Decimal(0))
    left = parent.run.targets[parent.symbol][1] - sum(order.executed * QTY for order in earlier)
    sizes = {size for size in (event.quantity * QTY, left) if size > 0}
    highest = {law.down((most - spent) / size, rules) for size in sizes}
    return {min(price, limit) for limit in right for price in highest}


def less_filled(
    record: DayRecord, reserved: Iterable[Decimal], event: OrderEvent, before: Iterable[Placed], rules: Rules
) -> set[Decimal]:
    """What is left for the shares of an order of the dollars reserved at a limit, less what its predecessor has
    filled since then, at the predecessor's limit."""
    prices = list(reserved)
    limits: set[Decimal] = set()
    for order in before:
        fills = (e.quantity for e in record.ledger.executions if e.order_id == order.arrival.order_id)
        for filled in accumulate(fills, initial=0):
            spent = (order.executed - filled) * (order.arrival.limit or 0) * PRICE
            dollars = ((order.quantity - filled) * limit - spent for limit in prices)
            limits |= {law.down(each / (event.quantity or order.quantity), rules) for each in dollars if each > 0}
    return limits
