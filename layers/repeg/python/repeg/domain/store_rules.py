"""Why the store refuses a write, as rules over the rows it found; for the DynamoDB store and its twin in memory."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal

from repeg.domain.arming import require_armed
from repeg.domain.errors import BudgetSpent, Conflict, DuplicateRun, RefusedRun, RepegError
from repeg.domain.limits import BudgetEntry
from repeg.domain.order_ids import legacy_prefix
from repeg.domain.parent_order import ParentOrder
from repeg.domain.run import KillSwitch, RunState


@dataclass(frozen=True)
class Guard:
    """The part of a run that every write is conditional on. It is readable whatever else is stored of the run.

    `step` numbers the run's steps that may send orders: only the latest one may.
    """

    run_id: str
    owner: str
    epoch: int
    state: str
    is_announced: bool = False
    is_reconciled: bool = False
    account_number: str = ""
    id_prefix: str = ""
    step: int = 0

    @property
    def order_prefix(self) -> str:
        """What the client order ids of the run begin with."""
        return self.id_prefix or legacy_prefix(self.run_id)

    @property
    def is_over(self) -> bool:
        """Whether the run has ended, by closing or by a sweep."""
        return self.state in {RunState.CLOSED, RunState.SWEPT}


@dataclass(frozen=True)
class Spent:
    """What a budget row holds: dollars and orders committed so far."""

    notional: Decimal = Decimal(0)
    orders: int = 0


def raise_if(refusal: RepegError | None) -> None:
    """Raise a refusal, if there is one."""
    if refusal is not None:
        raise refusal from None


def of_step(run_id: str, found: Guard | None, epoch: int, step: int) -> RefusedRun | Conflict | None:
    """Refuse a write of a step that is not its run's latest any more, or that `of_run` refuses."""
    refused = of_run(run_id, found, epoch)
    if refused or found is None or found.step == step:
        return refused
    return Conflict(f"run {run_id} has gone on with step {found.step}; this is step {step}")


def of_run(run_id: str, found: Guard | None, epoch: int) -> RefusedRun | None:
    """Refuse a write for a run that does not exist, is held at another epoch, or is no longer running."""
    if found is None:
        return RefusedRun(f"run {run_id} does not exist")
    if found.epoch != epoch:
        return RefusedRun(f"run {run_id} is at epoch {found.epoch}; this execution holds {epoch}")
    if found.state != RunState.RUNNING:
        return RefusedRun(f"run {run_id} is {found.state}")
    return None


def of_kill_switch(found: str) -> RefusedRun | None:
    """Refuse unless the kill switch is ACTIVE; unknown values count as halted."""
    return None if found == KillSwitch.ACTIVE else RefusedRun(f"the kill switch is {found}")


def of_arming(until: datetime | None, now: datetime) -> RefusedRun | None:
    """Refuse an order of a live stack that is not armed."""
    try:
        require_armed(until, now)
    except RefusedRun as refused:
        return refused
    return None


def of_budget(entry: BudgetEntry, spent: Spent) -> BudgetSpent | None:
    """Refuse an amount that would take a budget over its limit."""
    if entry.max_notional is not None and spent.notional + entry.notional > entry.max_notional:
        return BudgetSpent(
            f"budget {entry.key}: {spent.notional} dollars of {entry.max_notional} are committed; "
            f"{entry.notional} more do not fit"
        )
    if entry.max_orders is not None and spent.orders + entry.orders > entry.max_orders:
        return BudgetSpent(
            f"budget {entry.key}: {spent.orders} orders of {entry.max_orders} are committed; "
            f"{entry.orders} more do not fit"
        )
    return None


def of_funding(held_by: str, holder: str) -> RefusedRun | None:
    """Refuse a buy whose funding lease has passed to another holder."""
    return (
        None
        if held_by == holder
        else RefusedRun(f"the funding lease is held by {held_by or 'no run'}, not by {holder}")
    )


def duplicate(run_id: str, owner: str) -> DuplicateRun:
    """The run belongs to another execution."""
    return DuplicateRun(f"run {run_id} is owned by {owner}")


def no_such_run(run_id: str) -> Conflict:
    """The run of a write is not in the table."""
    return Conflict(f"run {run_id} does not exist")


def moved_run(run_id: str, found: Guard, epoch: int) -> Conflict:
    """The run is at another epoch."""
    return Conflict(f"run {run_id} is at epoch {found.epoch}, owned by {found.owner}; this execution holds {epoch}")


def of_state_change(run_id: str, found: Guard, epoch: int, state: RunState) -> Conflict:
    """The run is at another epoch, or in a state that cannot change to the requested one."""
    if found.epoch != epoch:
        return moved_run(run_id, found, epoch)
    return Conflict(f"run {run_id} is {found.state}; it cannot become {state}")


def moved_order(order: ParentOrder, found_version: int | None) -> Conflict:
    """The order has been changed since it was read."""
    where = "does not exist" if found_version is None else f"is at version {found_version}"
    return Conflict(f"order {order.run_id} {order.symbol} {where}; version {order.version} was read")


def moved_planning(day: date, found: int, read: int) -> Conflict:
    """Another run of the date has been planned since the planning version was read."""
    return Conflict(f"the plans of {day} are at version {found}; version {read} was read")


def other_intent(client_order_id: str) -> Conflict:
    """Another intent is stored under that id."""
    return Conflict(f"intent {client_order_id} is on the table with other contents")
