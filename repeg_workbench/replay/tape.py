"""One symbol's day as plain columns for a replay: its quotes and its lit prints, recorded or generated alike."""

from dataclasses import dataclass

import numpy as np

from repeg_workbench.exchange.market.symbol_day import Int8s, Int64s, Letters, SymbolDay
from repeg_workbench.exchange.matching.tape import tape_of
from repeg_workbench.exchange.units import tick_at


@dataclass(frozen=True, eq=False)
class ReplayTape:
    """The columns of a day outside its halts; each array is contiguous, so that compiled code can read it as it is.

    Times in nanoseconds UTC, prices in price units (1/10,000 dollar), sizes in shares; a missing side has price 0 and
    size 0. A print comes before the quote row of the same time: print_row is the row that it met, -1 before the first.
    print_side is +1 if the buyer took, -1 if the seller did, 0 if unknown. Venues are ASCII letters,
    0 if unknown. Off-exchange, auction and late prints, which meet no displayed order, are left out.
    """

    symbol: str
    date: str
    tick: int
    ts: Int64s
    bid: Int64s
    ask: Int64s
    bid_size: Int64s
    ask_size: Int64s
    bid_venue: Letters
    ask_venue: Letters
    print_ts: Int64s
    print_price: Int64s
    print_size: Int64s
    print_side: Int8s
    print_venue: Letters
    print_row: Int64s

    def __len__(self) -> int:
        return len(self.ts)


def replay_tape(day: SymbolDay) -> ReplayTape:
    """The day's columns; the aggressor of a print without one is inferred from the quote that it met."""
    tape = tape_of(day)
    quotes, prints = tape.quotes, tape.prints
    whole = np.ascontiguousarray
    return ReplayTape(
        symbol=day.symbol,
        date=day.day.isoformat(),
        tick=tick_at(int(quotes.ask.max(initial=0))),
        ts=whole(quotes.ts),
        bid=whole(quotes.bid),
        ask=whole(quotes.ask),
        bid_size=whole(quotes.bid_size),
        ask_size=whole(quotes.ask_size),
        bid_venue=whole(quotes.bid_venue),
        ask_venue=whole(quotes.ask_venue),
        print_ts=whole(prints.ts),
        print_price=whole(prints.price),
        print_size=whole(prints.size),
        print_side=whole(tape.aggressor),
        print_venue=whole(prints.venue),
        print_row=whole(tape.row_before),
    )
