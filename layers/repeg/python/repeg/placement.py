"""Placing exactly once: intent first, then the request; an unknown outcome is looked up, never guessed.

A successor is sent only after its predecessor is closed as read from the broker, for what is then left.
"""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

from repeg import risk
from repeg.broker import Accepted, Refusal, Refused, Submission
from repeg.ending import ending
from repeg.order import UNRESOLVED, Child, ChildState, Intent, OrderReport, Outcome, ParentOrder, client_order_id
from repeg.peg import Decision, Verb
from repeg.ports import BudgetEntry
from repeg.quote import Quote, shown
from repeg.run import KillSwitch, RunState
from repeg.turn import Turn

# How long an order that the broker does not know yet may still be on its way: only then is the same intent sent again.
# A step that was cut off between intent and request has been ended by its own time limit long before.
UNKNOWN_SETTLES = timedelta(seconds=60)

# A step that is frozen between writing an intent down and sending it lives for its time limit, and its request may then
# be late by as much again: only after both is an order that nobody has seen given up.
UNKNOWN_IS_LOST = timedelta(seconds=120)

# A request takes at most this long to be accepted or to be called unknown.
ANSWER_TIME = timedelta(seconds=5)

# After so many refusals an order is given up; the same request will be refused again.
MAX_REJECTIONS = 3

# A cancel is confirmed by reading; these pauses add up to two seconds, the most that a step waits for one.
CONFIRMATION_PAUSES = (0.1, 0.2, 0.3, 0.6, 0.8)

# Averages are told to a hundredth of a cent.
_PRICE_STEP = Decimal("0.0001")

_PASSING = frozenset({Refusal.FUNDS, Refusal.SHARES, Refusal.OPPOSITE_ORDER})


def read_back(turn: Turn, order: ParentOrder, listed: dict[str, OrderReport]) -> ParentOrder:
    """The order with its open child as the broker tells it now, saved if anything changed.

    `listed` is the list of open orders; what is not in it is asked for by its id, for a list may lag.
    """
    child = order.open_child
    if child is None:
        return order
    report = listed.get(child.client_order_id) or _ask(turn, child)
    if report is None:
        return _missing(turn, order, child)
    seen = _absorb(turn, order, report)
    return turn.ports.store.save_order(seen) if seen != order else order


def send(turn: Turn, order: ParentOrder, decision: Decision, quote: Quote, qty: Decimal) -> ParentOrder:
    """Write the intent of a new child, then send it. Returns the order as stored afterwards.

    An order that has used up its attempts is ended instead: whatever refuses it will go on refusing.
    Raises Conflict or RefusedRun, before anything is sent, where the run, the order or a budget has moved on.
    """
    if not turn.may_send:
        turn.note(order.symbol, "hold", reason="too late in this step to send")
        return order
    if len(order.children) >= turn.run.settings.max_attempts:
        return finish(turn, order, *ending(order, KillSwitch.ACTIVE))
    intent = _intent(turn, order, decision, quote, qty)
    grown = _with_intent(turn, order, intent, decision)
    budgets = _budgets(turn, grown.committed - order.committed)
    stored = turn.ports.store.write_intent(grown, intent, turn.run.epoch, budgets)
    return _record(turn, stored, turn.ports.broker.submit(intent))


def withdraw(turn: Turn, order: ParentOrder) -> ParentOrder:
    """Ask the broker to cancel the open child and read until it is closed, for at most two seconds.

    The order comes back unsaved, its child closed or still `cancelling`; fills that beat the cancel are in it.
    """
    child = order.open_child
    if child is None or child.broker_id is None:
        return order
    turn.ports.broker.cancel(child.broker_id)
    asked = order.with_child(child.becomes(ChildState.CANCELLING))
    for pause in CONFIRMATION_PAUSES:
        turn.ports.runtime.pause(pause)
        report = _ask(turn, child)
        asked = _absorb(turn, asked, report) if report is not None else asked
        if asked.open_child is None:
            return asked
    turn.note(order.symbol, "hold", _limit(child), "cancel not confirmed yet")
    return asked


def finish(turn: Turn, order: ParentOrder, outcome: Outcome, reason: str) -> ParentOrder:
    """End the order with an outcome and save it."""
    average = order.average_price
    price = f" @ {shown(average.quantize(_PRICE_STEP))}" if average is not None else ""
    turn.note(order.symbol, "finish", f"{order.filled} of {order.target}{price}", reason)
    return turn.ports.store.save_order(order.done(outcome, reason))


def _missing(turn: Turn, order: ParentOrder, child: Child) -> ParentOrder:
    """The broker does not know the child (yet). A resting one is only unseen; an unresolved one may be sent again."""
    if child.state not in UNRESOLVED:
        turn.note(order.symbol, "hold", reason=f"the broker does not find {child.client_order_id}")
        return order
    age = turn.now - child.sent_at
    if age < UNKNOWN_SETTLES or not _may_resend(turn):
        turn.note(order.symbol, "hold", reason=f"unknown for {age.total_seconds():.0f}s, not at the broker")
        return order
    intent = next(i for i in turn.ports.store.intents(order.run_id) if i.client_order_id == child.client_order_id)
    turn.note(order.symbol, "resend", f"{intent.side} {intent.qty} @ {_limit(intent)}", "never seen at the broker")
    # Written down first, like an intent: whoever closes the run must know that it may be on its way again.
    again = child.model_copy(update={"resent_at": turn.now})
    order = turn.ports.store.save_order(order.with_child(again))
    answer = turn.ports.broker.submit(intent)
    if isinstance(answer, Refused):
        # The first request may have arrived meanwhile and taken the cash that this one was refused for.
        found = _ask(turn, child)
        answer = Accepted(report=found) if found is not None else answer
    return _record(turn, order, answer)


def _may_resend(turn: Turn) -> bool:
    """Whether the run, as it stands this moment, may still place orders: what a new intent's transaction would ask."""
    run = turn.ports.store.run(turn.run.run_id)
    is_ours = run is not None and run.state is RunState.RUNNING and run.epoch == turn.run.epoch
    return is_ours and turn.may_send and turn.ports.store.kill_switch() is KillSwitch.ACTIVE


def _ask(turn: Turn, child: Child) -> OrderReport | None:
    report = turn.ports.broker.order(child.client_order_id)
    if report is None and child.broker_id is not None:
        return turn.ports.broker.order_by_broker_id(child.broker_id)
    return report


def _absorb(turn: Turn, order: ParentOrder, report: OrderReport) -> ParentOrder:
    """The order with what a report says of its latest child; a fill and a broker's rejection are told."""
    child = order.children[-1]
    seen = child.after(report)
    if seen.filled > child.filled:
        turn.note(
            order.symbol,
            "fill",
            f"{seen.filled - child.filled} @ {_paid(child, seen)}",
            f"{order.filled + seen.filled - child.filled} of {order.target}",
        )
    after = order.with_child(seen)
    if seen.state is ChildState.REJECTED and child.state is not ChildState.REJECTED:
        turn.note(order.symbol, "rejected", _limit(seen), "the broker rejected it after accepting it")
        after = _rejected(after, "rejected by the broker")
    return after


def _record(turn: Turn, order: ParentOrder, answer: Submission) -> ParentOrder:
    """Write down what the broker answered to a submission: accepted, refused, or unknown."""
    child = order.children[-1]
    if isinstance(answer, Accepted):
        return turn.ports.store.save_order(_absorb(turn, order, answer.report))
    if isinstance(answer, Refused):
        turn.note(order.symbol, "refused", answer.refusal, answer.message)
        return turn.ports.store.save_order(_refused(order, child, answer))
    turn.note(order.symbol, "unknown", _limit(child), answer.reason)
    unknown = child if child.state is ChildState.UNKNOWN else child.becomes(ChildState.UNKNOWN, answer.reason)
    return turn.ports.store.save_order(order.with_child(unknown))


def _refused(order: ParentOrder, child: Child, answer: Refused) -> ParentOrder:
    after = order.with_child(child.becomes(ChildState.REFUSED, answer.message))
    if answer.refusal in _PASSING:
        held = "unfunded" if answer.refusal is Refusal.FUNDS else str(answer.refusal)
        return after.model_copy(update={"held": held})
    return _rejected(after, answer.message)


def _rejected(order: ParentOrder, reason: str) -> ParentOrder:
    after = order.model_copy(update={"rejections": order.rejections + 1, "held": "rejected"})
    return after.done(Outcome.REJECTED, reason) if after.rejections >= MAX_REJECTIONS else after


def _intent(turn: Turn, order: ParentOrder, decision: Decision, quote: Quote, qty: Decimal) -> Intent:
    n = order.children[-1].n + 1 if order.children else 1
    return Intent(
        client_order_id=client_order_id(order.run_id, order.symbol, order.side, n),
        symbol=order.symbol,
        side=order.side,
        n=n,
        qty=qty,
        limit=decision.limit,
        notional=risk.notional_of(qty, decision.limit, quote, order.side),
        rung=decision.rung,
        reason=decision.reason,
        quote=quote,
        decided_at=turn.now,
        not_after=turn.run.window.closes - ANSWER_TIME,
    )


def _with_intent(turn: Turn, order: ParentOrder, intent: Intent, decision: Decision) -> ParentOrder:
    child = Child(
        n=intent.n,
        client_order_id=intent.client_order_id,
        qty=intent.qty,
        limit=intent.limit,
        rung=intent.rung,
        decided_at=intent.decided_at,
        notional=intent.notional,
    )
    grown = order.with_child(child)
    return grown.model_copy(
        update={
            "rung": intent.rung,
            "first_placed_at": order.first_placed_at or turn.now,
            "moves": order.moves + (1 if decision.verb is Verb.MOVE else 0),
            "held": "",
            "committed": risk.committed(grown.children),
        }
    )


def _budgets(turn: Turn, notional: Decimal) -> list[BudgetEntry]:
    """What an intent takes from the run's budget and from the day's, which all runs of a day share."""
    settings, day = turn.run.settings, turn.run.trading_day.day
    return [
        BudgetEntry(f"run:{turn.run.run_id}", notional, 1, settings.max_run_notional, settings.max_run_orders),
        BudgetEntry(f"day:{day.isoformat()}", notional, 1, settings.max_day_notional, None),
    ]


def _paid(before: Child, after: Child) -> str:
    """The price of what was filled between two looks, from the two averages; `?` while the broker has no price yet."""
    if after.average_price is None:
        return "?"
    earlier = before.filled * (before.average_price or Decimal(0))
    price = (after.filled * after.average_price - earlier) / (after.filled - before.filled)
    return shown(price.quantize(_PRICE_STEP))


def _limit(of: Child | Intent) -> str:
    return "market" if of.limit is None else shown(of.limit)
