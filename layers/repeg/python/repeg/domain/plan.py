"""Plans: a list of orders, or target weights."""

from __future__ import annotations

import re
from collections.abc import Container, Mapping
from datetime import date
from decimal import Decimal
from typing import Any, Literal

from pydantic import Field

from repeg.domain.errors import InvalidPlan
from repeg.domain.frozen import Frozen
from repeg.domain.plan_fields import flag_of, least_zero, notes_of, number_of, object_of, require_only, share_of
from repeg.domain.quote import Side
from repeg.domain.weights import NOISE, tolerated, without_noise

NAME = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")
SYMBOL = re.compile(r"[A-Z]{1,5}(\.[A-Z]{1,2})?")
MAX_NAME_LENGTH = 15
MAX_ORDERS = 1_000
MAX_DECIMALS = 9

EVERYTHING: Literal["all"] = "all"

# Words for cash in weight files. Some are tickers as well: CASH is a bank, USD a leveraged fund.
CASH_WORDS = frozenset(
    {
        "CASH", "MONEY", "DOLLAR", "DOLLARS", "USDOLLAR", "USDOLLARS", "USDCASH", "CASHUSD", "CURUSD", "CASHRESERVE",
        "USD", "EUR", "GBP", "JPY", "CHF", "CAD", "AUD", "CNY", "HKD",
    }
)  # fmt: skip
NO_CASH = 'cash_reserve for cash; to trade the ticker, name it in "confirmed_symbols"'


class PlanOrder(Frozen):
    """One symbol to buy or sell: `qty` in shares, or `all` of what is held (sells only), or `notional` in dollars,
    which become shares when the run is planned."""

    symbol: str
    side: Side
    qty: Decimal | Literal["all"] | None
    notional: Decimal | None = None


class OrdersPlan(Frozen):
    """A plan given as orders."""

    name: str
    orders: tuple[PlanOrder, ...]
    confirmed_symbols: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()


class TargetsPlan(Frozen):
    """A plan given as weights of the account's equity; holdings it does not name are left alone.

    `cash_reserve` is the weight kept in cash; differences under `min_trade_notional` dollars are not traded, and none
    under `min_drift_pct` percent of the equity, or under the symbol's own in `min_drift_pct_of`. With `buy_only`
    nothing is sold, and the buys are scaled to the cash.
    `confirmed_symbols` are tickers that are meant although they read like cash. `notes` say what was tolerated.
    """

    name: str
    targets: dict[str, Decimal]
    cash_reserve: Decimal
    min_trade_notional: Decimal
    min_drift_pct: Decimal = Decimal(0)
    min_drift_pct_of: dict[str, Decimal] = Field(default_factory=dict)
    buy_only: bool = False
    confirmed_symbols: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()

    def drift_band(self, symbol: str) -> Decimal:
        """The drift of a symbol, in percent of the equity, under which it is not traded."""
        return self.min_drift_pct_of.get(symbol, self.min_drift_pct)


Plan = OrdersPlan | TargetsPlan

_OF_TARGETS = {
    "name", "targets", "cash_reserve", "min_trade_notional", "min_drift_pct", "min_drift_pct_of", "buy_only",
    "confirmed_symbols", "notes",
}  # fmt: skip


def parse(raw: object) -> Plan:
    """A plan from its document, as `plan_reading` makes it of any form. Raises InvalidPlan naming the field."""
    fields = object_of("plan", raw)
    name = fields.get("name")
    if not isinstance(name, str) or not NAME.fullmatch(name) or len(name) > MAX_NAME_LENGTH:
        raise InvalidPlan("plan.name", name, f"lower-case letters, digits and hyphens, at most {MAX_NAME_LENGTH}")
    if ("orders" in fields) == ("targets" in fields):
        raise InvalidPlan("plan", sorted(fields), "either orders or targets")
    return _orders_plan(name, fields) if "orders" in fields else _targets_plan(name, fields)


def run_id(name: str, day: date, run_number: int = 1) -> str:
    """The id of a run: plan name and trading date, and `-rN` for an explicit further run of the same day."""
    return f"{name}-{day.isoformat()}" + (f"-r{run_number}" if run_number > 1 else "")


def day_of(run_id: str) -> date:
    """The trading date in a run's id."""
    return date.fromisoformat(re.sub(r"-[rp][0-9a-z]+$", "", run_id)[-10:])


def _orders_plan(name: str, fields: Mapping[str, Any]) -> OrdersPlan:
    require_only("plan", fields, {"name", "orders", "confirmed_symbols", "notes"})
    rows = fields["orders"]
    if not isinstance(rows, list) or not rows:
        raise InvalidPlan("plan.orders", rows, "a list of at least one order")
    if len(rows) > MAX_ORDERS:
        raise InvalidPlan("plan.orders", len(rows), f"at most {MAX_ORDERS} orders")
    confirmed = _confirmed(fields)
    orders = tuple(_order(f"plan.orders[{index}]", row, confirmed) for index, row in enumerate(rows))
    seen: dict[str, Side] = {}
    for index, order in enumerate(orders):
        if order.symbol in seen:
            raise InvalidPlan(
                f"plan.orders[{index}].symbol",
                order.symbol,
                f"each symbol once; the plan already has a {seen[order.symbol]} of it",
            )
        seen[order.symbol] = order.side
    _require_planned(confirmed, seen)
    return OrdersPlan(name=name, orders=orders, confirmed_symbols=confirmed, notes=notes_of(fields))


def _order(field: str, raw: object, confirmed: tuple[str, ...]) -> PlanOrder:
    fields = object_of(field, raw)
    require_only(field, fields, {"symbol", "side", "qty", "notional"})
    symbol = _symbol(f"{field}.symbol", fields.get("symbol"), confirmed)
    side = fields.get("side")
    if side not in ("buy", "sell"):
        raise InvalidPlan(f"{field}.side", side, "buy or sell")
    if "notional" in fields:
        return PlanOrder(symbol=symbol, side=Side(side), qty=None, notional=_dollars(field, fields))
    if fields.get("qty") == EVERYTHING:
        if side != "sell":
            raise InvalidPlan(f"{field}.qty", EVERYTHING, "a number of shares; only a sell may say all")
        return PlanOrder(symbol=symbol, side=Side.SELL, qty=EVERYTHING)
    qty = number_of(f"{field}.qty", fields.get("qty"), "a positive number of shares, or all for a sell")
    if qty <= 0:
        raise InvalidPlan(f"{field}.qty", qty, "a positive number of shares, or all for a sell")
    if qty != round(qty, MAX_DECIMALS):
        raise InvalidPlan(f"{field}.qty", qty, f"at most {MAX_DECIMALS} decimals")
    return PlanOrder(symbol=symbol, side=Side(side), qty=qty)


def _dollars(field: str, fields: Mapping[str, Any]) -> Decimal:
    """The dollars of an order, which has no quantity then. Raises InvalidPlan."""
    expected = "a positive number of dollars, in whole cents"
    if "qty" in fields:
        raise InvalidPlan(f"{field}.qty", fields["qty"], "either qty in shares or notional in dollars")
    notional = number_of(f"{field}.notional", fields["notional"], expected)
    if notional <= 0 or notional != round(notional, 2):
        raise InvalidPlan(f"{field}.notional", notional, expected)
    return notional


def _targets_plan(name: str, fields: Mapping[str, Any]) -> TargetsPlan:
    require_only("plan", fields, _OF_TARGETS)
    rows = object_of("plan.targets", fields["targets"])
    if not 1 <= len(rows) <= MAX_ORDERS:
        raise InvalidPlan("plan.targets", len(rows), f"between 1 and {MAX_ORDERS} symbols")
    confirmed = _confirmed(fields)
    given = {
        _symbol(f"plan.targets.{symbol}", symbol, confirmed): share_of(f"plan.targets.{symbol}", weight)
        for symbol, weight in rows.items()
    }
    _require_planned(confirmed, given)
    given_reserve = share_of("plan.cash_reserve", fields.get("cash_reserve", "0"))
    targets, reserve = {symbol: without_noise(share) for symbol, share in given.items()}, without_noise(given_reserve)
    total = sum(targets.values(), reserve)
    if total > 1 + NOISE:
        raise InvalidPlan("plan.targets", total, "weights and cash_reserve that add up to at most 1")
    return TargetsPlan(
        name=name,
        targets=targets,
        cash_reserve=reserve,
        min_trade_notional=least_zero(
            "plan.min_trade_notional", fields.get("min_trade_notional", "0"), "dollars, zero or more"
        ),
        min_drift_pct=_drift("plan.min_drift_pct", fields.get("min_drift_pct", "0")),
        min_drift_pct_of=_drifts(fields, given),
        buy_only=flag_of("plan.buy_only", fields.get("buy_only", False)),
        confirmed_symbols=confirmed,
        notes=(*notes_of(fields), *tolerated({**given, "cash_reserve": given_reserve}, total)),
    )


def _drift(field: str, raw: object) -> Decimal:
    expected = "percent of the equity, from 0 to 100"
    value = least_zero(field, raw, expected)
    if value > 100:
        raise InvalidPlan(field, value, expected)
    return value


def _drifts(fields: Mapping[str, Any], targets: Container[str]) -> dict[str, Decimal]:
    """The bands of single symbols. Raises InvalidPlan for one without a weight."""
    found = object_of("plan.min_drift_pct_of", fields.get("min_drift_pct_of", {}))
    for symbol in found:
        if symbol not in targets:
            raise InvalidPlan(f"plan.min_drift_pct_of.{symbol}", symbol, "a symbol of the plan's targets")
    return {symbol: _drift(f"plan.min_drift_pct_of.{symbol}", raw) for symbol, raw in found.items()}


def _symbol(field: str, raw: object, confirmed: tuple[str, ...] = ()) -> str:
    if isinstance(raw, str) and raw not in confirmed and letters_of(raw) in CASH_WORDS:
        raise InvalidPlan(field, raw, NO_CASH)
    if not isinstance(raw, str) or not SYMBOL.fullmatch(raw):
        raise InvalidPlan(field, raw, "a ticker such as AAPL or BRK.B")
    return raw


def letters_of(text: str) -> str:
    """The letters of a text in upper case, which say whether it is a word for cash."""
    return "".join(letter for letter in text.upper() if letter.isalpha())


def _confirmed(fields: Mapping[str, Any]) -> tuple[str, ...]:
    """The tickers that a plan insists on."""
    listed = fields.get("confirmed_symbols", [])
    if not isinstance(listed, list):
        raise InvalidPlan("plan.confirmed_symbols", listed, 'a list of tickers, such as ["CASH"]')
    for index, symbol in enumerate(listed):
        if not isinstance(symbol, str) or not SYMBOL.fullmatch(symbol):
            raise InvalidPlan(f"plan.confirmed_symbols[{index}]", symbol, "a ticker such as CASH")
    return tuple(listed)


def _require_planned(confirmed: tuple[str, ...], symbols: Container[str]) -> None:
    for index, symbol in enumerate(confirmed):
        if symbol not in symbols:
            raise InvalidPlan(f"plan.confirmed_symbols[{index}]", symbol, "a symbol of the plan")
