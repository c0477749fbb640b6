"""Reads the messages of Alpaca's two streams. A message that cannot be read says nothing; none ever raises.

https://docs.alpaca.markets/docs/websocket-streaming
https://docs.alpaca.markets/docs/real-time-stock-pricing-data
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

from repeg.adapters.alpaca import parsing, prices, values
from repeg.domain.errors import BrokerUnavailable
from repeg.domain.hints import HintKind
from repeg.domain.order_ids import symbol_and_side
from repeg.domain.quote import Quote, Side

TRADE_UPDATES = "trade_updates"

REASON_LENGTH = 100

_FILLS = frozenset({"fill", "partial_fill"})
_RELEASES = frozenset({"canceled", "expired", "rejected", "done_for_day"})

# What our own requests cause on their way. No decision depends on them, and a look at each would cost a request for
# every order that is placed. A word that is not known is worth a look.
_EXPECTED = frozenset({"accepted", "new", "pending_new", "pending_cancel", "pending_replace"})

_AMOUNTS = ("bp", "bs", "ap", "as")
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def hint(prefix: str, message: object) -> tuple[str, frozenset[HintKind]] | None:
    """The symbol to look at after a trade update, and why; None if it is not about an order with that prefix.

    The symbol and the side are those of the client order id. Nothing else in the message is trusted or used but the
    event's name.
    """
    data = _mapping(_mapping(message).get("data"))
    event, order_id = data.get("event"), _mapping(data.get("order")).get("client_order_id")
    named = symbol_and_side(prefix, order_id) if isinstance(order_id, str) else None
    if named is None or not isinstance(event, str) or event in _EXPECTED:
        return None
    symbol, side = named
    kinds = {HintKind.FILL if event in _FILLS else HintKind.ORDER_UPDATE}
    if event in (_RELEASES if side is Side.BUY else _FILLS):
        kinds.add(HintKind.CASH_FREED)
    return symbol, frozenset(kinds)


def confirms_listening(message: object) -> bool:
    """Whether a message of the trade stream confirms that updates are sent from now on."""
    streams = _mapping(_mapping(message).get("data")).get("streams")
    return _mapping(message).get("stream") == "listening" and isinstance(streams, list) and TRADE_UPDATES in streams


def confirmed_quotes(message: object) -> frozenset[str] | None:
    """The symbols whose quotes are sent from now on, if a message of the market data stream confirms any."""
    quotes = _mapping(message).get("quotes")
    if _mapping(message).get("T") != "subscription":
        return None
    return frozenset(each for each in quotes if isinstance(each, str)) if isinstance(quotes, list) else frozenset()


def complaint(message: object) -> str:
    """What the market data stream complains about; empty for any other message."""
    error = _mapping(message)
    return str(error.get("msg") or error.get("code"))[:REASON_LENGTH] if error.get("T") == "error" else ""


def is_quote(message: object) -> bool:
    """Whether a message of the market data stream is a quote, as nearly all of them are."""
    return isinstance(message, dict) and message.get("T") == "q"


def quoted(message: object) -> tuple[str, datetime] | None:
    """The symbol and the time of a quote on the market data stream; None for any other message, or without a time.

    Few quotes are ever read: the others are only compared by their time.
    """
    if not isinstance(message, dict) or message.get("T") != "q" or not isinstance(symbol := message.get("S"), str):
        return None
    try:
        at = _stamp(message.get("t"))
    except (AttributeError, TypeError, ValueError, OverflowError):
        return None
    return None if at is None else (symbol, at)


def quote(message: object) -> Quote | None:
    """The quote in a message of the market data stream, as it would have been read by REST; None for any other.

    In MessagePack, prices are floating-point numbers and the time stamp is an extension type, of seconds and
    nanoseconds.
    """
    named = quoted(message)
    if named is None:
        return None
    symbol, at = named
    row = _mapping(message)
    try:
        with parsing.reading(symbol):
            exact = {name: _exact(row.get(name)) for name in _AMOUNTS}
            return prices.quote(symbol, {**exact, "t": at.isoformat()})
    except BrokerUnavailable:
        return None


def _mapping(value: object) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}


def _exact(raw: object) -> object:
    """A floating-point number as the shortest decimal that stands for it, which is the price that was sent."""
    return Decimal(repr(raw)) if isinstance(raw, float) else raw


def _stamp(raw: Any) -> datetime | None:
    """A time stamp, truncated to microseconds."""
    if raw is None or isinstance(raw, str):
        return values.optional_timestamp(raw)
    return _EPOCH + timedelta(seconds=raw.seconds, microseconds=raw.nanoseconds // 1_000)
