"""One execution of one plan on one trading date."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from enum import StrEnum

from pydantic import AwareDatetime

from repeg.domain.errors import RefusedRun
from repeg.domain.frozen import Frozen
from repeg.domain.order_ids import legacy_prefix
from repeg.domain.plan import OrdersPlan, TargetsPlan
from repeg.domain.report import Report
from repeg.domain.session import TradingDay, TradingWindow, trading_window
from repeg.domain.settings import Settings


class RunState(StrEnum):
    """`running` may place orders; `closing` only closes them; the rest is over."""

    RUNNING = "running"
    CLOSING = "closing"
    CLOSED = "closed"
    SWEPT = "swept"


# Which state may follow which; the same state may be written again. A run that has ended is never reopened, not even by
# the late write of a step that ran twice.
TRANSITIONS: dict[RunState, frozenset[RunState]] = {
    RunState.RUNNING: frozenset({RunState.CLOSING}),
    RunState.CLOSING: frozenset({RunState.CLOSED, RunState.SWEPT}),
    RunState.CLOSED: frozenset(),
    RunState.SWEPT: frozenset(),
}


def may_become(state: RunState) -> list[RunState]:
    """The states from which a run may change to `state`, that state included."""
    return [before for before in RunState if before is state or state in TRANSITIONS[before]]


class KillSwitch(StrEnum):
    """The operator's switch: trade, place no new orders, or cancel all of ours as well."""

    ACTIVE = "active"
    HALT_NEW = "halt_new"
    CANCEL_ALL = "cancel_all"


class Run(Frozen):
    """What a run was opened with, and its present state.

    `owner` is the execution that holds it. `epoch` rises when another execution takes the run over, which fences the
    old one. `opening_equity` is the account's equity in dollars when the run opened; `account_number` is
    the account that it trades in (empty in rows of 0.1.0, whose account is not checked); `fractionable` are the plan's
    symbols that trade in fractions. `may_short`: the broker may accept a sell of more than is held, also in
    rows that lack the field. `is_announced` says that the run's end has been published. `id_prefix` is what its
    client order ids begin with; empty for a run of 0.1.0. `release` is the version of OpenRun that opened it; empty
    where functions have no versions, and in rows that lack it.
    """

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
    account_number: str = ""
    fractionable: tuple[str, ...] = ()
    may_short: bool = True
    report: Report | None = None
    is_announced: bool = False
    id_prefix: str = ""
    release: str = ""

    @property
    def order_prefix(self) -> str:
        """What the client order ids of this run begin with."""
        return self.id_prefix or legacy_prefix(self.run_id)

    @property
    def window(self) -> TradingWindow:
        """When this run's orders may be accepted."""
        return trading_window(
            self.trading_day, self.settings.market_open_delay_minutes, self.settings.close_margin_minutes
        )

    def held_by(self, owner: str, epoch: int) -> Run:
        """This run, held by an owner at an epoch."""
        return self.model_copy(update={"owner": owner, "epoch": epoch})

    def in_state(self, state: RunState, *, is_planned: bool, is_announced: bool) -> Run:
        """This run in another state."""
        return self.model_copy(update={"state": state, "is_planned": is_planned, "is_announced": is_announced})

    def with_report(self, report: Report | None) -> Run:
        """This run with its report, or without one."""
        return self.model_copy(update={"report": report})

    def require_current(self, epoch: int, today: date) -> None:
        """Refuse an outdated turn: of another epoch, of a run that has ended, or of another day. Raises RefusedRun."""
        if epoch != self.epoch:
            raise RefusedRun(f"run {self.run_id} is at epoch {self.epoch}; this execution holds {epoch}")
        if self.state is not RunState.RUNNING:
            raise RefusedRun(f"run {self.run_id} is {self.state}")
        if today != self.trading_day.day:
            raise RefusedRun(f"run {self.run_id} is for {self.trading_day.day}; today is {today}")
