"""The virtual runtime and its simulated network latency."""

from __future__ import annotations

import gc
import weakref
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import requests
from requests.adapters import BaseAdapter

from repeg_workbench.engine.runtime import TransportHangs, VirtualRuntime
from repeg_workbench.engine.scheduler import Scheduler

OPEN = datetime(2025, 1, 2, 14, 30, tzinfo=UTC)
ORDERS = "http://127.0.0.1/v2/orders"
QUOTES = "http://127.0.0.1/v2/stocks/quotes/latest"


class Broker(BaseAdapter):
    """Answers at once or never, and records when each request arrives."""

    def __init__(self, scheduler: Scheduler, hangs: bool = False) -> None:
        super().__init__()
        self.arrivals: list[datetime] = []
        self._scheduler = scheduler
        self._hangs = hangs

    def send(self, request: requests.PreparedRequest, *args: Any, **kwargs: Any) -> requests.Response:
        self.arrivals.append(self._scheduler.now())
        if self._hangs:
            raise TransportHangs
        response = requests.Response()
        response.status_code = 200
        response.request = request
        response.url = request.url or ""
        return response

    def close(self) -> None:
        pass


class Answer:
    """The result of a call, which a weak reference can follow."""


class Desk:
    """A runtime, a session on it, and its broker."""

    def __init__(self, seed: int = 1, hangs: bool = False, **options: Any) -> None:
        self.scheduler = Scheduler(OPEN)
        self.broker = Broker(self.scheduler, hangs)
        self.runtime = VirtualRuntime(self.scheduler, seed, transport=lambda: self.broker, **options)
        self.session = requests.Session()
        self.session.trust_env = False
        self.runtime.mount(self.session)

    def get(self, url: str = ORDERS, timeout: Any = (2, 5)) -> requests.Response:
        return self.session.get(url, timeout=timeout)

    @property
    def seconds(self) -> float:
        return (self.scheduler.now() - OPEN) / timedelta(seconds=1)


def test_a_request_takes_virtual_time_in_both_directions() -> None:
    desk = Desk()
    assert desk.get().status_code == 200
    assert 0.020 <= desk.seconds <= 0.080
    assert OPEN < desk.broker.arrivals[0] < desk.scheduler.now()


def test_latency_is_a_function_of_the_seed() -> None:
    def durations(seed: int) -> list[float]:
        desk = Desk(seed)
        return [(desk.get(), desk.seconds)[1] for _ in range(5)]

    assert durations(1) == durations(1)
    assert durations(1) != durations(2)


def test_requests_are_counted_by_kind() -> None:
    desk = Desk()
    for url in (
        ORDERS,
        QUOTES,
        QUOTES,
        "https://data.alpaca.markets/v2/anything",
        "https://paper-api.alpaca.markets/v2/clock",
    ):
        desk.get(url)
    assert desk.runtime.requests == {"trading": 2, "data": 3}


def test_a_request_without_an_answer_takes_the_read_timeout() -> None:
    desk = Desk(hangs=True)
    with pytest.raises(requests.exceptions.ReadTimeout):
        desk.get(timeout=(2, 5))
    assert desk.seconds == pytest.approx(5)
    assert len(desk.broker.arrivals) == 1


def test_a_request_without_a_timeout_uses_the_deployed_one() -> None:
    desk = Desk(hangs=True)
    with pytest.raises(requests.exceptions.ReadTimeout):
        desk.get()
    assert desk.seconds == pytest.approx(5)


def test_a_late_answer_is_a_timeout_though_the_broker_acted() -> None:
    desk = Desk(milliseconds=(900, 1_000))
    acted = 0
    for _ in range(20):
        before, begin = len(desk.broker.arrivals), desk.seconds
        with pytest.raises(requests.exceptions.ReadTimeout):
            desk.get(timeout=0.5)
        assert desk.seconds - begin == pytest.approx(0.5)
        acted += len(desk.broker.arrivals) - before
    assert 0 < acted < 20  # some requests never arrived, some arrived and timed out


def test_a_pause_of_a_negative_time_raises() -> None:
    with pytest.raises(ValueError, match="expected at least 0"):
        Desk().runtime.pause(-1)


def test_a_map_runs_calls_concurrently_and_keeps_their_order() -> None:
    desk = Desk()

    def place(pause: float) -> float:
        desk.runtime.pause(pause)
        return pause

    assert desk.runtime.map(place, [3.0, 1.0, 2.0]) == [3.0, 1.0, 2.0]
    assert desk.seconds == 3


def test_a_map_runs_at_most_one_call_per_worker() -> None:
    desk = Desk(workers=2)
    working: list[int] = []
    most = 0

    def place(number: int) -> None:
        nonlocal most
        working.append(number)
        most = max(most, len(working))
        desk.runtime.pause(1)
        working.remove(number)

    desk.runtime.map(place, range(6))
    assert most == 2
    assert desk.seconds == 3


def test_a_map_raises_its_first_failure_after_all_calls_end() -> None:
    desk = Desk()
    done: list[int] = []

    def place(number: int) -> None:
        desk.runtime.pause(number)
        if number in (1, 3):
            raise ValueError(number)
        done.append(number)

    with pytest.raises(ValueError, match=r"^3$"):
        desk.runtime.map(place, [3, 1, 4, 2])
    assert done == [2, 4]


def test_a_map_leaves_nothing_for_the_garbage_collector() -> None:
    desk = Desk()

    def work(_item: int) -> Answer:
        desk.runtime.pause(1.0)
        return Answer()

    gc.collect()
    gc.disable()
    try:
        made = [weakref.ref(other) for other in desk.runtime.map(work, range(20))]
        assert [ref() for ref in made] == [None] * 20
    finally:
        gc.enable()


def test_a_map_over_no_items_is_empty() -> None:
    assert Desk().runtime.map(lambda item: item, []) == []


def test_concurrent_requests_overlap() -> None:
    desk = Desk()
    desk.runtime.map(lambda _: desk.get(), range(16))
    assert desk.seconds <= 0.080
