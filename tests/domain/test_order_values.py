"""What a new order is, and what each step of its life changes and leaves as it is."""

from __future__ import annotations

from decimal import Decimal

import pytest

from repeg.domain.child_order import ChildState, Rung
from repeg.domain.fallback import has_fallen_back
from repeg.domain.outcome import HoldReason, Outcome
from repeg.domain.parent_order import ParentOrder, ParentState
from repeg.domain.quote import Side
from tests.builders import NOON, a_child, a_quote, a_report, after_noon, an_order


def a_new_order() -> ParentOrder:
    return ParentOrder(
        run_id="core-2026-11-23", symbol="AAPL", side=Side.BUY, target=Decimal(40), reference_price=Decimal("189.42")
    )


def test_a_new_order_has_done_nothing() -> None:
    order = a_new_order()
    assert (order.moves, order.rejections, order.refusals, order.reserved_orders, order.version) == (0, 0, 0, 0, 0)
    assert (order.committed, order.filled, order.remaining) == (Decimal(0), Decimal(0), Decimal(40))
    assert (order.fractionable, has_fallen_back(order), order.sends_no_more) == (False, False, False)
    assert (order.attempts, order.rung, order.state) == (0, Rung.PASSIVE, ParentState.WAITING)


@pytest.mark.parametrize(
    ("outcome", "held", "is_end"),
    [
        (None, None, False),
        (None, HoldReason.BUDGET, False),
        (None, HoldReason.OWNER, True),
        (Outcome.FILLED, None, True),
        (Outcome.FILLED, HoldReason.OWNER, True),
    ],
)
def test_an_order_that_has_ended_or_is_its_owners_sends_no_more(
    outcome: Outcome | None, held: HoldReason | None, is_end: bool
) -> None:
    assert a_new_order().model_copy(update={"outcome": outcome, "held": held}).sends_no_more is is_end


def test_a_fill_of_a_single_share_has_an_average_price() -> None:
    order = an_order(Side.BUY, "40", a_child(filled="1", price="189.41"))
    assert order.average_price == Decimal("189.41")


@pytest.mark.parametrize(("is_move", "moves"), [(True, 3), (False, 2)])
def test_a_placement_counts_if_it_is_a_move(is_move: bool, moves: int) -> None:
    before = a_new_order().model_copy(
        update={"moves": 2, "first_placed_at": NOON, "held": HoldReason.BUDGET, "reserved_orders": 1}
    )
    child = a_child(rung=Rung.MID).model_copy(update={"decided_at": after_noon(30)})
    after = before.placing(child, a_quote("189.40", "189.44"), is_move=is_move, committed=Decimal(7_576))
    assert (after.moves, after.first_placed_at, after.held, after.reserved_orders) == (moves, NOON, None, 0)
    assert (after.sent_near, after.sent_far) == (Decimal("189.40"), Decimal("189.44"))
    assert (after.rung, after.committed, after.children) == (Rung.MID, Decimal(7_576), (child,))


def test_the_first_placement_dates_an_order() -> None:
    child = a_child().model_copy(update={"decided_at": after_noon(30)})
    after = a_new_order().placing(child, a_quote(), is_move=False, committed=Decimal(0))
    assert after.first_placed_at == after_noon(30)


def test_an_order_keeps_only_its_amount_of_the_budgets() -> None:
    order = a_new_order().reserving(Decimal(7_576))
    assert (order.committed, order.reserved_orders) == (Decimal(7_576), 1)
    kept = order.keeping(Decimal(7_576))
    assert (kept.committed, kept.reserved_orders) == (Decimal(7_576), 0)
    assert kept.keeping(Decimal(7_576)) is kept
    assert kept.keeping(Decimal(3_000)).committed == Decimal(3_000)


def test_refusals_are_counted_until_a_child_is_accepted() -> None:
    refused = a_new_order().refused_for_now(HoldReason.UNFUNDED, after_noon(30))
    again = refused.refused_for_now(HoldReason.SHARES, after_noon(90))
    assert (refused.refusals, again.refusals) == (1, 2)
    assert (again.held, again.retry_at) == (HoldReason.SHARES, after_noon(90))
    assert (again.accepted().refusals, again.accepted().retry_at) == (0, None)


@pytest.mark.parametrize(
    ("is_marked", "was_there", "status", "is_there"),
    [
        (True, False, "pending_cancel", True),
        (True, False, "new", False),
        (True, True, "new", True),
        (False, False, "pending_cancel", False),
        (False, False, "new", False),
    ],
)
def test_a_report_shows_that_the_broker_has_our_cancel(
    is_marked: bool, was_there: bool, status: str, is_there: bool
) -> None:
    child = a_child().cancelling(NOON, NOON) if is_marked else a_child()
    child = child.with_cancel_at_broker() if was_there else child
    assert child.after(a_report(status)).is_cancel_at_broker is is_there


def test_an_order_with_its_last_child_again_is_the_same_order() -> None:
    order = an_order(Side.BUY, "40", a_child(n=1, state=ChildState.EXPIRED), a_child(n=2))
    assert order.with_child(order.children[1]) is order


def test_an_end_is_announced_again_if_it_is_another_one() -> None:
    order = an_order(Side.BUY, "100")
    ended = order.done(Outcome.REJECTED, "refused").done(Outcome.REJECTED, "refused again")
    assert (order.is_announced, ended.is_announced) == (False, False)
    announced = ended.announced()
    assert (announced.is_announced, announced.done(Outcome.REJECTED, "the same").is_announced) == (True, True)
    assert announced.done(Outcome.FILLED, "filled since").is_announced is False


def test_an_order_that_was_unknown_is_undecided_without_its_reason() -> None:
    ended = an_order(Side.BUY, "100")
    again = ended.done(Outcome.UNKNOWN, "its child was lost").undecided()
    assert (again.outcome, again.reason) == (None, "")
    rejected = ended.done(Outcome.REJECTED, "not allowed")
    assert rejected.undecided() is rejected
