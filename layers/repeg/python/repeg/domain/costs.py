"""What a run cost, order by order, from its executions, its arrival quotes and the books that were seen."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal

from repeg.domain.amount import counted, total
from repeg.domain.arrival_cost import (
    cost_bps,
    half_spread_bps,
    last_mid,
    market_cost_bps,
    seconds_to_fill,
    spread_captured,
    unfilled_bps,
    unfilled_cost,
    vwap,
)
from repeg.domain.books import Books
from repeg.domain.broker import Execution
from repeg.domain.fees import fees_on
from repeg.domain.frozen import Frozen
from repeg.domain.market_cost import market_costs
from repeg.domain.markouts import NOT_YET, Instant, just_before, markouts
from repeg.domain.outcome import Outcome
from repeg.domain.parent_order import ParentOrder
from repeg.domain.quote import Quote
from repeg.domain.report import OrderRow, Report, RunCosts, Totals
from repeg.domain.run import Run
from repeg.domain.settings import Settings
from repeg.domain.shortfall import Shortfall, seen_books, shortfall_of, summed
from repeg.domain.usage import Usage

_HUNDREDTH = Decimal("0.01")
_PRICE = Decimal("0.000001")

NO_DECISION = "no book with a mid was seen while the run could trade"
NOT_TRADED = "not traded"
_NAMED = 5


class Settlement(Frozen):
    """How a run ended: settled or failed, with the error's name and the reason in words; and what it has used."""

    outcome: str
    error: str
    reason: str
    turns: int
    usage: Usage | None = None


class MarketRecord(Frozen):
    """What is known of the market: the last quotes of the run, at whose mids unfilled shares are valued, and the books
    that were read afterwards, by symbol and time; None for one that the feed does not have.

    `feed` is whose books these are, empty while none were read; `unread` is why others were not read.
    """

    last: Mapping[str, Quote] = {}
    books: Mapping[Instant, Quote | None] = {}
    feed: str = ""
    unread: str = NOT_YET


NOTHING_KNOWN = MarketRecord()


def analyse(run: Run, books: Books, settlement: Settlement, market: MarketRecord = NOTHING_KNOWN) -> Report:
    """The report of a run. Costs are positive where we paid: above the arrival mid for a buy, below it for a sell."""
    rows = [_row(run, order, books, market) for order in books.orders]
    return Report(
        run_id=run.run_id,
        outcome=settlement.outcome,
        error=settlement.error,
        reason=settlement.reason,
        trading_date=run.trading_day.day.isoformat(),
        preview=run.preview,
        orders=tuple(rows),
        totals=_totals(run.settings, books.orders, books.executions, market.last, settlement.turns),
        notes=run.plan.notes,
        feed=run.settings.data_feed or "",
        costs=None if run.preview else _run_costs(run, rows, books.executions, market),
        usage=settlement.usage,
    )


def _row(run: Run, order: ParentOrder, books: Books, market: MarketRecord) -> OrderRow:
    executions, book = _of(order, books.executions), market.last.get(order.symbol)
    cost, half = cost_bps(order, executions), half_spread_bps(order)
    quotes = {intent.client_order_id: intent.quote for intent in books.intents}
    is_costed = order.outcome not in {Outcome.NO_TRADE, Outcome.PREVIEW}
    shortfall = _shortfall(order, executions, books, market) if is_costed else None
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
        unfilled_cost_bps=_rounded(unfilled_bps(order, book), _HUNDREDTH),
        shortfall=shortfall,
        uncosted="" if shortfall is not None else NO_DECISION if is_costed else NOT_TRADED,
        markouts=markouts(executions, run.trading_day, market.books, market.unread),
    )


def _shortfall(
    order: ParentOrder, executions: Sequence[Execution], books: Books, market: MarketRecord
) -> Shortfall | None:
    read = {e.activity_id: market.books.get((e.symbol, just_before(e))) for e in executions}
    measured = {key: book for key, book in read.items() if book is not None}
    seen = seen_books(order, executions, books.intents, measured, market.last.get(order.symbol))
    return shortfall_of(order, executions, seen)


def _run_costs(run: Run, rows: Sequence[OrderRow], executions: Sequence[Execution], market: MarketRecord) -> RunCosts:
    costed = [(row.qty, row.shortfall) for row in rows if row.shortfall is not None]
    return RunCosts(
        shortfall=summed([found for _, found in costed]),
        missing="; ".join(_missing(rows, executions, market)),
        market=market_costs(costed),
        fees=fees_on(run.trading_day.day, executions),
        markouts=markouts(executions, run.trading_day, market.books, market.unread),
        books=market.feed,
    )


def _missing(rows: Sequence[OrderRow], executions: Sequence[Execution], market: MarketRecord) -> Iterator[str]:
    """What is not in a run's costs, or not as it should be, in words."""
    without = [row.symbol for row in rows if row.uncosted == NO_DECISION]
    if without:
        named = ", ".join(without[:_NAMED]) + (", …" if len(without) > _NAMED else "")
        yield f"{counted(len(without), 'order')} without a decision price: {named}"
    incomplete = sum(row.shortfall is not None and bool(row.shortfall.missing) for row in rows)
    if incomplete:
        yield f"{counted(incomplete, 'order')} with a shortfall that is not known in full"
    unread = sum((fill.symbol, just_before(fill)) not in market.books for fill in executions)
    if market.feed and unread:
        yield f"{counted(unread, 'fill')} by the book that the order was sent on"


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
        unfilled_cost=_rounded(total(unfilled_cost(o, books.get(o.symbol)) for o in orders), _HUNDREDTH),
        turns=turns,
        crossing_cost=settings.crossing_cost,
    )


def _of(order: ParentOrder, executions: Sequence[Execution]) -> list[Execution]:
    return [e for e in executions if e.symbol == order.symbol and e.side is order.side]


def _rounded(value: Decimal | None, step: Decimal) -> Decimal | None:
    return None if value is None else value.quantize(step)
