"""Parent orders: one symbol and side of a run, its target, and everything done for it so far."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from functools import cached_property
from itertools import takewhile
from typing import Annotated

from pydantic import AwareDatetime, BeforeValidator

from repeg.domain.arm import Arm
from repeg.domain.child_order import CLOSED, Child, ChildState, Rung
from repeg.domain.frozen import Frozen
from repeg.domain.outcome import HoldReason, Outcome
from repeg.domain.quote import Quote, Side

# ff73b05 stored an empty string for an order that nothing holds.
_Held = Annotated[HoldReason | None, BeforeValidator(lambda stored: stored or None)]


class ParentState(StrEnum):
    """`waiting` for a placement, `working` at the broker, `done` with an outcome."""

    WAITING = "waiting"
    WORKING = "working"
    DONE = "done"


class ParentOrder(Frozen):
    """One symbol and side of a run, with its target in shares and its child orders.

    `held` is why it was last not traded on, `held_by_book_since` when its book began to hold it. `committed` is the
    dollars taken from the budgets: what it filled and what its open child, or the successor reserved for it, may cost.
    `reserved_orders` are successors in the order budgets. `refusals` counts those in a row that may pass, `rejections`
    the others. `sized_at` is the price that a weight was sized at; `note` names open orders that were counted.
    `decision` is the book when the run could first trade, if not the arrival; `last_two_sided` is for a fallback.
    `is_announced`: its end has been journalled and published, by the step that stored it.
    """

    run_id: str
    symbol: str
    side: Side
    target: Decimal
    reference_price: Decimal
    fractionable: bool = False
    outcome: Outcome | None = None
    reason: str = ""
    arrival: Quote | None = None
    decision: Quote | None = None
    arm: Arm | None = None
    last_two_sided: Quote | None = None
    collar: Decimal | None = None
    rung: Rung = Rung.PASSIVE
    first_placed_at: AwareDatetime | None = None
    moves: int = 0
    rejections: int = 0
    held: _Held = None
    held_by_book_since: AwareDatetime | None = None
    committed: Decimal = Decimal(0)
    reserved_orders: int = 0
    refusals: int = 0
    retry_at: AwareDatetime | None = None
    sized_at: Decimal | None = None
    note: str = ""
    spreads: tuple[int, ...] = ()
    spread_at: AwareDatetime | None = None
    is_announced: bool = False
    sent_near: Decimal | None = None
    sent_far: Decimal | None = None
    children: tuple[Child, ...] = ()
    version: int = 0

    @cached_property
    def state(self) -> ParentState:
        """Where the order stands, from its outcome and its open child."""
        if self.outcome is not None:
            return ParentState.DONE
        return ParentState.WORKING if self.open_child is not None else ParentState.WAITING

    @property
    def sends_no_more(self) -> bool:
        """Whether no further child will be sent: the order has ended, or its owner has moved it."""
        return self.outcome is not None or self.held is HoldReason.OWNER

    @property
    def child(self) -> Child | None:
        """The latest child."""
        return self.children[-1] if self.children else None

    @cached_property
    def open_children(self) -> tuple[Child, ...]:
        """The children that may still fill, oldest first: at most one, or one and its replacement."""
        return tuple([child for child in self.children if child.state not in CLOSED])

    @cached_property
    def open_child(self) -> Child | None:
        """The latest child that may still fill, if there is one."""
        return next((child for child in reversed(self.children) if child.state not in CLOSED), None)

    @cached_property
    def filled(self) -> Decimal:
        """Shares bought or sold so far, over all children."""
        return sum([child.filled for child in self.children], Decimal(0))

    @cached_property
    def remaining(self) -> Decimal:
        """Shares still to trade."""
        return self.target - self.filled

    @property
    def average_price(self) -> Decimal | None:
        """Dollars per share over all fills; None while nothing is filled or a fill has no price yet."""
        paid = Decimal(0)
        for child in (each for each in self.children if each.filled > 0):
            if child.average_price is None:
                return None
            paid += child.filled * child.average_price
        return paid / self.filled if self.filled else None

    def attempt(self, n: int) -> Child:
        """The child of attempt `n`. Raises StopIteration where there is none."""
        return next(child for child in self.children if child.n == n)

    @cached_property
    def attempts(self) -> int:
        """Children sent since one was filled, in full or in part, but for those refused for a reason that may pass."""
        unfilled = takewhile(lambda child: child.filled <= 0, reversed(self.children))
        return sum(not child.may_pass for child in unfilled)

    @property
    def was_not_sent(self) -> bool:
        """Whether its latest child has not left the program and nothing holds it: it is decided anew at once."""
        child, is_free = self.child, self.retry_at is None and self.held is None
        return is_free and child is not None and child.state is ChildState.REFUSED and child.may_pass

    def predecessors(self, child: Child) -> tuple[Child, ...]:
        """The children that a child replaces, directly or through others, the latest first."""
        old = next((each for each in self.children if each.n == child.replaces), None)
        return () if old is None else (old, *self.predecessors(old))

    def with_child(self, child: Child) -> ParentOrder:
        """This order with the child of that attempt replaced, or added where it is new."""
        if self.children and self.children[-1] is child:
            return self
        others = (each for each in self.children if each.n != child.n)
        return self.model_copy(update={"children": tuple(sorted((*others, child), key=lambda each: each.n))})

    def placing(self, child: Child, quote: Quote, *, is_move: bool, committed: Decimal) -> ParentOrder:
        """This order with a new child about to be sent on a quote, and `committed` dollars in the budgets by then."""
        return self.with_child(child).model_copy(update={
            "rung": child.rung, "first_placed_at": self.first_placed_at or child.decided_at,
            "sent_near": quote.near(self.side), "sent_far": quote.far(self.side),
            "moves": self.moves + (1 if is_move else 0), "held": None, "held_by_book_since": None,
            "committed": committed, "reserved_orders": 0,
        })  # fmt: skip

    def reserving(self, committed: Decimal) -> ParentOrder:
        """This order with a successor reserved, which takes it to `committed` dollars in the budgets."""
        return self.model_copy(update={"committed": committed, "reserved_orders": 1})

    def keeping(self, committed: Decimal) -> ParentOrder:
        """This order with no successor reserved, and `committed` dollars left in the budgets."""
        if not self.reserved_orders and committed == self.committed:
            return self
        return self.model_copy(update={"committed": committed, "reserved_orders": 0})

    def refused_for_now(self, reason: HoldReason, retry_at: datetime) -> ParentOrder:
        """This order after one more refusal that may pass, to be tried again at `retry_at`."""
        return self.model_copy(update={"held": reason, "refusals": self.refusals + 1, "retry_at": retry_at})

    def accepted(self) -> ParentOrder:
        """This order after the broker accepted a child: earlier refusals have passed."""
        return self.model_copy(update={"refusals": 0, "retry_at": None})

    def arrived(self, quote: Quote, collar: Decimal | None, arm: Arm | None = None) -> ParentOrder:
        """This order with its arrival quote, its collar and its arm, all fixed for the rest of the run."""
        return self.model_copy(update={"arrival": quote, "collar": collar, "arm": arm})

    def decided_on(self, quote: Quote) -> ParentOrder:
        """This order with the book when the run could first trade, which is not its arrival's."""
        return self.model_copy(update={"decision": quote})

    def having_seen(self, quote: Quote) -> ParentOrder:
        """This order with the last two-sided, uncrossed quote seen for it, which a fallback may need."""
        return self.model_copy(update={"last_two_sided": quote})

    def having_sampled(self, spreads: tuple[int, ...], at: datetime) -> ParentOrder:
        """This order with the spreads sampled so far."""
        return self.model_copy(update={"spreads": spreads, "spread_at": at})

    def on_hold(self, reason: HoldReason, at: datetime) -> ParentOrder:
        """This order, held for a reason. What else holds an order that waits says nothing of its book."""
        since = self.held_by_book_since
        if reason.is_of_the_book:
            since = since or at
        elif reason.is_of_a_price or self.open_child is not None:
            since = None
        return self.model_copy(update={"held": reason, "held_by_book_since": since})

    def held_by_book(self, since: datetime | None) -> ParentOrder:
        """This order, held by its book since then, or not held by it."""
        return self if since == self.held_by_book_since else self.model_copy(update={"held_by_book_since": since})

    def released(self) -> ParentOrder:
        """This order, held by nothing."""
        return self.model_copy(update={"held": None})

    def once_rejected(self) -> ParentOrder:
        """This order after one more rejection. One that is its owner's stays so."""
        held = HoldReason.OWNER if self.held is HoldReason.OWNER else HoldReason.REJECTED
        return self.model_copy(update={"rejections": self.rejections + 1, "held": held})

    def not_rejected(self) -> ParentOrder:
        """This order after the broker has worked a child: earlier rejections have passed."""
        return self.model_copy(update={"rejections": 0})

    def back_at(self, rung: Rung) -> ParentOrder:
        """This order after a move that did not happen: at its former rung, the move not counted."""
        return self.model_copy(update={"rung": rung, "moves": max(0, self.moves - 1)})

    def trading_in_fractions(self, *, fractionable: bool) -> ParentOrder:
        """This order, marked with whether its symbol trades in fractions."""
        return self.model_copy(update={"fractionable": fractionable})

    def cut_to(self, target: Decimal, note: str) -> ParentOrder:
        """This order with a smaller target, before anything is sent, and a note that says why."""
        return self.model_copy(update={"target": target, "note": note})

    def done(self, outcome: Outcome, reason: str) -> ParentOrder:
        """This order, ended. An end of another kind is announced again."""
        is_announced = self.is_announced and outcome is self.outcome
        return self.model_copy(update={"outcome": outcome, "reason": reason, "is_announced": is_announced})

    def undecided(self) -> ParentOrder:
        """This order, not ended if it was only not known what became of a child: that is known by now."""
        is_known = self.outcome is not Outcome.UNKNOWN
        return self if is_known else self.model_copy(update={"outcome": None, "reason": ""})

    def announced(self) -> ParentOrder:
        """This order, whose end is announced once it is stored."""
        return self.model_copy(update={"is_announced": True})

    def next_version(self) -> ParentOrder:
        """This order as its next write stores it."""
        return self.model_copy(update={"version": self.version + 1})
