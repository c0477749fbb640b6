"""The fill models: when a quote or a print fills a resting order."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Final, Protocol

import numpy as np

from repeg_workbench.exchange.market.symbol_day import Int64s
from repeg_workbench.exchange.matching.tape import ABSENT, HITS_US, Outlook, Tape, shares
from repeg_workbench.exchange.units import QTY_SCALE


@dataclass(slots=True)
class Resting:
    """An order in the book with its place in the queue.

    level is the limit times the side, or ABSENT for a market order that found no far side. ahead is the displayed
    quantity before us in QTY units, or ABSENT while the order is behind the best price and the queue is unknown.
    """

    id: str
    level: int
    remaining: int
    displayed: bool
    seen: int
    ahead: int = ABSENT
    venue: int = 0

    @property
    def is_market(self) -> bool:
        """Whether the order accepts any price."""
        return self.level == ABSENT

    @property
    def is_shown(self) -> bool:
        """Whether the feed shows it: a displayed limit order with at least one whole share remaining."""
        return self.displayed and self.remaining >= QTY_SCALE and not self.is_market


class FillRule(Protocol):
    """One model of how resting orders fill.

    If sizes_count is False, displayed sizes are ignored and every fill is at the quote.
    """

    sizes_count: bool

    def far_reach(self, outlook: Outlook) -> Int64s:
        """Per quote row, the lowest limit times the side that it could fill; lets the book skip other rows."""

    def print_reach(self, outlook: Outlook) -> Int64s:
        """Per lit print, the lowest limit times the side that it could affect."""

    def join(self, order: Resting, outlook: Outlook, row: int) -> None:
        """Join the queue under the quote row in force, -1 for none."""

    def is_met_by_quote(self, order: Resting, near: int, far: int) -> bool:
        """Whether a displayed far side would trade with the order."""

    def volume_for(self, order: Resting, outlook: Outlook, tape: Tape, index: int, left: int) -> int:
        """How much of a print's remaining volume reaches the order, regardless of the order's own size."""


class TradeThrough:
    """Fills only by trades strictly through the limit: never optimistic, and misses every fill at the touch."""

    sizes_count = True

    def far_reach(self, outlook: Outlook) -> Int64s:
        """One unit through the far side."""
        return outlook.far + 1

    def print_reach(self, outlook: Outlook) -> Int64s:
        """One unit through the print."""
        return outlook.print_price + 1

    def join(self, order: Resting, outlook: Outlook, row: int) -> None:
        """No effect: this model has no queue."""

    def is_met_by_quote(self, order: Resting, near: int, far: int) -> bool:  # noqa: ARG002  the far side alone decides
        """Only a far side strictly through the limit."""
        return far < order.level

    def volume_for(self, order: Resting, outlook: Outlook, tape: Tape, index: int, left: int) -> int:  # noqa: ARG002
        """All of a print strictly through the limit."""
        return left if outlook.print_price.item(index) < order.level else 0


class Touch:
    """Fills by any trade at the limit, as if we were always first in the queue: the optimistic bound."""

    sizes_count = True

    def far_reach(self, outlook: Outlook) -> Int64s:
        """The far side."""
        return outlook.far

    def print_reach(self, outlook: Outlook) -> Int64s:
        """The print."""
        return outlook.print_price

    def join(self, order: Resting, outlook: Outlook, row: int) -> None:
        """No effect: this model has no queue."""

    def is_met_by_quote(self, order: Resting, near: int, far: int) -> bool:  # noqa: ARG002  the far side alone decides
        """A far side at the limit or through it, locked or not."""
        return far <= order.level

    def volume_for(self, order: Resting, outlook: Outlook, tape: Tape, index: int, left: int) -> int:  # noqa: ARG002
        """All of a print at the limit or through it, whatever its aggressor and venue."""
        return left if outlook.print_price.item(index) <= order.level else 0


class Paper(Touch):
    """The broker's paper engine: fills at the quote once marketable, in any size, and never by a print."""

    sizes_count = False

    def print_reach(self, outlook: Outlook) -> Int64s:
        """Beyond every limit: prints have no effect."""
        return np.full(len(outlook.print_price), ABSENT)

    def volume_for(self, order: Resting, outlook: Outlook, tape: Tape, index: int, left: int) -> int:  # noqa: ARG002
        """None: prints have no effect."""
        return 0


class SameVenueQueue:
    """The conservative model: at the limit, only prints on the joined venue, after the queue ahead of us.

    If the quote or the print has no venue, they count as the same venue. With order protection, an order that is alone
    at the best price takes a print at its limit on any lit venue: the other venues must route to it.
    """

    sizes_count = True

    def __init__(self, *, order_protection: bool) -> None:
        self._order_protection = order_protection

    def far_reach(self, outlook: Outlook) -> Int64s:
        """At the far side in an unlocked market, through it in a locked one."""
        return outlook.far_unlocked

    def print_reach(self, outlook: Outlook) -> Int64s:
        """At the print if it took from our side, through it if not."""
        return outlook.sold_to_us

    def join(self, order: Resting, outlook: Outlook, row: int) -> None:
        """Behind the displayed size at the best price, first at a better one, unknown at a worse one."""
        order.seen = row
        near = outlook.near.item(row) if row >= 0 else -ABSENT
        if near > order.level:
            return
        order.ahead = shares(outlook.near_size.item(row)) if near == order.level else 0
        order.venue = outlook.near_venue.item(row) if row >= 0 else 0

    def is_met_by_quote(self, order: Resting, near: int, far: int) -> bool:
        """A far side through the limit, or at the limit if the market is not locked there."""
        return far < order.level or (far == order.level and near < order.level)

    def volume_for(self, order: Resting, outlook: Outlook, tape: Tape, index: int, left: int) -> int:
        """All of a print through the limit; of one at the limit, the volume beyond the queue ahead of us."""
        printed = outlook.print_price.item(index)
        if printed < order.level:
            return left
        row = tape.row_before.item(index)
        self._watch_queue(order, outlook, row)
        is_alone = self._order_protection and (row < 0 or outlook.near.item(row) < order.level)
        is_routed = is_alone or _same_venue(order.venue, tape.prints.venue.item(index))
        if outlook.aggressor.item(index) != HITS_US or not is_routed:
            return 0
        served = min(order.ahead, left)
        if order.ahead < ABSENT:
            order.ahead -= served
        return left - served

    def _watch_queue(self, order: Resting, outlook: Outlook, row: int) -> None:
        # The best quote is the largest at its price, so no venue, ours included, displays more than its size.
        begin, order.seen = order.seen + 1, row
        if begin > row or (order.ahead == 0 and order.venue):
            return
        near = outlook.near[begin : row + 1]
        if not order.venue:
            order.venue = _first_known(outlook.near_venue[begin : row + 1][near <= order.level])
        if (near < order.level).any():
            order.ahead = 0
            return
        sizes = outlook.near_size[begin : row + 1][near == order.level]
        if len(sizes):
            order.ahead = min(order.ahead, shares(int(sizes.min())))


TRADE_THROUGH: Final[FillRule] = TradeThrough()
TOUCH: Final[FillRule] = Touch()
PAPER: Final[FillRule] = Paper()
PROTECTED_QUEUE: Final[FillRule] = SameVenueQueue(order_protection=True)
SAME_VENUE_QUEUE: Final[FillRule] = SameVenueQueue(order_protection=False)


class FillModel(StrEnum):
    """How our resting orders fill. A tape cannot decide which is right, so there are several."""

    TRADE_THROUGH = "trade_through"
    QUEUE = "queue"
    TOUCH = "touch"
    PAPER = "paper"


_RULES: Final[dict[FillModel, FillRule]] = {
    FillModel.TRADE_THROUGH: TRADE_THROUGH,
    FillModel.QUEUE: PROTECTED_QUEUE,
    FillModel.TOUCH: TOUCH,
    FillModel.PAPER: PAPER,
}


def rule_of(model: FillModel, *, order_protection: bool) -> FillRule:
    """The model's rule; order protection makes a difference in the queue only."""
    return SAME_VENUE_QUEUE if model is FillModel.QUEUE and not order_protection else _RULES[model]


def _same_venue(ours: int, theirs: int) -> bool:
    return ours in (theirs, 0) or theirs == 0


def _first_known(venues: np.ndarray[tuple[int, ...], np.dtype[np.uint8]]) -> int:
    known = np.flatnonzero(venues)
    return int(venues[known[0]]) if len(known) else 0
