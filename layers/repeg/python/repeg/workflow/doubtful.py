"""Children that were refused or given up, and that the broker may have all the same."""

from __future__ import annotations

from collections.abc import Sequence

from repeg.domain.child_order import NOT_AT_BROKER, Child, ChildState
from repeg.domain.errors import BrokerDenied, BrokerUnavailable
from repeg.domain.parent_order import ParentOrder
from repeg.workflow.broker_lists import BrokerLists
from repeg.workflow.in_flight import refresh_children
from repeg.workflow.reconciliation import apply_report, book_fills, fetch_report
from repeg.workflow.turn import Turn


def still_missing(turn: Turn, orders: Sequence[ParentOrder]) -> list[ParentOrder]:
    """Those of some waiting orders that another child may follow: the broker has none that was given up or refused.

    An order whose child is found now, or may have traded, or could not be asked about, is left to the next turn.
    """
    unfound: set[str] = set()

    def ask(order: ParentOrder) -> ParentOrder:
        reports = [fetch_report(turn, order, child) for child in _doubtful(order)]
        found = {report.client_order_id: report for report in reports if report is not None}
        if found:
            return refresh_children(turn, order, found)
        unfound.add(order.symbol)
        return order

    asked = turn.each(ask, orders)
    doubtful = [order for order in asked if _doubtful(order)]
    looked, traded = _look_in_lists(turn, doubtful)
    after = {order.symbol: order for order in looked}
    book_fills(turn, orders, [after.get(order.symbol, order) for order in asked])
    return [order for order in orders if order.symbol in unfound - traded]


def _look_in_lists(turn: Turn, orders: Sequence[ParentOrder]) -> tuple[list[ParentOrder], set[str]]:
    """Orders whose children are not found by their ids, after a look for them in the broker's lists; and the symbols of
    those that no other child may follow."""
    lists, left = BrokerLists(turn), set[str]()
    lists.fetch({order.side for order in orders})

    def look(order: ParentOrder) -> ParentOrder:
        try:
            reports = [lists.find(order, child) for child in _doubtful(order)]
            traded = [lists.unaccounted(order, child) for child in _doubtful(order)]
        except (BrokerUnavailable, BrokerDenied):
            if all(child.state is ChildState.REFUSED for child in _doubtful(order)):
                return order  # the broker's refusal stands
            left.add(order.symbol)
            raise
        found = {report.client_order_id: report for report in reports if report is not None}
        if found:
            left.add(order.symbol)
            return refresh_children(turn, order, found)
        if any(traded):
            left.add(order.symbol)
            turn.warn(order.symbol, "hold", reason=f"not sent anew: {', '.join(filter(None, traded))}")
        return order

    return turn.each(look, orders), left


def look_again(turn: Turn, order: ParentOrder, lists: BrokerLists) -> ParentOrder:
    """The order after a look for its refused and given up children in the broker's lists, the latest first: those that
    are there are applied, and one that may have traded is lost. Not saved. Raises what the lists raise."""
    for child in reversed(order.children):
        if child.state not in NOT_AT_BROKER:
            continue
        report = lists.find(order, child)
        if report is not None:
            turn.warn(order.symbol, "late", child.client_order_id, f"{child.state} in our books, at the broker now")
            order = apply_report(turn, order, report)
        elif traded := lists.unaccounted(order, child):
            turn.warn(order.symbol, "lost", child.client_order_id, traded)
            order = order.with_child(child.becomes(ChildState.LOST, traded))
    return order


def _doubtful(order: ParentOrder) -> list[Child]:
    """The closed children that the broker is asked about before another follows them: they may have filled all the
    same. Of those that the broker refused, the last one is asked about: each of them was the last once."""
    last = order.child if not order.was_not_sent else None
    return [
        child
        for child in order.children
        if child.state is ChildState.NEVER_ARRIVED or (child is last and child.state is ChildState.REFUSED)
    ]
