"""Bars of any timeframe, aggregated from a day's minutes."""

import re
from collections.abc import Callable
from dataclasses import dataclass, fields
from datetime import date, time, timedelta
from typing import Any, Final, Self

import numpy as np

from repeg_workbench.exchange.market.symbol_day import Int64s, SymbolDay, Trades
from repeg_workbench.exchange.refusal import Refusal
from repeg_workbench.exchange.time.stamps import MINUTE, at_local, local_day, utc
from repeg_workbench.exchange.units import PRICE_SCALE

_HOUR: Final = 60 * MINUTE
_FORM: Final = re.compile(r"(\d{1,2})(Min|T|Hour|H|Day|D|Week|W|Month|M)", re.ASCII)
_UNITS: Final = {"T": "Min", "H": "Hour", "D": "Day", "W": "Week", "M": "Month"}
_COUNTS: Final = {
    "Min": range(1, 60),
    "Hour": range(1, 24),
    "Day": range(1, 2),
    "Week": range(1, 2),
    "Month": (1, 2, 3, 4, 6, 12),
}


@dataclass(frozen=True, eq=False)
class Bars:
    """Bars in time order: start (ns), prices in price units, shares, prints, and the sum of price times shares."""

    ts: Int64s
    open: Int64s
    high: Int64s
    low: Int64s
    close: Int64s
    volume: Int64s
    count: Int64s
    value: Int64s

    def __len__(self) -> int:
        return len(self.ts)

    def grouped(self, starts: Int64s) -> Self:
        """One bar for each run of equal starts."""
        if not len(self):
            return self
        first = np.flatnonzero(np.diff(starts, prepend=starts[:1] - 1))
        last = np.append(first[1:], len(self)) - 1
        return type(self)(
            ts=starts[first],
            open=self.open[first],
            high=np.maximum.reduceat(self.high, first),
            low=np.minimum.reduceat(self.low, first),
            close=self.close[last],
            volume=np.add.reduceat(self.volume, first),
            count=np.add.reduceat(self.count, first),
            value=np.add.reduceat(self.value, first),
        )

    def before(self, at: int) -> Self:
        """The bars that start before an instant (ns)."""
        count = int(self.ts.searchsorted(at))
        return type(self)(*(getattr(self, field.name)[:count] for field in fields(self)))

    def view(self, row: int) -> dict[str, Any]:
        """One bar as JSON."""
        volume = self.volume.item(row)
        return {
            "t": utc(self.ts.item(row)),
            "o": self.open.item(row) / PRICE_SCALE,
            "h": self.high.item(row) / PRICE_SCALE,
            "l": self.low.item(row) / PRICE_SCALE,
            "c": self.close.item(row) / PRICE_SCALE,
            "v": volume,
            "n": self.count.item(row),
            "vw": round(self.value.item(row) / volume / PRICE_SCALE, 6) if volume else 0,
        }

    @classmethod
    def joined(cls, parts: list["Bars"]) -> "Bars":
        """Several tables of bars, one after the other."""
        return Bars(*(np.concatenate([getattr(part, field.name) for part in parts]) for field in fields(cls)))


@dataclass(frozen=True)
class Timeframe:
    """The length of a bar: a number of minutes, hours, days, weeks or months."""

    count: int
    unit: str

    @property
    def is_intraday(self) -> bool:
        """Whether a day has several bars."""
        return self.unit in {"Min", "Hour"}

    def first_day(self, day: date) -> date:
        """The first calendar day of the bar that includes this day."""
        if self.unit == "Week":
            return day - timedelta(days=day.weekday())
        if self.unit == "Month":
            return date(day.year, (day.month - 1) // self.count * self.count + 1, 1)
        return day

    def bars(self, minutes: Bars) -> Bars:
        """The bars of the minutes of one or more days; they start at multiples of their length since midnight."""
        if not len(minutes):
            return minutes
        midnight = at_local(self.first_day(local_day(minutes.ts.item(0))), time())
        if not self.is_intraday:
            return minutes.grouped(np.full(len(minutes), midnight))
        length = self.count * (MINUTE if self.unit == "Min" else _HOUR)
        return minutes.grouped(midnight + (minutes.ts - midnight) // length * length)


def read_timeframe(text: str | None) -> Timeframe:
    """A timeframe such as 1Min, 15T, 1Hour, 1Day, 1Week or 3Month. Raises Refusal."""
    found = _FORM.fullmatch(text or "")
    if found is None:
        raise Refusal.data(f"invalid timeframe: {text}" if text else "timeframe is required")
    count, unit = int(found[1]), _UNITS.get(found[2], found[2])
    if count not in _COUNTS[unit]:
        raise Refusal.data(f"invalid timeframe: {text}")
    return Timeframe(count, unit)


def minute_bars(day: SymbolDay | None) -> Bars:
    """The bars of the minutes that have prints."""
    trades = day.trades if day else Trades.empty()
    prints = Bars(
        ts=trades.ts,
        open=trades.price,
        high=trades.price,
        low=trades.price,
        close=trades.price,
        volume=trades.size,
        count=np.ones(len(trades), np.int64),
        value=trades.price * trades.size,
    )
    return prints.grouped(trades.ts // MINUTE * MINUTE)


class MinuteBars:
    """The minutes of recent days, kept because a day takes much longer to generate than to read."""

    def __init__(self, day: Callable[[str, date], SymbolDay | None], most: int = 2_048) -> None:
        self._day, self._most = day, most
        self._known: dict[tuple[str, date], Bars] = {}

    def has(self, symbol: str, day: date) -> bool:
        """Whether the day's minutes are known."""
        return (symbol, day) in self._known

    def of(self, symbol: str, day: date) -> Bars:
        """The whole day's minutes."""
        key = symbol, day
        if key not in self._known:
            if len(self._known) >= self._most:
                self._known.pop(next(iter(self._known)))
            self._known[key] = minute_bars(self._day(symbol, day))
        return self._known[key]
