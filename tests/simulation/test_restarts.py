"""A restarted run, or one whose functions die at any request, places each order once."""

from __future__ import annotations

from datetime import timedelta

import pytest

from repeg_workbench.engine.host import Invocation
from repeg_workbench.engine.scheduler import Killed
from repeg_workbench.exchange.messages import Request, Response
from repeg_workbench.simulate.simulation import SimulatedDay, opened
from tests.simulation import judge
from tests.simulation.days import GoldenDay, lifted, orders, scripted, walk

# Orders that fill partially, are re-pegged, and have to cross, so that every kind of request is made.
BUSY = GoldenDay(
    "busy",
    orders("busy", "sell 900 KO", "buy 300 AAPL", "buy 500 T"),
    settings={"patience_seconds": "120", "repeg_threshold_pct": "0.005"},
    market=scripted(
        KO=lifted("61.43", "61.47", 100, until=30),
        AAPL=walk("189.40", "189.48", 3, until=30),
        T=lifted("17.42", "17.43", 400, until=30),
    ),
)


class Killer:
    """Kills the first attempt of every step at its n-th request, before or after the broker acts on it."""

    def __init__(self, day: SimulatedDay, n: int, *, is_after: bool) -> None:
        self.kills = 0
        self._day, self._n, self._is_after = day, n, is_after
        self._answer = day.exchange.handle
        self._invocation: Invocation | None = None
        self._requests = 0
        self._spared = ""
        day.engine.host.before_invoke.append(self._begin)

    def handle(self, request: Request) -> Response:
        """Answer a request, or kill the function that sends it."""
        self._requests += 1
        is_due = self._requests == self._n and self._invocation is not None
        if is_due and not self._is_after:
            self._kill()
        response = self._answer(request)
        if is_due and self._is_after:
            self._kill()
        return response

    def _begin(self, invocation: Invocation) -> None:
        name = invocation.function.name
        self._invocation = None if name == self._spared else invocation
        self._spared, self._requests = "", 0

    def _kill(self) -> None:
        assert self._invocation is not None
        self.kills += 1
        self._spared = self._invocation.function.name
        self._invocation.kill()
        raise Killed


def judged(day: SimulatedDay) -> None:
    store, run_id = day.ports.store, day.scenario.run_id
    parents = store.orders(run_id)
    judge.nothing_of_ours_is_open(day.exchange)
    judge.never_a_share_too_many(day.exchange, parents)
    judge.books_are_the_brokers(day.exchange, parents)
    judge.every_order_was_meant(day.exchange, store.intents(run_id))


def placed(day: SimulatedDay) -> list[str]:
    return sorted(judge.submissions(day.exchange))


@pytest.fixture(scope="module")
def undisturbed() -> list[str]:
    with opened(BUSY.scenario()) as day:
        day.start("only")
        day.run()
        judged(day)
        return placed(day)


def test_the_same_run_started_twice_places_each_order_once(undisturbed: list[str]) -> None:
    with opened(BUSY.scenario()) as day:
        starts = [day.start("first"), day.start("second")]
        day.run()
        judged(day)
        assert placed(day) == undisturbed
        assert sorted(day.engine.execution(start).states[-1] for start in starts) == ["DuplicateRun", "RunSettled"]


@pytest.mark.parametrize("minutes", [12, 600])
def test_a_later_start_of_the_same_run_places_nothing(undisturbed: list[str], minutes: int) -> None:
    with opened(BUSY.scenario()) as day:
        day.start("first")
        day.engine.run(until=day.scenario.starts + timedelta(minutes=minutes))
        late = day.start("late")
        day.run()
        judged(day)
        assert placed(day) == undisturbed
        assert day.engine.execution(late).states[-1] == "DuplicateRun"


@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize("n", [1, 2, 3, 5, 7, 9])
def test_a_retry_after_a_crash_at_a_request_sends_no_duplicate(
    n: int, when: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    with opened(BUSY.scenario()) as day:
        killer = Killer(day, n, is_after=when == "after")
        monkeypatch.setattr(day.exchange, "handle", killer.handle)
        day.start("killed")
        day.run()
        judged(day)
        assert killer.kills > 0
        summary = day.summary()
        assert summary is not None
        assert {order["outcome"] for order in summary["orders"]} == {"filled"}
