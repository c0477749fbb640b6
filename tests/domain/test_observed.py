"""What is measured of an order that has ended: its cost as drawn, and what its takes paid at once."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from repeg.domain.arm import Arm
from repeg.domain.broker import Execution
from repeg.domain.child_order import Child, ChildState, Rung
from repeg.domain.intent import Intent
from repeg.domain.observed import ObservedOrder, Trades, observe
from repeg.domain.parent_order import ParentOrder
from repeg.domain.quote import Quote, Side
from tests.builders import NOON, a_child, a_day, a_quote, after_noon, an_execution, an_order, settings_with

LAST = a_quote("100.40", "100.45")
"""The arrival mid is 100.025, half a spread 2.5 cents; this mid is 40 cents above it."""


def filled_child(limit: str | None, qty: str = "100", *, filled: str | None = None, is_control: bool = False) -> Child:
    child = a_child(limit, qty=qty, filled=qty if filled is None else filled, state=ChildState.FILLED,
                    rung=Rung.MARKET if limit is None else Rung.TAKE)  # fmt: skip
    return child.model_copy(update={"is_control": is_control})


def intent_of(child: Child, side: Side = Side.BUY, quote: Quote | None = None) -> Intent:
    return Intent(
        client_order_id=child.client_order_id, symbol="AAPL", side=side, n=child.n, qty=child.qty, limit=child.limit,
        notional=Decimal(0), rung=child.rung, reason="control", quote=quote or a_quote(), decided_at=NOON,
    )  # fmt: skip


def execution(qty: str, price: str, seconds: float = 1, side: Side = Side.BUY) -> Execution:
    return an_execution(qty, price, side=side).model_copy(update={"at": after_noon(seconds)})


def measured(
    order: ParentOrder, *executions: Execution, book: Quote | None = LAST, quote: Quote | None = None
) -> ObservedOrder:
    intents = tuple(intent_of(child, order.side, quote) for child in order.children)
    session = a_day()
    trades = Trades(executions=executions, intents=intents, opens=session.open, closes=session.close)
    return observe(order, trades, book, settings_with(control_share="0.5"))


@pytest.mark.parametrize(("side", "price", "half_spreads"), [
    (Side.BUY, "100.05", 1), (Side.BUY, "100.00", -1), (Side.SELL, "100.00", 1), (Side.SELL, "100.025", 0),
])  # fmt: skip
def test_a_filled_order_costs_its_prices_against_the_arrival_mid(side: Side, price: str, half_spreads: int) -> None:
    found = measured(an_order(side, "100", filled_child("100.05")), execution("100", price, side=side))
    assert found.cost_half_spreads == half_spreads
    assert (found.filled, found.notional) == (Decimal(100), Decimal("10002.5"))


def test_an_unfilled_rest_counts_at_the_last_mid() -> None:
    """Twenty shares bought at one half-spread, eighty missed while the price went up by forty cents."""
    order = an_order(Side.BUY, "100", filled_child("100.05", filled="20"))
    found = measured(order, execution("20", "100.05"))
    assert found.cost == Decimal(20) * Decimal("0.025") + 80 * Decimal("0.40")


def test_a_price_that_is_not_known_leaves_the_cost_unknown() -> None:
    order = an_order(Side.BUY, "100", filled_child("100.05", filled="20"))
    assert measured(order, execution("20", "100.05"), book=None).cost is None
    assert measured(order, execution("20", "100.05"), book=a_quote("0", "100.45")).cost is None
    assert measured(order).cost is None, "its fills are not booked"
    assert measured(an_order(Side.BUY, "100", arrival=None), book=LAST).cost is None


def test_an_order_keeps_its_arm_and_the_chance_of_it() -> None:
    found = measured(an_order(Side.BUY, "100", arm=Arm.TREATED))
    assert (found.arm, found.share, found.spread_ticks, found.day.isoformat()) == (
        Arm.TREATED, Decimal("0.5"), 5, "2026-11-23",
    )  # fmt: skip


def test_a_control_order_takes_what_it_trades_at_once() -> None:
    child = filled_child(None, is_control=True)
    fills, sent_on = (execution("60", "100.04"), execution("40", "100.05")), a_quote("100.01", "100.05")
    (take,) = measured(an_order(Side.BUY, "100", child), *fills, quote=sent_on).takes
    assert (take.is_control, take.qty, take.paid, take.half_spread) == (
        True,
        Decimal(100), Decimal("0.014"), Decimal("0.02"),
    )  # fmt: skip


@pytest.mark.parametrize(("limit", "takes"), [("100.05", 1), ("100.20", 1), ("100.04", 0), (None, 1)])
def test_only_an_order_that_reaches_the_far_side_takes(limit: str | None, takes: int) -> None:
    found = measured(an_order(Side.BUY, "100", filled_child(limit)), execution("100", "100.04"))
    assert len(found.takes) == takes


def test_an_order_that_rests_before_it_trades_is_no_take() -> None:
    child = filled_child("100.05")
    (take,) = measured(an_order(Side.BUY, "100", child), execution("30", "100.05"), execution("70", "100.05", 40)).takes
    assert take.qty == 30
    assert measured(an_order(Side.BUY, "100", child), execution("100", "100.05", 5.1)).takes == ()


def test_an_order_on_a_locked_book_has_no_half_spread_to_compare_with() -> None:
    child = filled_child(None)
    assert (
        measured(an_order(Side.BUY, "100", child), execution("100", "100.05"), quote=a_quote("100.05", "100.05")).takes
        == ()
    )


@pytest.mark.parametrize("at", [a_day().open - timedelta(seconds=1), a_day().close + timedelta(seconds=1)])
def test_a_trade_outside_of_the_session_is_named_and_no_take(at: Any) -> None:
    child = filled_child(None, is_control=True)
    found = measured(an_order(Side.BUY, "100", child), execution("100", "100.05").model_copy(update={"at": at}))
    assert found.off_session == 100
    assert found.takes == ()
