"""What the broker's lists show of an order that it does not find by its id: its report, or trades that may be its own.

A broker that has executed an order and finds it neither by its id nor in a list still lists the executions, and still
takes the shares of a sell out of the holdings. An order with such a trace is never sent again, and never given up as
one that has not arrived.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable
from contextlib import suppress
from decimal import Decimal
from typing import Generic, TypeVar

from repeg.domain.adoption import DATE_ERROR
from repeg.domain.broker import Execution
from repeg.domain.child_order import Child, ChildState, OrderReport
from repeg.domain.errors import BrokerDenied, BrokerUnavailable, RepegError
from repeg.domain.parent_order import ParentOrder
from repeg.domain.quote import Side
from repeg.workflow.reconciliation import reported
from repeg.workflow.sellable import read_holdings
from repeg.workflow.turn import Turn

Answer = TypeVar("Answer")


class Once(Generic[Answer]):
    """A request that is sent when its answer is first asked for. Later calls get the same answer, or the same error."""

    def __init__(self, request: Callable[[], Answer]) -> None:
        self._request = request
        self._outcome: tuple[Answer] | RepegError | None = None

    def __call__(self) -> Answer:
        """The answer. Raises what the request raised."""
        if self._outcome is None:
            try:
                self._outcome = (self._request(),)
            except (BrokerUnavailable, BrokerDenied) as error:
                self._outcome = error
        if isinstance(self._outcome, RepegError):
            raise self._outcome
        (answer,) = self._outcome
        return answer


class BrokerLists:
    """The account's orders and executions of a run's day, and its holdings, each requested once.

    Concurrent workers would each request them, so a list that several orders may need is fetched before.
    """

    def __init__(self, turn: Turn) -> None:
        broker, day = turn.ports.broker, turn.run.trading_day.day
        self._broker = broker
        self._orders = Once(lambda: broker.orders_since(day))
        self._executions = Once(lambda: broker.executions(day))
        self._holdings = Once(lambda: read_holdings(turn))
        self._shown: dict[str, Once[OrderReport | None]] = {}

    def fetch(self, sides: Collection[Side]) -> None:
        """Request what a look for orders of these sides needs. An error is raised only when it is used."""
        requests: list[Callable[[], object]] = [self._orders, self._executions] if sides else []
        if Side.SELL in sides:
            requests.append(self._holdings)
        for request in requests:
            with suppress(BrokerUnavailable, BrokerDenied):
                request()

    @property
    def orders(self) -> list[OrderReport]:
        """Every order of the account that was submitted on the run's day."""
        return self._orders()

    @property
    def executions(self) -> list[Execution]:
        """Every execution of the account on the run's day."""
        return self._executions()

    def held(self, symbol: str) -> Decimal:
        """Shares held of a symbol."""
        return self._holdings().of(symbol)

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
        """Trades since a child was decided that the broker shows no order for, and that no lost child explains."""
        lost = [each for each in order.children if each.state is ChildState.LOST]
        return [
            trade
            for trade in self._doubtful(order, child)
            if not any(_may_be_of(trade, each) for each in lost) and self._by_broker_id(trade.broker_order_id) is None
        ]

    def _doubtful(self, order: ParentOrder, child: Child) -> list[Execution]:
        """Trades since a child was decided, in orders that are neither listed nor known as the order's children."""
        known = {each.broker_id for each in self.orders} | {each.broker_id for each in order.children}
        return [each for each in self._trades_since(order, child) if each.broker_order_id not in known]

    def _trades_since(self, order: ParentOrder, child: Child) -> list[Execution]:
        ours = (order.symbol, order.side)
        return [each for each in self.executions if (each.symbol, each.side) == ours and _may_be_of(each, child)]

    def _by_broker_id(self, broker_id: str) -> OrderReport | None:
        """An order by the broker's id: its list of orders may lag behind that of executions, and has only one day's."""
        request = self._shown.setdefault(broker_id, Once(lambda: self._broker.order_by_broker_id(broker_id)))
        return request()


def _may_be_of(trade: Execution, child: Child) -> bool:
    return trade.at >= child.decided_at - DATE_ERROR


def _shares(executions: Iterable[Execution]) -> Decimal:
    return sum((each.qty for each in executions), Decimal(0))
