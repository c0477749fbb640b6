"""What a run would trade and cost, as prices are now: nothing is claimed, written or sent."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from types import MappingProxyType

from repeg.domain.amount import Amount
from repeg.domain.cash_ahead import CashAhead
from repeg.domain.cost_table import CELLS
from repeg.domain.crossing import CrossingCost
from repeg.domain.expected_cost import Expected, expected_cost, movement
from repeg.domain.frozen import Frozen
from repeg.domain.parent_order import ParentOrder
from repeg.domain.quote import Quote
from repeg.domain.setting_types import Policy
from repeg.domain.settings import Settings
from repeg.domain.settings_limits import may_send_at_market
from repeg.domain.sizing_request import SizingRequest

_CENT = Decimal("0.01")
_BASIS_POINT = Decimal("0.0001")
_NONE_EXPECTED: Mapping[str, Expected] = MappingProxyType({})


class OrderEstimate(Frozen):
    """One line of the plan. `price` is the one that it was sized at; amounts in dollars.

    `crossing` is what a market order would pay against the mid of the book, if taking costs `crossing_cost` of its
    half-spreads; None without a two-sided book. `half_spread` are the dollars of one half-spread of it.
    `expected` is what the run's policy is expected to pay against that mid, with the bounds of eight times in ten; None
    where it is not measured: without a book, and under other policies than the default one.
    `held` are the shares held now, of which `free` are reserved by no open order. `weight` is what they are of the
    equity and `wanted` what the plan wants, in percent; None where that is not known, or not a plan of weights.
    `funded` are the shares of a buy that there is cash for once the sells have filled; None for a sell.
    `at_worst` is what the collar allows, None where a market order may be sent. `reason` says why a line would not
    trade; it is empty if it would.
    """

    symbol: str
    side: str
    qty: Amount
    price: Amount
    notional: Amount
    crossing: Amount | None
    at_worst: Amount | None
    reason: str
    note: str
    expected: Expected | None = None
    crossing_cost: Amount | None = None
    half_spread: Amount | None = None
    held: Amount = Decimal(0)
    free: Amount = Decimal(0)
    weight: Amount | None = None
    wanted: Amount | None = None
    funded: Amount | None = None

    def at_crossing_cost(self, measured: Decimal) -> OrderEstimate:
        """This line if taking costs so many half-spreads."""
        if self.half_spread is None:
            return self
        crossing = (self.half_spread * measured).quantize(_CENT)
        return self.model_copy(update={"crossing": crossing, "crossing_cost": measured})

    def of_a_line(self, request: SizingRequest, funded: Decimal | None) -> OrderEstimate:
        """This estimate, with where the account stands in its symbol."""
        holdings, weight = request.holdings, request.weight_of(self.symbol)
        return self.model_copy(
            update={
                "held": holdings.owned(self.symbol),
                "free": holdings.free(self.symbol),
                "weight": None if weight is None else weight.quantize(_CENT),
                "wanted": request.target_of(self.symbol),
                "funded": funded,
            }
        )


class RunEstimate(Frozen):
    """A run that was checked like a start, with its orders and their sums. Times in UTC. `notes` are the plan's.

    `expected` is of the orders that have one; `unestimated` names the others that would trade. `crossing_by` says in
    words what the crossing cost rests on; empty where nobody has looked for a measured one.
    `equity` is what weights are parts of. `is_sized_now` says that the run would size its orders now, on these prices:
    before its window opens prices of any age do for the check.
    """

    run_id: str
    account_number: str
    preview: bool
    is_live: bool
    opens: str
    closes: str
    policy: str
    use_smart_limit_execution: bool
    orders: tuple[OrderEstimate, ...]
    notional: Amount
    crossing: Amount | None
    at_worst: Amount | None
    notes: tuple[str, ...] = ()
    expected: Expected | None = None
    unestimated: tuple[str, ...] = ()
    crossing_by: str = ""
    equity: Amount = Decimal(0)
    cash: CashAhead | None = None
    is_sized_now: bool = False

    def with_crossing_cost(self, found: CrossingCost) -> RunEstimate:
        """This estimate with the account's own crossing cost, if enough has been measured; else the assumed ones."""
        is_known = any(order.half_spread is not None for order in self.orders)
        if found.value is None or not is_known:
            why = found.because if is_known or found.value is None else "this estimate has no half-spreads"
            return self.model_copy(update={"crossing_by": f"assumed: {why}"})
        orders = tuple(order.at_crossing_cost(found.value) for order in self.orders)
        crossing = total([order.crossing for order in orders])
        return self.model_copy(update={"orders": orders, "crossing": crossing, "crossing_by": found.because})


def estimate_order(
    order: ParentOrder, quote: Quote | None, settings: Settings, expected: Expected | None = None
) -> OrderEstimate:
    """The estimate of one parent order, from its quote if there is one, with its expected cost if that is known."""
    is_traded = order.outcome is None
    notional = order.target * order.reference_price if is_traded else Decimal(0)
    has_book = quote is not None and 0 < quote.bid < quote.ask
    half_spread = order.target * quote.spread / 2 if is_traded and quote is not None and has_book else None
    crossing = None if half_spread is None else half_spread * settings.crossing_cost
    return OrderEstimate(
        symbol=order.symbol, side=order.side.value, qty=order.target, price=order.reference_price,
        notional=notional.quantize(_CENT), crossing=None if crossing is None else crossing.quantize(_CENT),
        at_worst=_at_worst(notional, settings),
        reason="" if is_traded else order.reason, note=order.note, expected=expected if is_traded else None,
        crossing_cost=settings.crossing_cost, half_spread=half_spread,
    )  # fmt: skip


def _at_worst(notional: Decimal, settings: Settings) -> Decimal | None:
    """What the collar allows; None where a market order may be sent, which no collar holds."""
    if may_send_at_market(settings):
        return None
    return (notional * settings.max_slippage_bps * _BASIS_POINT).quantize(_CENT)


def estimate_orders(
    orders: Sequence[ParentOrder],
    quotes: Mapping[str, Quote],
    settings: Settings,
    expected: Mapping[str, Expected] = _NONE_EXPECTED,
) -> tuple[OrderEstimate, ...]:
    """The estimates of all orders, each under the settings of its symbol."""
    return tuple(
        estimate_order(o, quotes.get(o.symbol), settings.for_symbol(o.symbol), expected.get(o.symbol)) for o in orders
    )


def expected_costs(
    orders: Sequence[ParentOrder],
    quotes: Mapping[str, Quote],
    past: Mapping[str, Sequence[Quote]],
    now: datetime,
    settings: Settings,
) -> dict[str, Expected]:
    """By symbol, what each order is expected to cost by its book and the quotes of the last minutes, oldest first.

    Absent where it is not known. The table is of the default policy alone.
    """
    cells, found = CELLS.get(settings.data_feed or ""), dict[str, Expected]()
    for order in orders:
        quote, own = quotes.get(order.symbol), settings.for_symbol(order.symbol)
        if cells is None or quote is None or own.trades_at_market or own.policy is not Policy.NORMAL:
            continue
        moved = movement(past.get(order.symbol, ()), now)
        cost = expected_cost(cells, order.side, order.target, quote, moved, now) if order.target > 0 else None
        if cost is not None:
            found[order.symbol] = cost
    return found


def total(amounts: Sequence[Decimal | None]) -> Decimal | None:
    """The sum of what is known; None if nothing is."""
    known = [amount for amount in amounts if amount is not None]
    return sum(known, Decimal(0)) if known else None
