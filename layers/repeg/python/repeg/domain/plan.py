"""Plans: a list of orders, or target weights."""

from __future__ import annotations

import re
from collections.abc import Container, Mapping
from datetime import date
from decimal import Decimal, InvalidOperation
from typing import Any, Literal

from repeg.domain.errors import InvalidPlan
from repeg.domain.frozen import Frozen
from repeg.domain.quote import Side
from repeg.domain.weights import NOISE, is_weight, tolerated, without_noise

NAME = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")
SYMBOL = re.compile(r"[A-Z]{1,5}(\.[A-Z]{1,2})?")
MAX_NAME_LENGTH = 15
MAX_ORDERS = 1_000
MAX_NOTES = 30
MAX_NOTE_LENGTH = 400
MAX_DECIMALS = 9
TOO_LARGE = 10**12

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
    """One symbol to buy or sell; `qty` in shares, or `all` of what is held (sells only)."""

    symbol: str
    side: Side
    qty: Decimal | Literal["all"]


class OrdersPlan(Frozen):
    """A plan given as orders."""

    name: str
    orders: tuple[PlanOrder, ...]
    confirmed_symbols: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()


class TargetsPlan(Frozen):
    """A plan given as weights of the account's equity; holdings it does not name are left alone.

    `cash_reserve` is the weight kept in cash; differences under `min_trade_notional` dollars are not traded.
    `confirmed_symbols` are tickers that are meant although they read like cash. `notes` say what was tolerated.
    """

    name: str
    targets: dict[str, Decimal]
    cash_reserve: Decimal
    min_trade_notional: Decimal
    confirmed_symbols: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()


Plan = OrdersPlan | TargetsPlan


def parse(raw: object) -> Plan:
    """A plan from its document, as `plan_reading` makes it of any form. Raises InvalidPlan naming the field."""
    fields = _object("plan", raw)
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
    _only("plan", fields, {"name", "orders", "confirmed_symbols", "notes"})
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
    return OrdersPlan(name=name, orders=orders, confirmed_symbols=confirmed, notes=_notes(fields))


def _order(field: str, raw: object, confirmed: tuple[str, ...]) -> PlanOrder:
    fields = _object(field, raw)
    _only(field, fields, {"symbol", "side", "qty"})
    symbol = _symbol(f"{field}.symbol", fields.get("symbol"), confirmed)
    side = fields.get("side")
    if side not in ("buy", "sell"):
        raise InvalidPlan(f"{field}.side", side, "buy or sell")
    if fields.get("qty") == EVERYTHING:
        if side != "sell":
            raise InvalidPlan(f"{field}.qty", EVERYTHING, "a number of shares; only a sell may say all")
        return PlanOrder(symbol=symbol, side=Side.SELL, qty=EVERYTHING)
    qty = _number(f"{field}.qty", fields.get("qty"), "a positive number of shares, or all for a sell")
    if qty <= 0:
        raise InvalidPlan(f"{field}.qty", qty, "a positive number of shares, or all for a sell")
    if qty != round(qty, MAX_DECIMALS):
        raise InvalidPlan(f"{field}.qty", qty, f"at most {MAX_DECIMALS} decimals")
    return PlanOrder(symbol=symbol, side=Side(side), qty=qty)


def _targets_plan(name: str, fields: Mapping[str, Any]) -> TargetsPlan:
    _only("plan", fields, {"name", "targets", "cash_reserve", "min_trade_notional", "confirmed_symbols", "notes"})
    rows = _object("plan.targets", fields["targets"])
    if not 1 <= len(rows) <= MAX_ORDERS:
        raise InvalidPlan("plan.targets", len(rows), f"between 1 and {MAX_ORDERS} symbols")
    confirmed = _confirmed(fields)
    given = {
        _symbol(f"plan.targets.{symbol}", symbol, confirmed): _share(f"plan.targets.{symbol}", weight)
        for symbol, weight in rows.items()
    }
    _require_planned(confirmed, given)
    given_reserve = _share("plan.cash_reserve", fields.get("cash_reserve", "0"))
    targets, reserve = {symbol: without_noise(share) for symbol, share in given.items()}, without_noise(given_reserve)
    total = sum(targets.values(), reserve)
    if total > 1 + NOISE:
        raise InvalidPlan("plan.targets", total, "weights and cash_reserve that add up to at most 1")
    smallest = _number("plan.min_trade_notional", fields.get("min_trade_notional", "0"), "dollars, zero or more")
    if smallest < 0:
        raise InvalidPlan("plan.min_trade_notional", smallest, "dollars, zero or more")
    return TargetsPlan(
        name=name,
        targets=targets,
        cash_reserve=reserve,
        min_trade_notional=smallest,
        confirmed_symbols=confirmed,
        notes=(*_notes(fields), *tolerated({**given, "cash_reserve": given_reserve}, total)),
    )


def _share(field: str, raw: object) -> Decimal:
    value = _number(field, raw, "a weight between 0 and 1")
    if not is_weight(value):
        raise InvalidPlan(field, value, "a weight between 0 and 1")
    return value


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


def _notes(fields: Mapping[str, Any]) -> tuple[str, ...]:
    """What a reader of the plan's file has changed in it, to be told with the run."""
    listed = fields.get("notes", [])
    if not isinstance(listed, list) or not all(isinstance(note, str) for note in listed) or len(listed) > MAX_NOTES:
        raise InvalidPlan("plan.notes", listed, f"a list of at most {MAX_NOTES} texts")
    return tuple(note[:MAX_NOTE_LENGTH] for note in listed)


def _require_planned(confirmed: tuple[str, ...], symbols: Container[str]) -> None:
    for index, symbol in enumerate(confirmed):
        if symbol not in symbols:
            raise InvalidPlan(f"plan.confirmed_symbols[{index}]", symbol, "a symbol of the plan")


def _number(field: str, raw: object, expected: str) -> Decimal:
    if isinstance(raw, bool) or not isinstance(raw, (str, int, float, Decimal)):
        raise InvalidPlan(field, raw, expected)
    try:
        value = Decimal(str(raw))
    except InvalidOperation:
        raise InvalidPlan(field, raw, expected) from None
    if not value.is_finite():
        raise InvalidPlan(field, raw, expected)
    if abs(value) >= TOO_LARGE:
        raise InvalidPlan(field, raw, f"{expected}, below {TOO_LARGE:,}")
    # 1e3 is a thousand shares: shown and sent as 1000.
    return value.quantize(Decimal(1)) if value == value.to_integral_value() else value


def _object(field: str, raw: object) -> Mapping[str, Any]:
    if not isinstance(raw, Mapping):
        raise InvalidPlan(field, raw, "an object")
    return raw


def _only(field: str, fields: Mapping[str, Any], allowed: set[str]) -> None:
    for name in fields:
        if name not in allowed:
            raise InvalidPlan.unknown_name(field, name, fields[name], sorted(allowed))
