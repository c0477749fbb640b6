"""A simulated broker at noon behind the Broker and Market ports: in process or through alpaca-py."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from typing import Any

import requests

from repeg.adapters.alpaca.broker import AlpacaBroker
from repeg.adapters.alpaca.http import trading_api
from repeg.adapters.alpaca.keys import SIMULATED, FixedKeys, TradingMode
from repeg.adapters.alpaca.market_data import AlpacaMarket, data_api
from repeg.adapters.transport import BoundedTransport
from repeg.domain.time_limits import CONNECT_SECONDS, READ_SECONDS
from repeg.ports import Broker, Market
from repeg_workbench.exchange.broker.opening import OpeningAccount
from repeg_workbench.exchange.broker_quirks import BrokerQuirks
from repeg_workbench.exchange.core import Exchange
from repeg_workbench.exchange.market.scripted import ScriptedMarket, quote, trade
from repeg_workbench.exchange.market.symbol_day import Listing
from repeg_workbench.exchange.serving.server import ExchangeServer
from repeg_workbench.exchange.serving.transport import ExchangeTransport
from repeg_workbench.exchange.time.calendar import new_york
from repeg_workbench.twins.direct_broker import DirectBroker

THURSDAY = date(2026, 3, 5)
SECOND = 1_000_000_000
UNLIMITED = BrokerQuirks(requests_per_minute=None, data_requests_per_minute=None)
HOLDINGS = {"KO": (Decimal("7.227358"), Decimal("60.00")), "F": (Decimal(50), Decimal("12.10"))}


@dataclass
class Desk:
    """The broker's two ports, with the exchange and the clock behind them."""

    exchange: Exchange
    broker: Broker
    market: Market
    clock: list[int] = field(repr=False)

    def pass_time(self, seconds: float = 1) -> None:
        """Advance the clock; acknowledgements, fills and cancels take effect by the next call."""
        self.clock[0] += int(seconds * SECOND)

    def go_to(self, day: date, time: str) -> None:
        """Set the clock to a New York time."""
        self.clock[0] = new_york(day, time)


@dataclass(frozen=True)
class Terms:
    """How the simulated broker is set up."""

    quirks: BrokerQuirks = UNLIMITED
    opening: OpeningAccount = OpeningAccount(positions=HOLDINGS)  # noqa: RUF009 - it is frozen
    day: date = THURSDAY
    feed: str = "iex"


def a_market(day: date) -> ScriptedMarket:
    """Quiet, one-sided, sub-dollar and untradable symbols, and 150 further ones."""
    crowd = {
        f"Q{a}{b}": [quote("09:30", "100 @ 10.00", "100 @ 10.02")] for a in "ABCDEFGHIJKLMNO" for b in "PQRSTUVWXY"
    }
    return ScriptedMarket(
        {
            day: {
                "AAPL": [
                    quote("09:30", "300 @ 189.40", "200 @ 189.44"),
                    trade("09:31", "100 @ 189.42"),
                    quote("12:30", "300 @ 189.36", "200 @ 189.40"),
                    trade("12:30:01", "500 @ 189.38", side=-1),
                ],
                "KO": [quote("09:30", "300 @ 60.40", None)],
                "F": [quote("09:30", "900 @ 12.10", "900 @ 12.11"), trade("09:31", "100 @ 12.11")],
                "PNY": [quote("09:30", "500 @ 0.8512", "500 @ 0.8515")],
                "WHL": [quote("09:30", "500 @ 20.00", "500 @ 20.01")],
                "DEAD": [quote("09:30", "500 @ 5.00", "500 @ 5.01")],
                **crowd,
            }
        },
        listings=[
            Listing("WHL", "Whole Shares Inc.", fractionable=False),
            Listing("DEAD", "Dead Inc.", tradable=False),
        ],
    )


def an_exchange(terms: Terms) -> tuple[Exchange, list[int]]:
    """A simulated broker at noon, and its clock."""
    clock = [new_york(terms.day, "12:00")]
    exchange = Exchange(a_market(terms.day), lambda: clock[0], terms.quirks, terms.opening, seed=7)
    return exchange, clock


def pass_by(clock: list[int]) -> Callable[[float], None]:
    """A pause that advances the exchange's clock instead of waiting."""

    def wait(seconds: float) -> None:
        clock[0] += int(seconds * SECOND)

    return wait


class PatientTransport(ExchangeTransport):
    """The in-process exchange, called with the deployed client's timeouts."""

    def send(self, request: requests.PreparedRequest, *args: Any, **options: Any) -> requests.Response:
        """Send one request."""
        return super().send(request, **{**options, "timeout": (CONNECT_SECONDS, READ_SECONDS)})


def mount(session: requests.Session) -> None:
    """Mount the deployed transport with timeouts short enough for a test."""
    for scheme in ("https://", "http://"):
        session.mount(scheme, BoundedTransport(connect_seconds=1, read_seconds=0.5))


@contextmanager
def direct(terms: Terms) -> Iterator[Desk]:
    """The twin: no HTTP, no SDK."""
    exchange, clock = an_exchange(terms)
    twin = DirectBroker(exchange, terms.feed, pass_by(clock))
    yield Desk(exchange, twin, twin, clock)


@contextmanager
def alpaca_in_process(terms: Terms) -> Iterator[Desk]:
    """The adapter through alpaca-py and requests, without a socket."""
    exchange, clock = an_exchange(terms)
    mount = PatientTransport(exchange.handle, pass_by(clock)).mount
    keys = FixedKeys(SIMULATED)
    broker = AlpacaBroker(trading_api(keys, TradingMode.PAPER, mount))
    yield Desk(exchange, broker, AlpacaMarket(data_api(keys, mount), terms.feed), clock)


@contextmanager
def alpaca_over_loopback(terms: Terms) -> Iterator[Desk]:
    """The adapter as deployed: real threads, real sockets."""
    exchange, clock = an_exchange(terms)
    keys = FixedKeys(SIMULATED)
    with ExchangeServer(exchange) as server:
        broker = AlpacaBroker(trading_api(keys, TradingMode.PAPER, mount, server.trading_url))
        yield Desk(exchange, broker, AlpacaMarket(data_api(keys, mount, server.data_url), terms.feed), clock)


KINDS: dict[str, Callable[[Terms], AbstractContextManager[Desk]]] = {
    "direct": direct,
    "alpaca in process": alpaca_in_process,
    "alpaca over loopback": alpaca_over_loopback,
}
