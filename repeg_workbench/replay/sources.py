"""The symbol-days of a replay, from a folder of recordings or from the generated market."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path

from repeg.domain.errors import InvalidInput
from repeg_workbench.command_options import GENERATED
from repeg_workbench.exchange.market.generated import DEFAULT_ACTIVITY, GeneratedMarket
from repeg_workbench.exchange.market.recorded import RecordedMarket, RecordingError
from repeg_workbench.exchange.market.symbol_day import Market, SymbolDay
from repeg_workbench.exchange.time.calendar import TradingCalendar

GENERATED_SYMBOLS = ("BAC", "AIG", "IBM", "JNJ", "AMZN", "GOOG")
"""One name for each of the generated market's regimes that follows a recorded name."""


@dataclass(frozen=True)
class Source:
    """The symbol-days to replay; a day is read when it is its turn."""

    market: Market
    names: tuple[tuple[str, date], ...]

    def days(self) -> Iterator[SymbolDay]:
        """The days in order, one in memory at a time."""
        for symbol, day in self.names:
            found = self.market.day(symbol, day)
            if found is not None:
                yield found


def open_source(where: str, symbols: Sequence[str], seed: int, start: date, days: int) -> Source:
    """A folder's recordings, or `days` generated trading days from `start`. Raises InvalidInput for a bad folder."""
    if where == GENERATED:
        sessions = TradingCalendar().sessions(start, start + timedelta(days=2 * days + 14))[:days]
        market = GeneratedMarket(seed, activity=2 * DEFAULT_ACTIVITY)
        wanted = symbols or GENERATED_SYMBOLS
        return Source(market, tuple((symbol, session.day) for symbol in wanted for session in sessions))
    try:
        recorded = RecordedMarket(Path(where))
        found = _recorded_names(recorded, symbols)
    except RecordingError as error:
        raise InvalidInput("recordings", where, f"a folder of recordings ({error})") from None
    if not found:
        raise InvalidInput("symbols", ",".join(symbols), f"one of {', '.join(recorded.symbols())}")
    return Source(recorded, found)


def _recorded_names(recorded: RecordedMarket, symbols: Sequence[str]) -> tuple[tuple[str, date], ...]:
    wanted = [symbol for symbol in recorded.symbols() if not symbols or symbol in symbols]
    return tuple((symbol, day) for symbol in wanted for day in recorded.days() if recorded.has(symbol, day))
