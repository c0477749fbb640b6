"""Price improvement of marketable orders: its mean is the one that was set, whatever the spread."""

from __future__ import annotations

from statistics import fmean

import pytest

from repeg.domain.errors import InvalidInput
from repeg_workbench.exchange.market.scripted import ScriptedMarket
from repeg_workbench.exchange.matching.improvement import Improvement, MetBook
from repeg_workbench.exchange.matching.symbol_book import BookOrder, FillModel, SymbolBook
from repeg_workbench.exchange.time.calendar import new_york
from repeg_workbench.exchange.units import QTY_SCALE
from repeg_workbench.exchange_command import read_knobs
from tests.exchange.caller import FRIDAY, QUIET_BOOK

_NOON = new_york(FRIDAY, "12:00")

PENNY = MetBook(near=1_000_000, near_size=300, far=1_000_100, far_size=300)
"""A one-tick book at a hundred dollars: half of its spread is fifty price units."""


def ratio(improvement: Improvement, touch: MetBook, orders: int = 8_000, shares: int = 1) -> float:
    """The mean effective half-spread of many orders, in quoted ones."""
    half = (touch.far - touch.near) / 2
    return fmean(1 - improvement.of(f"order-{n}", shares * QTY_SCALE, touch) / half for n in range(orders))


@pytest.mark.parametrize("share", [0, 100, 300, 500, 600, 900, 1_000])
@pytest.mark.parametrize("spread", [1, 3, 100, 500])
def test_the_mean_improvement_is_the_one_that_was_set(share: int, spread: int) -> None:
    """A spread of a few price units is improved by whole units, and the mean is right all the same."""
    touch = PENNY._replace(far=PENNY.near + 2 * spread)
    assert ratio(Improvement(3, share), touch) == pytest.approx(1 - share / 1_000, abs=0.02)


@pytest.mark.parametrize("share", [300, 600, 1_000])
def test_no_order_trades_beyond_the_mid_or_worse_than_displayed(share: int) -> None:
    gains = [Improvement(1, share).of(f"order-{n}", QTY_SCALE, PENNY) for n in range(2_000)]
    assert 0 <= min(gains) <= max(gains) <= 50
    assert len(set(gains)) > 10 or share == 1_000


def test_an_order_draws_the_same_improvement_again() -> None:
    first, again = ([Improvement(5, 600).of(f"{n}", QTY_SCALE, PENNY) for n in range(50)] for _ in range(2))
    assert first == again
    assert first != [Improvement(6, 600).of(f"{n}", QTY_SCALE, PENNY) for n in range(50)]


@pytest.mark.parametrize(("shares", "expected"), [(30, 0.46), (150, 0.7), (300, 1.0), (900, 1.0)])
def test_a_large_order_loses_its_improvement_in_proportion(shares: int, expected: float) -> None:
    assert ratio(Improvement(1, 600, by_size=1_000), PENNY, shares=shares) == pytest.approx(expected, abs=0.01)


@pytest.mark.parametrize(("near_size", "expected"), [(100, 0.4), (300, 0.4), (900, 0.7), (0, 0.4)])
def test_the_heavier_side_of_a_book_is_improved_less(near_size: int, expected: float) -> None:
    heavy = Improvement(1, 600, by_imbalance=1_000)
    assert ratio(heavy, PENNY._replace(near_size=near_size)) == pytest.approx(expected, abs=0.01)


@pytest.mark.parametrize("near", [1_000_100, 1_000_200])
def test_a_locked_or_crossed_book_is_not_improved(near: int) -> None:
    assert Improvement(1, 1_000).of("order", QTY_SCALE, PENNY._replace(near=near)) == 0


@pytest.mark.parametrize("model", list(FillModel))
@pytest.mark.parametrize(("side", "paid"), [(1, 1_000_250), (-1, 1_000_250)])
@pytest.mark.parametrize("limit", [None, True])
def test_a_marketable_order_pays_the_mid_where_all_is_improved(
    model: FillModel, side: int, paid: int, limit: bool | None
) -> None:
    book = book_with(Improvement(1, 1_000), model)
    far = 1_000_500 if side > 0 else 1_000_000
    (fill,) = book.enter(BookOrder("a", side, far if limit else None, 50 * QTY_SCALE), _NOON)
    assert fill.price == paid


def test_a_resting_order_is_not_improved() -> None:
    book = book_with(Improvement(1, 1_000), FillModel.TOUCH)
    assert book.enter(BookOrder("a", 1, 1_000_400, 50 * QTY_SCALE), _NOON) == []


def test_an_order_beyond_the_displayed_size_is_not_improved_there() -> None:
    fills = book_with(Improvement(1, 1_000), FillModel.QUEUE).enter(BookOrder("a", 1, None, 250 * QTY_SCALE), _NOON)
    assert [(fill.price, fill.quantity // QTY_SCALE) for fill in fills] == [(1_000_250, 200), (1_000_700, 50)]


def test_by_default_a_marketable_order_pays_the_displayed_price() -> None:
    (fill,) = book_with(None, FillModel.QUEUE).enter(BookOrder("a", 1, None, QTY_SCALE), _NOON)
    assert fill.price == 1_000_500


@pytest.mark.parametrize("value", ["1001", "-1", "half"])
def test_a_knob_beyond_a_thousand_is_refused(value: str) -> None:
    with pytest.raises(InvalidInput, match="price_improvement"):
        read_knobs([f"price_improvement={value}"])
    assert read_knobs(["price_improvement=600"]).price_improvement == 600


def book_with(improvement: Improvement | None, model: FillModel) -> SymbolBook:
    """A book of 300 shares at 100.00 and 200 at 100.05."""
    day = ScriptedMarket({FRIDAY: {"AAPL": QUIET_BOOK}}).day("AAPL", FRIDAY)
    assert day is not None
    return SymbolBook(day, model, improvement=improvement)
