"""Parses Alpaca's JSON: exact decimals, tolerant of unknown words, strict about amounts and identity.

The fields and statuses of an order: https://docs.alpaca.markets/docs/orders-at-alpaca
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime, time
from decimal import Decimal, InvalidOperation
from functools import lru_cache
from types import TracebackType
from typing import Any

from repeg.adapters.alpaca import values
from repeg.domain.broker import Asset, BrokerClock, Execution, Position
from repeg.domain.child_order import ChildState, OrderReport
from repeg.domain.errors import BrokerUnavailable
from repeg.domain.intent import Intent
from repeg.domain.order_ids import parse_order_id
from repeg.domain.session import TradingDay, trading_day

Json = Mapping[str, Any]

_SIDES = frozenset({"buy", "sell"})
_CONTINGENT = frozenset({"stop", "stop_limit", "trailing_stop"})
_UNREADABLE = (KeyError, TypeError, ValueError, AttributeError, InvalidOperation, OverflowError)


class reading:  # noqa: N801 - it is used like a function
    """Raise BrokerUnavailable, naming the resource, if the body does not have the expected form.

    A class, because it is entered for every quote: a generator takes four times as long.
    """

    __slots__ = ("_what",)

    def __init__(self, what: str) -> None:
        self._what = what

    def __enter__(self) -> None:
        pass

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        if isinstance(error, _UNREADABLE):
            raise BrokerUnavailable(f"{self._what}: the answer cannot be read ({type(error).__name__})") from None


def order_fields(intent: Intent) -> dict[str, str]:
    """The POST body of a DAY order for the core session; amounts are strings, exact to the digit."""
    fields = {
        "symbol": intent.symbol,
        "side": intent.side.value,
        "qty": exact(intent.qty),
        "type": "market" if intent.limit is None else "limit",
        "time_in_force": "day",
        "client_order_id": intent.client_order_id,
    }
    return fields if intent.limit is None else {**fields, "limit_price": exact(intent.limit)}


def change_fields(intent: Intent) -> dict[str, str]:
    """The PATCH body that changes only the price. Raises ValueError for an intent without a limit."""
    if intent.limit is None:
        raise ValueError(f"{intent.client_order_id} has no limit to replace with")
    return {"limit_price": exact(intent.limit), "client_order_id": intent.client_order_id}


def exact(amount: Decimal) -> str:
    """An amount in plain digits, without an exponent."""
    return f"{amount:f}"


# What each status of the API means for a DAY order. A word of a later release does not end an order.
STATE_OF_STATUS = {
    "accepted": ChildState.LIVE,
    "accepted_for_bidding": ChildState.LIVE,
    "new": ChildState.LIVE,
    "partially_filled": ChildState.LIVE,
    "pending_new": ChildState.LIVE,
    "pending_replace": ChildState.LIVE,
    "pending_review": ChildState.LIVE,
    "held": ChildState.LIVE,
    "stopped": ChildState.LIVE,  # a trade is guaranteed and has not been made yet
    "suspended": ChildState.LIVE,
    "pending_cancel": ChildState.CANCELLING,
    "filled": ChildState.FILLED,
    "canceled": ChildState.CANCELED,
    "expired": ChildState.EXPIRED,
    "done_for_day": ChildState.EXPIRED,
    "calculated": ChildState.EXPIRED,  # done for the day, filled or not; only the settlement is being computed
    "rejected": ChildState.REJECTED,
    "replaced": ChildState.REPLACED,
}
_ENDS_THE_DAY = frozenset({"done_for_day", "calculated"})

_TEXT = frozenset({str, type(None)})

# The fields of an order that a report is made of.
_REPORTED = (
    "id",
    "client_order_id",
    "symbol",
    "side",
    "status",
    "qty",
    "filled_qty",
    "filled_avg_price",
    "limit_price",
    "submitted_at",
    "replaced_by",
    "replaces",
    "notional",
    "type",
    "canceled_at",
)


def state_of(status: str, *, is_filled: bool = False) -> ChildState:
    """The child state that an order status stands for; `is_filled` says whether all of the order's shares are."""
    if is_filled and status in _ENDS_THE_DAY:
        return ChildState.FILLED
    return STATE_OF_STATUS.get(status, ChildState.LIVE)


def report(row: Json) -> OrderReport:
    """One order. The quantity is zero for an order in dollars, which this program never sends."""
    fields = tuple(map(row.get, _REPORTED))
    # Only text is compared by all that it says: the numbers 1 and 1.0 are equal, and so are 1 and true.
    if _TEXT.issuperset(map(type, fields)):
        return _unchanged(fields)
    return _report(row)


@lru_cache(maxsize=2_048)
def _unchanged(fields: tuple[str | None, ...]) -> OrderReport:
    """The report of these fields, parsed once: most orders have not changed since the last turn."""
    return _report({name: field for name, field in zip(_REPORTED, fields, strict=True) if field is not None})


def _report(row: Json) -> OrderReport:
    qty, filled = (values.optional_amount(row.get(name)) or Decimal(0) for name in ("qty", "filled_qty"))
    status = values.text(row["status"])
    return OrderReport(
        broker_id=values.text(row["id"]),
        client_order_id=values.text(row["client_order_id"]),
        symbol=values.text(row["symbol"]),
        side=values.side(row["side"]),
        status=status,
        state=state_of(status, is_filled=0 < qty <= filled),
        qty=qty,
        filled_qty=filled,
        average_price=values.optional_amount(row.get("filled_avg_price")),
        limit=values.optional_amount(row.get("limit_price")),
        submitted_at=values.optional_timestamp(row.get("submitted_at")),
        replaced_by=row.get("replaced_by"),
        replaces=row.get("replaces"),
        notional=values.optional_amount(row.get("notional")),
        is_contingent=row.get("type") in _CONTINGENT or row["status"] == "held",
        canceled_at=values.readable_timestamp(row.get("canceled_at")),
    )


def reports(rows: Iterable[Json]) -> list[OrderReport]:
    """All of our orders, and the plain buys and sells of others; their multi-leg orders are left out."""
    return [report(row) for row in rows if _is_ours(row) or (row.get("symbol") and row.get("side") in _SIDES)]


def execution(row: Json) -> Execution:
    """One fill, from the account's activities."""
    return Execution(
        activity_id=values.text(row["id"]),
        broker_order_id=values.text(row["order_id"]),
        symbol=values.text(row["symbol"]),
        side=values.side(row["side"]),
        qty=values.amount(row["qty"]),
        price=values.amount(row["price"]),
        at=values.timestamp(row["transaction_time"]),
    )


def clock(row: Json) -> BrokerClock:
    """The broker's clock."""
    return BrokerClock(now=values.timestamp(row["timestamp"]), is_open=values.flag(row["is_open"]))


def session(row: Json) -> TradingDay:
    """One row of the calendar, whose times are New York local times."""
    day = datetime.fromisoformat(row["date"]).date()
    return trading_day(day, time.fromisoformat(row["open"]), time.fromisoformat(row["close"]))


def position(row: Json) -> Position:
    """A holding, negative if short. Without `qty_available`, all of it is available."""
    qty = values.amount(row["qty"])
    available = values.optional_amount(row.get("qty_available"))
    return Position(
        symbol=values.text(row["symbol"]),
        qty=-abs(qty) if row.get("side") == "short" else qty,
        available=qty if available is None else available,
        price=values.optional_amount(row.get("current_price")),
    )


def asset(row: Json) -> Asset:
    """A listing; a missing flag is false."""
    return Asset(
        symbol=values.text(row["symbol"]),
        is_tradable=row.get("tradable") is True and row.get("status", "active") == "active",
        is_fractionable=row.get("fractionable") is True,
    )


def _is_ours(row: Json) -> bool:
    return parse_order_id(str(row.get("client_order_id") or "")) is not None
