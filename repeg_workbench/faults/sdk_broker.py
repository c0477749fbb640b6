"""The broker and the feed through the deployed adapters and the unmodified alpaca-py, with no socket underneath."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from decimal import Decimal

from pydantic import SecretStr

from repeg.adapters.alpaca.broker import AlpacaBroker
from repeg.adapters.alpaca.http import trading_api
from repeg.adapters.alpaca.keys import Keys, TradingMode
from repeg.adapters.alpaca.market_data import AlpacaMarket, data_api
from repeg.domain.quote import Quote
from repeg_workbench.exchange.core import Exchange
from repeg_workbench.exchange.serving.transport import ExchangeTransport, without_time


class HeldKeys:
    """A KeySource that gives whatever the headers hold at that moment, so that keys can be revoked and come back."""

    def __init__(self, headers: dict[str, str]) -> None:
        self._headers = headers

    def current(self) -> Keys:
        """The pair as it stands."""
        key_id, secret_key = self._headers["APCA-API-KEY-ID"], self._headers["APCA-API-SECRET-KEY"]
        return Keys(key_id=SecretStr(key_id), secret_key=SecretStr(secret_key))

    def renewed(self, rejected: Keys) -> Keys:  # noqa: ARG002 - there is no other place to look
        """The same pair: nobody has put a new one there yet."""
        return self.current()


class SdkBroker(AlpacaBroker):
    """A Broker and a Market like DirectBroker, but every call is a request that alpaca-py makes and reads.

    Its clients belong to this object: another seed's broker has clients of its own.
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

    def last_prices(self, symbols: Iterable[str]) -> dict[str, Decimal]:
        """Latest trade prices."""
        return self._market.last_prices(symbols)
