"""What each feed shows: a market's consolidated quotes and trades with our orders, or those of one venue without."""

from datetime import date
from typing import Final

from repeg_workbench.exchange.broker_quirks import BrokerQuirks
from repeg_workbench.exchange.market.symbol_day import Market
from repeg_workbench.exchange.market.venue_market import VenueMarket
from repeg_workbench.exchange.matching.symbol_book import FillModel
from repeg_workbench.exchange.matching.venue import Venue
from repeg_workbench.exchange.streams.feed import Feed

IEX: Final = "iex"


class Shown:
    """The feeds of an exchange.

    The venue of a feed answers its quotes and trades. On the consolidated one our orders rest and fill. The iex feed
    shows another venue than the one where they rest, so it never shows them.
    """

    def __init__(self, market: Market, venue: Venue, quirks: BrokerQuirks, seed: int) -> None:
        self.market, self.venue, self.feed = market, venue, Feed(venue)
        self._iex: tuple[Market, Venue, Feed] | None = None
        if quirks.iex_feed == "venue":
            shown = VenueMarket(market, seed, quirks.iex_at_best, quirks.iex_volume)
            alone = Venue(shown, FillModel.PAPER)
            self._iex = shown, alone, Feed(alone)

    def of(self, feed: str) -> tuple[Market, Venue, Feed]:
        """The market, the venue and the messages that a feed shows."""
        if feed == IEX and self._iex is not None:
            return self._iex
        return self.market, self.venue, self.feed

    @property
    def feeds(self) -> tuple[Feed, ...]:
        """Every feed that sends messages, each once."""
        return (self.feed,) if self._iex is None else (self.feed, self._iex[2])

    @property
    def next_at(self) -> int:
        """When (ns) the next message of any feed is due."""
        return self.feed.next_at if self._iex is None else min(self.feed.next_at, self._iex[2].next_at)

    def run_next(self) -> None:
        """Send the messages that are due at `next_at` on one feed."""
        min(self.feeds, key=lambda feed: feed.next_at).run_next()

    def open_day(self, day: date, previous: date) -> None:
        """Start the next trading day."""
        self.venue.open_day(day, previous)
        if self._iex is not None:
            self._iex[1].open_day(day, previous)

    def turn_day(self, day: date, previous: date, at: int) -> None:
        """Start the next trading day, and let every feed go on with its tape."""
        self.open_day(day, previous)
        for feed in self.feeds:
            feed.turn_day(at)
