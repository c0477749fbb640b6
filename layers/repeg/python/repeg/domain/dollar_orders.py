"""Orders in dollars: as many whole shares as they pay for at the price that a weight would be sized at."""

from __future__ import annotations

from decimal import ROUND_FLOOR, Decimal

from repeg.domain.errors import InvalidPlan
from repeg.domain.plan import PlanOrder
from repeg.domain.quote import Side


def in_shares(
    field: str, order: PlanOrder, dollars: Decimal, free: Decimal, price: Decimal | None
) -> tuple[Decimal, str]:
    """The shares for an order's dollars, with a note where a sell is cut to the shares that are held and free.

    Zero shares without a price, or if the dollars buy less than one. Raises InvalidPlan for a sell of what is not held.
    """
    if order.side is Side.SELL and free <= 0:
        raise InvalidPlan(f"{field}.notional", dollars, f"no sell of {order.symbol}: none is held and free")
    if price is None or price <= 0:
        return Decimal(0), ""
    shares = (dollars / price).quantize(Decimal(1), ROUND_FLOOR)  # 4.0E+2 is no number of shares on a tape
    if order.side is Side.SELL and dollars > free * price:
        return free, f"all {free.normalize():f} that are held and free, worth less than {dollars} dollars"
    return shares, ""
