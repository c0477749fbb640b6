"""Races that an order can be made to lose.

Those of the conformance rows 77 and 112 are assumed. The others are documented, or reported by users of the broker.
"""

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from repeg_workbench.exchange.broker.orders import Order
from repeg_workbench.exchange.time.stamps import SECOND
from repeg_workbench.exchange.triggers import Armed, When
from repeg_workbench.exchange.units import QTY_SCALE


class Race(StrEnum):
    """The kinds of race, lost between an order's acceptance and its end."""

    REJECTED_LATER = "rejected_later"
    """The order is accepted, then rejected when it reaches the venue [46]."""
    CANCEL_LOSES = "cancel_loses"
    """The order fills while its cancel is pending [90]."""
    CANCELED_FIRST = "canceled_first"
    """Another hand's cancel ends the order just before the request arrives [87]."""
    CANCEL_STUCK = "cancel_stuck"
    """The cancel stays pending for `seconds` [93]."""
    REPLACE_STUCK = "replace_stuck"
    """The replace stays pending for `seconds`."""
    REPLACE_LOSES = "replace_loses"
    """The old order fills while its replace is pending [76]."""
    REPLACE_LOSES_PART = "replace_loses_part"
    """The old order fills in part while its replace is pending [77]."""
    REPLACE_FORGOTTEN = "replace_forgotten"
    """The replacement is rejected without a reason, and the old order works on [78]."""
    REPLACE_SHOWS_PARENT = "replace_shows_parent"
    """The old order fills, and its rejected replacement reports the fill as its own [80]."""
    LATE_IN_LISTS = "late_in_lists"
    """The order is missing from lists for `seconds` [51]."""
    LATE_BY_CLIENT_ID = "late_by_client_id"
    """The order cannot be found by its client_order_id for `seconds` [112]."""
    ONE_SHARE_FILLS = "one_share_fills"
    """A fill arrives in executions of one share each [57, 116]."""


REPLACE_RACES: Final = frozenset(
    {Race.REPLACE_LOSES, Race.REPLACE_LOSES_PART, Race.REPLACE_FORGOTTEN, Race.REPLACE_SHOWS_PARENT}
)


@dataclass(frozen=True, kw_only=True)
class Entry:
    """One race for orders of a symbol (None: any), with the duration for races that have one."""

    race: Race
    symbol: str | None = None
    seconds: float = 0


class Races:
    """The armed races; desk, floor and replacing query them at every opportunity for one."""

    def __init__(self, seed: int = 0) -> None:
        self.armed = Armed[Entry](seed)

    def arm(self, race: Race, *, symbol: str | None = None, seconds: float = 0, when: When | None = None) -> None:
        """Make the next order that has the opportunity lose the race."""
        self.armed.arm(Entry(race=race, symbol=symbol, seconds=seconds), when or When())

    def is_lost(self, race: Race, order: Order) -> bool:
        """Whether the order loses this race at this opportunity."""
        return self._take(frozenset({race}), order) is not None

    def replace(self, order: Order) -> Race | None:
        """The race that this order's replace loses, if any."""
        entry = self._take(REPLACE_RACES, order)
        return entry.race if entry else None

    def delay(self, race: Race, order: Order) -> int | None:
        """How long (ns) the order is delayed; None if it is not."""
        entry = self._take(frozenset({race}), order)
        return round(entry.seconds * SECOND) if entry else None

    def pieces(self, order: Order, quantity: int) -> list[int]:
        """The executions that make up a fill of this many quantity units."""
        if quantity <= QTY_SCALE or not self.is_lost(Race.ONE_SHARE_FILLS, order):
            return [quantity]
        whole, rest = divmod(quantity, QTY_SCALE)
        return [QTY_SCALE] * whole + [rest] * bool(rest)

    def _take(self, races: frozenset[Race], order: Order) -> Entry | None:
        if not self.armed:
            return None
        return self.armed.take(lambda e: e.race in races and e.symbol in {None, order.terms.symbol})
