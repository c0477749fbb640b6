"""Listeners on the simulated exchange's streams: by alpaca-py over sockets, and by the twin in virtual time."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any, Protocol

from repeg.adapters.alpaca.keys import SIMULATED, FixedKeys, TradingMode
from repeg.adapters.alpaca.signals import AlpacaSignals, Patience, StreamListener, addresses, deployed
from repeg.domain.hints import HintKind, Hints
from repeg.domain.setting_types import Feed
from repeg.ports import Listener
from repeg_workbench.engine.runtime import VirtualRuntime
from repeg_workbench.engine.scheduler import EPOCH, NANOSECONDS, Scheduler
from repeg_workbench.exchange.broker.opening import OpeningAccount
from repeg_workbench.exchange.broker_quirks import BrokerQuirks
from repeg_workbench.exchange.core import Exchange
from repeg_workbench.exchange.faults.stream_faults import StreamFailure, StreamFault
from repeg_workbench.exchange.market.scripted import Event, ScriptedMarket, quote
from repeg_workbench.exchange.messages import Request
from repeg_workbench.exchange.serving.server import ExchangeServer
from repeg_workbench.exchange.time.calendar import new_york
from repeg_workbench.exchange.triggers import When
from repeg_workbench.twins.stream_twin import StreamTwin
from tests.exchange.caller import FRIDAY, PROMPT

PREFIX = "rpk3x-core-261120."
OTHER = "rpk3x-other-261120."

# Short enough for a test, and still several times what a loaded machine needs for a pong.
QUICK = Patience(ping=0.2, silence=1.5, opening=5.0, check=0.1)

# How long a test waits for a hint that must come.
PATIENCE_SECONDS = 20.0

BOOK: list[Event] = [
    quote("09:30", "300 @ 100.00", "200 @ 100.05"),
    quote("10:00:10", "300 @ 100.01", "200 @ 100.05"),
    quote("10:00:20", "300 @ 100.02", "200 @ 100.06"),
    quote("10:02", "300 @ 100.03", "200 @ 100.06"),
]
SYMBOLS = ("AAPL", "KO", "MSFT", *(f"S{number}" for number in range(40)))


class Rig(Protocol):
    """One exchange, an account on it, and listeners to both."""

    exchange: Exchange

    def on_server(self, action: Callable[[], Any]) -> Any:
        """Act on the exchange, between two of its calls."""

    def advance(self, seconds: float) -> None:
        """Let the exchange's time pass."""

    def signals(self) -> AlpacaSignals:
        """Signals of the exchange."""

    def connections(self) -> int:
        """How many connections the exchange has."""


def submit(
    rig: Rig,
    symbol: str = "AAPL",
    side: str = "buy",
    limit: str = "99",
    prefix: str = PREFIX,
    n: int = 1,
    *,
    waits: bool = True,
) -> str:
    """Submit an order for ten shares, and let it become new; returns its broker id."""
    name = f"{prefix}{symbol}.{side[0]}.{n}"
    terms = {
        "symbol": symbol, "side": side, "qty": "10", "type": "limit", "limit_price": limit, "time_in_force": "day",
        "client_order_id": name,
    }  # fmt: skip
    answer = _call(rig, "POST", "/v2/orders", terms)
    if waits:
        rig.advance(0.1)
    return str(answer["id"])


def cancel(rig: Rig, broker_id: str) -> None:
    """Cancel an order, and let it end."""
    _call(rig, "DELETE", f"/v2/orders/{broker_id}")
    rig.advance(0.1)


def strike(rig: Rig, failure: StreamFailure, event: str, **details: Any) -> None:
    """Arm a stream fault, for once."""
    when = When(times=details.pop("times", 1))
    rig.on_server(lambda: rig.exchange.faults.arm_stream(StreamFault(failure=failure, event=event, **details), when))


@dataclass
class Heard:
    """All hints so far."""

    kinds: dict[str, set[HintKind]] = field(default_factory=dict)
    gaps: int = 0

    def add(self, hints: Hints) -> None:
        self.gaps += hints.has_gap
        for symbol, kinds in hints.by_symbol.items():
            self.kinds.setdefault(symbol, set()).update(kinds)


def hear(listener: Listener, claim: Callable[[Heard], bool]) -> Heard:
    """Listen until the claim holds; waits only on the listener."""
    heard = Heard()
    for _ in range(round(PATIENCE_SECONDS / 0.1)):
        if claim(heard):
            return heard
        heard.add(listener.wait(0.1))
    raise AssertionError(f"never heard: {heard}, {listener.source}, {listener.quote_source}")


@contextmanager
def connected(rig: Rig, symbols: Sequence[str] = ("AAPL",), prefix: str = PREFIX) -> Iterator[StreamListener]:
    """A listener that hears both streams, and has nothing pending."""
    with rig.signals().open(prefix, symbols) as listener:
        assert isinstance(listener, StreamListener)
        hear(listener, lambda heard: heard.gaps == 1 and listener.followed == frozenset(symbols))
        yield listener


def _call(rig: Rig, method: str, path: str, body: Any = None) -> Any:
    opening = rig.exchange.opening
    headers = {"APCA-API-KEY-ID": opening.key_id, "APCA-API-SECRET-KEY": opening.secret_key}
    content = b"" if body is None else json.dumps(body).encode()
    response = rig.on_server(lambda: rig.exchange.handle(Request(method, path, [], headers, content)))
    assert response.status < 300, response.body
    return json.loads(response.body) if response.body else None


def _exchange(clock: Callable[[], int], quirks: BrokerQuirks) -> Exchange:
    opening = replace(OpeningAccount(), positions={"KO": (Decimal(100), Decimal(90))})
    return Exchange(ScriptedMarket({FRIDAY: dict.fromkeys(SYMBOLS, BOOK)}), clock, quirks, opening)


class LiveRig:
    """The deployed adapter over sockets; the exchange's time passes when the test says so."""

    def __init__(self, server: ExchangeServer, now: list[int]) -> None:
        self.exchange, self._server, self._now = server.exchange, server, now

    def on_server(self, action: Callable[[], Any]) -> Any:
        return self._server.call(action)

    def advance(self, seconds: float) -> None:
        def move() -> None:
            self._now[0] += round(seconds * NANOSECONDS)
            self.exchange.advance()

        self.on_server(move)

    def signals(self) -> AlpacaSignals:
        where = addresses(TradingMode.PAPER, Feed.IEX, self._server.trading_url, self._server.data_url)
        return AlpacaSignals(deployed(where, Feed.IEX, QUICK), FixedKeys(SIMULATED), self)

    def connections(self) -> int:
        return int(self.on_server(lambda: self._server.sockets.connected))

    # The runtime of its listeners.

    def now(self) -> datetime:
        return EPOCH + timedelta(microseconds=self._now[0] // 1_000)

    def pause(self, seconds: float) -> None:
        raise AssertionError(f"a stream's listener waits on its inbox, not {seconds} s for nothing")

    def map(self, function: Callable[[Any], Any], items: Sequence[Any]) -> list[Any]:
        return [function(item) for item in items]


class VirtualRig:
    """The twin, in virtual time."""

    def __init__(self, scheduler: Scheduler, exchange: Exchange) -> None:
        self.exchange, self._scheduler = exchange, scheduler
        self.twin = StreamTwin(exchange, scheduler)

    def on_server(self, action: Callable[[], Any]) -> Any:
        return action()

    def advance(self, seconds: float) -> None:
        self._scheduler.sleep(seconds)
        self.exchange.advance()

    def signals(self) -> AlpacaSignals:
        return AlpacaSignals(self.twin.connect, FixedKeys(SIMULATED), VirtualRuntime(self._scheduler))

    def connections(self) -> int:
        return len(self.twin.hub)


@contextmanager
def live_rig(quirks: BrokerQuirks = PROMPT) -> Iterator[LiveRig]:
    """An exchange behind a socket at 10:00."""
    now = [new_york(FRIDAY, "10:00")]
    with ExchangeServer(_exchange(lambda: now[0], quirks)) as server:
        yield LiveRig(server, now)


@contextmanager
def virtual_rig(quirks: BrokerQuirks = PROMPT) -> Iterator[VirtualRig]:
    """An exchange in virtual time at 10:00."""
    start = EPOCH + timedelta(microseconds=new_york(FRIDAY, "10:00") // 1_000)
    with Scheduler(start) as scheduler:
        yield VirtualRig(scheduler, _exchange(lambda: scheduler.now_ns, quirks))


RIGS: dict[str, Any] = {"live": live_rig, "virtual": virtual_rig}
