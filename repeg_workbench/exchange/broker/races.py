"""Races that an order can be made to lose: each is something the real broker has done."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from repeg_workbench.exchange.broker.orders import Order
from repeg_workbench.exchange.time.stamps import SECOND
from repeg_workbench.exchange.triggers import Armed, When
from repeg_workbench.exchange.units import QTY_SCALE


class Race(StrEnum):
    """What goes wrong between acceptance and the end of an order."""

    REJECTED_LATER = "rejected_later"
    """Accepted, then rejected when it reaches the venue [46]."""
    CANCEL_LOSES = "cancel_loses"
    """The order fills while its cancel is pending [90]."""
    CANCEL_STUCK = "cancel_stuck"
    """The cancel stays pending for `seconds` [93]."""
    REPLACE_STUCK = "replace_stuck"
    """The replace stays pending for `seconds`."""
    REPLACE_LOSES = "replace_loses"
    """The old order fills while its replace is pending [76]."""
    REPLACE_LOSES_PART = "replace_loses_part"
    """The old order fills in part while its replace is pending [77]."""
    REPLACE_FORGOTTEN = "replace_forgotten"
    """The replacement is rejected without a word and the old order works on [78]."""
    REPLACE_SHOWS_PARENT = "replace_shows_parent"
    """The old order fills, and its rejected replacement shows the fill as its own [80]."""
    LATE_IN_LISTS = "late_in_lists"
    """The order is missing from lists for `seconds` [51]."""
    LATE_BY_CLIENT_ID = "late_by_client_id"
    """The order is not found by its client_order_id for `seconds` [112]."""
    ONE_SHARE_FILLS = "one_share_fills"
    """A fill comes in executions of one share each [57, 116]."""


REPLACE_RACES: Final = frozenset(
    {Race.REPLACE_LOSES, Race.REPLACE_LOSES_PART, Race.REPLACE_FORGOTTEN, Race.REPLACE_SHOWS_PARENT}
)


@dataclass(frozen=True, kw_only=True)
class Entry:
    """One race for orders of a symbol (None: any); seconds where it is about how long."""

    race: Race
    symbol: str | None = None
    seconds: float = 0


class Races:
    """The races that are on; the desk asks at the moments where one can be run."""

    def __init__(self, seed: int = 0) -> None:
        self.armed = Armed[Entry](seed)

    def arm(self, race: Race, *, symbol: str | None = None, seconds: float = 0, when: When | None = None) -> None:
        """Have the next order that comes to that point lose the race."""
        self.armed.arm(Entry(race=race, symbol=symbol, seconds=seconds), when or When())

    def is_lost(self, race: Race, order: Order) -> bool:
        """Whether the order loses this race now."""
        return self._take(frozenset({race}), order) is not None

    def replace(self, order: Order) -> Race | None:
        """The race that the replace of this order loses now."""
        entry = self._take(REPLACE_RACES, order)
        return entry.race if entry else None

    def delay(self, race: Race, order: Order) -> int | None:
        """For how long (ns) the order is stuck; None where it is not."""
        entry = self._take(frozenset({race}), order)
        return round(entry.seconds * SECOND) if entry else None

    def pieces(self, order: Order, quantity: int) -> list[int]:
        """The executions in which a fill of so many quantity units arrives."""
        if quantity <= QTY_SCALE or not self.is_lost(Race.ONE_SHARE_FILLS, order):
            return [quantity]
        whole, rest = divmod(quantity, QTY_SCALE)
        return [QTY_SCALE] * whole + [rest] * bool(rest)

    def _take(self, races: frozenset[Race], order: Order) -> Entry | None:
        if not self.armed:
            return None
        return self.armed.take(lambda e: e.race in races and e.symbol in {None, order.terms.symbol})
