"""The pieces in which the policy of looks works a large order, and how long it is patient with them."""

from __future__ import annotations

from datetime import datetime, timedelta
from decimal import ROUND_CEILING, Decimal

from repeg.domain.attempts import attempts_left, is_next_whole
from repeg.domain.child_order import Rung
from repeg.domain.decision import Decision
from repeg.domain.dust import is_dust
from repeg.domain.fallback import has_mid
from repeg.domain.moment import LAST_TURNS, Moment
from repeg.domain.outcome import HoldReason
from repeg.domain.parent_order import ParentOrder
from repeg.domain.quote import Quote, Side
from repeg.domain.round_lot import round_lot
from repeg.domain.settings import Settings
from repeg.domain.settings_limits import KEPT_ATTEMPTS, WIDEST_SPREAD_PCT

# A child is at least this part of its parent, so that a large order needs a bounded number of them.
LEAST_PART = 20
LONGEST_PATIENCE = 1_800


def piece(
    order: ParentOrder, quote: Quote, decision: Decision, most: Decimal, moment: Moment, settings: Settings
) -> Decimal:
    """Shares of the next child, at most `most`: what our side displays, or the far side where it takes.

    At least a round lot and a twentieth of the target. A fraction is never left for an order of its own, and nothing
    is cut while the window has too few turns left for the pieces, or the order too few attempts.
    """
    if not settings.looks or decision.rung not in {Rung.PASSIVE, Rung.TAKE} or _is_short(moment):
        return most
    if is_next_whole(attempts_left(order, settings)):
        return most
    displayed = quote.near_size(order.side) if decision.rung is Rung.PASSIVE else far_size(quote, order.side)
    part = _part(order, quote, displayed)
    return most if most - part < 1 else part


def least_funded(order: ParentOrder, quote: Quote | None, now: datetime, settings: Settings) -> Decimal | None:
    """The fewest shares worth placing of a buy while the cash for the rest is still to come: half of what it needs, or
    its next piece. None without a book that has a mid, which nothing is placed on, and under the original rule, whose
    single child would keep the later cash from being used.
    """
    if quote is None or not (settings.looks or settings.trades_at_market):
        return None
    if not has_mid(quote, now, WIDEST_SPREAD_PCT):
        return None
    half = (order.remaining / 2).to_integral_value(ROUND_CEILING)
    least = min(half, _part(order, quote, quote.near_size(order.side)))
    return None if is_dust(least, quote.near(order.side)) else least


def makes_way(order: ParentOrder, moment: Moment, settings: Settings) -> bool:
    """Whether an open piece is cancelled for the whole rest: the window, or the attempts, are too short for pieces.

    One attempt is left over for the close. Where a budget had no room for the rest, the piece stays at the next look.
    """
    child, left = order.open_child, attempts_left(order, settings)
    if child is None or not child.is_piece or child.remaining >= order.remaining or not settings.looks:
        return False
    if order.held is HoldReason.BUDGET:
        return False
    is_last = _is_short(moment) and (left > 1 or moment.close_is_near)
    return is_last or KEPT_ATTEMPTS <= left <= KEPT_ATTEMPTS + 1


def patience_of(order: ParentOrder, settings: Settings) -> timedelta:
    """How long an order is worked before what is left is taken: longer for an order of several slices."""
    seconds = settings.horizon_seconds
    arrival = order.arrival
    if arrival is None:
        return timedelta(seconds=seconds)
    day = arrival.at.date() if arrival.at is not None else None
    lot = round_lot(arrival.near(order.side), day) if day is not None else Decimal(100)
    part = max(arrival.near_size(order.side), lot, order.target / LEAST_PART)
    slices = int((order.target / part).to_integral_value(ROUND_CEILING))
    return timedelta(seconds=max(seconds, min(seconds * slices, LONGEST_PATIENCE)))


def is_patience_spent(placed: datetime, patience: timedelta, moment: Moment, settings: Settings) -> bool:
    """Whether this look, or this turn under the original rule, is the nearest to the end of an order's patience.

    An order is placed a moment after its turn began, so its age at a later turn is a moment short of whole periods. An
    event may cause a look at any time: half of a patience shorter than a period has passed all the same.
    """
    period = min(moment.turn_seconds, settings.look_seconds) if settings.looks else moment.turn_seconds
    return moment.now + min(timedelta(seconds=period), patience) / 2 - placed >= patience


def far_size(quote: Quote, side: Side) -> Decimal:
    """Shares displayed at the best price on the other side."""
    return quote.ask_size if side is Side.BUY else quote.bid_size


def _part(order: ParentOrder, quote: Quote, displayed: Decimal) -> Decimal:
    """Whole shares of a piece beside so many displayed ones: at least a round lot and a twentieth of the target."""
    day = quote.at.date() if quote.at is not None else None
    lot = round_lot(quote.near(order.side), day) if day is not None else Decimal(100)
    return max(displayed, lot, order.target / LEAST_PART).to_integral_value(ROUND_CEILING)


def _is_short(moment: Moment) -> bool:
    return moment.closes - moment.now <= timedelta(seconds=(LEAST_PART + LAST_TURNS) * moment.turn_seconds)
