"""A market generated from a seed: any trading day of a universe of stocks, the same on every machine."""

from collections.abc import Sequence
from datetime import date
from typing import Final

from repeg_workbench.exchange.market.generated_day import DayMaker
from repeg_workbench.exchange.market.generated_dice import Dice
from repeg_workbench.exchange.market.generated_moves import PERMILLE, opening_price
from repeg_workbench.exchange.market.generated_regimes import DEFAULT_UNIVERSE, Instrument, universe
from repeg_workbench.exchange.market.symbol_day import Listing, SymbolDay
from repeg_workbench.exchange.time.calendar import TradingCalendar

__all__ = ["DEFAULT_ACTIVITY", "DEFAULT_UNIVERSE", "GeneratedMarket", "Instrument", "universe"]

DEFAULT_ACTIVITY: Final = 0.5
"""The rate of updates as a fraction of the measured rates."""

_OVERNIGHT: Final = 250
"""The previous close lies within 1/250 of the open."""


class GeneratedMarket:
    """Every trading day of every instrument, each a function of seed, symbol and day alone.

    activity scales the number of updates, but not the price range: 1.0 is as measured, lower is faster to generate.
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
        self._days: dict[tuple[str, date], SymbolDay | None] = {}

    def symbols(self) -> tuple[str, ...]:
        """The universe's symbols in order."""
        return tuple(self._instruments)

    def listing(self, symbol: str) -> Listing | None:
        """The symbol's listing."""
        instrument = self._instruments.get(symbol)
        return instrument.listing if instrument else None

    def days(self) -> None:
        """None: every trading day is available."""

    def day(self, symbol: str, day: date) -> SymbolDay | None:
        """The symbol's day, generated once; None for an unknown symbol or a day without a session."""
        if (symbol, day) not in self._days:
            self._days[symbol, day] = self._make(symbol, day)
        return self._days[symbol, day]

    def reference_price(self, symbol: str, day: date) -> int | None:
        """The previous close, near the day's open."""
        instrument = self._instruments.get(symbol)
        if instrument is None:
            return None
        opening = opening_price(self._seed, instrument, day)
        room = opening // _OVERNIGHT
        return opening - room + Dice(self._seed, symbol, day, "overnight").below(2 * room + 1)

    def _make(self, symbol: str, day: date) -> SymbolDay | None:
        instrument, session = self._instruments.get(symbol), self._calendar.session(day)
        if instrument is None or session is None:
            return None
        return DayMaker(instrument, session, self._seed, self._activity).make()
