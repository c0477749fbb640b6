"""The request quota: within the rate limit in any sixty seconds, with a share reserved for cancels."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from itertools import cycle, repeat
from typing import Any, cast

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from repeg.adapters.rate_limited_broker import RateLimitedBroker
from repeg.adapters.rate_limited_broker import rate_limited as rate_limited_by_page
from repeg.adapters.request_limiter import RequestLimiter
from repeg.domain.broker import CancelAnswer, Submission, Unknown
from repeg.domain.errors import BrokerUnavailable, StoreUnavailable
from repeg.domain.intent import Intent
from repeg.domain.request_quota import BUCKET_SECONDS, LEASE, Quota, bucket_of
from repeg.domain.run import KillSwitch
from repeg.ports import Broker, Store
from repeg_workbench.twins.memory_store import MemoryStore
from tests.builders import NOON, after_noon
from tests.contracts.words import an_intent, an_order

PER_MINUTE = 200
EACH_BUCKET = PER_MINUTE // 8


@dataclass
class Clock:
    """A runtime whose pauses advance its clock."""

    at: datetime = NOON
    pauses: list[float] = field(default_factory=list)

    def now(self) -> datetime:
        return self.at

    def pause(self, seconds: float) -> None:
        self.pauses.append(seconds)
        self.at += timedelta(seconds=seconds)


@dataclass
class Desk:
    """A broker that records each call's arrival time, which is delayed by the next latency."""

    clock: Clock
    latencies: Iterator[float] = field(default_factory=lambda: repeat(0.0))
    reached: list[datetime] = field(default_factory=list)

    def submit(self, intent: Intent) -> Submission:
        self._record_arrival()
        return Unknown(reason="no answer")

    def cancel(self, broker_id: str) -> CancelAnswer:
        self._record_arrival()
        return CancelAnswer.REQUESTED

    def order(self, client_order_id: str) -> None:
        self._record_arrival()

    def order_by_broker_id(self, broker_id: str) -> None:
        self._record_arrival()

    def open_orders(self) -> list[Any]:
        self._record_arrival()
        return []

    def positions(self) -> list[Any]:
        self._record_arrival()
        return []

    def _record_arrival(self) -> None:
        self.reached.append(self.clock.at + timedelta(seconds=next(self.latencies)))


class UnavailableStore(MemoryStore):
    """A store that does not answer."""

    def lease_requests(self, bucket: str, count: int, most: int) -> bool:
        raise StoreUnavailable("no answer in time")


def rate_limited(
    clock: Clock, store: Store | None = None, per_minute: int = PER_MINUTE, latencies: Iterator[float] | None = None
) -> tuple[RateLimitedBroker, Desk]:
    desk = Desk(clock, latencies or repeat(0.0))
    meter = RequestLimiter(store or MemoryStore(), cast("Any", clock), per_minute)
    return RateLimitedBroker(cast("Broker", desk), meter), desk


def reads_until_refused(broker: RateLimitedBroker) -> int:
    for count in range(10_000):
        try:
            broker.positions()
        except BrokerUnavailable:
            return count
    raise AssertionError("the quota is never exhausted")


def submit(broker: RateLimitedBroker) -> Submission:
    return broker.submit(an_intent(an_order()))


def busiest_minute(calls: list[datetime]) -> int:
    """The largest number of calls in any sixty seconds."""
    minute = timedelta(seconds=60)
    return max(sum(start <= call < start + minute for call in calls) for start in calls)


def call(broker: RateLimitedBroker, kind: str) -> None:
    if kind == "submit":
        submit(broker)
    elif kind == "cancel":
        broker.cancel("1")
    else:
        broker.positions()


BURSTS = st.tuples(st.sampled_from(["read", "submit", "cancel"]), st.integers(1, 60), st.integers(0, 25))
UNDER_WAY = st.lists(st.sampled_from([0.0, 0.05, 1.0, 2.5, 5.0]), min_size=1, max_size=40)


@given(st.lists(BURSTS, max_size=25), st.integers(0, 9_999), UNDER_WAY)
@example([("cancel", 9, 5), *[("cancel", 9, 10)] * 5, ("cancel", 9, 9)], 9_500, [5.0] * 9 + [0.0] * 31)
def test_requests_in_any_sixty_seconds_stay_within_the_rate_limit(
    bursts: list[tuple[str, int, int]], milliseconds: int, latencies: list[float]
) -> None:
    """Counted on arrival at the broker, up to five seconds after the lease."""
    clock, store = Clock(NOON + timedelta(milliseconds=milliseconds)), MemoryStore()
    under_way = cycle(latencies)
    containers = [rate_limited(clock, store, per_minute=63, latencies=under_way) for _ in range(2)]
    for kind, count, pause in [*bursts, ("cancel", 60, 0)]:
        for number in range(count):
            with suppress(BrokerUnavailable):
                call(containers[number % 2][0], kind)
        clock.at += timedelta(seconds=pause)
    assert busiest_minute(containers[0][1].reached + containers[1][1].reached) <= 63


def test_constant_demand_uses_the_whole_quota() -> None:
    """Shows that the test above does not pass merely because few requests are sent."""
    clock = Clock()
    broker, desk = rate_limited(clock)
    while clock.at < after_noon(120):
        broker.cancel("1")
    assert busiest_minute(desk.reached) == 6 * EACH_BUCKET


def test_a_call_is_dropped_after_two_exhausted_buckets() -> None:
    clock = Clock()
    broker, desk = rate_limited(clock, per_minute=8)  # one request a bucket, none of it for a lease of four
    with pytest.raises(BrokerUnavailable, match="quota is exhausted"):
        broker.positions()
    assert desk.reached == []
    assert [round(pause) for pause in clock.pauses] == [BUCKET_SECONDS, BUCKET_SECONDS]


def test_a_wait_ends_in_the_next_bucket() -> None:
    clock = Clock(after_noon(3.25))
    store = MemoryStore()
    store.lease_requests(bucket_of(clock.at), EACH_BUCKET, EACH_BUCKET)
    broker, desk = rate_limited(clock, store)
    broker.positions()
    assert bucket_of(desk.reached[0]) == bucket_of(after_noon(10))
    assert clock.pauses == [pytest.approx(6.751)]


@dataclass
class SlowStore(MemoryStore):
    """A table whose answers take a while."""

    clock: Clock
    takes: timedelta

    def __post_init__(self) -> None:
        super().__init__()

    def lease_requests(self, bucket: str, count: int, most: int) -> bool:
        self.clock.at += self.takes
        return super().lease_requests(bucket, count, most)


@pytest.mark.parametrize("quota", Quota)
def test_a_bucket_that_began_while_the_table_was_asked_is_not_waited_out(quota: Quota) -> None:
    """The old bucket is found exhausted 7 milliseconds after its end."""
    clock = Clock(after_noon(9.995))
    store = SlowStore(clock, timedelta(milliseconds=4))
    MemoryStore.lease_requests(store, bucket_of(clock.at), EACH_BUCKET, EACH_BUCKET)
    limiter = RequestLimiter(store, cast("Any", clock), PER_MINUTE)
    assert limiter.acquire(quota)
    assert clock.at < after_noon(10.1)


def test_many_requests_do_not_wait_out_a_bucket_that_has_begun() -> None:
    clock = Clock(after_noon(9.995))
    store = SlowStore(clock, timedelta(milliseconds=4))
    MemoryStore.lease_requests(store, bucket_of(clock.at), EACH_BUCKET, EACH_BUCKET)
    assert RequestLimiter(store, cast("Any", clock), PER_MINUTE).lease_ahead(Quota.ORDINARY, 8) == 8
    assert clock.at < after_noon(10.1)


@dataclass
class HaltingClock(Clock):
    """A clock during whose pauses the kill switch is set."""

    store: MemoryStore = field(default_factory=MemoryStore)

    def pause(self, seconds: float) -> None:
        super().pause(seconds)
        self.store.set_kill_switch(KillSwitch.HALT_NEW)


def test_an_order_that_waited_for_the_quota_is_not_sent_under_a_kill_switch() -> None:
    clock = HaltingClock(after_noon(3))
    broker, desk = rate_limited(clock, clock.store)
    clock.store.lease_requests(bucket_of(clock.at), EACH_BUCKET, EACH_BUCKET)
    answer = submit(broker)
    assert isinstance(answer, Unknown)
    assert "kill switch" in answer.reason
    assert desk.reached == []


def test_an_order_that_waited_for_the_quota_is_sent_while_the_switch_is_off() -> None:
    clock, store = Clock(after_noon(3)), MemoryStore()
    broker, desk = rate_limited(clock, store)
    store.lease_requests(bucket_of(clock.at), EACH_BUCKET, EACH_BUCKET)
    submit(broker)
    assert len(desk.reached) == 1


def test_reads_and_orders_cannot_use_the_quota_reserved_for_cancels() -> None:
    clock = Clock()
    clock.pause = lambda seconds: None  # type: ignore[method-assign] # the clock stands still, so only this bucket exists
    broker, desk = rate_limited(clock)
    reads = reads_until_refused(broker)
    assert reads <= int(EACH_BUCKET * Decimal("0.84"))
    assert isinstance(submit(broker), Unknown)
    assert len(desk.reached) == reads
    answers = [broker.cancel("1") for _ in range(EACH_BUCKET)]
    assert answers.count(CancelAnswer.REQUESTED) == EACH_BUCKET - reads > 0
    assert answers[-1] is CancelAnswer.UNSENT


class CountingStore(MemoryStore):
    """A store that counts the leases taken."""

    leases = 0

    def lease_requests(self, bucket: str, count: int, most: int) -> bool:
        self.leases += 1
        return super().lease_requests(bucket, count, most)


def test_a_cancel_and_its_confirming_read_take_one_lease() -> None:
    store = CountingStore()
    broker, desk = rate_limited(Clock(), store)
    broker.cancel("1")
    broker.order("1")
    assert (store.leases, len(desk.reached)) == (1, 2)
    broker.order("1")
    assert store.leases == 2


def test_the_last_request_of_a_bucket_is_a_cancels() -> None:
    clock, store = Clock(), MemoryStore()
    broker, desk = rate_limited(clock, store)
    store.lease_requests(bucket_of(clock.at), EACH_BUCKET - 1, EACH_BUCKET)
    assert broker.cancel("1") is CancelAnswer.REQUESTED
    assert (len(desk.reached), clock.pauses) == (1, [])


def test_an_ordinary_request_cannot_use_what_was_leased_with_a_cancel() -> None:
    clock, store = Clock(), MemoryStore()
    stand_still(clock)
    broker, desk = rate_limited(clock, store)
    store.lease_requests(bucket_of(clock.at), EACH_BUCKET - 2, EACH_BUCKET)
    broker.cancel("1")
    with pytest.raises(BrokerUnavailable):
        broker.positions()
    broker.order("1")
    assert len(desk.reached) == 2


def stand_still(clock: Clock) -> None:
    """Stop the clock, so that only this bucket exists."""
    clock.pause = lambda seconds: None  # type: ignore[method-assign]


@pytest.mark.parametrize("name", ["order", "order_by_broker_id"])
def test_a_cancels_confirming_read_may_use_the_reserved_quota(name: str) -> None:
    clock = Clock()
    stand_still(clock)
    broker, desk = rate_limited(clock)
    reads_until_refused(broker)
    broker.cancel("1")
    spent = len(desk.reached)
    getattr(broker, name)("1")
    assert len(desk.reached) == spent + 1


@pytest.mark.parametrize("name", ["open_orders", "positions"])
def test_closing_reads_may_use_the_reserved_quota(name: str) -> None:
    clock = Clock()
    stand_still(clock)
    broker, desk = rate_limited(clock)
    reads = reads_until_refused(broker)
    closing = broker.for_closing()
    while len(desk.reached) < EACH_BUCKET:
        getattr(closing, name)()
    assert len(desk.reached) > reads
    with pytest.raises(BrokerUnavailable):
        getattr(closing, name)()


def test_closing_reads_are_sent_while_the_table_is_down() -> None:
    broker, desk = rate_limited(Clock(), UnavailableStore())
    with pytest.raises(StoreUnavailable):
        broker.open_orders()
    assert broker.for_closing().open_orders() == []
    assert len(desk.reached) == 1


def test_each_page_of_an_answer_takes_a_request() -> None:
    store, clock = MemoryStore(), Clock()
    stand_still(clock)
    meter = RequestLimiter(store, cast("Any", clock), PER_MINUTE)
    broker = rate_limited_by_page(lambda further: cast("Broker", Book(further, pages=8)), meter)
    broker.positions()
    assert not store.lease_requests(bucket_of(NOON), EACH_BUCKET - 7, EACH_BUCKET)
    broker.positions()
    with pytest.raises(BrokerUnavailable, match="quota is exhausted"):
        broker.positions()
    broker.for_closing().open_orders()


@dataclass
class Book:
    """A broker whose answers have pages."""

    further: Callable[[], None]
    pages: int

    def positions(self) -> list[Any]:
        for _ in range(self.pages - 1):
            self.further()
        return []

    def open_orders(self) -> list[Any]:
        self.further()
        return []


def test_an_order_without_quota_is_unknown_and_not_sent() -> None:
    broker, desk = rate_limited(Clock(), per_minute=8)
    answer = submit(broker)
    assert isinstance(answer, Unknown)
    assert "not sent" in answer.reason
    assert desk.reached == []


def test_a_store_outage_stops_reads_and_orders_but_no_cancel() -> None:
    broker, desk = rate_limited(Clock(), UnavailableStore())
    with pytest.raises(StoreUnavailable):
        broker.positions()
    assert isinstance(submit(broker), Unknown)
    assert desk.reached == []
    assert broker.cancel("1") is CancelAnswer.REQUESTED


def test_a_lease_is_used_up_before_the_next_one() -> None:
    store, clock = MemoryStore(), Clock()
    broker, desk = rate_limited(clock, store)
    for _ in range(LEASE):
        broker.positions()
    assert len(desk.reached) == LEASE
    assert store.lease_requests(bucket_of(NOON), EACH_BUCKET - LEASE, EACH_BUCKET)
    assert not store.lease_requests(bucket_of(NOON), 1, EACH_BUCKET)


def test_a_lease_expires_with_its_bucket() -> None:
    store, clock = MemoryStore(), Clock()
    broker, _ = rate_limited(clock, store)
    broker.positions()
    clock.at = after_noon(BUCKET_SECONDS)
    broker.positions()
    assert not store.lease_requests(bucket_of(clock.at), EACH_BUCKET - LEASE + 1, EACH_BUCKET)


@pytest.mark.parametrize(("seconds", "begins"), [(0, 0), (9.999, 0), (10, 10), (59.5, 50)])
def test_a_bucket_covers_ten_seconds(seconds: float, begins: int) -> None:
    assert bucket_of(after_noon(seconds)) == datetime(2026, 11, 23, 17, 0, begins, tzinfo=UTC).isoformat()
