"""Working one order through one turn: decide, then act once."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

from repeg.domain.after_cancel import as_shown, successor
from repeg.domain.child_order import UNRESOLVED, Child, ChildState, Rung
from repeg.domain.dust import MIN_NOTIONAL, is_dust
from repeg.domain.fallback import FALLBACK, priced_from
from repeg.domain.final_outcome import outcome_of
from repeg.domain.outcome import HoldReason, Outcome
from repeg.domain.parent_order import ParentOrder
from repeg.domain.pieces import makes_way, piece
from repeg.domain.price_format import format_limit
from repeg.domain.quote import Quote
from repeg.domain.replacement import is_replaceable
from repeg.domain.run import KillSwitch
from repeg.workflow.cancellation import cancel_children
from repeg.workflow.deciding import (
    VERDICTS,
    decide_next,
    decide_start,
    keep_order,
    market_move_cost,
    note_spread,
    tape_detail,
)
from repeg.workflow.leftovers import has_excess, without_leftovers
from repeg.workflow.placement import (
    attempts_exhausted,
    finish_order,
    hold_too_late,
    replace_order,
    reserve_successor,
    send_order,
)
from repeg.workflow.proposals import NO_FUNDS, Funds, Proposal, is_granted
from repeg.workflow.saving import save_order
from repeg.workflow.sellable import Holdings
from repeg.workflow.turn import Turn


def start_order(
    turn: Turn,
    order: ParentOrder,
    quote: Quote | None,
    qty: Decimal,
    *,
    held: Holdings | None = None,
    funds: Funds = NO_FUNDS,
) -> ParentOrder:
    """Place a waiting order: its first child, or a new one after its last was closed, for `qty` shares.

    `held` are the holdings that a sell is checked against, `funds` the cash that was granted to a buy.
    """
    if order.remaining <= 0:
        return finish_order(turn, order, Outcome.FILLED, "filled")
    if order.held is HoldReason.OWNER:
        return finish_order(turn, order, *outcome_of(order, KillSwitch.ACTIVE))
    if _is_dust_left(order, quote):
        return _finish_with_dust(turn, order)
    if order.retry_at is not None and turn.now < order.retry_at:
        return order
    if not turn.may_send and not turn.run.preview:
        return hold_too_late(turn, order)
    order = note_spread(turn, order, quote)
    decision, ruling = decide_start(turn, order, quote, qty)
    basis = priced_from(order, quote)
    if basis is None or not decision.sends:
        return keep_order(turn, order, decision, quote, ruling)
    if turn.run.preview:
        turn.journal(order.symbol, str(decision.verb), tape_detail(order, decision, qty), decision.because, ruling)
        would = f"would {decision.verb} at {format_limit(decision.limit)}"
        return finish_order(turn, order, Outcome.PREVIEW, would)
    part = piece(order, basis, decision, qty, turn.present, turn.settings(order.symbol))
    detail = tape_detail(order, decision, part)
    return send_order(turn, order, Proposal(decision, basis, part, detail, ruling, held, funds, part < qty))


def work_order(
    turn: Turn,
    order: ParentOrder,
    quote: Quote | None,
    kill: KillSwitch,
    *,
    held: Holdings | None = None,
    funds: Funds = NO_FUNDS,
) -> ParentOrder:
    """Hold, move, cross or finish an order whose children have been read back.

    `held` and `funds` are as in `start_order`; the cash is that for a buy's move to market.
    """
    child = order.open_child
    if order.outcome is not None:
        return without_leftovers(turn, order)
    if child is None and order.remaining <= 0:
        return finish_order(turn, order, Outcome.FILLED, "filled")
    if order.held is HoldReason.OWNER:
        is_open = child is not None
        return without_leftovers(turn, order) if is_open else finish_order(turn, order, *outcome_of(order, kill))
    if has_excess(order):
        turn.warn(order.symbol, "cancel", "", f"more is open than the {max(order.remaining, Decimal(0))} that are left")
        return _place_successor(turn, order, cancel_children(turn, order))
    is_clear = child is not None and child.state not in UNRESOLVED and len(order.open_children) == 1
    if child is None or not is_clear or kill is not KillSwitch.ACTIVE:
        return order
    if attempts_exhausted(turn, order) and child.state is ChildState.LIVE:
        return _leave_last_child(turn, order, child)
    if not turn.may_send:
        return order
    noted = note_spread(turn, order, quote)
    after = _move(turn, noted, child, quote, held, funds)
    return save_order(turn, after) if after is noted and noted is not order else after


def _move(
    turn: Turn, order: ParentOrder, child: Child, quote: Quote | None, held: Holdings | None, funds: Funds
) -> ParentOrder:
    if child.state is ChildState.CANCELLING and not child.is_cancelled_by_us:
        turn.journal(order.symbol, "hold", format_limit(child.limit), "being cancelled at the broker by another hand")
        return order
    decision, ruling = decide_next(turn, order, quote)
    basis, is_held = priced_from(order, quote), decision.reason in VERDICTS
    if basis is not None and (
        decision.reason == FALLBACK or (not is_held and makes_way(order, turn.present, turn.settings(order.symbol)))
    ):
        return _make_way(turn, order, child, Proposal(decision, basis, order.remaining, "", ruling))
    if not decision.sends or quote is None:
        return keep_order(turn, order, decision, quote, ruling)
    detail = tape_detail(order, decision, child.remaining)
    proposal = Proposal(decision, quote, child.remaining, detail, ruling, held, funds, child.is_piece)
    if is_replaceable(order, child, decision, turn.settings(order.symbol)):
        return replace_order(turn, order, child, proposal)
    if not is_granted(order, proposal, child.remaining):
        turn.warn(
            order.symbol,
            "hold",
            format_limit(child.limit),
            f"no cash for a market order, {market_move_cost(turn, order, quote) or 0:.2f} more",
        )
        return save_order(turn, order.released().held_by_book(None)) if order.held is not None else order
    return _replace_by_cancel(turn, order, child, proposal)


def _make_way(turn: Turn, order: ParentOrder, child: Child, proposal: Proposal) -> ParentOrder:
    """Cancel a piece for the whole rest, which is then funded and placed like a first child, in the same turn."""
    reserved = reserve_successor(turn, order, child, proposal)
    if not reserved.reserved_orders:
        return reserved
    turn.journal(order.symbol, "cancel", format_limit(child.limit), f"makes way for the whole rest, {order.remaining}")
    return _place_successor(turn, order, _cancel_reserved(turn, reserved, child))


def _replace_by_cancel(turn: Turn, order: ParentOrder, child: Child, proposal: Proposal) -> ParentOrder:
    """Reserve the successor, cancel the child, send the successor; without room for it the child stays."""
    reserved = reserve_successor(turn, order, child, proposal)
    if not reserved.reserved_orders:
        return reserved
    if turn.run.may_short:
        # Until the cancel nobody else could sell these shares: only holdings that are read afterwards say what is left.
        proposal = replace(proposal, held=None)
    return _place_successor(turn, reserved, _cancel_reserved(turn, reserved, child), proposal)


def _cancel_reserved(turn: Turn, reserved: ParentOrder, child: Child) -> ParentOrder:
    """Cancel a child whose successor is reserved. That has marked the child for this very request, unless an earlier
    turn had. `child` is as it was before."""
    just_marked = (child.n,) if child.last_marked_at is None else ()
    return cancel_children(turn, reserved, just_marked)


def _place_successor(
    turn: Turn, before: ParentOrder, cancelled: ParentOrder, proposal: Proposal | None = None
) -> ParentOrder:
    """Place a child for what the cancelled one left, or finish the order. Does nothing while that one is open."""
    if cancelled.open_child is None and cancelled.remaining <= 0:
        return finish_order(turn, cancelled, Outcome.FILLED, "filled before the cancel")
    qty = _left_of(before, cancelled)
    is_owners = cancelled.held is HoldReason.OWNER
    is_over = cancelled.open_child is not None or cancelled.outcome is not None or is_owners or qty <= 0
    if is_over or proposal is None:
        return save_order(turn, cancelled) if cancelled != before else before
    if _is_dust_left(cancelled, proposal.quote):
        return _finish_with_dust(turn, cancelled)
    return _send_in_its_place(turn, cancelled, replace(proposal, qty=qty))


def _send_in_its_place(turn: Turn, order: ParentOrder, proposal: Proposal) -> ParentOrder:
    """Send a successor, under the policy of looks at what the book shows once our own order is gone from it."""
    settings = turn.settings(order.symbol)
    if not settings.looks or proposal.decision.rung not in {Rung.PASSIVE, Rung.TAKE}:
        return send_order(turn, order, proposal)
    quote = turn.quotes([order]).get(order.symbol)
    shown = as_shown(order, proposal.quote, quote)
    decision, ruling = decide_next(turn, shown, quote)
    if quote is None or decision.reason in VERDICTS:
        kept = keep_order(turn, order, decision, quote, ruling)
        return save_order(turn, order) if kept is order else kept
    decision = successor(order, proposal.decision, decision, settings)
    part = piece(order, quote, decision, proposal.qty, turn.present, settings)
    detail = f"{proposal.detail.partition(' → ')[0]} → {format_limit(decision.limit)}"
    is_piece = proposal.is_piece or part < proposal.qty
    now = replace(proposal, decision=decision, quote=quote, qty=part, detail=detail, ruling=ruling, is_piece=is_piece)
    return send_order(turn, order, now)


def _left_of(before: ParentOrder, cancelled: ParentOrder) -> Decimal:
    """Shares for a successor: what the old child left unfilled.

    That is less than the order still needs if the old child was scaled to the cash: a move brings no new cash.
    """
    asked = {child.n for child in before.open_children}
    left = [child.qty - child.filled for child in cancelled.children if child.n in asked]
    return min([cancelled.remaining, *left])


def _leave_last_child(turn: Turn, order: ParentOrder, child: Child) -> ParentOrder:
    """Leave the last child that the order may have where it is until the run ends; journalled once."""
    if order.held is HoldReason.ATTEMPTS:
        return order
    sent = f"{len(order.children)} orders were sent, and no more may be; this one stays"
    turn.warn(order.symbol, "hold", format_limit(child.limit), sent)
    return save_order(turn, order.on_hold(HoldReason.ATTEMPTS, turn.now))


def _finish_with_dust(turn: Turn, order: ParentOrder) -> ParentOrder:
    """End an order as filled, and say what is left of it."""
    left = f"{order.remaining} left, worth less than the broker's minimum of {MIN_NOTIONAL} dollar"
    return finish_order(turn, order, Outcome.FILLED, left)


def _is_dust_left(order: ParentOrder, quote: Quote | None) -> bool:
    """Whether what remains of a partly filled order is too small for the broker."""
    price = quote.mid if quote is not None and quote.bid > 0 and quote.ask > 0 else order.reference_price
    return order.filled > 0 and is_dust(order.remaining, price)
