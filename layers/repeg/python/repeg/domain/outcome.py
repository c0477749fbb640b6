"""How an order that the day has ended for is to be named."""

from __future__ import annotations

from repeg.domain.child_order import UNRESOLVED
from repeg.domain.parent_order import Outcome, ParentOrder
from repeg.domain.run import KillSwitch

_OUTCOME_OF_HOLD = {
    "wide": Outcome.HELD_WIDE,
    "thin": Outcome.HELD_THIN,
    "halted": Outcome.HALTED,
    "missing": Outcome.HELD_STALE,
    "one_sided": Outcome.HELD_STALE,
    "crossed": Outcome.HELD_STALE,
    "locked": Outcome.HELD_STALE,
    "stale": Outcome.HELD_STALE,
    "collar": Outcome.NO_FILL_COLLAR,
    "unfunded": Outcome.UNFUNDED,
    "waits_for_sells": Outcome.UNFUNDED,
    "rejected": Outcome.REJECTED,
    "shares": Outcome.REJECTED,
    "not_held": Outcome.REJECTED,
    "opposite_order": Outcome.REJECTED,
}


def outcome_of(order: ParentOrder, kill: KillSwitch, ended_by: str = "the window closed") -> tuple[Outcome, str]:
    """The outcome of an order at the end of its run, and the reason in words; first that fits wins.

    `ended_by` is what ended the run, for an order that nothing but that kept from going on.
    """
    if order.remaining <= 0:
        return Outcome.FILLED, "filled"
    if any(child.state in UNRESOLVED for child in order.children):
        return Outcome.UNKNOWN, "the broker never said what became of the last order"
    if kill is not KillSwitch.ACTIVE:
        return Outcome.KILLED, f"the kill switch is {kill}"
    outcome = _OUTCOME_OF_HOLD.get(order.held, Outcome.PARTIAL_DEADLINE)
    why = order.held.replace("_", " ") or ended_by
    return outcome, f"{order.filled} of {order.target}: {why}"
