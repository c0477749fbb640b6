"""Child orders: one at the broker each, how urgently priced, where it stands, and what may follow what."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from enum import StrEnum

from pydantic import AwareDatetime, BaseModel, ConfigDict

from repeg.domain.order_ids import OWN_PREFIX
from repeg.domain.quote import Side


class Rung(StrEnum):
    """How urgently a child is priced: passive at the near side, at the mid, through the far side, at any price."""

    PASSIVE = "passive"
    MID = "mid"
    CROSS = "cross"
    MARKET = "market"


class ChildState(StrEnum):
    """Where a child order stands, as far as we know.

    `intended` is written before anything is sent; `unknown` means that the broker may or may not have it.
    """

    INTENDED = "intended"
    UNKNOWN = "unknown"
    LIVE = "live"
    CANCELLING = "cancelling"
    FILLED = "filled"
    CANCELED = "canceled"
    EXPIRED = "expired"
    REJECTED = "rejected"
    REPLACED = "replaced"
    REFUSED = "refused"
    NEVER_ARRIVED = "never_arrived"


UNRESOLVED = frozenset({ChildState.INTENDED, ChildState.UNKNOWN})
RESTING = frozenset({ChildState.LIVE, ChildState.CANCELLING})
CLOSED = frozenset(ChildState) - UNRESOLVED - RESTING

_ENDS_AT_BROKER = frozenset(
    {ChildState.FILLED, ChildState.CANCELED, ChildState.EXPIRED, ChildState.REJECTED, ChildState.REPLACED}
)

# What may follow what. A broker's last word may still be corrected by a later fill (a "canceled" that filled), an order
# thought never to have arrived may turn up, and so may a replacement that was refused: the world does all three, so the
# table admits them.
TRANSITIONS: dict[ChildState, frozenset[ChildState]] = {
    ChildState.INTENDED: frozenset({ChildState.UNKNOWN, ChildState.REFUSED, ChildState.NEVER_ARRIVED})
    | RESTING
    | _ENDS_AT_BROKER,
    ChildState.UNKNOWN: frozenset({ChildState.REFUSED, ChildState.NEVER_ARRIVED}) | RESTING | _ENDS_AT_BROKER,
    ChildState.LIVE: frozenset({ChildState.CANCELLING}) | _ENDS_AT_BROKER,
    ChildState.CANCELLING: frozenset({ChildState.LIVE}) | _ENDS_AT_BROKER,
    ChildState.CANCELED: frozenset({ChildState.FILLED}),
    ChildState.EXPIRED: frozenset({ChildState.FILLED}),
    ChildState.REPLACED: frozenset({ChildState.FILLED}),
    ChildState.NEVER_ARRIVED: RESTING | _ENDS_AT_BROKER,
    ChildState.FILLED: frozenset(),
    ChildState.REJECTED: frozenset(),
    ChildState.REFUSED: RESTING | _ENDS_AT_BROKER,
}


class OrderReport(BaseModel):
    """One order as the broker tells it. `status` is the broker's own word; a word we do not know is not an end."""

    model_config = ConfigDict(frozen=True)

    broker_id: str
    client_order_id: str
    symbol: str
    side: Side
    status: str
    qty: Decimal
    filled_qty: Decimal
    average_price: Decimal | None
    limit: Decimal | None
    submitted_at: AwareDatetime | None
    replaced_by: str | None = None
    replaces: str | None = None

    @property
    def state(self) -> ChildState:
        """The child state that this report stands for."""
        return _STATE_OF_STATUS.get(self.status, ChildState.LIVE)

    @property
    def is_closed(self) -> bool:
        """Whether the broker will do nothing more with it."""
        return self.state in CLOSED

    @property
    def is_ours(self) -> bool:
        """Whether this program placed it, by its id."""
        return self.client_order_id.startswith(OWN_PREFIX)


_STATE_OF_STATUS = {
    "filled": ChildState.FILLED,
    "canceled": ChildState.CANCELED,
    "expired": ChildState.EXPIRED,
    "rejected": ChildState.REJECTED,
    "replaced": ChildState.REPLACED,
    "pending_cancel": ChildState.CANCELLING,
}


# A note is for whoever reads the row; an order's row has one for every attempt, and must not grow out of the table.
NOTE_LENGTH = 100


class Child(BaseModel):
    """One order at the broker, attempt `n` of its parent. Quantities in shares; `filled` only grows.

    `replaces` is the attempt whose place it takes: its quantity is then the chain's, `filled` its very own.
    """

    model_config = ConfigDict(frozen=True)

    n: int
    client_order_id: str
    qty: Decimal
    limit: Decimal | None
    rung: Rung
    state: ChildState = ChildState.INTENDED
    decided_at: AwareDatetime
    resent_at: AwareDatetime | None = None
    broker_id: str | None = None
    replaces: int | None = None
    filled: Decimal = Decimal(0)
    average_price: Decimal | None = None
    notional: Decimal = Decimal(0)
    note: str = ""

    @property
    def sent_at(self) -> datetime:
        """When it was last on the point of being sent; from then on it may be on its way."""
        return self.resent_at or self.decided_at

    @property
    def is_closed(self) -> bool:
        """Whether it can fill no more, as read from the broker (or refused by it)."""
        return self.state in CLOSED

    @property
    def remaining(self) -> Decimal:
        """Shares that it may still fill."""
        return Decimal(0) if self.is_closed else self.qty - self.filled

    def becomes(self, state: ChildState, note: str = "") -> Child:
        """This child in another state, if the table allows it; the same state is no change."""
        if state is self.state:
            return self
        if state not in TRANSITIONS[self.state]:
            raise ValueError(f"{self.client_order_id}: {self.state} may not become {state}")
        return self.model_copy(update={"state": state, "note": note[:NOTE_LENGTH] or self.note})

    def after(self, report: OrderReport) -> Child:
        """This child as the broker tells it. Fills only grow; a closed child is not reopened by an older answer."""
        filled = max(self.filled, report.filled_qty)
        price = (
            report.average_price if report.filled_qty >= self.filled and report.average_price else self.average_price
        )
        state = report.state if report.state in TRANSITIONS[self.state] else self.state
        if self.state is ChildState.CANCELLING and state is ChildState.LIVE:
            state = ChildState.CANCELLING  # our request is on its way; an older answer does not take it back
        seen = {"state": state, "filled": filled, "average_price": price, "broker_id": report.broker_id}
        is_news = any(getattr(self, name) != value for name, value in seen.items())
        return self.model_copy(update=seen) if is_news else self
