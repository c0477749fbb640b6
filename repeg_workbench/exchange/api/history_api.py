"""The market data API's calls for the past: bars, quotes and trades in pages, and the latest bars."""

from collections.abc import Iterator
from datetime import date, time, timedelta
from functools import partial
from itertools import groupby
from typing import Final

from repeg_workbench.exchange.api.bars import Bars, MinuteBars, Timeframe, read_timeframe
from repeg_workbench.exchange.api.data_api import DataApi, quote_view, trade_view
from repeg_workbench.exchange.api.history import Allowance, Chunk, Chunks, Page, Place, Rows, View, Window, read_page
from repeg_workbench.exchange.api.params import Params
from repeg_workbench.exchange.api.parts import Parts
from repeg_workbench.exchange.market.symbol_day import Market, Quotes, SymbolDay, Trades
from repeg_workbench.exchange.matching.display import letter, row_quote
from repeg_workbench.exchange.messages import Request, Response, json_response
from repeg_workbench.exchange.refusal import Refusal
from repeg_workbench.exchange.time.stamps import MINUTE, at_local, local_day

_OF_ONE: Final = frozenset({"start", "end", "limit", "feed", "currency", "page_token", "sort", "asof"})
_OF_BARS: Final = _OF_ONE | {"timeframe", "adjustment"}
_ADJUSTMENTS: Final = frozenset({"raw", "split", "dividend", "all", "spin-off"})
_MOST_ROWS: Final = 10_000
_FIRST_DAY: Final = date(2016, 1, 1)
"""History begins here, as the broker's does."""

_SIP_DELAY: Final = 15 * MINUTE
"""How old consolidated data must be without a subscription."""


class HistoryApi:
    """Historical rows up to the present; bars have the finished minutes only."""

    def __init__(self, parts: Parts, data: DataApi) -> None:
        self._parts, self._data = parts, data
        self._minutes: dict[Market, MinuteBars] = {}

    def several(self, request: Request, what: str) -> Response:
        """GET /v2/stocks/{bars, quotes or trades}, for the symbols in the query."""
        params = Params(request.query)
        symbols, feed = self._data.symbols(params, _known(what) | {"symbols"}, is_recent=False)
        page = self._page(params, symbols, what, feed)
        return json_response({what: page.found, "next_page_token": _token(page)})

    def of_one(self, request: Request, symbol: str, what: str) -> Response:
        """GET /v2/stocks/{symbol}/{bars, quotes or trades}."""
        params = Params(request.query)
        feed = self._data.check(params, _known(what), [symbol], is_recent=False)
        page = self._page(params, [symbol], what, feed)
        return json_response({what: page.found.get(symbol, []), "symbol": symbol, "next_page_token": _token(page)})

    def latest_bars(self, request: Request) -> Response:
        """GET /v2/stocks/bars/latest."""
        symbols, feed = self._data.latest_symbols(request)
        found = {symbol: self.latest_bar(symbol, feed) for symbol in symbols}
        return json_response({"bars": {symbol: bar for symbol, bar in found.items() if bar is not None}})

    def latest_of_one(self, request: Request, symbol: str) -> Response:
        """GET /v2/stocks/{symbol}/bars/latest."""
        feed = self._data.check(Params(request.query), frozenset({"feed", "currency"}), [symbol])
        bar = self.latest_bar(symbol, feed)
        if bar is None:
            raise Refusal(404, None, f"no bar found for {symbol}")
        return json_response({"symbol": symbol, "bar": bar})

    def latest_bar(self, symbol: str, feed: str) -> View | None:
        """The latest finished minute's bar; None for an unlisted symbol or one without a print today or before."""
        parts = self._parts
        if parts.listing(symbol) is None:
            return None
        for day in (parts.venue.today, parts.venue.yesterday):
            bars = self._bars_of(feed).of(symbol, day).before(self._finished)
            if len(bars):
                return bars.view(len(bars) - 1)
        return None

    @property
    def _finished(self) -> int:
        return self._parts.now // MINUTE * MINUTE

    def _market(self, feed: str) -> Market:
        return self._parts.shown(feed)[0]

    def _bars_of(self, feed: str) -> MinuteBars:
        market = self._market(feed)
        return self._minutes.setdefault(market, MinuteBars(market.day))

    def _page(self, params: Params, symbols: list[str], what: str, feed: str) -> Page:
        window = self._window(params)
        limit = params.data_integer("limit", 1_000, _MOST_ROWS)
        token = params.text("page_token")
        place = Place.read(token) if token else None
        listed = sorted(symbol for symbol in symbols if self._parts.listing(symbol) is not None)
        page = Page(window, limit, {})
        read_page(page, listed, self._chunks(params, what, window, feed), place)
        return page

    def _window(self, params: Params) -> Window:
        now, day = self._parts.now, self._parts.hours.day(self._parts.now)
        start, end = params.data_stamp("start", time()), params.data_stamp("end", time.max)
        is_delayed = params.text("feed") == "sip" and not self._parts.quirks.sip_entitled
        newest = now - _SIP_DELAY if is_delayed else now
        if is_delayed and end is not None and end > newest:
            raise Refusal(403, 42210000, "subscription does not permit querying recent SIP data")
        start = at_local(day, time()) if start is None else start
        end = newest if end is None else min(end, newest)
        sort = params.text("sort") or "asc"
        if sort not in {"asc", "desc"}:
            raise Refusal.data(f"invalid sort: {sort}")
        return Window(max(start, at_local(_FIRST_DAY, time())), end, sort == "asc")

    def _chunks(self, params: Params, what: str, window: Window, feed: str) -> Chunks:
        if what != "bars":
            return partial(self._chunks_of, window, None, what, feed)
        adjustment = params.text("adjustment")
        if adjustment is not None and not set(adjustment.split(",")) <= _ADJUSTMENTS:
            raise Refusal.data(f"invalid adjustment: {adjustment}")
        return partial(self._chunks_of, window, read_timeframe(params.text("timeframe")), what, feed)

    def _chunks_of(
        self, window: Window, frame: Timeframe | None, what: str, feed: str, symbol: str, place: Place | None
    ) -> Iterator[Chunk]:
        first = frame.first_day if frame else _itself
        start = first(local_day(window.start))
        last = local_day(max(window.end, 0))
        if start > last:
            return
        days = [session.day for session in self._parts.hours.calendar.sessions(start, last)]
        periods = [(period, tuple(group)) for period, group in groupby(days, first)]
        for period, group in periods if window.is_ascending else periods[::-1]:
            begin, end = at_local(period, time()), at_local(group[-1] + timedelta(days=1), time())
            is_past = place is not None and (end <= place.at if window.is_ascending else begin > place.at)
            if not is_past:
                tape = self._market(feed), symbol, group
                load = partial(self._bars, frame, feed, symbol, group) if frame else partial(self._ticks, what, *tape)
                yield begin if window.is_ascending else end - 1, load

    def _bars(
        self, frame: Timeframe, feed: str, symbol: str, days: tuple[date, ...], allowance: Allowance
    ) -> Rows | None:
        minutes, known = list[Bars](), self._bars_of(feed)
        for day in days:
            if not known.has(symbol, day) and not allowance.take():
                return None
            minutes.append(known.of(symbol, day).before(self._finished))
        bars = frame.bars(Bars.joined(minutes))
        return Rows(bars.ts, bars.view)

    @staticmethod
    def _ticks(what: str, market: Market, symbol: str, days: tuple[date, ...], allowance: Allowance) -> Rows | None:
        if not allowance.take():
            return None
        found = market.day(symbol, days[0])
        return _quotes(found) if what == "quotes" else _trades(found)


def _quotes(day: SymbolDay | None) -> Rows:
    quotes = day.quotes if day else Quotes.empty()
    return Rows(quotes.ts, lambda row: quote_view(row_quote(quotes, row)))


def _trades(day: SymbolDay | None) -> Rows:
    trades = day.trades if day else Trades.empty()

    def view(row: int) -> View:
        venue = letter(trades.venue.item(row))
        return trade_view((trades.ts.item(row), trades.price.item(row), trades.size.item(row), venue))

    return Rows(trades.ts, view)


def _known(what: str) -> frozenset[str]:
    return _OF_BARS if what == "bars" else _OF_ONE


def _token(page: Page) -> str | None:
    return page.next_place.token() if page.next_place else None


def _itself(day: date) -> date:
    return day
