"""What a run cost, order by order, from its executions and its arrival quotes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import timedelta
from decimal import Decimal
from types import MappingProxyType

from repeg.domain.broker import Execution
from repeg.domain.frozen import Frozen
from repeg.domain.intent import Intent
from repeg.domain.outcome import Outcome
from repeg.domain.parent_order import ParentOrder
from repeg.domain.quote import Quote
from repeg.domain.report import OrderRow, Report, Totals
from repeg.domain.run import Run
from repeg.domain.settings import Settings

_HUNDREDTH = Decimal("0.01")
_PRICE = Decimal("0.000001")
_NO_BOOKS: Mapping[str, Quote] = MappingProxyType({})


class Settlement(Frozen):
    """How a run ended: settled or failed, with the error's name and the reason in words."""

    outcome: str
    error: str
    reason: str
    turns: int


def analyse(
    run: Run,
    orders: Sequence[ParentOrder],
    executions: Sequence[Execution],
    settlement: Settlement,
    intents: Sequence[Intent] = (),
    books: Mapping[str, Quote] = _NO_BOOKS,
) -> Report:
    """The report of a run. Costs are positive where we paid: above the arrival mid for a buy, below it for a sell.

    `books` are the last quotes of the run: unfilled shares are valued at their mids.
    """
    quotes = {intent.client_order_id: intent.quote for intent in intents}
    rows = [_row(order, _of(order, executions), quotes, books.get(order.symbol)) for order in orders]
    return Report(
        run_id=run.run_id,
        outcome=settlement.outcome,
        error=settlement.error,
        reason=settlement.reason,
        trading_date=run.trading_day.day.isoformat(),
        preview=run.preview,
        orders=tuple(rows),
        totals=_totals(run.settings, orders, executions, books, settlement.turns),
        notes=run.plan.notes,
        feed=run.settings.data_feed or "",
    )


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


def _unfilled_bps(order: ParentOrder, book: Quote | None) -> Decimal | None:
    """The unfilled cost in basis points of what those shares were worth at arrival."""
    dollars = unfilled_cost(order, book)
    if not dollars or order.arrival is None:
        return dollars
    return dollars / (order.remaining * order.arrival.mid) * 10_000


def _sum(amounts: Sequence[Decimal | None]) -> Decimal | None:
    """The sum of amounts; None if one of them is not known."""
    known = [amount for amount in amounts if amount is not None]
    return sum(known, Decimal(0)) if len(known) == len(amounts) else None


def _row(
    order: ParentOrder, executions: Sequence[Execution], quotes: Mapping[str, Quote], book: Quote | None
) -> OrderRow:
    cost, half = cost_bps(order, executions), half_spread_bps(order)
    return OrderRow(
        symbol=order.symbol,
        side=str(order.side),
        qty=order.target,
        filled_qty=order.filled,
        average_price=_rounded(vwap(executions), _PRICE),
        arrival_mid=_rounded(order.arrival.mid if order.arrival else None, _PRICE),
        cost_bps=_rounded(cost, _HUNDREDTH),
        cost_half_spreads=_rounded(cost / half if cost is not None and half else None, _HUNDREDTH),
        moves=order.moves,
        children=len(order.children),
        outcome=order.outcome,
        reason=order.reason,
        note=order.note,
        seconds_to_fill=_rounded(seconds_to_fill(order, executions), _HUNDREDTH),
        spread_captured=_rounded(spread_captured(order, executions, quotes), _HUNDREDTH),
        last_mid=_rounded(last_mid(book), _PRICE),
        unfilled_cost=_rounded(unfilled_cost(order, book), _HUNDREDTH),
        unfilled_cost_bps=_rounded(_unfilled_bps(order, book), _HUNDREDTH),
    )


def _totals(
    settings: Settings,
    orders: Sequence[ParentOrder],
    executions: Sequence[Execution],
    books: Mapping[str, Quote],
    turns: int,
) -> Totals:
    paid = market = notional = Decimal(0)
    for order in orders:
        fills = _of(order, executions)
        at_arrival = market_cost_bps(order, settings.for_symbol(order.symbol).crossing_cost)
        cost = cost_bps(order, fills)
        if cost is None or at_arrival is None:
            continue
        dollars = sum((fill.qty * fill.price for fill in fills), Decimal(0))
        notional += dollars
        paid += cost * dollars
        market += at_arrival * dollars
    return Totals(
        orders=sum(order.outcome is not Outcome.NO_TRADE for order in orders),
        orders_filled=sum(order.outcome is Outcome.FILLED for order in orders),
        filled_notional=_rounded(notional, _HUNDREDTH),
        cost_bps=_rounded(paid / notional if notional else None, _HUNDREDTH),
        market_cost_bps=_rounded(market / notional if notional else None, _HUNDREDTH),
        executions=len(executions),
        unfilled_cost=_rounded(_sum([unfilled_cost(o, books.get(o.symbol)) for o in orders]), _HUNDREDTH),
        turns=turns,
        crossing_cost=settings.crossing_cost,
    )


def _of(order: ParentOrder, executions: Sequence[Execution]) -> list[Execution]:
    return [e for e in executions if e.symbol == order.symbol and e.side is order.side]


def _rounded(value: Decimal | None, step: Decimal) -> Decimal | None:
    return None if value is None else value.quantize(step)
