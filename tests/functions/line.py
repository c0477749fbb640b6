"""A recording connection from a desk to the simulated broker."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from repeg.adapters.alpaca.http import Answer
from repeg.adapters.alpaca.market_data import AlpacaMarket
from repeg.domain.errors import InvalidPlan
from repeg_workbench.exchange.core import Exchange
from repeg_workbench.twins.direct_broker import DirectBroker, ExchangeCalls


class Line(ExchangeCalls):
    """A connection that records its requests and the arrival times (ns) of trading calls; each call takes `seconds`."""

    def __init__(self, exchange: Exchange, headers: Mapping[str, str], pause: Callable[[float], None]) -> None:
        super().__init__(exchange, headers, pause)
        self._pause = pause
        self.seconds = 0.0
        self.sent: list[tuple[str, str]] = []
        self.arrived: list[int] = []

    def _call(self, method: str, path: str, query: list[tuple[str, str]] | None = None, body: bytes = b"") -> Answer:
        self.sent.append((method, path))
        if self.seconds:
            self._pause(self.seconds)
        answer = super()._call(method, path, query, body)
        if not path.startswith("/stocks"):
            self.arrived.append(self._exchange.now)
        return answer


class DeskBroker(DirectBroker):
    """The broker and its data feed over a recording connection."""

    def __init__(self, exchange: Exchange, pause: Callable[[float], None]) -> None:
        super().__init__(exchange, wait=pause)
        self.line = Line(exchange, self.headers, pause)
        self._api = self.line
        self._market = AlpacaMarket(self.line, "iex")


class MemoryPlans:
    """Plan files by address."""

    def __init__(self, texts: Mapping[str, str]) -> None:
        self._texts = texts

    def body(self, uri: str) -> bytes:
        """The bytes of a plan file."""
        if uri not in self._texts:
            raise InvalidPlan("plan_uri", uri, "an object that exists")
        return self._texts[uri].encode()
