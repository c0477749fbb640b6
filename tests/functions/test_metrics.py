"""Metrics: one series for each stack, and a count for each run that is refused or does not end."""

from __future__ import annotations

import importlib
import json
from collections.abc import Callable, Iterator
from types import SimpleNamespace
from typing import Any

import pytest

from repeg import lambda_step, wiring
from repeg.domain.errors import BrokerDenied, InvalidPlan, MarketClosed, RefusedRun, RepegError, StillOpen
from repeg.domain.run import KillSwitch
from repeg_workbench.exchange.faults.transport_faults import Fault, Kind
from repeg_workbench.exchange.triggers import When
from tests.functions.books import AAPL
from tests.functions.desk import EXECUTION, RUN_ID, Desk, OpenDesk, a_plan

Call = Callable[[str, dict[str, Any]], list[dict[str, Any]]]
START = {"input": {"plan": a_plan("buy 40 AAPL")}, "execution": EXECUTION}
CLOSE = {"run_id": RUN_ID, "epoch": 1}
DIED = {"detail": {"executionArn": EXECUTION, "status": "FAILED"}}
DEAD_KEYS = {"APCA-API-KEY-ID": "PKREVOKED", "APCA-API-SECRET-KEY": "x"}


@pytest.fixture
def desk(open_desk: OpenDesk) -> Iterator[Desk]:
    """A desk behind the handlers."""
    desk = open_desk({"AAPL": AAPL})
    lambda_step.metrics.clear_metrics()
    wiring.provide(desk.ports)
    yield desk
    wiring.provide(None)


@pytest.fixture
def call(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Call:
    """Calls a handler as the stack `repeg-paper`; returns the metrics that it writes, whether or not it fails."""
    monkeypatch.setenv("STACK_NAME", "repeg-paper")

    def invoke(function: str, event: dict[str, Any]) -> list[dict[str, Any]]:
        context = SimpleNamespace(
            function_name=function, memory_limit_in_mb=512, invoked_function_arn=f"arn:{function}", aws_request_id="0"
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
    return {name: line[name][0] for line in written for name in names if name in line}


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
    assert counted(call("open_run", {"input": late, "execution": EXECUTION.replace("first", "third")})) == {}
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
