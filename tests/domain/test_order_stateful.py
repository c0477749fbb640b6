"""A child order keeps to its transition table under any sequence of broker reports and own decisions."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from repeg.adapters.alpaca.parsing import state_of
from repeg.domain.child_order import CLOSED, TRANSITIONS, Child, ChildState, OrderReport, Rung
from repeg.domain.parent_order import ParentOrder
from repeg.domain.quote import Side
from tests.builders import NOON, an_order

TARGET = Decimal(100)
FINAL = frozenset(state for state, following in TRANSITIONS.items() if not following)

# The broker's statuses, including an unknown one.
STATUSES = (
    "new", "accepted", "pending_new", "partially_filled", "filled", "canceled", "expired", "rejected", "replaced",
    "pending_cancel", "done_for_day", "held_for_orthodontics",
)  # fmt: skip


class AnsweredChild(RuleBasedStateMachine):
    """One child order that receives any reports, in any order, late and repeated."""

    def __init__(self) -> None:
        super().__init__()
        name = "rp-core.AAPL.b.1"
        made = Child(n=1, client_order_id=name, qty=TARGET, limit=None, rung=Rung.PASSIVE, decided_at=NOON)
        self.order: ParentOrder = an_order(target=str(TARGET)).with_child(made)
        self.before: Child = made
        self.most_reported = Decimal(0)

    @property
    def child(self) -> Child:
        """The current child."""
        child = self.order.child
        assert child is not None
        return child

    @rule(status=st.sampled_from(STATUSES), filled=st.integers(0, int(TARGET)), price=st.sampled_from([None, "10.05"]))
    def the_broker_answers(self, status: str, filled: int, price: str | None) -> None:
        """Apply an arbitrary report, plausible or not."""
        self.before = self.child
        self.most_reported = max(self.most_reported, Decimal(filled))
        average = None if price is None else Decimal(price)
        report = OrderReport(
            broker_id="b-1", client_order_id=self.child.client_order_id, symbol="AAPL", side=Side.BUY, status=status,
            state=state_of(status), qty=TARGET, filled_qty=Decimal(filled), average_price=average, limit=None,
            submitted_at=NOON,
        )  # fmt: skip
        self.order = self.order.with_child(self.child.after(report))

    @rule(state=st.sampled_from(ChildState))
    def we_decide(self, state: ChildState) -> None:
        """Apply an arbitrary state; transitions outside the table are refused."""
        self.before = self.child
        if state is not self.child.state and state not in TRANSITIONS[self.child.state]:
            with pytest.raises(ValueError, match="may not become"):
                self.child.becomes(state)
            return
        self.order = self.order.with_child(self.child.becomes(state))

    @invariant()
    def the_transition_is_allowed(self) -> None:
        """Each rule makes at most one allowed transition."""
        assert self.child.state is self.before.state or self.child.state in TRANSITIONS[self.before.state]

    @invariant()
    def fills_never_fall_and_are_never_invented(self) -> None:
        """The cumulative fill is the highest reported one."""
        assert self.child.filled == self.most_reported >= self.before.filled

    @invariant()
    def a_closed_child_stays_closed(self) -> None:
        """Only an order given up as lost, or a refused replacement, may be reported again."""
        if self.before.state in CLOSED - {ChildState.NEVER_ARRIVED, ChildState.REFUSED, ChildState.LOST}:
            assert self.child.is_closed
            assert self.order.open_child is None
        if self.before.state in FINAL:
            assert self.child.state is self.before.state

    @invariant()
    def the_parent_counts_every_share_once(self) -> None:
        """Filled and remaining shares add up to the target."""
        assert self.order.filled + self.order.remaining == TARGET
        assert self.order.filled + self.child.remaining <= TARGET
        assert len(self.order.children) == 1


TestAnsweredChild = AnsweredChild.TestCase
TestAnsweredChild.settings = settings(max_examples=120, stateful_step_count=25)
