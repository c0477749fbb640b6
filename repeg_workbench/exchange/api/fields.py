"""Reads single fields of a request body: words, numbers, prices on the tick grid."""

import json
import re
from decimal import Decimal
from typing import Any, Final

from repeg_workbench.exchange.figures import PRICE_DIGITS, QTY_DIGITS, exact, number
from repeg_workbench.exchange.refusal import Refusal
from repeg_workbench.exchange.units import PRICE_SCALE

LONGEST_CLIENT_ORDER_ID: Final = 128
TIMES_IN_FORCE: Final = frozenset({"day", "gtc", "opg", "cls", "ioc", "fok"})
_PENNY: Final = PRICE_SCALE // 100
_LARGEST: Final = Decimal(10) ** 9
_SYMBOL: Final = re.compile(r"[A-Z0-9]{1,12}([./][A-Z0-9]{1,8})?")

Body = dict[str, Any]


def read_body(body: bytes) -> Body:
    """The JSON object in a request's body; decimals keep their digits."""
    try:
        value = json.loads(body, parse_float=Decimal, parse_constant=_no_constant)
    except (ValueError, RecursionError) as error:
        raise Refusal.malformed() from error
    if not isinstance(value, dict):
        raise Refusal.malformed()
    return value


def read_client_order_id(body: Body) -> str | None:
    """The client's id for the order; None if the broker is to choose one."""
    value = read_word(body, "client_order_id")
    if len(value) > LONGEST_CLIENT_ORDER_ID:
        raise Refusal.parameter("client_order_id must be no more than 128 characters")
    return value or None


def read_quantity(body: Body) -> int | None:
    """A quantity in quantity units; None if the field is missing."""
    value = read_number(body, "qty")
    if value is None:
        return None
    if value <= 0:
        raise Refusal.parameter("qty must be > 0")
    return nine_decimals(value, "qty")


def read_time_in_force(body: Body) -> str | None:
    """A time in force; None if the field is missing."""
    return read_choice(body, "time_in_force", TIMES_IN_FORCE)


def read_price(body: Body, field: str, words: str) -> int | None:
    """A price in price units: whole cents, or under a dollar hundredths of a cent; None if the field is missing."""
    units = read_tenthousandths(body, field, words)
    if units is not None and units >= PRICE_SCALE and units % _PENNY:
        raise _sub_penny(field, body[field])
    return units


def read_tenthousandths(body: Body, field: str, words: str) -> int | None:
    """A positive number with up to four decimals, in 1/10,000; None if the field is missing."""
    value = read_number(body, field)
    if value is None:
        return None
    if value <= 0:
        raise Refusal.parameter(f"{words} must be > 0")
    _require_sane(value, words)
    try:
        return exact(value, PRICE_DIGITS)
    except ValueError as error:
        raise _sub_penny(field, body[field]) from error


def read_number(body: Body, field: str) -> Decimal | None:
    """A JSON number or a numeric string; None if the field is missing."""
    value = body.get(field)
    if value is None:
        return None
    parsed = number(value)
    if parsed is None:
        raise Refusal.malformed()
    return parsed


def read_word(body: Body, field: str) -> str:
    """A string; empty if the field is missing."""
    value = body.get(field)
    if value is None:
        return ""
    if not isinstance(value, str):
        raise Refusal.malformed()
    return value


def read_flag(body: Body, field: str) -> bool:
    """True or false; false if the field is missing."""
    value = body.get(field)
    if value is None or isinstance(value, bool):
        return bool(value)
    raise Refusal.malformed()


def read_choice(body: Body, field: str, allowed: frozenset[str]) -> str | None:
    """One of the allowed words; None if the field is missing."""
    value = read_word(body, field)
    if value and value not in allowed:
        raise Refusal.parameter(f"invalid {field}")
    return value or None


def read_object(body: Body, field: str) -> Body:
    """An object; empty if the field is missing."""
    value = body.get(field)
    if value is None:
        return {}
    if not isinstance(value, dict):
        raise Refusal.malformed()
    return value


def nine_decimals(value: Decimal, field: str) -> int:
    """A quantity or an amount with up to nine decimals, in billionths."""
    _require_sane(value, field)
    try:
        return exact(value, QTY_DIGITS)
    except ValueError as error:
        raise Refusal.parameter(f"{field} must be limited to 9 decimal places") from error


def is_symbol(value: str) -> bool:
    """Whether the value has the form of a ticker."""
    return _SYMBOL.fullmatch(value) is not None


def _require_sane(value: Decimal, words: str) -> None:
    if value > _LARGEST:
        raise Refusal.parameter(f"{words} is too large")


def _no_constant(name: str) -> Decimal:
    raise ValueError(f"{name} is not JSON")


def _sub_penny(field: str, sent: object) -> Refusal:
    return Refusal.unprocessable(
        f"invalid {field} {sent}. sub-penny increment does not fulfill minimum pricing criteria"
    )
