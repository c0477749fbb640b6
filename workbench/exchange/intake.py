"""Reads an order from a request body and checks everything that can be checked without knowing the account."""

import json
import re
from decimal import Decimal
from typing import Any, Final

from workbench.exchange.figures import PRICE_DIGITS, QTY_DIGITS, exact, money, number
from workbench.exchange.market import Listing
from workbench.exchange.orders import BUY, SELL, Terms
from workbench.exchange.refusal import Refusal
from workbench.exchange.units import PRICE_SCALE, QTY_SCALE

ONE_SHARE: Final = QTY_SCALE
LONGEST_CLIENT_ORDER_ID: Final = 128
_TYPES: Final = frozenset({"market", "limit", "stop", "stop_limit", "trailing_stop"})
_TIMES_IN_FORCE: Final = frozenset({"day", "gtc", "opg", "cls", "ioc", "fok"})
_CLASSES: Final = frozenset({"", "simple", "bracket", "oco", "oto"})
_INTENTS: Final = frozenset({"buy_to_open", "buy_to_close", "sell_to_open", "sell_to_close"})
_SIDES: Final = {"buy": BUY, "sell": SELL}
_LEAST_NOTIONAL: Final = Decimal(1)
_PENNY: Final = PRICE_SCALE // 100
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


def read_terms(body: Body) -> Terms:
    """The order's terms, each field on its own and against the others. Refuses with the broker's words."""
    symbol = _word(body, "symbol")
    if not symbol:
        raise Refusal.parameter("symbol is required")
    side = _SIDES.get(_word(body, "side"))
    kind, force, order_class = _word(body, "type"), _word(body, "time_in_force"), _word(body, "order_class")
    _require_words(side, kind, force, order_class)
    quantity, notional = _size(body)
    take_profit, stop_loss, stop_loss_limit = _legs(body, order_class)
    limit = _price(body, "limit_price", "limit price")
    terms = Terms(
        symbol=symbol,
        side=side or BUY,
        type=kind,
        time_in_force=force,
        quantity=quantity,
        notional=notional,
        # The first leg of a one-cancels-other pair is the order itself.
        limit=take_profit if order_class == "oco" and limit is None else limit,
        stop=_price(body, "stop_price", "stop price"),
        trail_price=_price(body, "trail_price", "trail price"),
        trail_percent=_price(body, "trail_percent", "trail percent", checks_pennies=False),
        extended_hours=_flag(body, "extended_hours"),
        client_order_id=read_client_order_id(body),
        order_class=order_class,
        take_profit=take_profit,
        stop_loss=stop_loss,
        stop_loss_limit=stop_loss_limit,
        position_intent=_one_of(_word(body, "position_intent"), _INTENTS, "position_intent"),
    )
    _require_prices(terms)
    return terms


def check_rules(terms: Terms, listing: Listing) -> None:
    """The rules of asset, session and fractions, which need the listing but not the account."""
    if not listing.tradable:
        raise Refusal.unprocessable(f"asset {terms.symbol} is not tradable")
    if terms.is_fractional:
        _check_fraction(terms, listing)
    if terms.extended_hours and (terms.type != "limit" or terms.time_in_force not in {"day", "gtc"}):
        raise Refusal.unprocessable("extended hours order must be DAY or GTC limit orders")


def read_client_order_id(body: Body) -> str | None:
    """The client's own id; None where it leaves the choice to the broker."""
    value = _word(body, "client_order_id")
    if len(value) > LONGEST_CLIENT_ORDER_ID:
        raise Refusal.parameter("client_order_id must be no more than 128 characters")
    return value or None


def read_price(body: Body, field: str, words: str) -> int | None:
    """A price in price units, on its tick; None where the field is not there."""
    return _price(body, field, words)


def read_quantity(body: Body) -> int | None:
    """A quantity in quantity units; None where the field is not there."""
    value = _decimal(body, "qty")
    if value is None:
        return None
    if value <= 0:
        raise Refusal.parameter("qty must be > 0")
    return _units(value, "qty")


def read_time_in_force(body: Body) -> str | None:
    """A time in force; None where the field is not there."""
    return _one_of(_word(body, "time_in_force"), _TIMES_IN_FORCE, "time_in_force")


def is_symbol(value: str) -> bool:
    """Shaped like a ticker."""
    return _SYMBOL.fullmatch(value) is not None


def _no_constant(name: str) -> Decimal:
    raise ValueError(f"{name} is not JSON")


def _word(body: Body, field: str) -> str:
    value = body.get(field)
    if value is None:
        return ""
    if not isinstance(value, str):
        raise Refusal.malformed()
    return value


def _flag(body: Body, field: str) -> bool:
    value = body.get(field)
    if value is None or isinstance(value, bool):
        return bool(value)
    raise Refusal.malformed()


def _one_of(value: str, allowed: frozenset[str], field: str) -> str | None:
    if value and value not in allowed:
        raise Refusal.parameter(f"invalid {field}")
    return value or None


def _decimal(body: Body, field: str) -> Decimal | None:
    value = body.get(field)
    if value is None:
        return None
    parsed = number(value)
    if parsed is None:
        raise Refusal.malformed()
    return parsed


def _require_words(side: int | None, kind: str, force: str, order_class: str) -> None:
    if side is None:
        raise Refusal.parameter("side must be buy or sell")
    if not kind:
        raise Refusal.parameter("type is required")
    if kind not in _TYPES:
        raise Refusal.parameter("invalid order type")
    if force not in _TIMES_IN_FORCE:
        raise Refusal.parameter("invalid time_in_force" if force else "time_in_force is required")
    if order_class not in _CLASSES:
        raise Refusal.parameter("invalid order_class")


def _size(body: Body) -> tuple[int | None, int | None]:
    quantity, notional = read_quantity(body), _decimal(body, "notional")
    if quantity is None and notional is None:
        raise Refusal.parameter("qty or notional is required")
    if quantity is not None and notional is not None:
        raise Refusal.parameter("only one of qty or notional is accepted")
    if notional is None:
        return quantity, None
    if notional < _LEAST_NOTIONAL:
        raise Refusal.parameter("notional must be >= 1.00")
    _units(notional, "notional")
    return None, money(notional)


def _units(value: Decimal, field: str) -> int:
    try:
        return exact(value, QTY_DIGITS)
    except ValueError as error:
        raise Refusal.parameter(f"{field} must be limited to 9 decimal places") from error


def _price(body: Body, field: str, words: str, *, checks_pennies: bool = True) -> int | None:
    value = _decimal(body, field)
    if value is None:
        return None
    if value <= 0:
        raise Refusal.parameter(f"{words} must be > 0")
    try:
        units = exact(value, PRICE_DIGITS)
    except ValueError as error:
        raise _sub_penny(field, body[field]) from error
    if checks_pennies and units >= PRICE_SCALE and units % _PENNY:
        raise _sub_penny(field, body[field])
    return units


def _sub_penny(field: str, sent: object) -> Refusal:
    return Refusal.unprocessable(
        f"invalid {field} {sent}. sub-penny increment does not fulfill minimum pricing criteria"
    )


def _legs(body: Body, order_class: str) -> tuple[int | None, int | None, int | None]:
    profit, loss = _leg(body, "take_profit"), _leg(body, "stop_loss")
    if order_class in {"", "simple"}:
        if profit or loss:
            raise Refusal.parameter("simple orders must not have take_profit or stop_loss")
        return None, None, None
    prices = (
        _price(profit, "limit_price", "take_profit.limit_price"),
        _price(loss, "stop_price", "stop_loss.stop_price"),
        _price(loss, "limit_price", "stop_loss.limit_price"),
    )
    _require_legs(order_class, prices[0], prices[1])
    return prices


def _leg(body: Body, field: str) -> Body:
    value = body.get(field)
    if value is None:
        return {}
    if not isinstance(value, dict):
        raise Refusal.malformed()
    return value


def _require_legs(order_class: str, profit: int | None, loss: int | None) -> None:
    if order_class == "oto":
        if (profit is None) == (loss is None):
            raise Refusal.parameter("oto orders require either take_profit.limit_price or stop_loss.stop_price")
    elif profit is None:
        raise Refusal.parameter(f"{order_class} orders require take_profit.limit_price")
    elif loss is None:
        raise Refusal.parameter(f"{order_class} orders require stop_loss.stop_price")


def _require_prices(terms: Terms) -> None:
    kind = terms.type
    if kind == "market" and (terms.limit is not None or terms.stop is not None):
        raise Refusal.parameter("market orders require no stop or limit price")
    if terms.has_limit and terms.limit is None:
        raise Refusal.parameter(f"{kind.replace('_', ' ')} orders require a limit price")
    if kind in {"stop", "stop_limit"} and terms.stop is None:
        raise Refusal.parameter(f"{kind.replace('_', ' ')} orders require a stop price")
    if kind == "limit" and terms.stop is not None:
        raise Refusal.parameter("limit orders require no stop price")
    if kind == "stop" and terms.limit is not None:
        raise Refusal.parameter("stop orders require no limit price")
    _require_trail(terms)


def _require_trail(terms: Terms) -> None:
    trails = (terms.trail_price is not None) + (terms.trail_percent is not None)
    if terms.is_trailing and trails != 1:
        raise Refusal.parameter("trailing stop orders require either trail price or trail percent")
    if not terms.is_trailing and trails:
        raise Refusal.parameter(f"{terms.type.replace('_', ' ')} orders require no trail price or trail percent")
    if terms.order_class == "oco" and terms.type != "limit":
        raise Refusal.parameter("oco orders must be limit orders")


def _check_fraction(terms: Terms, listing: Listing) -> None:
    if not listing.fractionable:
        raise Refusal.forbidden(f'asset "{terms.symbol}" is not fractionable')
    if terms.time_in_force != "day":
        raise Refusal.unprocessable("fractional orders must be DAY orders")
    if terms.is_advanced:
        raise Refusal.unprocessable("fractional orders must be simple orders")
    if terms.is_trailing:
        raise Refusal.unprocessable("fractional orders must be market, limit, stop or stop limit orders")
