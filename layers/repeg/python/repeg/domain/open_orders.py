"""Open orders of the account and of other runs, as far as they count when weights are sized."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from decimal import Decimal

from repeg.domain.child_order import GIVEN_UP, OrderReport
from repeg.domain.frozen import Frozen
from repeg.domain.order_ids import OrderId
from repeg.domain.parent_order import ParentOrder
from repeg.domain.quote import Side

_NAMED = 3
_NONE = Decimal(0)


class OpenOrders(Frozen):
    """Shares of one symbol that open orders may still buy, and sell, and the orders by name.

    Contingent sells are not included: a stop reserves shares, but does not reduce the holding. `other_stacks` are the
    ids of those that another stack of this program has sent: each may be a piece of an order of unknown size.
    """

    buying: Decimal = Decimal(0)
    selling: Decimal = Decimal(0)
    names: tuple[str, ...] = ()
    other_stacks: tuple[str, ...] = ()

    @property
    def words(self) -> str:
        """The orders by name, the first few of them."""
        return _first_few(self.names)

    @property
    def words_of_other_stacks(self) -> str:
        """The other stacks' orders by id, the first few of them."""
        return _first_few(self.other_stacks)

    def with_order(self, side: Side, qty: Decimal, name: str) -> OpenOrders:
        """These orders and one more."""
        names = (*self.names, f"{side} {qty.normalize():f} {name}")
        if side is Side.BUY:
            return self.model_copy(update={"buying": self.buying + qty, "names": names})
        return self.model_copy(update={"selling": self.selling + qty, "names": names})

    def with_other_stacks(self, client_order_id: str) -> OpenOrders:
        """These orders, of which the one with that id is another stack's."""
        return self.model_copy(update={"other_stacks": (*self.other_stacks, client_order_id)})


NO_ORDERS = OpenOrders()


class GivenUp(Frozen):
    """A child that a run gave up without having seen its end: it may still arrive and fill. Shares not yet filled."""

    symbol: str
    side: Side
    qty: Decimal
    client_order_id: str


def given_up(order: ParentOrder) -> list[GivenUp]:
    """The children of an order that were given up. A replacement is for the shares of the child before it."""
    return [
        GivenUp(
            symbol=order.symbol,
            side=order.side,
            qty=child.qty - child.filled,
            client_order_id=child.client_order_id,
        )
        for child in order.children
        if child.state in GIVEN_UP and child.replaces is None
    ]


def count_open_orders(
    reports: Sequence[OrderReport],
    others: Sequence[ParentOrder],
    prefixes: Mapping[str, str],
    prices: Mapping[str, Decimal],
    unseen: Sequence[GivenUp] = (),
    is_ours: Callable[[OrderId], bool] = lambda _: True,
) -> dict[str, OpenOrders]:
    """The open orders by symbol: what other runs of this stack have yet to fill, every other open order, and in full
    those that were given up `unseen`.

    `others` are the unfinished orders of the other active runs, `prefixes` the prefixes of those runs' ids. Their
    children at the broker are part of what they have yet to fill, and are not counted twice. An order in dollars counts
    at the symbol's price. `is_ours` says of an id of this program whether this stack has sent it.
    """
    by_id = {report.client_order_id: report for report in reports}
    by_broker_id = {report.broker_id: report for report in reports}
    counted: dict[str, OpenOrders] = {}
    for order in others:
        qty = max(_unfilled(order, by_id), _left_open(order, by_broker_id))
        _add(counted, order.symbol, order.side, qty, f"by run {order.run_id}")
    covered = {(prefixes[order.run_id], order.symbol) for order in others}
    theirs = {child.broker_id for order in others for child in order.children}
    for report in reports:
        is_covered = report.order_id is not None and (report.order_id.prefix, report.symbol) in covered
        if is_covered or report.broker_id in theirs or (report.side is Side.SELL and report.is_contingent):
            continue
        _add(counted, report.symbol, report.side, _remaining(report, prices), f"({report.client_order_id})")
        if report.order_id is not None and not is_ours(report.order_id):
            known = counted.get(report.symbol, NO_ORDERS)
            counted[report.symbol] = known.with_other_stacks(report.client_order_id)
    for child in unseen:
        _add(counted, child.symbol, child.side, child.qty, f"({child.client_order_id}, given up unseen)")
    return counted


def _first_few(names: Sequence[str]) -> str:
    more = f" and {len(names) - _NAMED} more" if len(names) > _NAMED else ""
    return ", ".join(names[:_NAMED]) + more


def _add(counted: dict[str, OpenOrders], symbol: str, side: Side, qty: Decimal, name: str) -> None:
    if qty > 0:
        counted[symbol] = counted.get(symbol, NO_ORDERS).with_order(side, qty, name)


def _unfilled(order: ParentOrder, by_id: Mapping[str, OrderReport]) -> Decimal:
    """Shares that a run's order has yet to fill, by the broker's report where it is newer than the stored one."""
    return order.target - sum(_filled(order, by_id), _NONE)


def _left_open(order: ParentOrder, by_broker_id: Mapping[str, OrderReport]) -> Decimal:
    """Shares that a run's order may still fill at the broker: more than it wants if its owner has enlarged it.

    Of a child and its replacement only one can fill."""
    reports = [(child, by_broker_id.get(child.broker_id or "")) for child in order.open_children]
    left = (report.qty - max(child.filled, report.filled_qty) for child, report in reports if report is not None)
    return max(left, default=_NONE)


def _filled(order: ParentOrder, by_id: Mapping[str, OrderReport]) -> Iterable[Decimal]:
    for child in order.children:
        report = by_id.get(child.client_order_id)
        # A replacement's report may include the fills of the orders before it.
        is_newer = report is not None and child.replaces is None and not child.is_closed
        yield max(child.filled, report.filled_qty) if is_newer and report is not None else child.filled


def _remaining(report: OrderReport, prices: Mapping[str, Decimal]) -> Decimal:
    qty = report.qty
    if qty <= 0 and report.notional is not None and prices.get(report.symbol, _NONE) > 0:
        qty = report.notional / prices[report.symbol]
    return qty - report.filled_qty
