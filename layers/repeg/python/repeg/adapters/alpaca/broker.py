"""The account at Alpaca: orders, fills, money and hours, in our words."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from typing import Any, TypeVar
from urllib.parse import quote as url_quote

from repeg.adapters.alpaca import errors
from repeg.adapters.alpaca import parsing as wire
from repeg.adapters.alpaca.http import Answer, Body, Calls, Failure
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
from repeg.domain.parent_order import Intent
from repeg.domain.session import NEW_YORK, TradingDay, trading_date
from repeg.ports import Broker

ORDERS_PER_PAGE = 500
ACTIVITIES_PER_PAGE = 100

# So many assets are asked for by name, one after the other. More are looked up in the listing of all: 11,500 rows, 6 MB
# (a third of one as they travel), 0.2 seconds of a whole processor, which are 0.7 in a function of 512 MB, and 35 MB of
# its memory. Ten requests of some sixty milliseconds take as long, and a budget of requests bears no more.
FEW_ASSETS = 10

Read = TypeVar("Read")


class AlpacaBroker:
    """A Broker on Alpaca's trading API. `further` is called before each request of a call but the first, and may raise
    BrokerUnavailable to end the call there; `mode` is what the account has to be for, where that is known."""

    def __init__(
        self, calls: Calls, further: Callable[[], None] = lambda: None, mode: TradingMode | None = None
    ) -> None:
        self._calls = calls
        self._further = further
        self._mode = mode

    def for_closing(self) -> Broker:
        """Itself: nobody counts its calls."""
        return self

    def submit(self, intent: Intent) -> Submission:
        """Send a DAY order, limit or market, under the intent's client order id. Never sent twice by itself."""
        answer = self._calls.post("/orders", wire.order_fields(intent))
        if isinstance(answer, Failure):
            return errors.submission(answer)
        return _accepted(answer, intent.client_order_id)

    def replace(self, broker_id: str, intent: Intent) -> Submission:
        """Move an open order to the intent's limit, quantity left out; the replacement has the intent's client order
        id. Never sent twice by itself."""
        answer = self._calls.patch(f"/orders/{_segment(broker_id)}", wire.change_fields(intent))
        if isinstance(answer, Failure):
            return errors.replacement(answer)
        return _accepted(answer, intent.client_order_id)

    def cancel(self, broker_id: str) -> CancelAnswer:
        """Ask for a cancel. The order is not cancelled until a read says so."""
        answer = self._calls.delete(f"/orders/{_segment(broker_id)}")
        return errors.cancellation(answer) if isinstance(answer, Failure) else CancelAnswer.REQUESTED

    def order(self, client_order_id: str) -> OrderReport | None:
        """The order of that id, or None where the broker says it has none (which may be too early to say)."""
        found = self._find("/orders:by_client_order_id", wire.report, client_order_id=client_order_id)
        if found is not None and found.client_order_id != client_order_id:
            raise BrokerUnavailable(f"asked for order {client_order_id}, got {found.client_order_id}")
        return found

    def order_by_broker_id(self, broker_id: str) -> OrderReport | None:
        """The order of that broker id."""
        return self._find(f"/orders/{_segment(broker_id)}", wire.report)

    def open_orders(self) -> list[OrderReport]:
        """Every open order of the account, oldest first, over all pages.

        A page begins a microsecond before the last one ended, because orders may share a stamp; what comes twice counts
        once. Raises BrokerUnavailable where a full page brings nothing new: then some orders could not be seen.
        """
        found: dict[str, OrderReport] = {}
        after: dict[str, str] = {}
        while True:
            page = self._read("/orders", _rows, status="open", direction="asc", limit=ORDERS_PER_PAGE, **after)
            with wire.reading("/orders"):
                new = {order.broker_id: order for order in wire.reports(page)}
            is_last = len(page) < ORDERS_PER_PAGE
            if not is_last and new.keys() <= found.keys():
                raise BrokerUnavailable(f"more than {ORDERS_PER_PAGE} open orders share one stamp")
            found |= new
            if is_last:
                return list(found.values())
            self._further()
            after = _after(new.values())

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
            self._further()
            token = {"page_token": page[-1].activity_id}
        of_day = (execution for execution in found.values() if trading_date(execution.at) == day)
        return sorted(of_day, key=lambda execution: (execution.at, execution.activity_id))

    def clock(self) -> BrokerClock:
        """The broker's time."""
        return self._read("/clock", wire.clock)

    def trading_day(self, day: date) -> TradingDay | None:
        """The core session of a date; None where there is none."""
        rows = self._read("/calendar", _rows, start=day.isoformat(), end=day.isoformat())
        with wire.reading("/calendar"):
            sessions = [wire.session(row) for row in rows if row["date"] == day.isoformat()]
        return sessions[0] if sessions else None

    def account(self) -> Account:
        """Money as the broker reads it now. Raises InvalidSettings where the account is of the other mode."""
        row = self._read("/account", dict)
        with wire.reading("/account"):
            told = wire.unborrowed_power(row)
            account = wire.account(row, self._cash_left(row) if told is None else told)
        if self._mode is not None:
            ensure_account_fits(account.number, self._mode)
        return account

    def positions(self) -> list[Position]:
        """All holdings."""
        return self._read("/positions", lambda rows: [wire.position(row) for row in _rows(rows)])

    def assets(self, symbols: Sequence[str]) -> dict[str, Asset]:
        """The listings of these symbols, in their order; an unknown one is absent.

        Many are looked up among all active ones, in one request. What is not there is asked for by name, as a few are,
        for only so does the broker say whether it knows them; beyond the first few in the order given it stays absent.
        Raises BrokerUnavailable where the listing lacks what the broker trades by name: then it proves nothing.
        """
        is_crowd = len(symbols) > FEW_ASSETS
        listed = self._active(frozenset(symbols)) if is_crowd else {}
        missing = [symbol for symbol in symbols if symbol not in listed]
        named = self._named(missing[:FEW_ASSETS], requests_before=int(is_crowd))
        if len(missing) > FEW_ASSETS and all(asset.is_tradable for asset in named.values()) and named:
            raise BrokerUnavailable(f"/assets: the listing lacks {', '.join(named)}")
        found = listed | named
        return {symbol: found[symbol] for symbol in symbols if symbol in found}

    def _cash_left(self, account: wire.Json) -> Decimal:
        self._further()
        return wire.cash_left(account, self.open_orders())

    def _active(self, symbols: Collection[str]) -> dict[str, Asset]:
        """Those of the symbols that are in the listing of all active shares; the other rows are not even read."""
        rows = self._read("/assets", _rows, status="active", asset_class="us_equity")
        with wire.reading("/assets"):
            return {row["symbol"]: wire.asset(row) for row in rows if row.get("symbol") in symbols}

    def _named(self, symbols: Sequence[str], requests_before: int) -> dict[str, Asset]:
        """The listings of symbols asked for one by one."""
        found = {}
        for before, symbol in enumerate(symbols, requests_before):
            if before:
                self._further()
            if (asset := self._find(f"/assets/{_segment(symbol)}", wire.asset)) is not None:
                found[symbol] = asset
        return found

    def _activities_page(self, bounds: dict[str, str]) -> list[Execution]:
        return self._read(
            "/account/activities/FILL",
            lambda rows: [wire.execution(row) for row in _rows(rows)],
            direction="asc",
            page_size=ACTIVITIES_PER_PAGE,
            **bounds,
        )

    def _find(self, path: str, read: Callable[[Any], Read], **params: object) -> Read | None:
        answer = self._calls.get(path, params)
        if isinstance(answer, Failure) and errors.is_absent(answer):
            return None
        return _value(path, answer, read)

    def _read(self, path: str, read: Callable[[Any], Read], **params: object) -> Read:
        return _value(path, self._calls.get(path, params), read)


def _value(path: str, answer: Answer, read: Callable[[Any], Read]) -> Read:
    if isinstance(answer, Failure):
        raise errors.unreadable(path, answer)
    with wire.reading(path):
        return read(answer.value)


def _accepted(answer: Body, client_order_id: str) -> Submission:
    """The broker's own word for the order; an answer that cannot be read, or is about another order, proves nothing."""
    try:
        report = _value("/orders", answer, wire.report)
    except BrokerUnavailable as error:
        return Unknown(reason=str(error))
    if report.client_order_id != client_order_id:
        return Unknown(reason=f"the answer is about order {report.client_order_id}")
    return Accepted(report=report)


def _after(page: Any) -> dict[str, str]:
    stamps = [order.submitted_at for order in page if order.submitted_at is not None]
    return {"after": (max(stamps) - timedelta(microseconds=1)).isoformat()} if stamps else {}


def _rows(value: Any) -> list[wire.Json]:
    if not isinstance(value, list):
        raise TypeError("the answer is not a list")
    return value


def _segment(text: str) -> str:
    return url_quote(text, safe="")
