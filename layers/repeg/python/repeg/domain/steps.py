"""The payload that each step receives from the state machine, and the answer that it returns.

Fields that a step does not read are ignored: the machine carries the answers of earlier steps along.
"""

from __future__ import annotations

from typing import Any

from pydantic import Field

from repeg.domain.frozen import Frozen
from repeg.domain.next_step import NextStep
from repeg.domain.run_health import Alert
from repeg.domain.session import SessionDecision


class TurnCount(Frozen):
    """How many turns the run has made."""

    turns: int = 0


class TurnBefore(TurnCount):
    """The turns made, and how many orders the PlaceOrders before had no time or no requests for."""

    left: int = 0


class RunRef(Frozen):
    """The run that a step works on, at the epoch that its execution holds."""

    run_id: str
    epoch: int


class TurnPayload(RunRef):
    """A step of the loop. `first_turn` is the count at which this execution took over."""

    first_turn: int
    turn: TurnBefore


class StepFailure(Frozen):
    """The failure that ended a step, as Step Functions catches it."""

    error: str = Field("Failed", alias="Error")
    cause: str = Field("", alias="Cause")


class ClosePayload(RunRef):
    """The closing step; `ending` is the failure that led to it, if one did."""

    turn: TurnCount = TurnCount()
    ending: StepFailure | None = None


class StartPayload(Frozen):
    """A start of the machine: the execution's own input, unchecked, and the execution's ARN.

    `estimate` asks what the start would trade, and starts nothing; the machine never sets it.
    """

    input: object
    execution: str
    estimate: bool = False


class ExecutionStatus(Frozen):
    """The part of Step Functions' status change event that names the execution and how it ended."""

    execution_arn: str = Field(alias="executionArn")
    status: str


class StatusChange(Frozen):
    """Step Functions' event about an execution that has changed its status."""

    detail: ExecutionStatus


class AnyEvent(Frozen):
    """An event whose contents do not matter, such as a schedule's."""


class RunNews(Frozen):
    """An event of ours about a run, as EventBridge delivers it. Of any shape: one that names no run is dropped, because
    no retry would make it readable."""

    kind: Any = Field(default="", alias="detail-type")
    detail: Any = None

    @property
    def run_id(self) -> str:
        """The run that it is about; empty if it names none."""
        found = self.detail.get("run_id") if isinstance(self.detail, dict) else None
        return found if isinstance(found, str) else ""


class RunOpened(RunRef):
    """What every later step needs to find the run, and how long a step of RepegOrders may take, in seconds."""

    first_turn: int
    step_seconds: int
    turn: TurnCount


class SessionChecked(Frozen):
    """Trade, wait or stop, and until when to wait (UTC, whole seconds)."""

    decision: SessionDecision
    reason: str
    until: str


class OrdersPlanned(Frozen):
    """How many parent orders the run has."""

    orders: int


class QuotesValidated(Frozen):
    """How many waiting orders have a usable quote, and how many are held by their quotes."""

    use: int
    hold: int


class OrdersPlaced(Frozen):
    """How many orders now have a child, how many are left for the next PlaceOrders because this one had no time or no
    requests for them, and when the next turn is due (UTC, whole seconds)."""

    turns: int
    turn_at: str
    placed: int
    left: int = 0


class TurnDone(Frozen):
    """What comes next, when the next turn is due, how many orders are working, and of how many orders the outcome has
    been unknown for longer than it may be."""

    decision: NextStep
    turns: int
    turn_at: str
    working: int
    unknown: int = 0


# The answer of a closing step that has more orders to cancel.
CLOSING = "closing"


class RunClosed(Frozen):
    """How the run ended: `settled` or `failed`, with the error's name and the reason in words.

    `closing`, while there are more orders to cancel than a step has time for: the error and the reason are then those
    that the step was called with, if any, and `again_at` is when the next step is due (UTC, whole seconds).
    """

    outcome: str
    error: str
    reason: str
    again_at: str = ""


class RunSwept(Frozen):
    """What a sweep did: `swept`, `over` (the run had ended before), `superseded` (another execution holds the run) or
    `nothing` (there was no run). `alerts` are those that it published."""

    run_id: str
    outcome: str
    cancelled: int
    alerts: tuple[Alert, ...] = ()


class RunsWatched(Frozen):
    """What the watchdog found."""

    alerts: tuple[Alert, ...]


class PageWritten(Frozen):
    """The page of a run that was written: its key, and how many parts of the journal could not be read. `dropped` says
    why an event was dropped, and nothing was written."""

    run_id: str
    key: str = ""
    problems: int = 0
    dropped: str = ""
