"""What market orders at the decision would have cost, at each assumed crossing cost: nobody knows one's own yet."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal

from repeg.domain.amount import Amount, in_cents
from repeg.domain.frozen import Frozen
from repeg.domain.shortfall import Shortfall, in_bps

CROSSING_COSTS = (Decimal("1.0"), Decimal("0.67"), Decimal("0.5"), Decimal("0.33"))
"""Half-spreads that a market order pays; docs/execution-quality.md publishes every cost at each of these."""


class MarketCost(Frozen):
    """Market orders for the whole targets when the run could first trade, if taking costs `crossing_cost` half-spreads:
    dollars, basis points of the targets' worth, and what the run saved against them; None if its cost is not known."""

    crossing_cost: Amount
    dollars: Amount
    bps: Amount | None
    saved: Amount | None


def market_costs(orders: Sequence[tuple[Decimal, Shortfall]]) -> tuple[MarketCost, ...]:
    """The cost at each crossing cost of orders, each with its target in shares."""
    worth = sum((found.worth for _, found in orders), Decimal(0))
    paid = [found.dollars for _, found in orders]
    displayed = sum((shares * found.half_spread for shares, found in orders), Decimal(0))
    known = None if None in paid else sum((each for each in paid if each is not None), Decimal(0))
    return tuple(
        MarketCost(
            crossing_cost=cost, dollars=(dollars := in_cents(cost * displayed)), bps=in_bps(dollars, worth),
            saved=None if known is None else dollars - known,
        )
        for cost in CROSSING_COSTS
    ) if orders else ()  # fmt: skip
