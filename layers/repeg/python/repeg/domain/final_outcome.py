"""The outcome of an order whose run has ended."""

from __future__ import annotations

from repeg.domain.child_order import UNRESOLVED, ChildState
from repeg.domain.outcome import OUTCOME_OF_HOLD, Outcome
from repeg.domain.parent_order import ParentOrder
from repeg.domain.run import KillSwitch


def outcome_of(
    order: ParentOrder, kill: KillSwitch, ended_by: str = "the window closed", killed_by: str = ""
) -> tuple[Outcome, str]:
    """The outcome and its reason in words; the first that applies wins.

    `ended_by` is what ended the run; it is the reason of an order that nothing else kept from trading. `killed_by` is
    what stopped new orders, where that was not the kill switch alone.
    """
    if order.remaining <= 0:
        return Outcome.FILLED, excess(order) or "filled"
    if any(child.state in UNRESOLVED for child in order.children):
        return Outcome.UNKNOWN, "the broker never reported what became of the last order"
    if lost := lost_children(order):
        return Outcome.UNKNOWN, lost
    if kill is not KillSwitch.ACTIVE:
        return Outcome.KILLED, killed_by or f"the kill switch is {kill}"
    if order.held is None:
        return Outcome.PARTIAL_DEADLINE, f"{order.filled} of {order.target}: {ended_by}"
    outcome = OUTCOME_OF_HOLD.get(order.held, Outcome.PARTIAL_DEADLINE)
    return outcome, f"{order.filled} of {order.target}: {order.held.words}{_broker_words(order)}"


def lost_children(order: ParentOrder) -> str:
    """Which children of an order were lost, in words; empty if none was."""
    lost = [child for child in order.children if child.state is ChildState.LOST]
    said = [(f"the broker did not show {child.client_order_id} as closed", child.note) for child in lost]
    return ", ".join(": ".join(filter(None, words)) for words in said)


def is_outdated(order: ParentOrder) -> bool:
    """Whether the outcome of an ended order does not hold any more: it has been filled since, or a child was lost."""
    if order.filled > 0 and order.remaining <= 0:
        return order.outcome is not Outcome.FILLED
    return order.outcome is not Outcome.UNKNOWN and lost_children(order) != ""


def by_unknown_hand(order: ParentOrder) -> ParentOrder:
    """An order that ends because a child of it was cancelled by another hand: the broker's record does not say whose.

    The reason has what it has filled by now.
    """
    whose = "its owner, another program, or the broker"
    reason = f"{order.filled} of {order.target}: cancelled at the broker by an unknown hand ({whose})"
    return order.done(Outcome.ENDED_BY_UNKNOWN_HAND, reason)


def excess(order: ParentOrder) -> str:
    """How far an order has filled beyond its target, in words; empty if it has not. No run sends so much: its owner has
    enlarged an order at the broker, or an order has filled twice."""
    if order.remaining >= 0:
        return ""
    return f"{order.symbol} filled {order.filled} of {order.target}, {-order.remaining} too many"


def corrected(before: ParentOrder, after: ParentOrder) -> ParentOrder:
    """An ended order as read again after its run's end: filled, or known by now, or with more fills than reported, or
    with a child that has been lost since."""
    filled = f"{after.filled} of {after.target}, read again after the run's end"
    if after.remaining <= 0:
        return after.done(Outcome.FILLED, filled)
    lost = lost_children(after)
    if lost and lost != lost_children(before):
        return after.done(Outcome.UNKNOWN, lost)
    is_resolved = not lost and not any(child.state in UNRESOLVED for child in after.children)
    if before.outcome is Outcome.UNKNOWN and is_resolved:
        return after.done(Outcome.PARTIAL_DEADLINE, filled)
    if before.outcome is None or after.filled == before.filled:
        return after
    return after.done(before.outcome, filled)


def _broker_words(order: ParentOrder) -> str:
    """What the broker said when it last refused the order, if that is what holds it."""
    child = order.child
    is_refused = child is not None and child.may_pass and order.refusals > 0
    return f": {child.note}" if child is not None and is_refused and child.note else ""
