"""The parts of the book: Scan and Tape."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from repeg_workbench.exchange.matching.symbol_book import SymbolBook
from repeg_workbench.exchange.matching.tape import Scan, tape_of
from repeg_workbench.exchange.units import tick_at
from tests.exchange.matching_tapes import long_tape


@given(seed=st.integers(0, 1_000), level=st.integers(-1, 12), start=st.integers(0, 1_200))
def test_a_scan_finds_every_position_in_order(seed: int, level: int, start: int) -> None:
    prices = np.random.Generator(np.random.PCG64(seed)).integers(0, 20, 1_100)
    scan, found, at = Scan(prices, level, start), [], start
    while (at := scan.first(at)) < len(prices):
        found.append(at)
        at += 1
    assert found == [index for index in range(start, len(prices)) if prices[index] <= level]


def test_books_of_the_same_day_share_its_tape() -> None:
    day = long_tape(1)
    books = SymbolBook(day), SymbolBook(day)
    assert books[0]._tape is books[1]._tape is tape_of(day)


def test_the_tick_is_a_cent_from_a_dollar_up_and_a_hundredth_below() -> None:
    assert [tick_at(price) for price in (9_999, 10_000)] == [1, 100]
