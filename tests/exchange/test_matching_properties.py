"""Properties of matching for any tape and orders; the book agrees with the reference implementation."""

from collections.abc import Sequence
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from repeg_workbench.exchange.market.symbol_day import SymbolDay
from repeg_workbench.exchange.matching.symbol_book import BookOrder, Fill, FillModel, SymbolBook
from tests.exchange.matching_reference import ReferenceBook
from tests.exchange.matching_tapes import (
    END,
    MIDDLE,
    SHARE,
    TICK,
    Action,
    long_tape,
    long_traffic,
    mirrored,
    moments,
    quotes,
    tape,
    tapes,
    traffic,
)
from tests.exchange.matching_tapes import trades as prints

MODELS = pytest.mark.parametrize("model", list(FillModel))


def work(book: SymbolBook | ReferenceBook, actions: Sequence[Action], stops: Sequence[int] = ()) -> list[Fill]:
    """All fills of the day, with extra calls of the book in between."""
    fills: list[Fill] = []
    left = list(stops)
    for action in actions:
        while left and left[0] <= action.at:
            fills += book.advance(left.pop(0))
        if action.order:
            fills += book.enter(action.new_order(), action.at)
        else:
            book.remove(f"order-{action.number}", action.at)
    for stop in left:
        fills += book.advance(max(stop, actions[-1].at))
    return fills + book.advance(END)


@MODELS
@given(day=tapes(), actions=traffic(), stops=moments)
def test_the_book_fills_exactly_as_a_walk_through_every_event(
    model: FillModel, day: SymbolDay, actions: list[Action], stops: list[int]
) -> None:
    book, reference = SymbolBook(day, model), ReferenceBook(day, model)
    assert work(book, actions, stops) == work(reference, actions, stops)
    assert book.resting == reference.resting


@MODELS
@pytest.mark.parametrize("seed", range(6))
def test_a_long_day_fills_exactly_as_a_walk_through_every_event(model: FillModel, seed: int) -> None:
    day, actions = long_tape(seed), long_traffic(seed)
    fills = work(SymbolBook(day, model), actions)
    assert fills == work(ReferenceBook(day, model), actions)
    assert work(SymbolBook(day, model), actions, range(0, END, 7)) == fills


@MODELS
@given(day=tapes(), actions=traffic(), stops=moments)
def test_fills_do_not_depend_on_how_often_the_book_is_called(
    model: FillModel, day: SymbolDay, actions: list[Action], stops: list[int]
) -> None:
    assert work(SymbolBook(day, model), actions, stops) == work(SymbolBook(day, model), actions)


@MODELS
@given(day=tapes(), actions=traffic())
def test_a_removed_order_has_the_remainder_of_the_reference_walk(
    model: FillModel, day: SymbolDay, actions: list[Action]
) -> None:
    book, reference = SymbolBook(day, model), ReferenceBook(day, model)
    for action in actions:
        if action.order:
            book.enter(action.new_order(), action.at)
            reference.enter(action.new_order(), action.at)
        else:
            name = f"order-{action.number}"
            assert book.remove(name, action.at) == reference.remove(name, action.at)


@MODELS
@given(day=tapes(), actions=traffic())
def test_fills_never_exceed_quantity_limit_or_time(model: FillModel, day: SymbolDay, actions: list[Action]) -> None:
    orders = {f"order-{action.number}": action for action in actions if action.order}
    filled = dict.fromkeys(orders, 0)
    fills = work(SymbolBook(day, model), actions)
    for fill in fills:
        side, limit, quantity = orders[fill.order_id].order or (0, 0, 0)
        filled[fill.order_id] += fill.quantity
        assert fill.quantity > 0
        assert filled[fill.order_id] <= quantity
        assert limit is None or fill.price * side <= limit * side
        assert fill.at >= orders[fill.order_id].at
        assert not any(start <= fill.at < end for start, end in day.halts)
    assert all(earlier.at <= later.at for earlier, later in pairwise(fills))


@MODELS
@given(day=tapes(), actions=traffic())
def test_selling_mirrors_buying(model: FillModel, day: SymbolDay, actions: list[Action]) -> None:
    # One side at a time: with orders on both, a print fills buys first.
    buys = [action for action in actions if not action.order or action.order[0] > 0]
    entered = {action.number for action in buys if action.order}
    buys = [action for action in buys if action.number in entered] or [Action(0, (1, MIDDLE, SHARE), 0)]
    sells = [
        Action(action.at, action.order and (-1, _reflected(action.order[1]), action.order[2]), action.number)
        for action in buys
    ]
    bought, sold = work(SymbolBook(day, model), buys), work(SymbolBook(mirrored(day), model), sells)
    assert [(fill.order_id, fill.at, 2 * MIDDLE - fill.price, fill.quantity) for fill in bought] == [
        (fill.order_id, fill.at, fill.price, fill.quantity) for fill in sold
    ]


@given(day=tapes(), actions=traffic(), stops=moments)
def test_stricter_models_never_fill_more_at_any_instant(
    day: SymbolDay, actions: list[Action], stops: list[int]
) -> None:
    action = actions[0]
    books = [SymbolBook(day, model) for model in (FillModel.TRADE_THROUGH, FillModel.QUEUE, FillModel.TOUCH)]
    filled = [_quantity(book.enter(action.new_order(), action.at)) for book in books]
    for stop in [*(stop for stop in stops if stop >= action.at), END]:
        filled = [so_far + _quantity(book.advance(stop)) for so_far, book in zip(filled, books, strict=True)]
        assert filled == sorted(filled)


_passive = st.lists(st.tuples(st.integers(-3, 0), st.integers(1, 5)), min_size=1, max_size=5)
_printed = st.lists(st.tuples(st.integers(-4, 0), st.integers(1, 9)), min_size=1, max_size=8)


@pytest.mark.parametrize("model", [FillModel.TRADE_THROUGH, FillModel.QUEUE, FillModel.TOUCH])
@given(orders=_passive, volumes=_printed)
def test_our_orders_together_never_get_more_than_a_prints_volume(
    model: FillModel, orders: list[tuple[int, int]], volumes: list[tuple[int, int]]
) -> None:
    bid, ask = MIDDLE - 3 * TICK, MIDDLE + TICK
    rows = [(1_000 + index, MIDDLE + tick * TICK, size, -1, 78, True) for index, (tick, size) in enumerate(volumes)]
    book = SymbolBook(tape(quotes([(0, bid, 1, ask, 5, 78, 78)]), prints(rows)), model)
    for number, (tick, size) in enumerate(orders):
        book.enter(BookOrder(str(number), 1, MIDDLE + tick * TICK, size * SHARE), 1)
    fills = book.advance(END)
    for ts, price, size, *_ in rows:
        ours = [fill for fill in fills if fill.at == ts]
        assert _quantity(ours) <= size * SHARE
        assert all(fill.price >= price for fill in ours)


@pytest.mark.parametrize("model", [FillModel.TRADE_THROUGH, FillModel.QUEUE, FillModel.TOUCH])
@given(sizes=st.lists(st.integers(1, 9), min_size=1, max_size=6), shown=st.integers(1, 12))
def test_a_displayed_size_is_sold_to_us_only_once(model: FillModel, sizes: list[int], shown: int) -> None:
    row = (MIDDLE - TICK, 5, MIDDLE, shown, 78, 78)
    book = SymbolBook(tape(quotes([(0, *row), (50, *row), (60, *row)]), prints([])), model)
    taken = [
        _quantity(book.enter(BookOrder(str(number), 1, MIDDLE, size * SHARE), 10 * number))
        for number, size in enumerate(sizes)
    ]
    assert sum(taken) + _quantity(book.advance(END)) == min(shown, sum(sizes)) * SHARE


def _quantity(fills: list[Fill]) -> int:
    return sum(fill.quantity for fill in fills)


def _reflected(limit: int | None) -> int | None:
    return None if limit is None else 2 * MIDDLE - limit
