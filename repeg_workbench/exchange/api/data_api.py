"""The market data API: latest quotes, latest trades and snapshots, as JSON numbers."""

from typing import Any, Final

from repeg_workbench.exchange.api.fields import is_symbol
from repeg_workbench.exchange.api.params import Params
from repeg_workbench.exchange.api.parts import Parts
from repeg_workbench.exchange.api.snapshots import snapshot_view
from repeg_workbench.exchange.matching.symbol_book import BookQuote
from repeg_workbench.exchange.matching.venue import Print, Venue
from repeg_workbench.exchange.messages import Request, Response, json_response
from repeg_workbench.exchange.refusal import Refusal
from repeg_workbench.exchange.time.stamps import utc
from repeg_workbench.exchange.units import PRICE_SCALE

FEEDS: Final = frozenset({"iex", "sip", "delayed_sip", "boats", "overnight", "otc"})
_MOST_SYMBOLS: Final = 1_000
_LATEST: Final = frozenset({"symbols", "feed", "currency"})
_LATEST_OF_ONE: Final = frozenset({"feed", "currency"})

View = dict[str, Any]


class DataApi:
    """The market data calls."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts

    def quotes(self, request: Request) -> Response:
        """GET /v2/stocks/quotes/latest."""
        symbols, feed = self.latest_symbols(request)
        venue, now, listing = self.venue(feed), self._parts.now, self._parts.listing
        found = {symbol: venue.quote(symbol, now) for symbol in symbols if listing(symbol) is not None}
        views = {symbol: quote_view(quote) for symbol, quote in found.items() if quote is not None}
        return json_response({"quotes": views})

    def trades(self, request: Request) -> Response:
        """GET /v2/stocks/trades/latest."""
        symbols, feed = self.latest_symbols(request)
        return json_response({"trades": _present({symbol: self.trade(symbol, feed) for symbol in symbols})})

    def snapshots(self, request: Request) -> Response:
        """GET /v2/stocks/snapshots: a map by symbol, without a wrapper."""
        symbols, feed = self.latest_symbols(request)
        return json_response(_present({symbol: self.snapshot(symbol, feed) for symbol in symbols}))

    def of_one(self, request: Request, symbol: str, what: str) -> Response:
        """GET /v2/stocks/{symbol}/quotes/latest, …/trades/latest and …/snapshot."""
        feed = self.check(Params(request.query), _LATEST_OF_ONE, [symbol])
        if what == "snapshot":
            view, wrapper = self.snapshot(symbol, feed), None
        elif what == "quotes/latest":
            view, wrapper = self.quote(symbol, feed), "quote"
        else:
            view, wrapper = self.trade(symbol, feed), "trade"
        if view is None:
            raise Refusal(404, None, f"no {wrapper or what} found for {symbol}")
        return json_response({"symbol": symbol, **({wrapper: view} if wrapper else view)})

    def quote(self, symbol: str, feed: str) -> View | None:
        """The latest quote; None for an unlisted symbol or one without a quote yet."""
        parts = self._parts
        if parts.listing(symbol) is None:
            return None
        quote = self.venue(feed).quote(symbol, parts.now)
        return None if quote is None else quote_view(quote)

    def trade(self, symbol: str, feed: str) -> View | None:
        """The latest trade; None for an unlisted symbol or one without a trade yet."""
        parts = self._parts
        if parts.listing(symbol) is None:
            return None
        last = self.venue(feed).last_trade(symbol, parts.now)
        return None if last is None else trade_view(last)

    def snapshot(self, symbol: str, feed: str) -> View | None:
        """The latest trade, the latest quote and the current bars; None for an unlisted symbol."""
        parts = self._parts
        if parts.listing(symbol) is None:
            return None
        view = {"latestTrade": self.trade(symbol, feed), "latestQuote": self.quote(symbol, feed)}
        view |= snapshot_view(self.venue(feed), symbol, parts.now)
        return _present(view) if parts.quirks.snapshot_of_illiquid == "absent" else view

    def venue(self, feed: str) -> Venue:
        """The venue whose quotes and trades a feed shows."""
        return self._parts.shown(feed)[1]

    def latest_symbols(self, request: Request) -> tuple[list[str], str]:
        """The symbols of a call for the latest data, and the feed that answers it. Raises Refusal."""
        return self.symbols(Params(request.query), _LATEST)

    def symbols(self, params: Params, known: frozenset[str], *, is_recent: bool = True) -> tuple[list[str], str]:
        """The symbols in a query with these parameters, each once, and the feed that answers it. Raises Refusal."""
        symbols = params.words("symbols")
        feed = self.check(params, known, symbols, is_recent=is_recent)
        if not symbols:
            raise Refusal.data("symbols is required")
        if len(symbols) > _MOST_SYMBOLS:
            raise Refusal.data(f"too many symbols: {len(symbols)}, at most {_MOST_SYMBOLS}")
        return list(dict.fromkeys(symbols)), feed

    def check(self, params: Params, known: frozenset[str], symbols: list[str], *, is_recent: bool = True) -> str:
        """The feed that answers, by name or by subscription.

        Refuses unknown parameters and feeds, malformed symbols, and recent data without a subscription.
        """
        params.require_known(known)
        feed = params.text("feed")
        if feed is not None and feed not in FEEDS:
            raise Refusal.data(f"invalid feed: {feed}")
        if is_recent and feed == "sip" and not self._parts.quirks.sip_entitled:
            raise Refusal(403, 42210000, "subscription does not permit querying recent SIP data")
        for symbol in symbols:
            if not is_symbol(symbol):
                raise Refusal.data(f"invalid symbol: {symbol}")
        return self._parts.feed(feed)


def quote_view(quote: BookQuote) -> View:
    """A quote with sizes in shares; an empty side has price 0, size 0 and a blank venue."""
    return {
        "t": utc(quote.at),
        "bx": quote.bid_venue or " ",
        "bp": _number(quote.bid),
        "bs": quote.bid_size,
        "ax": quote.ask_venue or " ",
        "ap": _number(quote.ask),
        "as": quote.ask_size,
        "c": ["R"],
        "z": "A",
    }


def trade_view(last: Print) -> View:
    """A trade; its id increases within the day."""
    at, price, size, venue = last
    return {"t": utc(at), "x": venue or " ", "p": _number(price), "s": size, "c": [" "], "i": at // 1_000, "z": "A"}


def _number(units: int) -> float:
    whole, part = divmod(units, PRICE_SCALE)
    return units / PRICE_SCALE if part else whole


def _present(views: dict[str, View | None]) -> dict[str, View]:
    return {name: view for name, view in views.items() if view is not None}
