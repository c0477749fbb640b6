"""What an order cost against its arrival: the book that it was first free to trade on."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import timedelta
from decimal import Decimal

from repeg.domain.broker import Execution
from repeg.domain.parent_order import ParentOrder
from repeg.domain.quote import Quote


def cost_bps(order: ParentOrder, executions: Sequence[Execution]) -> Decimal | None:
    """Average price against the arrival mid, in basis points; None without a fill or without an arrival price."""
    price = vwap(executions)
    if price is None or order.arrival is None:
        return None
    return order.side.sign * (price - order.arrival.mid) / order.arrival.mid * 10_000


def half_spread_bps(order: ParentOrder) -> Decimal | None:
    """Half the spread of the arrival quote, in basis points of its mid."""
    return None if order.arrival is None else order.arrival.spread / 2 / order.arrival.mid * 10_000


def market_cost_bps(order: ParentOrder, crossing_cost: Decimal) -> Decimal | None:
    """What a market order would have cost at arrival, by the same quote, if taking costs so many half-spreads.

    1 is the displayed far side. Retail brokers' wholesalers often improve on it.
    """
    half = half_spread_bps(order)
    return None if half is None else crossing_cost * half


def vwap(executions: Sequence[Execution]) -> Decimal | None:
    """Dollars per share over executions; None if there are none."""
    shares = sum((execution.qty for execution in executions), Decimal(0))
    if shares == 0:
        return None
    return sum((execution.qty * execution.price for execution in executions), Decimal(0)) / shares


def seconds_to_fill(order: ParentOrder, executions: Sequence[Execution]) -> Decimal | None:
    """From the first placement to the last execution; None if nothing was filled."""
    if order.first_placed_at is None or not executions:
        return None
    took = max(execution.at for execution in executions) - order.first_placed_at
    return Decimal(took // timedelta(milliseconds=1)) / 1_000


def spread_captured(order: ParentOrder, executions: Sequence[Execution], quotes: Mapping[str, Quote]) -> Decimal | None:
    """The share of the spread that was kept, by the quotes that the filled children were priced from: 1 at the near
    side, 0 at the far side. None if nothing was filled or no quote is known."""
    quote_of = {child.broker_id: quotes.get(child.client_order_id) for child in order.children}
    kept = offered = Decimal(0)
    for execution in executions:
        quote = quote_of.get(execution.broker_order_id)
        if quote is not None:
            kept += execution.qty * order.side.sign * (quote.far(order.side) - execution.price)
            offered += execution.qty * quote.spread
    return kept / offered if offered else None


def last_mid(book: Quote | None) -> Decimal | None:
    """The mid of the last quote; None unless it has two sides."""
    return book.mid if book is not None and book.bid > 0 and book.ask > 0 else None


def unfilled_cost(order: ParentOrder, book: Quote | None) -> Decimal | None:
    """Dollars by which the unfilled shares have become more expensive (buy) or cheaper (sell) since arrival."""
    if order.remaining <= 0:
        return Decimal(0)
    mid = last_mid(book)
    if mid is None or order.arrival is None:
        return None
    return order.remaining * order.side.sign * (mid - order.arrival.mid)


def unfilled_bps(order: ParentOrder, book: Quote | None) -> Decimal | None:
    """The unfilled cost in basis points of what those shares were worth at arrival."""
    dollars = unfilled_cost(order, book)
    if not dollars or order.arrival is None:
        return dollars
    return dollars / (order.remaining * order.arrival.mid) * 10_000
