"""What a resting order gets under each fill model, from a quote that reaches it and from a print."""

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

    level is the limit times the side, ABSENT for a market order that found nothing to trade with. ahead counts what
    others display before us in QTY units, ABSENT while the order is behind the best price and nobody can know.
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
        """Whether the order takes any price."""
        return self.level == ABSENT

    @property
    def is_shown(self) -> bool:
        """Whether the feed shows it: a displayed limit order with at least a whole share to go."""
        return self.displayed and self.remaining >= QTY_SCALE and not self.is_market


class FillRule(Protocol):
    """One belief about how resting orders fill.

    sizes_count is False where the displayed size is ignored and every fill is at the quote.
    """

    sizes_count: bool

    def far_reach(self, outlook: Outlook) -> Int64s:
        """Per quote row the lowest limit, times the side, that it could fill: what the book may skip ahead by."""

    def print_reach(self, outlook: Outlook) -> Int64s:
        """Per lit print the lowest limit, times the side, whose order it could concern."""

    def join(self, order: Resting, outlook: Outlook, row: int) -> None:
        """Takes a place in the queue by the quote row in force, -1 for none."""

    def is_met_by_quote(self, order: Resting, near: int, far: int) -> bool:
        """Whether a displayed far side would have traded with the order."""

    def volume_for(self, order: Resting, outlook: Outlook, tape: Tape, index: int, left: int) -> int:
        """How much of what is left of a print reaches the order, its own remaining quantity aside."""


class TradeThrough:
    """Only what goes strictly through the limit fills: never too kind, and blind to every fill at the touch."""

    sizes_count = True

    def far_reach(self, outlook: Outlook) -> Int64s:
        """One unit through the far side."""
        return outlook.far + 1

    def print_reach(self, outlook: Outlook) -> Int64s:
        """One unit through the print."""
        return outlook.print_price + 1

    def join(self, order: Resting, outlook: Outlook, row: int) -> None:
        """Needs no place in the queue."""

    def is_met_by_quote(self, order: Resting, near: int, far: int) -> bool:  # noqa: ARG002  the far side alone decides
        """Only a far side strictly through the limit."""
        return far < order.level

    def volume_for(self, order: Resting, outlook: Outlook, tape: Tape, index: int, left: int) -> int:  # noqa: ARG002
        """All of a print strictly through the limit."""
        return left if outlook.print_price.item(index) < order.level else 0


class Touch:
    """Whatever touches the limit fills, as if we were always first in line: the optimistic end of the bracket."""

    sizes_count = True

    def far_reach(self, outlook: Outlook) -> Int64s:
        """The far side."""
        return outlook.far

    def print_reach(self, outlook: Outlook) -> Int64s:
        """The print."""
        return outlook.print_price

    def join(self, order: Resting, outlook: Outlook, row: int) -> None:
        """Needs no place in the queue."""

    def is_met_by_quote(self, order: Resting, near: int, far: int) -> bool:  # noqa: ARG002  the far side alone decides
        """A far side at the limit or through it, locked or not."""
        return far <= order.level

    def volume_for(self, order: Resting, outlook: Outlook, tape: Tape, index: int, left: int) -> int:  # noqa: ARG002
        """All of a print at the limit or through it, whoever took liquidity and wherever."""
        return left if outlook.print_price.item(index) <= order.level else 0


class Paper(Touch):
    """The broker's paper engine: fills at the quote once that is marketable, in any size, and never by a print."""

    sizes_count = False

    def print_reach(self, outlook: Outlook) -> Int64s:
        """Out of every order's reach."""
        return np.full(len(outlook.print_price), ABSENT)

    def volume_for(self, order: Resting, outlook: Outlook, tape: Tape, index: int, left: int) -> int:  # noqa: ARG002
        """Nothing: this engine looks at no prints."""
        return 0


class SameVenueQueue:
    """The conservative rule: at the limit only the queue's share of prints on the venue whose quote was joined.

    Where either the quote or the print names no venue, they cannot be told apart and count as one.
    """

    sizes_count = True

    def far_reach(self, outlook: Outlook) -> Int64s:
        """The far side where the market is not locked, and through it where it is."""
        return outlook.far_unlocked

    def print_reach(self, outlook: Outlook) -> Int64s:
        """The print where it came to our side, and through it where it did not."""
        return outlook.sold_to_us

    def join(self, order: Resting, outlook: Outlook, row: int) -> None:
        """Behind the displayed size at the best price, first at a better one, nowhere known behind it."""
        order.seen = row
        near = outlook.near.item(row) if row >= 0 else -ABSENT
        if near > order.level:
            return
        order.ahead = shares(outlook.near_size.item(row)) if near == order.level else 0
        order.venue = outlook.near_venue.item(row) if row >= 0 else 0

    def is_met_by_quote(self, order: Resting, near: int, far: int) -> bool:
        """A far side through the limit, or at the limit where the near side is not there too."""
        return far < order.level or (far == order.level and near < order.level)

    def volume_for(self, order: Resting, outlook: Outlook, tape: Tape, index: int, left: int) -> int:
        """A print through the limit fills; one at the limit serves those ahead of us first."""
        printed = outlook.print_price.item(index)
        if printed < order.level:
            return left
        self._watch_queue(order, outlook, tape.row_before.item(index))
        if outlook.aggressor.item(index) != HITS_US or not _same_venue(order.venue, tape.prints.venue.item(index)):
            return 0
        served = min(order.ahead, left)
        if order.ahead < ABSENT:
            order.ahead -= served
        return left - served

    def _watch_queue(self, order: Resting, outlook: Outlook, row: int) -> None:
        # The best quote is ranked by price, then size: whichever venue it names, ours displays no more than that.
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
SAME_VENUE_QUEUE: Final[FillRule] = SameVenueQueue()


class FillModel(StrEnum):
    """How a resting order of ours is believed to fill; no tape can tell, so they are kept side by side."""

    TRADE_THROUGH = "trade_through"
    QUEUE = "queue"
    TOUCH = "touch"
    PAPER = "paper"


RULES: Final[dict[FillModel, FillRule]] = {
    FillModel.TRADE_THROUGH: TRADE_THROUGH,
    FillModel.QUEUE: SAME_VENUE_QUEUE,
    FillModel.TOUCH: TOUCH,
    FillModel.PAPER: PAPER,
}


def _same_venue(ours: int, theirs: int) -> bool:
    return ours in (theirs, 0) or theirs == 0


def _first_known(venues: np.ndarray[tuple[int, ...], np.dtype[np.uint8]]) -> int:
    known = np.flatnonzero(venues)
    return int(venues[known[0]]) if len(known) else 0
