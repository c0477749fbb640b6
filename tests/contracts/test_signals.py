"""The contract of Signals, for every implementation."""

from __future__ import annotations

from datetime import timedelta

from repeg.adapters.polling_signals import PollingListener, PollingSignals
from repeg.domain.hints import HintKind, Hints
from repeg_workbench.engine.runtime import VirtualRuntime
from repeg_workbench.engine.scheduler import Scheduler
from tests.builders import NOON


def test_waiting_without_a_stream_is_a_plain_pause() -> None:
    scheduler = Scheduler(NOON)
    with PollingSignals(VirtualRuntime(scheduler)).open("run-", ["AAPL"]) as listener:
        assert listener.wait(7) == Hints()
        assert scheduler.now() - NOON == timedelta(seconds=7)
        assert listener.wait(-1) == Hints()
        assert listener.quotes(["AAPL"]) == {}
        assert listener.source == listener.quote_source == "poll"
        assert listener.followed == frozenset()


def test_a_listener_says_why_there_is_no_stream() -> None:
    assert PollingListener(VirtualRuntime(Scheduler(NOON)), "connection limit").source == "poll: connection limit"


def test_hints_are_true_when_there_is_an_order_to_look_at() -> None:
    assert not Hints()
    assert Hints(has_gap=True)
    assert Hints({"AAPL": frozenset({HintKind.FILL})})
