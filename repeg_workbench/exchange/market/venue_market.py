"""A market as one venue's own feed shows it."""

from datetime import date
from typing import Final

from repeg_workbench.exchange.market.recent_days import RecentDays
from repeg_workbench.exchange.market.symbol_day import Listing, Market, SymbolDay
from repeg_workbench.exchange.market.venue_view import VOLUME, presence_of, venue_view

_MORE_DAYS: Final = 64
"""Days kept in memory beyond two of each listed symbol."""


class VenueMarket:
    """The same listings and days as a market, with the quotes and prints of one venue.

    `at_best` is the share of the day at the national best on both sides, and `volume` that of the shares traded, both
    permille; without `at_best` it is by the stock's usual spread.
    """

    def __init__(self, market: Market, seed: int, at_best: int | None = None, volume: int = VOLUME) -> None:
        self._market, self._seed, self._at_best, self._volume = market, seed, at_best, volume
        self._days = RecentDays(self._make, 2 * len(market.symbols()) + _MORE_DAYS)

    def symbols(self) -> tuple[str, ...]:
        """The market's symbols."""
        return self._market.symbols()

    def listing(self, symbol: str) -> Listing | None:
        """The market's listing."""
        return self._market.listing(symbol)

    def days(self) -> tuple[date, ...] | None:
        """The market's days."""
        return self._market.days()

    def day(self, symbol: str, day: date) -> SymbolDay | None:
        """The venue's quotes and prints on the day; None if the market has none."""
        return self._days.get(symbol, day)

    def reference_price(self, symbol: str, day: date) -> int | None:
        """The market's reference price: closes are consolidated."""
        return self._market.reference_price(symbol, day)

    def _make(self, symbol: str, day: date) -> SymbolDay | None:
        found = self._market.day(symbol, day)
        return None if found is None else venue_view(found, presence_of(found, self._at_best, self._volume), self._seed)
