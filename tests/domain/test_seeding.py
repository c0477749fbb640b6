"""The spreads of the minutes before an order's arrival, as samples of its usual one."""

from __future__ import annotations

from datetime import timedelta

from repeg.domain.policy import having_looked
from repeg.domain.seeding import having_seeded
from tests.builders import NOON, a_moment, a_quote, after_noon, an_order, settings_with

NORMAL = settings_with(policy="normal")
EARLIER = NOON - timedelta(hours=2)


def test_the_spreads_before_the_window_opened_are_no_samples() -> None:
    """Beside the opening minutes' spreads, which are much wider, any spread would look tight."""
    past = [a_quote("100.00", "101.00", at=after_noon(-300)), a_quote("100.00", "100.05", at=after_noon(-61))]
    assert having_seeded(an_order(), past, NOON, after_noon(-70), NORMAL).spreads == (5, 5, 5)
    assert having_seeded(an_order(), past, NOON, NOON, NORMAL).spreads == ()


def test_an_arriving_order_has_the_samples_of_earlier_looks() -> None:
    """Every twenty seconds the quote in force counts, however many there were in between."""
    past = [
        a_quote("100.00", "100.02", at=after_noon(-310)),
        a_quote("100.00", "100.09", at=after_noon(-299)),
        *(a_quote("100.00", "100.04", at=after_noon(seconds)) for seconds in range(-250, -200)),
        a_quote("100.00", "100.06", at=after_noon(-30)),
    ]
    order = having_seeded(an_order(), past, NOON, EARLIER, NORMAL)
    assert order.spreads == (2, 9, 9, *(4,) * 11, 6)
    assert having_looked(order, a_quote(), a_moment(), NORMAL).spreads[-2:] == (6, 5)


def test_an_arriving_order_without_earlier_quotes_has_no_samples() -> None:
    assert having_seeded(an_order(), [], NOON, EARLIER, NORMAL) == an_order()
    fresh = [a_quote(at=after_noon(-19)), a_quote(at=None)]
    assert having_seeded(an_order(), fresh, NOON, EARLIER, NORMAL) == an_order()


def test_quotes_without_two_sides_are_no_samples() -> None:
    shown = (("0", "100", -90), ("9", "9", -70), ("9", "9.03", -50))
    past = [a_quote(bid, ask, at=after_noon(seconds)) for bid, ask, seconds in shown]
    assert having_seeded(an_order(), past, NOON, EARLIER, NORMAL).spreads == (3, 3)


def test_samples_are_in_ticks_of_the_arrival_where_the_grid_changes() -> None:
    order = an_order(arrival=a_quote("0.9850", "0.9900"))
    past = [a_quote("1.00", "1.01", at=after_noon(-25))]
    assert having_seeded(order, past, NOON, EARLIER, NORMAL).spreads == (100,)
