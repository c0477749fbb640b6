"""Parent orders: what is to be done in one symbol, what has been done for it, and what is meant to be done next."""

from __future__ import annotations

from decimal import Decimal
from enum import StrEnum

from pydantic import AwareDatetime, BaseModel, ConfigDict

from repeg.domain.child_order import CLOSED, Child, Rung
from repeg.domain.quote import Quote, Side


class Outcome(StrEnum):
    """How a parent order ended."""

    FILLED = "filled"
    PARTIAL_DEADLINE = "partial_deadline"
    NO_FILL_COLLAR = "no_fill_collar"
    HELD_WIDE = "held_wide"
    HELD_STALE = "held_stale"
    HELD_THIN = "held_thin"
    HALTED = "halted"
    UNFUNDED = "unfunded"
    REJECTED = "rejected"
    KILLED = "killed"
    UNKNOWN = "unknown"
    PREVIEW = "preview"


class Intent(BaseModel):
    """What we mean to send: written before it is sent, never changed afterwards.

    `limit` is None for a market order; `notional` is the dollars it can cost at most (buy) or is meant to raise (sell);
    `quote` is the book it was priced from; after `not_after` it must no longer leave.
    """

    model_config = ConfigDict(frozen=True)

    client_order_id: str
    symbol: str
    side: Side
    n: int
    qty: Decimal
    limit: Decimal | None
    notional: Decimal
    rung: Rung
    reason: str
    quote: Quote
    decided_at: AwareDatetime
    not_after: AwareDatetime | None = None


class ParentState(StrEnum):
    """`waiting` for a placement, `working` at the broker, `done` with an outcome."""

    WAITING = "waiting"
    WORKING = "working"
    DONE = "done"


class ParentOrder(BaseModel):
    """One symbol and side of a run, with its target in shares and everything done for it so far.

    `held` is why it was last not traded on (a gate's reason, `halted`, `unfunded`, `collar`). `committed` is the
    dollars it has taken from the budgets: what it filled and what its open child may still cost.
    """

    model_config = ConfigDict(frozen=True)

    run_id: str
    symbol: str
    side: Side
    target: Decimal
    reference_price: Decimal
    fractionable: bool = False
    outcome: Outcome | None = None
    reason: str = ""
    arrival: Quote | None = None
    collar: Decimal | None = None
    rung: Rung = Rung.PASSIVE
    first_placed_at: AwareDatetime | None = None
    moves: int = 0
    rejections: int = 0
    held: str = ""
    committed: Decimal = Decimal(0)
    children: tuple[Child, ...] = ()
    version: int = 0

    @property
    def state(self) -> ParentState:
        """Where the order stands: it follows from its outcome and its open child."""
        if self.outcome is not None:
            return ParentState.DONE
        return ParentState.WORKING if self.open_child is not None else ParentState.WAITING

    @property
    def child(self) -> Child | None:
        """The latest child."""
        return self.children[-1] if self.children else None

    @property
    def open_children(self) -> tuple[Child, ...]:
        """The children that may still fill, oldest first: one at most, or one and its replacement."""
        return tuple([child for child in self.children if child.state not in CLOSED])

    @property
    def open_child(self) -> Child | None:
        """The latest child that may still fill, if there is one."""
        for child in reversed(self.children):  # where there is one it is the last, and nobody looks at all the others
            if child.state not in CLOSED:
                return child
        return None

    @property
    def filled(self) -> Decimal:
        """Shares bought or sold so far, over all children."""
        return sum([child.filled for child in self.children], Decimal(0))

    @property
    def remaining(self) -> Decimal:
        """Shares still to do."""
        return self.target - self.filled

    @property
    def average_price(self) -> Decimal | None:
        """Dollars per share over all fills; None while nothing is filled or a price is still pending."""
        done = [child for child in self.children if child.filled > 0]
        prices = [child.average_price for child in done]
        if not done or None in prices:
            return None
        paid = sum((child.filled * price for child, price in zip(done, prices, strict=True) if price), Decimal(0))
        return paid / self.filled

    def with_child(self, child: Child) -> ParentOrder:
        """This order with that attempt as given, or with a new attempt added."""
        if self.children and self.children[-1] is child:
            return self
        others = (each for each in self.children if each.n != child.n)
        return self.model_copy(update={"children": tuple(sorted((*others, child), key=lambda each: each.n))})

    def replacement_of(self, child: Child) -> Child | None:
        """The attempt that takes, or was to take, the place of a child."""
        return next((each for each in self.children if each.replaces == child.n), None)

    def predecessors(self, child: Child) -> tuple[Child, ...]:
        """The children whose place a child takes, the latest first."""
        old = next((each for each in self.children if each.n == child.replaces), None)
        return () if old is None else (old, *self.predecessors(old))

    def done(self, outcome: Outcome, reason: str) -> ParentOrder:
        """This order, ended."""
        return self.model_copy(update={"outcome": outcome, "reason": reason})
