"""Measures a generated regime, or a recorded stock, the way the recorded figures were measured."""

import hashlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, fields
from datetime import date
from typing import Final

from repeg_workbench.calibration.recorded import Cell
from repeg_workbench.calibration.rules import Worked, cells, worked
from repeg_workbench.calibration.touch import Samples, TouchFigures, sampled, touch_figures
from repeg_workbench.exchange.market.generated_day import DayMaker
from repeg_workbench.exchange.market.generated_regimes import Instrument
from repeg_workbench.exchange.market.generated_universe import DEFAULT_UNIVERSE
from repeg_workbench.exchange.market.symbol_day import SymbolDay
from repeg_workbench.exchange.time.calendar import TradingCalendar, nanoseconds
from repeg_workbench.replay.tape import replay_tape

STOCKS: Final = {"BAC": "BAC", "AIG": "AIG", "IBM": "IBM", "XXX": "JNJ", "AMZN": "AMZN", "GOOG": "GOOG"}
"""For each recorded stock, a generated one of the regime that was fitted to it."""

_SESSIONS: Final = TradingCalendar().sessions(date(2026, 1, 2), date(2026, 12, 31))
_ACTIVITY: Final = 500
_KEPT_DIGITS: Final = 16


@dataclass(frozen=True)
class Measured:
    """What was measured on some days of one stock."""

    days: int
    touch: TouchFigures
    costs: tuple[tuple[Cell, ...], ...]


def instrument(recorded: str) -> Instrument:
    """The generated stock of the regime that was fitted to a recorded one."""
    return next(each for each in DEFAULT_UNIVERSE if each.listing.symbol == STOCKS[recorded])


def generated_days(stock: Instrument, seeds: Iterable[int]) -> Iterator[tuple[SymbolDay, int]]:
    """A day of the stock for each seed, each on another date, with its opening time in nanoseconds."""
    for seed in seeds:
        session = _SESSIONS[seed % len(_SESSIONS)]
        yield DayMaker(stock, session, seed, _ACTIVITY).make(), nanoseconds(session.open)


def measured(days: Iterable[tuple[SymbolDay, int]], every: int = 60) -> Measured:
    """The figures of these days, with an arrival in each `every` seconds."""
    samples: list[Samples] = []
    orders: list[Worked] = []
    for number, (day, opened) in enumerate(days):
        tape = replay_tape(day)
        samples.append(sampled(tape, opened))
        orders.append(worked(tape, opened, every, number))
    return Measured(len(samples), touch_figures(samples), cells(orders))


def fingerprint() -> str:
    """A hash of one day of every regime, which changes whenever the generated market does."""
    digest = hashlib.sha256()
    for name in STOCKS:
        for day, _ in generated_days(instrument(name), [0]):
            for table in (day.quotes, day.trades):
                for field in fields(table):
                    digest.update(getattr(table, field.name).tobytes())
    return digest.hexdigest()[:_KEPT_DIGITS]
