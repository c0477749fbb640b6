"""Expected costs: the movement of the mid, the classes of the table, and the bounds of several orders together."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

import pytest

from repeg.domain.expected_cost import (
    SAMPLE_EVERY,
    SIZES,
    SPREADS,
    Cell,
    Expected,
    class_of,
    expected_cost,
    movement,
    together,
)
from repeg.domain.quote import Quote, Side
from tests.builders import NOON, a_quote

CELL = Cell(mean=Decimal("0.5"), low=Decimal(-1), high=Decimal(2), movement=Decimal("0.75"))
CELLS = tuple((CELL,) * (len(SIZES) + 1) for _ in range(len(SPREADS) + 1))


def moving(cents: int, quotes: int = 30) -> list[Quote]:
    """A book that moves up and down by some cents every quarter of a minute, up to noon."""
    return [
        a_quote(str(100 + Decimal(cents * (n % 2)) / 100), str(Decimal("100.06") + Decimal(cents * (n % 2)) / 100),
                at=NOON - SAMPLE_EVERY * (quotes - 1 - n))
        for n in range(quotes)
    ]  # fmt: skip


def test_a_mid_that_changes_by_two_cents_each_quarter_moves_four_a_minute() -> None:
    assert movement(moving(2), NOON) == Decimal("0.04")


def test_a_book_that_is_dollars_wide_for_a_moment_is_left_out() -> None:
    """As one venue shows it, whose next order is far away; its mid is five dollars lower."""
    quotes = moving(2)
    quotes[-6] = a_quote("90.00", "100.06", at=quotes[-6].at)
    assert movement(quotes, NOON) == Decimal("0.04")


def test_a_still_book_does_not_move() -> None:
    assert movement([a_quote(at=NOON - timedelta(minutes=9))], NOON) == 0


@pytest.mark.parametrize("quotes", [[], moving(2, quotes=8), [a_quote("0", "100.05", at=NOON - timedelta(hours=1))]])
def test_a_movement_of_too_few_books_is_not_measured(quotes: list[Quote]) -> None:
    """Eight quotes are seven changes."""
    assert movement(quotes, NOON) is None


def test_the_cost_is_the_cells_times_half_spread_and_movement() -> None:
    """Half a spread of 3 cents and a movement of 4: a unit of 5 cents a share."""
    found = expected_cost(CELLS, Side.BUY, Decimal(100), a_quote("100.00", "100.06"), Decimal("0.04"), NOON)
    assert found == Expected(dollars=Decimal("2.50"), low=Decimal("-5.00"), high=Decimal("10.00"))


def test_a_movement_that_is_not_measured_is_the_usual_one_of_the_spread() -> None:
    """Three quarters of half a spread of 4 cents, so a unit of 5 cents again."""
    found = expected_cost(CELLS, Side.BUY, Decimal(100), a_quote("100.00", "100.08"), None, NOON)
    assert found is not None
    assert found.high == 10


@pytest.mark.parametrize(
    "book", [a_quote("0", "100.05"), a_quote("100.05", "100.05"), a_quote("100.00", "100.05", bid_size="0")]
)
def test_no_cost_is_expected_without_a_book(book: Quote) -> None:
    assert expected_cost(CELLS, Side.BUY, Decimal(100), book, None, NOON) is None


def test_spread_and_size_choose_the_cell() -> None:
    rows = [[CELL._replace(mean=Decimal(10 * spread + size)) for size in range(4)] for spread in range(6)]
    book = a_quote("100.00", "100.04", bid_size="50", ask_size="5000")
    buy, sell = (expected_cost(rows, side, Decimal(200), book, Decimal(0), NOON) for side in Side)
    assert buy is not None
    assert sell is not None
    assert [cost.dollars / 4 for cost in (buy, sell)] == [31, 30]  # half a spread of 2 cents for 200 shares: 4 dollars


@pytest.mark.parametrize(("value", "number"), [(1, 0), (2, 1), (4, 3), (5, 3), (6, 4), (10, 4), (11, 5)])
def test_a_class_includes_its_upper_end(value: int, number: int) -> None:
    assert class_of(value, SPREADS) == number


def test_the_bounds_of_orders_together_are_closer_than_their_sums() -> None:
    one = Expected(dollars=Decimal(2), low=Decimal(-1), high=Decimal(6))
    other = Expected(dollars=Decimal(1), low=Decimal(-3), high=Decimal(4))
    assert together([one, other]) == Expected(dollars=Decimal(3), low=Decimal("-2.00"), high=Decimal("8.00"))
    assert together([]) is None
