"""What the broker's lists show of an order that it does not find by its id: its report, or trades that may be its own.

A broker that has executed an order and finds it neither by its id nor in a list still lists the executions, and still
takes the shares of a sell out of the holdings. An order with such a trace is never sent again, and never given up as
one that has not arrived.
"""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal
from functools import cached_property

from repeg.domain.broker import Execution
from repeg.domain.child_order import Child, OrderReport
from repeg.domain.parent_order import ParentOrder
from repeg.domain.quote import Side
from repeg.domain.time_limits import HOLDINGS_AGE
from repeg.workflow.reconciliation import reported
from repeg.workflow.sellable import Holdings, read_holdings
from repeg.workflow.turn import Turn


class BrokerLists:
    """The account's orders and executions of a run's day, and its holdings, each read once, when first asked for."""

    def __init__(self, turn: Turn) -> None:
        self._turn = turn
        self._broker = turn.ports.broker
        self._day = turn.run.trading_day.day

    def report_of(self, order: ParentOrder, child: Child) -> OrderReport | None:
        """The report of a child in the list of the day's orders."""
        return reported(order, child, {each.client_order_id: each for each in self._orders})

    def held(self, symbol: str) -> Decimal:
        """Shares held of a symbol."""
        return self._holdings.of(symbol)

    def unaccounted(self, order: ParentOrder) -> str:
        """What traded an order's symbol on its side in orders that the broker does not show, in words; empty if nothing
        did. Each trade of the account's other orders is in an order that the broker shows."""
        unshown = self._unshown(order)
        traded = _shares(each for each in self._of_others(order) if each.broker_order_id in unshown)
        return f"{traded} traded in an order that the broker does not show" if traded else ""

    def missing(self, order: ParentOrder, child: Child) -> str:
        """How many shares of a sell have left the account since it was decided, in words; empty if all are held, or if
        other orders have sold those that are not, or of a buy."""
        if order.side is Side.BUY:
            return ""
        since = child.decided_at - HOLDINGS_AGE
        sold = _shares(each for each in self._of_others(order) if each.at >= since)
        held = self.held(order.symbol)
        return f"only {held} of {child.qty} are still held" if held + sold < child.qty else ""

    def _of_others(self, order: ParentOrder) -> list[Execution]:
        """Executions of an order's symbol and side that are not of its children."""
        ids = {each.broker_id for each in order.children}
        trades = [each for each in self._executions if (each.symbol, each.side) == (order.symbol, order.side)]
        return [each for each in trades if each.broker_order_id not in ids]

    def _unshown(self, order: ParentOrder) -> set[str]:
        """The ids of the orders of those executions that the broker shows neither in its list, which may lag behind
        theirs, nor by their ids."""
        ids = {each.broker_order_id for each in self._of_others(order)} - {each.broker_id for each in self._orders}
        return {broker_id for broker_id in sorted(ids) if self._broker.order_by_broker_id(broker_id) is None}

    @cached_property
    def _holdings(self) -> Holdings:
        return read_holdings(self._turn)

    @cached_property
    def _orders(self) -> list[OrderReport]:
        return self._broker.orders_since(self._day)

    @cached_property
    def _executions(self) -> list[Execution]:
        return self._broker.executions(self._day)


def _shares(executions: Iterable[Execution]) -> Decimal:
    return sum((each.qty for each in executions), Decimal(0))
