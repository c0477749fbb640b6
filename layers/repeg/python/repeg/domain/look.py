"""The policy's rules for one look at a book, in whole numbers: rest, follow, retreat, step back, or take.

Prices here are times the side, in units of a hundredth of a cent, so that a higher one is more aggressive for a buy and
for a sell alike, and the same source can be compiled for replays. Shares are whole; shares of a thousand are permille.
"""

from __future__ import annotations

from collections.abc import Collection
from enum import IntEnum
from typing import NamedTuple

UNITS_PER_DOLLAR = 10_000
DECIMALS = 4

# At a usual spread of one tick, orders queue at the touch, and the imbalance of the queues predicts the next price.
ONE_TICK = 1
# Below this usual spread, in ticks, a third of it is less than a tick.
NARROWEST_TO_BE_TIGHT = 3
# For so many seconds what was seen of the others when a child was sent is better than a guess.
SEEN_FOR = 6


class Verb(IntEnum):
    """Leave the child where it is, let one rest at the price, or take the far side."""

    KEEP = 0
    REST = 1
    TAKE = 2


class Why(IntEnum):
    """The rule that gave the answer."""

    IMPROVE = 0
    JOIN = 1
    STEP_BACK = 2
    HIDDEN = 3
    IMBALANCE = 4
    TIGHT = 5
    PATIENCE = 6
    MOVES = 7
    STANDING = 8
    COLLAR = 9


class Book(NamedTuple):
    """The top of a book, our own order included, from our side: prices times the side, sizes in shares."""

    near: int
    near_size: int
    far: int
    far_size: int
    tick: int


class Standing(NamedTuple):
    """Our open child: its limit times the side, its shares, for how long it has rested, and the book it was sent on.

    Without an open child the shares are 0 and the limit is that of the latest one, 0 if there was none. `near` and
    `far`, times the side, are the best prices that were seen without it; both are 0 where that is not known.
    """

    limit: int
    shares: int
    seconds: int
    near: int = 0
    far: int = 0


class Urge(NamedTuple):
    """What presses an order: the collar times the side, whether patience is spent, and the moves up that are left."""

    collar: int
    patience_spent: bool
    moves_left: int


class Rules(NamedTuple):
    """A policy's numbers: seconds, and shares in permille. `may_take` is off where the settings forbid to cross.

    `slack_share` is the part of the usual spread, and at least a tick, by which the others that are seen may fall
    behind the child before it retreats; 0 where they are the market's.
    """

    follow_after: int
    take_from: int
    back_to: int
    tight_share: int
    hidden_share: int
    may_take: bool
    slack_share: int = 0


class Answer(NamedTuple):
    """What to do, at which price times the side, and why."""

    verb: Verb
    price: int
    why: Why


def look(book: Book, own: Standing, usual: int, urge: Urge, rules: Rules) -> Answer:
    """The answer to one look at a two-sided book, `usual` being the symbol's usual spread in ticks."""
    taking = _taking(book, own, usual, urge, rules)
    if taking.verb == Verb.TAKE:
        # A far side at our own limit is one that our fills have met and that we have not read yet.
        is_there = own.shares > 0 and own.limit == book.far
        return Answer(Verb.KEEP, own.limit, Why.STANDING) if is_there else taking
    resting = _resting(book, own, usual, urge, rules)
    price, why = (urge.collar, Why.COLLAR) if resting.price > urge.collar else (resting.price, resting.why)
    if own.shares == 0:
        return Answer(Verb.REST, price, why)
    if price == own.limit:
        return Answer(Verb.KEEP, own.limit, Why.STANDING)
    if price < own.limit:
        is_near = why != Why.HIDDEN and own.limit - price <= _slack(usual, rules) * book.tick
        return Answer(Verb.KEEP, own.limit, Why.STANDING) if is_near else Answer(Verb.REST, price, why)
    if own.seconds < rules.follow_after or urge.moves_left <= 0:
        return Answer(Verb.KEEP, own.limit, Why.STANDING)
    return Answer(Verb.REST, price, why)


def usual_spread(spreads: Collection[int]) -> int:
    """The median of some spreads in ticks, the lower one of two; 0 for none."""
    for candidate in spreads:
        below, equal = 0, 0
        for spread in spreads:
            below += spread < candidate
            equal += spread == candidate
        if 2 * below < len(spreads) <= 2 * (below + equal):
            return candidate
    return 0


def is_alone(book: Book, own: Standing) -> bool:
    """Whether only our own order is at the best price, so that the book hides the price of the others."""
    return own.shares > 0 and own.limit == book.near and book.near_size <= own.shares


def imbalance(book: Book, own: Standing) -> int:
    """The others' share of the near side in all that is displayed at the touch, permille; 500 where it is not known."""
    near = book.near_size - own.shares if own.limit == book.near else book.near_size
    total = near + book.far_size
    return 500 if is_alone(book, own) or total <= 0 else 1_000 * near // total


def _taking(book: Book, own: Standing, usual: int, urge: Urge, rules: Rules) -> Answer:
    """A take of the far side, or KEEP where no rule asks for one."""
    no = Answer(Verb.KEEP, own.limit, Why.STANDING)
    if not rules.may_take or book.far > urge.collar:
        return no
    if urge.patience_spent:
        return Answer(Verb.TAKE, book.far, Why.PATIENCE)
    if is_alone(book, own):
        return no
    ticks = spread_in_ticks(book)
    if usual == ONE_TICK and ticks <= 1 and imbalance(book, own) >= rules.take_from:
        return Answer(Verb.TAKE, book.far, Why.IMBALANCE)
    if usual >= NARROWEST_TO_BE_TIGHT and 1_000 * ticks <= rules.tight_share * usual:
        return Answer(Verb.TAKE, book.far, Why.TIGHT)
    if own.limit != 0 and urge.moves_left <= 0 and book.near > own.limit:
        return Answer(Verb.TAKE, book.far, Why.MOVES)
    return no


def _resting(book: Book, own: Standing, usual: int, urge: Urge, rules: Rules) -> Answer:
    """Where the order should rest by this book, whatever its present limit is."""
    if is_alone(book, own):
        return Answer(Verb.REST, min(own.limit, _above_hidden(book, own, usual, rules)), Why.HIDDEN)
    if spread_in_ticks(book) > 1:
        return Answer(Verb.REST, book.near + book.tick, Why.IMPROVE)
    if usual == ONE_TICK and imbalance(book, own) <= rules.back_to and not urge.patience_spent:
        return Answer(Verb.REST, book.near - book.tick, Why.STEP_BACK)
    return Answer(Verb.REST, book.near, Why.JOIN)


def _slack(usual: int, rules: Rules) -> int:
    """Ticks by which the others may fall behind a child before it retreats."""
    return max(1, rules.slack_share * usual // 1_000) if rules.slack_share else 0


def _above_hidden(book: Book, own: Standing, usual: int, rules: Rules) -> int:
    """A tick above the others' best price, which our own quote hides.

    What was seen of it when the child was sent falls with the far side, once that has come nearer by more than a part
    of the usual spread, or by more than a tick. It holds alone for a while; then the others are also taken to be at
    least most of the usual spread away from the far side.
    """
    behind = max(1, (rules.hidden_share * usual + 500) // 1_000)
    slack = max(1, (1_000 - rules.hidden_share) * usual // 1_000)
    guess = book.far - max(1, behind - 1) * book.tick
    if own.far == 0:
        return guess
    seen = own.near + min(0, book.far - own.far + slack * book.tick) + book.tick
    return seen if own.seconds < SEEN_FOR else min(guess, seen)


def spread_in_ticks(book: Book) -> int:
    """Whole ticks between the two sides."""
    return (book.far - book.near) // book.tick
