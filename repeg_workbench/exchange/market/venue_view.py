"""One venue's book and prints of a consolidated day: what a feed of that venue alone shows, here of IEX.

The venue is never better than the national best, which includes it. On each side it is by turns at the national best,
some ticks behind it with an order that was left there, dollars away, or absent. Fractions are permille.
"""

from dataclasses import dataclass, fields, replace
from typing import Final, NamedTuple

import numpy as np

from repeg_workbench.exchange.market.generated_dice import BITS, ONE, Dice, happens
from repeg_workbench.exchange.market.symbol_day import Flags, Int64s, Quotes, SymbolDay, Trades
from repeg_workbench.exchange.time.calendar import NANOSECONDS
from repeg_workbench.exchange.units import tick_at

IEX: Final = ord("V")

VOLUME: Final = 32
"""IEX's part of the shares traded, permille: 3.2 % at the end of 2025."""

_LOT: Final = 100
_DOLLAR: Final = 10_000
_MOST_DOLLARS: Final = 4


class Presence(NamedTuple):
    """How a venue stands in a stock, permille: of the day at the national best on both sides, and of the shares traded.

    A side that is not at the best is mostly behind it; for a twelfth of that time it is dollars away or absent.
    """

    at_best: int
    volume: int


class Turn(NamedTuple):
    """How a side stands for a while: its weight in time among the turns off the best, and its mean length in ns."""

    weight: int
    length: int


# At the best for ten seconds on average; behind it for six. What is dollars away or empty flickers, for about a second.
_AT_BEST_FOR: Final = 10 * NANOSECONDS
_BEHIND, _AWAY, _EMPTY = Turn(11, 6 * NANOSECONDS), Turn(1, NANOSECONDS // 2), Turn(1, NANOSECONDS)
_AT, _BACK, _FAR, _GONE = range(4)

# By the usual spread in ticks, up to which the permille apply: more in stocks with long queues, less in wide ones. What
# a side that is behind meets by chance comes on top. Over one stock of each of the generated market's six regimes the
# mean is 290 then, as over the stocks of the Russell 3000 in 2025.
_AT_BEST_UP_TO: Final = ((1, 470), (3, 220), (5, 240), (16, 60), (1 << 40, 40))


def presence_of(day: SymbolDay, at_best: int | None = None, volume: int = VOLUME) -> Presence:
    """The presence on a day; without a given one by the median spread of its quotes."""
    if at_best is not None:
        return Presence(at_best, volume)
    quotes = day.quotes
    both = (quotes.bid > 0) & (quotes.ask > quotes.bid)
    if not both.any():
        return Presence(0, volume)
    spread = int(np.median(quotes.ask[both] - quotes.bid[both])) // tick_at(int(quotes.ask[both][0]))
    return Presence(next(permille for most, permille in _AT_BEST_UP_TO if spread <= most), volume)


def venue_view(day: SymbolDay, presence: Presence, seed: int) -> SymbolDay:
    """The day as the venue's own feed shows it; the same for the same seed, and never with a price that is too good."""
    name = seed, day.symbol, day.day, "venue"
    if not len(day.quotes):
        return replace(day, trades=_prints(day, presence, Dice(*name, "prints")))
    stretches = [_stretches(day.quotes, presence, Dice(*name, side)) for side in ("bid", "ask")]
    stamps = np.union1d(day.quotes.ts, np.concatenate([each.ts for each in stretches]))
    row = day.quotes.ts.searchsorted(stamps, side="right") - 1
    tick = tick_at(int(day.quotes.ask.max(initial=0)))
    columns = {
        "ts": stamps,
        "bid_venue": np.full(len(row), IEX, np.uint8),
        "ask_venue": np.full(len(row), IEX, np.uint8),
    }
    for side, name_of, stretch in ((1, "bid", stretches[0]), (-1, "ask", stretches[1])):
        price, size = getattr(day.quotes, name_of)[row], getattr(day.quotes, f"{name_of}_size")[row]
        columns[name_of], columns[f"{name_of}_size"] = _side(price * side, size, stretch, stamps, tick, side)
    quotes = _changes(Quotes(**columns))
    return replace(day, quotes=quotes, trades=_prints(day, presence, Dice(*name, "prints")))


@dataclass(frozen=True)
class _Stretches:
    """Turns of one side, one after the other: when each begins, how it stands, and draws for its price and size."""

    ts: Int64s
    how: Int64s
    price: Int64s
    size: Int64s


def _stretches(quotes: Quotes, presence: Presence, dice: Dice) -> _Stretches:
    # Two independent sides are at the best together for the product of their times.
    at_best = round((presence.at_best / 1_000) ** 0.5 * 1_000)
    weights = sum(turn.weight for turn in (_BEHIND, _AWAY, _EMPTY))
    lengths = np.array([_AT_BEST_FOR, *(turn.length for turn in (_BEHIND, _AWAY, _EMPTY))], np.int64)
    times = np.array(
        [at_best * weights, *((1_000 - at_best) * turn.weight for turn in (_BEHIND, _AWAY, _EMPTY))], np.int64
    )
    # As many turns of a kind as its time asks for, given their length.
    per = times * (_AT_BEST_FOR // NANOSECONDS * 2) * (NANOSECONDS // 2) // lengths
    begins, ends = int(quotes.ts[0]), int(quotes.ts[-1])
    mean = int((per * lengths).sum() // max(1, per.sum()))
    count = 4 * ((ends - begins) // max(1, mean) + 8)
    words = dice.words(count)
    how = np.searchsorted(np.cumsum(per), words.draw(0) * per.sum() // ONE, side="right")
    # Drawn evenly between nothing and twice the mean.
    length = lengths[how] * words.draw(1) * 2 // ONE + 1
    starts = begins + np.concatenate(([0], np.cumsum(length)[:-1]))
    kept = starts <= ends
    return _Stretches(starts[kept], how[kept], words.draw(2)[kept], words.draw(3)[kept])


def _side(near: Int64s, size: Int64s, turns: _Stretches, stamps: Int64s, tick: int, side: int) -> tuple[Int64s, Int64s]:
    """Prices and sizes at each stamp, from the national ones; `near` is the price times the side."""
    turn = turns.ts.searchsorted(stamps, side="right") - 1
    first = stamps.searchsorted(turns.ts)
    how, draw = turns.how[turn], turns.price
    level = near[first] - np.where(
        turns.how == _FAR,
        (1 + (draw * _MOST_DOLLARS >> BITS)) * _DOLLAR + (draw & 63) * tick,
        (1 + (draw * draw >> BITS) * 4 // ONE) * tick,
    )
    floor = _least_so_far(near, turn)
    shown = np.where(how == _AT, near, np.minimum(level[turn], floor))
    lots = (1 + (turns.size * turns.size >> BITS) * 4 // ONE) * _LOT
    share = np.maximum(lots, size[first] * (1 + turns.size * 8 // ONE) // 64 // _LOT * _LOT)
    shares = np.where(shown == near, np.minimum(share[turn], size), lots[turn])
    absent = (how == _GONE) | (near == 0) | (shown * side <= 0)
    return np.where(absent, 0, shown * side), np.where(absent, 0, shares)


def _least_so_far(values: Int64s, group: Int64s) -> Int64s:
    """The least value of each group up to each row; the groups follow one another."""
    # A fall between groups that is larger than any within one begins each group anew.
    span = int(values.max() - values.min()) + 1
    lowered = values - group * span
    least: Int64s = np.minimum.accumulate(lowered) + group * span
    return least


def _changes(quotes: Quotes) -> Quotes:
    """The rows that differ from the one before."""
    changed: Flags = np.ones(len(quotes), np.bool_)
    same = np.ones(len(quotes) - 1, np.bool_)
    for field in fields(Quotes):
        if field.name != "ts":
            column = getattr(quotes, field.name)
            same &= column[1:] == column[:-1]
    changed[1:] = ~same
    return quotes.where(changed)


def _prints(day: SymbolDay, presence: Presence, dice: Dice) -> Trades:
    """Lit prints drawn so that they have the venue's part of all shares, under its letter."""
    trades = day.trades
    lit = int(trades.size[trades.lit].sum())
    if not lit:
        return trades.where(trades.lit)
    chance = ONE * presence.volume * int(trades.size.sum()) // (1_000 * lit)
    ours = trades.where(trades.lit & happens(dice.words(len(trades)).draw(0), chance))
    return replace(ours, venue=np.full(len(ours), IEX, np.uint8))
