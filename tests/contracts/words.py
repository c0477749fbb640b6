"""Builders of runs, orders, intents and fills for the contract tests."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

from repeg.domain.broker import Execution
from repeg.domain.child_order import Child, Rung
from repeg.domain.intent import Intent
from repeg.domain.limits import BudgetEntry
from repeg.domain.order_ids import LOCAL_TAG, client_order_id, run_prefix
from repeg.domain.parent_order import ParentOrder
from repeg.domain.plan import OrdersPlan, PlanOrder
from repeg.domain.quote import Quote, Side
from repeg.domain.run import Run, RunState
from repeg.domain.session import TradingDay
from repeg.domain.settings import Settings
from repeg.ports import Store

RUN_ID = "core-2026-03-05"
OWNER = "arn:execution:first"
NOON = datetime(2026, 3, 5, 17, tzinfo=UTC)
RUN_BUDGET = f"run:{RUN_ID}"
DAY_BUDGET = "day:2026-03-05"


def a_run(run_id: str = RUN_ID, owner: str = OWNER, account_number: str = "") -> Run:
    """A run of one order, as its opening step claims it."""
    return Run(
        run_id=run_id,
        owner=owner,
        account_number=account_number,
        trading_day=TradingDay(
            day=date(2026, 3, 5),
            open=datetime(2026, 3, 5, 14, 30, tzinfo=UTC),
            close=datetime(2026, 3, 5, 21, tzinfo=UTC),
        ),
        plan=OrdersPlan(name="core", orders=(PlanOrder(symbol="AAPL", side=Side.BUY, qty=Decimal("40.5")),)),
        settings=Settings(max_run_notional=Decimal("250000.10")),
        started_at=NOON,
        opening_equity=Decimal("100000.01"),
    )


def an_order(symbol: str = "AAPL", target: str = "40", run_id: str = RUN_ID) -> ParentOrder:
    """A parent order without child orders."""
    return ParentOrder(
        run_id=run_id, symbol=symbol, side=Side.BUY, target=Decimal(target), reference_price=Decimal("189.42")
    )


def a_quote(symbol: str = "AAPL") -> Quote:
    """A book four cents wide."""
    return Quote(
        symbol=symbol,
        bid=Decimal("189.40"),
        bid_size=Decimal(300),
        ask=Decimal("189.44"),
        ask_size=Decimal(200),
        at=NOON,
    )


def an_intent(order: ParentOrder, n: int = 1, limit: str = "189.41", qty: str = "40") -> Intent:
    """Attempt `n` of an order."""
    return Intent(
        client_order_id=client_order_id(run_prefix(LOCAL_TAG, order.run_id), order.symbol, order.side, n),
        symbol=order.symbol,
        side=order.side,
        n=n,
        qty=Decimal(qty),
        limit=Decimal(limit),
        notional=Decimal(qty) * Decimal(limit),
        rung=Rung.PASSIVE,
        reason="improve by a tick",
        quote=a_quote(order.symbol),
        decided_at=NOON,
    )


def a_change(limit: str, client_order_id: str) -> Intent:
    """A replacement's intent: a new limit under a new id."""
    return an_intent(an_order(), 2, limit).model_copy(update={"client_order_id": client_order_id})


def with_intent(order: ParentOrder, intent: Intent) -> ParentOrder:
    """The order with the intent's child in it."""
    return order.with_child(
        Child(
            n=intent.n,
            client_order_id=intent.client_order_id,
            qty=intent.qty,
            limit=intent.limit,
            rung=intent.rung,
            decided_at=intent.decided_at,
            notional=intent.notional,
        )
    )


def a_budget(
    key: str = RUN_BUDGET,
    notional: str = "7576.40",
    max_notional: str | None = None,
    max_orders: int | None = None,
    orders: int = 1,
) -> BudgetEntry:
    """One order's amount against a budget."""
    limit = None if max_notional is None else Decimal(max_notional)
    return BudgetEntry(key=key, notional=Decimal(notional), orders=orders, max_notional=limit, max_orders=max_orders)


def a_fill(activity_id: str, seconds: int = 0, qty: str = "10") -> Execution:
    """A fill some seconds after noon."""
    return Execution(
        activity_id=activity_id,
        broker_order_id="61e69015-8549-4bfd-b9c3-01e75843f47d",
        symbol="AAPL",
        side=Side.BUY,
        qty=Decimal(qty),
        price=Decimal("189.41"),
        at=NOON + timedelta(seconds=seconds),
    )


def bring(store: Store, state: RunState, run_id: str = RUN_ID) -> Run:
    """Move a running run of epoch 1 to a state through the states before it."""
    path = {
        RunState.RUNNING: (RunState.RUNNING,),
        RunState.CLOSING: (RunState.CLOSING,),
        RunState.CLOSED: (RunState.CLOSING, RunState.CLOSED),
        RunState.SWEPT: (RunState.CLOSING, RunState.SWEPT),
    }
    for step in path[state]:
        store.set_run_state(run_id, 1, step)
    held = store.run(run_id)
    assert held is not None
    return held
