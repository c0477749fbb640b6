"""The market data API: latest quotes, latest trades and snapshots, as JSON numbers."""

from typing import Any, Final

from repeg_workbench.exchange.api.fields import is_symbol
from repeg_workbench.exchange.api.params import Params
from repeg_workbench.exchange.api.parts import Parts
from repeg_workbench.exchange.api.snapshots import snapshot_view
from repeg_workbench.exchange.matching.symbol_book import BookQuote
from repeg_workbench.exchange.matching.venue import Print
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
        symbols = self.latest_symbols(request)
        return json_response({"quotes": _present({symbol: self.quote(symbol) for symbol in symbols})})

    def trades(self, request: Request) -> Response:
        """GET /v2/stocks/trades/latest."""
        symbols = self.latest_symbols(request)
        return json_response({"trades": _present({symbol: self.trade(symbol) for symbol in symbols})})

    def snapshots(self, request: Request) -> Response:
        """GET /v2/stocks/snapshots: a map by symbol, without a wrapper."""
        symbols = self.latest_symbols(request)
        return json_response(_present({symbol: self.snapshot(symbol) for symbol in symbols}))

    def of_one(self, request: Request, symbol: str, what: str) -> Response:
        """GET /v2/stocks/{symbol}/quotes/latest, …/trades/latest and …/snapshot."""
        self.check(Params(request.query), _LATEST_OF_ONE, [symbol])
        if what == "snapshot":
            view, wrapper = self.snapshot(symbol), None
        else:
            view, wrapper = (self.quote(symbol), "quote") if what == "quotes/latest" else (self.trade(symbol), "trade")
        if view is None:
            raise Refusal(404, None, f"no {wrapper or what} found for {symbol}")
        return json_response({"symbol": symbol, **({wrapper: view} if wrapper else view)})

    def quote(self, symbol: str) -> View | None:
        """The latest quote; None for an unlisted symbol or one without a quote yet."""
        parts = self._parts
        if parts.listing(symbol) is None:
            return None
        quote = parts.venue.quote(symbol, parts.now)
        return None if quote is None else quote_view(quote)

    def trade(self, symbol: str) -> View | None:
        """The latest trade; None for an unlisted symbol or one without a trade yet."""
        parts = self._parts
        if parts.listing(symbol) is None:
            return None
        last = parts.venue.last_trade(symbol, parts.now)
        return None if last is None else trade_view(last)

    def snapshot(self, symbol: str) -> View | None:
        """The latest trade, the latest quote and the current bars; None for an unlisted symbol."""
        parts = self._parts
        if parts.listing(symbol) is None:
            return None
        view = {"latestTrade": self.trade(symbol), "latestQuote": self.quote(symbol)}
        view |= snapshot_view(parts.venue, symbol, parts.now)
        return _present(view) if parts.quirks.snapshot_of_illiquid == "absent" else view

    def latest_symbols(self, request: Request) -> list[str]:
        """The symbols of a call for the latest data. Raises Refusal."""
        return self.symbols(Params(request.query), _LATEST)

    def symbols(self, params: Params, known: frozenset[str], *, is_recent: bool = True) -> list[str]:
        """The symbols in a query with these parameters, each once. Raises Refusal."""
        symbols = params.words("symbols")
        self.check(params, known, symbols, is_recent=is_recent)
        if not symbols:
            raise Refusal.data("symbols is required")
        if len(symbols) > _MOST_SYMBOLS:
            raise Refusal.data(f"too many symbols: {len(symbols)}, at most {_MOST_SYMBOLS}")
        return list(dict.fromkeys(symbols))

    def check(self, params: Params, known: frozenset[str], symbols: list[str], *, is_recent: bool = True) -> None:
        """Refuse unknown parameters and feeds, malformed symbols, and recent data without a subscription."""
        params.require_known(known)
        feed = params.text("feed")
        if feed is not None and feed not in FEEDS:
            raise Refusal.data(f"invalid feed: {feed}")
        if is_recent and feed == "sip" and not self._parts.quirks.sip_entitled:
            raise Refusal(403, 42210000, "subscription does not permit querying recent SIP data")
        for symbol in symbols:
            if not is_symbol(symbol):
                raise Refusal.data(f"invalid symbol: {symbol}")


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
