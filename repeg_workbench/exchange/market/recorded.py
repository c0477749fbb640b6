"""A market from a folder of recordings, with one file of quotes and one of trades per symbol and day."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Final

import numpy as np

from repeg_workbench.exchange.market.recent_days import RecentDays
from repeg_workbench.exchange.market.recorded_columns import Columns, RecordingError, read_columns
from repeg_workbench.exchange.market.symbol_day import Flags, Int8s, Int64s, Letters, Listing, Quotes, SymbolDay, Trades
from repeg_workbench.exchange.time.calendar import new_york

__all__ = ["RecordedMarket", "RecordingError"]

_QUOTE_COLUMNS: Final = ("ts", "bid", "bid_size", "ask", "ask_size")
_QUOTE_EXTRAS: Final = ("bid_venue", "ask_venue")
_TRADE_COLUMNS: Final = ("ts", "price", "size")
_TRADE_EXTRAS: Final = ("side", "venue", "lit")
_PRICE_DECIMALS: Final = 4
_OFF_EXCHANGE: Final = ord("D")
_FILE_NAME: Final = re.compile(
    r"(?P<symbol>[A-Z][A-Z0-9./]*)-(?P<day>\d{4}-\d{2}-\d{2})\.(?P<kind>quotes|trades)\.csv(\.gz)?"
)
_FILE_FORM: Final = "SYMBOL-YYYY-MM-DD.quotes.csv or .trades.csv, plain or .gz"


@dataclass(frozen=True)
class _File:
    symbol: str
    day: date
    kind: str


class RecordedMarket:
    """Every recording in a folder: SYMBOL-YYYY-MM-DD.quotes.csv[.gz] and, where there were prints, .trades.csv[.gz].

    The folder is checked at once, a file when its day is first read. RecordingError names the invalid file, line,
    field and value. Listings default to an ordinary NYSE stock per symbol.
    """

    def __init__(self, folder: Path, listings: Iterable[Listing] = ()) -> None:
        self._files = _files_in(folder)
        self._folder = folder
        self._days = RecentDays(self._read, 2 * len(self.symbols()) + 1)
        recorded = {symbol: Listing(symbol, f"{symbol} as recorded") for symbol in self.symbols()}
        self._listings = recorded | {listing.symbol: listing for listing in listings}

    def symbols(self) -> tuple[str, ...]:
        """Every recorded symbol, sorted."""
        return tuple(sorted({file.symbol for file in self._files}))

    def listing(self, symbol: str) -> Listing | None:
        """The given or default listing."""
        return self._listings.get(symbol)

    def days(self) -> tuple[date, ...]:
        """Every day with a recording."""
        return tuple(sorted({file.day for file in self._files}))

    def has(self, symbol: str, day: date) -> bool:
        """Whether there is a recording of the symbol on that day."""
        return _File(symbol, day, "quotes") in self._files

    def require(self, day: date) -> None:
        """Raise RecordingError if no symbol has a recording of the day."""
        if day not in self.days():
            recorded = ", ".join(map(str, self.days()))
            raise RecordingError(f"{self._folder}: no recording of {day}, expected one of {recorded}")

    def day(self, symbol: str, day: date) -> SymbolDay | None:
        """The symbol's recording of the day, kept while it is recent; None if there is none."""
        return self._days.get(symbol, day)

    def reference_price(self, symbol: str, day: date) -> int | None:
        """The last price of the previous recorded day, or else the day's first quote."""
        earlier = [file.day for file in self._files if file.symbol == symbol and file.day < day]
        before = self.day(symbol, max(earlier)) if earlier else None
        last = before.last_price() if before else None
        today = self.day(symbol, day) if last is None else None
        return today.first_price() if today else last

    def _read(self, symbol: str, day: date) -> SymbolDay | None:
        quotes = self._files.get(_File(symbol, day, "quotes"))
        if quotes is None:
            return None
        trades = self._files.get(_File(symbol, day, "trades"))
        prints = _read_trades(trades, day) if trades else Trades.empty()
        return SymbolDay(symbol, day, _read_quotes(quotes, day), prints)


def _files_in(folder: Path) -> dict[_File, Path]:
    if not folder.is_dir():
        raise RecordingError(f"{folder}: is not a folder, expected one with {_FILE_FORM}")
    files: dict[_File, Path] = {}
    for path in sorted(path for path in folder.iterdir() if path.name.endswith((".csv", ".csv.gz"))):
        file = _named(path)
        if file in files:
            raise RecordingError(f"{path.name}: is a duplicate of {files[file].name}")
        files[file] = path
    _check_pairs(folder, files)
    return files


def _check_pairs(folder: Path, files: dict[_File, Path]) -> None:
    if not files:
        raise RecordingError(f"{folder}: has no recording, expected {_FILE_FORM}")
    for file, path in files.items():
        if file.kind == "trades" and _File(file.symbol, file.day, "quotes") not in files:
            raise RecordingError(f"{path.name}: has no quotes beside it, expected {file.symbol}-{file.day}.quotes.csv")


def _named(path: Path) -> _File:
    name = _FILE_NAME.fullmatch(path.name)
    if name is None:
        raise RecordingError(f"{path.name}: is not named like a recording, expected {_FILE_FORM}")
    try:
        return _File(name["symbol"], date.fromisoformat(name["day"]), name["kind"])
    except ValueError as error:
        raise RecordingError(f"{path.name}: {name['day']} is not a date") from error


def _read_quotes(path: Path, day: date) -> Quotes:
    columns = read_columns(path, _QUOTE_COLUMNS, _QUOTE_EXTRAS)
    if not len(columns):
        raise RecordingError(f"{path.name}: has a header but no quotes, expected at least one row")
    return Quotes(
        ts=_stamps(columns, day),
        bid=_not_negative(columns, "bid", _PRICE_DECIMALS),
        bid_size=_not_negative(columns, "bid_size", 0),
        ask=_not_negative(columns, "ask", _PRICE_DECIMALS),
        ask_size=_not_negative(columns, "ask_size", 0),
        bid_venue=_venues(columns, "bid_venue"),
        ask_venue=_venues(columns, "ask_venue"),
    )


def _read_trades(path: Path, day: date) -> Trades:
    columns = read_columns(path, _TRADE_COLUMNS, _TRADE_EXTRAS)
    prices = _not_negative(columns, "price", _PRICE_DECIMALS)
    columns.refuse(prices == 0, "price", "a price above 0")
    venues = _venues(columns, "venue")
    return Trades(
        ts=_stamps(columns, day),
        price=prices,
        size=_not_negative(columns, "size", 0),
        side=_sides(columns),
        venue=venues,
        lit=_lit(columns, venues),
    )


def _stamps(columns: Columns, day: date) -> Int64s:
    stamps = columns.numbers("ts")
    start, end = new_york(day, "00:00"), new_york(day, "23:59:59.999999999")
    columns.refuse((stamps < start) | (stamps > end), "ts", f"nanoseconds on {day} in New York, {start} to {end}")
    backwards = np.diff(stamps, prepend=stamps[:1]) < 0
    columns.refuse(backwards, "ts", "rows in time order, no earlier than the row before")
    return stamps


def _not_negative(columns: Columns, name: str, decimals: int) -> Int64s:
    numbers = columns.numbers(name, decimals)
    columns.refuse(numbers < 0, name, "0 or more")
    return numbers


def _one_of(columns: Columns, name: str, allowed: tuple[int, ...]) -> Int64s:
    numbers = columns.numbers(name)
    columns.refuse(~np.isin(numbers, allowed), name, f"one of {', '.join(map(str, allowed))}")
    return numbers


def _venues(columns: Columns, name: str) -> Letters:
    return columns.letters(name) if columns.has(name) else np.zeros(len(columns), np.uint8)


def _sides(columns: Columns) -> Int8s:
    sides = _one_of(columns, "side", (-1, 0, 1)) if columns.has("side") else np.zeros(len(columns), np.int64)
    return sides.astype(np.int8)


def _lit(columns: Columns, venues: Letters) -> Flags:
    # Without a lit column, all prints but the off-exchange ones are lit.
    lit: Flags = _one_of(columns, "lit", (0, 1)) == 1 if columns.has("lit") else venues != _OFF_EXCHANGE
    return lit
