"""The policy of looks: the rules of `look`, applied to an order, its quote and its settings."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal

from repeg.domain import tick
from repeg.domain.attempts import attempts_left, is_kept
from repeg.domain.child_order import Rung
from repeg.domain.decision import Action, Decision, book_in_words, hold
from repeg.domain.look import (
    DECIMALS,
    UNITS_PER_DOLLAR,
    Answer,
    Book,
    Rules,
    Standing,
    Urge,
    Verb,
    Why,
    is_alone,
    look,
    spread_in_ticks,
    usual_spread,
)
from repeg.domain.moment import Moment
from repeg.domain.parent_order import ParentOrder
from repeg.domain.pieces import far_size, is_patience_spent, patience_of
from repeg.domain.pricing import affordable, inside, worse_by
from repeg.domain.quote import Quote, Side
from repeg.domain.setting_types import Escalation
from repeg.domain.settings import Settings

# The usual spread is the median of so many samples, so far apart: about the last five minutes.
SAMPLES = 16
SAMPLE_EVERY = timedelta(seconds=20)

# While our own quote hides the others', the best of theirs is assumed to be this many permille of the usual spread
# away from the far side.
HIDDEN_SHARE = 750

# One venue's near side falls away while the market's stays: an order retreats only by more than this part of the usual
# spread.
SLACK_SHARE = 250

_FINEST = Decimal("0.0001")

_WORDS = {
    Why.IMPROVE: ("improve", "improve by a tick"),
    Why.JOIN: ("join", "join the near side"),
    Why.STEP_BACK: ("step_back", "the far side outweighs ours, a tick back"),
    Why.IMBALANCE: ("imbalance", "our side outweighs the far side, take it"),
    Why.TIGHT: ("tight", "tight against the usual {usual} ticks, take it"),
    Why.PATIENCE: ("patience_spent", "patience spent"),
    Why.MOVES: ("moves_spent", "moves spent"),
    Why.COLLAR: ("collar", "no better than the collar"),
    Why.HIDDEN: ("retreat", "the far side has come near, retreat"),
}


def decide_look(order: ParentOrder, quote: Quote, moment: Moment, settings: Settings) -> Decision:
    """The decision for an order that has arrived, on a quote that passed the check, while the close is not near."""
    child = order.open_child
    if child is not None and (child.is_fallback or child.limit is None):
        return hold(order, "working", f"{child.rung}, {book_in_words(quote)}")
    book, own, usual, urge, rules = _seen(order, quote, moment, settings)
    answer = look(book, own, usual, urge, rules)
    if child is not None and is_kept(answer, attempts_left(order, settings)):
        return hold(order, "attempts", f"{book_in_words(quote)}, few orders are left")
    limit = _limit(order, answer, book, moment.now.date(), settings)
    reason, words = _WORDS.get(answer.why, ("near", ""))
    if answer.verb is Verb.KEEP or (child is not None and limit == child.limit):
        return _stay(order, quote)
    because = f"{book_in_words(quote)}, {words.format(usual=usual)}"
    if answer.verb is Verb.TAKE:
        return Decision(verb=Action.CROSS, reason=reason, because=because, rung=Rung.TAKE, limit=limit)
    if child is None or child.limit is None:
        return Decision(verb=Action.PLACE, reason=reason, because=because, rung=Rung.PASSIVE, limit=limit)
    if answer.why is not Why.STEP_BACK:
        is_up = worse_by(order.side, limit, child.limit) > 0
        reason = "follow" if is_up else "retreat"
        because = f"{book_in_words(quote)}, {reason} the others"
    return Decision(verb=Action.MOVE, reason=reason, because=because, rung=Rung.PASSIVE, limit=limit)


def depends_on_fills(order: ParentOrder, quote: Quote, moment: Moment, settings: Settings) -> bool:
    """Whether the order would be moved on this quote, but otherwise if all but a share of its child had been filled.

    What we display is left out of what the others do, so a fill that was not read yet looks like one of theirs gone.
    """
    child = order.open_child
    if child is None or child.is_fallback or child.limit is None:
        return False
    book, own, usual, urge, rules = _seen(order, quote, moment, settings)
    answer, least = (look(book, each, usual, urge, rules) for each in (own, own._replace(shares=1)))
    return answer.verb is not Verb.KEEP and answer[:2] != least[:2]


def _seen(
    order: ParentOrder, quote: Quote, moment: Moment, settings: Settings
) -> tuple[Book, Standing, int, Urge, Rules]:
    """What the rules of a look are asked with."""
    book, day = book_of(order.side, quote, moment.now.date(), settings), moment.now.date()
    usual, urge = _usual_ticks(order, book, day, settings), _urge(order, quote, moment, settings)
    return book, standing(order, moment), usual, urge, rules_of(settings)


def having_looked(order: ParentOrder, quote: Quote, moment: Moment, settings: Settings) -> ParentOrder:
    """The order with this look's spread among its samples, if one is due and the book shows the others."""
    if not settings.looks or not 0 < quote.bid < quote.ask:
        return order
    if order.spread_at is not None and moment.now - order.spread_at < SAMPLE_EVERY:
        return order
    book = book_of(order.side, quote, moment.now.date(), settings)
    if is_alone(book, standing(order, moment)):
        return order
    samples = (*order.spreads, spread_sample(order, book, moment.now.date(), settings))[-SAMPLES:]
    return order.having_sampled(samples, moment.now)


def _usual_ticks(order: ParentOrder, book: Book, day: date, settings: Settings) -> int:
    """The usual spread in ticks of this book, the present one without samples."""
    if not order.spreads:
        return max(1, spread_in_ticks(book))
    return max(1, usual_spread(order.spreads) * _sampled_in(order, book, day, settings) // book.tick)


def _sampled_in(order: ParentOrder, book: Book, day: date, settings: Settings) -> int:
    """The tick that spreads are sampled in: that of the arrival, since the grid changes where a price crosses a dollar,
    by a factor of a hundred."""
    arrival = order.arrival
    return book.tick if arrival is None else _grid(order.side, arrival.near(order.side), day, settings)


def _grid(side: Side, near: Decimal, day: date, settings: Settings) -> int:
    # Just under a dollar the grid is finer, and a sell that improves goes down.
    step = tick.tick_at(near if side is Side.BUY else near - _FINEST, day, settings.tick_size)
    return int(step * UNITS_PER_DOLLAR)


def spread_sample(order: ParentOrder, book: Book, day: date, settings: Settings) -> int:
    """The spread of a book as a sample of the order's usual one, at least a tick."""
    return max(1, (book.far - book.near) // _sampled_in(order, book, day, settings))


def book_of(side: Side, quote: Quote, day: date, settings: Settings) -> Book:
    """The book from our side, in whole numbers."""
    near, far = quote.near(side), quote.far(side)
    return Book(
        near=_units(side, near),
        near_size=int(quote.near_size(side)),
        far=_units(side, far),
        far_size=int(far_size(quote, side)),
        tick=_grid(side, near, day, settings),
    )


def standing(order: ParentOrder, moment: Moment) -> Standing:
    """The order's open child, in whole numbers. A fraction of a share is one share: the child is there.

    The limit of a child that was cancelled for its successor still says whether others have improved.
    """
    child = order.open_child
    if child is None or child.limit is None:
        last = order.child
        return Standing(0 if last is None or last.limit is None else _units(order.side, last.limit), 0, 0)
    limit, shares = _units(order.side, child.limit), max(1, int(child.remaining))
    seconds = int((moment.now - child.decided_at).total_seconds())
    if not order.sent_near or not order.sent_far:  # a release before this one stored neither
        return Standing(limit, shares, seconds)
    return Standing(limit, shares, seconds, _units(order.side, order.sent_near), _units(order.side, order.sent_far))


def rules_of(settings: Settings) -> Rules:
    """The settings' numbers, in permille."""
    taken_from = int(settings.imbalance_cross * 1_000)
    return Rules(
        follow_after=settings.follow_after_seconds,
        take_from=taken_from if taken_from < 1_000 and not settings.sees_one_venue else 1_001,
        back_to=-1 if settings.sees_one_venue else 1_000 - taken_from,
        tight_share=int(settings.tight_share * 1_000),
        hidden_share=HIDDEN_SHARE,
        may_take=settings.escalation in {Escalation.CROSS, Escalation.MARKET},
        slack_share=SLACK_SHARE if settings.sees_one_venue else 0,
    )


def _urge(order: ParentOrder, quote: Quote, moment: Moment, settings: Settings) -> Urge:
    collar = inside(order, quote.near(order.side)) if order.collar is None else order.collar
    placed = order.first_placed_at
    is_spent = placed is not None and is_patience_spent(placed, patience_of(order, settings), moment, settings)
    return Urge(
        collar=_units(order.side, collar),
        patience_spent=is_spent,
        moves_left=settings.max_repegs - order.moves,
    )


def _limit(order: ParentOrder, answer: Answer, book: Book, day: date, settings: Settings) -> Decimal:
    """The answer's price in dollars: on the grid, inside the collar and what the order may cost."""
    is_better = answer.verb is not Verb.TAKE and answer.price > book.near
    # A sell that improves by a cent from half a cent above a dollar would land on the finer grid, below the dollar.
    units = answer.price // book.tick * book.tick if is_better else answer.price
    # Behind a book of cents a part of the usual spread may be more than the price.
    price = max(_FINEST, Decimal(units * order.side.sign).scaleb(-DECIMALS))
    is_up = (order.side is Side.BUY) == (answer.verb is Verb.TAKE)
    rounded = (tick.round_up if is_up else tick.round_down)(price, day, settings.tick_size)
    return affordable(order, inside(order, rounded), day, settings)


def _stay(order: ParentOrder, quote: Quote) -> Decision:
    if order.open_child is not None and order.open_child.limit == order.collar:
        return hold(order, "collar", f"{book_in_words(quote)}, at the collar")
    return hold(order, "near", f"{book_in_words(quote)}, we stay")


def _units(side: Side, price: Decimal) -> int:
    return int(price * UNITS_PER_DOLLAR) * side.sign
