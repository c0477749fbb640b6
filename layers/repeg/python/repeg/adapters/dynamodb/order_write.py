"""The transactions that write orders: their writes, their conditions, and the error that a failed condition means."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal

from repeg.adapters.dynamodb import keys, rows
from repeg.adapters.dynamodb.encoding import ABSENT, Action, Check, Condition, Put, Row, Update, Value, at_most
from repeg.domain import store_rules
from repeg.domain.errors import RepegError, StoreUnavailable
from repeg.domain.intent import Intent
from repeg.domain.limits import BudgetEntry
from repeg.domain.parent_order import ParentOrder
from repeg.domain.run import KillSwitch, RunState, may_become
from repeg.domain.time_limits import FUNDING_LEASE

# The first action of every transaction on a run: the check that it is running.
_RUN = 0

# The holder of a lease that was given back.
_FREE = ""

_KILL_IS_ACTIVE = Condition("attribute_not_exists(#pk) OR #state = :active", {"active": KillSwitch.ACTIVE.value})


@dataclass(frozen=True)
class OrderWrite:
    """An order to write under the conditions of trading: the run's epoch, the kill switch, and the budgets to debit.

    `intent` is the new child's, or None for a reservation or a resend. `funded_by` is the holder of the funding lease,
    or empty. `step` is the writer's, which must be the run's latest.
    `needs_arming` adds the condition that live trading is armed when the intent was decided; a reservation sends
    nothing.
    """

    order: ParentOrder
    intent: Intent | None
    epoch: int
    budgets: Sequence[BudgetEntry]
    step: int
    funded_by: str = ""
    needs_arming: bool = False

    @property
    def actions(self) -> list[Action]:
        """Checks of run, kill switch and lease, then intent, order and budgets."""
        return list(self._named.values())

    def refusal(self, found: Mapping[int, Row | None]) -> RepegError | None:
        """The error that the failed conditions mean, the gravest first; None if this same write succeeded before."""
        failed = {name: found[index] for index, name in enumerate(self._named) if index in found}
        refused = self._refusal_of_step(failed)
        if refused:
            return refused
        if "kill" in failed:
            return store_rules.of_kill_switch(str((failed["kill"] or {}).get("state")))
        if "armed" in failed and self.intent is not None:
            return store_rules.of_arming(rows.read_armed_until(failed["armed"]), self.intent.decided_at)
        if self._is_written(failed):
            return None
        if "lease" in failed:
            return store_rules.of_funding(str((failed["lease"] or {}).get("holder", "")), self.funded_by)
        if self.intent is not None and "intent" in failed:
            return store_rules.other_intent(self.intent.client_order_id)
        if "order" in failed:
            return store_rules.moved_order(self.order, rows.read_version(failed["order"]))
        return self._over_budget(failed)

    @property
    def _named(self) -> dict[str, Action]:
        named: dict[str, Action] = {"run": step_is_latest(self.order.run_id, self.epoch, self.step)}
        named["kill"] = Check(keys.KILL, _KILL_IS_ACTIVE)
        if self.needs_arming and self.intent is not None:
            named["armed"] = Check(keys.ARMED, rows.armed_at(self.intent.decided_at))
        if self.funded_by:
            named["lease"] = self._extended_lease
        if self.intent is not None:
            named["intent"] = Put(rows.intent_row(self.order.run_id, self.intent), ABSENT)
        named["order"] = next_version(self.order)[1]
        return named | {f"budget {entry.key}": _debit(entry) for entry in self.budgets}

    @property
    def _extended_lease(self) -> Action:
        held = Condition("#holder = :holder", {"holder": self.funded_by})
        if self.intent is None:
            return Check(keys.FUNDING, held)
        until = (self.intent.decided_at + FUNDING_LEASE).isoformat()
        return Update(keys.FUNDING, "SET #until = :until", {"until": until}, held)

    def _refusal_of_step(self, failed: Mapping[str, Row | None]) -> RepegError | None:
        if "run" not in failed:
            return None
        row = failed["run"]
        return store_rules.of_step(self.order.run_id, rows.read_guard(row) if row else None, self.epoch, self.step)

    def _is_written(self, failed: Mapping[str, Row | None]) -> bool:
        """Whether the rows are as this write leaves them: an earlier attempt succeeded and its answer was lost."""
        puts = {name: action.row for name, action in self._named.items() if isinstance(action, Put)}
        return all(failed.get(name) == row for name, row in puts.items())

    def _over_budget(self, failed: Mapping[str, Row | None]) -> RepegError:
        for entry in self.budgets:
            name = f"budget {entry.key}"
            refused = store_rules.of_budget(entry, rows.read_spent(failed[name])) if name in failed else None
            if refused:
                return refused
        return StoreUnavailable(f"the write of order {self.order.symbol} was refused without a failed condition")


def funding_lease(holder: str, now: datetime, until: datetime) -> Update:
    """Taking or extending the funding lease, if it is free, expired, or the holder's own."""
    is_free = "attribute_not_exists(#holder) OR #holder IN (:holder, :free) OR #until < :now"
    values: dict[str, Value] = {"holder": holder, "until": until.isoformat()}
    condition = Condition(is_free, {"holder": holder, "free": _FREE, "now": now.isoformat()})
    return Update(keys.FUNDING, "SET #holder = :holder, #until = :until", values, condition)


def funding_release(holder: str) -> Update:
    """Giving the funding lease back."""
    return Update(
        keys.FUNDING, "SET #holder = :free", {"free": _FREE}, Condition("#holder = :holder", {"holder": holder})
    )


def credit(entry: BudgetEntry) -> Update:
    """Changing a budget whatever its limits: what an order gives back."""
    return _debit(replace(entry, max_notional=None, max_orders=None))


def next_version(order: ParentOrder) -> tuple[ParentOrder, Put]:
    """The order with its next version, and the write of it, which fails if the order has changed since it was read."""
    saved = order.next_version()
    return saved, Put(rows.order_row(saved), Condition("#version = :read", {"read": order.version}))


def run_is_running(run_id: str, epoch: int) -> Check:
    """The check that a run is running at an epoch; the first action of a transaction."""
    running: dict[str, Value] = {"epoch": epoch, "running": RunState.RUNNING.value}
    return Check(keys.guard_key(run_id), Condition("#epoch = :epoch AND #state = :running", running))


def step_is_latest(run_id: str, epoch: int, step: int) -> Check:
    """The check that a run is running at an epoch, and has begun no later step."""
    running = run_is_running(run_id, epoch)
    is_latest = f"{running.condition.expression} AND #step = :step"
    return Check(running.key, Condition(is_latest, {**running.condition.values, "step": step}))


def step_taken(run_id: str, epoch: int, at: datetime) -> Update:
    """The beginning of a run's next step."""
    running = run_is_running(run_id, epoch)
    values: dict[str, Value] = {"at": at.isoformat(), "one": 1}
    return Update(running.key, "SET #turned_at = :at ADD #step :one", values, running.condition)


def step_kept(run_id: str, epoch: int, step: int, at: datetime) -> Update:
    """A further turn of a run's latest step."""
    latest = step_is_latest(run_id, epoch, step)
    return Update(latest.key, "SET #turned_at = :at", {"at": at.isoformat()}, latest.condition)


def run_is_unplanned(run_id: str, epoch: int) -> Check:
    """The check that a run is running at an epoch and its orders are not complete."""
    running = run_is_running(run_id, epoch)
    unplanned = f"{running.condition.expression} AND #is_planned = :no"
    return Check(running.key, Condition(unplanned, {**running.condition.values, "no": False}))


def state_change(run_id: str, epoch: int, state: RunState) -> Update:
    """The change of a run's state at an epoch, if the transition from its present state is allowed."""
    origins: dict[str, Value] = {f"from_{n}": origin.value for n, origin in enumerate(may_become(state))}
    is_allowed = f"#epoch = :epoch AND #state IN ({', '.join(f':{name}' for name in origins)})"
    condition = Condition(is_allowed, {"epoch": epoch, **origins})
    return Update(keys.guard_key(run_id), "SET #state = :state", {"state": state.value}, condition)


def refusal_of_run(run_id: str, epoch: int, found: Mapping[int, Row | None]) -> RepegError | None:
    """The error that the failed check of a run means; None if it did not fail, or only because the run is planned."""
    row = found.get(_RUN)
    return store_rules.of_run(run_id, rows.read_guard(row) if row else None, epoch) if _RUN in found else None


def _debit(entry: BudgetEntry) -> Update:
    limits: dict[str, Decimal | int] = {}
    if entry.max_notional is not None:
        limits["notional"] = entry.max_notional - entry.notional
    if entry.max_orders is not None:
        limits["orders"] = entry.max_orders - entry.orders
    amounts: dict[str, Value] = {"notional": entry.notional, "orders": entry.orders}
    return Update(keys.budget_key(entry.key), "ADD #notional :notional, #orders :orders", amounts, at_most(limits))
