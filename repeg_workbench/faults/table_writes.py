"""What a write over the store's port has left in the table, also where its answer was lost."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from repeg.domain.child_order import ChildState
from repeg.domain.parent_order import ParentOrder
from repeg_workbench.faults.table_service import undisturbed

# The writes of an order as it is by then.
SAVES = frozenset({"save_order", "reserve"})


def was_carried_out(store: Any, name: str, args: tuple[Any, ...]) -> bool:
    """Whether the table has what a failed write was to leave there."""
    checks: dict[str, Callable[[], bool]] = {
        "add_orders": lambda: _is_planned(store, args[0]),
        "write_intent": lambda: args[1] in store.intents(args[0].run_id),
        **dict.fromkeys(SAVES, lambda: _is_newer(store, args[0])),
    }
    if name not in checks:
        return False
    with undisturbed():
        return checks[name]()


def marked_orders(order: ParentOrder) -> list[str]:
    """The broker's ids of the children that an order marks as being cancelled."""
    marked = (child for child in order.children if child.state is ChildState.CANCELLING)
    return [child.broker_id for child in marked if child.broker_id is not None]


def _is_planned(store: Any, run_id: str) -> bool:
    run = store.run(run_id)
    return run is not None and run.is_planned


def _is_newer(store: Any, order: ParentOrder) -> bool:
    return any(o.symbol == order.symbol and o.version > order.version for o in store.orders(order.run_id))
