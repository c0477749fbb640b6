"""Hints: when an order that the stream mentions is read, what it costs, and when a listening step leaves for one."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest

from repeg.domain.outcome import Outcome
from repeg.domain.run import KillSwitch
from repeg_workbench.exchange.faults.transport_faults import Fault, Kind
from repeg_workbench.exchange.triggers import When
from tests.functions.books import KO, QUIET, book
from tests.functions.desk import PROMPT, Desk, OpenDesk
from tests.functions.scripted_signals import ScriptedSignals
from tests.functions.test_listening import SOLD, listening
from tests.functions.test_send_deadline import without_requests
from tests.guards.test_request_budget import rate_limited

WIDE = "09:36:00.5 300 @ 180.40 × 200 @ 199.44"


def two_minutes(desk: Desk) -> int:
    """The state machine's loop for two minutes; returns how many RepegOrders steps it made."""
    until, steps = desk.runtime.now() + timedelta(minutes=2), 0
    while desk.runtime.now() < until:
        answer: Any = desk.repeg()
        steps += 1
        if answer.decision == "validate":
            answer = desk.place()
        due = datetime.fromisoformat(answer.turn_at)
        if due > desk.runtime.now():
            desk.advance_to(due)
    return steps


@pytest.mark.parametrize("state", [KillSwitch.HALT_NEW, KillSwitch.ACTIVE])
def test_a_step_waits_for_an_order_that_cannot_be_placed_now(open_desk: OpenDesk, state: KillSwitch) -> None:
    """AAPL was not sent for lack of a request, and cannot be placed now: the run is halted, or its book is wide."""
    books = {"AAPL": book(QUIET, *([WIDE] if state is KillSwitch.ACTIVE else []), until="10:30"), "KO": KO}
    desk = open_desk(books)
    desk.ports = replace(desk.ports, signals=ScriptedSignals(desk))
    desk.begin("buy 40 AAPL", "buy 10 KO", waiting="stream", listen_seconds=300)
    desk.validate()
    without_requests(desk)
    desk.place()
    assert desk.order().was_not_sent
    desk.store.set_kill_switch(state)
    desk.broker.line.sent.clear()
    steps = two_minutes(desk)
    assert steps <= 8
    assert len(desk.broker.line.sent) <= 60


@pytest.mark.parametrize("policy", ["anchor", "normal"])
def test_a_fill_that_a_read_does_not_show_yet_is_read_again_within_a_second(open_desk: OpenDesk, policy: str) -> None:
    """The stream is 250 ms ahead of the REST API."""
    desk, signals = listening(open_desk, SOLD, policy=policy)
    filled_at = desk.runtime.now() + timedelta(seconds=20)

    def lagging(body: Any) -> Any:
        is_shown = desk.runtime.now() >= filled_at + timedelta(seconds=0.3)
        return body if is_shown else body | {"status": "partially_filled", "filled_qty": "15", "filled_at": None}

    fault = Fault(kind=Kind.REWRITE, method="GET", path="/v2/orders:by_client_order_id", rewrite=lagging)
    desk.exchange.faults.arm(fault, When(times=None))
    signals.at(filled_at + timedelta(seconds=0.05), "AAPL")
    desk.repeg()
    assert desk.order().outcome is Outcome.FILLED
    assert desk.runtime.now() - filled_at < timedelta(seconds=1.3)


def test_a_storm_of_hints_leaves_requests_for_turns_and_cancels(open_desk: OpenDesk) -> None:
    """Three orders are mentioned ten times a second. Of the 25 requests of each ten seconds, 14 are for such reads."""
    low = book("09:20 900 @ 20.00 × 900 @ 20.05", until="10:30")
    books = {"AAPL": book(QUIET, until="10:30"), "BAA": low, "CAA": low}
    desk = open_desk(books, quirks=replace(PROMPT, requests_per_minute=200))
    rate_limited(desk)
    signals = ScriptedSignals(desk)
    desk.ports = replace(desk.ports, signals=signals)
    desk.begin("buy 40 AAPL", "buy 10 BAA", "buy 10 CAA", waiting="stream", policy="normal", listen_seconds=60)
    desk.place()
    began = desk.runtime.now()
    for tenth in range(200):
        signals.at(began + timedelta(seconds=12 + tenth / 10), "AAPL", "BAA", "CAA")
    desk.broker.line.arrived.clear()
    with suppress(StopIteration):
        desk.repeg()
    since = began.timestamp() + 10
    in_bucket = sum(since <= at / 1e9 < since + 10 for at in desk.broker.line.arrived)
    assert 9 <= in_bucket <= 15
    assert all(entry.verb != "skip" for entry in desk.journal.entries)


def test_a_forged_hint_costs_two_reads(open_desk: OpenDesk) -> None:
    """The second one comes half a second after the first, which may have been too early to show a fill."""
    desk, signals = listening(open_desk, book(QUIET, until="10:30"), listen_seconds=30)
    signals.at(desk.runtime.now() + timedelta(seconds=5), "AAPL")
    desk.broker.line.sent.clear()
    desk.repeg()
    assert sum(path == "/orders:by_client_order_id" for _, path in desk.broker.line.sent) == 2


def test_a_step_that_begins_under_cancel_all_leaves_at_once(open_desk: OpenDesk) -> None:
    desk, _ = listening(open_desk, book(QUIET, until="10:30"), listen_seconds=300)
    desk.store.set_kill_switch(KillSwitch.CANCEL_ALL)
    began = desk.runtime.now()
    assert desk.repeg().decision == "close"
    assert desk.runtime.now() - began < timedelta(seconds=2)


def test_an_order_climbs_one_rung_a_turn_whatever_is_heard_of_it(open_desk: OpenDesk) -> None:
    """Patience is spent at 09:37:00, and the order goes to the mid. A part of it fills there five seconds later."""
    part = book(QUIET, prints=("09:37:05 5 @ 189.42 sold",), until="10:30")
    desk, signals = listening(open_desk, part, patience_seconds=60, listen_seconds=120)
    signals.at(desk.runtime.now() + timedelta(seconds=65.05), "AAPL")
    desk.repeg()
    moved, crossed = (entry.at for entry in desk.journal.entries if entry.reason.endswith("patience spent"))
    assert crossed - moved >= timedelta(seconds=15)
