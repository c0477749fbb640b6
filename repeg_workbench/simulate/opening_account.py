"""A simulated day's opening account: by default the shares to sell and little cash, so that sells fund buys."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from decimal import ROUND_CEILING, Decimal, InvalidOperation
from pathlib import Path

from repeg.domain.errors import InvalidInput
from repeg.domain.plan import EVERYTHING, SYMBOL, OrdersPlan, Plan, PlanOrder, TargetsPlan
from repeg.domain.quote import Side
from repeg_workbench.exchange.broker.opening import OpeningAccount
from repeg_workbench.exchange.market.symbol_day import Market
from repeg_workbench.exchange.units import price as dollars

# The position of an order that sells "all", if no positions are given.
SHARES_OF_ALL = Decimal(100)

# The opening cash as a part of the buys; the sells fund the rest.
READY_CASH = Decimal("0.1")

CASH_OF_TARGETS = Decimal(100_000)


@dataclass(frozen=True)
class Holdings:
    """The given holdings: dollars, and shares by symbol; None derives them from the plan."""

    cash: Decimal | None = None
    positions: Mapping[str, Decimal] | None = None


def opening_account(plan: Plan, holdings: Holdings, market: Market, day: date) -> OpeningAccount:
    """The account before the open; positions are valued at the market's reference price."""
    positions = _sold(plan) if holdings.positions is None else holdings.positions
    cash = _cash(plan, market, day) if holdings.cash is None else holdings.cash
    carried = {symbol: (qty, _reference(market, symbol, day)) for symbol, qty in sorted(positions.items())}
    return OpeningAccount(cash=cash, positions=carried)


def read_positions(path: Path) -> dict[str, Decimal]:
    """Shares by symbol from a JSON file such as {"KO": "300"}. Raises InvalidInput naming the invalid field."""
    try:
        raw = json.loads(path.read_text(encoding="utf-8"), parse_float=Decimal, parse_int=Decimal)
    except OSError as error:
        raise InvalidInput("positions", str(path), f"a file that can be read ({error.strerror})") from None
    except ValueError as error:
        raise InvalidInput("positions", str(path), f"JSON ({error})") from None
    if not isinstance(raw, dict):
        raise InvalidInput("positions", str(path), 'an object such as {"KO": "300"}')
    return {_symbol(symbol): _shares(symbol, qty) for symbol, qty in raw.items()}


def _sold(plan: Plan) -> dict[str, Decimal]:
    if isinstance(plan, TargetsPlan):
        return {}
    sells = [order for order in plan.orders if order.side is Side.SELL]
    return {order.symbol: SHARES_OF_ALL if order.qty is None else _shares_of(order) for order in sells}


def _cash(plan: Plan, market: Market, day: date) -> Decimal:
    """Dollars, in whole thousands: a tenth of the buys, or more if the sells do not fund the rest."""
    if not isinstance(plan, OrdersPlan):
        return CASH_OF_TARGETS
    buys, sells = (_worth(plan, side, market, day) for side in (Side.BUY, Side.SELL))
    needed = max(buys * READY_CASH, buys * (1 + READY_CASH) - sells)
    return needed.quantize(Decimal("1e3"), ROUND_CEILING) + 0


def _worth(plan: OrdersPlan, side: Side, market: Market, day: date) -> Decimal:
    orders = [order for order in plan.orders if order.side is side]
    return sum((_worth_of(order, market, day) for order in orders), Decimal(0))


def _worth_of(order: PlanOrder, market: Market, day: date) -> Decimal:
    if order.notional is not None:
        return order.notional
    return _shares_of(order) * _reference(market, order.symbol, day)


def _shares_of(order: PlanOrder) -> Decimal:
    return SHARES_OF_ALL if order.qty == EVERYTHING else Decimal(order.qty or 0)


def _reference(market: Market, symbol: str, day: date) -> Decimal:
    """Dollars; zero for a symbol without a price, which the run refuses later."""
    units = market.reference_price(symbol, day) if market.listing(symbol) is not None else None
    return dollars(units) if units else Decimal(0)


def _symbol(raw: str) -> str:
    if not SYMBOL.fullmatch(raw):
        raise InvalidInput("positions", raw, "a ticker such as AAPL or BRK.B")
    return raw


def _shares(symbol: str, raw: object) -> Decimal:
    try:
        shares = Decimal(str(raw))
    except InvalidOperation:
        shares = Decimal("NaN")
    if isinstance(raw, bool) or not shares.is_finite() or shares <= 0:
        raise InvalidInput(f"positions.{symbol}", raw, "a positive number of shares")
    return shares
