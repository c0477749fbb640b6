"""Serves a simulated Alpaca to any other program, until it is told to stop."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import date
from queue import SimpleQueue
from signal import SIGINT, SIGTERM, signal
from types import FrameType

from repeg_workbench.exchange.broker.opening import OpeningAccount
from repeg_workbench.exchange.broker_quirks import BrokerQuirks
from repeg_workbench.exchange.core import Exchange
from repeg_workbench.exchange.market.symbol_day import Market
from repeg_workbench.exchange.matching.symbol_book import FillModel
from repeg_workbench.exchange.serving.server import ExchangeServer
from repeg_workbench.exchange.time.calendar import new_york
from repeg_workbench.exchange.time.clocks import RealClock, RunningClock, SteppedClock
from repeg_workbench.exchange.time.stamps import new_york as local

Clock = RealClock | RunningClock | SteppedClock
DEFAULT_PORT = 8700


class Stop:
    """Waited for by who serves, and set by whoever has had enough: a signal's handler, too, in the midst of a wait."""

    def __init__(self) -> None:
        # Of all that can be waited for, this alone may be entered again by a signal's handler.
        self._told: SimpleQueue[None] = SimpleQueue()

    def set(self) -> None:
        """Have the wait end, now or as soon as it begins."""
        self._told.put(None)

    def wait(self, seconds: float | None = None) -> None:
        """Until it is set; queue.Empty where that takes longer than so many seconds."""
        self._told.get(timeout=seconds)


@contextmanager
def stopped_by_signals() -> Iterator[Stop]:
    """A stop that Ctrl-C and SIGTERM set, so that neither cuts a cleaning up short.

    Once one of them has come, the program is on its way out, and those that follow change nothing. ValueError outside
    the main thread, which is the only one that signals reach.
    """
    stop, heard = Stop(), list[int]()

    def hear(number: int, _: FrameType | None) -> None:
        heard.append(number)
        stop.set()

    before = {number: signal(number, hear) for number in (SIGINT, SIGTERM)}
    try:
        yield stop
    finally:
        if not heard:
            for number, handler in before.items():
                signal(number, handler)


def clock_for(day: date | None, start: str, *, real_time: bool, speed: float) -> Clock:
    """The wall clock in real time; else one that starts on that day at that New York time.

    speed 1 runs it as fast as the wall clock, 60 a minute a second; 0 leaves it standing, to be moved over
    POST /_sim/clock. ValueError where a day is needed and missing, or the speed is negative.
    """
    if real_time:
        return RealClock()
    if day is None:
        raise ValueError("without real time the exchange needs a day to start on")
    if speed < 0:
        raise ValueError(f"speed {speed} is below 0: time does not run backwards")
    at = new_york(day, start)
    return RunningClock(at, speed) if speed else SteppedClock(at)


@contextmanager
def serving(  # the parts of an exchange, and where to find it
    market: Market,
    clock: Clock,
    port: int = DEFAULT_PORT,
    *,
    quirks: BrokerQuirks | None = None,
    opening: OpeningAccount | None = None,
    seed: int = 0,
    fill_model: FillModel = FillModel.PAPER,
    stop: Stop | None = None,
) -> Iterator[ExchangeServer]:
    """A server that is up for as long as the context lasts and leaves nothing behind; an error of its own sets `stop`.

    OSError where the port is taken. Fills as the real paper account does unless told otherwise.
    """
    exchange = Exchange(market, clock, quirks or BrokerQuirks(), opening or OpeningAccount(), seed, fill_model)
    if not isinstance(clock, RealClock):
        exchange.control.move = clock.move
    give_up = (stop or Stop()).set
    with ExchangeServer(exchange, port=port, runs=not isinstance(clock, SteppedClock), give_up=give_up) as server:
        yield server


def serve(server: ExchangeServer, clock: Clock, show: Callable[[str], None], stop: Stop) -> None:
    """Say where the server is and how to get in, then wait for the stop."""
    for line in greeting(server, clock):
        show(line)
    stop.wait()
    show("stopped")


def greeting(server: ExchangeServer, clock: Clock) -> list[str]:
    """Everything that somebody else's program needs to know."""
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
        "alpaca-py finds its way here by three lines, and its other clients by their own url_override:",
        "",
        "from alpaca.trading.client import TradingClient",
        f'client = TradingClient("{opening.key_id}", "{opening.secret_key}", url_override="{server.trading_url}")',
        "print(client.get_clock(), client.get_account().buying_power)",
        "",
        "Ctrl-C ends it.",
    ]


def pace(server: ExchangeServer, clock: Clock) -> str:
    """What time it is here, and how it goes on."""
    now = f"{local(server.exchange.now)[:19].replace('T', ' ')} in New York"
    if isinstance(clock, RealClock):
        return f"{now}: the wall clock's"
    order = f"""curl -X POST {server.trading_url}/_sim/clock -d '{{"advance_seconds": 60}}'"""
    if isinstance(clock, SteppedClock):
        return f"{now}, and stands still until it is moved: {order}"
    times = "as fast as" if clock.speed == 1 else f"{clock.speed:g} times as fast as"
    return f"{now}, and runs {times} the wall clock; further at once: {order}"
