"""The policy of looks where a price crosses a dollar, and the grid changes by a factor of a hundred."""

from __future__ import annotations

from decimal import Decimal

import pytest

from repeg.domain.decision import Action
from repeg.domain.policy import having_looked
from repeg.domain.quote import Side
from tests.builders import a_moment, a_quote, an_order, resting, settings_with
from tests.domain.test_policy import NORMAL, brief, seen


@pytest.mark.parametrize(
    ("side", "bid", "ask", "limit"),
    [
        (Side.SELL, "0.965", "1.005", "1.00"),
        (Side.SELL, "0.965", "1.0001", "1.00"),
        (Side.SELL, "0.965", "1.0000", "0.9999"),
        (Side.SELL, "4.965", "5.005", "5.00"),
        (Side.BUY, "0.995", "1.045", "0.9951"),
        (Side.BUY, "4.995", "5.045", "5.00"),
    ],
)
def test_a_book_off_the_grid_is_improved_by_less_than_a_tick(side: Side, bid: str, ask: str, limit: str) -> None:
    """A sell that would step over a dollar by a cent rests at the dollar: just below it, the grid is finer."""
    order = an_order(side, collar=Decimal(10) if side is Side.BUY else Decimal("0.5"))
    decision = seen(order, bid, ask, settings=settings_with(policy="normal", max_spread_pct=6))
    assert (decision.reason, decision.limit) == ("improve", Decimal(limit))


def test_the_usual_spread_keeps_its_size_where_the_grid_changes_at_a_dollar() -> None:
    """Samples of half a cent below a dollar are fifty steps there, and half of one above it."""
    arrival = a_quote("0.9850", "0.9900")
    order = resting("0.9851", arrival=arrival, collar=Decimal(2), spreads=(50, 50, 50))
    alone = seen(order, "0.9851", "0.9860", bid_size="100")
    assert brief(alone) == (Action.MOVE, "retreat", "0.9823")
    above = resting("1.00", arrival=arrival, collar=Decimal(2), spreads=(50, 50, 50))
    assert seen(above, "1.00", "1.01", bid_size="100").verb is Action.HOLD
    assert seen(above, "1.00", "1.02", bid_size="900").reason != "tight"
    later = having_looked(an_order(arrival=arrival), a_quote("1.00", "1.02"), a_moment(), NORMAL)
    assert later.spreads == (200,)


def test_a_buy_alone_in_a_book_of_cents_rests_above_nothing() -> None:
    order = resting("0.05", arrival=a_quote("0.01", "0.90"), collar=Decimal(1), spreads=(8_900,))
    decision = seen(order, "0.05", "0.06", bid_size="100", settings=settings_with(policy="normal", max_spread_pct=100))
    assert brief(decision) == (Action.MOVE, "retreat", "0.0001")
