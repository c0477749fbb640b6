"""Planted bugs of limits, the kill switch, clocks and closing: a guard that is missing, late, or read only once."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from datetime import timedelta
from decimal import Decimal
from typing import Any, cast

from repeg.adapters.dynamodb import keys, rows
from repeg.adapters.dynamodb.store import DynamoStore
from repeg.domain import pricing, run, session, store_rules
from repeg.domain.parent_order import ParentOrder
from repeg.domain.run import KillSwitch
from repeg.workflow import closing, in_flight, intents, placement, reporting, sweeping, turn, watchdog, working
from repeg_workbench.faults.faulty_ports import CURRENT, UnreliablePort
from repeg_workbench.faults.planting import Edit, Place, PlantedBug, edited
from repeg_workbench.twins import memory_store


def _unconditional_writes(_: Mapping[str, Any]) -> dict[str, Any]:
    return {"unmoved": staticmethod(lambda _order, _found: None)}


def _no_fencing(_: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "guard": lambda _store, _run_id, _epoch: None,
        "may_trade": lambda _run, _epoch, _today: None,
    }


def _no_prefix(_: Mapping[str, Any]) -> dict[str, Any]:
    def cancel_all(_run_id: str, ports: Any) -> list[str]:
        reports = ports.broker.open_orders()
        for report in reports:
            ports.broker.cancel(report.broker_id)
        return [report.client_order_id for report in reports]

    return {"cancel": cancel_all, "prefix": property(lambda _run: "")}


def _early_wake(_: Mapping[str, Any]) -> dict[str, Any]:
    def check(now: Any, window: Any) -> Any:
        early = window.model_copy(update={"opens": window.opens - timedelta(seconds=1)})
        return session.SessionAnswer(
            decision=session.SessionDecision.TRADE if now >= early.opens else session.SessionDecision.WAIT,
            reason="", until=early.opens,
        )  # fmt: skip

    return {"check": check, "may_send": property(lambda _turn: True)}


def _no_deadline(old: Mapping[str, Any]) -> dict[str, Any]:
    def intent(turn: Any, parent: ParentOrder, decision: Any, quote: Any, qty: Decimal) -> Any:
        return old["intent"](turn, parent, decision, quote, qty).model_copy(update={"not_after": None})

    return {"may_send": property(lambda _turn: True), "intent": intent}


def _no_collar(_: Mapping[str, Any]) -> dict[str, Any]:
    return {"inside": lambda _order, price: price}


def _kill_switch_at_start_only(old: Mapping[str, Any]) -> dict[str, Any]:
    def write(store: Any, *given: Any) -> Any:
        state, store._kill_switch = store._kill_switch, KillSwitch.ACTIVE
        try:
            return old["write"](store, *given)
        finally:
            store._kill_switch = state

    def work(turn: Any, parent: ParentOrder, quote: Any, _kill: KillSwitch, **given: Any) -> Any:
        return old["work"](turn, parent, quote, KillSwitch.ACTIVE, **given)

    return {"write": write, "work": work}


def _budget_outside(_: Mapping[str, Any]) -> dict[str, Any]:
    """The budget is checked before the write instead of inside the transaction."""

    def write_down(turn: Any, parent: ParentOrder, grown: ParentOrder, intent: Any, funded_by: str) -> Any:
        taken = intents.budgets(turn, parent, grown)
        for entry in taken:
            _ensure_room(entry, _spent(turn, entry.key))
        boundless = [dataclasses.replace(entry, max_notional=None, max_orders=None) for entry in taken]
        return turn.ports.store.write_intent(grown, intent, turn.run.epoch, boundless, funded_by, turn.step)

    return {"write_down": write_down}


def _spent(turn: Any, key: str) -> store_rules.Spent:
    """What a budget has spent. The store has no such read, so it is one of the seed's own port, with its faults."""
    port: UnreliablePort = turn.ports.store
    return cast(store_rules.Spent, port.to(_Budgets(vars(port)["_inner"])).spent(key))


class _Budgets:
    """Reads the budgets of either kind of table."""

    def __init__(self, store: memory_store.MemoryStore | DynamoStore) -> None:
        self._store = store

    def spent(self, key: str) -> store_rules.Spent:
        """The amounts debited from a budget."""
        if isinstance(self._store, memory_store.MemoryStore):
            return self._store.spent(key)
        return rows.read_spent(self._store._table.read(keys.budget_key(key)))


def _budget_in_memory(_: Mapping[str, Any]) -> dict[str, Any]:
    """Each invocation counts the limit in its own memory, without the orders of earlier invocations."""

    def write_down(turn: Any, parent: ParentOrder, grown: ParentOrder, intent: Any, funded_by: str) -> Any:
        memory = CURRENT.get().memory
        for entry in intents.budgets(turn, parent, grown):
            spent = memory.get(entry.key, store_rules.Spent())
            _ensure_room(entry, spent)
            memory[entry.key] = store_rules.Spent(spent.notional + entry.notional, spent.orders + entry.orders)
        return turn.ports.store.write_intent(grown, intent, turn.run.epoch, [], funded_by, turn.step)

    return {"write_down": write_down}


def _ensure_room(entry: Any, spent: store_rules.Spent) -> None:
    refusal = store_rules.of_budget(entry, spent)
    if refusal is not None:
        raise refusal


def _close_without_cancel(_: Mapping[str, Any]) -> dict[str, Any]:
    return {"close": lambda _turn: closing.Closed([], 0)}


# An order that the first look does not find is given up, and no books are compared after the session.
_NO_LOOK_BACK = (
    Edit(closing, "_give_up_unknown", "if is_there or turn.now - child.sent_at < LOST_AFTER:", "if False:"),
    Edit(in_flight, "_reopen_found", "if child.state not in NOT_AT_BROKER | GIVEN_UP or", "if True or"),
    Edit(watchdog._Pass, "reconcile_ended_runs", "if guard.is_over and", "if False and"),
)

_STORE = memory_store.MemoryStore
_WRITE_DOWN: dict[str, Place] = {"write_down": (placement, "_write_intent")}

GUARD_BUGS: dict[str, PlantedBug] = {
    "published_twice": edited(
        "the run-ended event is published under a new id each time, even if it has been published",
        Edit(reporting, "announce", "if held is None or held.is_announced:", "if held is None:"),
        Edit(reporting, "announce", '{run_id}.ended"', '{run_id}.{ports.runtime.now().timestamp()}"'),
    ),
    "budget_outside": PlantedBug("the budget is checked outside the transaction", _budget_outside, _WRITE_DOWN),
    "budget_in_memory": PlantedBug("the limit is counted in memory", _budget_in_memory, _WRITE_DOWN),
    "unconditional_writes": PlantedBug(
        "updates without a version check",
        _unconditional_writes,
        {"unmoved": (_STORE, "_ensure_unmoved")},
        seen_by="tests/contracts/test_store.py::test_saving_an_order_from_a_stale_version_is_a_conflict",
    ),
    "single_look": edited(
        "the sweep makes a single pass, and nothing looks at the run again",
        Edit(sweeping, "_look_until_empty", "    return left\n", "    return []\n"),
        Edit(sweeping, "_look_until_empty", "range(SWEEP_LOOKS)", "range(1)"),
        *_NO_LOOK_BACK,
        seen_by="tests/functions/test_sweep_orders.py::test_a_sweep_checks_twice_with_a_steps_lifetime_between",
    ),
    "no_prefix": PlantedBug(
        "cancel-all cancels the user's own orders",
        _no_prefix,
        {"cancel": (closing, "cancel_by_prefix"), "prefix": (run.Run, "order_prefix")},
    ),
    "early_wake": PlantedBug(
        "a wait truncated to whole seconds wakes early",
        _early_wake,
        {"check": (session, "check"), "may_send": (turn.Turn, "may_send")},
    ),
    "no_deadline": PlantedBug(
        "no deadline is checked before a request",
        _no_deadline,
        {"may_send": (turn.Turn, "may_send"), "intent": (intents, "new_intent")},
    ),
    "no_collar": PlantedBug("an order chases past its collar", _no_collar, {"inside": (pricing, "inside")}),
    "kill_switch_at_start_only": PlantedBug(
        "the kill switch is read only at the start",
        _kill_switch_at_start_only,
        {"write": (_STORE, "write_intent"), "work": (working, "work_order")},
        "tests/guards/test_kill_switch.py::test_no_order_is_placed_while_the_kill_switch_is_set",
    ),
    "no_fencing": PlantedBug(
        "a fenced step may still write",
        _no_fencing,
        {"guard": (_STORE, "_refusal_of_run"), "may_trade": (run.Run, "require_current")},
        "tests/functions/test_sweep_orders.py::test_the_fenced_execution_cannot_act",
    ),
    "close_without_cancel": PlantedBug(
        "the run closes without cancelling its orders", _close_without_cancel, {"close": (closing, "close_orders")}
    ),
    "unknown_forgotten": edited(
        "closing gives up an order of unknown outcome, and nothing looks at the run again",
        *_NO_LOOK_BACK,
        seen_by="tests/functions/test_close_run_unaccounted.py::test_a_lost_order_is_abandoned_only_after_its_timeout",
    ),
}
