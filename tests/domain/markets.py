"""Strategies for prices and books: below, around and above a dollar, of any width, on and off the price grid."""

from __future__ import annotations

from decimal import Decimal

from hypothesis import strategies as st

from repeg.domain import tick
from repeg.domain.quote import Quote, Side
from tests.builders import MONDAY, a_quote

SIDES = st.sampled_from(Side)

BELOW_A_DOLLAR = st.integers(2, 9_900).map(lambda n: Decimal(n) / 10_000)
AROUND_A_DOLLAR = st.integers(9_950, 10_000).map(lambda n: Decimal(n) / 10_000) | st.sampled_from(
    [Decimal("1.01"), Decimal("1.02")]
)
ABOVE_A_DOLLAR = st.integers(100, 100_000).map(lambda n: Decimal(n) / 100)
ON_GRID = BELOW_A_DOLLAR | AROUND_A_DOLLAR | ABOVE_A_DOLLAR
OFF_GRID = st.integers(20_000, 30_000_000).map(lambda n: Decimal(n) / 100_000)


def further(price: Decimal, ticks: int) -> Decimal:
    """The price that many ticks higher, also across the dollar."""
    for _ in range(ticks):
        price = tick.above(price, MONDAY)
    return price


@st.composite
def books(draw: st.DrawFn, widest: int = 30) -> Quote:
    """A book on the grid, one to `widest` ticks wide."""
    bid = draw(ON_GRID)
    ask = further(bid, draw(st.integers(1, widest)))
    return a_quote(str(bid), str(ask))


@st.composite
def crooked_books(draw: st.DrawFn) -> Quote:
    """A book with prices off the tick grid, as a feed may report."""
    prices = draw(st.tuples(OFF_GRID, OFF_GRID).filter(lambda pair: pair[0] != pair[1]).map(sorted))
    return a_quote(str(prices[0]), str(prices[1]))


def is_on_grid(price: Decimal) -> bool:
    """Whether the exchange would accept the price."""
    return price > 0 and price % tick.increment(price, MONDAY) == 0


def worse_by(side: Side, price: Decimal, than: Decimal) -> Decimal:
    """How many dollars per share a price costs more than another."""
    return side.sign * (price - than)
