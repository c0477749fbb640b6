"""Both streams of one exchange: their clients, what each is sent, and the faults that strike it."""

from collections.abc import Callable
from functools import partial
from typing import Protocol

from repeg_workbench.exchange.api.gate import Keys
from repeg_workbench.exchange.broker.ledger import Execution, OrderEvent
from repeg_workbench.exchange.broker.orders import Order
from repeg_workbench.exchange.core import Exchange
from repeg_workbench.exchange.faults.stream_faults import StreamFailure, StreamFault, updates
from repeg_workbench.exchange.streams.data_stream import DataStream, Frame
from repeg_workbench.exchange.streams.feed import Feed, Message
from repeg_workbench.exchange.streams.trade_stream import TradeStream, trade_update
from repeg_workbench.exchange.time.stamps import SECOND

_SLOW_CLIENT = 407


class Line(Protocol):
    """The connection of one client."""

    def send(self, frame: Frame) -> None:
        """Send a frame."""

    def close(self) -> None:
        """Close the connection once everything is sent."""

    def freeze(self) -> None:
        """Send nothing any more, and leave the connection open."""


class Hub:
    """Serves the streams to any number of lines, whatever they are made of."""

    def __init__(self, exchange: Exchange) -> None:
        self._exchange = exchange
        self._trade: dict[TradeStream, Line] = {}
        self._data: dict[DataStream, Line] = {}
        self._held: list[bytes] = []
        self._kept_until: list[int] = []
        self._updates = 0
        exchange.records.listeners.append(self._order_event)
        for feed in exchange.shown.feeds:
            feed.listeners.append(partial(self._market_event, feed))

    def __len__(self) -> int:
        """How many clients are connected."""
        return len(self._trade) + len(self._data)

    @property
    def listening(self) -> int:
        """How many clients listen to trade updates."""
        return sum(stream.is_listening for stream in self._trade)

    @property
    def subscribed(self) -> int:
        """How many clients are subscribed to market data."""
        return sum(stream.is_subscribed for stream in self._data)

    def join_trade(self, line: Line, keys: Keys | None = None) -> TradeStream:
        """Serve trade updates to a new client, which valid keys in its upgrade request authenticate."""
        stream = TradeStream(self._exchange.gate, line.send, keys)
        self._trade[stream] = line
        return stream

    def join_data(self, feed: str, content_type: str, line: Line, keys: Keys | None = None) -> DataStream:
        """Serve a feed's market data to a new client, likewise."""
        exchange = self._exchange
        stream = DataStream(
            feed,
            content_type,
            exchange.gate,
            exchange.shown.of(feed)[2],
            line.send,
            self._connected,
            lambda: exchange.now,
        )
        self._data[stream] = line
        stream.open(keys)
        return stream

    def leave(self, stream: TradeStream | DataStream, *, is_noticed: bool = True) -> None:
        """Forget a client that has disconnected. If the broker does not notice, its place stays taken for a while."""
        if isinstance(stream, DataStream):
            if stream.is_authenticated and not is_noticed:
                held = self._exchange.quirks.dead_stream_held
                self._kept_until.append(self._exchange.now + held * SECOND)
            stream.close()
            self._data.pop(stream, None)
        else:
            self._trade.pop(stream, None)

    def _connected(self) -> int:
        self._kept_until = [at for at in self._kept_until if at > self._exchange.now]
        return sum(other.is_authenticated for other in self._data) + len(self._kept_until)

    def _order_event(self, event: OrderEvent, order: Order, execution: Execution | None) -> None:
        exchange = self._exchange
        exchange.feed.mark_changed(event.symbol)
        if not self.listening:
            self._held.clear()  # nothing is replayed
            return
        fault = exchange.faults.stream(event.event)
        if fault is not None and fault.failure is StreamFailure.DROP:
            return
        self._updates += 1
        view = exchange.trading.view(order, is_nested=False)
        position = exchange.account.portfolio.quantity(event.symbol)
        update = trade_update(event, view, execution, position, self._updates)
        failure = fault.failure if fault is not None else None
        if fault is not None and failure in {StreamFailure.DELAY, StreamFailure.REPEAT}:
            exchange.timers.at(exchange.now + round(fault.seconds * SECOND), self._send_late, update)
        if failure is StreamFailure.REORDER:
            self._held.append(update)
        elif failure is not StreamFailure.DELAY:
            self._send(fault, update)

    def _send_late(self, at: int, update: bytes) -> None:  # noqa: ARG002 - the timers pass the instant
        self._send(None, update)

    def _send(self, fault: StreamFault | None, update: bytes) -> None:
        held, self._held = self._held, []
        for stream, line in [each for each in self._trade.items() if each[0].is_listening]:
            _strike_before(fault, line)
            for frame in (*updates(fault.failure if fault else None, update), *held):
                stream.deliver(frame)
            _strike_after(fault, line, lambda: None)

    def _market_event(self, feed: Feed, channel: str, symbol: str, message: Message) -> None:
        fault = self._exchange.faults.market_data(channel)
        if fault is not None and fault.failure is StreamFailure.DROP:
            return
        if fault is not None and fault.failure is StreamFailure.DELAY:
            at = self._exchange.now + round(fault.seconds * SECOND)
            self._exchange.timers.at(at, self._send_market_late, feed, channel, symbol, message)
            return
        self._send_market(feed, fault, channel, symbol, message)

    def _send_market_late(self, at: int, feed: Feed, channel: str, symbol: str, message: Message) -> None:  # noqa: ARG002 - the timers pass the instant
        self._send_market(feed, None, channel, symbol, message)

    def _send_market(self, feed: Feed, fault: StreamFault | None, channel: str, symbol: str, message: Message) -> None:
        for stream, line in list(self._data.items()):
            if stream.feed is not feed:
                continue
            _strike_before(fault, line)
            for _ in range(2 if fault is not None and fault.failure is StreamFailure.DUPLICATE else 1):
                stream.deliver(channel, symbol, message)
            _strike_after(fault, line, partial(stream.fail, _SLOW_CLIENT))


def _strike_before(fault: StreamFault | None, line: Line) -> None:
    if fault is not None and fault.failure is StreamFailure.FREEZE:
        line.freeze()


def _strike_after(fault: StreamFault | None, line: Line, complain: Callable[[], None]) -> None:
    if fault is None or fault.failure not in {StreamFailure.DISCONNECT, StreamFailure.SLOW}:
        return
    if fault.failure is StreamFailure.SLOW:
        complain()
    line.close()
