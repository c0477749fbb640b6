"""The request budget: never over the limit in any sixty seconds, and a share that only cancels may use."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any, cast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from repeg.broker import CancelAnswer, Submission, Unknown
from repeg.errors import BrokerUnavailable, StoreUnavailable
from repeg.metering import BUCKET_SECONDS, LEASE, MeteredBroker, RequestMeter, bucket_of
from repeg.order import Intent
from repeg.ports import Broker, Store
from tests.builders import NOON, after_noon
from tests.contracts.words import an_intent, an_order
from workbench.twins.memory_store import MemoryStore

PER_MINUTE = 200
EACH_BUCKET = PER_MINUTE // 7


@dataclass
class Clock:
    """A runtime whose pauses only move its hands."""

    at: datetime = NOON
    pauses: list[float] = field(default_factory=list)

    def now(self) -> datetime:
        return self.at

    def pause(self, seconds: float) -> None:
        self.pauses.append(seconds)
        self.at += timedelta(seconds=seconds)


@dataclass
class Desk:
    """A broker that notes when each call reached it."""

    clock: Clock
    reached: list[datetime] = field(default_factory=list)

    def submit(self, intent: Intent) -> Submission:
        self.reached.append(self.clock.at)
        return Unknown(reason="no answer")

    def cancel(self, broker_id: str) -> CancelAnswer:
        self.reached.append(self.clock.at)
        return CancelAnswer.REQUESTED

    def positions(self) -> list[Any]:
        self.reached.append(self.clock.at)
        return []


class Deaf(MemoryStore):
    """A store that does not answer."""

    def lease_requests(self, bucket: str, count: int, most: int) -> bool:
        raise StoreUnavailable("no answer in time")


def metered(clock: Clock, store: Store | None = None, per_minute: int = PER_MINUTE) -> tuple[MeteredBroker, Desk]:
    desk = Desk(clock)
    meter = RequestMeter(store or MemoryStore(), cast("Any", clock), per_minute)
    return MeteredBroker(cast("Broker", desk), meter), desk


def reads_until_refused(broker: MeteredBroker) -> int:
    for count in range(10_000):
        try:
            broker.positions()
        except BrokerUnavailable:
            return count
    raise AssertionError("the budget is never spent")


def submit(broker: MeteredBroker) -> Submission:
    return broker.submit(an_intent(an_order()))


def busiest_minute(calls: list[datetime]) -> int:
    """The most calls that any sixty seconds saw."""
    minute = timedelta(seconds=60)
    return max(sum(start <= call < start + minute for call in calls) for start in calls)


def call(broker: MeteredBroker, kind: str) -> None:
    if kind == "submit":
        submit(broker)
    elif kind == "cancel":
        broker.cancel("1")
    else:
        broker.positions()


BURSTS = st.tuples(st.sampled_from(["read", "submit", "cancel"]), st.integers(1, 60), st.integers(0, 25))


@given(st.lists(BURSTS, max_size=25), st.integers(0, 9_999))
def test_no_sixty_seconds_see_more_requests_than_the_account_has(
    bursts: list[tuple[str, int, int]], milliseconds: int
) -> None:
    clock, store = Clock(NOON + timedelta(milliseconds=milliseconds)), MemoryStore()
    containers = [metered(clock, store, per_minute=63) for _ in range(2)]
    for kind, count, pause in [*bursts, ("cancel", 60, 0)]:
        for number in range(count):
            with suppress(BrokerUnavailable):
                call(containers[number % 2][0], kind)
        clock.at += timedelta(seconds=pause)
    assert busiest_minute(containers[0][1].reached + containers[1][1].reached) <= 63


def test_a_budget_that_is_always_wanted_is_used_up() -> None:
    """The bound of the test above is not kept by sending next to nothing."""
    clock = Clock()
    broker, desk = metered(clock)
    while clock.at < after_noon(120):
        broker.cancel("1")
    assert busiest_minute(desk.reached) == 6 * EACH_BUCKET


def test_a_spent_bucket_is_waited_for_twice_and_then_the_call_is_not_made() -> None:
    clock = Clock()
    broker, desk = metered(clock, per_minute=7)  # one request a bucket, none of it for a lease of four
    with pytest.raises(BrokerUnavailable, match="budget is spent"):
        broker.positions()
    assert desk.reached == []
    assert [round(pause) for pause in clock.pauses] == [BUCKET_SECONDS, BUCKET_SECONDS]


def test_a_wait_ends_in_the_next_bucket_and_not_before_it() -> None:
    clock = Clock(after_noon(3.25))
    store = MemoryStore()
    store.lease_requests(bucket_of(clock.at), EACH_BUCKET, EACH_BUCKET)
    broker, desk = metered(clock, store)
    broker.positions()
    assert bucket_of(desk.reached[0]) == bucket_of(after_noon(10))
    assert clock.pauses == [pytest.approx(6.751)]


def test_what_is_kept_for_cancels_no_read_and_no_order_gets() -> None:
    clock = Clock()
    clock.pause = lambda seconds: None  # type: ignore[method-assign] # time stands still: this bucket is all there is
    broker, desk = metered(clock)
    reads = reads_until_refused(broker)
    assert reads <= int(EACH_BUCKET * Decimal("0.8"))
    assert isinstance(submit(broker), Unknown)
    assert len(desk.reached) == reads
    answers = [broker.cancel("1") for _ in range(EACH_BUCKET)]
    assert answers.count(CancelAnswer.REQUESTED) == EACH_BUCKET - reads > LEASE
    assert answers[-1] is CancelAnswer.UNKNOWN


def test_an_order_without_a_request_is_unknown_and_was_never_sent() -> None:
    broker, desk = metered(Clock(), per_minute=7)
    answer = submit(broker)
    assert isinstance(answer, Unknown)
    assert "not sent" in answer.reason
    assert desk.reached == []


def test_a_store_that_does_not_answer_stops_reads_and_orders_but_never_a_cancel() -> None:
    broker, desk = metered(Clock(), Deaf())
    with pytest.raises(StoreUnavailable):
        broker.positions()
    assert isinstance(submit(broker), Unknown)
    assert desk.reached == []
    assert broker.cancel("1") is CancelAnswer.REQUESTED


def test_what_was_leased_is_used_before_more_is_leased() -> None:
    store, clock = MemoryStore(), Clock()
    broker, desk = metered(clock, store)
    for _ in range(LEASE):
        broker.positions()
    assert len(desk.reached) == LEASE
    assert store.lease_requests(bucket_of(NOON), EACH_BUCKET - LEASE, EACH_BUCKET)
    assert not store.lease_requests(bucket_of(NOON), 1, EACH_BUCKET)


def test_what_is_left_of_a_lease_ends_with_its_bucket() -> None:
    store, clock = MemoryStore(), Clock()
    broker, _ = metered(clock, store)
    broker.positions()
    clock.at = after_noon(BUCKET_SECONDS)
    broker.positions()
    assert not store.lease_requests(bucket_of(clock.at), EACH_BUCKET - LEASE + 1, EACH_BUCKET)


@pytest.mark.parametrize(("seconds", "begins"), [(0, 0), (9.999, 0), (10, 10), (59.5, 50)])
def test_a_bucket_is_ten_seconds_of_the_clock(seconds: float, begins: int) -> None:
    assert bucket_of(after_noon(seconds)) == datetime(2026, 11, 23, 17, 0, begins, tzinfo=UTC).isoformat()
