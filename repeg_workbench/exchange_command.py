"""`repeg exchange`: serves a simulated Alpaca on a port to other programs, until Ctrl-C."""

from __future__ import annotations

import difflib
import errno
import math
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, fields
from datetime import date
from decimal import Decimal
from ipaddress import IPv4Address
from pathlib import Path
from typing import Any, get_type_hints

import typer
from pydantic import TypeAdapter, ValidationError

from repeg.domain.errors import InvalidInput, expectation
from repeg_workbench.command_options import GENERATED, open_market, read_cash, read_date
from repeg_workbench.exchange.api.account_api import FIRST_DAY, LAST_DAY
from repeg_workbench.exchange.broker.opening import OpeningAccount
from repeg_workbench.exchange.broker_quirks import BrokerQuirks
from repeg_workbench.exchange.control.bodies import ArmAll
from repeg_workbench.exchange.control.chaos import arm_all
from repeg_workbench.exchange.market.recorded import RecordedMarket, RecordingError
from repeg_workbench.exchange.market.symbol_day import Market
from repeg_workbench.exchange.matching.symbol_book import FillModel
from repeg_workbench.exchange.serving.serve import Clock, Stop, clock_for, serve, serving, stopped_by_signals
from repeg_workbench.exchange.serving.server import LOOPBACK, ExchangeServer
from repeg_workbench.exchange.time.calendar import new_york
from repeg_workbench.exchange.time.clocks import RealClock
from repeg_workbench.exchange.time.hours import TradingHours
from repeg_workbench.exchange.time.stamps import local_day
from repeg_workbench.exchange.units import price as dollars

STOPPED, BAD_INPUT = 0, 2
DEFAULT_DAY = date(2026, 11, 23)
DEFAULT_START = "09:30"
_LAST_PORT = 65_535
_LARGEST_SEED = 2**63 - 1
# A session in six seconds; any faster, and the exchange could not keep up with its clock.
_FASTEST = 3_600
_HOSTS = f"an IPv4 address of this machine such as {LOOPBACK}, or 0.0.0.0 for all of them"
_MULTIPLIERS = {"1": 1, "2": 2, "4": 4}
"""Buying power as a multiple of equity: 1 for a cash account, 2 or 4 for margin with short sales."""


@dataclass(frozen=True, kw_only=True)
class Options:
    """The command's options as typed; None where omitted."""

    market: str = GENERATED
    port: str = "8700"
    host: str = LOOPBACK
    date: str | None = None
    start: str | None = None
    speed: str | None = None
    real_time: bool = False
    seed: str = "1"
    cash: str | None = None
    positions: Path | None = None
    multiplier: str = "1"
    fill_model: str = FillModel.PAPER
    quirks: tuple[str, ...] = ()
    chaos: str | None = None


def exchange(options: Options) -> int:
    """Serve an exchange with these options until Ctrl-C or SIGTERM; returns the exit code."""
    with stopped_by_signals() as stop:
        try:
            with _served(options, stop) as (server, clock):
                serve(server, clock, typer.echo, stop)
        except InvalidInput as error:
            typer.echo(str(error), err=True)
            return BAD_INPUT
    return STOPPED


@contextmanager
def _served(options: Options, stop: Stop) -> Iterator[tuple[ExchangeServer, Clock]]:
    port, seed = _whole("port", options.port, _LAST_PORT), _whole("seed", options.seed, _LARGEST_SEED)
    host = _address(options.host)
    quirks, chance, model = read_knobs(options.quirks), _chance(options.chaos), _fill_model(options.fill_model)
    market, clock, day = _market_and_clock(options, seed)
    opening = _opening(options, market, day)
    with (
        _socket_errors_as_bad_input(host, port),
        serving(market, clock, port, host, quirks, opening, seed=seed, fill_model=model, stop=stop) as server,
    ):
        if chance is not None:
            server.call(lambda: arm_all(server.exchange.faults, server.exchange.races, chance))
        yield server, clock


def _market_and_clock(options: Options, seed: int) -> tuple[Market, Clock, date]:
    speed = _speed(options.speed)
    if options.real_time:
        return _now(options, seed)
    day = _first_day(options.market) if options.date is None else read_date(options.date)
    _require_trading(day)
    market = open_market(options.market, seed, day)
    start = options.start or DEFAULT_START
    try:
        clock = clock_for(day, start, real_time=False, speed=speed)
    except ValueError:
        raise InvalidInput("start", start, "a time in New York such as 09:30 or 15:59:30") from None
    return market, clock, day


def _require_trading(day: date) -> None:
    if not FIRST_DAY <= day <= LAST_DAY:
        raise InvalidInput("date", str(day), f"a day in the broker's calendar, from {FIRST_DAY} to {LAST_DAY}")
    if TradingHours().on(day) is None:
        following = TradingHours().upcoming(new_york(day, "12:00")).day
        raise InvalidInput("date", str(day), f"a trading day; the next one is {following}")


def _now(options: Options, seed: int) -> tuple[Market, Clock, date]:
    for name, value in (("date", options.date), ("start", options.start), ("speed", options.speed)):
        if value is not None:
            raise InvalidInput(name, value, f"no --{name} together with --real-time")
    clock = RealClock()
    today = local_day(clock())
    return open_market(options.market, seed, today), clock, today


def _first_day(market: str) -> date:
    if market == GENERATED:
        return DEFAULT_DAY
    try:
        return RecordedMarket(Path(market)).days()[0]
    except RecordingError as error:
        raise InvalidInput("market", market, f"a folder of recordings ({error})") from None


def _opening(options: Options, market: Market, day: date) -> OpeningAccount:
    multiplier = _MULTIPLIERS.get(options.multiplier)
    if multiplier is None:
        raise InvalidInput("multiplier", options.multiplier, f"one of {', '.join(_MULTIPLIERS)}")
    shares = {} if options.positions is None else _positions(options.positions)
    return OpeningAccount(
        cash=OpeningAccount.cash if options.cash is None else read_cash(options.cash),
        positions={symbol: (held, _reference(market, symbol, day)) for symbol, held in sorted(shares.items())},
        multiplier=multiplier,
        shorting_enabled=multiplier > 1,
    )


def _positions(path: Path) -> dict[str, Decimal]:
    # Imported here because it imports the deployed stack, which takes a second and is not needed otherwise.
    from repeg_workbench.simulate.opening_account import read_positions  # noqa: PLC0415

    return read_positions(path)


def _reference(market: Market, symbol: str, day: date) -> Decimal:
    units = market.reference_price(symbol, day)
    if units is None:
        raise InvalidInput("positions", symbol, f"a symbol with a price: {' '.join(market.symbols())}")
    return dollars(units)


@contextmanager
def _socket_errors_as_bad_input(host: str, port: int) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        if error.errno == errno.EADDRINUSE:
            raise InvalidInput("port", port, "a free port, or 0 for any; this one is in use") from None
        if error.errno == errno.EACCES:
            raise InvalidInput("port", port, "a port above 1023, or 0 for any; this one needs privileges") from None
        if "could not bind" in str(error):  # asyncio drops the number of this one
            raise InvalidInput("host", host, _HOSTS) from None
        raise


def read_knobs(assignments: Iterable[str]) -> BrokerQuirks:
    """Broker quirks from NAME=VALUE pairs; a delay is LOW,HIGH in milliseconds, `none` removes a limit.

    Raises InvalidInput.
    """
    known = get_type_hints(BrokerQuirks, include_extras=True)
    values: dict[str, Any] = {}
    for assignment in assignments:
        name, _, text = assignment.partition("=")
        if name not in known:
            near = difflib.get_close_matches(name, known, n=3) or [field.name for field in fields(BrokerQuirks)]
            raise InvalidInput("knob", assignment, f"NAME=VALUE with a NAME such as {', '.join(near)}")
        values[name] = _quirk(assignment, text, known[name])
    return BrokerQuirks(**values)


def _quirk(assignment: str, text: str, kind: Any) -> Any:
    raw: Any = text.split(",") if "," in text else None if text == "none" else text
    try:
        value = TypeAdapter(kind).validate_python(raw)
    except ValidationError as error:
        raise InvalidInput(
            "knob", assignment, expectation(f"a value of its type ({error.errors()[0]['msg']})")
        ) from None
    numbers = value if isinstance(value, tuple) else (value,) if isinstance(value, int) else ()
    if list(numbers) != sorted(numbers) or any(number < 0 for number in numbers):
        raise InvalidInput("knob", assignment, "0 or more, and the lower of two numbers first")
    return value


def _whole(name: str, text: str, most: int) -> int:
    if not (text.isascii() and text.isdigit() and int(text) <= most):
        raise InvalidInput(name, text, f"a whole number from 0 to {most}")
    return int(text)


def _address(text: str) -> str:
    try:
        return str(IPv4Address(text))
    except ValueError:
        raise InvalidInput("host", text, _HOSTS) from None


def _speed(text: str | None) -> float:
    speed = _number(text or "1")
    if not 0 <= speed <= _FASTEST:
        raise InvalidInput("speed", text, f"a multiple of the wall clock's speed, from 0 (stands still) to {_FASTEST}")
    return speed


def _chance(text: str | None) -> float | None:
    if text is None:
        return None
    try:
        return ArmAll(chance=_number(text)).chance
    except ValidationError:
        raise InvalidInput("chaos", text, "a chance above 0 and at most 1") from None


def _fill_model(text: str) -> FillModel:
    try:
        return FillModel(text)
    except ValueError:
        raise InvalidInput("fill-model", text, f"one of {', '.join(FillModel)}") from None


def _number(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        return math.nan
