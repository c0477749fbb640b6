"""Hints: when an order that the stream mentions is read, what it costs, and when a listening step leaves for one."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest

from repeg.domain.hints import HintKind, Hints
from repeg.domain.outcome import Outcome
from repeg.domain.parent_order import ParentOrder
from repeg.domain.quote import Side
from repeg.domain.run import KillSwitch
from repeg.domain.time_limits import CONNECTS_WITHIN
from repeg.workflow.listening import _is_to_be_placed, _Step
from repeg_workbench.exchange.faults.transport_faults import Fault, Kind
from repeg_workbench.exchange.triggers import When
from tests.builders import NOON, a_child, after_noon, an_order
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


def test_a_step_leaves_at_once_for_an_order_that_was_not_sent(open_desk: OpenDesk) -> None:
    desk = open_desk({"AAPL": book(QUIET, until="10:30"), "KO": KO})
    desk.ports = replace(desk.ports, signals=ScriptedSignals(desk))
    desk.begin("buy 40 AAPL", "buy 10 KO", waiting="stream", listen_seconds=300)
    desk.validate()
    without_requests(desk)
    desk.place()
    assert desk.order().was_not_sent
    began = desk.runtime.now()
    assert desk.repeg().decision == "validate"
    assert desk.runtime.now() - began == CONNECTS_WITHIN


@pytest.mark.parametrize("policy", ["anchor", "normal"])
def test_a_fill_that_a_read_does_not_show_yet_is_read_half_a_second_later(open_desk: OpenDesk, policy: str) -> None:
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
    assert desk.runtime.now() - filled_at == timedelta(seconds=0.55)


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


@pytest.mark.parametrize(("policy", "monitoring", "reads"), [("anchor", 60, 1), ("anchor", 30, 0), ("normal", 60, 0)])
def test_a_hint_waits_for_requests_until_its_order_is_read(
    open_desk: OpenDesk, policy: str, monitoring: int, reads: int
) -> None:
    """The account has none to spare until 09:36:33. Meanwhile a turn reads an order that is looked at, and at 09:36:30
    or 09:37 every order."""
    late = book(QUIET, until="10:30")
    desk, signals = listening(open_desk, late, policy=policy, order_monitoring_seconds=monitoring, listen_seconds=58)
    began = desk.runtime.now()
    asked: list[int] = []

    def has_room(requests: int) -> bool:
        asked.append(requests)
        return desk.runtime.now() - began > timedelta(seconds=33)

    desk.broker.has_room_for_hints = has_room  # type: ignore[method-assign]
    signals.at(began + timedelta(seconds=5), "AAPL")
    signals.at(began + timedelta(seconds=45), "MSFT")
    desk.broker.line.sent.clear()
    desk.repeg()
    assert set(asked) == {1}
    assert sum(path == "/orders:by_client_order_id" for _, path in desk.broker.line.sent) == reads


# What a step remembers


def a_step(**marks: Any) -> _Step:
    """A step that has read all orders at noon."""
    hour = after_noon(3_600)
    nobody: Any = None
    return _Step(nobody, ends=hour, due=hour, kill=KillSwitch.ACTIVE, read_at=NOON, reads_at=NOON, **marks)


def named(*symbols: str) -> Hints:
    return Hints(dict.fromkeys(symbols, frozenset({HintKind.FILL})))


def test_a_hint_just_before_a_read_has_its_order_read_once_more() -> None:
    """The stream may be half a second ahead of what a read shows."""
    step = a_step()
    step.hear(named("AAPL", "KO"), NOON)
    step.hear(named("KO"), after_noon(0.1))
    step.forget(after_noon(0.5), after_noon(0.7))
    assert (step.named, step.reads_at) == ({"KO": after_noon(0.1)}, after_noon(1.2))
    step.forget(after_noon(1.2), after_noon(1.3))
    assert (step.named, step.has_hints) == ({}, False)


def test_all_orders_are_read_again_after_a_gap_that_a_read_may_not_cover() -> None:
    step = a_step()
    step.hear(Hints(has_gap=True), NOON)
    step.forget(after_noon(0.4), after_noon(0.4))
    assert (step.gap_at, step.has_hints) == (NOON, True)
    step.forget(after_noon(0.5), after_noon(0.5))
    assert (step.gap_at, step.has_hints) == (None, False)


def test_a_read_of_some_orders_leaves_what_was_heard_of_the_others() -> None:
    """They are read as soon as they would have been, beside one that is read once more."""
    step = a_step(gap_at=NOON, named={"AAPL": NOON, "KO": NOON})
    step.hear(named("PG"), after_noon(9.9))
    step.forget(after_noon(10), after_noon(10), unread={"AAPL"})
    assert step.named == {"AAPL": NOON, "PG": after_noon(9.9)}
    assert (step.gap_at, step.reads_at) == (NOON, NOON)


# What a step leaves for


def working(side: Side, symbol: str, *, filled: str = "0") -> ParentOrder:
    return an_order(side, "100", a_child(filled=filled, price="100.01"), symbol=symbol)


def waiting(side: Side, symbol: str) -> ParentOrder:
    return an_order(side, symbol=symbol)


def ended(side: Side, symbol: str) -> ParentOrder:
    return an_order(side, symbol=symbol).done(Outcome.ENDED_BY_OWNER, "cancelled by hand")


KO_WAITS, PG_WAITS = waiting(Side.BUY, "KO"), waiting(Side.SELL, "PG")
SOLD_NOTHING, SOLD_SOME = working(Side.SELL, "AAPL"), working(Side.SELL, "AAPL", filled="7")
BOUGHT_NOTHING, BOUGHT_SOME = working(Side.BUY, "MSFT"), working(Side.BUY, "MSFT", filled="7")


@pytest.mark.parametrize(
    ("before", "after", "leaves"),
    [
        ([KO_WAITS, SOLD_NOTHING], [KO_WAITS, SOLD_NOTHING], False),
        ([KO_WAITS, SOLD_NOTHING], [KO_WAITS, SOLD_SOME], True),
        ([KO_WAITS, SOLD_NOTHING], [KO_WAITS, ended(Side.SELL, "AAPL")], False),
        ([KO_WAITS, BOUGHT_NOTHING], [KO_WAITS, BOUGHT_SOME], False),
        ([KO_WAITS, BOUGHT_NOTHING], [KO_WAITS, ended(Side.BUY, "MSFT")], True),
        ([KO_WAITS, PG_WAITS, SOLD_NOTHING], [KO_WAITS, PG_WAITS, SOLD_SOME], True),
        ([PG_WAITS, SOLD_NOTHING], [PG_WAITS, SOLD_SOME], False),
        ([BOUGHT_NOTHING, SOLD_NOTHING], [waiting(Side.BUY, "MSFT"), SOLD_NOTHING], True),
        ([BOUGHT_NOTHING, KO_WAITS], [waiting(Side.BUY, "MSFT"), KO_WAITS], True),
    ],
)
def test_a_step_leaves_for_a_lost_child_or_for_cash_that_a_buy_waits_for(
    before: list[ParentOrder], after: list[ParentOrder], *, leaves: bool
) -> None:
    """A sell has freed cash when it has filled, a buy when it has ended."""
    assert _is_to_be_placed(before, after) is leaves
