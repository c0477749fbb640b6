"""What is written down before anything is sent: the intent, the order that has its child, and what it may cost."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

from repeg.domain import limits
from repeg.domain.child_order import Child
from repeg.domain.limits import BudgetEntry
from repeg.domain.order_ids import client_order_id
from repeg.domain.parent_order import Intent, ParentOrder
from repeg.domain.peg import Action, Decision
from repeg.domain.quote import Quote
from repeg.workflow.turn import Turn

# A request takes at most this long to be accepted or to be called unknown.
ANSWER_TIME = timedelta(seconds=5)


def new_intent(turn: Turn, order: ParentOrder, decision: Decision, quote: Quote, qty: Decimal) -> Intent:
    """What is meant to be sent, under the id of the next attempt."""
    n = order.children[-1].n + 1 if order.children else 1
    return Intent(
        client_order_id=client_order_id(order.run_id, order.symbol, order.side, n),
        symbol=order.symbol,
        side=order.side,
        n=n,
        qty=qty,
        limit=decision.limit,
        notional=limits.notional_of(qty, decision.limit, quote, order.side),
        rung=decision.rung,
        reason=decision.reason,
        quote=quote,
        decided_at=turn.now,
        not_after=turn.run.window.closes - ANSWER_TIME,
    )


def with_intent(
    turn: Turn, order: ParentOrder, intent: Intent, decision: Decision, replaces: int | None = None
) -> ParentOrder:
    """The order with the intent's child, which takes the place of attempt `replaces` where that is given."""
    child = Child(
        n=intent.n,
        client_order_id=intent.client_order_id,
        qty=intent.qty,
        limit=intent.limit,
        rung=intent.rung,
        decided_at=intent.decided_at,
        notional=intent.notional,
        replaces=replaces,
    )
    grown = order.with_child(child)
    return grown.model_copy(
        update={
            "rung": intent.rung,
            "first_placed_at": order.first_placed_at or turn.now,
            "moves": order.moves + (1 if decision.verb is Action.MOVE else 0),
            "held": "",
            "committed": limits.committed(grown.children),
        }
    )


def budgets(turn: Turn, notional: Decimal) -> list[BudgetEntry]:
    """What an intent takes from the run's budget and from the day's, which all runs of a day share."""
    settings, day = turn.run.settings, turn.run.trading_day.day
    return [
        BudgetEntry(f"run:{turn.run.run_id}", notional, 1, settings.max_run_notional, settings.max_run_orders),
        BudgetEntry(f"day:{day.isoformat()}", notional, 1, settings.max_day_notional, None),
    ]
