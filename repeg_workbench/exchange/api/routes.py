"""Routes calls to their handlers and refuses unknown ones."""

from collections.abc import Callable
from functools import partial
from typing import Final, TypeVar
from urllib.parse import unquote

from repeg_workbench.exchange.api.account_api import AccountApi
from repeg_workbench.exchange.api.data_api import DataApi
from repeg_workbench.exchange.api.history_api import HistoryApi
from repeg_workbench.exchange.api.trading_api import TradingApi
from repeg_workbench.exchange.broker_quirks import BrokerQuirks
from repeg_workbench.exchange.messages import Request, Response
from repeg_workbench.exchange.refusal import Refusal

Handler = Callable[[Request], Response]
KeyedHandler = Callable[[Request, str], Response]

DATA_PREFIXES: Final = ("/v2/stocks/", "/v1/corporate-actions")
_H = TypeVar("_H")
_OF_ONE: Final = ("quotes/latest", "trades/latest", "snapshot")
_HISTORY: Final = ("bars", "quotes", "trades")


class Routes:
    """The route table; the last segment of a keyed path names an order, position, asset or activity type."""

    def __init__(
        self, trading: TradingApi, account: AccountApi, data: DataApi, history: HistoryApi, quirks: BrokerQuirks
    ) -> None:
        self._data, self._history, self._quirks = data, history, quirks
        self.fixed: dict[str, dict[str, Handler]] = {
            "/v2/orders": {"POST": trading.submit, "GET": trading.list_orders, "DELETE": trading.cancel_all},
            "/v2/orders:by_client_order_id": {"GET": trading.get_by_client_id},
            "/v2/account": {"GET": account.account},
            "/v2/account/configurations": {"GET": account.configurations, "PATCH": account.configure},
            "/v2/account/activities": {"GET": account.activities},
            "/v2/positions": {"GET": account.positions, "DELETE": account.close_positions},
            "/v2/assets": {"GET": account.assets},
            "/v2/clock": {"GET": account.clock},
            "/v2/calendar": {"GET": account.calendar},
            "/v1/corporate-actions": {"GET": account.announcements},
            "/v2/stocks/quotes/latest": {"GET": data.quotes},
            "/v2/stocks/trades/latest": {"GET": data.trades},
            "/v2/stocks/bars/latest": {"GET": history.latest_bars},
            "/v2/stocks/snapshots": {"GET": data.snapshots},
            **{f"/v2/stocks/{what}": {"GET": partial(history.several, what=what)} for what in _HISTORY},
        }
        self.keyed: dict[str, dict[str, KeyedHandler]] = {
            "/v2/orders/": {"GET": trading.get, "PATCH": trading.replace, "DELETE": trading.cancel},
            "/v2/positions/": {"GET": account.position, "DELETE": account.close_position},
            "/v2/assets/": {"GET": account.asset},
            "/v2/account/activities/": {"GET": account.activities_of},
        }

    def dispatch(self, request: Request) -> Response:
        """Answer the call. Raises Refusal."""
        path = request.path
        fixed = self.fixed.get(path)
        if fixed is not None:
            return _method(fixed, request, self._quirks)(request)
        cut = path.rfind("/") + 1
        keyed = self.keyed.get(path[:cut])
        if keyed is not None and cut < len(path):
            return _method(keyed, request, self._quirks)(request, unquote(path[cut:]))
        return self._of_one(request)

    def _of_one(self, request: Request) -> Response:
        path = request.path
        if path.startswith("/v2/stocks/") and request.method == "GET":
            symbol, _, what = path.removeprefix("/v2/stocks/").partition("/")
            if what in _HISTORY:
                return self._history.of_one(request, unquote(symbol), what)
            if what == "bars/latest":
                return self._history.latest_of_one(request, unquote(symbol))
            if what in _OF_ONE:
                return self._data.of_one(request, unquote(symbol), what)
        raise _nowhere()


def is_data(path: str) -> bool:
    """Whether the call belongs to the market data API."""
    return path.startswith(DATA_PREFIXES)


def _method(handlers: dict[str, _H], request: Request, quirks: BrokerQuirks) -> _H:
    handler = handlers.get(request.method)
    if handler is not None:
        return handler
    if quirks.unknown_route == "405":
        raise Refusal(405, 40510000, "method not allowed")
    raise _nowhere()


def _nowhere() -> Refusal:
    return Refusal(404, None, "endpoint not found.")
