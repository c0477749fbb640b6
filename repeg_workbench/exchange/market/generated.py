"""A market generated from a seed: any trading day of any listed stock, the same on every machine."""

from collections.abc import Sequence
from datetime import date, datetime, time
from functools import lru_cache
from typing import Final

from repeg_workbench.exchange.market.generated_day import DayMaker
from repeg_workbench.exchange.market.generated_flow import PERMILLE
from repeg_workbench.exchange.market.generated_regimes import Instrument
from repeg_workbench.exchange.market.generated_universe import (
    DEFAULT_UNIVERSE,
    drawn_instrument,
    is_listed,
    universe,
)
from repeg_workbench.exchange.market.recent_days import RecentDays
from repeg_workbench.exchange.market.symbol_day import Listing, SymbolDay
from repeg_workbench.exchange.time.calendar import NEW_YORK, TradingCalendar

__all__ = ["DEFAULT_ACTIVITY", "DEFAULT_UNIVERSE", "GeneratedMarket", "Instrument", "universe"]

DEFAULT_ACTIVITY: Final = 0.5
"""The rate of updates as a fraction of the measured rates."""

_DRAWN_DAYS: Final = 256
"""Days kept in memory for tickers outside the named instruments."""

_CLOSES: Final = 4_096
"""Closing prices kept in memory, as a day takes much longer to generate."""


class GeneratedMarket:
    """Every trading day of every listed ticker, each a function of seed, symbol and day alone.

    The named instruments are as given. Any other ticker of one to five capital letters, perhaps with a class (`.B`), is
    an ordinary stock whose exchange, regime and price are drawn from the seed; no ticker that begins with ZZ is listed.
    activity thins the updates of sizes and leaves the prices and the trades: 1.0 is as measured, lower is faster.
    """

    def __init__(
        self,
        seed: int,
        instruments: Sequence[Instrument] = DEFAULT_UNIVERSE,
        activity: float = DEFAULT_ACTIVITY,
        calendar: TradingCalendar | None = None,
    ) -> None:
        if not activity > 0:
            raise ValueError(f"activity {activity} is not above 0")
        self._seed, self._activity = seed, max(1, round(activity * PERMILLE))
        self._instruments = {instrument.listing.symbol: instrument for instrument in instruments}
        self._calendar = calendar or TradingCalendar()
        self._close = lru_cache(_CLOSES)(self._last_price)
        self._days = RecentDays(self._make, 2 * len(self._instruments) + _DRAWN_DAYS)

    def symbols(self) -> tuple[str, ...]:
        """The named instruments' symbols in order."""
        return tuple(self._instruments)

    def listing(self, symbol: str) -> Listing | None:
        """The symbol's listing."""
        instrument = self._instrument(symbol)
        return instrument.listing if instrument else None

    def days(self) -> None:
        """None: every trading day is available."""

    def day(self, symbol: str, day: date) -> SymbolDay | None:
        """The symbol's day; None for an unlisted symbol or a day without a session."""
        return self._days.get(symbol, day)

    def reference_price(self, symbol: str, day: date) -> int | None:
        """The previous trading day's last price."""
        if self._instrument(symbol) is None:
            return None
        return self._close(symbol, self._calendar.previous_session(datetime.combine(day, time(), NEW_YORK)).day)

    def _instrument(self, symbol: str) -> Instrument | None:
        named = self._instruments.get(symbol)
        return named or (drawn_instrument(self._seed, symbol) if is_listed(symbol) else None)

    def _last_price(self, symbol: str, day: date) -> int | None:
        found = self.day(symbol, day)
        return found.last_price() if found else None

    def _make(self, symbol: str, day: date) -> SymbolDay | None:
        instrument, session = self._instrument(symbol), self._calendar.session(day)
        if instrument is None or session is None:
            return None
        return DayMaker(instrument, session, self._seed, self._activity).make()
