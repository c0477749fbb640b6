"""Simulated accounts whose control orders trade with the exchange's own matching, so that the truth is known."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from random import Random  # noqa: TID251 - seeded

from repeg.domain.arm import Arm, drawn
from repeg.domain.broker import Execution
from repeg.domain.child_order import Child, ChildState, Rung
from repeg.domain.control import CONTROL
from repeg.domain.intent import Intent
from repeg.domain.observed import ObservedOrder, Trades, observe
from repeg.domain.outcome import Outcome
from repeg.domain.parent_order import ParentOrder
from repeg.domain.plan import run_id
from repeg.domain.quote import Quote, Side
from repeg.domain.settings import Settings
from repeg_workbench.exchange.market.generated import GeneratedMarket
from repeg_workbench.exchange.market.symbol_day import SymbolDay
from repeg_workbench.exchange.matching.improvement import Improvement
from repeg_workbench.exchange.matching.symbol_book import BookOrder, BookQuote, Fill, FillModel, SymbolBook
from repeg_workbench.exchange.time.calendar import TradingCalendar, nanoseconds
from repeg_workbench.exchange.units import QTY_SCALE, price, qty

DAY = date(2026, 11, 23)
SYMBOLS = ("AAPL", "AIG", "AMZN", "BAC", "GOOG", "IBM", "KO", "MSFT")
SHARE = Decimal("0.5")
LATENCY = 100_000_000
"""Nanoseconds between the quote that an order is sent on and its arrival in the book."""
MOST_SHARES = 20
_MARGIN = timedelta(minutes=10)


@dataclass(frozen=True)
class Pool:
    """The books that all accounts trade in: a generated day of each symbol, between two instants."""

    days: dict[str, SymbolDay]
    opens: datetime
    closes: datetime


def pool(seed: int, symbols: Sequence[str] = SYMBOLS) -> Pool:
    """The day's books."""
    market, session = GeneratedMarket(seed), TradingCalendar().session(DAY)
    if session is None:
        raise ValueError(f"{DAY} is not a trading day")
    found = {symbol: market.day(symbol, DAY) for symbol in symbols}
    days = {symbol: day for symbol, day in found.items() if day is not None}
    return Pool(days, session.open, session.close)


def account(books: Pool, number: int, improvement: int, runs: int) -> Iterator[ObservedOrder]:
    """The control orders of an account's runs, one in each symbol that the lot draws.

    The treated orders have no part in what taking costs, so they are not simulated. `improvement` is the exchange's
    knob, in permille of the half-spread.
    """
    chance, given = Random(f"account {number} at {improvement}"), Improvement(number, improvement)
    for run in range(runs):
        name = run_id(f"a{number}", DAY, run + 1)
        for symbol, day in books.days.items():
            at = chance.randrange(nanoseconds(books.opens + _MARGIN), nanoseconds(books.closes - _MARGIN))
            side, shares = chance.choice(list(Side)), chance.randint(1, MOST_SHARES)
            if drawn(name, symbol, SHARE) is Arm.CONTROL:
                yield from _order(
                    name, symbol, side, shares, at, SymbolBook(day, FillModel.QUEUE, improvement=given), books
                )


def _order(
    run: str, symbol: str, side: Side, shares: int, at: int, book: SymbolBook, books: Pool
) -> Iterator[ObservedOrder]:
    """One control order, sent on the quote of that time, if its displayed size allows it."""
    shown = book.quote(at, include_ours=False)
    if shown is None or not 0 < shown.bid < shown.ask:
        return
    if (shown.ask_size if side is Side.BUY else shown.bid_size) < shares:
        return
    name = f"{run}.{symbol}"
    fills = book.enter(BookOrder(name, side.sign, None, shares * QTY_SCALE), at + LATENCY)
    yield _measured(run, symbol, side, _quote(symbol, shown, at), fills, books)


def _measured(run: str, symbol: str, side: Side, quote: Quote, fills: Sequence[Fill], books: Pool) -> ObservedOrder:
    """What `repeg savings` measures of it: the same rule on the same records as after a run."""
    name, decided = f"{run}.{symbol}", quote.at or books.opens
    executions = tuple(
        Execution(
            activity_id=f"{name}.{n}", broker_order_id=name, symbol=symbol, side=side, qty=qty(fill.quantity),
            price=price(fill.price), at=_instant(fill.at),
        )
        for n, fill in enumerate(fills)
    )  # fmt: skip
    done = sum((each.qty for each in executions), Decimal(0))
    child = Child(
        n=1, client_order_id=name, qty=done, limit=None, rung=Rung.MARKET, state=ChildState.FILLED, decided_at=decided,
        broker_id=name, filled=done, is_control=True,
    )  # fmt: skip
    intent = Intent(
        client_order_id=name, symbol=symbol, side=side, n=1, qty=done, limit=None, notional=Decimal(0),
        rung=Rung.MARKET, reason=CONTROL, quote=quote, decided_at=decided,
    )  # fmt: skip
    order = ParentOrder(
        run_id=run, symbol=symbol, side=side, target=done, reference_price=quote.mid, arrival=quote, arm=Arm.CONTROL,
        outcome=Outcome.FILLED, children=(child,),
    )  # fmt: skip
    trades = Trades(executions=executions, intents=(intent,), opens=books.opens, closes=books.closes)
    return observe(order, trades, quote, Settings(control_share=SHARE))


def _quote(symbol: str, shown: BookQuote, at: int) -> Quote:
    return Quote(
        symbol=symbol, bid=price(shown.bid), bid_size=Decimal(shown.bid_size), ask=price(shown.ask),
        ask_size=Decimal(shown.ask_size), at=_instant(at),
    )  # fmt: skip


def _instant(at: int) -> datetime:
    return datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=at // 1_000)
