"""An intent's transaction: what it writes, what it is conditional on, and which refusal its failed conditions mean."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal

from repeg.adapters.dynamodb import keys, rows
from repeg.adapters.dynamodb.wire import ABSENT, Action, Check, Condition, Put, Row, Update, Value, leaves_room
from repeg.domain import store_rules
from repeg.domain.errors import RepegError, StoreUnavailable
from repeg.domain.limits import BudgetEntry
from repeg.domain.parent_order import Intent, ParentOrder
from repeg.domain.run import KillSwitch, RunState, may_become

# The places of the actions in the transaction; the budgets follow.
_RUN, _KILL, _INTENT, _ORDER, _BUDGETS = range(5)

_KILL_IS_ACTIVE = Condition("attribute_not_exists(#pk) OR #state = :active", {"active": KillSwitch.ACTIVE.value})


@dataclass(frozen=True)
class IntentWrite:
    """An order as read with a new intent in it, to be written at an epoch against budgets."""

    order: ParentOrder
    intent: Intent
    epoch: int
    budgets: Sequence[BudgetEntry]

    @property
    def actions(self) -> list[Action]:
        """Guards, intent, order, budgets: all or none."""
        guards = [run_is_running(self.order.run_id, self.epoch), Check(keys.KILL, _KILL_IS_ACTIVE)]
        return [*guards, self._new, self._moved, *map(_debit, self.budgets)]

    def refusal(self, found: Mapping[int, Row | None]) -> RepegError | None:
        """What the failed conditions mean, the gravest first; None where this very intent has been written before."""
        refused = refusal_of_run(self.order.run_id, self.epoch, found)
        if refused:
            return refused
        if _KILL in found:
            row = found[_KILL] or {}
            return store_rules.of_kill_switch(str(row.get("state")))
        if (found.get(_INTENT), found.get(_ORDER)) == (self._new.row, self._moved.row):
            return None
        if _INTENT in found:
            return store_rules.other_intent(self.intent.client_order_id)
        if _ORDER in found:
            return store_rules.moved_order(self.order, rows.read_version(found[_ORDER]))
        return self._over_budget(found)

    @property
    def _new(self) -> Put:
        return Put(rows.intent_row(self.order.run_id, self.intent), ABSENT)

    @property
    def _moved(self) -> Put:
        return next_version(self.order)[1]

    def _over_budget(self, found: Mapping[int, Row | None]) -> RepegError:
        for place, entry in enumerate(self.budgets, _BUDGETS):
            refused = store_rules.of_budget(entry, rows.read_spent(found.get(place))) if place in found else None
            if refused:
                return refused
        return StoreUnavailable(f"intent {self.intent.client_order_id} was refused, but no condition says why")


def next_version(order: ParentOrder) -> tuple[ParentOrder, Put]:
    """The order as it will stand, and the write that puts it there if nobody else has moved it since it was read."""
    saved = order.model_copy(update={"version": order.version + 1})
    return saved, Put(rows.order_row(saved), Condition("#version = :read", {"read": order.version}))


def run_is_running(run_id: str, epoch: int) -> Check:
    """The condition that a run is running at an epoch; it goes first in a transaction."""
    running: dict[str, Value] = {"epoch": epoch, "running": RunState.RUNNING.value}
    return Check(keys.guard_key(run_id), Condition("#epoch = :epoch AND #state = :running", running))


def run_is_unplanned(run_id: str, epoch: int) -> Check:
    """The condition that a run is running at an epoch and that nobody has finished its orders yet."""
    running = run_is_running(run_id, epoch)
    unplanned = f"{running.condition.expression} AND #is_planned = :no"
    return Check(running.key, Condition(unplanned, {**running.condition.values, "no": False}))


def state_change(run_id: str, epoch: int, state: RunState) -> Update:
    """The change of a run's state at an epoch, if its table of transitions leads there from the state it is in."""
    befores: dict[str, Value] = {f"before_{n}": before.value for n, before in enumerate(may_become(state))}
    may_follow = f"#epoch = :epoch AND #state IN ({', '.join(f':{name}' for name in befores)})"
    condition = Condition(may_follow, {"epoch": epoch, **befores})
    return Update(keys.guard_key(run_id), "SET #state = :state", {"state": state.value}, condition)


def refusal_of_run(run_id: str, epoch: int, found: Mapping[int, Row | None]) -> RepegError | None:
    """The refusal that the failed condition on a run means, where it is one: a planned run is no refusal."""
    row = found.get(_RUN)
    return store_rules.of_run(run_id, rows.read_guard(row) if row else None, epoch) if _RUN in found else None


def _debit(entry: BudgetEntry) -> Update:
    room: dict[str, Decimal | int] = {}
    if entry.max_notional is not None:
        room["notional"] = entry.max_notional - entry.notional
    if entry.max_orders is not None:
        room["orders"] = entry.max_orders - entry.orders
    amounts: dict[str, Value] = {"notional": entry.notional, "orders": entry.orders}
    return Update(keys.budget_key(entry.key), "ADD #notional :notional, #orders :orders", amounts, leaves_room(room))
