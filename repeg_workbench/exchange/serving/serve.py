"""Serves a simulated Alpaca to other programs until it is stopped."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import date
from queue import SimpleQueue
from signal import SIG_IGN, SIGINT, SIGTERM, signal
from types import FrameType

from repeg_workbench.exchange.broker.opening import OpeningAccount
from repeg_workbench.exchange.broker_quirks import BrokerQuirks
from repeg_workbench.exchange.core import Exchange
from repeg_workbench.exchange.market.symbol_day import Market
from repeg_workbench.exchange.matching.symbol_book import FillModel
from repeg_workbench.exchange.serving.server import LOOPBACK, ExchangeServer
from repeg_workbench.exchange.time.calendar import new_york
from repeg_workbench.exchange.time.clocks import RealClock, RunningClock, SteppedClock
from repeg_workbench.exchange.time.stamps import new_york as local

Clock = RealClock | RunningClock | SteppedClock
DEFAULT_PORT = 8700


class Stop:
    """An event that ends serving. A signal handler may set it, even while the same thread waits for it."""

    def __init__(self) -> None:
        # Only SimpleQueue is reentrant, which a signal handler needs.
        self._queue: SimpleQueue[None] = SimpleQueue()

    def set(self) -> None:
        """End the present wait, or the next one."""
        self._queue.put(None)

    def wait(self, seconds: float | None = None) -> None:
        """Wait until set. Raises queue.Empty after the given seconds."""
        self._queue.get(timeout=seconds)


@contextmanager
def stopped_by_signals() -> Iterator[Stop]:
    """A stop set by Ctrl-C and SIGTERM, so that neither interrupts the cleanup.

    Signals after the first are ignored. Raises ValueError outside the main thread, the only one that receives signals.
    """
    stop, received = Stop(), list[int]()

    def handle(number: int, _: FrameType | None) -> None:
        received.append(number)
        # Python gives its own handlers up when it ends, but not this one: a late second signal would kill the process.
        for each in (SIGINT, SIGTERM):
            signal(each, SIG_IGN)
        stop.set()

    before = {number: signal(number, handle) for number in (SIGINT, SIGTERM)}
    try:
        yield stop
    finally:
        if not received:
            for number, handler in before.items():
                signal(number, handler)


def clock_for(day: date | None, start: str, *, real_time: bool, speed: float) -> Clock:
    """The wall clock in real time, or else a clock that starts on the given day at the given New York time.

    A speed of 1 is as fast as the wall clock, 60 a minute per second; at 0 only POST /_sim/clock moves it. Raises
    ValueError if a day is needed and missing, or the speed is negative.
    """
    if real_time:
        return RealClock()
    if day is None:
        raise ValueError("without real time the exchange needs a day to start on")
    if speed < 0:
        raise ValueError(f"speed {speed} is below 0")
    at = new_york(day, start)
    return RunningClock(at, speed) if speed else SteppedClock(at)


@contextmanager
def serving(  # noqa: PLR0913 - the parts of an exchange, and where to find it
    market: Market,
    clock: Clock,
    port: int = DEFAULT_PORT,
    host: str = LOOPBACK,
    quirks: BrokerQuirks | None = None,
    opening: OpeningAccount | None = None,
    *,
    seed: int = 0,
    fill_model: FillModel = FillModel.PAPER,
    stop: Stop | None = None,
) -> Iterator[ExchangeServer]:
    """A server that runs while the context is open; an error of the exchange sets `stop`.

    Raises OSError if the port is in use. The default fill model is that of the real paper account.
    """
    exchange = Exchange(market, clock, quirks or BrokerQuirks(), opening or OpeningAccount(), seed, fill_model)
    if not isinstance(clock, RealClock):
        exchange.control.move = clock.move
    give_up = (stop or Stop()).set
    runs = not isinstance(clock, SteppedClock)
    with ExchangeServer(exchange, host, port, runs=runs, give_up=give_up) as server:
        yield server


def serve(server: ExchangeServer, clock: Clock, show: Callable[[str], None], stop: Stop) -> None:
    """Show the server's addresses and keys, then wait for the stop."""
    for line in greeting(server, clock):
        show(line)
    stop.wait()
    show("stopped")


def greeting(server: ExchangeServer, clock: Clock) -> list[str]:
    """The addresses, keys and client code that another program needs."""
    opening = server.exchange.opening
    return [
        f"trading API    {server.trading_url}",
        f"market data    {server.data_url}",
        f"trade stream   {server.trade_stream_url}",
        f"data stream    {server.data_stream_url()}",
        f"control plane  {server.trading_url}/_sim",
        f"key id         {opening.key_id}",
        f"secret key     {opening.secret_key}",
        f"symbols        {' '.join(server.exchange.market.symbols())}",
        f"time           {pace(server, clock)}",
        "",
        "Connect alpaca-py with three lines; its other clients take a url_override as well:",
        "",
        "from alpaca.trading.client import TradingClient",
        f'client = TradingClient("{opening.key_id}", "{opening.secret_key}", url_override="{server.trading_url}")',
        "print(client.get_clock(), client.get_account().buying_power)",
        "",
        "Ctrl-C stops the exchange.",
    ]


def pace(server: ExchangeServer, clock: Clock) -> str:
    """The exchange's present time and how it advances."""
    now = f"{local(server.exchange.now)[:19].replace('T', ' ')} in New York"
    if isinstance(clock, RealClock):
        return f"{now}, from the wall clock"
    command = f"""curl -X POST {server.trading_url}/_sim/clock -d '{{"advance_seconds": 60}}'"""
    if isinstance(clock, SteppedClock):
        return f"{now}; stands still; to move it: {command}"
    times = "as fast as" if clock.speed == 1 else f"{clock.speed:g} times as fast as"
    return f"{now}; runs {times} the wall clock; to move it forward: {command}"
