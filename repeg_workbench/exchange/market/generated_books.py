"""The touch of a generated day: how the best bid and offer follow the fair value that the order flow moves.

A pinned book is always one tick wide. The two prices move together when the fair value has left them, and now and then
a side is empty for a moment and comes back. In a loose book each side stands until it is quoted anew at a distance of
its own, or until the fair value comes too near and pushes it away.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np

from repeg_workbench.exchange.market.generated_dice import BITS, FINE, ONE, SHIFT, Dice, exponential, happens, normal
from repeg_workbench.exchange.market.generated_flow import PERMILLE, Flow, raised
from repeg_workbench.exchange.market.generated_regimes import BASIS, Loose, Pinned, Regime
from repeg_workbench.exchange.market.symbol_day import Flags, Int64s

_HALF: Final = FINE // 2


@dataclass(frozen=True)
class Book:
    """The touch after each event, in ticks.

    lean is how far the fair value is above the mid: in ticks of a pinned book, in half-spreads of a loose one, times
    FINE. hit is +1 where the event took the offer away, -1 where it took the bid. gone is +1 where the offer first
    leaves for a moment, -1 where the bid does.
    """

    bid: Int64s
    ask: Int64s
    lean: Int64s
    hit: Int64s
    gone: Int64s


def book_of(regime: Regime, flow: Flow, name: tuple[object, ...]) -> Book:
    """The touch of a day."""
    if isinstance(regime.book, Pinned):
        return _pinned(regime.book, regime, flow, Dice(*name, "book"))
    return _loose(regime.book, regime, flow, name)


def _pinned(shape: Pinned, regime: Regime, flow: Flow, dice: Dice) -> Book:
    reach = shape.reach * FINE // PERMILLE
    low, high = -((_HALF + reach - flow.fair) >> SHIFT), (flow.fair + reach - _HALF) >> SHIFT
    # Where two prices are possible, it is the one from which the fair value came.
    change = np.diff(low + high, prepend=(low + high)[:1])
    latest = np.maximum.accumulate(np.where(change != 0, np.arange(len(change)), 0))
    bid = np.where(change[latest] >= 0, low, high)
    lean = flow.fair - bid * FINE - _HALF
    words = dice.words(len(bid))
    hit = np.sign(np.diff(bid, prepend=bid[:1]))
    edge = lean * lean >> SHIFT
    chance = ONE * shape.flickers // BASIS + edge * (ONE // FINE * shape.edge_flickers) // BASIS
    flickers = happens(words.draw(0), chance) & (hit == 0) & (flow.since_open >= 0)
    toward = np.where(happens(words.draw(1), ONE // 2 + lean * (ONE // FINE) // 2), 1, -1)
    more = (raised(regime.opening_spread, flow.violence) - 100) * words.draw(2) // 100 >> BITS
    below = more * words.draw(3) >> BITS
    return Book(bid - below, bid + 1 + more - below, lean, hit, np.where(flickers, toward, hit))


def _loose(shape: Loose, regime: Regime, flow: Flow, name: tuple[object, ...]) -> Book:
    widened = raised(regime.opening_spread, flow.violence)
    drift = Dice(*name, "spread").drift(len(flow), shape.persistence)
    # The opening widens all spreads alike.
    scale = exponential(drift * (PERMILLE - flow.violence) // PERMILLE * shape.drift // PERMILLE)
    bid = _side(shape, flow.fair, scale, widened, Dice(*name, "bids"))
    ask = -_side(shape, -flow.fair, scale, widened, Dice(*name, "asks"))
    # Two sides that meet share the difference.
    middle = np.maximum((bid + ask) >> 1, bid)
    ask = np.where(ask <= bid, middle + 1, ask)
    flash = Dice(*name, "flashes").words(len(bid)).draw(0)
    chance = ONE * shape.flashes // BASIS
    bid, ask = np.where(flash < chance, ask - 1, bid), np.where(flash >= ONE - chance, bid + 1, ask)
    lean = np.clip((2 * flow.fair - (bid + ask) * FINE) // (ask - bid), -2 * FINE, 2 * FINE)
    near = (shape.nearest + shape.grasp) * FINE // PERMILLE
    before_bid, before_ask = (np.concatenate((side[:1], side[:-1])) for side in (bid, ask))
    sold, bought = flow.fair < before_bid * FINE + near, flow.fair > before_ask * FINE - near
    hit = np.where(sold, -1, np.where(bought, 1, 0))
    return Book(bid, ask, lean, hit, np.zeros(len(bid), np.int64))


def _side(shape: Loose, fair: Int64s, scale: Int64s, widened: Int64s, dice: Dice) -> Int64s:
    """A bid in ticks: at a drawn distance below the fair value from each new quote on, and pushed down as it falls."""
    words = dice.words(len(fair))
    is_new = happens(words.draw(0), ONE * shape.quotes // BASIS)
    is_new[0] = True
    rows, span = np.flatnonzero(is_new), np.cumsum(is_new) - 1
    distance = _distances(shape, scale[rows], words.draw(1)[rows], words.draw(2)[rows]) * widened[rows] // 100
    lowest = _lowest_since(fair, span) - shape.nearest * FINE // PERMILLE
    bid: Int64s = np.minimum((fair[rows] - distance)[span], lowest) >> SHIFT
    return bid


def _distances(shape: Loose, scale: Int64s, draws: Int64s, whims: Int64s) -> Int64s:
    varied = exponential(normal(draws) * shape.variety // PERMILLE)
    distance = shape.least * FINE // PERMILLE + (shape.usual * varied // PERMILLE) * scale // FINE
    is_tight: Flags = happens(whims, ONE * shape.tight // BASIS)
    return np.where(is_tight, shape.nearest * FINE // PERMILLE, distance)


def _lowest_since(fair: Int64s, span: Int64s) -> Int64s:
    """The lowest fair value since the beginning of each span."""
    step = int(fair.max()) - int(fair.min()) + 1
    lowest: Int64s = np.minimum.accumulate(fair - span * step) + span * step
    return lowest
