"""The rows of a generated day: what the feed shows of each event, and the prints."""

from dataclasses import dataclass, fields
from typing import Final

import numpy as np

from repeg_workbench.exchange.market.generated_books import Book
from repeg_workbench.exchange.market.generated_dice import BITS, FINE, ONE, SHIFT, Dice, Words, happens, pick
from repeg_workbench.exchange.market.generated_flow import PERMILLE, Flow
from repeg_workbench.exchange.market.generated_regimes import BASIS, Pinned, Regime, Trading
from repeg_workbench.exchange.market.generated_sizes import Sizes
from repeg_workbench.exchange.market.symbol_day import Flags, Int64s

_MILLISECOND: Final = 1_000_000
_HOUR: Final = 3_600_000 * _MILLISECOND
_REACTION: Final = 2 * _MILLISECOND
"""The longest time from a trade to the quotes that answer it."""


@dataclass(frozen=True)
class Rows:
    """Touches in ticks and shares, with the event that each belongs to."""

    ts: Int64s
    event: Int64s
    bid: Int64s
    bid_size: Int64s
    ask: Int64s
    ask_size: Int64s

    def __len__(self) -> int:
        return len(self.ts)

    def at(self, places: Int64s) -> "Rows":
        """These rows."""
        return Rows(*(getattr(self, field.name).take(places) for field in fields(self)))


@dataclass(frozen=True)
class Takes:
    """The trades: the event of each, its aggressor's side, its size, and whether it is lit and on the quote's venue.

    inside is how many ticks better than the touch its price is.
    """

    event: Int64s
    side: Int64s
    size: Int64s
    lit: Flags
    same_venue: Flags
    inside: Int64s


def takes_of(trading: Trading, flow: Flow, book: Book, sizes: Sizes, name: tuple[object, ...]) -> Takes:
    """The trades of a day. Each meets the touch that the event before it left."""
    words = Dice(*name, "trades").words(len(flow))
    edge = np.minimum(book.lean * book.lean >> SHIFT, FINE)
    chance = ONE * trading.uninformed // BASIS + edge * (ONE // FINE) * trading.at_edge // BASIS
    chance = np.where(book.hit == 0, chance, ONE * trading.hits // BASIS)
    event = np.flatnonzero(happens(words.draw(0), chance) & (np.roll(flow.since_open, 1) >= 0))
    event = event[event > 0]
    more = Dice(*name, "prints").words(len(event))
    side = _aggressors(trading, flow, book, event, words)
    is_lit = more.draw(0) >> BITS - 4 >= 5
    is_same = happens(more.draw(1), ONE * trading.same_venue // BASIS)
    takes_price = book.hit[event] != 0
    spread = book.ask[event - 1] - book.bid[event - 1]
    is_hidden = is_lit & ~takes_price & (spread > 1) & happens(more.draw(2), ONE * trading.hidden // BASIS)
    inside = np.where(is_hidden, 1 + (more.draw(3) * (spread // 2) >> BITS), 0)
    size = pick(np.array(trading.sizes, np.int64), words.draw(3)[event])
    shown = np.where(side > 0, sizes[1][event - 1], sizes[0][event - 1])
    # What takes a price away takes at least half of what the feed shows there.
    size = np.where(takes_price & is_same, np.maximum(size, (shown + 1) // 2), size)
    return Takes(event, side, np.where(is_lit, np.minimum(size, shown), size), is_lit, is_same, inside)


def _aggressors(trading: Trading, flow: Flow, book: Book, event: Int64s, words: Words) -> Int64s:
    draws, more = words.draw(1)[event], words.draw(2)[event]
    leaning = ONE // 2 + np.clip(book.lean[event] * trading.leaning // PERMILLE, -FINE, FINE) * (ONE // FINE) // 2
    drawn = np.where(happens(draws, leaning), 1, -1)
    followed = happens(more, ONE * trading.followed // BASIS) & (flow.step[event] != 0)
    drawn = np.where(followed, np.sign(flow.step[event]), drawn)
    return np.where(book.hit[event] != 0, book.hit[event], drawn)


def rows_of(
    regime: Regime, flow: Flow, book: Book, sizes: Sizes, takes: Takes, activity: int, name: tuple[object, ...]
) -> Rows:
    """The quote rows in time order; activity is in thousandths."""
    gap = np.diff(flow.ts, append=flow.ts[-1:] + _MILLISECOND)
    answered = flow.ts + 2 + np.minimum(gap >> 2, _REACTION)
    answered[0] = flow.ts[0]
    settled = Rows(answered, np.arange(len(flow)), book.bid, sizes[0], book.ask, sizes[1])
    parts = [settled]
    if isinstance(regime.book, Pinned):
        parts = list(_flickers(regime.book, settled, gap, book, Dice(*name, "flickers")))
    made = len(takes.event) + sum(map(len, parts))
    wanted = regime.updates * int(flow.ts[-1] - flow.ts[0]) // _HOUR * activity // PERMILLE - made
    if wanted > 0:
        parts.append(_between(regime.queues.lot, parts[0], flow, Dice(*name, "updates").words(wanted)))
    return _in_order(parts, flow, takes)


def _in_order(parts: list[Rows], flow: Flow, takes: Takes) -> Rows:
    """All rows in time order, with one after each trade on the quote's venue: the touch it met, less what it took."""
    joined = Rows(*(np.concatenate([getattr(part, field.name) for part in parts]) for field in fields(Rows)))
    order = np.argsort(joined.ts, kind="stable")
    found = np.flatnonzero(takes.lit & takes.same_venue & (takes.inside == 0))
    ts, side, size = flow.ts[takes.event[found]], takes.side[found], takes.size[found]
    place = joined.ts.take(order).searchsorted(ts)
    met = joined.at(order[place - 1])
    left = Rows(ts + 1, met.event, met.bid, met.bid_size - size * (side < 0), met.ask, met.ask_size - size * (side > 0))
    some = np.flatnonzero((left.bid_size > 0) & (left.ask_size > 0))
    # Each column is moved once: in order, with gaps that are filled afterwards.
    gapped = joined.at(np.insert(order, place[some], 0))
    gaps = place[some] + np.arange(len(some))
    for field in fields(Rows):
        getattr(gapped, field.name)[gaps] = getattr(left, field.name)[some]
    return gapped


def _flickers(shape: Pinned, settled: Rows, gap: Int64s, book: Book, dice: Dice) -> tuple[Rows, Rows]:
    """The settled rows, later where a side leaves for a moment, and the rows while it is gone."""
    event = np.flatnonzero(book.gone)
    event = event[event > 0]
    draws = dice.words(len(event)).draw(0)
    wait = (draws * draws >> BITS) * draws >> BITS
    wait = np.minimum(wait * shape.flicker_ms * 4 * _MILLISECOND >> BITS, gap[event] >> 1)
    before, after, gone = settled.at(event - 1), settled.at(event), book.gone[event]
    leaving = Rows(after.ts, event, before.bid - (gone < 0), after.bid_size, before.ask + (gone > 0), after.ask_size)
    later = settled.ts.copy()
    later[event] += 1 + wait
    return Rows(later, *(getattr(settled, field.name) for field in fields(settled)[1:])), leaving


def _between(lot: int, settled: Rows, flow: Flow, words: Words) -> Rows:
    """Updates of the sizes alone: a queue that the next event finds longer grows on the way there."""
    wanted, count = len(words), len(flow) - 1
    event = (np.arange(wanted) * ONE + words.draw(0)) * count // (wanted * ONE)
    room = flow.ts[event + 1] - settled.ts[event] - 2
    has_room = room > 2
    event, room, way = event[has_room], room[has_room], words.draw(1)[has_room]
    here = settled.at(event)
    bid_size = here.bid_size + _on_the_way(settled.bid, settled.bid_size, event, way, lot)
    ask_size = here.ask_size + _on_the_way(settled.ask, settled.ask_size, event, way, lot)
    return Rows(here.ts + 1 + (room * (way >> 4) >> BITS - 4), event, here.bid, bid_size, here.ask, ask_size)


def _on_the_way(price: Int64s, size: Int64s, event: Int64s, way: Int64s, lot: int) -> Int64s:
    """What has been added to a queue after these events, in whole lots; nothing if the next one moves the price."""
    growth = np.where(price[1:] == price[:-1], np.maximum(size[1:] - size[:-1], 0), 0)
    added: Int64s = (growth.take(event) * way >> BITS) // lot * lot
    return added
