"""The parts of the exchange that the API's calls work on."""

from collections.abc import Callable
from dataclasses import dataclass

from repeg_workbench.exchange.broker.account import Account
from repeg_workbench.exchange.broker.desk import Desk
from repeg_workbench.exchange.broker.replacing import Replacing
from repeg_workbench.exchange.broker_quirks import BrokerQuirks
from repeg_workbench.exchange.market.symbol_day import Listing, Market
from repeg_workbench.exchange.matching.venue import Venue
from repeg_workbench.exchange.seeds import symbol_of
from repeg_workbench.exchange.time.hours import TradingHours


@dataclass(frozen=True, kw_only=True)
class Parts:
    """The parts a call reads or changes.

    `clock` returns the exchange's present time (ns), `shown` the market and the venue that a feed shows.
    """

    market: Market
    venue: Venue
    shown: Callable[[str], tuple[Market, Venue]]
    hours: TradingHours
    quirks: BrokerQuirks
    account: Account
    desk: Desk
    replacing: Replacing
    clock: Callable[[], int]

    @property
    def now(self) -> int:
        """The present time in nanoseconds."""
        return self.clock()

    def feed(self, named: str | None) -> str:
        """The feed that a call gets: the one that it names, or the best that the subscription covers."""
        return named or ("sip" if self.quirks.sip_entitled else "iex")

    def listing(self, symbol: str) -> Listing | None:
        """The asset's listing; None for an unknown symbol."""
        return self.market.listing(symbol)

    def price(self, symbol: str) -> int:
        """The present value of one share, in price units."""
        return self.venue.price(symbol, self.now)

    def symbol_of(self, key: str) -> str:
        """The symbol for a symbol or an asset id."""
        return symbol_of(key) or key
