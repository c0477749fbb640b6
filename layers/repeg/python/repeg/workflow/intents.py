"""Building an intent: its id and its cost, the order with the intent's child, and the budgets that the write debits."""

from __future__ import annotations

from decimal import Decimal

from repeg.domain.child_order import Child
from repeg.domain.control import CONTROL
from repeg.domain.decision import Decision
from repeg.domain.fallback import FALLBACK
from repeg.domain.intent import Intent
from repeg.domain.limits import BudgetEntry, committed, notional_of
from repeg.domain.order_ids import client_order_id
from repeg.domain.parent_order import ParentOrder
from repeg.domain.quote import Quote
from repeg.workflow.turn import Turn


def new_intent(turn: Turn, order: ParentOrder, decision: Decision, quote: Quote, qty: Decimal) -> Intent:
    """The intent of the next attempt, for `qty` shares at the decision's limit."""
    n = order.children[-1].n + 1 if order.children else 1
    return Intent(
        client_order_id=client_order_id(turn.run.order_prefix, order.symbol, order.side, n),
        symbol=order.symbol,
        side=order.side,
        n=n,
        qty=qty,
        limit=decision.limit,
        notional=notional_of(qty, decision.limit, quote, order.side),
        rung=decision.rung,
        reason=decision.reason,
        quote=quote,
        decided_at=turn.now,
        not_after=turn.sends_until,
    )


def with_intent(
    order: ParentOrder, intent: Intent, decision: Decision, replaces: int | None = None, *, is_piece: bool = False
) -> ParentOrder:
    """The order with the intent's child; `replaces` is the attempt that the child replaces, if any."""
    child = Child(
        n=intent.n,
        client_order_id=intent.client_order_id,
        qty=intent.qty,
        limit=intent.limit,
        rung=intent.rung,
        decided_at=intent.decided_at,
        notional=intent.notional,
        replaces=replaces,
        is_piece=is_piece,
        is_fallback=decision.reason == FALLBACK,
        is_control=decision.reason == CONTROL and decision.limit is None,
    )
    children = order.with_child(child).children
    return order.placing(child, intent.quote, is_move=decision.is_counted, committed=committed(children))


def budgets(turn: Turn, before: ParentOrder, after: ParentOrder) -> list[BudgetEntry]:
    """What a write of an order takes from the run's budget and from the day's, which all runs of the day share.

    `before` is the order as stored and `after` as it will be, with a new child or with a successor reserved. A child
    whose place was reserved takes no second order.
    """
    settings, day = turn.run.settings, turn.run.trading_day.day
    notional = after.committed - before.committed
    orders = 1 - before.reserved_orders
    return [
        BudgetEntry(f"run:{turn.run.run_id}", notional, orders, settings.max_run_notional, settings.max_run_orders),
        BudgetEntry(f"day:{day.isoformat()}", notional, orders, settings.max_day_notional, None),
    ]
