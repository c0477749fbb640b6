"""Measures how many quote rows per second the matching engine processes on one core, with one order in the book."""

import sys
import tempfile
from collections.abc import Callable, Iterator
from datetime import date
from functools import partial
from pathlib import Path
from time import process_time

from repeg_workbench.exchange.market.generated import GeneratedMarket
from repeg_workbench.exchange.market.recorded import RecordedMarket
from repeg_workbench.exchange.market.symbol_day import Quotes, SymbolDay, Trades
from repeg_workbench.exchange.matching.symbol_book import BookOrder, FillModel, SymbolBook
from repeg_workbench.exchange.time.calendar import NANOSECONDS
from repeg_workbench.exchange.units import QTY_SCALE, price

DAY = date(2025, 6, 3)
ROUNDS = 5
TURN = 30 * NANOSECONDS
TARGET_PER_SECOND = 1_000_000
"""Rows per second of CPU time, so that other load on the machine does not count."""


def main(folder: Path | None = None) -> None:
    """Time the recordings in the folder, or a generated one."""
    with tempfile.TemporaryDirectory() as made:
        market = RecordedMarket(folder or _recording(Path(made)))
        for symbol in market.symbols():
            for day in market.days():
                _time_recording(market, symbol, day)


def _time_recording(market: RecordedMarket, symbol: str, day: date) -> None:
    started = process_time()
    tape = market.day(symbol, day)
    if tape is None:
        return
    _line(f"{symbol} {day} read", len(tape.quotes) + len(tape.trades), process_time() - started, "rows")
    aim = f"   target {TARGET_PER_SECOND:,}"
    for model in FillModel:
        _say(f"{symbol} {day} {model}, re-pegged twice a minute", tape, partial(_peg, model=model), aim)
    _say(f"{symbol} {day} queue, advanced every second", tape, partial(_peg, every=NANOSECONDS))
    _say(f"{symbol} {day} queue, one order all day", tape, _hold)
    _say(f"{symbol} {day} queue, worst case: no row to skip", tape, _swallow)


def _peg(day: SymbolDay, model: FillModel = FillModel.QUEUE, every: int = TURN) -> None:
    """Place an order at the bid each turn, and advance the book in steps of `every`."""
    book = SymbolBook(day, model)
    for number, start in enumerate(range(int(day.quotes.ts[0]), int(day.quotes.ts[-1]), TURN)):
        shown = book.quote(start, include_ours=False)
        if shown is None or not shown.bid:
            continue
        order = BookOrder(str(number), 1, shown.bid, 100 * QTY_SCALE)
        book.enter(order, start)
        for look in range(start + every, start + TURN, every):
            book.advance(look)
        book.remove(order.id, start + TURN - 1)


def _hold(day: SymbolDay) -> None:
    """Keep an order below the market all day."""
    book = SymbolBook(day)
    book.enter(BookOrder("ours", 1, int(day.trades.price.min()) - 1, 100 * QTY_SCALE), int(day.quotes.ts[0]))
    book.advance(int(day.quotes.ts[-1]))


def _swallow(day: SymbolDay) -> None:
    """Keep an order for more than the day's volume, at a price that every quote and print reaches."""
    book, start = SymbolBook(day), int(day.quotes.ts[0])
    whole_day = int(day.quotes.ask_size.sum() + day.trades.size.sum())
    book.enter(BookOrder("ours", 1, int(day.quotes.ask.max()), whole_day * QTY_SCALE), start - 1)
    book.advance(int(day.quotes.ts[-1]))


def _fresh(day: SymbolDay) -> SymbolDay:
    """The same arrays in a new, unprepared day, so that its preparation is timed too."""
    return SymbolDay(day.symbol, day.day, day.quotes, day.trades, day.halts)


def _recording(folder: Path) -> Path:
    day = GeneratedMarket(1, activity=1.0).day("IBM", DAY)
    if day is None:
        raise LookupError(f"IBM has no session on {DAY}")
    _write(
        folder / f"IBM-{DAY}.quotes.csv", "ts,bid,bid_size,ask,ask_size,bid_venue,ask_venue", _quote_lines(day.quotes)
    )
    _write(folder / f"IBM-{DAY}.trades.csv", "ts,price,size,side,venue,lit", _trade_lines(day.trades))
    return folder


def _quote_lines(quotes: Quotes) -> Iterator[str]:
    sizes = zip(quotes.bid_size.tolist(), quotes.ask_size.tolist(), strict=True)
    venues = zip(bytes(quotes.bid_venue).decode(), bytes(quotes.ask_venue).decode(), strict=True)
    prices = zip(quotes.ts.tolist(), quotes.bid.tolist(), quotes.ask.tolist(), strict=True)
    for (ts, bid, ask), (bid_size, ask_size), letters in zip(prices, sizes, venues, strict=True):
        yield f"{ts},{price(bid)},{bid_size},{price(ask)},{ask_size},{','.join(letters)}"


def _trade_lines(trades: Trades) -> Iterator[str]:
    numbers = zip(trades.ts.tolist(), trades.price.tolist(), trades.size.tolist(), trades.side.tolist(), strict=True)
    for (ts, units, size, side), venue, lit in zip(numbers, bytes(trades.venue).decode(), trades.lit, strict=True):
        yield f"{ts},{price(units)},{size},{side},{venue},{int(lit)}"


def _write(path: Path, header: str, lines: Iterator[str]) -> None:
    path.write_text("\n".join([header, *lines, ""]))


def _say(what: str, day: SymbolDay, work: Callable[[SymbolDay], None], aim: str = "") -> None:
    _line(what, len(day.quotes), min(_seconds(day, work) for _ in range(ROUNDS)), "quote rows", aim)


def _seconds(day: SymbolDay, work: Callable[[SymbolDay], None]) -> float:
    fresh, started = _fresh(day), process_time()
    work(fresh)
    return process_time() - started


def _line(what: str, rows: int, seconds: float, unit: str, aim: str = "") -> None:
    took = f"{rows:>8,} {unit} in {seconds * 1_000:7.1f} ms {rows / seconds:>12,.0f} per second"
    sys.stdout.write(f"{what:<54} {took}{aim}\n")


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else None)
