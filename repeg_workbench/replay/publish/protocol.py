"""What is published: which days are replayed, with which orders. Days to tune on and days to judge on differ."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Final

from repeg_workbench.exchange.market.generated import DEFAULT_ACTIVITY, GeneratedMarket
from repeg_workbench.exchange.market.recorded import RecordedMarket
from repeg_workbench.exchange.market.symbol_day import SymbolDay
from repeg_workbench.exchange.time.calendar import TradingCalendar
from repeg_workbench.replay.filling import Model
from repeg_workbench.replay.sources import GENERATED_SYMBOLS

GENERATED: Final = "generated"
RECORDED: Final = "recorded"
IEX: Final = "iex"

TUNING_SEED: Final = 401
JUDGING_SEED: Final = 7_001
"""Seeds of the generated markets. A number may be chosen on days of the first; what is published is of the second."""

FIRST_DAY: Final = date(2026, 3, 2)
DATES: Final = 17
"""Generated dates; each has a day of every regime, 102 days in all."""

SIZE_DATES: Final = 3
"""How many of the dates are also replayed with other sizes and horizons."""

IEX_DATES: Final = 8
"""How many of the dates are also replayed with what the iex feed shows."""

CROSSING_COSTS: Final = (1.0, 0.67, 0.5, 0.33)
ALL_MODELS: Final = (Model.QUEUE, Model.TRADE_THROUGH, Model.TOUCH, Model.ODD_LOT)
SIZE: Final = 100
HORIZON: Final = 300

OTHERS: Final = ((1_000, 300), (5_000, 300), (5_000, 1_800), (100, 60), (100, 1_800))
"""Other sizes in shares and horizons in seconds; under the queue model alone."""

_ARRIVALS, _OTHER_ARRIVALS, _RECORDED_ARRIVALS = 100, 40, 400


@dataclass(frozen=True)
class Case:
    """One symbol-day and the orders that are replayed on it: `arrivals`, each bought and sold."""

    group: str
    symbol: str
    day: date
    size: int
    horizon: int
    models: tuple[Model, ...]
    arrivals: int

    @property
    def name(self) -> str:
        """A file's name for the case."""
        return f"{self.group}-{self.symbol}-{self.day}-{self.size}-{self.horizon}"

    @property
    def is_of_one_venue(self) -> bool:
        """Whether decisions are taken on the quotes of one venue, while orders fill in the whole market."""
        return self.group == IEX


class Days:
    """The days of the protocol: a generated market, or a folder of recordings."""

    def __init__(self, seed: int, recordings: Path | None) -> None:
        self._generated = GeneratedMarket(seed, activity=DEFAULT_ACTIVITY)
        self._recorded = None if recordings is None else RecordedMarket(recordings)

    def recorded(self) -> Sequence[tuple[str, date]]:
        """Every recorded symbol and day."""
        market = self._recorded
        if market is None:
            return ()
        return [(symbol, day) for symbol in market.symbols() for day in market.days() if market.has(symbol, day)]

    def load(self, case: Case) -> SymbolDay:
        """The case's day."""
        market = self._recorded if case.group == RECORDED and self._recorded is not None else self._generated
        found = market.day(case.symbol, case.day)
        if found is None:
            raise ValueError(f"there is no day {case.day} of {case.symbol}")
        return found


def generated_dates(count: int) -> list[date]:
    """The first trading days from FIRST_DAY on."""
    sessions = TradingCalendar().sessions(FIRST_DAY, date(FIRST_DAY.year, 12, 31))
    return [session.day for session in sessions[:count]]


def generated_cases(dates: int) -> Iterator[Case]:
    """The generated days with the usual orders; some also with other sizes and horizons, and on the iex feed."""
    for number, day in enumerate(generated_dates(dates)):
        for symbol in GENERATED_SYMBOLS:
            yield Case(GENERATED, symbol, day, SIZE, HORIZON, ALL_MODELS, _ARRIVALS)
            if number < IEX_DATES:
                yield Case(IEX, symbol, day, SIZE, HORIZON, ALL_MODELS[:1], _ARRIVALS)
            for size, horizon in OTHERS if number < SIZE_DATES else ():
                yield Case(GENERATED, symbol, day, size, horizon, ALL_MODELS[:1], _OTHER_ARRIVALS)


def recorded_cases(days: Days) -> Iterator[Case]:
    """Every recorded day, with the same orders."""
    for symbol, day in days.recorded():
        yield Case(RECORDED, symbol, day, SIZE, HORIZON, ALL_MODELS, _RECORDED_ARRIVALS)
        for size, horizon in OTHERS:
            yield Case(RECORDED, symbol, day, size, horizon, ALL_MODELS[:1], _RECORDED_ARRIVALS)
