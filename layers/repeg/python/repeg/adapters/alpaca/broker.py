"""The account at Alpaca: orders, fills, balances, listings and market hours."""

from __future__ import annotations

import copy
from collections.abc import Callable, Sequence
from datetime import date, datetime, time, timedelta
from typing import Any, TypeVar

from repeg.adapters.alpaca import account_parsing, errors, parsing
from repeg.adapters.alpaca.http import ACCOUNT, Api, Body, Failure
from repeg.adapters.alpaca.keys import TradingMode, ensure_account_fits
from repeg.adapters.alpaca.listings import listings
from repeg.adapters.alpaca.reads import find, path_segment, read, rows, value
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

# A page after a list's first is read at most this often. If every failure began the list anew, a list of 200 pages
# could not be read at all over a line on which one answer in twenty fails.
READS_OF_A_PAGE = 3

Page = TypeVar("Page")


class AlpacaBroker:
    """A Broker on Alpaca's trading API.

    `take_request` is called before every request of a call except the first; it may raise BrokerUnavailable to abort
    the call. If `mode` is given, `account` verifies that the account belongs to it. If `now`, our own clock, is given,
    no order is sent after its deadline.
    """

    def __init__(
        self,
        api: Api,
        take_request: Callable[[], None] = lambda: None,
        mode: TradingMode | None = None,
        now: Callable[[], datetime] | None = None,
    ) -> None:
        self._api = api
        self._take_request = take_request
        self._mode = mode
        self._now = now

    def for_closing(self) -> Broker:
        """Itself: it has no quota."""
        return self

    def for_account(self, number: str) -> Broker:
        """The same broker, which sends nothing with keys that open another account."""
        confined = copy.copy(self)
        confined._api = self._api.for_account(number)  # noqa: SLF001 - a copy of its own
        return confined

    def make_room(self, orders: int) -> int:
        """All of them: it has no quota."""
        return orders

    def has_room_for_hints(self, requests: int) -> bool:  # noqa: ARG002 - the port's
        """Always: it has no quota."""
        return True

    def submit(self, intent: Intent) -> Submission:
        """Send a DAY order, limit or market, with the intent's client order id. Never retried here."""
        answer = self._api.post("/orders", parsing.order_fields(intent), lambda: self._expired(intent))
        if isinstance(answer, Failure):
            return errors.submission(answer)
        return _accepted(answer, intent.client_order_id)

    def replace(self, broker_id: str, intent: Intent) -> Submission:
        """Replace an open order's limit, without sending a quantity; the replacement has the intent's client order id.
        Never retried here."""
        path, fields = f"/orders/{path_segment(broker_id)}", parsing.change_fields(intent)
        answer = self._api.patch(path, fields, lambda: self._expired(intent))
        if isinstance(answer, Failure):
            return errors.replacement(answer)
        return _accepted(answer, intent.client_order_id)

    def cancel(self, broker_id: str) -> CancelAnswer:
        """Request a cancel. The order is open until a read shows it as canceled."""
        answer = self._api.delete(f"/orders/{path_segment(broker_id)}")
        return errors.cancellation(answer) if isinstance(answer, Failure) else CancelAnswer.REQUESTED

    def order(self, client_order_id: str) -> OrderReport | None:
        """The order with that id, or None if the broker has none; a new order may take a while to appear."""
        found = find(self._api, "/orders:by_client_order_id", parsing.report, client_order_id=client_order_id)
        if found is not None and found.client_order_id != client_order_id:
            raise BrokerUnavailable(f"asked for order {client_order_id}, got {found.client_order_id}")
        return found

    def order_by_broker_id(self, broker_id: str) -> OrderReport | None:
        """The order with that broker id."""
        return find(self._api, f"/orders/{path_segment(broker_id)}", parsing.report)

    def open_orders(self) -> list[OrderReport]:
        """Every open order of the account, oldest first, over all pages. Raises like `_listed`."""
        return self._listed("open", {})

    def orders_since(self, day: date) -> list[OrderReport]:
        """Every order of the account submitted since a New York date began, oldest first. Raises like `_listed`."""
        begins = datetime.combine(day, time(0), NEW_YORK)
        return self._listed("all", {"after": (begins - timedelta(microseconds=1)).isoformat()})

    def executions(self, day: date) -> list[Execution]:
        """Every fill of a New York date, over all pages, oldest first."""
        begins = datetime.combine(day, time(0), NEW_YORK)
        bounds = {
            "after": (begins - timedelta(seconds=1)).isoformat(),
            "until": datetime.combine(day + timedelta(days=1), time(0, 0, 1), NEW_YORK).isoformat(),
        }
        found: dict[str, Execution] = {}
        page = self._activities_page(bounds)
        while True:
            found |= {execution.activity_id: execution for execution in page}
            if len(page) < ACTIVITIES_PER_PAGE:
                break
            following = {**bounds, "page_token": page[-1].activity_id}
            page = self._further_page(lambda: self._activities_page(following))  # noqa: B023 - called at once
        of_day = (execution for execution in found.values() if trading_date(execution.at) == day)
        return sorted(of_day, key=lambda execution: (execution.at, execution.activity_id))

    def clock(self) -> BrokerClock:
        """The broker's time."""
        return read(self._api, "/clock", parsing.clock)

    def trading_day(self, day: date) -> TradingDay | None:
        """The core session of a date; None if the market is closed that day."""
        listed = read(self._api, "/calendar", rows, start=day.isoformat(), end=day.isoformat())
        with parsing.reading("/calendar"):
            sessions = [parsing.session(row) for row in listed if row["date"] == day.isoformat()]
        return sessions[0] if sessions else None

    def account_number(self) -> str:
        """The number of the account that the keys open, read once for each key pair."""
        if known := self._api.known_account():
            return known
        self._take_request()
        return read(self._api, ACCOUNT, account_parsing.account_number)

    def account(self) -> Account:
        """The balances. Raises InvalidSettings if the account belongs to the other mode."""
        row = read(self._api, ACCOUNT, dict)
        with parsing.reading(ACCOUNT):
            unreserved = account_parsing.non_marginable_buying_power(row)
            account = self._account_after_buys() if unreserved is None else account_parsing.account(row, unreserved)
        if self._mode is not None:
            ensure_account_fits(account.number, self._mode)
        return account

    def forbids_shorting(self) -> bool:
        """Whether the account's configuration has `no_shorting`."""
        return read(self._api, "/account/configurations", account_parsing.forbids_shorting)

    def positions(self) -> list[Position]:
        """All holdings."""
        return read(self._api, "/positions", lambda found: [parsing.position(row) for row in rows(found)])

    def assets(self, symbols: Sequence[str]) -> dict[str, Asset]:
        """The listings of these symbols, in their order; an unknown one is absent."""
        return listings(self._api, symbols, self._take_request)

    def _listed(self, status: str, after: dict[str, str]) -> list[OrderReport]:
        """The account's orders of that status, oldest first, over all pages.

        Orders may share a timestamp, so each page starts a microsecond before the last one ended, and duplicates are
        dropped. Raises BrokerUnavailable if a full page holds no new order: some orders could then not be listed.
        """
        found: dict[str, OrderReport] = {}
        page = self._orders_page(status, after)
        while True:
            with parsing.reading("/orders"):
                new = {order.broker_id: order for order in parsing.reports(page)}
            is_last = len(page) < ORDERS_PER_PAGE
            if not is_last and new.keys() <= found.keys():
                raise BrokerUnavailable(f"more than {ORDERS_PER_PAGE} orders share one timestamp")
            found |= new
            if is_last:
                return list(found.values())
            following = _next_page(new.values())
            page = self._further_page(lambda: self._orders_page(status, following))  # noqa: B023 - called at once

    def _further_page(self, read_page: Callable[[], Page]) -> Page:
        """A page after a list's first, read again if it fails. Raises BrokerUnavailable if it fails every time."""
        for _ in range(READS_OF_A_PAGE - 1):
            self._take_request()
            try:
                return read_page()
            except BrokerUnavailable:
                continue
        self._take_request()
        return read_page()

    def _orders_page(self, status: str, after: dict[str, str]) -> list[Any]:
        return read(self._api, "/orders", rows, status=status, direction="asc", limit=ORDERS_PER_PAGE, **after)

    def _expired(self, intent: Intent) -> str:
        return "" if self._now is None else intent.expired_at(self._now())

    def _account_after_buys(self) -> Account:
        """The balances less the open buys. The cash is read after the orders: a buy that fills in between is then
        counted twice rather than not at all."""
        self._take_request()
        orders = self.open_orders()
        self._take_request()
        row = read(self._api, ACCOUNT, dict)
        return account_parsing.account(row, account_parsing.cash_after_buys(row, orders))

    def _activities_page(self, bounds: dict[str, str]) -> list[Execution]:
        return read(
            self._api,
            "/account/activities/FILL",
            lambda found: [parsing.execution(row) for row in rows(found)],
            direction="asc",
            page_size=ACTIVITIES_PER_PAGE,
            **bounds,
        )


def _accepted(answer: Body, client_order_id: str) -> Submission:
    """The accepted order; Unknown if the answer cannot be parsed or is about another order."""
    try:
        report = value("/orders", answer, parsing.report)
    except BrokerUnavailable as error:
        return Unknown(reason=str(error))
    if report.client_order_id != client_order_id:
        return Unknown(reason=f"the answer is about order {report.client_order_id}")
    return Accepted(report=report)


def _next_page(page: Any) -> dict[str, str]:
    timestamps = [order.submitted_at for order in page if order.submitted_at is not None]
    return {"after": (max(timestamps) - timedelta(microseconds=1)).isoformat()} if timestamps else {}
