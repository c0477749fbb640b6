"""The account at Alpaca: orders, fills, balances, listings and market hours."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from typing import Any, TypeVar
from urllib.parse import quote as url_quote

from repeg.adapters.alpaca import errors, parsing
from repeg.adapters.alpaca.http import Answer, Api, Body, Failure
from repeg.adapters.alpaca.keys import TradingMode, ensure_account_fits
from repeg.domain.broker import (
    Accepted,
    Account,
    Asset,
    BrokerClock,
    CancelAnswer,
    Execution,
    Position,
    Submission,
    Unknown,
)
from repeg.domain.child_order import OrderReport
from repeg.domain.errors import BrokerUnavailable
from repeg.domain.intent import Intent
from repeg.domain.session import NEW_YORK, TradingDay, trading_date
from repeg.ports import Broker

ORDERS_PER_PAGE = 500
ACTIVITIES_PER_PAGE = 100

# Up to this many assets are requested one by one. For more, the listing of all active assets is read: 11,500 rows, 6 MB
# (0.3 MB compressed), which takes 0.7 seconds and 35 MB of memory in a function of 512 MB. Ten requests of about sixty
# milliseconds take as long, and the request quota allows no more.
MAX_ASSETS_BY_NAME = 10

Read = TypeVar("Read")


class AlpacaBroker:
    """A Broker on Alpaca's trading API.

    `take_request` is called before every request of a call except the first; it may raise BrokerUnavailable to abort
    the call. If `mode` is given, `account` verifies that the account belongs to it.
    """

    def __init__(
        self, api: Api, take_request: Callable[[], None] = lambda: None, mode: TradingMode | None = None
    ) -> None:
        self._api = api
        self._take_request = take_request
        self._mode = mode

    def for_closing(self) -> Broker:
        """Itself: it has no quota."""
        return self

    def submit(self, intent: Intent) -> Submission:
        """Send a DAY order, limit or market, with the intent's client order id. Never retried here."""
        answer = self._api.post("/orders", parsing.order_fields(intent))
        if isinstance(answer, Failure):
            return errors.submission(answer)
        return _accepted(answer, intent.client_order_id)

    def replace(self, broker_id: str, intent: Intent) -> Submission:
        """Replace an open order's limit, without sending a quantity; the replacement has the intent's client order id.
        Never retried here."""
        answer = self._api.patch(f"/orders/{_path_segment(broker_id)}", parsing.change_fields(intent))
        if isinstance(answer, Failure):
            return errors.replacement(answer)
        return _accepted(answer, intent.client_order_id)

    def cancel(self, broker_id: str) -> CancelAnswer:
        """Request a cancel. The order is open until a read shows it as canceled."""
        answer = self._api.delete(f"/orders/{_path_segment(broker_id)}")
        return errors.cancellation(answer) if isinstance(answer, Failure) else CancelAnswer.REQUESTED

    def order(self, client_order_id: str) -> OrderReport | None:
        """The order with that id, or None if the broker has none; a new order may take a while to appear."""
        found = self._find("/orders:by_client_order_id", parsing.report, client_order_id=client_order_id)
        if found is not None and found.client_order_id != client_order_id:
            raise BrokerUnavailable(f"asked for order {client_order_id}, got {found.client_order_id}")
        return found

    def order_by_broker_id(self, broker_id: str) -> OrderReport | None:
        """The order with that broker id."""
        return self._find(f"/orders/{_path_segment(broker_id)}", parsing.report)

    def open_orders(self) -> list[OrderReport]:
        """Every open order of the account, oldest first, over all pages.

        Orders may share a timestamp, so each page starts a microsecond before the last one ended, and duplicates are
        dropped. Raises BrokerUnavailable if a full page holds no new order: some orders could then not be listed.
        """
        found: dict[str, OrderReport] = {}
        after: dict[str, str] = {}
        while True:
            page = self._read("/orders", _rows, status="open", direction="asc", limit=ORDERS_PER_PAGE, **after)
            with parsing.reading("/orders"):
                new = {order.broker_id: order for order in parsing.reports(page)}
            is_last = len(page) < ORDERS_PER_PAGE
            if not is_last and new.keys() <= found.keys():
                raise BrokerUnavailable(f"more than {ORDERS_PER_PAGE} open orders share one timestamp")
            found |= new
            if is_last:
                return list(found.values())
            self._take_request()
            after = _next_page(new.values())

    def executions(self, day: date) -> list[Execution]:
        """Every fill of a New York date, over all pages, oldest first."""
        begins = datetime.combine(day, time(0), NEW_YORK)
        bounds = {
            "after": (begins - timedelta(seconds=1)).isoformat(),
            "until": datetime.combine(day + timedelta(days=1), time(0, 0, 1), NEW_YORK).isoformat(),
        }
        found: dict[str, Execution] = {}
        token: dict[str, str] = {}
        while True:
            page = self._activities_page({**bounds, **token})
            found |= {execution.activity_id: execution for execution in page}
            if len(page) < ACTIVITIES_PER_PAGE:
                break
            self._take_request()
            token = {"page_token": page[-1].activity_id}
        of_day = (execution for execution in found.values() if trading_date(execution.at) == day)
        return sorted(of_day, key=lambda execution: (execution.at, execution.activity_id))

    def clock(self) -> BrokerClock:
        """The broker's time."""
        return self._read("/clock", parsing.clock)

    def trading_day(self, day: date) -> TradingDay | None:
        """The core session of a date; None if the market is closed that day."""
        rows = self._read("/calendar", _rows, start=day.isoformat(), end=day.isoformat())
        with parsing.reading("/calendar"):
            sessions = [parsing.session(row) for row in rows if row["date"] == day.isoformat()]
        return sessions[0] if sessions else None

    def account(self) -> Account:
        """The balances. Raises InvalidSettings if the account belongs to the other mode."""
        row = self._read("/account", dict)
        with parsing.reading("/account"):
            unreserved = parsing.non_marginable_buying_power(row)
            account = parsing.account(row, self._cash_after_buys(row) if unreserved is None else unreserved)
        if self._mode is not None:
            ensure_account_fits(account.number, self._mode)
        return account

    def positions(self) -> list[Position]:
        """All holdings."""
        return self._read("/positions", lambda rows: [parsing.position(row) for row in _rows(rows)])

    def assets(self, symbols: Sequence[str]) -> dict[str, Asset]:
        """The listings of these symbols, in their order; an unknown one is absent.

        A few symbols are requested one by one. More are looked up in the listing of all active assets; of those missing
        there, the first few are requested one by one, which tells an unknown symbol from an inactive one, and the rest
        are left absent. Raises BrokerUnavailable if the listing is incomplete: a symbol missing there is tradable.
        """
        is_bulk = len(symbols) > MAX_ASSETS_BY_NAME
        listed = self._active_assets(frozenset(symbols)) if is_bulk else {}
        missing = [symbol for symbol in symbols if symbol not in listed]
        named = self._assets_by_name(missing[:MAX_ASSETS_BY_NAME], requests_before=int(is_bulk))
        if len(missing) > MAX_ASSETS_BY_NAME and all(asset.is_tradable for asset in named.values()) and named:
            raise BrokerUnavailable(f"/assets: the listing lacks {', '.join(named)}")
        found = listed | named
        return {symbol: found[symbol] for symbol in symbols if symbol in found}

    def _cash_after_buys(self, account: parsing.Json) -> Decimal:
        self._take_request()
        return parsing.cash_after_buys(account, self.open_orders())

    def _active_assets(self, symbols: Collection[str]) -> dict[str, Asset]:
        """The requested rows of the listing of all active shares; no other row is parsed."""
        rows = self._read("/assets", _rows, status="active", asset_class="us_equity")
        with parsing.reading("/assets"):
            return {row["symbol"]: parsing.asset(row) for row in rows if row.get("symbol") in symbols}

    def _assets_by_name(self, symbols: Sequence[str], requests_before: int) -> dict[str, Asset]:
        """Listings requested one by one; unknown symbols are absent."""
        found = {}
        for requests, symbol in enumerate(symbols, requests_before):
            if requests:
                self._take_request()
            if (asset := self._find(f"/assets/{_path_segment(symbol)}", parsing.asset)) is not None:
                found[symbol] = asset
        return found

    def _activities_page(self, bounds: dict[str, str]) -> list[Execution]:
        return self._read(
            "/account/activities/FILL",
            lambda rows: [parsing.execution(row) for row in _rows(rows)],
            direction="asc",
            page_size=ACTIVITIES_PER_PAGE,
            **bounds,
        )

    def _find(self, path: str, read: Callable[[Any], Read], **params: object) -> Read | None:
        answer = self._api.get(path, params)
        if isinstance(answer, Failure) and errors.is_absent(answer):
            return None
        return _value(path, answer, read)

    def _read(self, path: str, read: Callable[[Any], Read], **params: object) -> Read:
        return _value(path, self._api.get(path, params), read)


def _value(path: str, answer: Answer, read: Callable[[Any], Read]) -> Read:
    if isinstance(answer, Failure):
        raise errors.unreadable(path, answer)
    with parsing.reading(path):
        return read(answer.value)


def _accepted(answer: Body, client_order_id: str) -> Submission:
    """The accepted order; Unknown if the answer cannot be parsed or is about another order."""
    try:
        report = _value("/orders", answer, parsing.report)
    except BrokerUnavailable as error:
        return Unknown(reason=str(error))
    if report.client_order_id != client_order_id:
        return Unknown(reason=f"the answer is about order {report.client_order_id}")
    return Accepted(report=report)


def _next_page(page: Any) -> dict[str, str]:
    timestamps = [order.submitted_at for order in page if order.submitted_at is not None]
    return {"after": (max(timestamps) - timedelta(microseconds=1)).isoformat()} if timestamps else {}


def _rows(value: Any) -> list[parsing.Json]:
    if not isinstance(value, list):
        raise TypeError("the answer is not a list")
    return value


def _path_segment(text: str) -> str:
    return url_quote(text, safe="")
