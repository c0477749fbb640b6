"""Hand-made tapes of a few seconds, and orders worked on them."""

from dataclasses import fields, replace
from datetime import date

import numpy as np

from repeg_workbench.exchange.market.symbol_day import Quotes, SymbolDay
from repeg_workbench.replay.filling import Model
from repeg_workbench.replay.plans import Plan
from repeg_workbench.replay.side_tape import SideTape, consolidated, side_tape
from repeg_workbench.replay.state import SECOND, State, Task
from repeg_workbench.replay.tape import replay_tape
from repeg_workbench.replay.walk import work
from tests.exchange.matching_tapes import quotes, trades

DAY = date(2025, 6, 3)
N, T = ord("N"), ord("T")

QuoteRow = tuple[float, int, int, int, int]
TradeRow = tuple[float, int, int, int]


def a_day(quote_rows: list[QuoteRow], trade_rows: list[TradeRow] | None = None, venue: int = N) -> SymbolDay:
    """Quotes of (second, bid, bid size, ask, ask size) in cents and shares; prints of (second, price, size, side)."""
    rows = [(int(at * SECOND), 100 * bid, size, 100 * ask, more, N, N) for at, bid, size, ask, more in quote_rows]
    prints = [(int(at * SECOND), 100 * price, size, side, venue, True) for at, price, size, side in trade_rows or []]
    return SymbolDay("XYZ", DAY, quotes(rows), trades(prints))


def requoted(quotes: Quotes, every: int = 5 * SECOND) -> Quotes:
    """The same quotes, each repeated every five seconds until the next one."""
    stamps = np.arange(quotes.ts[0], quotes.ts[-1], every)
    stamps = np.union1d(stamps, quotes.ts)
    row = quotes.ts.searchsorted(stamps, side="right") - 1
    columns = {each.name: getattr(quotes, each.name)[row] for each in fields(Quotes)}
    return Quotes(**{**columns, "ts": stamps})


def dearer(day: SymbolDay, cents: int = 9_000) -> SymbolDay:
    """The same day ninety dollars up, where four ticks are no wide spread, and never with an old quote."""
    up, quotes = 100 * cents, requoted(day.quotes)
    quoted = replace(quotes, bid=quotes.bid + up, ask=quotes.ask + up)
    return replace(day, quotes=quoted, trades=replace(day.trades, price=day.trades.price + up))


def tape_of(day: SymbolDay, side: int = 1) -> SideTape:
    """The day from the side of a buy or a sell."""
    return side_tape(replay_tape(day), side)


def worked(
    plan: Plan, day: SymbolDay, *, side: int = 1, shares: int = 100, model: Model = Model.QUEUE, arrival: float = 1
) -> State:
    """An order that arrives after a second, with a latency of a tenth of a second."""
    return work(
        consolidated(tape_of(day, side)),
        Task(int(arrival * SECOND), shares, SECOND // 10, int(model), 100, 100, 0),
        plan,
    )


def paid(state: State, shares: int = 100) -> float:
    """Cents per share, negative for a sell."""
    return float(state.tally.paid / shares / 100)


def seconds(state: State) -> float:
    """When the last share was filled."""
    return round(float(state.tally.at / SECOND), 3)
