"""Child orders: their urgency, their states, the transitions between states, and what a broker's report changes."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from enum import StrEnum

from pydantic import AwareDatetime

from repeg.domain.frozen import Frozen
from repeg.domain.order_ids import OrderId, parse_order_id
from repeg.domain.quote import Side


class Rung(StrEnum):
    """How urgently a child is priced: passive at the near side, at the mid, through the far side, at any price.

    A child that takes is priced at the far side as it was last seen; what that does not fill is moved at the next look.
    """

    PASSIVE = "passive"
    TAKE = "take"
    MID = "mid"
    CROSS = "cross"
    MARKET = "market"


class ChildState(StrEnum):
    """Where a child order stands, as far as we know.

    `intended` is written before the request is sent; `unknown` means that the broker may or may not have the order.
    Both are in-flight. `never_arrived` is an in-flight order that was looked for and given up. `lost` is an order that
    the broker had, or may have executed, and that could not be seen closed.
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
    LOST = "lost"


UNRESOLVED = frozenset({ChildState.INTENDED, ChildState.UNKNOWN})
RESTING = frozenset({ChildState.LIVE, ChildState.CANCELLING})
CLOSED = frozenset(ChildState) - UNRESOLVED - RESTING
GIVEN_UP = frozenset({ChildState.NEVER_ARRIVED, ChildState.LOST})
# Closed because the broker does not have the order, as far as we know.
NOT_AT_BROKER = frozenset({ChildState.REFUSED, ChildState.NEVER_ARRIVED})

_ENDS_AT_BROKER = CLOSED - GIVEN_UP - NOT_AT_BROKER

# Which state may follow which. The table is wide: a broker's last report may still be corrected by a later fill (a
# "canceled" order that filled), and an order that was refused, or given up as never arrived, may turn up or trade.
TRANSITIONS: dict[ChildState, frozenset[ChildState]] = {
    ChildState.INTENDED: NOT_AT_BROKER | {ChildState.UNKNOWN, ChildState.LOST} | RESTING | _ENDS_AT_BROKER,
    ChildState.UNKNOWN: NOT_AT_BROKER | {ChildState.LOST} | RESTING | _ENDS_AT_BROKER,
    ChildState.LIVE: frozenset({ChildState.CANCELLING, ChildState.LOST}) | _ENDS_AT_BROKER,
    ChildState.CANCELLING: frozenset({ChildState.LIVE, ChildState.LOST}) | _ENDS_AT_BROKER,
    **dict.fromkeys((ChildState.CANCELED, ChildState.EXPIRED, ChildState.REPLACED), frozenset({ChildState.FILLED})),
    **dict.fromkeys(NOT_AT_BROKER, frozenset({ChildState.LOST}) | RESTING | _ENDS_AT_BROKER),
    ChildState.LOST: RESTING | _ENDS_AT_BROKER,
    **dict.fromkeys((ChildState.FILLED, ChildState.REJECTED), frozenset()),
}


class OrderReport(Frozen):
    """An order status report. `status` is the broker's own word, `state` what it means here.

    `notional` is the size of an order in dollars, whose quantity is zero. `is_contingent` marks an order that waits for
    a price or for another order: a stop, or a leg that is held. `canceled_at` is when the broker cancelled it; None if
    it did not, or gave no time that can be read.
    """

    broker_id: str
    client_order_id: str
    symbol: str
    side: Side
    status: str
    state: ChildState
    qty: Decimal
    filled_qty: Decimal
    average_price: Decimal | None
    limit: Decimal | None
    submitted_at: AwareDatetime | None
    replaced_by: str | None = None
    replaces: str | None = None
    notional: Decimal | None = None
    is_contingent: bool = False
    canceled_at: AwareDatetime | None = None

    @property
    def is_closed(self) -> bool:
        """Whether the broker will do nothing more with the order."""
        return self.state in CLOSED

    @property
    def order_id(self) -> OrderId | None:
        """The stack and the run that placed the order, by its id; None if this program did not place it."""
        return parse_order_id(self.client_order_id)

    def with_fills(self, filled: Decimal, average_price: Decimal | None) -> OrderReport:
        """This report with other fills, for a replacement whose report includes its predecessors' fills."""
        return self.model_copy(update={"filled_qty": filled, "average_price": average_price})


# An order's row keeps all its children, each with a note, and a row of the table has at most 400 KB.
MOST_CHILDREN = 400
NOTE_LENGTH = 68


class Child(Frozen):
    """One order at the broker, attempt `n` of its parent. Quantities in shares; `filled` only grows.

    `replaces` is the attempt that this one replaces: its quantity is then the chain's, and `filled` only its own.
    `is_piece` marks a child that was cut. `may_pass` marks a refusal that may pass. `is_fallback` marks the order that
    is sent once although the book still holds its parent, `is_control` a control order sent at the market. `is_owners`
    marks an order that the account's owner made of ours by moving it: it is read, never cancelled. `cancelling_since`
    is when this run first marked it for its cancel, by the earliest that the broker's clock may have shown; without it,
    another hand cancels. `cancel_marked_at` is its last mark, `is_cancel_at_broker` that the broker has the request.
    `id_is_used`: the broker has refused its id as used, so an order that it does not find has arrived all the same.
    `seen_at` is when a report first showed it, `changed_at` when one last showed new fills of it, or its end, by the
    broker's time; None if none has.
    """

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
    is_piece: bool = False
    may_pass: bool = False
    is_fallback: bool = False
    is_control: bool = False
    is_owners: bool = False
    cancelling_since: AwareDatetime | None = None
    cancel_marked_at: AwareDatetime | None = None
    is_cancel_at_broker: bool = False
    id_is_used: bool = False
    changed_at: AwareDatetime | None = None
    seen_at: AwareDatetime | None = None

    @property
    def sent_at(self) -> datetime:
        """When its request was last about to be sent; from then on it may be in flight."""
        return self.resent_at or self.decided_at

    @property
    def is_closed(self) -> bool:
        """Whether it can fill no more, as read from the broker (or refused by it)."""
        return self.state in CLOSED

    @property
    def is_cancelled_by_us(self) -> bool:
        """Whether this run has marked it to be cancelled, and it is still open."""
        return self.state is ChildState.CANCELLING and self.cancelling_since is not None

    @property
    def remaining(self) -> Decimal:
        """Shares that it may still fill."""
        return Decimal(0) if self.is_closed else self.qty - self.filled

    def still_open(self) -> Child:
        """This child as a book shows it that was read before its end reached the feed. It is never stored so."""
        return self.model_copy(update={"state": ChildState.LIVE})

    def becomes(self, state: ChildState, note: str = "") -> Child:
        """This child in another state, if the table allows it; the same state is no change."""
        if state is self.state:
            return self
        if state not in TRANSITIONS[self.state]:
            raise ValueError(f"{self.client_order_id}: {self.state} may not become {state}")
        return self.model_copy(update={"state": state, "note": note[:NOTE_LENGTH] or self.note})

    @property
    def last_marked_at(self) -> datetime | None:
        """When this run last marked it to be cancelled; None if it has not. ff73b05 and c0b7f30 stored only that."""
        return self.cancel_marked_at or self.cancelling_since

    def cancelling(self, at: datetime, earliest: datetime) -> Child:
        """This child, marked before this run requests its cancel; the broker's clock shows at least `earliest` by then.

        A cancel that is requested once more keeps its first mark: the first request may be the one that arrives.
        """
        first = self.cancelling_since or earliest
        marks = {"cancelling_since": first, "cancel_marked_at": at}
        return self.becomes(ChildState.CANCELLING).model_copy(update=marks)

    def with_cancel_at_broker(self) -> Child:
        """This child, whose cancel the broker has accepted."""
        return self.model_copy(update={"is_cancel_at_broker": True})

    def rests_again(self) -> Child:
        """This child, live again after a cancel that was not sent or came to nothing."""
        unmarked = {"cancelling_since": None, "cancel_marked_at": None, "is_cancel_at_broker": False}
        return self.becomes(ChildState.LIVE).model_copy(update=unmarked)

    def refused(self, note: str, *, may_pass: bool) -> Child:
        """This child, refused by the broker."""
        return self.becomes(ChildState.REFUSED, note).model_copy(update={"may_pass": may_pass})

    def resent(self, at: datetime) -> Child:
        """This child, about to be sent once more under the same id."""
        return self.model_copy(update={"resent_at": at})

    def known_at_broker(self) -> Child:
        """This child, whose id the broker has refused as used: it has the order, whether or not it finds it."""
        return self.becomes(ChildState.UNKNOWN).model_copy(update={"id_is_used": True})

    def found_as(self, broker_id: str) -> Child:
        """This child with the broker's id for it."""
        return self.model_copy(update={"broker_id": broker_id})

    def after(self, report: OrderReport) -> Child:
        """This child after a report. Fills only grow; an older report does not reopen a closed child."""
        filled = max(self.filled, report.filled_qty)
        is_newer = report.filled_qty >= self.filled and report.average_price
        price = report.average_price if is_newer else self.average_price
        state = report.state if report.state in TRANSITIONS[self.state] else self.state
        if self.is_cancelled_by_us and state is ChildState.LIVE:
            state = ChildState.CANCELLING  # our cancel is in flight; an older report does not undo it
        is_at_broker = self.is_cancel_at_broker or (self.is_cancelled_by_us and report.state is ChildState.CANCELLING)
        seen = self.model_copy(update={
            "state": state, "filled": filled, "average_price": price, "broker_id": report.broker_id,
            "is_cancel_at_broker": is_at_broker,
        })  # fmt: skip
        return self if seen == self else seen

    def dated(self, before: Child, at: datetime) -> Child:
        """This child as a report shows it: seen at the report's time if none has shown it before, and changed then if
        it has new fills, or has ended, since."""
        is_changed = self.filled > before.filled or (self.is_closed and self.state is not before.state)
        times = ({"changed_at": at} if is_changed else {}) | ({"seen_at": at} if before.broker_id is None else {})
        return self.model_copy(update=times) if times else self
