"""Fills: counted whenever they are reported, never lost and never counted twice."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from repeg.domain.child_order import CLOSED, TRANSITIONS, Child, ChildState, OrderReport, Rung
from repeg.domain.quote import Side
from tests.builders import NOON, a_child, a_report, after_noon, an_order

STATUSES = st.sampled_from(
    ["new", "partially_filled", "pending_cancel", "filled", "canceled", "expired", "rejected", "replaced", "stopped"]
)
REPORTS = st.builds(
    lambda status, filled: a_report(status, filled=str(filled), price="100.01" if filled else None),
    STATUSES,
    st.integers(0, 100),
)


def test_a_fill_that_precedes_the_cancel_is_counted() -> None:
    asked = a_child().cancelling(NOON, NOON)
    seen = asked.after(a_report("filled", filled="100", price="100.01"))
    assert seen.state is ChildState.FILLED
    assert seen.filled == 100
    assert seen.remaining == 0


def test_a_fill_during_the_cancel_counts_for_the_cancelled_child() -> None:
    asked = a_child(filled="40", price="100.01").cancelling(NOON, NOON)
    order = an_order(Side.BUY, "100", asked.after(a_report("canceled", filled="60", price="100.01")))
    assert order.remaining == 40


def test_a_fill_after_a_reported_cancel_is_still_counted() -> None:
    gone = a_child(state=ChildState.CANCELED, filled="40", price="100.00")
    late = gone.after(a_report("canceled", filled="60", price="100.01"))
    assert (late.state, late.filled, late.average_price) == (ChildState.CANCELED, Decimal(60), Decimal("100.01"))
    assert gone.after(a_report("filled", filled="100", price="100.01")).state is ChildState.FILLED


def test_a_fill_of_4_of_10_leaves_6_after_two_moves() -> None:
    children = [
        a_child(qty="10", filled="4", price="100.00", n=1, state=ChildState.CANCELED),
        a_child(qty="6", n=2, state=ChildState.CANCELED),
        a_child(qty="6", n=3),
    ]
    order = an_order(Side.BUY, "10", *children)
    assert order.filled == 4
    assert order.remaining == 6


def test_an_unknown_child_counts_as_open() -> None:
    order = an_order(Side.BUY, "100", a_child(state=ChildState.UNKNOWN))
    assert order.open_child is not None
    assert order.open_child.remaining == 100


def test_an_older_report_does_not_undo_a_fill_or_a_cancel() -> None:
    asked = a_child(filled="60", price="100.02").cancelling(NOON, NOON)
    seen = asked.after(a_report("new", filled="40", price="100.01"))
    assert (seen.state, seen.filled, seen.average_price) == (ChildState.CANCELLING, Decimal(60), Decimal("100.02"))


def test_an_accepted_order_after_a_timeout_is_adopted() -> None:
    lost = a_child(state=ChildState.UNKNOWN).model_copy(update={"broker_id": None})
    found = lost.after(a_report("new", broker_id="broker-77"))
    assert (found.state, found.broker_id) == (ChildState.LIVE, "broker-77")


def test_an_order_abandoned_as_lost_may_still_fill() -> None:
    assert a_child(state=ChildState.NEVER_ARRIVED).after(a_report("filled", filled="100", price="100.01")).filled == 100


def test_a_filled_order_without_a_price_awaits_its_price() -> None:
    seen = a_child().after(a_report("filled", filled="100", price=None))
    order = an_order(Side.BUY, "100", seen)
    assert seen.state is ChildState.FILLED
    assert order.remaining == 0
    assert order.average_price is None
    priced = an_order(Side.BUY, "100", seen.after(a_report("filled", filled="100", price="100.01")))
    assert priced.average_price == Decimal("100.01")


def test_a_null_price_does_not_erase_a_known_price() -> None:
    seen = a_child(filled="40", price="100.01").after(a_report("new", filled="40", price=None))
    assert seen.average_price == Decimal("100.01")


def test_the_average_price_is_weighted_by_the_childrens_fills() -> None:
    children = [
        a_child(filled="30", price="100.00", n=1, state=ChildState.CANCELED),
        a_child(n=2, state=ChildState.CANCELED),
        a_child(filled="10", price="100.04", n=3),
    ]
    assert an_order(Side.BUY, "100", *children).average_price == Decimal("100.01")


def test_an_order_without_fills_has_no_average_price() -> None:
    assert an_order(Side.BUY, "100", a_child()).average_price is None
    assert an_order().average_price is None


@given(st.sampled_from(ChildState), st.lists(REPORTS, max_size=8))
def test_fills_never_decrease_under_any_sequence_of_reports(state: ChildState, reports: list[OrderReport]) -> None:
    child = a_child(state=state)
    for report in reports:
        seen = child.after(report)
        assert seen.filled == max(child.filled, report.filled_qty)
        assert seen.state is child.state or seen.state in TRANSITIONS[child.state]
        may_turn_up = child.state in {ChildState.NEVER_ARRIVED, ChildState.REFUSED, ChildState.LOST}
        assert not child.is_closed or seen.is_closed or may_turn_up
        child = seen


@given(st.lists(REPORTS, max_size=6))
def test_a_repeated_report_changes_nothing(reports: list[OrderReport]) -> None:
    child: Child = a_child()
    for report in reports:
        once = child.after(report)
        assert once.after(report) == once
        child = once


@pytest.mark.parametrize("state", sorted(CLOSED))
def test_a_closed_child_has_no_remaining_quantity(state: ChildState) -> None:
    assert a_child(filled="40", price="100.01", state=state).remaining == 0


def test_a_cancel_by_another_hand_does_not_hide_that_the_child_rests_again() -> None:
    """A broker may show pending_cancel and then new; of a cancel of ours, an older report is not believed."""
    asked = a_child(state=ChildState.CANCELLING)
    assert asked.after(a_report("new")).state is ChildState.LIVE
    assert asked.is_cancelled_by_us is False
    ours = a_child().cancelling(NOON, NOON)
    assert ours.after(a_report("new")).state is ChildState.CANCELLING
    assert ours.is_cancelled_by_us is True


def test_a_closed_child_is_not_being_cancelled_by_us() -> None:
    closed = a_child().cancelling(NOON, NOON).after(a_report("canceled"))
    assert closed.cancelling_since == NOON
    assert closed.is_cancelled_by_us is False


def test_a_child_that_rests_again_is_not_marked_any_more() -> None:
    again = a_child().cancelling(NOON, NOON).with_cancel_at_broker().rests_again()
    assert again == a_child()


def test_a_refused_child_keeps_why_and_whether_that_may_pass() -> None:
    sent = a_child(state=ChildState.INTENDED)
    refused = sent.refused("no cash", may_pass=True)
    assert (refused.state, refused.note, refused.may_pass) == (ChildState.REFUSED, "no cash", True)
    assert sent.refused("not tradable", may_pass=False).may_pass is False


def test_a_child_is_in_flight_from_its_latest_request() -> None:
    sent = a_child(state=ChildState.INTENDED)
    assert sent.sent_at == NOON
    assert sent.resent(after_noon(60)).sent_at == after_noon(60)
    assert sent.found_as("broker-77").broker_id == "broker-77"


def test_a_note_is_cut_where_a_row_would_grow_too_large() -> None:
    noted = a_child(state=ChildState.INTENDED).becomes(ChildState.UNKNOWN, "x" * 150)
    assert noted.note == "x" * 68


def test_a_report_with_other_fills_changes_nothing_else() -> None:
    report = a_report("filled", filled="100", price="100.01")
    other = report.with_fills(Decimal(60), Decimal("100.02"))
    assert (other.filled_qty, other.average_price) == (Decimal(60), Decimal("100.02"))
    assert other.with_fills(Decimal(100), Decimal("100.01")) == report


def test_a_new_child_has_cost_nothing_and_is_ours() -> None:
    child = Child(n=1, client_order_id="rp-1", qty=Decimal(1), limit=None, rung=Rung.MARKET, decided_at=NOON)
    assert child.state is ChildState.INTENDED
    assert [child.filled, child.remaining, child.notional] == [0, 1, 0]
    assert (child.is_owners, child.is_fallback, child.may_pass) == (False, False, False)
