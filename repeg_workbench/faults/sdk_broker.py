"""The broker and the market data through the deployed adapters and unmodified alpaca-py, without a socket."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from datetime import datetime

from pydantic import SecretStr

from repeg.adapters.alpaca.broker import AlpacaBroker
from repeg.adapters.alpaca.http import trading_api
from repeg.adapters.alpaca.keys import Keys, TradingMode
from repeg.adapters.alpaca.market_data import AlpacaMarket, data_api
from repeg.domain.quote import Quote
from repeg.domain.sizing_price import Trade
from repeg_workbench.exchange.core import Exchange
from repeg_workbench.exchange.serving.transport import ExchangeTransport, without_time


class HeldKeys:
    """A KeySource that returns the keys in the headers, so that a test can revoke and restore them."""

    def __init__(self, headers: dict[str, str]) -> None:
        self._headers = headers

    def current(self) -> Keys:
        """The current keys."""
        key_id, secret_key = self._headers["APCA-API-KEY-ID"], self._headers["APCA-API-SECRET-KEY"]
        return Keys(key_id=SecretStr(key_id), secret_key=SecretStr(secret_key))

    def renewed(self, rejected: Keys) -> Keys:  # noqa: ARG002 - there is no other source
        """The current keys again: this source has no newer ones."""
        return self.current()


class SdkBroker(AlpacaBroker):
    """A Broker and a Market like DirectBroker, but alpaca-py makes every request and reads every answer.

    Each object has its own clients, so seeds do not share them.
    """

    def __init__(self, exchange: Exchange, feed: str = "iex", *, wait: Callable[[float], None] = without_time) -> None:
        self.headers = {
            "APCA-API-KEY-ID": exchange.opening.key_id,
            "APCA-API-SECRET-KEY": exchange.opening.secret_key,
        }
        keys, mount = HeldKeys(self.headers), ExchangeTransport(exchange.handle, wait).mount
        super().__init__(trading_api(keys, TradingMode.PAPER, mount))
        self._market = AlpacaMarket(data_api(keys, mount), feed)

    def quotes(self, symbols: Iterable[str]) -> dict[str, Quote]:
        """Latest quotes."""
        return self._market.quotes(symbols)

    def last_trades(self, symbols: Iterable[str]) -> dict[str, Trade]:
        """Latest trades."""
        return self._market.last_trades(symbols)

    def past_quotes(self, symbols: Sequence[str], since: datetime, until: datetime) -> dict[str, list[Quote]]:
        """The quotes of a short time."""
        return self._market.past_quotes(symbols, since, until)

    def quote_at(self, symbol: str, at: datetime, since: datetime) -> Quote | None:
        """The consolidated quote in force at a time."""
        return self._market.quote_at(symbol, at, since)


def uses_sdk(seed: int) -> bool:
    """Whether a seed reaches the broker through alpaca-py. One in ten does, because it is slower."""
    return seed % 10 == 3
