"""Reads of one order: by our id, and by the broker's where ours is not found; and sells that are sent once more."""

from __future__ import annotations

from decimal import Decimal

import pytest

from repeg.domain.broker import Unknown
from repeg.domain.child_order import ChildState
from repeg.domain.outcome import HoldReason, Outcome
from repeg.domain.run import KillSwitch
from repeg.workflow.doubtful import still_missing
from repeg.workflow.in_flight import _may_resend, refresh_children
from repeg.workflow.placement import record_answer
from repeg.workflow.reconciliation import apply_report, book_fills, list_own_orders
from repeg.workflow.turn import begin_turn
from repeg_workbench.exchange.faults.transport_faults import Fault, Kind
from tests.builders import a_child, a_report
from tests.functions.books import KO, QUIET, UP, book
from tests.functions.desk import RUN_ID, OpenDesk, holding
from tests.functions.scenes import resting


def test_an_order_that_is_not_found_by_our_id_is_read_by_the_brokers(open_desk: OpenDesk) -> None:
    desk = resting(open_desk, book(QUIET, UP))
    desk.broker.order = lambda client_order_id: None  # type: ignore[method-assign]
    desk.turn_at("09:36:30")
    assert [child.state for child in desk.order().children] == [ChildState.CANCELED, ChildState.LIVE]
    assert desk.open_at_broker() == ["40 AAPL @ 189.66"]


def test_an_order_that_is_found_by_our_id_is_not_read_by_the_brokers(open_desk: OpenDesk) -> None:
    desk = resting(open_desk, book(QUIET, UP))
    desk.turn_at("09:36:30")
    ids = {order.id for order in desk.at_broker()}
    assert len(ids) == 2
    assert not [path for method, path in desk.broker.line.sent if method == "GET" and path.rpartition("/")[2] in ids]


@pytest.mark.parametrize(("sold", "posts"), [("0", 2), ("1", 1)])
def test_an_unknown_sell_is_resent_only_while_all_its_shares_are_held(
    open_desk: OpenDesk, sold: str, posts: int
) -> None:
    """Nothing has reserved them while the first request was lost, and the owner may have sold one."""
    desk = open_desk({"KO": KO}, opening=holding(KO="100"))
    desk.begin("sell all KO")
    desk.exchange.faults.arm(Fault(kind=Kind.HANG_BEFORE, method="POST", path="/v2/orders"))
    desk.place()
    held = [each.model_copy(update={"qty": each.qty - Decimal(sold)}) for each in desk.broker.positions()]
    desk.broker.positions = lambda: held  # type: ignore[method-assign]
    desk.turn_at("09:37:00")
    assert (desk.posts(), len(desk.at_broker())) == (posts, posts - 1)


def test_a_late_fill_counts_while_the_replacement_is_not_found(open_desk: OpenDesk) -> None:
    desk = resting(open_desk)
    replaced = a_child("189.41", qty="40", state=ChildState.REPLACED)
    turn, order = begin_turn(RUN_ID, desk.ports), desk.order().with_child(replaced)
    report = a_report("replaced", filled="15", price="189.41", replaced_by="not to be found")
    after = apply_report(turn, order, report.model_copy(update={"client_order_id": replaced.client_order_id}))
    assert after.filled == Decimal(15)


def test_a_second_report_of_a_rejection_counts_once(open_desk: OpenDesk) -> None:
    desk = resting(open_desk)
    order, turn = desk.order(), begin_turn(RUN_ID, desk.ports)
    terms = {"client_order_id": order.children[0].client_order_id}
    first = apply_report(turn, order, a_report("rejected").model_copy(update=terms))
    again = apply_report(turn, first, a_report("rejected", broker_id="its new id").model_copy(update=terms))
    assert (first.rejections, again.rejections) == (1, 1)
    assert (first.children[0].broker_id, again.children[0].broker_id) == ("broker-1", "its new id")


@pytest.mark.parametrize(("state", "may_pass", "replaces", "counted"), [
    (ChildState.REFUSED, False, None, (0, 5)),
    (ChildState.REFUSED, True, None, (1, 5)),
    (ChildState.NEVER_ARRIVED, False, None, (1, 5)),
    (ChildState.LIVE, False, None, (1, 5)),
    (ChildState.REFUSED, False, 1, (0, 5)),
    (ChildState.REFUSED, True, 1, (0, 5)),
    (ChildState.NEVER_ARRIVED, False, 1, (0, 5)),
    (ChildState.UNKNOWN, False, 1, (0, 4)),
])  # fmt: skip
def test_a_rejection_of_a_child_whose_failure_was_counted_adds_nothing(
    open_desk: OpenDesk, state: ChildState, may_pass: bool, replaces: int | None, counted: tuple[int, int]
) -> None:
    """A refusal has counted as a rejection unless it may pass; a replacement's failure has undone its move."""
    desk = resting(open_desk)
    second = {"n": 2, "client_order_id": "second", "state": state, "may_pass": may_pass, "replaces": replaces}
    order = desk.order().with_child(desk.order().children[0].model_copy(update=second))
    order = order.model_copy(update={"moves": 5})
    report = a_report("rejected", broker_id="broker-2").model_copy(update={"client_order_id": "second"})
    after = apply_report(begin_turn(RUN_ID, desk.ports), order, report)
    assert after.children[1].state is ChildState.REJECTED
    assert (after.rejections, after.moves) == counted


def test_a_late_fill_of_a_closed_order_is_no_cancel_by_another_hand(open_desk: OpenDesk) -> None:
    desk = resting(open_desk)
    child = desk.order().children[0].becomes(ChildState.CANCELED)
    report = a_report("canceled", filled="15", price="189.41")
    after = apply_report(
        begin_turn(RUN_ID, desk.ports), desk.order().with_child(child),
        report.model_copy(update={"client_order_id": child.client_order_id}),
    )  # fmt: skip
    assert (after.filled, after.outcome) == (Decimal(15), None)


@pytest.mark.parametrize(("filled", "outcome"), [("39", Outcome.ENDED_BY_UNKNOWN_HAND), ("40", None)])
def test_a_cancel_by_another_hand_ends_an_order_that_has_a_share_left(
    open_desk: OpenDesk, filled: str, outcome: Outcome | None
) -> None:
    desk = resting(open_desk)
    report = a_report("canceled", filled=filled, price="189.41")
    terms = {"client_order_id": desk.order().children[0].client_order_id}
    after = apply_report(begin_turn(RUN_ID, desk.ports), desk.order(), report.model_copy(update=terms))
    assert (after.filled, after.outcome) == (Decimal(filled), outcome)


def test_executions_are_read_and_booked_once_a_report_shows_a_new_fill(open_desk: OpenDesk) -> None:
    desk = resting(open_desk, book(QUIET, prints=("09:36:10 1 @ 189.41 sold",)))
    read: list[object] = []
    executions = desk.broker.executions
    desk.broker.executions = lambda day: read.append(day) or executions(day)  # type: ignore[method-assign,func-returns-value]
    before, turn = [desk.order()], begin_turn(RUN_ID, desk.ports)
    assert (book_fills(turn, before, before), read) == ([], [])
    desk.wait_until("09:36:20")
    after = before[0].with_child(before[0].children[0].model_copy(update={"filled": Decimal(1)}))
    assert [execution.qty for execution in book_fills(turn, before, [after])] == [Decimal(1)]
    assert len(read) == 1


def test_an_older_report_does_not_reopen_an_order_that_we_cancelled(open_desk: OpenDesk) -> None:
    desk = resting(open_desk)
    at = desk.runtime.now()
    child = desk.order().children[0].cancelling(at, at).becomes(ChildState.CANCELED)
    desk.wait(180)
    order = desk.order().with_child(child)
    older = a_report("new", broker_id=child.broker_id, client_order_id=child.client_order_id)
    assert apply_report(begin_turn(RUN_ID, desk.ports), order, older) is order


def test_a_cancel_that_the_broker_still_shows_as_pending_is_not_void(open_desk: OpenDesk) -> None:
    desk = resting(open_desk)
    child = desk.order().children[0].cancelling(desk.runtime.now(), desk.runtime.now())
    desk.wait(180)
    pending = a_report("pending_cancel", broker_id=child.broker_id, client_order_id=child.client_order_id)
    after = apply_report(begin_turn(RUN_ID, desk.ports), desk.order().with_child(child), pending)
    assert (after.children[0].state, after.children[0].is_cancel_at_broker) == (ChildState.CANCELLING, True)


@pytest.mark.parametrize(
    ("state", "is_listed", "after"),
    [
        (ChildState.REFUSED, True, ChildState.LIVE),
        (ChildState.NEVER_ARRIVED, True, ChildState.LIVE),
        (ChildState.NEVER_ARRIVED, False, ChildState.LIVE),
        (ChildState.REFUSED, False, ChildState.REFUSED),
    ],
)
def test_an_order_taken_for_lost_is_open_again_once_it_is_found(
    open_desk: OpenDesk, state: ChildState, is_listed: bool, after: ChildState
) -> None:
    """It is looked up only where the list does not have it."""
    desk = resting(open_desk)
    (child,) = desk.order().children
    earlier = a_child(n=0, qty="40", state=ChildState.EXPIRED)
    desk.store.save_order(desk.order().with_child(earlier).with_child(child.model_copy(update={"state": state})))
    turn = begin_turn(RUN_ID, desk.ports)
    listed = list_own_orders(turn) if is_listed else {}
    desk.broker.line.sent.clear()
    refresh_children(turn, desk.order(), listed)
    assert desk.order().children[1].state is after
    assert bool(desk.broker.line.sent) is (state is ChildState.NEVER_ARRIVED and not is_listed)
    assert len(desk.journalled("AAPL", "late")) == (after is ChildState.LIVE)


@pytest.mark.parametrize(
    ("limit", "was_sent", "state", "may_pass"),
    [
        (None, False, ChildState.REFUSED, True),
        (None, True, ChildState.UNKNOWN, False),
        ("189.41", False, ChildState.REFUSED, True),
        ("189.41", True, ChildState.UNKNOWN, False),
    ],
)
def test_only_an_order_that_was_not_sent_is_over(
    open_desk: OpenDesk, limit: str | None, was_sent: bool, state: ChildState, may_pass: bool
) -> None:
    desk = resting(open_desk)
    order = desk.order().with_child(a_child(limit, qty="40", state=ChildState.INTENDED))
    answer = Unknown(reason="not sent: no quota", was_sent=was_sent)
    (child,) = record_answer(begin_turn(RUN_ID, desk.ports), order, answer).children
    assert (child.state, child.may_pass) == (state, may_pass)


def test_an_order_with_a_limit_is_not_given_up_unseen_while_a_run_trades(open_desk: OpenDesk) -> None:
    """After a quarter of an hour one without a limit is; this one waits for the kill switch."""
    desk = resting(open_desk)
    lost = a_child("189.41", qty="40", state=ChildState.UNKNOWN)
    lost = lost.model_copy(update={"broker_id": None, "client_order_id": "lost", "decided_at": desk.runtime.now()})
    desk.store.save_order(desk.order().with_child(lost))
    desk.store.set_kill_switch(KillSwitch.HALT_NEW)
    desk.wait(960)
    refresh_children(begin_turn(RUN_ID, desk.ports), desk.order(), {})
    assert desk.order().children[0].state is ChildState.UNKNOWN


@pytest.mark.parametrize(("qty", "may_resend"), [("40", True), ("40.5", False)])
def test_an_order_for_more_than_is_left_is_not_sent_again(open_desk: OpenDesk, qty: str, may_resend: bool) -> None:
    desk = resting(open_desk)
    lost = a_child("189.41", qty=qty, state=ChildState.UNKNOWN)
    order = desk.order().with_child(lost)
    assert _may_resend(begin_turn(RUN_ID, desk.ports), order, lost) is may_resend


def test_an_order_that_has_ended_is_not_sent_again(open_desk: OpenDesk) -> None:
    """It ended because another order had its child's id; by now the broker finds neither."""
    desk = open_desk({"AAPL": book(QUIET)})
    desk.begin("buy 40 AAPL")
    desk.exchange.faults.arm(Fault(kind=Kind.HANG_BEFORE, method="POST", path="/v2/orders"))
    desk.place()
    desk.store.save_order(desk.order().done(Outcome.UNKNOWN, "another order has its id"))
    desk.wait(61)
    assert refresh_children(begin_turn(RUN_ID, desk.ports), desk.order(), {}) == desk.order()
    assert (desk.posts(), desk.order().children[0].state) == (1, ChildState.UNKNOWN)


def test_a_second_fill_is_journalled_with_its_own_shares(open_desk: OpenDesk) -> None:
    desk = resting(open_desk)
    turn, order = begin_turn(RUN_ID, desk.ports), desk.order()
    for filled in ("15", "40"):
        terms = {"client_order_id": order.children[0].client_order_id}
        report = a_report("filled" if filled == "40" else "partially_filled", filled=filled, price="189.41")
        order = apply_report(turn, order, report.model_copy(update=terms))
    assert desk.journalled("AAPL", "fill") == [("15 @ 189.41", "15 of 40"), ("25 @ 189.41", "40 of 40")]


@pytest.mark.parametrize(("status", "filled", "left"), [("canceled", "0", 0), ("filled", "40", 0), ("expired", "0", 2)])
def test_a_fill_or_a_cancel_shows_that_rejections_have_passed(
    open_desk: OpenDesk, status: str, filled: str, left: int
) -> None:
    desk = resting(open_desk)
    marked = desk.order().children[0].cancelling(desk.runtime.now(), desk.runtime.now())
    order = desk.order().once_rejected().once_rejected().with_child(marked)
    report = a_report(status, filled=filled, price="189.41" if filled != "0" else None)
    after = apply_report(
        begin_turn(RUN_ID, desk.ports), order, report.model_copy(update={"client_order_id": marked.client_order_id})
    )
    assert after.rejections == left


def test_a_given_up_replacement_is_not_looked_up_while_its_chain_is_open(open_desk: OpenDesk) -> None:
    """The first order of the chain is closed; the second is open, and its report would name the third."""
    desk = resting(open_desk)
    (child,) = desk.order().children
    first = a_child(n=0, qty="40", state=ChildState.REPLACED)
    lost = a_child("189.66", n=2, qty="40", state=ChildState.NEVER_ARRIVED, replaces=1)
    order = desk.order().with_child(first).with_child(child.model_copy(update={"replaces": 0})).with_child(lost)
    turn = begin_turn(RUN_ID, desk.ports)
    listed = list_own_orders(turn)
    desk.broker.line.sent.clear()
    refresh_children(turn, order, listed)
    assert desk.broker.line.sent == []


def test_an_order_of_a_run_that_was_taken_over_is_not_sent_again(open_desk: OpenDesk) -> None:
    desk = resting(open_desk)
    lost = a_child("189.41", qty="40", state=ChildState.UNKNOWN)
    turn, order = begin_turn(RUN_ID, desk.ports), desk.order().with_child(lost)
    assert _may_resend(turn, order, lost)
    desk.store.take_over(RUN_ID, 1, "arn:sweeper")
    assert not _may_resend(turn, order, lost)


def test_an_order_with_a_given_up_child_is_asked_about_first(open_desk: OpenDesk) -> None:
    """Whatever became of its other children."""
    desk = resting(open_desk)
    filled = a_child("189.41", n=0, qty="1", filled="1", state=ChildState.FILLED)
    lost = desk.order().children[0].model_copy(update={"state": ChildState.NEVER_ARRIVED})
    desk.store.save_order(desk.order().with_child(filled).with_child(lost))
    assert still_missing(begin_turn(RUN_ID, desk.ports), [desk.order()]) == []
    assert desk.order().children[1].state is ChildState.LIVE


def test_a_refused_child_is_asked_about_if_it_is_the_last_and_was_sent(open_desk: OpenDesk) -> None:
    """Each of the others was the last once, and one that was not sent is nowhere."""
    desk = resting(open_desk)
    child = desk.order().children[0]
    asked: list[str] = []
    desk.broker.order = asked.append  # type: ignore[method-assign,assignment]
    refused = [child.model_copy(update={"n": n, "client_order_id": f"try {n}", "state": ChildState.REFUSED,
                                        "broker_id": None, "may_pass": True}) for n in (1, 2)]  # fmt: skip
    waiting = desk.order().model_copy(update={"children": tuple(refused)})
    turn = begin_turn(RUN_ID, desk.ports)
    held = waiting.refused_for_now(HoldReason.SHARES, turn.now)
    assert (still_missing(turn, [held]), asked) == ([held], ["try 2"])
    assert (still_missing(turn, [waiting]), asked) == ([waiting], ["try 2"])
