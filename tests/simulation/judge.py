"""Checks a finished day against the exchange's own ledger."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from decimal import Decimal

from repeg.domain.intent import Intent
from repeg.domain.parent_order import ParentOrder
from repeg.domain.quote import Side
from repeg.domain.run import Run
from repeg_workbench.exchange.broker.ledger import CASH, USD, OrderEvent
from repeg_workbench.exchange.broker.orders import TERMINAL, Order
from repeg_workbench.exchange.core import Exchange
from repeg_workbench.exchange.time.calendar import nanoseconds
from repeg_workbench.exchange.units import qty as shares

OURS = "rp"
_TERMINAL = frozenset(map(str, TERMINAL))


def nothing_of_ours_is_open(exchange: Exchange) -> None:
    """No order of the program is still open."""
    left = [order for order in exchange.account.orders.open.values() if order.client_order_id.startswith(OURS)]
    assert not left, [(order.client_order_id, order.status) for order in left]


def never_a_share_too_many(exchange: Exchange, orders: Iterable[ParentOrder]) -> None:
    """After every event each parent order has filled + open <= target and at most one open child.

    A child and its replacement share one quantity while both are open, and count as one.
    """
    placed = exchange.account.orders.by_id
    targets = {order.symbol: order.target for order in orders}
    latest: defaultdict[str, dict[str, OrderEvent]] = defaultdict(dict)
    for event in exchange.ledger.events:
        if not event.client_order_id.startswith(OURS):
            continue
        children = latest[event.symbol]
        children[event.order_id] = event
        open_ids = {child.order_id for child in children.values() if child.status not in _TERMINAL}
        live = [child for child in children.values() if child.order_id in open_ids - _replacing(placed, open_ids)]
        assert len(live) <= 1, f"{event.symbol}: {[child.client_order_id for child in live]} live at once at {event.at}"
        committed = sum(child.filled for child in children.values())
        for child in live:
            chain = [child.order_id, *_predecessors(placed[child.order_id])]
            committed += (child.quantity or 0) - sum(children[each].filled for each in chain)
        assert shares(committed) <= targets[event.symbol], f"{event.symbol}: {shares(committed)} at {event.at}"


def _predecessors(order: Order) -> list[str]:
    """The ids of the orders that an order has replaced, latest first."""
    return [] if order.replaces is None else [order.replaces.id, *_predecessors(order.replaces)]


def _replacing(placed: Mapping[str, Order], open_ids: set[str]) -> set[str]:
    """The open orders whose predecessor is open too."""
    return {each for each in open_ids if open_ids & set(_predecessors(placed[each])[:1])}


def books_are_the_brokers(exchange: Exchange, orders: Iterable[ParentOrder]) -> None:
    """Each parent order's filled quantity equals the ledger's executions."""
    executed: defaultdict[str, Decimal] = defaultdict(Decimal)
    for execution in exchange.ledger.executions:
        executed[execution.symbol] += shares(execution.quantity)
    for order in orders:
        assert order.filled == executed.pop(order.symbol, Decimal(0)), order.symbol
    assert not executed


def every_order_was_meant(exchange: Exchange, intents: Iterable[Intent]) -> None:
    """Every order at the broker has an intent with the same id, side, quantity and limit; ids are unique."""
    by_id = {intent.client_order_id: intent for intent in intents}
    placed = [order for order in exchange.account.orders.by_id.values() if order.client_order_id.startswith(OURS)]
    assert len({order.client_order_id for order in placed}) == len(placed)
    for order in placed:
        intent = by_id[order.client_order_id]
        side = 1 if intent.side is Side.BUY else -1
        limit = None if intent.limit is None else int(intent.limit * 10_000)
        assert (order.terms.symbol, order.terms.side, order.terms.limit) == (intent.symbol, side, limit)
        assert shares(order.quantity or 0) == intent.qty


def every_order_was_sent_in_the_window(exchange: Exchange, run: Run) -> None:
    """No order was accepted before the opening delay or after the closing margin began."""
    opens, closes = nanoseconds(run.window.opens), nanoseconds(run.window.closes)
    for order in exchange.account.orders.by_id.values():
        if order.client_order_id.startswith(OURS):
            assert opens <= order.created_at < closes, order.client_order_id


def cash_is_never_negative(exchange: Exchange) -> None:
    """The cash balance is never negative after any booking."""
    cash = 0
    for entry in exchange.ledger.entries:
        cash += sum(posting.amount for posting in entry.postings if (posting.account, posting.commodity) == (CASH, USD))
        assert cash >= 0, entry


def submissions(exchange: Exchange) -> Mapping[str, int]:
    """The number of accepted orders per client order id."""
    seen: defaultdict[str, int] = defaultdict(int)
    for order in exchange.account.orders.by_id.values():
        seen[order.client_order_id] += 1
    return seen
