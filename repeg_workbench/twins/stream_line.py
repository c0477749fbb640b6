"""One connection of a client of the streams' twin, from the exchange's side."""

from __future__ import annotations

from typing import TYPE_CHECKING

from repeg_workbench.exchange.streams.data_stream import Frame

if TYPE_CHECKING:
    from repeg_workbench.twins.stream_clients import Client


class VirtualLine:
    """A connection: what the exchange sends on it reaches its client after its way."""

    def __init__(self, client: Client) -> None:
        self._client = client
        self.is_open, self.is_frozen = True, False

    def send(self, frame: Frame) -> None:
        """Have the client read a frame after its way."""
        if self.is_open:
            self._client.arrives(lambda: self._client.read(frame), self)
            for listener in self._client.on_sent:
                listener(self._client.exchange.now + self._client.latency, frame)

    def close(self) -> None:
        """Have the client find the connection closed."""
        if self.is_open:
            self.is_open = False
            self._client.arrives(lambda: self._client.lose("closed (1000)"), self)

    def freeze(self) -> None:
        """Send nothing any more; the client waits for a sign of life."""
        if self.is_open:
            self.is_open, self.is_frozen = False, True
            self._client.falls_silent(self)
