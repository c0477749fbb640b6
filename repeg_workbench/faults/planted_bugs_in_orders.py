"""Planted bugs of placing and reading orders: known ways to send an order twice or to lose a fill."""

from __future__ import annotations

from collections.abc import Container, Mapping
from dataclasses import replace
from decimal import Decimal
from typing import Any

from repeg.adapters.alpaca import broker
from repeg.domain.broker import Accepted, Refusal, Refused, Unknown
from repeg.domain.child_order import Child, ChildState
from repeg.domain.outcome import Outcome
from repeg.domain.parent_order import ParentOrder
from repeg.workflow import cancellation, in_flight, intents, placement, proposals
from repeg_workbench.faults.planting import Place, PlantedBug


def _closed_without_reading(parent: ParentOrder, child: Child) -> ParentOrder:
    return parent.with_child(child.model_copy(update={"state": ChildState.CANCELED}))


def _cancel_is_done(_: Mapping[str, Any]) -> dict[str, Any]:
    def withdraw(turn: Any, parent: ParentOrder, _just_marked: Container[int] = ()) -> ParentOrder:
        for child in [each for each in parent.open_children if each.broker_id is not None and not each.is_owners]:
            turn.ports.broker.cancel(child.broker_id)
            parent = _closed_without_reading(parent, child)
        return parent

    return {"withdraw": withdraw}


def _unread_is_cancelled(old: Mapping[str, Any]) -> dict[str, Any]:
    def withdraw(turn: Any, parent: ParentOrder, just_marked: Container[int] = ()) -> ParentOrder:
        after: ParentOrder = old["withdraw"](turn, parent, just_marked)
        for child in [each for each in after.open_children if each.broker_id is not None and not each.is_owners]:
            after = _closed_without_reading(after, child)
        return after

    return {"withdraw": withdraw}


def renamed(parent: ParentOrder, answer: Any) -> ParentOrder:
    """The order with its latest child under the id that the broker has accepted, whatever id its intent has."""
    if not isinstance(answer, Accepted):
        return parent
    return parent.with_child(parent.children[-1].model_copy(update={"client_order_id": answer.report.client_order_id}))


def _timeout_is_refusal(old: Mapping[str, Any]) -> dict[str, Any]:
    def record(turn: Any, parent: ParentOrder, answer: Any) -> Any:
        if isinstance(answer, Unknown):
            child = parent.children[-1].becomes(ChildState.REFUSED, answer.reason)
            return turn.ports.store.save_order(parent.with_child(child))
        return old["record"](turn, parent, answer)

    return {"record": record}


def _missing_is_lost(_: Mapping[str, Any]) -> dict[str, Any]:
    def missing(turn: Any, parent: ParentOrder, child: Any, _lists: Any) -> Any:
        if child.state in {ChildState.INTENDED, ChildState.UNKNOWN}:
            # As refused, not as given up: what was given up is looked for before another order follows it.
            return turn.ports.store.save_order(parent.with_child(child.refused("not found", may_pass=True)))
        return parent

    return {"missing": missing}


def _last_child_counts(_: Mapping[str, Any]) -> dict[str, Any]:
    return {"filled": property(lambda parent: parent.children[-1].filled if parent.children else Decimal(0))}


def _whole_quantity_again(old: Mapping[str, Any]) -> dict[str, Any]:
    def send(turn: Any, parent: ParentOrder, proposal: proposals.Proposal) -> Any:
        qty = parent.target if parent.children else proposal.qty
        return old["send"](turn, parent, replace(proposal, qty=qty))

    return {"send": send}


def _id_by_the_clock(old: Mapping[str, Any]) -> dict[str, Any]:
    counter = iter(range(10**9))

    def submit(broker: Any, intent: Any) -> Any:
        run = intent.client_order_id.partition(".")[0]
        fresh = f"{run}.{intent.symbol}.{intent.side[0]}.{1_000 + next(counter)}"
        return old["submit"](broker, intent.model_copy(update={"client_order_id": fresh}))

    def record(turn: Any, parent: ParentOrder, answer: Any) -> Any:
        return old["record"](turn, renamed(parent, answer), answer)

    return {"submit": submit, "record": record}


def _post_before_intent(_: Mapping[str, Any]) -> dict[str, Any]:
    def send(turn: Any, parent: ParentOrder, proposal: proposals.Proposal) -> Any:
        intent = intents.new_intent(turn, parent, proposal.decision, proposal.quote, proposal.qty)
        answer = turn.ports.broker.submit(intent)
        grown = intents.with_intent(parent, intent, proposal.decision)
        stored = turn.ports.store.write_intent(grown, intent, turn.run.epoch, [], "", turn.step)
        return placement.record_answer(turn, stored, answer)

    return {"send": send}


def _retry_with_new_id(old: Mapping[str, Any]) -> dict[str, Any]:
    def record(turn: Any, parent: ParentOrder, answer: Any) -> Any:
        if not isinstance(answer, Unknown):
            return old["record"](turn, parent, answer)
        child = parent.children[-1]
        intent = next(i for i in turn.ports.store.intents(parent.run_id) if i.client_order_id == child.client_order_id)
        again = turn.ports.broker.submit(intent.model_copy(update={"client_order_id": f"{child.client_order_id}r"}))
        return old["record"](turn, renamed(parent, again), again)

    return {"record": record}


def _intent_taken_back(old: Mapping[str, Any]) -> dict[str, Any]:
    """As with the idempotency utility: an exception deletes the record, so the next attempt starts from nothing."""

    def record(turn: Any, parent: ParentOrder, answer: Any) -> Any:
        if not isinstance(answer, Unknown):
            return old["record"](turn, parent, answer)
        emptied = parent.model_copy(update={"children": parent.children[:-1], "rejections": parent.rejections})
        return turn.ports.store.save_order(emptied)

    def intent(turn: Any, parent: ParentOrder, decision: Any, quote: Any, qty: Decimal) -> Any:
        made = old["intent"](turn, parent, decision, quote, qty)
        stamp = f"{made.client_order_id}.{round(turn.now.timestamp())}"
        return made.model_copy(update={"client_order_id": stamp})

    return {"record": record, "intent": intent}


def _closed_is_complete(old: Mapping[str, Any]) -> dict[str, Any]:
    """An order that ended at the broker counts as complete, even with a remainder."""

    def read_back(turn: Any, parent: ParentOrder, listed: Any, lists: Any = None) -> Any:
        after = old["read_back"](turn, parent, listed, lists)
        if after.open_child is None and after.children and after.outcome is None:
            return placement.finish_order(
                turn, after.model_copy(update={"target": after.target}), Outcome.FILLED, "done"
            )
        return after

    return {"read_back": read_back}


def _fills_added_up(old: Mapping[str, Any]) -> dict[str, Any]:
    """Each report's cumulative filled quantity is added to the known quantity."""

    def after(child: Any, report: Any) -> Any:
        seen = old["after"](child, report)
        return seen.model_copy(update={"filled": min(child.qty, child.filled + report.filled_qty)})

    return {"after": after}


def _unlisted_is_cancelled(_: Mapping[str, Any]) -> dict[str, Any]:
    """An order missing from the list of open orders is taken for cancelled."""

    def read_back(turn: Any, parent: ParentOrder, listed: Any, _lists: Any = None) -> Any:
        child = parent.open_child
        if child is None:
            return parent
        report = listed.get(child.client_order_id)
        seen = parent.with_child(child.after(report)) if report is not None else _closed_without_reading(parent, child)
        return turn.ports.store.save_order(seen) if seen != parent else parent

    return {"read_back": read_back}


def _accepted_is_filled(old: Mapping[str, Any]) -> dict[str, Any]:
    def record(turn: Any, parent: ParentOrder, answer: Any) -> Any:
        if isinstance(answer, Accepted):
            full = answer.report.model_copy(
                update={"filled_qty": answer.report.qty, "status": "filled", "state": ChildState.FILLED}
            )
            return old["record"](turn, parent, Accepted(report=full))
        return old["record"](turn, parent, answer)

    return {"record": record}


def _refusal_of_a_resend_believed(_: Mapping[str, Any]) -> dict[str, Any]:
    """After an unknown outcome, a refusal of the resend (for cash the first request reserved) ends the attempt."""

    def missing(turn: Any, parent: ParentOrder, child: Any, _lists: Any) -> Any:
        intent = next(i for i in turn.ports.store.intents(parent.run_id) if i.client_order_id == child.client_order_id)
        answer = turn.ports.broker.submit(intent)
        if isinstance(answer, Unknown):
            answer = Refused(refusal=Refusal.OTHER, message=answer.reason)
        return placement.record_answer(turn, parent, answer)

    return {"missing": missing}


_RECORD: dict[str, Place] = {"record": (placement, "record_answer")}
_SEND: dict[str, Place] = {"send": (placement, "send_order")}
_READ_BACK: dict[str, Place] = {"read_back": (in_flight, "refresh_children")}
_WITHDRAW: dict[str, Place] = {"withdraw": (cancellation, "cancel_children")}
_MISSING: dict[str, Place] = {"missing": (in_flight, "_resolve_missing")}

ORDER_BUGS: dict[str, PlantedBug] = {
    "cancel_is_done": PlantedBug("fills during a cancel are not counted", _cancel_is_done, _WITHDRAW),
    "unread_is_cancelled": PlantedBug("a failed read is taken for cancelled", _unread_is_cancelled, _WITHDRAW),
    "timeout_is_refusal": PlantedBug("a submit timeout is taken for a refusal", _timeout_is_refusal, _RECORD),
    "missing_is_lost": PlantedBug("a new id is sent on the first 404", _missing_is_lost, _MISSING),
    "last_child_counts": PlantedBug(
        "only the last child order's fills are counted", _last_child_counts, {"filled": (ParentOrder, "filled")}
    ),
    "whole_quantity_again": PlantedBug("the full quantity is sent after partial fills", _whole_quantity_again, _SEND),
    "id_by_the_clock": PlantedBug(
        "a random client_order_id on every attempt",
        _id_by_the_clock,
        {"submit": (broker.AlpacaBroker, "submit"), **_RECORD},
    ),
    "post_before_intent": PlantedBug("the order is sent before its intent is written", _post_before_intent, _SEND),
    "retry_with_new_id": PlantedBug("a blind retry of POST under a new id", _retry_with_new_id, _RECORD),
    "intent_taken_back": PlantedBug(
        "the intent is deleted on an exception", _intent_taken_back, {**_RECORD, "intent": (intents, "new_intent")}
    ),
    "closed_is_complete": PlantedBug("an expired order with a remainder is dropped", _closed_is_complete, _READ_BACK),
    "fills_added_up": PlantedBug(
        "cumulative fills are added up as if each were new", _fills_added_up, {"after": (Child, "after")}
    ),
    "unlisted_is_cancelled": PlantedBug(
        "an order missing from the open list is taken for cancelled", _unlisted_is_cancelled, _READ_BACK
    ),
    "accepted_is_filled": PlantedBug("an accepted order is taken for filled", _accepted_is_filled, _RECORD),
    "resend_refused": PlantedBug("a refused resend ends the attempt", _refusal_of_a_resend_believed, _MISSING),
}
