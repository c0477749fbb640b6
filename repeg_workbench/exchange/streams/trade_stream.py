"""The trade updates stream: its protocol for one connection, and the JSON of an order event."""

import json
from collections.abc import Callable
from typing import Any

from repeg_workbench.exchange.api.gate import Gate, Keys
from repeg_workbench.exchange.broker.ledger import Execution, OrderEvent
from repeg_workbench.exchange.figures import price_text, qty_text
from repeg_workbench.exchange.time.stamps import utc

Send = Callable[[bytes], None]
STREAM = "trade_updates"


class TradeStream:
    """One client: it authenticates, listens, and receives all later updates; earlier ones are never replayed.

    Valid keys in the headers of its upgrade request authenticate it as well.
    """

    def __init__(self, gate: Gate, send: Send, keys: Keys | None = None) -> None:
        self._gate, self._send = gate, send
        self._is_authorized = keys is not None and gate.is_known(*keys)
        self.is_listening = False

    def receive(self, message: str | bytes) -> None:
        """Handle a frame from the client; invalid ones are ignored."""
        request = _parsed(message)
        if request.get("action") in ("authenticate", "auth"):
            self._authenticate(request)
        elif request.get("action") == "listen":
            self._listen(request)

    def deliver(self, update: bytes) -> None:
        """Send an update to a listening client."""
        if self.is_listening:
            self._send(update)

    def _authenticate(self, request: dict[str, Any]) -> None:
        data = request.get("data")
        keys = data if isinstance(data, dict) else {}
        key_id, secret = keys.get("key_id", request.get("key")), keys.get("secret_key", request.get("secret"))
        self._is_authorized = self._gate.is_known(key_id, secret)
        status = "authorized" if self._is_authorized else "unauthorized"
        self._reply("authorization", {"status": status, "action": "authenticate"})

    def _listen(self, request: dict[str, Any]) -> None:
        if not self._is_authorized:
            self._reply("authorization", {"status": "unauthorized", "action": "listen"})
            return
        data = request.get("data")
        wanted = data.get("streams", []) if isinstance(data, dict) else []
        self.is_listening = isinstance(wanted, list) and STREAM in wanted
        self._reply("listening", {"streams": [STREAM] if self.is_listening else []})

    def _reply(self, stream: str, data: dict[str, Any]) -> None:
        self._send(json.dumps({"stream": stream, "data": data}).encode())


def _parsed(message: str | bytes) -> dict[str, Any]:
    try:
        request = json.loads(message)
    except (ValueError, RecursionError):
        return {}
    return request if isinstance(request, dict) else {}


def trade_update(
    event: OrderEvent, order: dict[str, Any], execution: Execution | None, position: int, number: int
) -> bytes:
    """An order event as JSON; qty and price are the execution's, the order's own figures are cumulative."""
    data: dict[str, Any] = {
        "event": event.event,
        "event_id": f"01{number:024d}",
        "at": utc(event.at),
        "timestamp": utc(event.at),
        "order": order,
    }
    if execution is not None:
        data |= {
            "execution_id": execution.id,
            "price": price_text(execution.price),
            "qty": qty_text(execution.quantity),
            "position_qty": qty_text(position),
        }
    return json.dumps({"stream": STREAM, "data": data}).encode()
