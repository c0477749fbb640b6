"""RepegOrders with `use_replace`: one request moves an unfilled order; both orders are read until one is closed."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from repeg.domain.child_order import ChildState, Rung
from repeg.domain.outcome import HoldReason, Outcome
from repeg.workflow.cancellation import cancel_children
from repeg.workflow.turn import begin_turn
from repeg_workbench.exchange.broker.races import Race
from repeg_workbench.exchange.broker_quirks import BrokerQuirks
from repeg_workbench.exchange.faults.transport_faults import Fault, Kind
from tests.functions.books import QUIET, UP, book
from tests.functions.desk import PROMPT, RUN_ID, Desk, OpenDesk

RISEN = book(QUIET, UP)
INHERITANCE = pytest.mark.parametrize("habit", ["inherit", "zero"])
OLD, NEW = ["40 AAPL @ 189.41"], ["40 AAPL @ 189.66"]


def replacing(
    open_desk: OpenDesk,
    prints: tuple[str, ...] = (),
    habit: Any = "inherit",
    delay: tuple[int, int] = BrokerQuirks().replace_delay,
    further: tuple[str, ...] = (),
    **settings: Any,
) -> Desk:
    """A buy of 40 AAPL resting at 189.41 since 09:36 in a rising market; moves use replace."""
    quirks = BrokerQuirks(
        ack_delay=PROMPT.ack_delay, cancel_delay=PROMPT.cancel_delay, release_delay=PROMPT.release_delay,
        requests_per_minute=None, data_requests_per_minute=None, replace_fill_inheritance=habit, replace_delay=delay,
    )  # fmt: skip
    desk = open_desk({"AAPL": book(QUIET, UP, *further, prints=prints)}, quirks=quirks)
    desk.begin("buy 40 AAPL", use_replace=True, **settings)
    desk.place()
    assert desk.open_at_broker() == OLD
    return desk


def states(desk: Desk) -> list[ChildState]:
    return [child.state for child in desk.order().children]


def sent(desk: Desk, method: str) -> int:
    return sum(each == method for each, _ in desk.broker.line.sent)


def moved_until(desk: Desk, *times: str) -> None:
    for time in times:
        desk.turn_at(time)
        desk.place()


# One request


def test_a_move_sends_one_replace_and_no_cancel(open_desk: OpenDesk) -> None:
    desk = replacing(open_desk)
    desk.turn_at("09:36:30")
    desk.wait(1)
    assert (desk.open_at_broker(), sent(desk, "PATCH"), sent(desk, "DELETE"), desk.posts()) == (NEW, 1, 0, 1)
    desk.turn_at("09:37:00")
    assert states(desk) == [ChildState.REPLACED, ChildState.LIVE]
    assert (desk.order().moves, [child.is_piece for child in desk.order().children]) == (1, [False, False])
    desk.judge()


def test_a_replacement_without_budget_leaves_the_order_resting(open_desk: OpenDesk) -> None:
    desk = replacing(open_desk, max_run_orders=1)
    desk.turn_at("09:36:30")
    desk.wait(1)
    assert (desk.open_at_broker(), sent(desk, "PATCH"), desk.order().held) == (OLD, 0, HoldReason.BUDGET)


def test_a_replacements_intent_is_written_before_it_is_sent(open_desk: OpenDesk) -> None:
    desk = replacing(open_desk)
    desk.exchange.faults.arm(Fault(kind=Kind.HANG_BEFORE, method="PATCH"))
    desk.turn_at("09:36:30")
    assert [(i.n, i.qty, i.limit) for i in desk.store.intents(RUN_ID)][1] == (2, Decimal(40), Decimal("189.66"))
    assert [child.replaces for child in desk.order().children] == [None, 1]


def test_no_decision_is_made_while_both_orders_may_fill(open_desk: OpenDesk) -> None:
    """The bid has risen once more meanwhile."""
    desk = replacing(open_desk, further=("09:36:40 300 @ 189.90 × 200 @ 189.94",))
    desk.exchange.races.arm(Race.REPLACE_STUCK, seconds=100)
    moved_until(desk, "09:36:30", "09:37:00", "09:37:30")
    assert (sent(desk, "PATCH"), sent(desk, "DELETE"), desk.posts()) == (1, 0, 1)
    assert len(desk.order().open_children) == 2
    moved_until(desk, "09:39:00", "09:39:30")
    assert states(desk)[:2] == [ChildState.REPLACED, ChildState.REPLACED]
    assert desk.open_at_broker() == ["40 AAPL @ 189.91"]
    desk.judge()


def test_both_orders_of_a_replace_are_read_by_their_ids_while_the_list_lags(open_desk: OpenDesk) -> None:
    desk = replacing(open_desk)
    stale = desk.broker.open_orders()
    desk.turn_at("09:36:30")
    desk.broker.open_orders = lambda: stale  # type: ignore[method-assign]
    desk.turn_at("09:37:00")
    assert states(desk) == [ChildState.REPLACED, ChildState.LIVE]
    desk.judge()


def test_a_partly_filled_order_moves_by_cancel_and_resubmit(open_desk: OpenDesk) -> None:
    desk = replacing(open_desk, prints=("09:36:10 15 @ 189.41 sold",))
    desk.turn_at("09:36:30")
    assert (desk.open_at_broker(), sent(desk, "PATCH")) == (["25 AAPL @ 189.66"], 0)
    desk.judge()


def test_a_crossing_order_is_sent_by_cancel_and_resubmit(open_desk: OpenDesk) -> None:
    desk = replacing(open_desk, patience_seconds=60)
    moved_until(desk, "09:36:30", "09:37:30")
    before = sent(desk, "PATCH")
    moved_until(desk, "09:38:00")
    last = desk.order().children[-1]
    assert (last.rung, last.replaces) == (Rung.CROSS, None)
    assert (sent(desk, "PATCH"), sent(desk, "DELETE")) == (before, 1)
    desk.turn_at("09:38:30")
    desk.judge()


def test_a_replacement_shares_the_budget_of_the_replaced_order(open_desk: OpenDesk) -> None:
    desk = replacing(open_desk, max_run_notional="7600")
    desk.turn_at("09:36:30")
    desk.wait(1)
    assert desk.open_at_broker() == NEW
    assert desk.order().committed == 40 * Decimal("189.66")


# Refused, unknown, late


@pytest.mark.parametrize("message", ["insufficient qty available", "cannot replace order in accepted status"])
def test_a_refused_replace_is_followed_by_a_cancel(open_desk: OpenDesk, message: str) -> None:
    desk = replacing(open_desk)
    refusal = {"code": 42210000, "message": message}
    desk.exchange.faults.arm(Fault(kind=Kind.ANSWER_BEFORE, method="PATCH", status=422, body=refusal))
    desk.turn_at("09:36:30")
    assert (states(desk), desk.open_at_broker()) == ([ChildState.LIVE, ChildState.REFUSED], OLD)
    assert (desk.order().moves, desk.order().rejections) == (0, 0)
    desk.turn_at("09:37:00")
    assert (desk.open_at_broker(), sent(desk, "PATCH")) == (NEW, 1)
    desk.judge()


def test_a_lost_replace_is_abandoned_after_two_minutes(open_desk: OpenDesk) -> None:
    desk = replacing(open_desk)
    desk.exchange.faults.arm(Fault(kind=Kind.HANG_BEFORE, method="PATCH"))
    moved_until(desk, "09:36:30", "09:37:00", "09:38:29")
    assert (states(desk), desk.open_at_broker()) == ([ChildState.LIVE, ChildState.UNKNOWN], OLD)
    moved_until(desk, "09:38:30")
    assert states(desk)[1] is ChildState.NEVER_ARRIVED
    assert (desk.open_at_broker(), sent(desk, "PATCH")) == (NEW, 1)
    desk.judge()


def test_a_second_lost_replace_is_abandoned_as_late_as_the_first(open_desk: OpenDesk) -> None:
    """The first order of the chain is closed, and the second, which the lost request would replace, is open."""
    desk = replacing(open_desk, further=("09:37:10 300 @ 189.90 × 200 @ 189.94",))
    moved_until(desk, "09:36:30", "09:37:00")
    desk.exchange.faults.arm(Fault(kind=Kind.HANG_BEFORE, method="PATCH"))
    moved_until(desk, "09:37:30")
    assert states(desk) == [ChildState.REPLACED, ChildState.LIVE, ChildState.UNKNOWN]
    moved_until(desk, "09:38:40")
    assert states(desk)[2] is ChildState.UNKNOWN
    moved_until(desk, "09:39:40")
    assert states(desk)[2] is ChildState.NEVER_ARRIVED


def test_a_replace_that_arrives_late_is_adopted(open_desk: OpenDesk) -> None:
    desk = replacing(open_desk)
    desk.exchange.faults.arm(Fault(kind=Kind.LATE, method="PATCH", seconds=5, delay=45))
    moved_until(desk, "09:36:30", "09:37:00")
    assert desk.open_at_broker() == OLD
    moved_until(desk, "09:37:30")
    assert (states(desk), desk.open_at_broker()) == ([ChildState.REPLACED, ChildState.LIVE], NEW)
    desk.judge()


@pytest.mark.parametrize("state", [ChildState.NEVER_ARRIVED, ChildState.REFUSED])
def test_an_abandoned_replacement_found_at_the_broker_is_adopted(open_desk: OpenDesk, state: ChildState) -> None:
    desk = replacing(open_desk)
    desk.exchange.faults.arm(Fault(kind=Kind.HANG_AFTER, method="PATCH", seconds=5))
    desk.turn_at("09:36:30")
    order = desk.order()
    desk.store.save_order(order.with_child(order.children[1].becomes(state)))
    moved_until(desk, "09:37:00")
    assert (states(desk), desk.open_at_broker()) == ([ChildState.REPLACED, ChildState.LIVE], NEW)
    assert len(desk.at_broker()) == 2
    assert desk.journalled("AAPL", "late") == []
    desk.judge()


# The five races


@INHERITANCE
@pytest.mark.parametrize("race", [Race.REPLACE_LOSES, Race.REPLACE_SHOWS_PARENT])
def test_a_fill_before_the_replace_is_counted_once(open_desk: OpenDesk, race: Race, habit: str) -> None:
    """Races A and E: the old order fills, the new one is rejected and may report the old one's fill."""
    desk = replacing(open_desk, habit=habit)
    desk.exchange.races.arm(race)
    moved_until(desk, "09:36:30", "09:37:00")
    assert (desk.order().outcome, desk.order().filled, desk.bought()) == (Outcome.FILLED, Decimal(40), Decimal(40))
    desk.close()
    assert states(desk) == [ChildState.FILLED, ChildState.REJECTED]
    assert [child.filled for child in desk.order().children] == [40, 0]
    desk.judge()


@INHERITANCE
def test_a_partial_fill_before_the_replace_belongs_to_the_old_order(open_desk: OpenDesk, habit: str) -> None:
    """Race B, followed by fills of the new order."""
    desk = replacing(open_desk, habit=habit, prints=("09:37:10 5 @ 189.66 sold", "09:37:40 500 @ 189.66 sold"))
    desk.exchange.races.arm(Race.REPLACE_LOSES_PART)
    desk.turn_at("09:36:30")
    desk.turn_at("09:37:00")
    assert [child.filled for child in desk.order().children] == [20, 0]
    assert desk.open_at_broker() == ["20 AAPL @ 189.66"]
    desk.turn_at("09:37:30")
    assert [child.filled for child in desk.order().children] == [20, 5]
    desk.turn_at("09:38:00")
    assert [child.filled for child in desk.order().children] == [20, 20]
    assert (desk.order().outcome, desk.bought()) == (Outcome.FILLED, Decimal(40))
    desk.close()
    assert desk.report["error"] in {"", None}
    desk.judge()


def test_a_silently_rejected_replacement_is_followed_by_a_cancel(
    open_desk: OpenDesk,
) -> None:
    """Race C: the replace was answered with success."""
    desk = replacing(open_desk)
    desk.exchange.races.arm(Race.REPLACE_FORGOTTEN)
    desk.turn_at("09:36:30")
    desk.wait(1)
    assert desk.open_at_broker() == OLD
    desk.turn_at("09:37:00")
    assert states(desk) == [ChildState.CANCELED, ChildState.REJECTED, ChildState.LIVE]
    assert (desk.open_at_broker(), sent(desk, "PATCH"), desk.order().rejections) == (NEW, 1, 0)
    desk.judge()


@INHERITANCE
def test_a_rejected_replacements_reported_fill_is_ignored(open_desk: OpenDesk, habit: str) -> None:
    """It reports the old order's fill at the time of the rejection; the old order has filled more since."""
    prints = ("09:36:32 10 @ 189.41 sold", "09:36:50 6 @ 189.41 sold")
    desk = replacing(open_desk, prints, habit, delay=(5_000, 5_000))
    desk.exchange.races.arm(Race.REPLACE_FORGOTTEN)
    moved_until(desk, "09:36:30", "09:37:00")
    desk.wait(1)
    moved_until(desk, "09:37:30")
    assert [(child.state, child.filled) for child in desk.order().children] == [
        (ChildState.CANCELED, Decimal(16)), (ChildState.REJECTED, Decimal(0)), (ChildState.LIVE, Decimal(0)),
    ]  # fmt: skip
    assert desk.open_at_broker() == ["24 AAPL @ 189.66"]
    desk.judge()


@pytest.mark.parametrize(
    "fault",
    [
        Fault(kind=Kind.ANSWER_AFTER, method="PATCH", status=500, body={"code": 50010000, "message": "internal"}),
        Fault(kind=Kind.ANSWER_AFTER, method="PATCH", status=422,
              body={"code": 40010001, "message": "unable to replace order, order isn't sent to exchange yet"}),
        Fault(kind=Kind.ANSWER_AFTER, method="PATCH", status=422,
              body={"code": 42210000, "message": "some other refusal"}),
    ],
    ids=["500", "reported as not replaced", "refused"],
)  # fmt: skip
def test_a_replacement_behind_an_error_answer_is_adopted(open_desk: OpenDesk, fault: Fault) -> None:
    """Race D: the answer is an error although the replace succeeded."""
    desk = replacing(open_desk)
    desk.exchange.faults.arm(fault)
    moved_until(desk, "09:36:30", "09:37:00")
    assert (states(desk), desk.open_at_broker()) == ([ChildState.REPLACED, ChildState.LIVE], NEW)
    assert len(desk.at_broker()) == 2
    desk.judge()


@INHERITANCE
def test_a_replacements_fills_need_confirmation_by_executions(open_desk: OpenDesk, habit: str) -> None:
    desk = replacing(open_desk, habit=habit, prints=("09:36:50 5 @ 189.66 sold",))
    desk.exchange.races.arm(Race.REPLACE_LOSES_PART)
    desk.turn_at("09:36:30")
    read = desk.broker.executions
    desk.broker.executions = lambda day: []  # type: ignore[method-assign]
    desk.turn_at("09:37:00")
    assert [child.filled for child in desk.order().children] == [20, 0]
    assert desk.order().open_child is not None
    version = desk.order().version
    desk.turn_at("09:37:15")
    assert desk.order().version == version
    desk.broker.executions = read  # type: ignore[method-assign]
    desk.turn_at("09:37:30")
    assert [child.filled for child in desk.order().children] == [20, 5]
    desk.judge()


def test_a_replacements_own_fills_are_not_taken_for_inherited_ones(open_desk: OpenDesk) -> None:
    """The old order and the new one have filled 20 each, and no execution is listed yet: the report of 20 could be
    either's."""
    desk = replacing(open_desk, habit="zero", prints=("09:36:50 500 @ 189.66 sold",))
    desk.exchange.races.arm(Race.REPLACE_LOSES_PART)
    desk.turn_at("09:36:30")
    read = desk.broker.executions
    desk.broker.executions = lambda day: []  # type: ignore[method-assign]
    moved_until(desk, "09:37:00", "09:37:30")
    assert (desk.bought(), desk.posts()) == (Decimal(40), 1)
    desk.broker.executions = read  # type: ignore[method-assign]
    moved_until(desk, "09:38:00")
    assert [child.filled for child in desk.order().children] == [20, 20]
    assert desk.bought() == Decimal(40)
    desk.judge()


# The close


@pytest.mark.parametrize("seconds", [0, 1])
def test_closing_cancels_the_open_one_of_both_orders(open_desk: OpenDesk, seconds: int) -> None:
    desk = replacing(open_desk)
    if seconds:
        desk.exchange.races.arm(Race.REPLACE_STUCK, seconds=seconds)
    desk.turn_at("09:36:30")
    desk.close()
    assert desk.open_at_broker() == []
    assert desk.order().open_children == ()
    desk.judge()


def test_closing_does_not_cancel_a_replacement_that_a_read_shows_as_filled(open_desk: OpenDesk) -> None:
    """The read of the replaced order after its cancel shows both as closed."""
    desk = replacing(open_desk, prints=("09:36:40 500 @ 189.66 sold",))
    desk.exchange.races.arm(Race.REPLACE_STUCK, seconds=5)
    desk.turn_at("09:36:30")
    desk.wait_until("09:36:45")
    order = cancel_children(begin_turn(RUN_ID, desk.ports), desk.order())
    assert [child.state for child in order.children] == [ChildState.REPLACED, ChildState.FILLED]
