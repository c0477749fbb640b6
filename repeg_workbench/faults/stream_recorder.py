"""Records what the exchange's streams deliver to each step that listens, and what that step then asks the exchange."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import msgpack  # type: ignore[import-untyped]

from repeg_workbench.exchange.core import Exchange
from repeg_workbench.exchange.messages import Request, Response
from repeg_workbench.exchange.streams.data_stream import Frame
from repeg_workbench.exchange.time.stamps import SECOND, nanoseconds_of
from repeg_workbench.exchange.units import PRICE_SCALE
from repeg_workbench.faults.judges.record import ServedQuote
from repeg_workbench.faults.judges.stream_record import EVERY_ORDER, Asked, StreamRecord, Told
from repeg_workbench.faults.recorder import NOT_INVOKED
from repeg_workbench.twins.stream_twin import VirtualStreams

ORDERS = "/v2/orders"
BY_CLIENT_ORDER_ID = f"{ORDERS}:by_client_order_id"


class StreamRecorder:
    """Writes the streams' part of a day's record. `number` is that of the running invocation."""

    def __init__(self, record: StreamRecord, exchange: Exchange, number: Callable[[], int]) -> None:
        self._record, self._exchange, self._number = record, exchange, number

    def listens(self, streams: VirtualStreams) -> None:
        """The running invocation has opened streams."""
        number = self._number()
        if not self._record.listened:
            self._exchange.on_answer.append(self._asked)
        self._record.listened.add(number)
        streams.on_update.append(lambda at, frame: self._told(at, number, json.loads(frame)["data"]))
        streams.on_quote.append(lambda at, frame: self._quoted(at, number, frame))

    def _told(self, at: int, number: int, data: dict[str, Any]) -> None:
        order = data.get("order", {})
        if "client_order_id" in order:
            happened = nanoseconds_of(data["timestamp"])
            self._record.told.append(Told(at, number, data["event"], order["client_order_id"], order["id"], happened))

    def _quoted(self, at: int, number: int, frame: Frame) -> None:
        for row in msgpack.unpackb(frame):
            if row["T"] == "q" and None not in {row["bp"], row["ap"]}:
                bid, ask = round(row["bp"] * PRICE_SCALE), round(row["ap"] * PRICE_SCALE)
                stamp = row["t"].seconds * SECOND + row["t"].nanoseconds
                self._record.quotes.append(ServedQuote(at, number, row["S"], bid, row["bs"], ask, row["as"], stamp))

    def _asked(self, request: Request, response: Response) -> None:  # noqa: ARG002 - whatever the answer is
        number = self._number()
        if number != NOT_INVOKED:
            self._record.asked.append(Asked(self._exchange.now, number, _subject(request)))


def _subject(request: Request) -> str:
    """The order that a request is about, every order, or the path of any other request."""
    if request.path == BY_CLIENT_ORDER_ID:
        return dict(request.query).get("client_order_id", "")
    if request.path != ORDERS:
        return request.path.removeprefix(f"{ORDERS}/")
    return EVERY_ORDER if request.method == "GET" else str(json.loads(request.body).get("client_order_id"))
