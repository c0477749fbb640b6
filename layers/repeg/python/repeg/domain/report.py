"""The report of a run, as it is stored, published and read by other programs."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import BeforeValidator

from repeg.domain.amount import Amount
from repeg.domain.fees import Fees
from repeg.domain.frozen import Frozen
from repeg.domain.market_cost import MarketCost
from repeg.domain.markouts import Markout
from repeg.domain.outcome import Outcome
from repeg.domain.shortfall import Shortfall, Split
from repeg.domain.usage import Usage

# Reports of earlier releases may lack a figure: it is not known then.
_OutcomeOrNone = Annotated[Outcome | None, BeforeValidator(lambda stored: stored or None)]


class OrderRow(Frozen):
    """One order of the report. Prices in dollars, costs in basis points of the arrival mid, positive where we paid.

    A figure that cannot be known is None. `uncosted` says why an order has no shortfall; it is empty too in reports of
    earlier releases, which have neither.
    """

    symbol: str
    side: str
    qty: Amount
    filled_qty: Amount
    average_price: Amount | None
    arrival_mid: Amount | None
    cost_bps: Amount | None
    cost_half_spreads: Amount | None
    moves: int
    children: int
    outcome: _OutcomeOrNone
    reason: str
    seconds_to_fill: Amount | None = None
    spread_captured: Amount | None = None
    last_mid: Amount | None = None
    unfilled_cost: Amount | None = None
    unfilled_cost_bps: Amount | None = None
    note: str = ""
    shortfall: Shortfall | None = None
    uncosted: str = ""
    markouts: tuple[Markout, ...] = ()


class RunCosts(Frozen):
    """What a run cost against its decision prices: the sum of its orders, and what market orders would have cost then.

    `missing` says in words what is not in the sum. `fees` are None for a date whose rates are not known. `books` names
    the feed that the books at the fills were read from after the session; while it is empty, they are those that the
    filled orders were sent on, and the markouts are not measured.
    """

    shortfall: Split | None
    missing: str
    market: tuple[MarketCost, ...]
    fees: Fees | None
    markouts: tuple[Markout, ...]
    books: str


class Totals(Frozen):
    """Sums over the orders of a run that were to trade; costs are weighted by the dollars filled.

    `market_cost_bps` is what market orders at arrival would have cost, if taking costs `crossing_cost` half-spreads of
    the quote; symbols may have assumptions of their own.
    """

    orders: int
    orders_filled: int
    filled_notional: Amount | None
    cost_bps: Amount | None
    market_cost_bps: Amount | None
    executions: int
    unfilled_cost: Amount | None = None
    turns: int = 0
    crossing_cost: Amount | None = None


class Report(Frozen):
    """How a run ended: `outcome` is `settled` or `failed`, `error` the name of what failed, `reason` in words.

    `notes` say what was tolerated in the plan, `feed` whose quotes the run has read. `costs` are None for a preview,
    and in reports of earlier releases. `usage` is estimated, and None where nothing was measured.
    """

    run_id: str
    outcome: str
    error: str
    reason: str
    trading_date: str
    preview: bool
    orders: tuple[OrderRow, ...]
    totals: Totals
    notes: tuple[str, ...] = ()
    feed: str = ""
    costs: RunCosts | None = None
    usage: Usage | None = None

    @property
    def is_settled(self) -> bool:
        """Whether every order has an outcome and every share is accounted for."""
        return self.outcome == "settled"

    @property
    def figures(self) -> tuple[object, ...]:
        """What a correction is measured by: how the run ended, and what each order filled, at which price."""
        rows = tuple((row.symbol, row.filled_qty, row.average_price, row.outcome) for row in self.orders)
        return (self.outcome, self.error, self.totals.executions, rows)

    @property
    def brief(self) -> dict[str, Any]:
        """The figures for an event, as JSON values: how the run ended, its totals, and each order's fills."""
        fields = {"symbol", "filled_qty", "average_price", "outcome"}
        whole = self.as_json()
        rows = [{name: row[name] for name in row if name in fields} for row in whole["orders"]]
        return {**{name: whole[name] for name in ("outcome", "error", "reason", "totals", "costs")}, "orders": rows}

    def as_json(self) -> dict[str, Any]:
        """The report as JSON values: amounts as plain decimal strings."""
        return self.model_dump(mode="json")
