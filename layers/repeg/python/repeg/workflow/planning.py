"""Planning: a run's parent orders, from the account, its open orders and the prices as they are now."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from typing import NamedTuple

from repeg.domain.child_order import OrderReport
from repeg.domain.equity import revalued
from repeg.domain.journal import Ruling
from repeg.domain.journalled_rules import SIZING
from repeg.domain.limits import require_within_limits
from repeg.domain.open_orders import GivenUp, OpenOrders, count_open_orders, given_up
from repeg.domain.order_ids import OrderId
from repeg.domain.parent_order import ParentOrder
from repeg.domain.plan import TargetsPlan
from repeg.domain.run import Run
from repeg.domain.sizing import Holdings, require_priced, symbols_of
from repeg.domain.sizing_price import SizingPrice, sizing_price
from repeg.domain.sizing_request import Sizing, SizingRequest, size
from repeg.ports import Ports
from repeg.workflow.turn import Turn, find_run


class Draft(NamedTuple):
    """A run's parent orders, what they were sized from, and the planning version; None if no other run was counted."""

    orders: list[ParentOrder]
    version: int | None
    request: SizingRequest


def check_plan(run: Run, now: datetime, ports: Ports) -> Draft:
    """Refuse a plan that could not be carried out now; returns its draft. Raises InvalidPlan or RefusedRun.

    It may come before the open, so prices of any age are enough; the orders are sized when the window opens.
    """
    prices = {symbol: price.of_any_age() for symbol, price in _prices(run, now, ports).items()}
    require_priced(run.plan, prices)
    return _draft(run, prices, ports)


def draft_orders(run: Run, now: datetime, ports: Ports) -> Draft:
    """The run's parent orders, within the limits of its settings. Raises InvalidPlan or RefusedRun."""
    return _draft(run, _prices(run, now, ports), ports)


def _draft(run: Run, prices: Mapping[str, SizingPrice], ports: Ports) -> Draft:
    """Reads in this order: planning version, other runs, open orders, holdings.

    An order that is planned or filled between two reads is then counted twice, and never missed.
    """
    is_sized = isinstance(run.plan, TargetsPlan)
    version = ports.store.planning_version(run.trading_day.day) if is_sized else None
    open_orders = _open_orders(run, prices, ports) if is_sized else {}
    positions = ports.broker.positions()
    account = ports.broker.account()
    holdings = Holdings(
        equity=revalued(account.equity, positions, prices),
        spendable=account.spendable,
        held={position.symbol: position.qty for position in positions},
        available={position.symbol: position.available for position in positions},
    )
    request = SizingRequest(
        run_id=run.run_id,
        plan=run.plan,
        holdings=holdings,
        prices=dict(prices),
        fractionable=run.fractionable,
        open_orders=open_orders,
    )
    orders = list(size(request).orders)
    require_within_limits(orders, run.settings)
    return Draft(orders, version, request)


def _open_orders(run: Run, prices: Mapping[str, SizingPrice], ports: Ports) -> dict[str, OpenOrders]:
    """The account's open orders by symbol, with what the other active runs of the day have yet to fill, and with what
    the day's runs have given up unseen."""
    guards = [guard for guard in ports.store.guards_on(run.trading_day.day) if guard.run_id != run.run_id]
    active = {guard.run_id: guard.order_prefix for guard in guards if not guard.is_over}
    trading = [run_id for run_id in active if not find_run(run_id, ports).preview]
    planned = [order for run_id in trading for order in ports.store.orders(run_id)]
    ended = [order for guard in guards if guard.is_over for order in ports.store.books(guard.run_id).orders]
    others = [order for order in planned if order.outcome is None]
    reports, unseen = _find_given_up([given for order in (*planned, *ended) for given in given_up(order)], ports)
    known: dict[str, Decimal] = {symbol: price.best for symbol, price in prices.items() if price.best is not None}
    prefixes = {guard.order_prefix for guard in guards}

    def is_ours(order_id: OrderId) -> bool:
        return order_id.tag == ports.tag or order_id.prefix in prefixes

    return count_open_orders(reports, others, active, known, unseen, is_ours)


def _find_given_up(given: Sequence[GivenUp], ports: Ports) -> tuple[list[OrderReport], list[GivenUp]]:
    """The account's open orders, with those of the given up that are open by now; and the given up that the broker
    still does not find: they may arrive yet."""
    reports = {report.broker_id: report for report in ports.broker.open_orders()}
    unseen: list[GivenUp] = []
    for child in given:
        found = ports.broker.order(child.client_order_id)
        if found is None:
            unseen.append(child)
        elif not found.is_closed:
            reports.setdefault(found.broker_id, found)  # the list lags
    return list(reports.values()), unseen


def _prices(run: Run, now: datetime, ports: Ports) -> dict[str, SizingPrice]:
    symbols = symbols_of(run.plan)
    quotes, trades = ports.market.quotes(symbols), ports.market.last_trades(symbols)
    return {symbol: sizing_price(quotes.get(symbol), trades.get(symbol), now) for symbol in symbols}


def journal_sizing(turn: Turn, draft: Draft) -> None:
    """Journal what the orders were sized from."""
    traded = sum(order.outcome is None for order in draft.orders)
    ruling = Ruling(SIZING, {"request": draft.request}, Sizing(orders=tuple(draft.orders)))
    equity = f"equity {draft.request.holdings.equity:.2f}"
    turn.journal("run", "size", f"{traded} of {len(draft.orders)} orders", equity, ruling)


def journal_plan(turn: Turn, order: ParentOrder) -> None:
    """Journal an order as planned, or why its line is not traded, with the open orders that were counted."""
    worth = f"worth {order.target * order.reference_price:.2f}"
    detail, reason = (f"{order.side} {order.target}", worth) if order.outcome is None else ("no trade", order.reason)
    turn.journal(order.symbol, "plan", detail, "; ".join(filter(None, (reason, order.note))))
