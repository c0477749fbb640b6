"""A Broker that takes every request from the account's quota before it is sent."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import date
from typing import TypeVar

from repeg.adapters.request_limiter import EXHAUSTED, RequestLimiter
from repeg.domain.broker import Account, Asset, BrokerClock, CancelAnswer, Execution, Position, Submission, Unknown
from repeg.domain.child_order import OrderReport
from repeg.domain.errors import BrokerUnavailable, StoreUnavailable
from repeg.domain.intent import Intent
from repeg.domain.request_quota import Quota
from repeg.domain.session import TradingDay
from repeg.domain.time_limits import CLOSING_READ_PAUSES, FAILS_AT_ONCE, SWITCH_AGE
from repeg.ports import Broker

Result = TypeVar("Result")


class RateLimitedBroker:
    """A Broker whose requests draw on the account's quota. If none is granted, a read raises BrokerUnavailable and a
    write returns Unknown that says that nothing was sent: its order is decided anew.

    `quota` is for the lists, the clock and the account; cancels and reads of one order always use the reserved quota.
    On the reserved quota, which is the closing steps', a read that fails at once is repeated: nobody else closes the
    run's orders for minutes.
    `closing` is the broker for the closing step; by default this one's inner broker on the reserved quota.
    """

    def __init__(
        self, broker: Broker, limiter: RequestLimiter, quota: Quota = Quota.ORDINARY, closing: Broker | None = None
    ) -> None:
        self._broker = broker
        self._limiter = limiter
        self._quota = quota
        self._closing = closing

    def for_closing(self) -> Broker:
        """The same account on the reserved quota."""
        return self._closing or RateLimitedBroker(self._broker, self._limiter, Quota.RESERVED)

    def for_account(self, number: str) -> Broker:
        """The same broker and quota, for one account only."""
        closing = None if self._closing is None else self._closing.for_account(number)
        return RateLimitedBroker(self._broker.for_account(number), self._limiter, self._quota, closing)

    def account_number(self) -> str:
        """The account's number, which is read once for each key pair; the inner broker takes that request."""
        return self._broker.account_number()

    def make_room(self, orders: int) -> int:
        """Lease the requests of up to so many orders, waiting for the next bucket if this one has none.

        All of them during an outage of the table: no intent can be written then, and each order says so.
        """
        try:
            return self._limiter.lease_ahead(Quota.ORDINARY, orders)
        except StoreUnavailable:
            return orders

    def has_room_for_hints(self, requests: int) -> bool:
        """Lease the requests of reads that hints ask for, if this bucket has them to spare beside those of a turn and
        of cancels; none during an outage of the table."""
        try:
            return self._limiter.lease_for_hints(requests)
        except StoreUnavailable:
            return False

    def submit(self, intent: Intent) -> Submission:
        """Send an order, unless its deadline has passed or the kill switch was set while it waited for a request."""
        return self._write(intent, lambda: self._broker.submit(intent))

    def replace(self, broker_id: str, intent: Intent) -> Submission:
        """Replace an order, unless the deadline has passed or the kill switch was set while it waited for a request."""
        return self._write(intent, lambda: self._broker.replace(broker_id, intent))

    def cancel(self, broker_id: str) -> CancelAnswer:
        """Request a cancel, from the reserved quota, together with the read that confirms it."""
        is_granted = self._limiter.acquire(Quota.RESERVED, following=1)
        return self._broker.cancel(broker_id) if is_granted else CancelAnswer.UNSENT

    def order(self, client_order_id: str) -> OrderReport | None:
        """The order with that client order id, from the reserved quota."""
        return self._read(lambda: self._broker.order(client_order_id), Quota.RESERVED)

    def order_by_broker_id(self, broker_id: str) -> OrderReport | None:
        """The order with that broker id, from the reserved quota."""
        return self._read(lambda: self._broker.order_by_broker_id(broker_id), Quota.RESERVED)

    def open_orders(self) -> list[OrderReport]:
        """Every open order."""
        return self._read(self._broker.open_orders)

    def orders_since(self, day: date) -> list[OrderReport]:
        """Every order since a date began."""
        return self._read(lambda: self._broker.orders_since(day))

    def executions(self, day: date) -> list[Execution]:
        """Every fill of a date."""
        return self._read(lambda: self._broker.executions(day))

    def clock(self) -> BrokerClock:
        """The broker's time."""
        return self._read(self._broker.clock)

    def trading_day(self, day: date) -> TradingDay | None:
        """The session of a date."""
        return self._read(lambda: self._broker.trading_day(day))

    def account(self) -> Account:
        """The account's balances."""
        return self._read(self._broker.account)

    def forbids_shorting(self) -> bool:
        """Whether the account's configuration forbids short sales."""
        return self._read(self._broker.forbids_shorting)

    def positions(self) -> list[Position]:
        """All holdings."""
        return self._read(self._broker.positions)

    def assets(self, symbols: Sequence[str]) -> dict[str, Asset]:
        """The listings of these symbols."""
        return self._read(lambda: self._broker.assets(symbols))

    def _read(self, request: Callable[[], Result], quota: Quota | None = None) -> Result:
        for pause in CLOSING_READ_PAUSES if self._quota is Quota.RESERVED else ():
            self._limiter.require(quota or self._quota)
            began = self._limiter.now
            try:
                return request()
            except BrokerUnavailable:
                if self._limiter.now - began > FAILS_AT_ONCE:
                    raise
            self._limiter.pause(pause)
        self._limiter.require(quota or self._quota)
        return request()

    def _write(self, intent: Intent, request: Callable[[], Submission]) -> Submission:
        try:
            is_granted = self._limiter.acquire(Quota.ORDINARY, until=intent.not_after)
            # The intent's transaction has read the kill switch, which may have been set before it was answered, or
            # while a request was waited for.
            if is_granted and intent.is_older_than(SWITCH_AGE, self._limiter.now) and self._limiter.is_halted:
                return _unsent("the kill switch was set while the order waited to be sent")
        except StoreUnavailable as error:
            return _unsent(str(error))
        if not is_granted:
            return _unsent(EXHAUSTED)
        expired = intent.expired_at(self._limiter.now)
        return _unsent(expired) if expired else request()


def _unsent(why: str) -> Unknown:
    return Unknown(reason=f"not sent: {why}", was_sent=False)


def rate_limited(build: Callable[[Callable[[], None]], Broker], limiter: RequestLimiter) -> RateLimitedBroker:
    """A rate-limited Broker whose calls may take several requests, such as the pages of a list.

    `build` makes the inner broker; its argument is a function that the broker calls before each further request.
    """

    def on_quota(quota: Quota) -> Broker:
        return build(lambda: limiter.require(quota))

    closing = RateLimitedBroker(on_quota(Quota.RESERVED), limiter, Quota.RESERVED)
    return RateLimitedBroker(on_quota(Quota.ORDINARY), limiter, closing=closing)
