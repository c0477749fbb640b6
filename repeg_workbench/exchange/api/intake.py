"""Reads an order from a request body and makes the checks that do not depend on the account."""

from decimal import Decimal
from typing import Final

from repeg_workbench.exchange.api.fields import (
    TIMES_IN_FORCE,
    Body,
    nine_decimals,
    read_choice,
    read_client_order_id,
    read_flag,
    read_number,
    read_object,
    read_price,
    read_quantity,
    read_tenthousandths,
    read_word,
)
from repeg_workbench.exchange.broker.orders import BUY, SELL, Terms
from repeg_workbench.exchange.figures import money
from repeg_workbench.exchange.market.symbol_day import Listing
from repeg_workbench.exchange.refusal import Refusal
from repeg_workbench.exchange.units import PRICE_SCALE

_TYPES: Final = frozenset({"market", "limit", "stop", "stop_limit", "trailing_stop"})
_CLASSES: Final = frozenset({"", "simple", "bracket", "oco", "oto"})
_INTENTS: Final = frozenset({"buy_to_open", "buy_to_close", "sell_to_open", "sell_to_close"})
_SIDES: Final = {"buy": BUY, "sell": SELL}
_LEAST_NOTIONAL: Final = Decimal(1)
_WHOLE: Final = 100 * PRICE_SCALE
"""100 percent, in 1/10,000 of a percent."""


def read_terms(body: Body) -> Terms:
    """The order's terms, with each field validated alone and against the others. Raises Refusal."""
    symbol = read_word(body, "symbol")
    if not symbol:
        raise Refusal.parameter("symbol is required")
    side = _SIDES.get(read_word(body, "side"))
    kind, force, order_class = read_word(body, "type"), read_word(body, "time_in_force"), read_word(body, "order_class")
    _require_words(side, kind, force, order_class)
    quantity, notional = _size(body)
    take_profit, stop_loss, stop_loss_limit = _legs(body, order_class)
    limit = read_price(body, "limit_price", "limit price")
    terms = Terms(
        symbol=symbol,
        side=side or BUY,
        type=kind,
        time_in_force=force,
        quantity=quantity,
        notional=notional,
        # In a one-cancels-other pair the order itself is the take-profit leg.
        limit=take_profit if order_class == "oco" and limit is None else limit,
        stop=read_price(body, "stop_price", "stop price"),
        trail_price=read_price(body, "trail_price", "trail price"),
        trail_percent=read_tenthousandths(body, "trail_percent", "trail percent"),
        extended_hours=read_flag(body, "extended_hours"),
        client_order_id=read_client_order_id(body),
        order_class=order_class,
        take_profit=take_profit,
        stop_loss=stop_loss,
        stop_loss_limit=stop_loss_limit,
        position_intent=read_choice(body, "position_intent", _INTENTS),
    )
    _require_prices(terms)
    return terms


def check_rules(terms: Terms, listing: Listing) -> None:
    """Check the rules of asset, session and fractions, which depend on the listing but not on the account."""
    if not listing.tradable:
        raise Refusal.unprocessable(f"asset {terms.symbol} is not tradable")
    if terms.is_fractional:
        _check_fraction(terms, listing)
    if terms.extended_hours and (terms.type != "limit" or terms.time_in_force not in {"day", "gtc"}):
        raise Refusal.unprocessable("extended hours order must be DAY or GTC limit orders")


def _require_words(side: int | None, kind: str, force: str, order_class: str) -> None:
    if side is None:
        raise Refusal.parameter("side must be buy or sell")
    if not kind:
        raise Refusal.parameter("type is required")
    if kind not in _TYPES:
        raise Refusal.parameter("invalid order type")
    if force not in TIMES_IN_FORCE:
        raise Refusal.parameter("invalid time_in_force" if force else "time_in_force is required")
    if order_class not in _CLASSES:
        raise Refusal.parameter("invalid order_class")


def _size(body: Body) -> tuple[int | None, int | None]:
    quantity, notional = read_quantity(body), read_number(body, "notional")
    if quantity is None and notional is None:
        raise Refusal.parameter("qty or notional is required")
    if quantity is not None and notional is not None:
        raise Refusal.parameter("only one of qty or notional is accepted")
    if notional is None:
        return quantity, None
    if notional < _LEAST_NOTIONAL:
        raise Refusal.parameter("notional must be >= 1.00")
    nine_decimals(notional, "notional")
    return None, money(notional)


def _legs(body: Body, order_class: str) -> tuple[int | None, int | None, int | None]:
    profit, loss = read_object(body, "take_profit"), read_object(body, "stop_loss")
    if order_class in {"", "simple"}:
        # The real broker accepts a simple order with exits and ignores the exits.
        return None, None, None
    prices = (
        read_price(profit, "limit_price", "take_profit.limit_price"),
        read_price(loss, "stop_price", "stop_loss.stop_price"),
        read_price(loss, "limit_price", "stop_loss.limit_price"),
    )
    _require_legs(order_class, prices[0], prices[1])
    return prices


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
    if terms.trail_percent is not None and terms.trail_percent >= _WHOLE:
        raise Refusal.parameter("trail percent must be < 100")
    if not terms.is_trailing and trails:
        raise Refusal.parameter(f"{terms.type.replace('_', ' ')} orders require no trail price or trail percent")
    if terms.order_class == "oco" and terms.type != "limit":
        raise Refusal.parameter("oco orders must be limit orders")
    if terms.is_advanced and terms.type not in {"market", "limit"}:
        raise Refusal.parameter(f"{terms.order_class} orders must be market or limit orders")


def _check_fraction(terms: Terms, listing: Listing) -> None:
    if not listing.fractionable:
        raise Refusal.forbidden(f'asset "{terms.symbol}" is not fractionable')
    if terms.time_in_force != "day":
        raise Refusal.unprocessable("fractional orders must be DAY orders")
    if terms.is_advanced:
        raise Refusal.unprocessable("fractional orders must be simple orders")
    if terms.is_trailing:
        raise Refusal.unprocessable("fractional orders must be market, limit, stop or stop limit orders")
