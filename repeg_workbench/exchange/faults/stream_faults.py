"""Faults of the two streams: of connections, and of single events."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final


class StreamFailure(StrEnum):
    """The kinds of stream fault."""

    DROP = "drop"
    """The event is not sent."""
    DUPLICATE = "duplicate"
    """The event is sent twice."""
    REPEAT = "repeat"
    """The event is sent, and sent again `seconds` later."""
    DELAY = "delay"
    """The event is sent `seconds` later."""
    REORDER = "reorder"
    """The event is held back until another one has been sent: a fill comes before `new`, for example."""
    FORGED = "forged"
    """Before the event, a fill of its order is sent that never happened."""
    UNKNOWN_ORDER = "unknown_order"
    """Before the event, the same is sent about an order that the account does not have."""
    UNKNOWN_EVENT = "unknown_event"
    """Before the event, one with a new name is sent, without an event id."""
    NAMELESS = "nameless"
    """Before the event, the same is sent without the order's ids."""
    DISCONNECT = "disconnect"
    """The event is sent, then the connection closes."""
    FREEZE = "freeze"
    """From the event on, which may be `connect`, nothing is sent, not even a pong, and the connection stays open."""
    SLOW = "slow"
    """The client counts as too slow: the market data stream says so, and the connection closes."""
    SILENT = "silent"
    """The connection is accepted, and nothing is ever sent on it but pongs; its event is `connect`."""
    REFUSE = "refuse"
    """The upgrade is refused with `status`; its event is the name of the stream: `stream`, or a feed."""


@dataclass(frozen=True, kw_only=True)
class StreamFault:
    """One stream fault and the events it applies to: an order event's name, `connect`, or * for all of these, or the
    name of a market data channel such as `quotes`."""

    failure: StreamFailure
    event: str = "*"
    seconds: float = 5
    status: int = 429

    def fits(self, event: str) -> bool:
        """Whether the fault applies to an event."""
        return self.event in {"*", event}


Data = dict[str, Any]

_NO_ONES_ID: Final = "00000000-0000-4000-8000-000000000000"


def _forged(data: Data) -> Data:
    figures = {"qty": "1000000", "price": "0.01", "position_qty": "1000000", "execution_id": _NO_ONES_ID}
    return data | figures | {"event": "fill", "order": data["order"] | {"status": "filled", "filled_qty": "1000000"}}


def _of_unknown_order(data: Data) -> Data:
    # The attempt's number stands at the end of an id: the same run and symbol, and no such order.
    name = f"{data['order']['client_order_id']}999"
    return data | {"order": data["order"] | {"id": _NO_ONES_ID, "client_order_id": name}}


def _of_unknown_event(data: Data) -> Data:
    return {name: value for name, value in data.items() if name != "event_id"} | {"event": "reconsidered"}


def _nameless(data: Data) -> Data:
    order = {name: value for name, value in data["order"].items() if name not in {"id", "client_order_id"}}
    return data | {"order": order}


_INVENTED: Final[dict[StreamFailure, Callable[[Data], Data]]] = {
    StreamFailure.FORGED: _forged,
    StreamFailure.UNKNOWN_ORDER: _of_unknown_order,
    StreamFailure.UNKNOWN_EVENT: _of_unknown_event,
    StreamFailure.NAMELESS: _nameless,
}


def updates(failure: StreamFailure | None, update: bytes) -> list[bytes]:
    """What is sent for an order event that is struck by a fault, or by none."""
    if failure is StreamFailure.DUPLICATE:
        return [update, update]
    if failure not in _INVENTED:
        return [update]
    message = json.loads(update)
    return [json.dumps(message | {"data": _INVENTED[failure](message["data"])}).encode(), update]
