"""Metrics: one series for each stack, and a count for each run that is refused or does not end, and for each alert."""

from __future__ import annotations

import importlib
import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import pytest

from repeg import lambda_step, wiring
from repeg.adapters.alert_metrics import METRICS, CountingNotifier
from repeg.adapters.eventbridge import EventsUnavailable
from repeg.domain.books import Books
from repeg.domain.errors import BrokerDenied, InvalidPlan, MarketClosed, RefusedRun, RepegError, StillOpen
from repeg.domain.run import KillSwitch
from repeg.domain.run_health import Finding
from repeg_workbench.exchange.faults.transport_faults import Fault, Kind
from repeg_workbench.exchange.triggers import When
from repeg_workbench.faults.records import QuietNotifier
from repeg_workbench.twins.memory_store import MemoryStore
from tests.functions.books import AAPL, QUIET, book
from tests.functions.desk import EXECUTION, RUN_ID, Desk, OpenDesk, a_plan
from tests.functions.scenes import resting, vanish

Call = Callable[[str, dict[str, Any]], list[dict[str, Any]]]
START = {"input": {"plan": a_plan("buy 40 AAPL")}, "execution": EXECUTION}
CLOSE = {"run_id": RUN_ID, "epoch": 1}
DIED = {"detail": {"executionArn": EXECUTION, "status": "FAILED"}}
STEPS = [("close_run", CLOSE), ("sweep_orders", DIED), ("watch_runs", {})]
DEAD_KEYS = {"APCA-API-KEY-ID": "PKREVOKED", "APCA-API-SECRET-KEY": "x"}


@contextmanager
def behind_handlers(desk: Desk) -> Iterator[Desk]:
    """The desk as what the handlers work on."""
    lambda_step.discard_counts()
    wiring.provide(
        replace(desk.ports, notifier=CountingNotifier(desk.notifier, lambda_step.count, lambda_step.measure))
    )
    yield desk
    wiring.provide(None)


@pytest.fixture
def desk(open_desk: OpenDesk) -> Iterator[Desk]:
    """A desk behind the handlers."""
    with behind_handlers(open_desk({"AAPL": AAPL})) as desk:
        yield desk


@pytest.fixture
def call(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Call:
    """Calls a handler as the stack `repeg-paper`; returns the metrics that it writes, whether or not it fails."""
    monkeypatch.setenv("STACK_NAME", "repeg-paper")

    def invoke(function: str, event: dict[str, Any]) -> list[dict[str, Any]]:
        context = SimpleNamespace(
            function_name=function,
            memory_limit_in_mb=512,
            invoked_function_arn=f"arn:{function}",
            aws_request_id="0",
            get_remaining_time_in_millis=lambda: 50_000,
        )
        capsys.readouterr()
        try:
            importlib.import_module(f"functions.{function}.app").lambda_handler(event, context)
        except RepegError as error:
            invoke.error = error  # type: ignore[attr-defined]
        lines = capsys.readouterr().out.splitlines()
        return [json.loads(line) for line in lines if '"_aws"' in line]

    return invoke


def counted(written: list[dict[str, Any]]) -> dict[str, float]:
    """Name and value of each metric."""
    names = [one["Name"] for line in written for one in line["_aws"]["CloudWatchMetrics"][0]["Metrics"]]
    return {name: sum(line[name]) for line in written for name in names if name in line}


def test_metrics_of_each_stack_are_a_series_of_their_own(desk: Desk, call: Call) -> None:
    desk.begin("buy 40 AAPL")
    (written,) = call("close_run", CLOSE)
    assert written["_aws"]["CloudWatchMetrics"][0]["Dimensions"] == [["stack", "service"]]
    assert (written["service"], written["stack"]) == ("repeg", "repeg-paper")


def test_metrics_outside_a_stack_are_a_series_of_their_own(
    desk: Desk, call: Call, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("STACK_NAME")
    desk.begin("buy 40 AAPL")
    (written,) = call("close_run", CLOSE)
    assert written["stack"] == "none"


@pytest.mark.parametrize(
    ("given", "error"),
    [
        ({"plan": {"name": "core", "orders": []}}, InvalidPlan),
        ({"plan": a_plan("buy 40 AAPL")}, RefusedRun),
        ("not an object", RepegError),
    ],
)
def test_a_refused_start_is_counted(desk: Desk, call: Call, given: object, error: type[RepegError]) -> None:
    desk.store.set_kill_switch(KillSwitch.HALT_NEW)
    written = call("open_run", {"input": given, "execution": EXECUTION})
    assert isinstance(call.error, error)  # type: ignore[attr-defined]
    assert counted(written) == {"RunsRefused": 1}


def test_a_start_refused_by_the_broker_is_counted(desk: Desk, call: Call) -> None:
    desk.broker.headers.update(DEAD_KEYS)
    assert counted(call("open_run", START)) == {"RunsRefused": 1}
    assert isinstance(call.error, BrokerDenied)  # type: ignore[attr-defined]


def test_neither_a_duplicate_nor_a_holiday_is_counted_as_refused(desk: Desk, call: Call) -> None:
    assert counted(call("open_run", START)) == {}
    assert counted(call("open_run", {**START, "execution": EXECUTION.replace("first", "second")})) == {}
    late = {"plan": a_plan("buy 40 AAPL"), "run_number": 2, "scheduled_time": "2026-11-21T14:25:00Z"}
    desk.close()
    assert counted(call("open_run", {"input": late, "execution": EXECUTION.replace("first", "third")})) == {
        "MarketsClosed": 1
    }
    assert isinstance(call.error, MarketClosed)  # type: ignore[attr-defined]


def test_an_attempt_to_close_that_fails_is_counted(desk: Desk, call: Call) -> None:
    desk.begin("buy 40 AAPL")
    desk.place()
    desk.exchange.faults.arm(Fault(kind=Kind.ANSWER_BEFORE, method="DELETE", status=500), When(times=99))
    assert counted(call("close_run", CLOSE)) == {"ClosesFailed": 1}
    assert isinstance(call.error, StillOpen)  # type: ignore[attr-defined]
    desk.broker.headers.update(DEAD_KEYS)
    assert counted(call("close_run", CLOSE)) == {"ClosesFailed": 1}


def test_a_sweep_that_fails_is_counted(desk: Desk, call: Call) -> None:
    desk.begin("buy 40 AAPL")
    desk.broker.headers.update(DEAD_KEYS)
    assert counted(call("sweep_orders", DIED)) == {"SweepsFailed": 1}


# Alerts: every function that publishes one counts it


class UnreadableOrder(MemoryStore):
    """A store in which the row of one order cannot be read."""

    def books(self, run_id: str) -> Books:
        """The books without that order."""
        return replace(super().books(run_id), unreadable=("ORDER#KO",))


class RefusingNotifier(QuietNotifier):
    """An event bus that refuses the first event of each of these kinds."""

    def __init__(self, *refused: str) -> None:
        super().__init__()
        self._refused = set(refused)

    def publish(self, kind: str, detail: dict[str, Any]) -> None:
        """Keep one event, or refuse it."""
        if kind in self._refused:
            self._refused.remove(kind)
            raise EventsUnavailable(kind)
        super().publish(kind, detail)


def with_unreadable_row(open_desk: OpenDesk, *refused: str) -> Desk:
    """A run with an unreadable row, and an event bus that refuses the first event of each of these kinds."""
    desk = open_desk({"AAPL": book(QUIET, until="10:00")}, store=UnreadableOrder())
    desk.notifier = RefusingNotifier(*refused)
    desk.ports = replace(desk.ports, notifier=desk.notifier)
    desk.begin("buy 40 AAPL")
    return desk


def alerted(desk: Desk) -> list[str]:
    """The kinds of the alerts that were published."""
    return [kind for kind, _ in desk.notifier.published if kind.startswith("repeg.watch.")]


@pytest.mark.parametrize(("function", "event"), STEPS)
def test_a_lost_order_is_counted_by_the_function_that_publishes_it(
    open_desk: OpenDesk, call: Call, function: str, event: dict[str, Any]
) -> None:
    desk = resting(open_desk, book(QUIET, until="16:00"))
    desk.wait_until("15:55")
    vanish(desk)
    desk.wait_until("16:00")
    with behind_handlers(desk):
        assert counted(call(function, event))["OrdersLost"] == 1
    assert alerted(desk).count("repeg.watch.order_lost") == 1


@pytest.mark.parametrize(("function", "event"), STEPS)
def test_an_unreadable_row_is_counted_by_the_function_that_publishes_it(
    open_desk: OpenDesk, call: Call, function: str, event: dict[str, Any]
) -> None:
    desk = with_unreadable_row(open_desk)
    desk.wait_until("09:45")
    with behind_handlers(desk):
        assert counted(call(function, event))["UnreadableRows"] == 1
    assert alerted(desk).count("repeg.watch.unreadable_row") == 1


def test_an_alert_is_counted_once_although_its_step_is_retried(open_desk: OpenDesk, call: Call) -> None:
    """The event bus fails after the alert, so that the retry finds the run closed and has nothing to publish but its
    end."""
    desk = with_unreadable_row(open_desk, "repeg.run.failed")
    with behind_handlers(desk):
        attempts = [counted(call("close_run", CLOSE)) for _ in range(2)]
    assert isinstance(call.error, EventsUnavailable)  # type: ignore[attr-defined]
    assert [attempt.get("UnreadableRows", 0) for attempt in attempts] == [1, 0]
    assert [kind for kind, _ in desk.notifier.published] == ["repeg.watch.unreadable_row", "repeg.run.failed"]


def test_an_alert_that_was_not_published_is_counted_with_the_retry(open_desk: OpenDesk, call: Call) -> None:
    desk = with_unreadable_row(open_desk, "repeg.watch.unreadable_row")
    with behind_handlers(desk):
        attempts = [counted(call("close_run", CLOSE)) for _ in range(2)]
    assert [attempt.get("UnreadableRows", 0) for attempt in attempts] == [0, 1]
    assert alerted(desk) == ["repeg.watch.unreadable_row"]


def test_a_failed_check_is_counted_even_if_the_event_bus_is_down(open_desk: OpenDesk, call: Call) -> None:
    desk = with_unreadable_row(open_desk, "repeg.watch.unreadable_row", "repeg.watch.watch_failed")
    desk.wait_until("09:45")
    with behind_handlers(desk):
        assert counted(call("watch_runs", {}))["WatchFailures"] == 1
    assert alerted(desk) == []


def test_every_finding_has_a_metric() -> None:
    """The watchdog's own failures are counted by its handler: they must be counted if the event bus is down, too."""
    assert set(METRICS) == {f"repeg.watch.{finding}" for finding in Finding} - {"repeg.watch.watch_failed"}
