"""The transaction that writes an intent: its writes, its conditions, and the error that each failed condition means."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal

from repeg.adapters.dynamodb import keys, rows
from repeg.adapters.dynamodb.encoding import ABSENT, Action, Check, Condition, Put, Row, Update, Value, at_most
from repeg.domain import store_rules
from repeg.domain.errors import RepegError, StoreUnavailable
from repeg.domain.intent import Intent
from repeg.domain.limits import BudgetEntry
from repeg.domain.parent_order import ParentOrder
from repeg.domain.run import KillSwitch, RunState, may_become

# The indexes of the actions in the transaction; the budgets come last.
_RUN, _KILL, _INTENT, _ORDER, _BUDGETS = range(5)

_KILL_IS_ACTIVE = Condition("attribute_not_exists(#pk) OR #state = :active", {"active": KillSwitch.ACTIVE.value})


@dataclass(frozen=True)
class IntentWrite:
    """An intent to write: the order as read with the new intent in it, the run's epoch, and the budgets to debit."""

    order: ParentOrder
    intent: Intent
    epoch: int
    budgets: Sequence[BudgetEntry]

    @property
    def actions(self) -> list[Action]:
        """Checks of the run and the kill switch, then intent, order and budgets."""
        checks = [run_is_running(self.order.run_id, self.epoch), Check(keys.KILL, _KILL_IS_ACTIVE)]
        return [*checks, self._put_intent, self._put_order, *map(_debit, self.budgets)]

    def refusal(self, found: Mapping[int, Row | None]) -> RepegError | None:
        """The error that the failed conditions mean, the gravest first; None if this same intent is already written."""
        refused = refusal_of_run(self.order.run_id, self.epoch, found)
        if refused:
            return refused
        if _KILL in found:
            row = found[_KILL] or {}
            return store_rules.of_kill_switch(str(row.get("state")))
        if (found.get(_INTENT), found.get(_ORDER)) == (self._put_intent.row, self._put_order.row):
            return None
        if _INTENT in found:
            return store_rules.other_intent(self.intent.client_order_id)
        if _ORDER in found:
            return store_rules.moved_order(self.order, rows.read_version(found[_ORDER]))
        return self._over_budget(found)

    @property
    def _put_intent(self) -> Put:
        return Put(rows.intent_row(self.order.run_id, self.intent), ABSENT)

    @property
    def _put_order(self) -> Put:
        return next_version(self.order)[1]

    def _over_budget(self, found: Mapping[int, Row | None]) -> RepegError:
        for index, entry in enumerate(self.budgets, _BUDGETS):
            refused = store_rules.of_budget(entry, rows.read_spent(found.get(index))) if index in found else None
            if refused:
                return refused
        return StoreUnavailable(f"intent {self.intent.client_order_id} was refused without a failed condition")


def next_version(order: ParentOrder) -> tuple[ParentOrder, Put]:
    """The order with its next version, and the write of it, which fails if the order has changed since it was read."""
    saved = order.next_version()
    return saved, Put(rows.order_row(saved), Condition("#version = :read", {"read": order.version}))


def run_is_running(run_id: str, epoch: int) -> Check:
    """The check that a run is running at an epoch; the first action of a transaction."""
    running: dict[str, Value] = {"epoch": epoch, "running": RunState.RUNNING.value}
    return Check(keys.guard_key(run_id), Condition("#epoch = :epoch AND #state = :running", running))


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
