"""What the account's owner does to a run's orders and positions is followed, counted and never doubled."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

import pytest

from functions.place_orders.app import place_orders
from functions.plan_orders.app import plan_orders
from functions.validate_quotes.app import validate_quotes
from repeg.adapters.alpaca.http import Body
from repeg.domain.broker import CancelAnswer, Position, Submission
from repeg.domain.child_order import ChildState
from repeg.domain.errors import StoreUnavailable
from repeg.domain.intent import Intent
from repeg.domain.outcome import HoldReason, Outcome
from repeg.workflow.quote_check import hold_order
from repeg.workflow.turn import begin_turn
from repeg_workbench.exchange.broker.races import Race
from repeg_workbench.exchange.faults.transport_faults import Fault, Kind
from tests.builders import NOON
from tests.functions.books import KO, QUIET, UP, book
from tests.functions.desk import RUN_ID, Desk, OpenDesk, a_plan, holding
from tests.functions.scenes import resting

SECOND = "arn:aws:states:us-east-1:123456789012:execution:execute-plan:second"
SOLD_LATER = book(QUIET, prints=("09:36:40 25 @ 189.41 sold",))


def move_by_hand(desk: Desk, limit: str, **fields: str) -> str:
    """The owner moves our order in the broker's page; returns the new order's broker id."""
    answer = desk.broker.line.patch(f"/orders/{desk.at_broker()[0].id}", {"limit_price": limit, **fields})
    desk.wait(1)
    assert isinstance(answer, Body)
    return str(answer.value["id"])


def test_an_order_moved_by_its_owner_is_followed_and_not_sent_again(open_desk: OpenDesk) -> None:
    desk = resting(open_desk, SOLD_LATER)
    moved = move_by_hand(desk, "189.42")
    desk.turn_at("09:36:30")
    order = desk.order()
    assert (order.held, order.child and order.child.broker_id) == (HoldReason.OWNER, moved)
    assert [(child.n, child.replaces) for child in order.children] == [(1, None), (2, 1)]
    desk.place()
    desk.turn_at("09:37:00")
    assert (desk.posts(), desk.order().filled) == (1, desk.bought())
    desk.close()
    assert desk.row()["outcome"] == "ended_by_owner"
    assert desk.row()["filled_qty"] == f"{desk.bought().normalize():f}"


def test_an_owners_order_is_never_cancelled_by_the_closing_step(open_desk: OpenDesk) -> None:
    desk = resting(open_desk)
    moved = move_by_hand(desk, "189.40")
    desk.turn_at("09:36:30")
    assert desk.close().outcome == "settled"
    assert desk.exchange.account.orders.by_id[moved].is_open
    assert sum(method == "DELETE" for method, _ in desk.broker.line.sent) == 0


def test_an_owners_order_that_fills_between_two_closing_steps_is_filled(
    open_desk: OpenDesk, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The first step is cut off after it has ended the order, and before its report."""
    desk = resting(open_desk, book(QUIET, prints=("09:36:40 40 @ 189.41 sold",)))
    move_by_hand(desk, "189.42")
    desk.turn_at("09:36:30")
    with monkeypatch.context() as cut:
        cut.setattr(desk.store, "save_report", _cut_off)
        with pytest.raises(StoreUnavailable):
            desk.close()
    assert desk.order().outcome is Outcome.ENDED_BY_OWNER
    desk.wait_until("09:37:00")
    desk.close()
    assert (desk.order().outcome, desk.row()["outcome"], desk.row()["filled_qty"]) == (Outcome.FILLED, "filled", "40")


def _cut_off(*_: object) -> None:
    raise StoreUnavailable("cut off")


def test_an_order_is_not_sent_again_while_its_owners_move_is_not_found(open_desk: OpenDesk) -> None:
    desk = resting(open_desk, SOLD_LATER)
    hidden = desk.exchange.account.orders.by_id[move_by_hand(desk, "189.42")]
    hidden.is_forgotten = True
    for time in ("09:36:30", "09:37:00"):
        desk.turn_at(time)
        desk.place()
    assert desk.posts() == 1
    hidden.is_forgotten = False
    desk.turn_at("09:37:30")
    assert (desk.order().held, desk.order().filled) == (HoldReason.OWNER, desk.bought())


def test_an_order_moved_by_its_owner_while_our_replace_is_lost_is_followed(open_desk: OpenDesk) -> None:
    desk = resting(open_desk, book(QUIET, UP), use_replace=True)
    desk.exchange.faults.arm(Fault(kind=Kind.HANG_BEFORE, method="PATCH"))
    desk.turn_at("09:36:30")
    moved = move_by_hand(desk, "189.43")
    desk.turn_at("09:37:00")
    assert desk.order().held is HoldReason.OWNER
    assert moved in {child.broker_id for child in desk.order().open_children}


def test_an_order_moved_twice_by_its_owner_is_followed_to_the_end(open_desk: OpenDesk) -> None:
    desk = resting(open_desk, SOLD_LATER)
    first = move_by_hand(desk, "189.42")
    desk.broker.line.patch(f"/orders/{first}", {"limit_price": "189.43"})
    desk.wait_until("09:36:45")
    desk.repeg()
    children = desk.order().children
    assert [child.state for child in children] == [ChildState.REPLACED, ChildState.REPLACED, ChildState.LIVE]
    assert desk.order().filled == desk.bought()


@pytest.mark.parametrize("seen_between", [True, False])
def test_an_order_moved_and_cancelled_by_its_owner_ends_by_its_owner(
    open_desk: OpenDesk, *, seen_between: bool
) -> None:
    desk = resting(open_desk)
    moved = move_by_hand(desk, "189.20")
    if seen_between:
        desk.turn_at("09:36:30")
    desk.broker.line.delete(f"/orders/{moved}")
    desk.turn_at("09:37:00")
    desk.place()
    assert (desk.order().outcome, desk.order().reason, desk.posts()) == (
        Outcome.ENDED_BY_OWNER, "0 of 40: moved at the broker by the account's owner", 1,
    )  # fmt: skip


def test_fills_beyond_the_target_by_the_owners_hand_are_reported(open_desk: OpenDesk) -> None:
    desk = resting(open_desk, book(QUIET, prints=("09:36:40 60 @ 189.43 sold",)))
    move_by_hand(desk, "189.43", qty="60")
    desk.turn_at("09:37:00")
    desk.close()
    assert desk.row()["filled_qty"] == f"{desk.bought().normalize():f}"
    assert desk.row()["reason"] == "AAPL filled 60 of 40, 20 too many"
    (alert,) = [detail for name, detail in desk.notifier.published if detail.get("finding") == "books_differ"]
    assert alert["reason"] == "AAPL filled 60 of 40, 20 too many"
    assert desk.posts() == 1


def test_a_sell_is_not_sent_again_once_its_shares_are_sold_by_hand(open_desk: OpenDesk) -> None:
    """Between a cancel and its successor the owner closes the position: the successor would open a short."""
    falling = book("09:20 300 @ 60.40 × 300 @ 60.43", "09:36:10 300 @ 60.10 × 300 @ 60.13")
    desk = open_desk({"KO": falling}, opening=holding(KO="40"))
    desk.begin("sell all KO")
    desk.place()
    desk.exchange.races.arm(Race.CANCEL_STUCK, seconds=0.2)
    held = desk.broker.positions

    def sold_by_hand() -> list[Position]:
        """The broker after the owner has sold: at once, between our cancel and its successor."""
        return [position for position in held() if position.symbol != "KO"]

    desk.broker.positions = sold_by_hand  # type: ignore[method-assign]
    desk.turn_at("09:36:30")
    assert (desk.bought("KO"), desk.posts(), desk.open_at_broker()) == (Decimal(0), 1, [])
    assert desk.order("KO").held is HoldReason.NOT_HELD


def test_a_sell_sent_late_in_a_step_is_checked_against_fresh_holdings(open_desk: OpenDesk) -> None:
    """The first sell takes six seconds; meanwhile the owner closes the position that the second one would sell."""
    desk = open_desk({"AAPL": book(QUIET), "KO": KO}, opening=holding(AAPL="40", KO="40"))
    desk.begin("sell all AAPL", "sell all KO", use_async_execution=False)
    submit, positions = desk.broker.submit, desk.broker.positions

    def slowly(intent: Intent) -> Submission:
        desk.wait(6)
        return submit(intent)

    def held() -> list[Position]:
        return [each for each in positions() if each.symbol == "AAPL" or not desk.posts()]

    desk.broker.submit = slowly  # type: ignore[method-assign]
    desk.broker.positions = held  # type: ignore[method-assign]
    desk.place()
    assert desk.open_at_broker() == ["40 AAPL @ 189.43"]
    assert desk.order("KO").held is HoldReason.NOT_HELD


def test_the_owners_own_fills_in_the_same_symbol_are_not_booked(open_desk: OpenDesk) -> None:
    desk = resting(open_desk)
    terms = {"symbol": "AAPL", "side": "buy", "qty": "7", "type": "market", "time_in_force": "day"}
    desk.broker.line.post("/orders", terms)
    desk.wait(1)
    assert desk.close().outcome == "settled"
    assert (desk.row()["filled_qty"], desk.store.executions(RUN_ID)) == ("0", [])


def test_every_successor_of_a_sell_is_checked_against_the_holdings(open_desk: OpenDesk) -> None:
    falling = book("09:20 300 @ 60.40 × 300 @ 60.43", "09:36:10 300 @ 60.10 × 300 @ 60.13")
    desk = open_desk({"KO": falling}, opening=holding(KO="40"))
    desk.begin("sell all KO")
    desk.place()
    desk.turn_at("09:36:30")
    methods = [(method, path) for method, path in desk.broker.line.sent]
    last_post = max(index for index, (method, _) in enumerate(methods) if method == "POST")
    assert any("positions" in path for _, path in methods[methods.index(("POST", "/orders")) + 1 : last_post])


def test_an_order_of_another_plan_is_not_mistaken_for_the_owners(open_desk: OpenDesk) -> None:
    desk = open_desk({"AAPL": book(QUIET), "KO": KO})
    desk.begin("buy 40 AAPL")
    desk.place()
    desk.open({**a_plan("buy 10 KO"), "name": "other"}, execution=SECOND)
    plan_orders("other-2026-11-23", 1, desk.ports)
    validate_quotes("other-2026-11-23", 1, desk.ports)
    place_orders("other-2026-11-23", 1, 0, desk.ports)
    desk.turn_at("09:36:30")
    assert desk.order().held is None


@pytest.mark.parametrize("use_replace", [False, True])
def test_a_move_of_ours_is_not_mistaken_for_the_owners(open_desk: OpenDesk, *, use_replace: bool) -> None:
    desk = resting(open_desk, book(QUIET, UP), use_replace=use_replace)
    desk.turn_at("09:36:30")
    desk.turn_at("09:37:00")
    assert desk.order().held is not HoldReason.OWNER
    assert desk.open_at_broker() == ["40 AAPL @ 189.66"]


def test_a_step_that_dies_after_its_cancel_does_not_blame_the_owner(open_desk: OpenDesk) -> None:
    """The mark of a cancel is stored before the request, so a retried step knows that the cancel was its own."""
    desk = resting(open_desk, book(QUIET, UP))
    cancel = desk.broker.cancel

    class Died(Exception):
        pass

    def cancel_and_die(broker_id: str) -> CancelAnswer:
        cancel(broker_id)
        raise Died

    desk.broker.cancel = cancel_and_die  # type: ignore[method-assign]
    with pytest.raises(Died):
        desk.turn_at("09:36:30")
    desk.broker.cancel = cancel  # type: ignore[method-assign]
    desk.turn_at("09:37:00")
    desk.place()
    assert desk.order().outcome is not Outcome.ENDED_BY_OWNER
    assert desk.open_at_broker() == ["40 AAPL @ 189.66"]
    desk.judge()


def test_an_order_that_its_owner_cut_during_our_cancel_is_not_sent_again(open_desk: OpenDesk) -> None:
    """The owner cuts the order to 10 shares, and it trades, between the mark of our cancel and its request."""
    desk = resting(open_desk, book(QUIET, UP))
    cancel = desk.broker.cancel
    cut: list[str] = []

    def cut_then_cancel(broker_id: str) -> CancelAnswer:
        if not cut:
            cut.append(broker_id)
            desk.broker.line.patch(f"/orders/{broker_id}", {"limit_price": "189.70", "qty": "10"})
            desk.runtime.pause(0.6)
        return cancel(broker_id)

    desk.broker.cancel = cut_then_cancel  # type: ignore[method-assign]
    for time in ("09:36:30", "09:37:00", "09:37:30"):
        desk.turn_at(time)
        desk.place()
    assert (desk.posts(), desk.bought()) == (1, Decimal(10))
    assert desk.order().outcome is Outcome.ENDED_BY_OWNER


@pytest.mark.parametrize("reason", [HoldReason.WAITS_FOR_SELLS, HoldReason.NOT_HELD, HoldReason.WIDE])
def test_no_other_hold_replaces_the_owners(open_desk: OpenDesk, reason: HoldReason) -> None:
    desk = resting(open_desk)
    owned = desk.order().on_hold(HoldReason.OWNER, NOON)
    assert hold_order(begin_turn(RUN_ID, desk.ports), owned, reason, "") is owned


def test_an_owners_order_interrupted_before_its_end_is_finished(open_desk: OpenDesk) -> None:
    desk = open_desk({"AAPL": book(QUIET)})
    desk.begin("buy 40 AAPL")
    desk.store.save_order(desk.order().on_hold(HoldReason.OWNER, NOON))
    desk.place()
    assert (desk.order().outcome, desk.posts()) == (Outcome.ENDED_BY_OWNER, 0)


def test_shares_that_our_own_cancel_frees_are_not_sold_twice(open_desk: OpenDesk) -> None:
    """The owner sells them before their successor is sent. This account may sell short."""
    falling = ("09:20 500 @ 60.40 × 500 @ 60.43", "09:36:10 500 @ 60.30 × 500 @ 60.33")
    may_short = replace(holding(KO="100"), multiplier=2, shorting_enabled=True)
    desk = open_desk({"KO": book(*falling, prints=("09:36:50 500 @ 60.33 bought",))}, opening=may_short)
    desk.begin("sell all KO")
    desk.place()
    desk.wait_until("09:36:30")
    cancel = desk.broker.cancel

    def then_the_owner_sells(broker_id: str) -> CancelAnswer:
        answer = cancel(broker_id)
        desk.runtime.pause(0.06)
        terms = {"symbol": "KO", "side": "sell", "qty": "100", "type": "market", "time_in_force": "day"}
        desk.broker.line.post("/orders", {**terms, "client_order_id": "mine"})
        return answer

    desk.broker.cancel = then_the_owner_sells  # type: ignore[method-assign]
    desk.repeg()
    desk.wait_until("09:36:55")
    assert (int(desk.bought("KO")), desk.order("KO").held) == (-100, HoldReason.NOT_HELD)


@pytest.mark.parametrize(("may_short", "reads"), [(False, 1), (True, 2)])
def test_the_holdings_are_read_again_only_where_the_account_may_short(
    open_desk: OpenDesk, may_short: bool, reads: int
) -> None:
    """Elsewhere the broker refuses a sell of more than is held."""
    opening = replace(holding(KO="100"), multiplier=2, shorting_enabled=may_short)
    falling = book("09:20 500 @ 60.40 × 500 @ 60.43", "09:36:10 500 @ 60.30 × 500 @ 60.33")
    desk = open_desk({"KO": falling}, opening=opening)
    desk.begin("sell all KO")
    desk.place()
    desk.wait_until("09:36:30")
    desk.broker.line.sent.clear()
    desk.repeg()
    assert desk.open_at_broker() == ["100 KO @ 60.32"]
    assert desk.broker.line.sent.count(("GET", "/positions")) == reads
