"""What the broker's lists show of an order that it does not find by its id: its report, or trades that may be its own.

A broker that has executed an order and finds it neither by its id nor in a list still lists the executions, and still
takes the shares of a sell out of the holdings. An order with such a trace is never sent again, and never given up as
one that has not arrived.
"""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal
from functools import cached_property

from repeg.domain.adoption import DATE_ERROR
from repeg.domain.broker import Execution
from repeg.domain.child_order import NOT_AT_BROKER, Child, ChildState, OrderReport
from repeg.domain.parent_order import ParentOrder
from repeg.domain.quote import Side
from repeg.workflow.reconciliation import reported
from repeg.workflow.sellable import Holdings, read_holdings
from repeg.workflow.turn import Turn


class BrokerLists:
    """The account's orders and executions of a run's day, and its holdings, each read once, when first asked for."""

    def __init__(self, turn: Turn) -> None:
        self._turn = turn
        self._shown: dict[str, OrderReport | None] = {}

    @cached_property
    def orders(self) -> list[OrderReport]:
        """Every order of the account that was submitted on the run's day."""
        return self._turn.ports.broker.orders_since(self._turn.run.trading_day.day)

    @cached_property
    def executions(self) -> list[Execution]:
        """Every execution of the account on the run's day."""
        return self._turn.ports.broker.executions(self._turn.run.trading_day.day)

    def held(self, symbol: str) -> Decimal:
        """Shares held of a symbol."""
        return self._holdings.of(symbol)

    def find(self, order: ParentOrder, child: Child) -> OrderReport | None:
        """The report of a child that is not found by our id: in the list of the day's orders, or by the broker's id in
        an execution; None if neither has it."""
        listed = reported(order, child, {each.client_order_id: each for each in self.orders})
        if listed is not None:
            return listed
        traded = [self._by_broker_id(each.broker_order_id) for each in self._doubtful(order, child)]
        return reported(order, child, {each.client_order_id: each for each in traded if each is not None})

    def sign_of_a_trade(self, order: ParentOrder, child: Child) -> str:
        """What says that a child which is not found may have traded, in words; empty if nothing does."""
        return self.unaccounted(order, child) or self._missing(order, child)

    def unaccounted(self, order: ParentOrder, child: Child) -> str:
        """What has traded an order's symbol on its side, since a child was decided, in orders that the broker does not
        show, in words; empty if nothing has. The trades of the account's other orders are in orders that it shows."""
        traded = _shares(self._unshown(order, child))
        return f"{traded} traded in an order that the broker does not show" if traded else ""

    def _missing(self, order: ParentOrder, child: Child) -> str:
        """How many shares of a sell have left the account since it was decided, in words; empty if all are held, or if
        other orders have sold those that are not, or of a buy."""
        if order.side is Side.BUY:
            return ""
        held, sold = self.held(order.symbol), _shares(self._trades_since(order, child))
        return f"only {held} of {child.qty} are still held" if held + sold < child.qty else ""

    def _unshown(self, order: ParentOrder, child: Child) -> list[Execution]:
        doubtful = self._doubtful(order, child)
        return [each for each in doubtful if self._by_broker_id(each.broker_order_id) is None]

    def _doubtful(self, order: ParentOrder, child: Child) -> list[Execution]:
        """Trades since a child was decided, in orders that are neither listed nor known as the order's children."""
        known = {each.broker_id for each in self.orders} | {each.broker_id for each in order.children}
        return [each for each in self._trades_since(order, child) if each.broker_order_id not in known]

    def _trades_since(self, order: ParentOrder, child: Child) -> list[Execution]:
        since = child.decided_at - DATE_ERROR
        ours = (order.symbol, order.side)
        return [each for each in self.executions if (each.symbol, each.side) == ours and each.at >= since]

    def _by_broker_id(self, broker_id: str) -> OrderReport | None:
        """An order by the broker's id: its list of orders may lag behind that of executions, and has only one day's."""
        if broker_id not in self._shown:
            self._shown[broker_id] = self._turn.ports.broker.order_by_broker_id(broker_id)
        return self._shown[broker_id]

    @cached_property
    def _holdings(self) -> Holdings:
        return read_holdings(self._turn)


def lose_traded(turn: Turn, order: ParentOrder, lists: BrokerLists) -> ParentOrder:
    """The order, whose children that were refused or given up are lost if they may have traded all the same."""
    for child in order.children:
        traded = lists.unaccounted(order, child) if child.state in NOT_AT_BROKER else ""
        if traded:
            turn.warn(order.symbol, "lost", child.client_order_id, traded)
            order = order.with_child(child.becomes(ChildState.LOST))
    return order


def _shares(executions: Iterable[Execution]) -> Decimal:
    return sum((each.qty for each in executions), Decimal(0))
