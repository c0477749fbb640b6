"""RepegOrders while it listens: many turns in one step, and orders that are worked as the stream mentions them."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from functions.repeg_orders.app import repeg_orders
from repeg.domain import next_step
from repeg.domain.broker import BrokerClock
from repeg.domain.child_order import ChildState
from repeg.domain.errors import Conflict, RefusedRun
from repeg.domain.outcome import Outcome
from repeg.domain.quote import Quote
from repeg.domain.run import KillSwitch, RunState
from repeg.domain.time_limits import CONNECTS_WITHIN, HINTS_APART, LISTENS_FOR, RUN_SILENT, STREAMED_QUOTE_AGE
from repeg_workbench.exchange.faults.transport_faults import Fault, Kind
from repeg_workbench.exchange.triggers import When
from tests.functions.books import KO, QUIET, Event, book
from tests.functions.desk import PREFIX, RUN_ID, Desk, OpenDesk, holding
from tests.functions.scripted_signals import ScriptedSignals

LATER = book(QUIET, until="10:30")
SOLD = book(QUIET, prints=("09:36:10 15 @ 189.41 sold", "09:36:20 25 @ 189.41 sold"), until="10:30")


def listening(
    open_desk: OpenDesk, events: list[Event], *, orders: tuple[str, ...] = ("buy 40 AAPL",), **settings: Any
) -> tuple[Desk, ScriptedSignals]:
    """A run that listens, with its orders placed at 09:36, and the stream that it will hear."""
    desk = open_desk({"AAPL": events, "KO": KO}, opening=holding("9000", KO="100"))
    signals = ScriptedSignals(desk)
    desk.ports = replace(desk.ports, signals=signals)
    desk.begin(*orders, waiting="stream", **settings)
    desk.place()
    return desk, signals


def test_a_fill_that_the_stream_mentions_is_acted_on_within_a_second(open_desk: OpenDesk) -> None:
    """The last fill comes at 09:36:20; a turn would have seen it at 09:36:30."""
    desk, signals = listening(open_desk, SOLD)
    filled_at = desk.runtime.now() + timedelta(seconds=20)
    signals.at(filled_at + timedelta(seconds=0.05), "AAPL")
    assert desk.repeg().decision == "close"
    assert (desk.order().outcome, desk.bought()) == (Outcome.FILLED, Decimal(40))
    assert desk.runtime.now() - filled_at < timedelta(seconds=1)
    desk.judge()


@pytest.mark.parametrize(("first", "symbols"), [("buy 2 AAPL", ["KO", "AAPL"]), ("buy 20 AAPL", ["AAPL", "KO"])])
def test_a_step_listens_to_the_orders_of_its_run(open_desk: OpenDesk, first: str, symbols: list[str]) -> None:
    """Those with the most dollars left to trade are followed first. A share of AAPL is worth three of KO."""
    desk, signals = listening(open_desk, LATER, orders=(first, "buy 30 KO"), policy="normal", listen_seconds=30)
    desk.repeg()
    (listener,) = signals.opened
    assert (listener.prefix, listener.symbols) == (PREFIX, symbols)
    assert listener.is_closed


def test_a_step_follows_no_quotes_of_orders_that_it_does_not_look_at(open_desk: OpenDesk) -> None:
    desk, signals = listening(open_desk, LATER, policy="anchor", listen_seconds=30)
    desk.repeg()
    assert signals.opened[0].symbols == []


def test_a_step_goes_on_with_what_is_left(open_desk: OpenDesk) -> None:
    """AAPL is filled at 09:36:10. From the next turn on its quotes are followed no more."""
    desk, signals = listening(open_desk, SOLD, orders=("buy 2 AAPL", "buy 30 KO"), policy="normal", listen_seconds=50)
    began = desk.runtime.now()
    assert desk.repeg().decision == "wait"
    assert desk.order().outcome is Outcome.FILLED
    assert signals.opened[0].symbols == ["KO"]
    assert desk.runtime.now() - began == timedelta(seconds=50)


def test_a_step_does_not_listen_while_orders_are_left(open_desk: OpenDesk) -> None:
    desk, signals = listening(open_desk, LATER, listen_seconds=300)
    began, before = desk.runtime.now(), desk.turns
    assert desk.repeg(left=3).turns == before + 1
    assert signals.opened == []
    assert desk.runtime.now() - began < timedelta(seconds=2)


def test_a_listening_step_makes_turns_until_its_time_is_over(open_desk: OpenDesk) -> None:
    """Each is a turn as any other: it reads the clock, leaves a heartbeat, and reads every order back."""
    desk, signals = listening(open_desk, LATER, listen_seconds=300)
    began = desk.runtime.now()
    answer = desk.repeg()
    assert (answer.decision, answer.turns, len(signals.opened)) == ("wait", 10, 1)
    assert desk.runtime.now() - began == timedelta(seconds=300)
    assert answer.turn_at == "2026-11-23T14:41:00Z"
    assert sum(path == "/clock" for _, path in desk.broker.line.sent) >= answer.turns
    last = desk.store.last_turn(RUN_ID)
    assert last is not None
    assert desk.runtime.now() - last <= LISTENS_FOR < RUN_SILENT
    guard = desk.store.guard(RUN_ID)
    assert guard is not None
    assert guard.step == 2


def test_a_step_publishes_its_journal_after_each_turn(open_desk: OpenDesk) -> None:
    """After the first as well, although more follow."""
    desk, _ = listening(open_desk, LATER, listen_seconds=60)
    flushed: list[datetime] = []
    answer = repeg_orders(RUN_ID, 1, 0, 0, desk.ports, lambda: flushed.append(desk.runtime.now()))
    assert [at.strftime("%M:%S") for at in flushed] == ["36:01", "36:30"]
    assert answer.turns == 2


def test_a_fill_before_the_stream_was_there_is_read_at_once(open_desk: OpenDesk) -> None:
    """The stream is waited for, then all orders are read: it says nothing of a fill at 09:36:00.5."""
    early = book(QUIET, prints=("09:36:00.5 40 @ 189.41 sold",), until="10:30")
    desk, _ = listening(open_desk, early)
    began = desk.runtime.now()
    assert desk.repeg().decision == "close"
    assert desk.order().outcome is Outcome.FILLED
    assert desk.runtime.now() - began == CONNECTS_WITHIN


def test_a_hint_is_read_back_and_never_believed(open_desk: OpenDesk) -> None:
    """The stream mentions an order that has not filled, and one that does not exist."""
    desk, signals = listening(open_desk, LATER, listen_seconds=30)
    before = desk.order()
    signals.at(desk.runtime.now() + timedelta(seconds=5), "AAPL", "MSFT")
    desk.broker.line.sent.clear()
    desk.repeg()
    assert (desk.order(), desk.store.executions(RUN_ID)) == (before, [])
    assert ("GET", "/orders:by_client_order_id") in desk.broker.line.sent


def test_only_the_order_that_a_hint_names_is_read_back(open_desk: OpenDesk) -> None:
    desk, signals = listening(open_desk, LATER, orders=("buy 40 AAPL", "sell all KO"), listen_seconds=30)
    signals.at(desk.runtime.now() + timedelta(seconds=5), "AAPL")
    desk.broker.line.sent.clear()
    desk.repeg()
    lookups = [path for _, path in desk.broker.line.sent if path == "/orders:by_client_order_id"]
    assert len(lookups) == 2  # and once more, since a read may be too early to show a fill


def test_a_gap_has_every_order_read_back(open_desk: OpenDesk) -> None:
    """The fill's own event is lost; the reconnection says that something may have been."""
    desk, signals = listening(open_desk, SOLD)
    signals.at(desk.runtime.now() + timedelta(seconds=21), has_gap=True)
    desk.repeg()
    assert (desk.order().outcome, desk.runtime.now().second) == (Outcome.FILLED, 21)


def test_a_storm_of_events_costs_two_requests_a_second(open_desk: OpenDesk) -> None:
    desk, signals = listening(open_desk, LATER, listen_seconds=30)
    began = desk.runtime.now()
    for hundredth in range(1_000):
        signals.at(began + timedelta(seconds=10 + hundredth / 100), "AAPL")
    desk.broker.line.sent.clear()
    desk.repeg()
    lookups = sum(path == "/orders:by_client_order_id" for _, path in desk.broker.line.sent)
    assert 15 <= lookups <= 10 / HINTS_APART.total_seconds() + 2


def test_a_hint_at_the_end_of_a_turn_is_acted_on_in_the_next(open_desk: OpenDesk) -> None:
    """The clock is read anew at 09:36:32, and the next turn of all orders is due at 09:37. A first hint at 09:36:31.6
    has the second one wait for half a second, and so past the end of its turn."""
    prints = ("09:36:31 15 @ 189.41 sold", "09:36:31.7 25 @ 189.41 sold")
    desk, signals = listening(open_desk, book(QUIET, prints=prints, until="10:30"), order_monitoring_seconds=60)
    began = desk.runtime.now()
    for seconds in (31.6, 31.75):
        signals.at(began + timedelta(seconds=seconds), "AAPL")
    desk.repeg()
    assert (desk.order().outcome, desk.bought()) == (Outcome.FILLED, Decimal(40))
    assert timedelta(seconds=32) < desk.runtime.now() - began < timedelta(seconds=33)


def test_every_turn_of_a_step_reads_what_it_looks_at(open_desk: OpenDesk) -> None:
    """Looks have read the order at 09:36:30; the clock is read anew at 09:36:32, and the order with it."""
    prints = ("09:36:31 40 @ 189.41 sold",)
    desk, _ = listening(
        open_desk, book(QUIET, prints=prints, until="10:30"), policy="normal", order_monitoring_seconds=60
    )
    desk.repeg()
    assert (desk.order().outcome, desk.runtime.now().second) == (Outcome.FILLED, 32)


def test_a_silent_stream_costs_no_more_than_a_turn(open_desk: OpenDesk) -> None:
    desk, _ = listening(open_desk, SOLD)
    desk.repeg()
    assert desk.order().outcome is Outcome.FILLED
    assert desk.runtime.now().second == 30


def test_a_listening_step_looks_as_a_turn_does(open_desk: OpenDesk) -> None:
    rising = book("09:20 300 @ 189.40 × 200 @ 189.44", "09:36:20 300 @ 189.50 × 200 @ 189.54", until="10:30")
    desk, _ = listening(open_desk, rising, policy="normal", follow_after_seconds=10, listen_seconds=60)
    desk.repeg()
    moved = desk.order().children[1].decided_at
    assert timedelta(0) <= moved - desk.run.window.opens - timedelta(seconds=80) <= timedelta(seconds=2)


@pytest.mark.parametrize(("seconds", "quotes"), [(2, 15), (5, 6)])
def test_a_listening_step_reads_its_orders_every_five_seconds(open_desk: OpenDesk, seconds: int, quotes: int) -> None:
    """By a list, in its first turn and at the first look after each five seconds."""
    desk, _ = listening(open_desk, LATER, policy="normal", listen_seconds=30, look_seconds=seconds)
    desk.broker.line.sent.clear()
    desk.repeg()
    paths = [path for _, path in desk.broker.line.sent]
    assert (paths.count("/orders"), paths.count("/stocks/quotes/latest")) == (6, quotes)


def test_an_order_that_waits_keeps_no_other_from_being_looked_at(open_desk: OpenDesk) -> None:
    """The price of AAPL rises at 09:36:10, and its order follows it; the book of KO holds its order."""
    rising = book(QUIET, "09:36:10 300 @ 189.50 × 200 @ 189.54", until="10:30")
    wide = book("09:20 300 @ 59.00 × 300 @ 62.00", until="10:30")
    desk = open_desk({"AAPL": rising, "KO": wide})
    desk.ports = replace(desk.ports, signals=ScriptedSignals(desk))
    desk.begin("buy 40 AAPL", "buy 10 KO", waiting="stream", policy="normal", follow_after_seconds=0)
    desk.place()
    began = desk.runtime.now()
    desk.repeg()
    assert desk.order().children[1].decided_at - began <= timedelta(seconds=12)


def test_a_streamed_quote_is_looked_at_while_it_is_new(open_desk: OpenDesk) -> None:
    """The feed goes on showing the old book. A streamed quote that is too old at the first look is not read at all."""
    desk, signals = listening(open_desk, LATER, policy="normal", follow_after_seconds=0, listen_seconds=30)
    at = desk.runtime.now() - timedelta(milliseconds=1)
    prices = [Decimal(text) for text in ("189.50", "300", "189.54", "200")]
    signals.streamed["AAPL"] = Quote(symbol="AAPL", bid=prices[0], bid_size=prices[1], ask=prices[2],
                                     ask_size=prices[3], at=at - STREAMED_QUOTE_AGE)  # fmt: skip
    desk.repeg()
    assert len(desk.order().children) == 1
    signals.streamed["AAPL"] = signals.streamed["AAPL"].model_copy(update={"at": desk.runtime.now()})
    desk.repeg()
    assert len(desk.order().children) == 2


def test_a_step_leaves_as_soon_as_an_order_has_lost_its_child(open_desk: OpenDesk) -> None:
    """The broker cancels it at 09:36:05; the next piece, or the rest, is PlaceOrders' to place."""
    desk, signals = listening(open_desk, LATER)
    (order,) = desk.at_broker()
    desk.exchange.faults.arm(
        Fault(kind=Kind.REWRITE, method="GET", path="/v2/orders:by_client_order_id",
              rewrite=lambda row: {**row, "status": "expired"}), When(times=1))  # fmt: skip
    signals.at(desk.runtime.now() + timedelta(seconds=5), "AAPL")
    assert desk.repeg().decision == "validate"
    assert (desk.runtime.now().second, desk.order().children[-1].state) == (5, ChildState.EXPIRED)
    assert order.is_open


def test_a_step_leaves_as_soon_as_a_sell_has_freed_cash(open_desk: OpenDesk) -> None:
    sold = book("09:20 300 @ 60.40 × 300 @ 60.43", prints=("09:36:10 100 @ 60.42 bought",), until="10:30")
    desk = open_desk({"AAPL": LATER, "KO": sold}, opening=holding("100", KO="100"))
    signals = ScriptedSignals(desk)
    desk.ports = replace(desk.ports, signals=signals)
    desk.begin("buy 30 AAPL", "sell all KO", waiting="stream")
    desk.place()
    assert desk.open_at_broker("AAPL") == []
    signals.at(desk.runtime.now() + timedelta(seconds=10.05), "KO")
    assert desk.repeg().decision == "validate"
    assert desk.runtime.now().second == 10
    desk.place()
    assert desk.open_at_broker("AAPL") == ["30 AAPL @ 189.41"]
    desk.judge()


def with_one_waiting(open_desk: OpenDesk, **settings: int) -> Desk:
    """KO is sold, and the book of AAPL holds it."""
    wide = book("09:20 300 @ 189.00 × 200 @ 191.00", until="10:30")
    desk = open_desk({"AAPL": wide, "KO": KO}, opening=holding(KO="100"))
    desk.ports = replace(desk.ports, signals=ScriptedSignals(desk))
    desk.begin("buy 40 AAPL", "sell all KO", waiting="stream", **settings)
    desk.place()
    return desk


@pytest.mark.parametrize("seconds", [30, 60])
def test_a_step_leaves_on_the_grid_for_an_order_that_waits(open_desk: OpenDesk, seconds: int) -> None:
    """One whose book holds it is validated again as often as by polling, and keeps no other from being listened to."""
    desk = with_one_waiting(open_desk, order_monitoring_seconds=seconds)
    began = desk.runtime.now()
    assert desk.repeg().decision == "validate"
    assert desk.runtime.now() - began == timedelta(seconds=seconds)


def test_a_halted_step_does_not_leave_for_an_order_that_waits(open_desk: OpenDesk) -> None:
    desk = with_one_waiting(open_desk, listen_seconds=80)
    desk.store.set_kill_switch(KillSwitch.HALT_NEW)
    began = desk.runtime.now()
    assert desk.repeg().turns == 3
    assert desk.runtime.now() - began == timedelta(seconds=80)


@pytest.mark.parametrize("state", [KillSwitch.HALT_NEW, KillSwitch.CANCEL_ALL])
def test_a_step_leaves_when_the_kill_switch_changes(open_desk: OpenDesk, state: KillSwitch) -> None:
    desk, signals = listening(open_desk, LATER, policy="normal")
    desk.wait(4)
    step = desk.scheduler.spawn(desk.repeg)
    desk.wait(7)
    desk.store.set_kill_switch(state)
    desk.wait(3)
    assert signals.opened[0].is_closed
    assert step.result().decision == ("close" if state is KillSwitch.CANCEL_ALL else "wait")


def test_a_step_of_a_fenced_run_leaves_at_its_next_look_and_sends_nothing(open_desk: OpenDesk) -> None:
    rising = book(QUIET, "09:36:02 300 @ 189.65 × 300 @ 189.69", until="10:30")
    desk, signals = listening(open_desk, rising, policy="normal", follow_after_seconds=0)
    step = desk.scheduler.spawn(desk.repeg)
    desk.wait(1)
    desk.store.take_over(RUN_ID, 1, "arn:sweeper")
    desk.broker.line.sent.clear()
    desk.wait(2)
    assert step.result().decision == "wait"
    assert {method for method, _ in desk.broker.line.sent} == {"GET"}
    assert desk.journalled("AAPL", "error")
    assert signals.opened[0].is_closed
    with pytest.raises(RefusedRun, match="epoch 2"):
        desk.repeg()


def test_a_step_that_a_twin_has_overtaken_leaves_with_its_answer(open_desk: OpenDesk) -> None:
    desk, signals = listening(open_desk, LATER)
    step = desk.scheduler.spawn(desk.repeg)
    desk.wait(1)
    desk.store.take_step(RUN_ID, 1, desk.runtime.now())
    desk.wait(33)
    assert signals.opened[0].is_closed
    assert step.result().decision == "wait"
    with pytest.raises(Conflict):
        desk.store.keep_step(RUN_ID, 1, 2, desk.runtime.now())


def test_a_step_that_a_twin_overtakes_as_its_turn_begins_leaves(open_desk: OpenDesk) -> None:
    """The twin begins while the clock is read for the second turn."""
    desk, signals = listening(open_desk, LATER)
    clock, read = desk.broker.clock, []

    def overtaken() -> BrokerClock:
        read.append(desk.runtime.now())
        assert len(read) < 4, "the step goes on"
        if len(read) > 1:
            desk.store.take_step(RUN_ID, 1, desk.runtime.now())
        return clock()

    desk.broker.clock = overtaken  # type: ignore[method-assign]
    answer = desk.repeg()
    assert (answer.decision, answer.turns, len(read)) == ("wait", 1, 2)
    assert signals.opened[0].is_closed


@pytest.mark.parametrize("policy", ["anchor", "normal"])
def test_a_step_leaves_at_the_end_of_the_window(open_desk: OpenDesk, policy: str) -> None:
    """In its last ten seconds nothing is sent, so nothing is looked at: the step waits."""
    desk, _ = listening(open_desk, book(QUIET, until="16:00"), escalation="none", policy=policy)
    desk.wait_until("15:53:30")
    answer = desk.repeg()
    assert (answer.decision, answer.turns) == ("close", 3)
    assert desk.runtime.now() == desk.run.window.closes
    assert desk.run.state is RunState.RUNNING


def test_a_step_leaves_when_the_broker_does_not_answer(open_desk: OpenDesk) -> None:
    desk, signals = listening(open_desk, LATER)
    desk.exchange.faults.arm(
        Fault(kind=Kind.ANSWER_BEFORE, path="/v2/clock", status=502), When(skip=1, times=None)
    )  # fmt: skip
    answer = desk.repeg()
    assert (answer.decision, answer.turns, signals.opened[0].is_closed) == ("wait", 1, True)
    assert answer.turn_at == "2026-11-23T14:36:32Z"  # after a look, and not a turn
    assert desk.journalled("run", "skip")


def test_a_step_makes_no_more_turns_than_its_executions_history_has_room_for(
    open_desk: OpenDesk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(next_step, "TURNS_PER_EXECUTION", 3)
    desk, _ = listening(open_desk, LATER)
    answer = desk.repeg()
    assert (answer.decision, answer.turns) == ("renew", 3)
