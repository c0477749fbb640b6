"""The broker and the feed straight from the simulated exchange, without HTTP and without the SDK: for thousands of days."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

from repeg.broker import (
    Accepted,
    Account,
    Asset,
    BrokerClock,
    CancelAnswer,
    Execution,
    Position,
    Refusal,
    Refused,
    Submission,
    Unknown,
)
from repeg.errors import BrokerDenied, BrokerUnavailable
from repeg.order import Intent, OrderReport
from repeg.quote import Quote, Side
from repeg.session import TradingDay, trading_date, trading_day
from workbench.exchange.core import Exchange
from workbench.exchange.wire import Request, Response

PAGE = 500
ACTIVITY_PAGE = 100
_UTC = ZoneInfo("UTC")

Query = Sequence[tuple[str, str]]


class DirectBroker:
    """Serves the Broker and the Market port from an exchange in this process; keys are the account's own."""

    def __init__(self, exchange: Exchange, feed: str = "iex") -> None:
        self._exchange = exchange
        self._feed = feed
        self.headers = {
            "APCA-API-KEY-ID": exchange.opening.key_id,
            "APCA-API-SECRET-KEY": exchange.opening.secret_key,
        }

    def submit(self, intent: Intent) -> Submission:
        """Send a DAY order under the intent's client order id."""
        body = {
            "symbol": intent.symbol, "side": str(intent.side), "qty": str(intent.qty), "time_in_force": "day",
            "type": "market" if intent.limit is None else "limit", "client_order_id": intent.client_order_id,
        }
        if intent.limit is not None:
            body["limit_price"] = str(intent.limit)
        return _submission(self._call("POST", "/v2/orders", body=body))

    def replace(self, broker_id: str, limit: Decimal, client_order_id: str) -> Submission:
        """Change the limit of an open order; its quantity is left out."""
        body = {"limit_price": str(limit), "client_order_id": client_order_id}
        return _submission(self._call("PATCH", f"/v2/orders/{broker_id}", body=body))

    def cancel(self, broker_id: str) -> CancelAnswer:
        """Ask for a cancel."""
        response = self._call("DELETE", f"/v2/orders/{broker_id}")
        answers = {204: CancelAnswer.REQUESTED, 404: CancelAnswer.NOT_FOUND, 422: CancelAnswer.NOT_OPEN}
        return answers.get(response.status, CancelAnswer.UNKNOWN)

    def order(self, client_order_id: str) -> OrderReport | None:
        """The order of that id."""
        return self._order("/v2/orders:by_client_order_id", (("client_order_id", client_order_id),))

    def order_by_broker_id(self, broker_id: str) -> OrderReport | None:
        """The order of that broker id."""
        return self._order(f"/v2/orders/{broker_id}", ())

    def open_orders(self) -> list[OrderReport]:
        """Every open order of the account, oldest first, over all pages."""
        found: dict[str, OrderReport] = {}
        after: str | None = None
        while True:
            query = [("status", "open"), ("limit", str(PAGE)), ("direction", "asc")]
            page = self._get("/v2/orders", [*query, ("after", after)] if after else query)
            found.update({row["id"]: _report(row) for row in page})
            if len(page) < PAGE:
                return list(found.values())
            after = _before(page[-1]["submitted_at"])

    def executions(self, day: date) -> list[Execution]:
        """Every fill of a New York date, oldest first, over all pages."""
        rows: list[dict[str, Any]] = []
        query = [("direction", "asc"), ("page_size", str(ACTIVITY_PAGE))]
        while True:
            page = self._get("/v2/account/activities/FILL", [*query, ("page_token", rows[-1]["id"])] if rows else query)
            rows += page
            if len(page) < ACTIVITY_PAGE:
                return [e for e in map(_execution, rows) if trading_date(e.at) == day]

    def clock(self) -> BrokerClock:
        """The exchange's time."""
        row = self._get("/v2/clock")
        return BrokerClock(now=_instant(row["timestamp"]), is_open=row["is_open"])

    def trading_day(self, day: date) -> TradingDay | None:
        """The session of a date."""
        rows = self._get("/v2/calendar", (("start", day.isoformat()), ("end", day.isoformat())))
        mine = next((row for row in rows if row["date"] == day.isoformat()), None)
        return None if mine is None else trading_day(day, time.fromisoformat(mine["open"]), time.fromisoformat(mine["close"]))

    def account(self) -> Account:
        """Money now."""
        row = self._get("/v2/account")
        money = {name: Decimal(row[name]) for name in ("equity", "cash", "buying_power")}
        unborrowed = Decimal(row.get("non_marginable_buying_power", row["buying_power"]))
        blocked = row["trading_blocked"] or row["account_blocked"] or row["trade_suspended_by_user"]
        return Account(
            number=row["account_number"], spendable=min(unborrowed, money["buying_power"]), is_blocked=blocked, **money
        )

    def positions(self) -> list[Position]:
        """All holdings."""
        return [
            Position(symbol=row["symbol"], qty=Decimal(row["qty"]), available=Decimal(row["qty_available"]))
            for row in self._get("/v2/positions")
        ]

    def asset(self, symbol: str) -> Asset | None:
        """The listing."""
        response = self._call("GET", f"/v2/assets/{symbol}")
        if response.status == 404:  # noqa: PLR2004
            return None
        row = _read(response)
        return Asset(symbol=symbol, is_tradable=row["tradable"], is_fractionable=row["fractionable"])

    def quotes(self, symbols: Iterable[str]) -> dict[str, Quote]:
        """Latest quotes."""
        rows = self._latest("/v2/stocks/quotes/latest", symbols)["quotes"]
        return {symbol: _quote(symbol, row) for symbol, row in rows.items() if row is not None}

    def last_prices(self, symbols: Iterable[str]) -> dict[str, Decimal]:
        """Latest trade prices."""
        rows = self._latest("/v2/stocks/trades/latest", symbols)["trades"]
        return {symbol: row["p"] for symbol, row in rows.items() if row is not None}

    def _latest(self, path: str, symbols: Iterable[str]) -> Any:
        return self._get(path, (("symbols", ",".join(symbols)), ("feed", self._feed)))

    def _order(self, path: str, query: Query) -> OrderReport | None:
        response = self._call("GET", path, query)
        return None if response.status == 404 else _report(_read(response))  # noqa: PLR2004

    def _get(self, path: str, query: Query = ()) -> Any:
        return _read(self._call("GET", path, query))

    def _call(self, method: str, path: str, query: Query = (), body: dict[str, str] | None = None) -> Response:
        content = json.dumps(body).encode() if body is not None else b""
        return self._exchange.handle(Request(method, path, list(query), dict(self.headers), content))


def _read(response: Response) -> Any:
    if response.status in {401, 403}:
        raise BrokerDenied(f"the broker answered {response.status}")
    if response.status != 200:  # noqa: PLR2004
        raise BrokerUnavailable(f"the broker answered {response.status}")
    return json.loads(response.body, parse_float=Decimal)


def _submission(response: Response) -> Submission:
    if response.status == 200:  # noqa: PLR2004
        return Accepted(report=_report(json.loads(response.body)))
    if response.status not in {400, 401, 403, 422}:
        return Unknown(reason=f"the broker answered {response.status}")
    message = str(json.loads(response.body).get("message", ""))
    if "client_order_id must be unique" in message:
        return Unknown(reason=message)
    return Refused(refusal=_refusal(response.status, message), message=message)


_WORDS = {
    "buying power": Refusal.FUNDS,
    "insufficient qty": Refusal.SHARES,
    "wash trade": Refusal.OPPOSITE_ORDER,
    "opposite side": Refusal.OPPOSITE_ORDER,
    "sub-penny": Refusal.PRICE,
    "asset": Refusal.ASSET,
}


def _refusal(status: int, message: str) -> Refusal:
    if status == 401:  # noqa: PLR2004
        return Refusal.DENIED
    return next((refusal for words, refusal in _WORDS.items() if words in message), Refusal.OTHER)


def _report(row: dict[str, Any]) -> OrderReport:
    limit, average = row["limit_price"], row["filled_avg_price"]
    return OrderReport(
        broker_id=row["id"],
        client_order_id=row["client_order_id"],
        symbol=row["symbol"],
        side=Side(row["side"]),
        status=row["status"],
        qty=Decimal(row["qty"] or 0),
        filled_qty=Decimal(row["filled_qty"]),
        average_price=None if average is None else Decimal(average),
        limit=None if limit is None else Decimal(limit),
        submitted_at=_instant(row["submitted_at"]) if row["submitted_at"] else None,
        replaced_by=row["replaced_by"],
        replaces=row["replaces"],
    )


def _execution(row: dict[str, Any]) -> Execution:
    return Execution(
        activity_id=row["id"], broker_order_id=row["order_id"], symbol=row["symbol"], side=Side(row["side"]),
        qty=Decimal(row["qty"]), price=Decimal(row["price"]), at=_instant(row["transaction_time"]),
    )


def _quote(symbol: str, row: dict[str, Any]) -> Quote:
    return Quote(
        symbol=symbol, bid=Decimal(row["bp"]), bid_size=Decimal(row["bs"]), ask=Decimal(row["ap"]),
        ask_size=Decimal(row["as"]), at=_instant(row["t"]),
    )


def _instant(text: str) -> datetime:
    """A stamp with up to nine decimals of a second; what is finer than a microsecond is cut."""
    return datetime.fromisoformat(text)


def _before(text: str) -> str:
    """Just before a stamp, so that a page that begins after it repeats its equals and loses none."""
    return (_instant(text).astimezone(_UTC) - timedelta(microseconds=1)).isoformat().replace("+00:00", "Z")


