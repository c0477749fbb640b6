"""Planted bugs of orders moved by replace: known ways to miscount a chain's fills or to send it twice."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from repeg.adapters.alpaca import parsing
from repeg.domain import replacement
from repeg.domain.broker import Accepted, Unknown
from repeg.domain.child_order import ChildState
from repeg.domain.parent_order import ParentOrder
from repeg.workflow import in_flight, placement, reconciliation
from repeg_workbench.faults.planted_bugs_in_orders import renamed
from repeg_workbench.faults.planting import Place, PlantedBug


def _inherited_counted(_: Mapping[str, Any]) -> dict[str, Any]:
    return {"own": lambda _turn, _order, _child, report: report}


def _inherited_subtracted(_: Mapping[str, Any]) -> dict[str, Any]:
    """The predecessors' fills are always subtracted from the report, though not every broker includes them."""

    def own(_turn: Any, parent: ParentOrder, child: Any, report: Any) -> Any:
        inherited = sum((each.filled for each in parent.predecessors(child)), Decimal(0))
        return report.model_copy(update={"filled_qty": max(Decimal(0), report.filled_qty - inherited)})

    return {"own": own}


def _replace_resent(old: Mapping[str, Any]) -> dict[str, Any]:
    def record(turn: Any, parent: ParentOrder, answer: Any) -> Any:
        child = parent.children[-1]
        if child.replaces is None or not isinstance(answer, Unknown):
            return old["record"](turn, parent, answer)
        intent = next(i for i in turn.ports.store.intents(parent.run_id) if i.client_order_id == child.client_order_id)
        other = intent.model_copy(update={"client_order_id": f"{child.client_order_id}r"})
        again = turn.ports.broker.replace(parent.predecessors(child)[0].broker_id, other)
        return old["record"](turn, renamed(parent, again), again)

    return {"record": record}


def _old_id_watched(old: Mapping[str, Any]) -> dict[str, Any]:
    """The step keeps polling the replaced order's id; the replacement is orphaned."""

    def record(turn: Any, parent: ParentOrder, answer: Any) -> Any:
        child = parent.children[-1]
        if child.replaces is None or not isinstance(answer, Accepted):
            return old["record"](turn, parent, answer)
        return turn.ports.store.save_order(parent.with_child(child.becomes(ChildState.NEVER_ARRIVED)))

    return {"record": record, "taken_over": lambda _turn, parent, _child, _report: parent}


def _answer_is_the_end_of_the_old(old: Mapping[str, Any]) -> dict[str, Any]:
    """A successful answer to a replace is taken for its completion."""

    def record(turn: Any, parent: ParentOrder, answer: Any) -> Any:
        child = parent.children[-1]
        if child.replaces is None or not isinstance(answer, Accepted):
            return old["record"](turn, parent, answer)
        closed = parent.predecessors(child)[0].becomes(ChildState.REPLACED)
        return old["record"](turn, parent.with_child(closed), answer)

    return {"record": record}


def _missing_replacement_is_lost(_: Mapping[str, Any]) -> dict[str, Any]:
    """A replacement is given up on the first read that does not find it."""

    def unseen(turn: Any, parent: ParentOrder, child: Any, _lists: Any) -> Any:
        return turn.ports.store.save_order(parent.with_child(child.becomes(ChildState.NEVER_ARRIVED)))

    return {"unseen": unseen, "taken_over": lambda _turn, parent, _child, _report: parent}


def _remainder_as_quantity(old: Mapping[str, Any]) -> dict[str, Any]:
    """A partly filled order is replaced too: its remainder is sent as the quantity and its fills are added up."""

    def is_replaceable(parent: ParentOrder, child: Any, decision: Any, settings: Any) -> Any:
        whole = child.model_copy(update={"filled": Decimal(0), "qty": parent.remaining})
        return old["is_replaceable"](parent.with_child(whole), whole, decision, settings)

    def intent(turn: Any, parent: ParentOrder, decision: Any, quote: Any, _: Decimal) -> Any:
        return old["intent"](turn, parent, decision, quote, parent.remaining)

    def fields(intent: Any) -> dict[str, str]:
        return {**old["fields"](intent), "qty": f"{intent.qty:f}"}

    return {"is_replaceable": is_replaceable, "intent": intent, "fields": fields, **_inherited_counted({})}


_OWN: dict[str, Place] = {"own": (reconciliation, "own_fills")}
_RECORD: dict[str, Place] = {"record": (placement, "record_answer")}
_TAKEN_OVER: dict[str, Place] = {"taken_over": (reconciliation, "_follow_replacement")}

REPLACE_BUGS: dict[str, PlantedBug] = {
    "inherited_fills_counted": PlantedBug(
        "a replacement's inherited fills are counted twice", _inherited_counted, _OWN
    ),
    "inherited_fills_subtracted": PlantedBug(
        "a replacement's own fills are taken for inherited",
        _inherited_subtracted,
        _OWN,
        "tests/functions/test_inherited_fills.py::test_a_replacements_own_fills_are_those_of_its_executions",
    ),
    "replace_resent": PlantedBug("a blind retry of PATCH under a new id", _replace_resent, _RECORD),
    "old_id_watched": PlantedBug("the old id is polled after a replace", _old_id_watched, {**_RECORD, **_TAKEN_OVER}),
    "replace_is_done": PlantedBug("PATCH 200 is taken for replaced", _answer_is_the_end_of_the_old, _RECORD),
    "replacement_missing_is_lost": PlantedBug(
        "a replacement is given up on the first 404",
        _missing_replacement_is_lost,
        {"unseen": (in_flight, "_resolve_missing_replacement"), **_TAKEN_OVER},
        seen_by="tests/functions/test_repeg_orders_replace.py::test_a_lost_replace_is_abandoned_after_two_minutes",
    ),
    "remainder_as_quantity": PlantedBug(
        "the remainder is sent as a replacement's quantity",
        _remainder_as_quantity,
        {
            **_OWN,
            "is_replaceable": (replacement, "is_replaceable"),
            "intent": (placement, "new_intent"),
            "fields": (parsing, "change_fields"),
        },
    ),
}
