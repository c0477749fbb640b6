"""Cleans a recorded day by named rules that count what they drop, and refuses one that no rule can mend."""

from dataclasses import dataclass, replace
from typing import Final, NamedTuple

import numpy as np

from repeg_workbench.exchange.market.recorded import RecordingError
from repeg_workbench.exchange.market.symbol_day import Flags, Int64s, Quotes, SymbolDay, Trades
from repeg_workbench.exchange.time.calendar import NANOSECONDS, TradingCalendar, nanoseconds

LONGEST_SILENCE: Final = 300 * NANOSECONDS
"""A longer time of the session without a quote or a print is a gap, in which no order is replayed."""

_FIRST_ROW_LINE: Final = 2
_FEW_SHARES: Final = 10
_ROUND_LOT: Final = 100


class Dropped(NamedTuple):
    """How much each rule dropped or set aside.

    superseded_rows: a later row has the same time stamp, so the row was never in force.
    crossed_rows: the bid is above the ask; the quote before it stays in force.
    one_sided_rows: bid or ask is missing; kept, and nothing is placed on them.
    duplicate_prints: equal to the print before in every field.
    foreign_prints: where one venue alone quotes, lit prints of others; they met books that the recording does not have.
    gap_seconds: silence of more than five minutes within the session.
    """

    superseded_rows: int
    crossed_rows: int
    one_sided_rows: int
    duplicate_prints: int
    foreign_prints: int
    gap_seconds: int


@dataclass(frozen=True)
class CleanDay:
    """A day that can be replayed: its rows, the session's [open, close) in nanoseconds, its gaps, and what was dropped.

    The spans of `gaps` are half-open; one that begins at the open or ends at the close is part of the session that the
    recording does not have.
    """

    day: SymbolDay
    opens: int
    closes: int
    gaps: tuple[tuple[int, int], ...]
    dropped: Dropped


def clean(day: SymbolDay) -> CleanDay:
    """The day as it can be replayed. Raises RecordingError, with file, line and reason, if it cannot be."""
    _refuse_exchanged_sides(day)
    _refuse_other_units(day)
    _refuse_sizes_in_lots(day)
    opens, closes = _session(day)
    quotes, superseded, crossed = _in_force(day.quotes)
    printed, duplicates = _printed_once(day.trades)
    trades = _of_quoted_venue(quotes, printed)
    foreign = len(printed) - len(trades)
    gaps = _gaps(quotes.ts, trades.ts, opens, closes)
    silence = sum(end - start for start, end in gaps) // NANOSECONDS
    one_sided = int(((quotes.bid == 0) | (quotes.ask == 0)).sum())
    dropped = Dropped(superseded, crossed, one_sided, duplicates, foreign, silence)
    return CleanDay(replace(day, quotes=quotes, trades=trades), opens, closes, gaps, dropped)


def _session(day: SymbolDay) -> tuple[int, int]:
    session = TradingCalendar().session(day.day)
    if session is None:
        raise RecordingError(f"{_file(day, 'quotes')}: {day.day} has no session, expected a trading day")
    opens, closes = nanoseconds(session.open), nanoseconds(session.close)
    two_sided = (day.quotes.bid > 0) & (day.quotes.ask > day.quotes.bid)
    if not (two_sided & (day.quotes.ts < closes)).any():
        raise RecordingError(f"{_file(day, 'quotes')}: no row has a bid below an ask before the close")
    return opens, closes


def _refuse_exchanged_sides(day: SymbolDay) -> None:
    quotes = day.quotes
    both, crossed = (quotes.bid > 0) & (quotes.ask > 0), (quotes.ask > 0) & (quotes.bid > quotes.ask)
    if 2 * crossed.sum() > both.sum():
        line = int(crossed.argmax()) + _FIRST_ROW_LINE
        share = f"{crossed.sum()} of {both.sum()} rows"
        raise RecordingError(f"{_file(day, 'quotes')}, line {line}: bid above ask in {share}; are they exchanged?")


def _refuse_other_units(day: SymbolDay) -> None:
    """Quotes and trades in different units, such as cents and dollars, differ by far more than a day's range."""
    both = (day.quotes.bid > 0) & (day.quotes.ask > 0)
    if not both.any() or not len(day.trades):
        return
    quoted = float(np.median(day.quotes.bid[both] + day.quotes.ask[both])) / 2
    off = (day.trades.price > 3 * quoted) | (3 * day.trades.price < quoted)
    if 2 * off.sum() > len(off):
        row = int(off.argmax())
        printed = f"{day.trades.price[row] / 10_000:.2f}"
        where = f"{_file(day, 'trades')}, line {row + _FIRST_ROW_LINE}, field price"
        raise RecordingError(f"{where}: found {printed}, expected dollars near the quotes' {quoted / 10_000:.2f}")


def _refuse_sizes_in_lots(day: SymbolDay) -> None:
    """Quotes of a few shares beside prints of a hundred are quotes in round lots, as older recordings have them."""
    quotes, prints = day.quotes, day.trades.size[day.trades.size > 0]
    sizes = np.concatenate((quotes.bid_size, quotes.ask_size))
    sizes = sizes[sizes > 0]
    if not len(sizes) or not len(prints):
        return
    quoted, printed = float(np.median(sizes)), float(np.median(prints))
    if quoted <= _FEW_SHARES and printed >= _FEW_SHARES * quoted and printed >= _ROUND_LOT:
        row = int((quotes.bid_size > 0).argmax())
        where = f"{_file(day, 'quotes')}, line {row + _FIRST_ROW_LINE}, field bid_size"
        found = f"found {quotes.bid_size[row]}, and {quoted:.0f} in the median beside prints of {printed:.0f}"
        raise RecordingError(f"{where}: {found}, expected shares, not round lots")


def _in_force(quotes: Quotes) -> tuple[Quotes, int, int]:
    """The rows that were in force for a while, and how many were superseded or crossed."""
    last: Flags = np.diff(quotes.ts, append=quotes.ts[-1:] + 1) > 0
    crossed: Flags = last & (quotes.ask > 0) & (quotes.bid > quotes.ask)
    return quotes.where(last & ~crossed), int((~last).sum()), int(crossed.sum())


def _printed_once(trades: Trades) -> tuple[Trades, int]:
    columns = (trades.ts, trades.price, trades.size, trades.side, trades.venue, trades.lit)
    again = np.ones(len(trades), np.bool_)
    again[:1] = False
    for column in columns:
        again[1:] &= column[1:] == column[:-1]
    return trades.where(~again), int(again.sum())


def _of_quoted_venue(quotes: Quotes, trades: Trades) -> Trades:
    venues = np.unique(np.concatenate((quotes.bid_venue, quotes.ask_venue)))
    if len(venues) != 1 or venues[0] == 0:
        return trades
    return trades.where(~trades.lit | (trades.venue == venues[0]) | (trades.venue == 0))


def _gaps(quoted: Int64s, printed: Int64s, opens: int, closes: int) -> tuple[tuple[int, int], ...]:
    seen = np.sort(np.concatenate((quoted, printed)))
    inside = seen[(seen > opens) & (seen < closes)]
    edges = np.concatenate(([opens], inside, [closes]))
    silent = np.flatnonzero(np.diff(edges) > LONGEST_SILENCE)
    return tuple((int(edges[at]), int(edges[at + 1])) for at in silent)


def _file(day: SymbolDay, kind: str) -> str:
    return f"{day.symbol}-{day.day}.{kind}.csv"
