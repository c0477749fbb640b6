"""An order at the broker: its terms, its state and the permitted status transitions."""

from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final

from repeg_workbench.exchange.units import QTY_SCALE

BUY: Final = 1
SELL: Final = -1


class Status(StrEnum):
    """An order's status, as on the wire."""

    ACCEPTED = "accepted"
    PENDING_NEW = "pending_new"
    NEW = "new"
    HELD = "held"
    PARTIALLY_FILLED = "partially_filled"
    PENDING_CANCEL = "pending_cancel"
    PENDING_REPLACE = "pending_replace"
    FILLED = "filled"
    CANCELED = "canceled"
    EXPIRED = "expired"
    REJECTED = "rejected"
    REPLACED = "replaced"
    DONE_FOR_DAY = "done_for_day"
    SUSPENDED = "suspended"
    STOPPED = "stopped"
    CALCULATED = "calculated"
    PENDING_REVIEW = "pending_review"
    ACCEPTED_FOR_BIDDING = "accepted_for_bidding"


_S = Status
TERMINAL: Final = frozenset({_S.FILLED, _S.CANCELED, _S.EXPIRED, _S.REJECTED, _S.REPLACED})
_ENDS: Final = frozenset({_S.CANCELED, _S.EXPIRED, _S.REJECTED})
ASIDE: Final = frozenset(
    {
        _S.DONE_FOR_DAY,
        _S.SUSPENDED,
        _S.STOPPED,
        _S.CALCULATED,
        _S.PENDING_REVIEW,
        _S.ACCEPTED_FOR_BIDDING,
        _S.HELD,
    }
)
"""Statuses that only the control plane gives to an order without legs: open, but not in the market."""

# A pending cancel or replace does not stop fills, and a failed replace returns the old order to its resting status.
TRANSITIONS: Final[dict[Status, frozenset[Status]]] = {
    _S.ACCEPTED: _ENDS | {_S.PENDING_NEW, _S.NEW, _S.PENDING_CANCEL},
    _S.PENDING_NEW: _ENDS | {_S.NEW, _S.PENDING_CANCEL},
    _S.HELD: _ENDS | {_S.NEW, _S.PENDING_NEW, _S.PENDING_CANCEL},
    _S.NEW: _ENDS | {_S.PARTIALLY_FILLED, _S.FILLED, _S.PENDING_CANCEL, _S.PENDING_REPLACE, _S.REPLACED},
    _S.PARTIALLY_FILLED: _ENDS | {_S.PARTIALLY_FILLED, _S.FILLED, _S.PENDING_CANCEL, _S.PENDING_REPLACE, _S.REPLACED},
    _S.PENDING_CANCEL: _ENDS | {_S.FILLED},
    _S.PENDING_REPLACE: _ENDS | {_S.NEW, _S.PARTIALLY_FILLED, _S.FILLED, _S.REPLACED},
    **dict.fromkeys(TERMINAL, frozenset()),
}
for _status in (_S.ACCEPTED, _S.PENDING_NEW, _S.NEW, _S.PARTIALLY_FILLED):
    TRANSITIONS[_status] |= ASIDE
for _status in ASIDE:
    TRANSITIONS[_status] = TRANSITIONS.get(_status, _ENDS) | ASIDE | {_S.NEW, _S.PARTIALLY_FILLED, _S.PENDING_CANCEL}


@dataclass(frozen=True, slots=True, kw_only=True)
class Terms:
    """The client's order, validated; prices in price units, quantity in quantity units.

    Exactly one of quantity and notional (money units) is set. A trail is in price units, or in 1/10,000 of a percent.
    """

    symbol: str
    side: int
    type: str
    time_in_force: str
    quantity: int | None
    notional: int | None = None
    limit: int | None = None
    stop: int | None = None
    trail_price: int | None = None
    trail_percent: int | None = None
    extended_hours: bool = False
    client_order_id: str | None = None
    order_class: str = ""
    take_profit: int | None = None
    stop_loss: int | None = None
    stop_loss_limit: int | None = None
    position_intent: str | None = None

    @property
    def is_fractional(self) -> bool:
        """Whether the order is notional or for a fraction of a share."""
        return self.quantity is None or self.quantity % QTY_SCALE != 0

    @property
    def is_advanced(self) -> bool:
        """Whether the order is part of a bracket, one-cancels-other or one-triggers-other."""
        return self.order_class not in {"", "simple"}

    @property
    def is_trailing(self) -> bool:
        """Whether the order is a stop whose price follows the market."""
        return self.type == "trailing_stop"

    @property
    def has_limit(self) -> bool:
        """Whether the order is a limit order or a stop that becomes one."""
        return self.type in {"limit", "stop_limit"}


@dataclass(slots=True, eq=False)
class Order:
    """One order: immutable terms, and a state that only `Records`, `Floor` and `Desk` change."""

    id: str
    client_order_id: str
    terms: Terms
    quantity: int | None
    """Quantity units to execute: as ordered, or the size of a notional order. In a replace chain: the chain's total."""
    status: Status
    created_at: int
    submitted_at: int
    expires_at: int
    is_closing: bool = False
    """Whether it reduces a position and so holds shares; otherwise it holds buying power."""
    updated_at: int = 0
    executed: int = 0
    """Quantity units that this order executed itself."""
    executed_value: int = 0
    """Money units of those executions."""
    inherited: int = 0
    """Quantity units that its predecessors in the chain executed, once the replacement has settled."""
    inherited_value: int = 0
    filled_at: int | None = None
    canceled_at: int | None = None
    expired_at: int | None = None
    failed_at: int | None = None
    replaced_at: int | None = None
    replaces: "Order | None" = None
    replaced_by: "Order | None" = None
    shows_inheritance: bool = False
    """Whether filled_qty on the wire includes the predecessors' fills."""
    is_working: bool = False
    """Whether the venue has acknowledged it and it has not ended."""
    in_book: bool = False
    is_aside: bool = False
    """Whether the control plane has taken it out of the market."""
    is_forgotten: bool = False
    """Whether the API no longer knows it."""
    is_triggered: bool = False
    """Whether a stop has become a market or limit order."""
    settled_at: int = 0
    """When the chain is fully replaced; another replace before that is refused."""
    listed_at: int = 0
    """When lists start to show it."""
    findable_at: int = 0
    """When it can first be found by its client_order_id."""
    high_water: int | None = None
    """The best price (price units) since a trailing stop was first watched."""
    watched_at: int = 0
    """When high_water was last updated."""
    held_cash: int = 0
    held_shares: int = 0
    reserve_price: int = 0
    """Price units at which buying power is held for the remainder of a buy or short."""
    parent: "Order | None" = None
    legs: list["Order"] = field(default_factory=list)

    @property
    def is_open(self) -> bool:
        """Whether it may still execute."""
        return self.status not in TERMINAL

    @property
    def total_executed(self) -> int:
        """Quantity units executed by the chain up to and including this order."""
        return self.inherited + self.executed

    @property
    def remaining(self) -> int:
        """Quantity units still to execute."""
        return (self.quantity or 0) - self.total_executed

    @property
    def shown_filled(self) -> int:
        """filled_qty as the wire shows it."""
        return self.executed + self.inherited if self.shows_inheritance else self.executed

    @property
    def shown_value(self) -> int:
        """Money units behind filled_avg_price as the wire shows it."""
        return self.executed_value + self.inherited_value if self.shows_inheritance else self.executed_value

    @property
    def resting_status(self) -> Status:
        """The status without a pending cancel or replace."""
        return Status.PARTIALLY_FILLED if self.executed else Status.NEW

    def move(self, status: Status, at: int) -> None:
        """Change the status. Raises ValueError if the broker has no such transition."""
        if status not in TRANSITIONS[self.status]:
            raise ValueError(f"order {self.id} cannot go from {self.status} to {status}")
        self.status = status
        self.updated_at = at

    def stamp_end(self, status: Status, at: int) -> None:
        """Set the timestamp that belongs to the final status."""
        if status is Status.CANCELED:
            self.canceled_at = at
        elif status is Status.EXPIRED:
            self.expired_at = at
        elif status is Status.REJECTED:
            self.failed_at = at

    def adopt_family(self, old: "Order") -> None:
        """Take the replaced order's place in its family, as parent or as leg."""
        self.legs, self.parent = old.legs, old.parent
        for leg in self.legs:
            leg.parent = self
        if self.parent is not None:
            self.parent.legs = [self if leg is old else leg for leg in self.parent.legs]

    def inherit(self, old: "Order") -> None:
        """Take over the chain's executions so far."""
        self.inherited = old.total_executed
        self.inherited_value = old.inherited_value + old.executed_value


def quantity_for(notional: int, price: int) -> int:
    """The most quantity units (nine decimals of a share) that the money units buy at that price."""
    return notional // price
