"""Journalling what is measured of each order of a run that ends, so that many runs can be compared later."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from repeg.domain.books import Books
from repeg.domain.journal import Ruling
from repeg.domain.journalled_rules import OBSERVATION
from repeg.domain.observed import Trades, observe
from repeg.domain.order_ids import symbol_and_side
from repeg.domain.parent_order import ParentOrder
from repeg.domain.quote import Quote
from repeg.workflow.turn import Turn


def journal_observations(turn: Turn, orders: Sequence[ParentOrder], books: Books, quotes: Mapping[str, Quote]) -> None:
    """Journal the measurement of every order that has arrived. A later one of the same run takes its place."""
    for order in orders:
        if order.arrival is not None:
            _journal(turn, order, books, quotes.get(order.symbol))


def _journal(turn: Turn, order: ParentOrder, books: Books, book: Quote | None) -> None:
    session, settings, own = turn.run.trading_day, turn.settings(order.symbol), (order.symbol, order.side)
    trades = Trades(
        executions=tuple(each for each in books.executions if (each.symbol, each.side) == own),
        intents=tuple(
            each for each in books.intents if symbol_and_side(turn.run.order_prefix, each.client_order_id) == own
        ),
        opens=session.open,
        closes=session.close,
    )
    measured = observe(order, trades, book, settings)
    inputs = {"order": order, "trades": trades, "book": book, "settings": settings}
    cost = "" if measured.cost_half_spreads is None else f"{measured.cost_half_spreads:.2f} half-spreads"
    arm = "no part in the experiment" if order.arm is None else f"{order.arm} arm"
    turn.journal(order.symbol, "measure", cost, arm, Ruling(OBSERVATION, inputs, measured))
