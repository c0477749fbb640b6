"""The deployed runtime: order of results, errors raised after all workers finish, number of workers."""

from __future__ import annotations

import threading
from datetime import UTC, datetime

import pytest
import requests

from repeg.adapters.runtime import MAX_WORKERS, SystemRuntime
from repeg.adapters.transport import BoundedTransport


def test_results_keep_the_order_of_their_items() -> None:
    later = threading.Event()

    def work(n: int) -> int:
        later.wait(5) if n == 0 else later.set()
        return n * n

    assert SystemRuntime().map(work, [0, 1, 2]) == [0, 1, 4]


def test_an_empty_list_of_items_has_no_results() -> None:
    assert SystemRuntime().map(str, []) == []


def test_the_first_error_is_raised_after_all_workers_finish() -> None:
    done: list[int] = []

    def work(n: int) -> None:
        if n in {1, 2}:
            raise ValueError(f"{n} failed")
        done.append(n)

    with pytest.raises(ValueError, match="1 failed"):
        SystemRuntime().map(work, [0, 1, 2, 3, 4])
    assert sorted(done) == [0, 3, 4]


@pytest.mark.parametrize(("asked", "workers"), [(1, 1), (3, 3), (50, MAX_WORKERS)])
def test_the_number_of_workers_is_capped(asked: int, workers: int) -> None:
    all_workers = threading.Barrier(workers, timeout=5)
    names: set[str] = set()

    def work(_: int) -> None:
        all_workers.wait()
        names.add(threading.current_thread().name)

    SystemRuntime(asked).map(work, range(workers * 4))
    assert len(names) == workers


def test_the_clock_is_timezone_aware() -> None:
    before = datetime.now(UTC)  # noqa: TID251 - it is the machine's clock that is under test
    assert before <= SystemRuntime().now() <= datetime.now(UTC)  # noqa: TID251


def test_both_schemes_get_a_transport_with_the_deployed_timeouts() -> None:
    session = requests.Session()
    SystemRuntime().mount(session)
    for url in ("https://api.alpaca.markets", "http://127.0.0.1"):
        transport = session.get_adapter(url)
        assert isinstance(transport, BoundedTransport)
        assert transport._timeouts == (2, 5)
        assert transport.max_retries.total == 0
