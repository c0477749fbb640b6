"""The cash before and after a run, at the prices that its orders were sized at, and which buys it pays for."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal

from repeg.domain.amount import Amount, in_cents
from repeg.domain.frozen import Frozen
from repeg.domain.funding import Need, grant_cash
from repeg.domain.parent_order import ParentOrder
from repeg.domain.plan import TargetsPlan
from repeg.domain.quote import Side
from repeg.domain.sizing_request import SizingRequest


class CashAhead(Frozen):
    """Dollars: what may be spent now, what the plan keeps of it, what sells bring and buys cost, and what is then left.

    `short` is what the buys need beyond that, if every sell has filled by then; they are cut, the largest last.
    """

    before: Amount
    reserve: Amount
    sells: Amount
    buys: Amount
    after: Amount
    short: Amount


def cash_ahead(orders: Sequence[ParentOrder], request: SizingRequest) -> CashAhead:
    """The account's cash before and after these orders, all filled at the prices that they were sized at."""
    sells, buys = (_worth(orders, side) for side in (Side.SELL, Side.BUY))
    before, reserve = request.holdings.spendable, _reserve(request)
    left = before - reserve + sells - buys
    return CashAhead(
        before=in_cents(before),
        reserve=in_cents(reserve),
        sells=in_cents(sells),
        buys=in_cents(buys),
        after=in_cents(left + reserve),
        short=in_cents(max(-left, Decimal(0))),
    )


def affordable_shares(orders: Sequence[ParentOrder], request: SizingRequest) -> dict[str, Decimal]:
    """By symbol, the shares that each buy has cash for once every sell has filled, by the rule that grants it in a run.

    In a run a buy asks for its collar, which is a little more, so one that only just fits may be cut all the same.
    """
    cash = request.holdings.spendable - _reserve(request) + _worth(orders, Side.SELL)
    buys = [order for order in orders if order.side is Side.BUY and order.outcome is None]
    needs = [Need(symbol=o.symbol, qty=o.target, worst_price=o.reference_price) for o in buys]
    return {grant.symbol: grant.qty for grant in grant_cash(needs, cash, Decimal(0))}


def _worth(orders: Sequence[ParentOrder], side: Side) -> Decimal:
    traded = [order for order in orders if order.side is side and order.outcome is None]
    return sum((order.target * order.reference_price for order in traded), Decimal(0))


def _reserve(request: SizingRequest) -> Decimal:
    """Dollars that a plan of weights keeps in cash."""
    plan = request.plan
    return plan.cash_reserve * request.holdings.equity if isinstance(plan, TargetsPlan) else Decimal(0)
