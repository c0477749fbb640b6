"""The account's request budget: every call to the broker takes its share first, and some is kept for ending runs.

The broker counts what arrives in any sixty seconds; we count what we let go. Time is cut into buckets of ten seconds
that give an eighth of a minute's requests each. What arrives within sixty seconds was let go within seventy, as long as
a request's way and the difference of our clocks do not come to more than ten together; and no seventy seconds touch
more than eight buckets. Not counted are the one repetition of a read whose connection had died, the one after a change
of keys, and what goes unasked while the table does not answer (see `Share`); the eighth not used in most minutes is
room for them.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from datetime import date, datetime, timedelta
from decimal import Decimal
from enum import StrEnum
from typing import TypeVar

from repeg.domain.broker import Account, Asset, BrokerClock, CancelAnswer, Execution, Position, Submission, Unknown
from repeg.domain.child_order import OrderReport
from repeg.domain.errors import BrokerUnavailable, StoreUnavailable
from repeg.domain.parent_order import Intent
from repeg.domain.session import TradingDay
from repeg.ports import Broker, Runtime, Store

Answer = TypeVar("Answer")

BUCKET_SECONDS = 10
BUCKETS_TOUCHED = 8

# What only the kept share may use.
RESERVED_FOR_CLOSING = Decimal("0.2")

# Requests are leased a few at a time: a write to the table for each would cost more than the request.
LEASE = 4

# A caller waits for the next bucket at most so often; then the call is not made.
MOST_WAITS = 2


class Quota(StrEnum):
    """What a request is for. A cancel and the read that confirms it draw on the reserved quota, and so does every
    request that ends a run: they may use the whole bucket, and they never wait for a table that does not answer,
    because they only ever make the account safer."""

    ORDINARY = "ordinary"
    RESERVED = "reserved"


class RequestLimiter:
    """Hands out requests from the account's shared budget, `per_minute` in any sixty seconds."""

    def __init__(self, store: Store, runtime: Runtime, per_minute: int) -> None:
        self._store = store
        self._runtime = runtime
        self._most = per_minute // BUCKETS_TOUCHED
        self._left: dict[str, int] = {}
        self._lock = threading.Lock()

    @property
    def now(self) -> datetime:
        """Our clock."""
        return self._runtime.now()

    def take(self, share: Quota) -> bool:
        """Take one request, waiting for the next bucket if this one is spent; whether there was one.

        Raises StoreUnavailable for an ordinary one where the table does not answer.
        """
        try:
            return self._wait_for(share)
        except StoreUnavailable:
            if share is Quota.ORDINARY:
                raise
            return True

    def ensure(self, share: Quota) -> None:
        """Take one request. Raises BrokerUnavailable where there is none."""
        if not self.take(share):
            raise BrokerUnavailable("the account's request budget is spent")

    def _wait_for(self, share: Quota) -> bool:
        for wait in range(MOST_WAITS + 1):
            if wait:
                self._runtime.pause(self._until_next())
            bucket = bucket_of(self._runtime.now())
            if self._from_lease(bucket) or self._lease(bucket, share):
                return True
        return False

    def _from_lease(self, bucket: str) -> bool:
        with self._lock:
            left = self._left.get(bucket, 0)
            self._left = {bucket: left - 1} if left else {}
            return left > 0

    def _lease(self, bucket: str, share: Quota) -> bool:
        is_kept = share is Quota.RESERVED
        most = self._most if is_kept else int(self._most * (1 - RESERVED_FOR_CLOSING))
        size = 1 if is_kept else LEASE
        if not self._store.lease_requests(bucket, size, most):
            return False
        with self._lock:
            self._left = {bucket: self._left.get(bucket, 0) + size - 1}
        return True

    def _until_next(self) -> float:
        now = self._runtime.now()
        return BUCKET_SECONDS - (now.timestamp() % BUCKET_SECONDS) + 0.001


class RateLimitedBroker:
    """A Broker whose calls take from the budget first. A read without a request raises BrokerUnavailable; a write that
    could not be sent is unknown like any other: it is looked up, and sent again under the same id.

    `share` is what its reads of lists and of the clock take from; a cancel and a read of one order always take from
    what is kept. `closing` is the broker for whoever ends a run, where it is not this one on the kept share.
    """

    def __init__(
        self, broker: Broker, meter: RequestLimiter, share: Quota = Quota.ORDINARY, closing: Broker | None = None
    ) -> None:
        self._broker = broker
        self._meter = meter
        self._share = share
        self._closing = closing

    def for_closing(self) -> Broker:
        """The same account on the share that is kept."""
        return self._closing or RateLimitedBroker(self._broker, self._meter, Quota.RESERVED)

    def submit(self, intent: Intent) -> Submission:
        """Send an order, unless its time has passed while a request was waited for."""
        return self._write(intent, lambda: self._broker.submit(intent))

    def replace(self, broker_id: str, intent: Intent) -> Submission:
        """Move an order, unless the time for it has passed while a request was waited for."""
        return self._write(intent, lambda: self._broker.replace(broker_id, intent))

    def cancel(self, broker_id: str) -> CancelAnswer:
        """Ask for a cancel, from the share that is kept for it."""
        return self._broker.cancel(broker_id) if self._meter.take(Quota.RESERVED) else CancelAnswer.UNKNOWN

    def order(self, client_order_id: str) -> OrderReport | None:
        """The order of that id."""
        self._meter.ensure(Quota.RESERVED)
        return self._broker.order(client_order_id)

    def order_by_broker_id(self, broker_id: str) -> OrderReport | None:
        """The order of that broker id."""
        self._meter.ensure(Quota.RESERVED)
        return self._broker.order_by_broker_id(broker_id)

    def open_orders(self) -> list[OrderReport]:
        """Every open order."""
        return self._read(self._broker.open_orders)

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
        """Money."""
        return self._read(self._broker.account)

    def positions(self) -> list[Position]:
        """Holdings."""
        return self._read(self._broker.positions)

    def assets(self, symbols: Sequence[str]) -> dict[str, Asset]:
        """Listings."""
        return self._read(lambda: self._broker.assets(symbols))

    def _read(self, call: Callable[[], Answer]) -> Answer:
        self._meter.ensure(self._share)
        return call()

    def _write(self, intent: Intent, call: Callable[[], Submission]) -> Submission:
        try:
            is_granted = self._meter.take(Quota.ORDINARY)
        except StoreUnavailable as error:
            return Unknown(reason=f"not sent: {error}")
        if not is_granted:
            return Unknown(reason="not sent: the account's request budget is spent")
        if intent.not_after is not None and self._meter.now > intent.not_after:
            return Unknown(reason=f"not sent: it was to leave before {intent.not_after.isoformat()}")
        return call()


def rate_limited(build: Callable[[Callable[[], None]], Broker], meter: RequestLimiter) -> RateLimitedBroker:
    """A metered broker whose answers may have pages: `build` makes it, and is given what has to be called before each
    request of a call but the first."""

    def one(share: Quota) -> Broker:
        return build(lambda: meter.ensure(share))

    closing = RateLimitedBroker(one(Quota.RESERVED), meter, Quota.RESERVED)
    return RateLimitedBroker(one(Quota.ORDINARY), meter, closing=closing)


def bucket_of(now: datetime) -> str:
    """The bucket of an instant, by its beginning."""
    begins = now - timedelta(seconds=now.timestamp() % BUCKET_SECONDS)
    return begins.replace(microsecond=0).isoformat()
