"""Small random tapes and order traffic for the matching properties; few prices, so that orders often trade."""

from dataclasses import dataclass
from datetime import date

import numpy as np
from hypothesis import strategies as st

from repeg_workbench.exchange.market.symbol_day import Quotes, Spans, SymbolDay, Trades
from repeg_workbench.exchange.matching.symbol_book import BookOrder

DAY = date(2025, 6, 3)
MIDDLE = 100_000
TICK = 100
SHARE = 1_000_000_000
END = 10_000


@dataclass(frozen=True)
class Action:
    """One action at a time: enter an order, or remove order number `number`."""

    at: int
    order: tuple[int, int | None, int] | None
    number: int

    def new_order(self) -> BookOrder:
        assert self.order is not None
        side, limit, remaining = self.order
        return BookOrder(f"order-{self.number}", side, limit, remaining)


def quotes(rows: list[tuple[int, int, int, int, int, int, int]]) -> Quotes:
    """Rows of ts, bid, bid size, ask, ask size, bid venue, ask venue."""
    columns = np.array(rows, np.int64).reshape(-1, 7).T
    return Quotes(*columns[:5], *columns[5:].astype(np.uint8))


def trades(rows: list[tuple[int, int, int, int, int, bool]]) -> Trades:
    """Rows of ts, price, size, side, venue, lit."""
    columns = np.array(rows, np.int64).reshape(-1, 6).T
    ts, price, size, side, venue, lit = columns
    return Trades(ts, price, size, side.astype(np.int8), venue.astype(np.uint8), lit.astype(np.bool_))


def tape(quote_rows: Quotes, trade_rows: Trades, halts: Spans = ()) -> SymbolDay:
    """A day of the symbol XYZ."""
    return SymbolDay("XYZ", DAY, quote_rows, trade_rows, halts)


_ticks = st.integers(-3, 3).map(lambda ticks: MIDDLE + ticks * TICK)
_sizes = st.integers(0, 6)
_venues = st.sampled_from([ord("N"), ord("N"), ord("T"), 0])
_times = st.integers(0, 60)
_sides = st.sampled_from([1, -1])
_quantities = st.sampled_from([SHARE, 2 * SHARE, 7 * SHARE, SHARE // 2, 3 * SHARE + 1, 40 * SHARE])


@st.composite
def _quote_rows(draw: st.DrawFn) -> tuple[int, int, int, int, int, int, int]:
    bid, spread = draw(_ticks), draw(st.sampled_from([1, 1, 1, 2, 3, 5, 0, -1])) * TICK
    missing = draw(st.sampled_from(["none"] * 8 + ["bid", "ask"]))
    shown_bid, shown_ask = 0 if missing == "bid" else bid, 0 if missing == "ask" else bid + spread
    return draw(_times), shown_bid, draw(_sizes), shown_ask, draw(_sizes), draw(_venues), draw(_venues)


_trade_rows = st.tuples(
    _times, _ticks, st.integers(1, 8), st.sampled_from([1, -1, 0]), _venues, st.sampled_from([True, True, True, False])
)
_halts = st.sampled_from([(), (), ((20, 30),), ((10, 25), (40, 41))])


@st.composite
def tapes(draw: st.DrawFn) -> SymbolDay:
    """A day of up to sixty nanoseconds with many equal timestamps, locked, crossed and one-sided quotes, and halts."""
    quote_rows = sorted(draw(st.lists(_quote_rows(), max_size=25)), key=lambda row: row[0])
    trade_rows = sorted(draw(st.lists(_trade_rows, max_size=25)), key=lambda row: row[0])
    return tape(quotes(quote_rows), trades(trade_rows), draw(_halts))


_limits = st.one_of(st.none(), _ticks, _ticks, _ticks, _ticks)


@st.composite
def traffic(draw: st.DrawFn) -> list[Action]:
    """Orders entered and removed at random times, in time order."""
    entries = draw(st.lists(st.tuples(_times, _sides, _limits, _quantities), min_size=1, max_size=6))
    actions = []
    for number, (at, side, limit, remaining) in enumerate(sorted(entries, key=lambda entry: entry[0])):
        actions.append(Action(at, (side, limit, remaining), number))
        if draw(st.booleans()):
            actions.append(Action(at + draw(st.integers(0, 30)), None, number))
    return sorted(actions, key=lambda action: action.at)


def long_tape(seed: int, rows: int = 1_500) -> SymbolDay:
    """A long day with queues at few prices, brief locks and gaps, and prints at and through the quote."""
    chance = np.random.Generator(np.random.PCG64(seed))
    times, print_times = (np.sort(chance.integers(0, 4 * rows, rows)) for _ in range(2))
    bid = MIDDLE + chance.integers(-2, 3, rows // 10 + 1).repeat(10)[:rows] * TICK
    ask = bid + chance.choice([0, 1, 1, 1, 2, 4], rows // 5 + 1).repeat(5)[:rows] * TICK
    bid, ask = np.where(chance.random(rows) < 0.02, 0, bid), np.where(chance.random(rows) < 0.02, 0, ask)
    sizes, venues = chance.integers(0, 12, (2, rows)), chance.choice([78, 78, 84, 0], (2, rows // 8 + 1)).repeat(8, 1)
    book = Quotes(times, bid, sizes[0], ask, sizes[1], *venues[:, :rows].astype(np.uint8))
    side = chance.choice([1, -1, 0], rows).astype(np.int8)
    price = MIDDLE + chance.integers(-3, 5, rows) * TICK // (1 + (chance.random(rows) < 0.1))
    lit, venue = chance.random(rows) < 0.8, chance.choice([78, 84, 84, 84, 0], rows).astype(np.uint8)
    return tape(book, Trades(print_times, price, chance.integers(1, 6, rows), side, venue, lit), ((900, 960),))


def long_traffic(seed: int, orders: int = 60, until: int = 6_000) -> list[Action]:
    """Orders all day, mostly near the quote; half of them are removed later."""
    chance = np.random.Generator(np.random.PCG64([seed, 1]))
    actions = []
    for number, at in enumerate(np.sort(chance.integers(0, until, orders)).tolist()):
        limit = None if chance.random() < 0.05 else MIDDLE + int(chance.integers(-3, 4)) * TICK
        remaining = int(chance.integers(1, 40)) * SHARE // int(chance.integers(1, 4))
        actions.append(Action(at, (1 if chance.random() < 0.5 else -1, limit, remaining), number))
        if chance.random() < 0.5:
            actions.append(Action(at + int(chance.integers(0, 900)), None, number))
    return sorted(actions, key=lambda action: action.at)


moments = st.lists(_times, max_size=8).map(sorted)


def mirrored(day: SymbolDay) -> SymbolDay:
    """The same day with prices mirrored at the middle, and bids and asks, buyers and sellers swapped."""
    book, prints = day.quotes, day.trades
    reflected = Quotes(
        book.ts,
        _reflect(book.ask),
        book.ask_size,
        _reflect(book.bid),
        book.bid_size,
        book.ask_venue,
        book.bid_venue,
    )
    flipped = Trades(prints.ts, 2 * MIDDLE - prints.price, prints.size, -prints.side, prints.venue, prints.lit)
    return tape(reflected, flipped, day.halts)


def _reflect(prices: np.ndarray) -> np.ndarray:
    return np.where(prices > 0, 2 * MIDDLE - prices, 0)
