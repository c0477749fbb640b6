"""Whose fills a replacement's report shows: its own, or those of the order that it replaced as well."""

from __future__ import annotations

from decimal import Decimal

import pytest

from repeg.domain.broker import Execution
from repeg.domain.child_order import Child, ChildState, OrderReport
from repeg.workflow.reconciliation import fills_pending, own_fills
from repeg.workflow.turn import Turn, begin_turn
from tests.builders import a_child, a_report, an_execution
from tests.functions.desk import RUN_ID, Desk, OpenDesk
from tests.functions.scenes import resting


def chain(*olds: tuple[str, ChildState]) -> list[Child]:
    """Replaced orders with their fills and states, and the open one that has taken their place."""
    children = [a_child(qty="40", n=n, filled=filled, state=state) for n, (filled, state) in enumerate(olds, start=1)]
    children.append(a_child(qty="40", n=len(olds) + 1))
    return [each.model_copy(update={"replaces": each.n - 1 or None}) for each in children]


def executions(*fills: tuple[int, str, str]) -> list[Execution]:
    """Executions: the child's attempt, shares, price."""
    return [
        an_execution(qty, price).model_copy(update={"broker_order_id": f"broker-{n}", "activity_id": f"{n}:{qty}"})
        for n, qty, price in fills
    ]


def own(
    open_desk: OpenDesk, children: list[Child], listed: list[Execution], status: str = "partially_filled", **seen: str
) -> OrderReport | None:
    """What is the last child's own in a report of it, while the broker lists these executions."""
    desk: Desk = resting(open_desk)
    desk.broker.executions = lambda day: listed  # type: ignore[method-assign]
    turn: Turn = begin_turn(RUN_ID, desk.ports)
    order = desk.order().model_copy(update={"children": tuple(children)})
    report = a_report(status, **seen).model_copy(update={"broker_id": children[-1].broker_id})
    return own_fills(turn, order, children[-1], report)


REPLACED = ChildState.REPLACED


@pytest.mark.parametrize("inherited", ["1", "20"])
@pytest.mark.parametrize("is_inheriting", [True, False])
def test_a_replacements_own_fills_are_those_of_its_executions(
    open_desk: OpenDesk, inherited: str, is_inheriting: bool
) -> None:
    listed = executions((1, inherited, "189.41"), (2, "5", "189.60"), (2, "10", "189.66"))
    filled = str(15 + Decimal(inherited) * is_inheriting)
    found = own(open_desk, chain((inherited, REPLACED)), listed, filled=filled, price="189.50")
    assert found is not None
    assert (found.filled_qty, found.average_price) == (Decimal(15), Decimal("189.64"))


def test_a_report_of_inherited_fills_alone_has_no_own_fills(open_desk: OpenDesk) -> None:
    found = own(open_desk, chain(("20", REPLACED)), executions((1, "20", "189.41")), filled="20", price="189.41")
    assert found is not None
    assert (found.filled_qty, found.average_price) == (Decimal(0), None)


@pytest.mark.parametrize("filled", ["1", "25"])
def test_fills_stay_pending_until_the_replaced_orders_executions_come(open_desk: OpenDesk, filled: str) -> None:
    assert own(open_desk, chain(("20", REPLACED)), [], filled=filled, price="189.66") is None


def test_fills_that_are_neither_own_nor_inherited_ones_stay_pending(open_desk: OpenDesk) -> None:
    listed = executions((1, "20", "189.41"), (2, "5", "189.66"))
    assert own(open_desk, chain(("20", REPLACED)), listed, filled="10", price="189.66") is None


@pytest.mark.parametrize("olds", [[("0", ChildState.LIVE)], [("0", REPLACED), ("0", ChildState.LIVE)]])
def test_fills_stay_pending_while_a_replaced_order_may_still_fill(
    open_desk: OpenDesk, olds: list[tuple[str, ChildState]]
) -> None:
    listed = executions((len(olds) + 1, "5", "189.66"))
    assert own(open_desk, chain(*olds), listed, filled="5", price="189.66") is None


def test_a_report_is_believed_where_the_replaced_order_ended_unfilled(open_desk: OpenDesk) -> None:
    found = own(open_desk, chain(("0", REPLACED)), [], filled="5", price="189.66")
    assert found is not None
    assert (found.filled_qty, found.average_price) == (Decimal(5), Decimal("189.66"))


def test_a_report_without_fills_is_believed_whatever_was_replaced(open_desk: OpenDesk) -> None:
    found = own(open_desk, chain(("20", REPLACED)), [], "new")
    assert found is not None
    assert found.filled_qty == Decimal(0)


def test_a_rejected_replacement_has_filled_nothing_of_its_own(open_desk: OpenDesk) -> None:
    found = own(open_desk, chain(("20", ChildState.LIVE)), [], "rejected", filled="20", price="189.41")
    assert found is not None
    assert (found.filled_qty, found.average_price) == (Decimal(0), None)


@pytest.mark.parametrize(
    ("state", "broker_id", "pending"),
    [
        (ChildState.CANCELLING, "broker-1", ChildState.CANCELLING),
        (ChildState.UNKNOWN, None, ChildState.LIVE),
        (ChildState.LOST, "broker-1", ChildState.LIVE),
        (ChildState.LIVE, "broker-1", ChildState.LIVE),
    ],
)
def test_a_child_is_open_while_its_own_fills_are_pending(
    state: ChildState, broker_id: str | None, pending: ChildState
) -> None:
    child = a_child(state=state).model_copy(update={"broker_id": broker_id})
    after = fills_pending(child, a_report("filled", broker_id="as reported"))
    assert (after.state, after.broker_id, after.filled) == (pending, "as reported", Decimal(0))


@pytest.mark.parametrize("state", [ChildState.CANCELED, ChildState.FILLED, ChildState.EXPIRED])
def test_a_closed_child_stays_closed_while_its_own_fills_are_pending(state: ChildState) -> None:
    child = a_child(state=state)
    assert fills_pending(child, a_report("filled", broker_id="as reported")) is child
