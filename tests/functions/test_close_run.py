"""CloseRun: nothing of ours stays open, every order has an outcome, our books are the broker's, and it is told once."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from functions.close_run.app import close_run
from repeg.errors import BrokerUnavailable, StillOpen, StoreUnavailable
from repeg.order import ChildState, Outcome
from repeg.run import KillSwitch, Run, RunState
from tests.functions.books import AAPL, KO, QUIET, UP, book
from tests.functions.desk import RUN_ID, Desk, OpenDesk, holding
from tests.simulation import judge
from workbench.exchange.arming import When
from workbench.exchange.faults import Fault, Kind
from workbench.exchange.races import Race
from workbench.twins.memory_store import MemoryStore

SOLD_INTO = book(QUIET, prints=("09:36:10 15 @ 189.41 sold",))


def working(open_desk: OpenDesk, **options: Any) -> Desk:
    """40 AAPL to buy, of which 15 are filled, and 100 KO to sell, resting, at 09:36:20."""
    desk = open_desk({"AAPL": SOLD_INTO, "KO": KO}, opening=holding(KO="100"), **options)
    desk.begin("buy 40 AAPL", "sell all KO")
    desk.place()
    desk.wait_until("09:36:20")
    return desk


def submit(desk: Desk, client_order_id: str, symbol: str = "AAPL", qty: str = "5") -> None:
    """An order that does not come from the run's steps."""
    terms = {"type": "limit", "limit_price": "100.00", "time_in_force": "day", "client_order_id": client_order_id}
    desk.broker.line.post("/orders", {"symbol": symbol, "side": "buy", "qty": qty, **terms})
    desk.wait(1)


# Cancel, confirm, reconcile


def test_what_rests_is_cancelled_and_what_was_filled_is_booked(open_desk: OpenDesk) -> None:
    desk = working(open_desk)
    assert desk.close() == {"outcome": "settled", "error": "", "reason": "every order has an outcome"}
    judge.nothing_of_ours_is_open(desk.exchange)
    desk.judge()
    assert [execution.qty for execution in desk.store.executions(RUN_ID)] == [15]
    assert desk.run.state is RunState.CLOSED


def test_every_order_of_the_plan_is_in_the_report_with_an_outcome_and_a_reason(open_desk: OpenDesk) -> None:
    desk = working(open_desk)
    desk.close()
    rows = {row["symbol"]: (row["outcome"], row["reason"]) for row in desk.report["orders"]}
    assert rows == {
        "AAPL": ("partial_deadline", "15 of 40: the window closed"),
        "KO": ("partial_deadline", "0 of 100: the window closed"),
    }


def test_the_report_has_the_agreed_shape_and_its_numbers_are_the_ledgers(open_desk: OpenDesk) -> None:
    desk = working(open_desk)
    desk.repeg()
    desk.close()
    assert desk.row("AAPL") == {
        "symbol": "AAPL", "side": "buy", "qty": "40", "filled_qty": "15", "average_price": "189.41",
        "arrival_mid": "189.42", "cost_bps": "-0.53", "cost_half_spreads": "-0.5", "moves": 0, "children": 1,
        "outcome": "partial_deadline", "reason": "15 of 40: the window closed",
    }  # fmt: skip
    assert set(desk.report) >= {"run_id", "outcome", "reason", "orders", "totals"}
    assert desk.report["totals"] == {
        "orders": 2, "orders_filled": 0, "filled_notional": "2841.15", "cost_bps": "-0.53", "market_cost_bps": "1.06",
        "executions": 1, "turns": 1,
    }  # fmt: skip


def test_it_ends_once_however_often_it_is_called(open_desk: OpenDesk) -> None:
    desk = working(open_desk)
    first, report = desk.close(), desk.report
    sent = len(desk.broker.line.sent)
    assert desk.close() == first
    assert (desk.report, len(desk.broker.line.sent)) == (report, sent)
    assert [kind for kind, _ in desk.notifier.published] == ["repeg.run.settled"]


def test_a_fill_that_beats_the_closing_cancel_is_in_the_report(open_desk: OpenDesk) -> None:
    desk = working(open_desk)
    desk.exchange.races.arm(Race.CANCEL_LOSES, symbol="AAPL")
    desk.close()
    assert (desk.row()["filled_qty"], desk.row()["outcome"]) == ("40", "filled")
    desk.judge()


def test_an_order_that_fills_after_its_cancel_was_reported_is_booked_when_it_is_seen(open_desk: OpenDesk) -> None:
    """Its last word is on the table, and then the broker corrects it: a fill counts whenever it is seen."""
    desk = working(open_desk)
    order = desk.order("KO")
    assert order.child is not None
    late = order.child.model_copy(update={"state": ChildState.CANCELED})
    filled = late.after(_report(desk, "KO", status="filled", filled="100"))
    assert (filled.state, filled.filled) == (ChildState.FILLED, Decimal(100))


def test_a_cancel_that_is_not_confirmed_keeps_the_run_open(open_desk: OpenDesk) -> None:
    desk = working(open_desk)
    desk.exchange.races.arm(Race.CANCEL_STUCK, symbol="AAPL", seconds=30)
    with pytest.raises(StillOpen, match=f"rp-{RUN_ID}.AAPL.b.1"):
        desk.close()
    assert desk.run.state is RunState.CLOSING
    assert desk.notifier.published == []
    desk.wait(40)
    assert desk.close()["outcome"] == "settled"
    assert [kind for kind, _ in desk.notifier.published] == ["repeg.run.settled"]
    judge.nothing_of_ours_is_open(desk.exchange)


def test_a_run_that_is_closing_places_nothing_more(open_desk: OpenDesk) -> None:
    desk = working(open_desk)
    desk.exchange.races.arm(Race.CANCEL_STUCK, symbol="AAPL", seconds=30)
    with pytest.raises(StillOpen):
        desk.close()
    with pytest.raises(Exception, match="is closing"):
        desk.place()
    assert desk.posts() == 2


@pytest.mark.parametrize("path", ["/v2/clock", "/v2/orders", "/v2/account/activities/FILL"])
def test_a_silent_broker_has_the_close_called_again(open_desk: OpenDesk, path: str) -> None:
    desk = working(open_desk)
    desk.exchange.faults.arm(Fault(kind=Kind.ANSWER_BEFORE, method="GET", path=path, status=503))
    with pytest.raises(BrokerUnavailable):
        desk.close()
    assert desk.close()["outcome"] == "settled"
    judge.nothing_of_ours_is_open(desk.exchange)
    desk.judge()


# What is not accounted for


def test_an_order_with_our_runs_mark_that_our_books_do_not_hold_is_cancelled_and_told(open_desk: OpenDesk) -> None:
    desk = working(open_desk)
    submit(desk, f"rp-{RUN_ID}.AAPL.b.7")
    assert desk.close()["outcome"] == "settled"
    judge.nothing_of_ours_is_open(desk.exchange)
    assert desk.told("AAPL", "stray") == [(f"rp-{RUN_ID}.AAPL.b.7", "at the broker, not in our books")]


@pytest.mark.parametrize("theirs", ["my-own-order", f"rp-{RUN_ID}-r2.AAPL.b.1", "rp-core-2026-11-2.AAPL.b.1"])
def test_orders_that_are_not_this_runs_are_not_touched(open_desk: OpenDesk, theirs: str) -> None:
    desk = working(open_desk)
    submit(desk, theirs)
    desk.close()
    order = desk.exchange.account.orders.by_client_id[theirs]
    assert order.is_open


def test_a_position_that_nobody_booked_fails_the_run(open_desk: OpenDesk) -> None:
    """The broker's list of fills loses one for good: what cannot be explained is not called settled."""

    def without_any(rows: list[object]) -> list[object]:
        return []

    desk = working(open_desk)
    fault = Fault(kind=Kind.REWRITE, method="GET", path="/v2/account/activities/FILL", rewrite=without_any)
    desk.exchange.faults.arm(fault, When(times=None))
    answer = desk.close()
    assert (answer["outcome"], answer["error"]) == ("failed", "Unexplained")
    assert answer["reason"] == "AAPL filled 15 but booked 0"
    assert [kind for kind, _ in desk.notifier.published] == ["repeg.run.failed"]


def test_the_failure_that_led_here_is_the_reports_error_in_its_own_words(open_desk: OpenDesk) -> None:
    desk = working(open_desk)
    cause = '{"errorMessage": "run core is at epoch 2", "errorType": "RefusedRun", "stackTrace": ["x"]}'
    answer = desk.close({"Error": "RefusedRun", "Cause": cause})
    assert answer == {"outcome": "failed", "error": "RefusedRun", "reason": "run core is at epoch 2"}
    judge.nothing_of_ours_is_open(desk.exchange)


# Orders that nobody heard of


def test_an_intent_that_never_arrived_is_given_up_only_after_its_time(open_desk: OpenDesk) -> None:
    desk = open_desk({"AAPL": AAPL})
    desk.begin("buy 40 AAPL")
    desk.exchange.faults.arm(Fault(kind=Kind.HANG_BEFORE, method="POST"))
    desk.place()
    desk.wait_until("09:37:59")
    with pytest.raises(StillOpen):
        desk.close()
    desk.wait_until("09:38:00")
    assert desk.close()["outcome"] == "settled"
    assert desk.order().children[0].state is ChildState.NEVER_ARRIVED
    assert desk.posts() == 1


def test_one_that_was_given_up_and_turns_up_after_all_is_cancelled_and_booked(
    open_desk: OpenDesk,
) -> None:
    desk = open_desk({"AAPL": book(QUIET, prints=("09:38:20 15 @ 189.41 sold",)), "KO": KO}, opening=holding(KO="9"))
    desk.begin("buy 40 AAPL", "sell all KO")
    desk.exchange.faults.arm(Fault(kind=Kind.LATE, method="POST", delay=130), When(skip=1))
    desk.place()
    desk.wait_until("09:38:00")
    desk.exchange.races.arm(Race.CANCEL_STUCK, symbol="KO", seconds=60)
    with pytest.raises(StillOpen, match="KO"):
        desk.close()
    assert desk.order().children[0].state is ChildState.NEVER_ARRIVED
    desk.wait_until("09:39:10")
    assert desk.close()["outcome"] == "settled"
    assert (desk.row()["filled_qty"], desk.row()["outcome"]) == ("15", "partial_deadline")
    judge.nothing_of_ours_is_open(desk.exchange)
    desk.judge()


def test_one_that_arrives_while_the_run_closes_is_cancelled(open_desk: OpenDesk) -> None:
    desk = open_desk({"AAPL": AAPL})
    desk.begin("buy 40 AAPL")
    desk.exchange.faults.arm(Fault(kind=Kind.LATE, method="POST", delay=55))
    desk.place()
    desk.wait_until("09:36:30")
    with pytest.raises(StillOpen):
        desk.close()
    desk.wait_until("09:37:00")
    assert desk.close()["outcome"] == "settled"
    assert desk.order().children[0].state is ChildState.CANCELED
    judge.nothing_of_ours_is_open(desk.exchange)


# Who may close


def test_an_execution_that_was_fenced_closes_nothing(open_desk: OpenDesk) -> None:
    desk = working(open_desk)
    desk.store.take_over(RUN_ID, 1, "arn:sweeper")
    answer = desk.close()
    assert (answer["outcome"], answer["error"]) == ("failed", "Fenced")
    assert len(desk.open_at_broker()) == 2


def test_a_run_that_does_not_exist_is_nobodys_to_close(open_desk: OpenDesk) -> None:
    desk = open_desk({"AAPL": AAPL})
    answer = close_run("core-2026-11-24", 1, 0, None, desk.ports)
    assert answer["error"] == "Fenced"
    assert answer["reason"] == "core-2026-11-24 is not ours to close: there is no such run"


class Blind(MemoryStore):
    """A store that cannot be read for a while."""

    is_blind = False

    def run(self, run_id: str) -> Run | None:
        if self.is_blind:
            raise StoreUnavailable("no answer in time")
        return super().run(run_id)


def test_without_the_table_it_cancels_by_the_runs_mark_alone_and_is_called_again(open_desk: OpenDesk) -> None:
    store = Blind()
    desk = working(open_desk, store=store)
    submit(desk, "my-own-order")
    store.is_blind = True
    with pytest.raises(StoreUnavailable):
        desk.close()
    desk.wait(1)
    assert desk.open_at_broker() == []
    assert desk.exchange.account.orders.by_client_id["my-own-order"].is_open
    store.is_blind = False
    assert desk.close()["outcome"] == "settled"
    desk.judge()


# How the orders are named


def test_the_brake_is_named_as_what_ended_the_orders(open_desk: OpenDesk) -> None:
    desk = working(open_desk)
    desk.store.set_kill_switch(KillSwitch.CANCEL_ALL)
    assert desk.close()["outcome"] == "settled"
    assert {row["outcome"] for row in desk.report["orders"]} == {"killed"}


@pytest.mark.parametrize(
    ("changes", "outcome"),
    [
        ("09:20 300 @ 189.00 × 200 @ 189.48", Outcome.HELD_WIDE),
        ("09:20 99 @ 189.40 × 200 @ 189.44", Outcome.HELD_THIN),
        ("09:20 300 @ 189.44 × 200 @ 189.44", Outcome.HELD_STALE),
    ],
)
def test_an_order_held_to_the_end_says_what_held_it(open_desk: OpenDesk, changes: str, outcome: Outcome) -> None:
    desk = open_desk({"AAPL": book(changes)})
    desk.begin("buy 40 AAPL")
    desk.place()
    assert desk.close()["outcome"] == "settled"
    assert (desk.row()["outcome"], desk.row()["children"]) == (outcome, 0)


def test_an_order_that_the_collar_kept_from_filling_says_so(open_desk: OpenDesk) -> None:
    desk = open_desk({"AAPL": book(QUIET, UP)})
    desk.begin("buy 40 AAPL", max_slippage_bps="1")
    desk.place()
    desk.wait_until("09:36:30")
    desk.repeg()
    desk.wait_until("09:37:00")
    desk.repeg()
    desk.close()
    assert desk.row()["outcome"] == "no_fill_collar"


def _report(desk: Desk, symbol: str, *, status: str, filled: str) -> Any:
    told = desk.broker.order(f"rp-{RUN_ID}.{symbol}.s.1")
    assert told is not None
    return told.model_copy(update={"status": status, "filled_qty": Decimal(filled)})
