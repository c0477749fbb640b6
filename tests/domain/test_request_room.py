"""Requests taken ahead: room for orders that are about to be sent, and the place of a cancel in the next bucket."""

from __future__ import annotations

import pytest

from repeg.domain.broker import CancelAnswer
from repeg.domain.request_quota import BUCKET_SECONDS, bucket_of
from repeg_workbench.twins.memory_store import MemoryStore
from tests.builders import NOON, after_noon
from tests.domain.test_request_quota import EACH_BUCKET, Clock, UnavailableStore, rate_limited, submit


def test_a_cancel_that_waits_comes_before_the_orders_of_the_next_bucket() -> None:
    store, clock = MemoryStore(), Clock(after_noon(3))
    broker, desk = rate_limited(clock, store)
    store.lease_requests(bucket_of(clock.at), EACH_BUCKET, EACH_BUCKET)
    pause, others = clock.pause, list[bool]()

    def others_are_first(seconds: float) -> None:
        pause(seconds)
        others.append(store.lease_requests(bucket_of(clock.at), EACH_BUCKET, EACH_BUCKET))

    clock.pause = others_are_first  # type: ignore[method-assign]
    assert broker.cancel("1") is CancelAnswer.REQUESTED
    assert others == [False]
    assert bucket_of(desk.reached[0]) == bucket_of(after_noon(10))


def test_a_place_in_a_bucket_lapses_with_it() -> None:
    """A function may be frozen during its wait."""
    store, clock = MemoryStore(), Clock(after_noon(3))
    broker, desk = rate_limited(clock, store)
    store.lease_requests(bucket_of(clock.at), EACH_BUCKET, EACH_BUCKET)
    pause = clock.pause

    def oversleep(seconds: float) -> None:
        pause(seconds + BUCKET_SECONDS)
        assert store.lease_requests(bucket_of(clock.at), EACH_BUCKET, EACH_BUCKET)

    clock.pause = oversleep  # type: ignore[method-assign]
    assert broker.cancel("1") is CancelAnswer.UNSENT
    assert desk.reached == []


@pytest.mark.parametrize(
    ("orders", "taken", "room"), [(3, 0, 3), (500, 0, 21), (500, 10, 11), (1, 20, 1), (500, 20, 1)]
)
def test_room_is_made_for_what_the_bucket_has(orders: int, taken: int, room: int) -> None:
    store, clock = MemoryStore(), Clock()
    broker, desk = rate_limited(clock, store)
    assert taken == 0 or store.lease_requests(bucket_of(NOON), taken, EACH_BUCKET)
    assert broker.make_room(orders) == room
    assert clock.pauses == []
    for _ in range(room):
        submit(broker)
    assert clock.pauses == []
    assert len(desk.reached) == room
    assert not store.lease_requests(bucket_of(NOON), EACH_BUCKET - taken - room + 1, EACH_BUCKET)


def test_room_is_waited_for_until_the_next_bucket_and_no_longer() -> None:
    store, clock = MemoryStore(), Clock(after_noon(3))
    broker, _ = rate_limited(clock, store)
    for seconds in (0, 10):
        store.lease_requests(bucket_of(after_noon(seconds)), EACH_BUCKET, EACH_BUCKET)
    assert broker.make_room(5) == 0
    assert clock.pauses == [pytest.approx(7.001)]


def test_room_that_is_left_is_counted_before_more_is_made() -> None:
    store, clock = MemoryStore(), Clock()
    broker, _ = rate_limited(clock, store)
    broker.make_room(10)
    submit(broker)
    assert broker.make_room(12) == 12
    assert not store.lease_requests(bucket_of(NOON), EACH_BUCKET - 12, EACH_BUCKET)


def test_room_is_promised_while_the_table_is_down() -> None:
    broker, _ = rate_limited(Clock(), UnavailableStore())
    assert broker.make_room(7) == 7
