"""Options shared by several commands: a market, a day, an amount of money."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from decimal import Decimal, InvalidOperation
from pathlib import Path

from repeg.domain.errors import InvalidInput
from repeg_workbench.exchange.market.generated import GeneratedMarket
from repeg_workbench.exchange.market.recorded import RecordedMarket, RecordingError
from repeg_workbench.exchange.market.symbol_day import Market

GENERATED = "generated"


def read_date(text: str) -> date:
    """Parse a calendar date. Raises InvalidInput."""
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise InvalidInput("date", text, "a date such as 2026-11-23") from None


def read_cash(text: str) -> Decimal:
    """Parse an amount in dollars. Raises InvalidInput."""
    try:
        cash = Decimal(text)
    except InvalidOperation:
        cash = Decimal("NaN")
    if not cash.is_finite() or cash < 0:
        raise InvalidInput("cash", text, "dollars of zero or more, such as 25000")
    return cash


def open_market(where: str, seed: int, day: date, symbols: Iterable[str] | None = None) -> Market:
    """The generated market, or a folder of recordings. The day's recordings are read at once, to fail early if invalid.

    Raises InvalidInput for a missing folder or day or an unreadable recording. `symbols` of None reads all symbols.
    """
    if where == GENERATED:
        return GeneratedMarket(seed)
    try:
        market = RecordedMarket(Path(where))
        market.require(day)
        for symbol in sorted(set(market.symbols() if symbols is None else symbols)):
            market.reference_price(symbol, day)
            market.day(symbol, day)
    except RecordingError as error:
        raise InvalidInput("market", where, f"a folder of recordings ({error})") from None
    return market
