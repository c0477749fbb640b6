"""The trading API's JSON for orders and executions: strings with trimmed decimals."""

from dataclasses import fields
from operator import attrgetter
from typing import Any, Final

from repeg_workbench.exchange.broker.ledger import Execution
from repeg_workbench.exchange.broker.orders import BUY, Order
from repeg_workbench.exchange.broker_quirks import BrokerQuirks
from repeg_workbench.exchange.figures import average_text, money_text, price_text, qty_text
from repeg_workbench.exchange.messages import json_text
from repeg_workbench.exchange.seeds import asset_id
from repeg_workbench.exchange.time.stamps import MILLISECOND, utc

View = dict[str, Any]

# The real API stamps created_at a little after submitted_at.
_FILING_TIME: Final = 91_209

_TEXTS: Final = 2_000
"""Texts to keep: one takes two kilobytes."""

_fields = attrgetter(*(field.name for field in fields(Order)))


def order_view(order: Order, quirks: BrokerQuirks, *, is_nested: bool = True) -> View:
    """One order, with its legs if nested."""
    terms = order.terms
    filled = order.shown_filled
    return {
        "id": order.id,
        "client_order_id": order.client_order_id,
        "created_at": utc(order.created_at + _FILING_TIME),
        "updated_at": utc(max(order.updated_at, order.created_at + _FILING_TIME)),
        "submitted_at": utc(order.submitted_at),
        "filled_at": _stamp(order.filled_at),
        "expired_at": _stamp(order.expired_at),
        "canceled_at": _stamp(order.canceled_at),
        "failed_at": _stamp(order.failed_at),
        "replaced_at": _stamp(order.replaced_at),
        "replaced_by": order.replaced_by.id if order.replaced_by else None,
        "replaces": order.replaces.id if order.replaces else None,
        "asset_id": asset_id(terms.symbol),
        "symbol": terms.symbol,
        "asset_class": "us_equity",
        "notional": None if terms.notional is None else money_text(terms.notional),
        "qty": None if terms.notional is not None else qty_text(order.quantity),
        "filled_qty": qty_text(filled),
        "filled_avg_price": average_text(order.shown_value, filled) if filled else None,
        "order_class": terms.order_class or quirks.simple_order_class,
        "order_type": terms.type,
        "type": terms.type,
        "side": side_word(terms.side),
        "position_intent": terms.position_intent or _intent(order),
        "time_in_force": terms.time_in_force,
        "limit_price": _price(terms.limit),
        "stop_price": _price(terms.stop),
        "status": order.status,
        "extended_hours": terms.extended_hours,
        "legs": [order_view(leg, quirks) for leg in order.legs] if is_nested and order.legs else None,
        "trail_percent": _price(terms.trail_percent),
        "trail_price": _price(terms.trail_price),
        "hwm": None if order.high_water is None else price_text(order.high_water),
        "subtag": None,
        "source": None,
        "expires_at": utc(order.expires_at),
    }


class OrderTexts:
    """Orders without legs as JSON, each written again only after a change of any of its fields."""

    def __init__(self) -> None:
        self._texts: dict[str, tuple[object, str]] = {}

    def of(self, order: Order, quirks: BrokerQuirks) -> str:
        """The order as JSON."""
        state = _fields(order), quirks.simple_order_class
        known = self._texts.get(order.id)
        if known is None or known[0] != state:
            if len(self._texts) >= _TEXTS:
                self._texts.clear()
            known = self._texts[order.id] = state, json_text(order_view(order, quirks))
        return known[1]


def side_word(side: int) -> str:
    """The side on the wire: buy or sell."""
    return "buy" if side == BUY else "sell"


def activity_view(execution: Execution) -> View:
    """One fill as an account activity."""
    return {
        "activity_type": "FILL",
        "id": activity_id(execution),
        "order_id": execution.order_id,
        "symbol": execution.symbol,
        "side": side_word(execution.side),
        "qty": qty_text(execution.quantity),
        "price": price_text(execution.price),
        "cum_qty": qty_text(execution.cumulative),
        "leaves_qty": qty_text(execution.leaves),
        "type": "partial_fill" if execution.leaves else "fill",
        "order_status": "partially_filled" if execution.leaves else "filled",
        "transaction_time": utc(execution.at),
    }


def activity_id(execution: Execution) -> str:
    """The digits of its time to the millisecond, two colons and the execution's id."""
    stamp = utc(execution.at - execution.at % MILLISECOND)
    digits = "".join(character for character in stamp if character.isdigit())
    return f"{digits:0<17}::{execution.id}"


def _intent(order: Order) -> str:
    word = side_word(order.terms.side)
    return f"{word}_to_{'close' if order.is_closing else 'open'}"


def _stamp(at: int | None) -> str | None:
    return None if at is None else utc(at)


def _price(units: int | None) -> str | None:
    return None if units is None else price_text(units)
