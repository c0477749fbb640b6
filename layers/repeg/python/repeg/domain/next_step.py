"""What follows a turn: another turn, a placement, a renewal of the execution, or the close."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from enum import StrEnum

from repeg.domain.parent_order import ParentOrder, ParentState
from repeg.domain.run import KillSwitch
from repeg.domain.session import TradingWindow

# A turn that also validates and places costs 19 events of an execution's history (Wait 2, three Tasks of 5, Choice 2),
# a retried attempt 3 more. A history ends at 25,000 events; a run moves to a new execution well before, even if an
# order waits and an attempt is retried in every turn.
EVENTS_PER_TURN = 19
EVENTS_PER_RETRY = 3
HISTORY_BUDGET = 20_000
TURNS_PER_EXECUTION = HISTORY_BUDGET // (EVENTS_PER_TURN + EVENTS_PER_RETRY)


class NextStep(StrEnum):
    """Where the state machine goes after a turn."""

    VALIDATE = "validate"
    WAIT = "wait"
    CLOSE = "close"
    RENEW = "renew"


def turns_left(turns_here: int) -> int:
    """The turns that an execution may still make: a listening step makes several in one state."""
    return max(1, TURNS_PER_EXECUTION - turns_here)


def after_turn(
    orders: Sequence[ParentOrder], now: datetime, window: TradingWindow, kill: KillSwitch, turns_here: int
) -> NextStep:
    """The next step of a run; the first reason wins. `turns_here` counts the turns of this execution."""
    if all(order.state is ParentState.DONE for order in orders) or now >= window.closes:
        return NextStep.CLOSE
    if kill is KillSwitch.CANCEL_ALL:
        return NextStep.CLOSE
    if turns_here >= TURNS_PER_EXECUTION:
        return NextStep.RENEW
    if kill is KillSwitch.HALT_NEW:
        return NextStep.WAIT
    return NextStep.VALIDATE if any(order.state is ParentState.WAITING for order in orders) else NextStep.WAIT
