"""ServeOperator: sets the kill switch, cancels the stack's open orders, reads back what is open; refuses nothing."""

from __future__ import annotations

from dataclasses import replace

import pytest

from functions.serve_operator.app import serve_operator
from repeg.domain.errors import StoreUnavailable
from repeg.domain.notice import SWITCH_CHANGED
from repeg.domain.order_ids import legacy_prefix, stack_tag
from repeg.domain.run import KillSwitch, RunState
from repeg.workflow.operating import operate
from repeg_workbench.exchange.faults.transport_faults import Fault, Kind
from repeg_workbench.exchange.triggers import When
from repeg_workbench.twins.memory_store import MemoryStore
from tests.functions.books import QUIET, book
from tests.functions.desk import RUN_ID, Desk, OpenDesk
from tests.functions.scenes import half_filled, resting


class DeafStore(MemoryStore):
    """A table that answers nothing about the kill switch."""

    def kill_switch(self) -> KillSwitch:
        raise StoreUnavailable("the table did not answer")

    def set_kill_switch(self, state: KillSwitch) -> None:
        raise StoreUnavailable("the table did not answer")


def refuse(desk: Desk, method: str, path: str = ".*", times: int | None = None) -> None:
    """Make the broker answer such requests with an error of its own."""
    fault = Fault(kind=Kind.ANSWER_BEFORE, method=method, path=path, status=503, body={"message": "down"})
    desk.exchange.faults.arm(fault, When(times=times))


def published(desk: Desk) -> list[tuple[str, str]]:
    return [(d["previous"], d["switch"]) for kind, d in desk.notifier.published if kind == SWITCH_CHANGED]


def test_a_look_changes_nothing(open_desk: OpenDesk) -> None:
    desk = resting(open_desk)
    answer = serve_operator(None, "", desk.ports)
    assert (answer.before, answer.switch, answer.cancelled, answer.problems) == ("active", "active", (), ())
    assert answer.broker is not None
    (order,) = answer.broker.orders
    assert (order.run_id, order.symbol, str(order.qty), str(order.filled_qty)) == (
        RUN_ID,
        "AAPL",
        "40",
        "0",
    )
    assert (answer.broker.is_open, answer.broker.closes) == (True, "2026-11-23T21:00:00Z")
    assert published(desk) == []


def test_a_halt_leaves_the_resting_orders_and_names_them(open_desk: OpenDesk) -> None:
    desk = resting(open_desk)
    answer = serve_operator(KillSwitch.HALT_NEW, "", desk.ports)
    assert desk.store.kill_switch() is KillSwitch.HALT_NEW
    assert answer.broker is not None
    assert [order.symbol for order in answer.broker.orders] == ["AAPL"]
    assert published(desk) == [("active", "halt_new")]


def test_the_same_halt_again_is_published_once(open_desk: OpenDesk) -> None:
    desk = resting(open_desk)
    for _ in range(2):
        serve_operator(KillSwitch.HALT_NEW, "", desk.ports)
    assert published(desk) == [("active", "halt_new")]


def test_a_change_made_by_the_caller_is_published(open_desk: OpenDesk) -> None:
    """The command writes the switch itself before it calls, and says what it was."""
    desk = resting(open_desk)
    desk.store.set_kill_switch(KillSwitch.CANCEL_ALL)
    serve_operator(KillSwitch.CANCEL_ALL, "active", desk.ports)
    assert published(desk) == [("active", "cancel_all")]


def test_cancel_all_leaves_no_order_open_and_the_run_closes(open_desk: OpenDesk) -> None:
    desk = half_filled(open_desk)
    answer = serve_operator(KillSwitch.CANCEL_ALL, "", desk.ports)
    assert len(answer.cancelled) == 2
    assert answer.broker is not None
    assert answer.broker.orders == ()
    assert desk.open_at_broker() == []
    assert desk.turn_at("09:36:30").decision == "close"
    assert desk.close().outcome == "settled"
    assert desk.run.state is RunState.CLOSED
    desk.judge()


@pytest.mark.parametrize("policy", ["anchor", "normal"])
def test_an_order_that_the_operator_cancelled_ends_as_killed(open_desk: OpenDesk, policy: str) -> None:
    """The run reads the cancelled order before it closes. No mark of its own says whose cancel it was."""
    desk = open_desk({"AAPL": book(QUIET)})
    desk.begin("buy 40 AAPL", policy=policy)
    desk.place()
    operate(KillSwitch.CANCEL_ALL, "", desk.ports)
    assert desk.turn_at("09:36:31").decision == "close"
    desk.close()
    assert (desk.row()["outcome"], desk.row()["reason"]) == ("killed", "the kill switch is cancel_all")


def test_cancel_all_touches_no_order_of_another_owner(open_desk: OpenDesk) -> None:
    desk = resting(open_desk)
    other = f"rp{stack_tag('another')}-core-261123.AAPL.b.1"
    for client_order_id in ("by-hand", other):
        desk.submit(client_order_id)
    serve_operator(KillSwitch.CANCEL_ALL, "", desk.ports)
    left = {order.client_order_id for order in desk.exchange.account.orders.open.values()}
    assert left == {"by-hand", other}


def test_cancel_all_cancels_untagged_orders_of_the_stacks_own_runs(open_desk: OpenDesk) -> None:
    desk = resting(open_desk)
    run = desk.run.model_copy(update={"run_id": "old-2026-11-23", "id_prefix": "", "owner": "arn:old"})
    desk.store.claim_run(run)
    for run_id in ("old-2026-11-23", "else-2026-11-23"):
        desk.submit(f"{legacy_prefix(run_id)}AAPL.b.1")
    answer = serve_operator(KillSwitch.CANCEL_ALL, "", desk.ports)
    assert f"{legacy_prefix('old-2026-11-23')}AAPL.b.1" in answer.cancelled
    left = {order.client_order_id for order in desk.exchange.account.orders.open.values()}
    assert left == {f"{legacy_prefix('else-2026-11-23')}AAPL.b.1"}


def test_orders_are_cancelled_although_the_table_does_not_answer(open_desk: OpenDesk) -> None:
    desk = resting(open_desk)
    answer = serve_operator(KillSwitch.CANCEL_ALL, "active", replace(desk.ports, store=DeafStore()))
    assert desk.open_at_broker() == []
    assert answer.switch == "unknown"
    assert answer.problems[0] == "the kill switch could not be set: the table did not answer"


@pytest.mark.parametrize("switch", [KillSwitch.HALT_NEW, KillSwitch.CANCEL_ALL])
def test_the_switch_is_set_although_the_broker_is_down(open_desk: OpenDesk, switch: KillSwitch) -> None:
    desk = resting(open_desk)
    refuse(desk, "GET")
    answer = serve_operator(switch, "", desk.ports)
    assert desk.store.kill_switch() is switch
    assert answer.broker is None
    assert answer.problems[0].startswith("the broker: ")


def test_an_order_that_will_not_cancel_is_named_as_still_open(open_desk: OpenDesk) -> None:
    desk = resting(open_desk)
    refuse(desk, "DELETE")
    answer = serve_operator(KillSwitch.CANCEL_ALL, "", desk.ports)
    assert answer.broker is not None
    assert [order.symbol for order in answer.broker.orders] == ["AAPL"]


def test_a_cancel_that_is_lost_is_sent_again(open_desk: OpenDesk) -> None:
    desk = resting(open_desk)
    refuse(desk, "DELETE", times=1)
    assert serve_operator(KillSwitch.CANCEL_ALL, "", desk.ports).broker is not None
    assert desk.open_at_broker() == []
