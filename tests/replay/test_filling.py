"""Replayed orders fill as the simulated exchange fills them, under each fill model."""

from dataclasses import replace

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from repeg_workbench.exchange.market.symbol_day import SymbolDay
from repeg_workbench.exchange.matching.symbol_book import BookOrder, FillModel, SymbolBook
from repeg_workbench.replay.filling import Child, Model, Taken, Tally, advance, enter
from tests.exchange.matching_tapes import END, MIDDLE, SHARE, TICK, tapes
from tests.replay.hand_made import N, T, a_day, tape_of

MODELS = {Model.TRADE_THROUGH: FillModel.TRADE_THROUGH, Model.QUEUE: FillModel.QUEUE, Model.TOUCH: FillModel.TOUCH}
BOOK = [(0.0, 1000, 300, 1004, 300), (9.0, 1000, 300, 1004, 300)]


def rested(day: SymbolDay, limit: int, model: Model, *, side: int = 1, shares: int = 100, at: int = 10**9) -> Tally:
    """What becomes of an order that enters after a second and is left alone."""
    tape = tape_of(day, side)
    row, index, *_ = advance(tape, -1, 0, at, Child(0, 0, 0, 0, 0), Taken(0, 0), Tally(0, 0, 0, 0, 0), int(model))
    order = Child(limit * side, shares, 0, 0, at)
    child, taken, tally = enter(tape, row, at, order, Taken(0, 0), Tally(0, 0, 0, 0, 0), TICK)
    return advance(tape, row, index, 10**18, child, taken, tally, int(model))[4]


@given(day=tapes(), side=st.sampled_from([1, -1]), ticks=st.integers(-3, 3), at=st.integers(0, 60))
@pytest.mark.parametrize("model", MODELS)
def test_a_replayed_order_fills_as_at_the_exchange(
    model: Model, day: SymbolDay, side: int, ticks: int, at: int
) -> None:
    day = replace(day, halts=())  # replays draw no arrival near a halt
    limit, tape = MIDDLE + ticks * TICK, tape_of(day, side)
    row = int(tape.ts.searchsorted(at, side="right")) - 1
    # A replayed order arrives with a book. A marketable one has its own way through the levels behind the touch.
    assume(row >= 0 and tape.far[row] > limit * side)
    book = SymbolBook(day, MODELS[model], order_protection=False)
    fills = book.enter(BookOrder("a", side, limit, 3 * SHARE), at) + book.advance(END)
    tally = rested(day, limit, model, side=side, shares=3, at=at)
    assert tally.rested * SHARE == sum(fill.quantity for fill in fills)
    if fills:
        assert tally.at == fills[-1].at


@pytest.mark.parametrize(
    ("model", "filled"), [(Model.TRADE_THROUGH, 0), (Model.ODD_LOT, 0), (Model.QUEUE, 50), (Model.TOUCH, 100)]
)
def test_a_print_at_the_limit_fills_what_the_model_says(model: Model, filled: int) -> None:
    day = a_day(BOOK, [(2, 1000, 350, -1)])
    assert rested(day, 100_000, model).rested == filled


@pytest.mark.parametrize("model", Model)
def test_a_print_through_the_limit_fills_under_every_model(model: Model) -> None:
    assert rested(a_day(BOOK, [(2, 999, 70, -1)]), 100_000, model).rested == 70


@pytest.mark.parametrize("model", Model)
def test_a_far_side_through_the_limit_fills_at_the_limit(model: Model) -> None:
    tally = rested(a_day([*BOOK[:1], (3, 998, 100, 999, 60)]), 100_000, model)
    assert (tally.rested, tally.paid, tally.taken) == (60, 60 * 100_000, 0)


def test_a_print_on_another_venue_does_not_serve_our_queue() -> None:
    day = a_day(BOOK, [(2, 1000, 900, -1)], venue=T)
    assert rested(day, 100_000, Model.QUEUE).rested == 0
    assert rested(a_day(BOOK, [(2, 1000, 900, -1)], venue=N), 100_000, Model.QUEUE).rested == 100


def test_the_queue_ahead_shrinks_with_the_displayed_size() -> None:
    day = a_day([*BOOK[:1], (2, 1000, 40, 1004, 300)], [(3, 1000, 100, -1)])
    assert rested(day, 100_000, Model.QUEUE).rested == 60


def test_a_bid_below_our_limit_leaves_us_first_in_the_queue() -> None:
    day = a_day([*BOOK[:1], (2, 999, 500, 1004, 300), (3, 1000, 500, 1004, 300)], [(4, 1000, 80, -1)])
    assert rested(day, 100_000, Model.QUEUE).rested == 80


def test_a_buyers_print_at_the_limit_does_not_serve_our_queue() -> None:
    assert rested(a_day(BOOK, [(2, 1000, 900, 1)]), 100_000, Model.QUEUE).rested == 0


def test_taking_walks_the_levels_behind_the_touch() -> None:
    day = a_day([(0, 1000, 300, 1006, 40), (9, 1000, 300, 1006, 40)])
    tally = rested(day, 101_500, Model.QUEUE, shares=240)
    # 40 at the touch, then a hundred at each level a third of the spread apart: 10.06, 10.08, 10.10.
    assert (tally.taken, tally.paid) == (240, 40 * 100_600 + 100 * 100_800 + 100 * 101_000)
    assert tally.spread_paid == 240 * 600


def test_a_take_at_the_touch_leaves_the_rest_resting() -> None:
    day = a_day([(0, 1000, 300, 1006, 40), (2, 1000, 300, 1006, 40)])
    tally = rested(day, 100_600, Model.TRADE_THROUGH, shares=240)
    assert (tally.taken, tally.rested) == (40, 0)


def test_a_displayed_share_is_sold_to_us_once() -> None:
    day = a_day([(0, 1000, 300, 1006, 40), (2, 1000, 300, 1006, 40), (3, 1000, 300, 1006, 100)])
    assert rested(day, 100_600, Model.TOUCH, shares=240).rested == 60


def test_a_sell_is_the_mirror_image_of_a_buy() -> None:
    day = a_day(BOOK, [(2, 1004, 350, 1)])
    tally = rested(day, 100_400, Model.QUEUE, side=-1)
    assert (tally.rested, tally.paid) == (50, 50 * -100_400)
