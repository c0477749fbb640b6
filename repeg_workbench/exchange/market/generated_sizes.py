"""The queues of a generated day: how many shares stand at the best bid and offer after each event."""

from collections.abc import Callable
from typing import Final

import numpy as np

from repeg_workbench.exchange.market.generated_books import Book
from repeg_workbench.exchange.market.generated_dice import BITS, FINE, ONE, SHIFT, Dice, exponential
from repeg_workbench.exchange.market.generated_flow import PERMILLE
from repeg_workbench.exchange.market.generated_regimes import Drawn, Leaning, Regime
from repeg_workbench.exchange.market.symbol_day import Int64s

_CELL: Final = 3
_PLACES: Final = 8 * FINE >> _CELL
_TENTHS: Final = 10
_LEAST_IMBALANCE: Final = FINE // 200
Sizes = tuple[Int64s, Int64s]


def sizes_of(regime: Regime, book: Book, name: tuple[object, ...]) -> Sizes:
    """The shares at the bid and at the offer."""
    if isinstance(regime.queues, Leaning):
        return _leaning(regime.queues, book, name)
    bids, asks = (_drawn(regime.queues, Dice(*name, side), len(book.bid)) for side in ("bids", "asks"))
    return bids, asks


def _drawn(shape: Drawn, dice: Dice, count: int) -> Int64s:
    table = np.array(shape.sizes, np.int64)
    return _by_rank(dice.drift(count, shape.length), lambda rank: table[rank * len(table) >> BITS])


def _leaning(shape: Leaning, book: Book, name: tuple[object, ...]) -> Sizes:
    score = Dice(*name, "imbalance").drift(len(book.bid), shape.length) + book.lean * shape.lean // PERMILLE
    if shape.foresight:
        score += _next_move(book) * (shape.foresight * FINE // PERMILLE)
    imbalance = _by_rank(score, lambda rank: _imbalance(shape, rank))
    drift = Dice(*name, "depth").drift(len(book.bid), shape.depth_length)
    depth = shape.depth * exponential(drift * shape.depth_drift // PERMILLE) >> SHIFT
    return _split(imbalance, depth, shape.lot)


def _split(imbalance: Int64s, depth: Int64s, lot: int) -> Sizes:
    """Whole lots in this proportion: the smaller side from the depth, the larger one from the smaller."""
    smaller = np.minimum(imbalance, FINE - imbalance)
    few = np.maximum(1, ((smaller * depth >> SHIFT) + lot // 2) // lot)
    many = np.maximum(few, (few * (FINE - smaller) + smaller // 2) // smaller)
    is_bid_long = imbalance > FINE // 2
    return np.where(is_bid_long, many, few) * lot, np.where(is_bid_long, few, many) * lot


def _imbalance(shape: Leaning, rank: Int64s) -> Int64s:
    """The imbalance, times FINE, of which the regime's shares of the day fall into each tenth."""
    edges = np.concatenate(([0], np.cumsum(np.array(shape.shares, np.int64))))
    edges = edges * ONE // edges[-1]
    tenth = edges[1:-1].searchsorted(rank, side="right")
    into = (rank - edges[tenth]) * FINE // np.maximum(1, edges[tenth + 1] - edges[tenth])
    imbalance: Int64s = np.clip((tenth * FINE + into) // _TENTHS, _LEAST_IMBALANCE, FINE - _LEAST_IMBALANCE)
    return imbalance


def _by_rank(score: Int64s, of_rank: Callable[[Int64s], Int64s]) -> Int64s:
    """A function of the share of the day's scores below each one, times ONE; scores beyond four count as four."""
    place = np.clip((score >> _CELL) + _PLACES // 2, 0, _PLACES - 1)
    count = np.bincount(place, minlength=_PLACES)
    below = np.cumsum(count) - (count + 1) // 2
    ranked: Int64s = np.take(of_rank(np.clip(below * ONE // len(score), 0, ONE - 1)), place)
    return ranked


def _next_move(book: Book) -> Int64s:
    """The direction of the mid's next move after each event."""
    mid = book.bid + book.ask
    rows = np.flatnonzero(np.diff(mid)) + 1
    if not len(rows):
        return np.zeros(len(mid), np.int64)
    following = rows[np.minimum(rows.searchsorted(np.arange(len(mid)), side="right"), len(rows) - 1)]
    return np.sign(mid[following] - mid)
