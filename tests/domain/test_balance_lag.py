"""What was just freed: dollars that the broker's balance may not show yet, and for which a buy waits."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

import pytest

from repeg.domain.balance_lag import freed
from repeg.domain.child_order import Child, ChildState
from repeg.domain.quote import Side
from tests.builders import NOON, a_child, an_order

D = Decimal
AFTER_NOON = NOON + timedelta(seconds=1)


def changed(child: Child, ago: timedelta = timedelta(seconds=1)) -> Child:
    """A child that a report has shown to change, that long before noon."""
    return child.model_copy(update={"changed_at": NOON - ago})


def dollars_freed(side: Side, *children: Child) -> Decimal:
    """Dollars that the balance may not show at noon as freed by an order of these children."""
    return freed([an_order(side, "100", *children)], NOON)


SOLD = a_child("100.00", filled="60", price="100.02")
CANCELED = a_child("100.00", filled="60", price="99.98", state=ChildState.CANCELED)


@pytest.mark.parametrize(("ago", "of_sell", "of_buy"), [
    (timedelta(0), "6001.20", 4_000),
    (timedelta(seconds=10), "6001.20", 4_000),
    (timedelta(seconds=10, microseconds=1), "0", 0),
])  # fmt: skip
def test_the_balance_shows_what_was_freed_after_ten_seconds(ago: timedelta, of_sell: str, of_buy: int) -> None:
    assert dollars_freed(Side.SELL, changed(SOLD, ago)) == D(of_sell)
    assert dollars_freed(Side.BUY, changed(CANCELED, ago)) == of_buy


def test_a_child_that_no_report_has_changed_has_freed_nothing() -> None:
    assert dollars_freed(Side.SELL, SOLD) == dollars_freed(Side.BUY, CANCELED) == 0


@pytest.mark.parametrize("state", [ChildState.LIVE, ChildState.CANCELLING, ChildState.FILLED, ChildState.CANCELED])
def test_a_sell_frees_what_it_has_sold(state: ChildState) -> None:
    """What it has not sold was no money."""
    sold = changed(SOLD.model_copy(update={"state": state}))
    assert dollars_freed(Side.SELL, sold) == D("6001.20")


def test_a_sell_of_no_known_average_price_frees_the_least_that_it_brings() -> None:
    assert dollars_freed(Side.SELL, changed(a_child("100.00", filled="60"))) == 6_000
    assert dollars_freed(Side.SELL, changed(a_child(None, filled="60", notional="9500"))) == 5_700


@pytest.mark.parametrize("state", [ChildState.CANCELED, ChildState.EXPIRED, ChildState.REJECTED])
def test_a_buy_that_has_ended_frees_what_it_has_not_bought(state: ChildState) -> None:
    assert dollars_freed(Side.BUY, changed(a_child("100.00", filled="60", state=state))) == 4_000


def test_a_market_buy_that_has_ended_frees_the_most_that_it_could_cost() -> None:
    ended = a_child(None, filled="60", notional="10500", state=ChildState.CANCELED)
    assert dollars_freed(Side.BUY, changed(ended)) == 4_200


@pytest.mark.parametrize("state", [ChildState.LIVE, ChildState.CANCELLING])
def test_a_buy_that_is_still_open_frees_nothing(state: ChildState) -> None:
    assert dollars_freed(Side.BUY, changed(a_child("100.00", filled="60", state=state))) == 0


def test_a_filled_buy_frees_nothing() -> None:
    assert dollars_freed(Side.BUY, changed(a_child("100.00", filled="100", state=ChildState.FILLED))) == 0


def test_a_replaced_buy_leaves_its_dollars_to_its_replacement() -> None:
    replaced = changed(a_child("100.00", filled="60", state=ChildState.REPLACED))
    assert dollars_freed(Side.BUY, replaced, a_child("100.01", qty="40", n=2, replaces=1)) == 0


def test_all_that_orders_have_freed_is_added_up() -> None:
    buy = an_order(Side.BUY, "100", changed(CANCELED), changed(a_child("50.00", n=2, state=ChildState.CANCELED)))
    assert freed([buy, an_order(Side.SELL, "100", changed(SOLD))], NOON) == D("15001.20")


# When a child has changed


@pytest.mark.parametrize(("before", "seen"), [
    (a_child(), a_child(filled="1")),
    (a_child(filled="60"), a_child(filled="100", state=ChildState.FILLED)),
    (a_child(), a_child(state=ChildState.CANCELED)),
    (a_child(state=ChildState.CANCELLING), a_child(state=ChildState.EXPIRED)),
    (a_child(state=ChildState.NEVER_ARRIVED), a_child(state=ChildState.CANCELED)),
    (a_child(state=ChildState.CANCELED), a_child(filled="1", state=ChildState.CANCELED)),
])  # fmt: skip
def test_a_child_has_the_time_of_its_new_fills_and_of_its_end(before: Child, seen: Child) -> None:
    assert seen.dated(before, AFTER_NOON) == seen.model_copy(update={"changed_at": AFTER_NOON})


@pytest.mark.parametrize(("before", "seen"), [
    (a_child(state=ChildState.INTENDED), a_child()),
    (a_child(), a_child(state=ChildState.CANCELLING)),
    (a_child(filled="60"), a_child(filled="60", price="100.01")),
    (a_child(filled="60", state=ChildState.CANCELED), a_child(filled="60", price="1", state=ChildState.CANCELED)),
])  # fmt: skip
def test_a_report_of_anything_else_leaves_the_time_of_the_last_change(before: Child, seen: Child) -> None:
    assert changed(seen).dated(changed(before), AFTER_NOON) == changed(seen)
