"""After a run's end: late orders are cancelled, late fills booked, reports corrected, and vanished orders given up."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest

from functions.watch_runs.app import watch_runs
from repeg.domain.child_order import ChildState, OrderReport
from repeg.domain.errors import BrokerUnavailable, StillOpen, StoreUnavailable
from repeg.domain.limits import BudgetEntry
from repeg.domain.parent_order import ParentOrder
from repeg.domain.run import RunState
from repeg.domain.run_health import Finding
from repeg.domain.store_rules import Guard
from repeg.workflow.after_session import reconcile_ended_run
from repeg_workbench.exchange.broker.races import Race
from repeg_workbench.exchange.faults.transport_faults import Fault, Kind
from repeg_workbench.exchange.triggers import When
from tests.functions.books import QUIET, book
from tests.functions.desk import PREFIX, PROMPT, RUN_ID, Desk, OpenDesk
from tests.functions.scenes import resting, vanish
from tests.simulation import judge

ALL_DAY = book(QUIET, prints=("09:50:00 15 @ 189.41 sold",), until="16:00")
KO_ALL_DAY = book("09:20 500 @ 60.40 × 500 @ 60.43", prints=("09:50:00 900 @ 60.41 sold",), until="16:00")
FILLS = "/v2/account/activities/FILL"


def published(desk: Desk, kind: str) -> list[dict[str, Any]]:
    """The details of the events of one kind."""
    return [detail for name, detail in desk.notifier.published if name == kind]


def guard_of(desk: Desk) -> Guard:
    """The run's guard."""
    guard = desk.store.guard(RUN_ID)
    assert guard is not None
    return guard


def is_reconciled(desk: Desk) -> bool:
    """Whether the run is marked as reconciled."""
    return guard_of(desk).is_reconciled


def closed_before_its_order_arrives(open_desk: OpenDesk, delay: float) -> Desk:
    """A run that was closed with 0 of 40 filled while its only order was still on its way."""
    desk = open_desk({"AAPL": ALL_DAY})
    desk.begin("buy 40 AAPL")
    desk.exchange.faults.arm(Fault(kind=Kind.LATE, method="POST", delay=delay))
    desk.place()
    desk.wait_until("09:39")
    assert desk.close().outcome == "settled"
    assert desk.row()["filled_qty"] == "0"
    return desk


def hide_fills(desk: Desk) -> None:
    """The broker's list of executions is empty until the faults are disarmed."""
    fault = Fault(kind=Kind.REWRITE, method="GET", path=FILLS, rewrite=lambda rows: [])
    desk.exchange.faults.arm(fault, When(times=None))


# Late orders and fills


def test_an_order_that_arrives_after_its_runs_end_is_cancelled_next_pass(open_desk: OpenDesk) -> None:
    desk = closed_before_its_order_arrives(open_desk, delay=240)
    desk.wait_until("09:41")
    assert desk.open_at_broker() == ["40 AAPL @ 189.41"]
    (alert,) = desk.watch()
    assert (alert.finding, alert.reason) == (Finding.LEFT_OPEN, f"cancelled {PREFIX}AAPL.b.1")
    judge.nothing_of_ours_is_open(desk.exchange)
    assert desk.order().children[0].state is ChildState.CANCELED
    desk.wait_until("09:51")
    assert desk.watch() == []
    assert desk.bought() == 0


def test_a_late_fill_is_in_the_report_at_the_next_pass(open_desk: OpenDesk) -> None:
    desk = closed_before_its_order_arrives(open_desk, delay=240)
    desk.wait_until("09:51")
    desk.watch()
    assert (str(desk.bought().normalize()), desk.row()["filled_qty"]) == ("15", "15")
    assert len(published(desk, "repeg.run.corrected")) == 1
    desk.judge()


def test_an_order_that_only_the_lagging_list_shows_is_not_reported(open_desk: OpenDesk) -> None:
    desk = resting(open_desk, ALL_DAY)
    listed = desk.broker.open_orders()
    desk.wait_until("09:40")
    desk.close()
    desk.broker.open_orders = lambda: listed  # type: ignore[method-assign]
    assert desk.watch() == []


def test_a_fill_after_the_runs_end_is_booked_and_its_report_corrected(open_desk: OpenDesk) -> None:
    desk = closed_before_its_order_arrives(open_desk, delay=600)
    desk.wait_until("16:00")
    assert desk.watch() == []
    assert (desk.row()["filled_qty"], desk.row()["outcome"]) == ("15", "partial_deadline")
    (event,) = published(desk, "repeg.run.corrected")
    assert event["event_id"].startswith(f"{RUN_ID}.corrected.")
    assert [row["filled_qty"] for row in event["before"]["orders"] + event["after"]["orders"]] == ["0", "15"]
    assert (event["before"]["totals"]["executions"], event["after"]["totals"]["executions"]) == (0, 1)
    desk.judge()


def test_an_order_that_cannot_be_read_does_not_keep_others_from_being_booked(open_desk: OpenDesk) -> None:
    """Both have been sent and filled after their run's end; the broker answers for one of them alone."""
    desk = open_desk({"AAPL": ALL_DAY, "KO": KO_ALL_DAY})
    desk.begin("buy 40 AAPL", "buy 10 KO")
    desk.exchange.faults.arm(Fault(kind=Kind.LATE, method="POST", delay=600), When(times=2))
    desk.place()
    desk.wait_until("09:39")
    desk.close()
    desk.wait_until("16:00")
    lookup = desk.broker.order

    def not_of_aapl(client_order_id: str) -> OrderReport | None:
        if "AAPL" in client_order_id:
            raise BrokerUnavailable("no answer")
        return lookup(client_order_id)

    desk.broker.order = not_of_aapl  # type: ignore[method-assign]
    desk.broker.order_by_broker_id = lambda broker_id: None  # type: ignore[method-assign]
    with pytest.raises(BrokerUnavailable):
        reconcile_ended_run(guard_of(desk), desk.ports)
    assert (desk.order("KO").filled, desk.order("AAPL").filled) == (Decimal(10), Decimal(0))
    assert not is_reconciled(desk)
    desk.broker.order = lookup  # type: ignore[method-assign]
    reconcile_ended_run(guard_of(desk), desk.ports)
    assert desk.order("AAPL").filled == Decimal(15)


def test_a_corrected_report_is_published_once(open_desk: OpenDesk) -> None:
    desk = closed_before_its_order_arrives(open_desk, delay=600)
    for time in ("16:00", "16:10", "16:20", "16:30"):
        desk.wait_until(time)
        assert desk.watch() == []
    assert len(published(desk, "repeg.run.corrected")) == 1


def test_a_run_is_reconciled_only_long_after_the_close(open_desk: OpenDesk) -> None:
    desk = resting(open_desk, ALL_DAY)
    desk.wait_until("15:55")
    desk.close()
    for time, expected in (("15:59", False), ("16:00", False), ("16:19:50", False), ("16:20", True)):
        desk.wait_until(time)
        assert desk.watch() == []
        assert is_reconciled(desk) is expected
    sent = len(desk.broker.line.sent)
    desk.watch()
    assert desk.broker.line.sent[sent:] == [("GET", "/clock"), ("GET", "/calendar"), ("GET", "/orders")]
    assert published(desk, "repeg.run.corrected") == []


def test_an_order_that_arrives_after_the_session_is_cancelled(open_desk: OpenDesk) -> None:
    """The broker keeps a day order that arrives after the close for the next session."""
    desk = closed_before_its_order_arrives(open_desk, delay=(6 * 60 + 34) * 60)
    desk.wait_until("16:12")
    assert desk.open_at_broker() == ["40 AAPL @ 189.41"]
    desk.watch()
    judge.nothing_of_ours_is_open(desk.exchange)
    desk.wait_until("16:20")
    desk.watch()
    assert is_reconciled(desk)


def test_a_stray_order_after_the_session_is_cancelled(open_desk: OpenDesk) -> None:
    desk = resting(open_desk, ALL_DAY)
    desk.wait_until("15:55")
    desk.close()
    desk.wait_until("16:05")
    desk.submit(f"{PREFIX}AAPL.b.9")
    desk.watch()
    judge.nothing_of_ours_is_open(desk.exchange)


def trade(desk: Desk, client_order_id: str, qty: str) -> None:
    """Buy AAPL at the far side, in an order that is in no book of the run."""
    terms = {"symbol": "AAPL", "side": "buy", "qty": qty, "type": "limit", "limit_price": "190.00"}
    desk.broker.line.post("/orders", {**terms, "time_in_force": "day", "client_order_id": client_order_id})
    desk.wait(1)


def test_an_order_of_ours_without_an_intent_is_booked_and_reported(open_desk: OpenDesk) -> None:
    desk = resting(open_desk, ALL_DAY, escalation="none")
    trade(desk, f"{PREFIX}AAPL.b.9", "5")
    desk.wait_until("15:55")
    desk.close()
    assert desk.row()["filled_qty"] == "15"
    desk.wait_until("16:20")
    (alert,) = desk.watch()
    assert (alert.finding, alert.reason) == (Finding.BOOKS_DIFFER, f"{PREFIX}AAPL.b.9 filled 5 without an intent")
    assert (desk.row()["filled_qty"], desk.report["outcome"]) == ("20", "failed")
    assert [execution.qty for execution in desk.store.executions(RUN_ID)] == [5, 15]
    desk.wait_until("16:30")
    assert [alert.finding for alert in desk.watch()] == [Finding.BOOKS_DIFFER]
    assert not is_reconciled(desk)


def test_a_second_order_under_the_same_id_is_reported(open_desk: OpenDesk) -> None:
    """An exchange that frees an id with its order's end accepts it again."""
    desk = open_desk({"AAPL": ALL_DAY}, quirks=replace(PROMPT, client_order_id_scope="active"))
    desk.begin("buy 40 AAPL", escalation="none")
    desk.place()
    desk.wait_until("15:55")
    desk.close()
    trade(desk, f"{PREFIX}AAPL.b.1", "5")
    desk.wait_until("16:20")
    (alert,) = desk.watch()
    second = desk.at_broker()[-1].id
    assert alert.reason == f"{PREFIX}AAPL.b.1 filled 5 as {second}, which is not in our books"
    assert not is_reconciled(desk)


def test_a_refused_order_that_has_filled_is_booked_and_reported(open_desk: OpenDesk) -> None:
    """The broker took it although its answer was a refusal; a second order was sent before it showed the first, or its
    executions."""
    quirks = replace(PROMPT, client_id_lag=(40_000, 40_000), list_lag=(40_000, 40_000))
    desk = open_desk({"AAPL": book("09:20 300 @ 189.40 × 300 @ 189.44", until="16:00")}, quirks=quirks)
    desk.begin("buy 40 AAPL", policy="market")
    refusal = {"code": 40310000, "message": "insufficient buying power"}
    desk.exchange.faults.arm(Fault(kind=Kind.ANSWER_AFTER, method="POST", status=403, body=refusal))
    hide_fills(desk)
    desk.place()
    desk.wait_until("09:36:30")
    desk.place()
    desk.exchange.faults.disarm()
    desk.wait_until("09:37")
    assert desk.repeg().decision == "close"
    desk.close()
    assert (desk.row()["filled_qty"], desk.bought()) == ("80", Decimal(80))
    desk.wait_until("16:20")
    (alert,) = desk.watch()
    assert (alert.finding, alert.reason) == (Finding.BOOKS_DIFFER, "AAPL filled 80 of 40")
    assert (desk.row()["filled_qty"], desk.report["outcome"]) == ("80", "failed")


# Executions that are listed late


def test_a_run_with_late_listed_fills_is_settled_after_the_session(open_desk: OpenDesk) -> None:
    desk = resting(open_desk, ALL_DAY, escalation="none")
    desk.wait_until("10:00")
    hide_fills(desk)
    assert desk.close().error == "Unexplained"
    desk.exchange.faults.disarm()
    desk.wait_until("16:00")
    assert desk.watch() == []
    assert (desk.report["outcome"], desk.report["error"]) == ("settled", "")
    (event,) = published(desk, "repeg.run.corrected")
    assert (event["before"]["outcome"], event["after"]["outcome"]) == ("failed", "settled")
    desk.judge()


def test_a_lasting_difference_of_the_books_is_reported_in_each_pass(open_desk: OpenDesk) -> None:
    desk = resting(open_desk, ALL_DAY, escalation="none")
    desk.wait_until("10:00")
    hide_fills(desk)
    desk.close()
    found = []
    for time in ("16:10", "16:20", "16:30"):
        desk.wait_until(time)
        found.append([(alert.finding, alert.reason) for alert in desk.watch()])
    difference = (Finding.BOOKS_DIFFER, f"{PREFIX}AAPL.b.1 filled 15, executions say 0")
    assert found == [[], [difference], [difference]]
    assert not is_reconciled(desk)
    desk.exchange.faults.disarm()
    assert desk.watch() == []
    assert is_reconciled(desk)


# Orders that the broker loses


def test_a_run_whose_order_has_vanished_ends_after_the_session(open_desk: OpenDesk) -> None:
    desk = resting(open_desk, book(QUIET, until="16:00"))
    desk.wait_until("15:55")
    vanish(desk)
    for step in (desk.close, desk.sweep):
        with pytest.raises(StillOpen):
            step()
    desk.wait_until("16:00")
    assert [alert.finding for alert in desk.watch()] == [Finding.ORDER_LOST, Finding.STUCK_RUN]
    assert desk.run.state is RunState.SWEPT
    assert desk.order().children[0].state is ChildState.LOST
    assert desk.row()["outcome"] == "unknown"
    assert f"the broker did not show {PREFIX}AAPL.b.1 as closed" in desk.report["reason"]
    assert len(published(desk, "repeg.watch.order_lost")) == len(published(desk, "repeg.run.failed")) == 1


def test_the_closing_step_keeps_looking_for_a_vanished_order_until_the_close(open_desk: OpenDesk) -> None:
    desk = resting(open_desk, book(QUIET, until="16:00"))
    vanish(desk)
    for time in ("15:55", "15:59:50"):
        desk.wait_until(time)
        with pytest.raises(StillOpen):
            desk.close()
    desk.wait_until("16:00")
    answer = desk.close()
    assert (answer.outcome, answer.error) == ("failed", "Unexplained")
    assert len(published(desk, "repeg.watch.order_lost")) == 1


def test_a_lost_order_that_is_found_again_is_booked(open_desk: OpenDesk) -> None:
    desk = resting(open_desk, ALL_DAY, escalation="none")
    desk.wait_until("09:45")
    vanish(desk)
    desk.wait_until("16:00")
    assert desk.close().outcome == "failed"
    assert desk.row()["filled_qty"] == "0"
    desk.exchange.faults.disarm()
    desk.wait_until("16:20")
    assert desk.watch() == []
    assert (desk.report["outcome"], desk.row()["filled_qty"]) == ("settled", "15")
    assert is_reconciled(desk)
    desk.judge()


def test_a_run_with_a_cancel_that_never_completes_ends_after_the_session(open_desk: OpenDesk) -> None:
    desk = resting(open_desk, book(QUIET, until="16:00"))
    desk.wait_until("15:55")
    pending = Fault(kind=Kind.REWRITE, method="GET", path="/v2/orders.*", rewrite=_pending_cancel)
    desk.exchange.faults.arm(pending, When(times=None))
    for time in ("15:55", "16:19"):
        desk.wait_until(time)
        with pytest.raises(StillOpen):
            desk.close()
    desk.wait_until("16:21")
    assert desk.close().outcome == "failed"
    assert desk.row()["outcome"] == "unknown"


def _pending_cancel(body: Any) -> Any:
    rows = body if isinstance(body, list) else [body]
    for row in rows:
        row["status"] = "pending_cancel"
    return body


def jam_the_cancel(desk: Desk) -> None:
    """No cancel of the order is confirmed that day."""
    desk.exchange.races.arm(Race.CANCEL_STUCK, symbol="AAPL", seconds=90_000)


@pytest.mark.parametrize("spoil", [vanish, hide_fills, jam_the_cancel])
def test_every_run_ends_on_its_day(open_desk: OpenDesk, spoil: Any) -> None:
    """Whatever happens to its order, the watchdog's last pass leaves no run without an end and a report."""
    desk = resting(open_desk, ALL_DAY)
    desk.wait_until("15:54")
    spoil(desk)
    for hour in (15, 16):
        for minute in range(55 if hour == 15 else 0, 60 if hour == 15 else 51, 5):
            desk.wait_until(f"{hour}:{minute:02}")
            watch_runs(desk.ports, expect_run=True)
    assert desk.run.state is RunState.SWEPT
    assert desk.run.is_announced
    assert desk.row()["outcome"]


def test_an_order_that_cannot_be_stored_leaves_no_other_one_open(open_desk: OpenDesk) -> None:
    """Both have arrived after the close of their run."""
    ko = book("09:20 500 @ 60.40 × 500 @ 60.43", until="16:00")
    desk = open_desk({"AAPL": book(QUIET, until="16:00"), "KO": ko})
    desk.begin("buy 40 AAPL", "buy 10 KO")
    desk.exchange.faults.arm(Fault(kind=Kind.LATE, method="POST", delay=240), When(times=2))
    desk.place()
    desk.wait_until("09:39")
    desk.close()
    desk.wait_until("09:41")
    assert len(desk.open_at_broker()) == 2
    save = desk.store.save_order

    def not_aapl(order: ParentOrder, budgets: Sequence[BudgetEntry] = ()) -> ParentOrder:
        if order.symbol == "AAPL":
            raise StoreUnavailable("the table does not answer")
        return save(order, budgets)

    desk.store.save_order = not_aapl  # type: ignore[method-assign]
    with pytest.raises(StoreUnavailable):
        reconcile_ended_run(guard_of(desk), desk.ports)
    desk.wait(1)
    assert desk.open_at_broker() == []
