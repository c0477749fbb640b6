"""Open orders that count when weights are sized: the account's own, and what other runs have yet to fill."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from repeg.domain.child_order import ChildState, OrderReport
from repeg.domain.open_orders import OpenOrders, count_open_orders, given_up
from repeg.domain.quote import Side
from tests.builders import a_child, a_report, an_order

PRICES = {"AAPL": Decimal(100)}
OURS = a_child().client_order_id
PREFIX = OURS.removesuffix("AAPL.b.1")


def mine(**fields: Any) -> OrderReport:
    """An open buy of 150 AAPL of the account's owner."""
    stated: dict[str, Any] = {"client_order_id": "mine", "broker_id": "theirs-1", "qty": Decimal(150)}
    return a_report(**{**stated, **fields})


def counted(*reports: OrderReport, others: tuple[Any, ...] = ()) -> OpenOrders:
    return count_open_orders(reports, others, {"core-2026-11-23": PREFIX}, PRICES).get("AAPL", OpenOrders())


def test_the_remaining_shares_of_an_open_order_count() -> None:
    found = counted(mine(filled="40"))
    assert (found.buying, found.selling, found.words) == (Decimal(110), Decimal(0), "buy 110 (mine)")
    assert counted(mine(side=Side.SELL)).selling == 150


def test_a_contingent_sell_does_not_count_and_a_contingent_buy_does() -> None:
    assert counted(mine(side=Side.SELL, is_contingent=True)) == OpenOrders()
    assert counted(mine(is_contingent=True)).buying == 150


def test_an_open_order_in_dollars_counts_at_the_price() -> None:
    assert counted(mine(qty=Decimal(0), notional=Decimal(5_000), filled="10")).buying == 40


def test_a_run_that_is_not_active_counts_by_its_order_at_the_broker() -> None:
    assert counted(a_report(filled="30")).words == f"buy 70 ({OURS})"


def test_another_runs_unfilled_target_counts_once() -> None:
    """100 wanted, 40 of them at the broker: not 140."""
    order = an_order(Side.BUY, "100", a_child(qty="40"))
    found = counted(a_report(qty=Decimal(40)), others=(order,))
    assert (found.buying, found.words) == (Decimal(100), "buy 100 by run core-2026-11-23")


@pytest.mark.parametrize(("stored", "reported", "left"), [("30", "30", 70), ("30", "35", 65), ("35", "30", 65)])
def test_another_runs_fills_are_taken_from_the_newer_source(stored: str, reported: str, left: int) -> None:
    order = an_order(Side.BUY, "100", a_child(filled=stored))
    assert counted(a_report(filled=reported), others=(order,)).buying == left


def test_a_closed_childs_fills_count_once() -> None:
    order = an_order(Side.BUY, "100", a_child(filled="30", state=ChildState.CANCELED), a_child(n=2, qty="70"))
    assert counted(others=(order,)).buying == 70


def test_a_child_moved_by_the_owner_is_not_counted_twice() -> None:
    """Its id at the broker is the owner's; the run knows it by the broker's id."""
    order = an_order(Side.BUY, "100", a_child(qty="100"))
    assert counted(mine(broker_id="broker-1", qty=Decimal(100)), others=(order,)).buying == 100


def test_an_order_that_its_owner_has_enlarged_counts_by_what_it_may_fill() -> None:
    """40 are wanted; the owner's order is for 150 and has filled 10."""
    child = a_child(qty="150", filled="10").model_copy(update={"is_owners": True})
    enlarged = mine(broker_id="broker-1", qty=Decimal(150), filled="10")
    found = counted(enlarged, others=(an_order(Side.BUY, "40", child),))
    assert (found.buying, found.words) == (Decimal(140), "buy 140 by run core-2026-11-23")


def test_another_stacks_order_of_the_same_run_name_counts() -> None:
    """Two stacks may each have a plan named core; only the tag in their ids differs."""
    theirs = a_report(client_order_id=f"rpzzz{OURS[5:]}", broker_id="theirs-2")
    assert counted(theirs, others=(an_order(Side.BUY, "100", a_child()),)).buying == 200


def test_another_stacks_order_is_named_as_one() -> None:
    theirs = a_report(client_order_id=f"rpzzz{OURS[5:]}", broker_id="theirs-2")
    reports = [a_report(), theirs, mine()]
    found = count_open_orders(reports, (), {}, PRICES, is_ours=lambda order_id: order_id.tag != "zzz")["AAPL"]
    assert found.words_of_other_stacks == theirs.client_order_id
    assert found.buying == 350


def test_another_symbol_of_an_active_run_counts_by_its_report() -> None:
    order = an_order(Side.BUY, "100", symbol="KO")
    assert counted(a_report(), others=(order,)).buying == 100


def test_a_child_that_was_given_up_unseen_counts_in_full() -> None:
    order = an_order(Side.BUY, "100", a_child(qty="60", state=ChildState.NEVER_ARRIVED), a_child(n=2, qty="40"))
    found = count_open_orders([], [], {}, PRICES, given_up(order))["AAPL"]
    assert (found.buying, found.words) == (Decimal(60), f"buy 60 ({OURS}, given up unseen)")


@pytest.mark.parametrize("state", list(ChildState))
def test_a_child_is_given_up_if_it_never_arrived_or_was_lost(state: ChildState) -> None:
    order = an_order(Side.BUY, "100", a_child(qty="40", filled="15", state=state))
    unseen = state in {ChildState.NEVER_ARRIVED, ChildState.LOST}
    assert [(each.client_order_id, each.qty) for each in given_up(order)] == ([(OURS, Decimal(25))] if unseen else [])
