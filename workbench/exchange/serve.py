"""Serves a simulated Alpaca to any other program, until it is told to stop."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import date
from threading import Event

from workbench.exchange.calendar import new_york
from workbench.exchange.clocks import RealClock, RunningClock, SteppedClock
from workbench.exchange.core import Exchange
from workbench.exchange.knobs import Knobs
from workbench.exchange.market import Market
from workbench.exchange.matching import FillModel
from workbench.exchange.opening import OpeningAccount
from workbench.exchange.server import ExchangeServer

Clock = RealClock | RunningClock | SteppedClock
DEFAULT_PORT = 8700


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
    knobs: Knobs | None = None,
    opening: OpeningAccount | None = None,
    seed: int = 0,
    fill_model: FillModel = FillModel.PAPER,
) -> Iterator[ExchangeServer]:
    """A server that is up for as long as the context lasts and leaves nothing behind.

    OSError where the port is taken. Fills as the real paper account does unless told otherwise.
    """
    exchange = Exchange(market, clock, knobs or Knobs(), opening or OpeningAccount(), seed, fill_model)
    if isinstance(clock, SteppedClock):
        exchange.control.move = clock.move
    with ExchangeServer(exchange, port=port, runs=not isinstance(clock, SteppedClock)) as server:
        yield server


def serve(server: ExchangeServer, show: Callable[[str], None], stop: Event | None = None) -> None:
    """Say where the server is and how to get in, then wait for Ctrl-C (or for `stop`)."""
    try:
        for line in greeting(server):
            show(line)
        (stop or Event()).wait()
    except KeyboardInterrupt:
        show("stopped")


def greeting(server: ExchangeServer) -> list[str]:
    """Everything that somebody else's program needs to know."""
    opening = server.exchange.opening
    return [
        f"trading API   {server.trading_url}",
        f"market data   {server.data_url}",
        f"trade stream  {server.trade_stream_url}",
        f"data stream   {server.data_stream_url()}",
        f"control plane {server.trading_url}/_sim",
        f"key id        {opening.key_id}",
        f"secret key    {opening.secret_key}",
        f"symbols       {' '.join(server.exchange.market.symbols())}",
    ]
