"""One execution of one plan on one trading date."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from enum import StrEnum
from typing import Any

from pydantic import AwareDatetime, BaseModel, ConfigDict

from repeg.domain.errors import RefusedRun
from repeg.domain.plan import OrdersPlan, TargetsPlan
from repeg.domain.session import TradingDay, TradingWindow, trading_window
from repeg.domain.settings import Settings


class RunState(StrEnum):
    """`running` may place orders; `closing` only closes them; the rest is over."""

    RUNNING = "running"
    CLOSING = "closing"
    CLOSED = "closed"
    SWEPT = "swept"


# What may follow what; a state may always be written again. What is over is over: a write that comes late, from a step
# that was run twice, opens nothing again.
TRANSITIONS: dict[RunState, frozenset[RunState]] = {
    RunState.RUNNING: frozenset({RunState.CLOSING}),
    RunState.CLOSING: frozenset({RunState.CLOSED, RunState.SWEPT}),
    RunState.CLOSED: frozenset(),
    RunState.SWEPT: frozenset(),
}


def may_become(state: RunState) -> list[RunState]:
    """The states in which a run may be told to be in `state`, that one included."""
    return [before for before in RunState if before is state or state in TRANSITIONS[before]]


class KillSwitch(StrEnum):
    """The operator's brake: trade, place nothing new, or place nothing and cancel all that is ours."""

    ACTIVE = "active"
    HALT_NEW = "halt_new"
    CANCEL_ALL = "cancel_all"


class Run(BaseModel):
    """What a run was opened with, frozen; `epoch` rises when another execution takes it over, and fences the old one.

    `owner` is the execution that holds it. `opening_equity` and `opening_positions` are the
    account as it was found; `fractionable` are the plan's symbols that trade
    in fractions. `is_announced` says that its end has been told to whoever listens.
    """

    model_config = ConfigDict(frozen=True)

    run_id: str
    owner: str
    epoch: int = 1
    state: RunState = RunState.RUNNING
    trading_day: TradingDay
    plan: OrdersPlan | TargetsPlan
    settings: Settings
    preview: bool = False
    started_at: AwareDatetime
    is_planned: bool = False
    opening_equity: Decimal = Decimal(0)
    opening_positions: dict[str, Decimal] = {}
    fractionable: tuple[str, ...] = ()
    report: dict[str, Any] | None = None
    is_announced: bool = False

    @property
    def window(self) -> TradingWindow:
        """When this run may have orders accepted."""
        return trading_window(
            self.trading_day, self.settings.market_open_delay_minutes, self.settings.close_margin_minutes
        )

    def require_current(self, epoch: int, today: date) -> None:
        """Refuse a turn that comes from the past: another epoch, a run that is over, another day. Raises RefusedRun."""
        if epoch != self.epoch:
            raise RefusedRun(f"run {self.run_id} is at epoch {self.epoch}; this execution holds {epoch}")
        if self.state is not RunState.RUNNING:
            raise RefusedRun(f"run {self.run_id} is {self.state}")
        if today != self.trading_day.day:
            raise RefusedRun(f"run {self.run_id} is for {self.trading_day.day}; today is {today}")
