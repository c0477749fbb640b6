"""Measures a day of a hundred orders: its time and memory, and its use of the workflow, the table and the broker."""

import resource
import sys
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from decimal import Decimal
from time import perf_counter, process_time
from typing import TypeVar

import numpy as np

from repeg_workbench.bench.baseline import compared
from repeg_workbench.exchange.broker.opening import OpeningAccount
from repeg_workbench.exchange.broker_quirks import BrokerQuirks
from repeg_workbench.exchange.market.generated import DEFAULT_ACTIVITY, GeneratedMarket, Instrument, universe
from repeg_workbench.exchange.market.generated_day import DayMaker
from repeg_workbench.exchange.market.generated_flow import PERMILLE
from repeg_workbench.exchange.market.symbol_day import Listing, Quotes, SymbolDay, Trades
from repeg_workbench.exchange.time.calendar import NANOSECONDS, TradingCalendar
from repeg_workbench.simulate.simulation import Scenario, SimulatedDay, opened

DAY = date(2026, 11, 23)
SEED = 1
ORDERS = 100
SHARES = 500
TICK = 100
Rows = TypeVar("Rows", Quotes, Trades)

TARGET_SECONDS, TARGET_MEGABYTES = 20, 1_024

# The original rule, no escalation and no limit on moves: every order works all day, with one look a turn.
SETTINGS = {
    "policy": "anchor",
    "escalation": "none",
    "max_repegs": "399",
    "max_attempts": "400",
    "max_slippage_bps": "2000",
    "max_spread_pct": "20",
    "max_quote_age_seconds": "299",
    "min_volume_shares": "0",
    "patience_seconds": "23400",
}


class RunawayMarket:
    """The generated market with prices that run away, so that no order fills: buys only rise, sells only fall."""

    def __init__(self, stocks: Sequence[Instrument], buys: frozenset[str]) -> None:
        self._stocks = {stock.listing.symbol: stock for stock in stocks}
        self._market = GeneratedMarket(SEED, stocks)
        self._buys = buys
        self._days: dict[str, SymbolDay | None] = {}
        self._earlier: dict[tuple[str, date], SymbolDay] = {}

    def symbols(self) -> tuple[str, ...]:
        """The generated market's symbols."""
        return self._market.symbols()

    def listing(self, symbol: str) -> Listing | None:
        """The generated market's listing."""
        return self._market.listing(symbol)

    def days(self) -> None:
        """Every trading day."""

    def day(self, symbol: str, day: date) -> SymbolDay | None:
        """The runaway day; for any other date, only its first quote and print."""
        if symbol not in self._days:
            made = self._make(symbol)
            self._days[symbol] = made and self._run_away(made)
        ran = self._days[symbol]
        if day == DAY or ran is None:
            return ran
        if (symbol, day) not in self._earlier:
            self._earlier[symbol, day] = _beginning(ran, day)
        return self._earlier[symbol, day]

    def reference_price(self, symbol: str, day: date) -> int | None:
        """The price of the only print of the day before."""
        before = self.day(symbol, day - timedelta(days=1))
        return before.last_price() if before else None

    def _make(self, symbol: str) -> SymbolDay | None:
        """The generated market's day, which that market would keep in memory."""
        stock, session = self._stocks.get(symbol), TradingCalendar().session(DAY)
        if stock is None or session is None:
            return None
        return DayMaker(stock, session, SEED, round(DEFAULT_ACTIVITY * PERMILLE)).make()

    def _run_away(self, day: SymbolDay) -> SymbolDay:
        quotes = day.quotes.where((day.quotes.bid > 0) & (day.quotes.ask > 0))
        spread = TICK if quotes.ask[0] - quotes.bid[0] == TICK else 3 * TICK
        is_bought = day.symbol in self._buys
        bid = np.maximum.accumulate(quotes.bid) if is_bought else np.minimum.accumulate(quotes.ask) - spread
        return replace(day, quotes=replace(quotes, bid=bid, ask=bid + spread), trades=_first(day.trades))


def _beginning(day: SymbolDay, earlier: date) -> SymbolDay:
    """The first quote and print of a day, moved to an earlier day."""
    back = (day.day - earlier).days * 86_400 * NANOSECONDS
    quotes, trades = _first(day.quotes), _first(day.trades)
    moved = replace(quotes, ts=quotes.ts - back), replace(trades, ts=trades.ts - back)
    return SymbolDay(day.symbol, earlier, *moved)


def _first(rows: Rows) -> Rows:
    return rows.where(np.arange(len(rows)) == 0)


@dataclass(frozen=True)
class Measured:
    """The measurements of a day."""

    seconds: float
    megabytes: float
    turns: int
    figures: dict[str, float]


def main() -> None:
    """Run the day and print its measurements."""
    started = perf_counter()
    with compared("day") as comparison, opened(_scenario()) as day:
        calls: Counter[str] = Counter()
        day.engine.before_table_call.append(lambda operation: calls.update([operation]))
        set_up = perf_counter() - started
        day.start("bench")
        day.run()
        measured, cpu = measure(day, calls, perf_counter() - started), process_time()
    _print(measured, set_up, f"{cpu:.1f} s", comparison.against(cpu))


def _scenario() -> Scenario:
    return a_day(SETTINGS, runs_away=True)


def a_day(settings: Mapping[str, str], *, runs_away: bool) -> Scenario:
    """A day of a hundred orders under these settings, on prices that run away from them or on generated ones."""
    calm = [stock for stock in universe(ORDERS + 10) if not (stock.halt or stock.one_sided)]
    stocks = [_lettered(stock) for stock in calm if stock.listing.tradable][:ORDERS]
    symbols = [stock.listing.symbol for stock in stocks]
    buys = frozenset(symbols[::2])
    plan = {
        "name": "bench",
        "orders": [{"symbol": s, "side": "buy" if s in buys else "sell", "qty": str(SHARES)} for s in symbols],
    }
    held = {symbol: (Decimal(SHARES), Decimal(100)) for symbol in symbols if symbol not in buys}
    return Scenario(
        plan,
        RunawayMarket(stocks, buys) if runs_away else GeneratedMarket(SEED, stocks),
        DAY,
        OpeningAccount(cash=Decimal(100_000_000), positions=held),
        settings,
        # The shared request quota is not measured here.
        parameters={"RequestsPerMinute": "99999"},
        seed=SEED,
        quirks=BrokerQuirks(requests_per_minute=None, data_requests_per_minute=None),
    )


def _lettered(stock: Instrument) -> Instrument:
    """The same stock under a symbol without digits, like real ones."""
    symbol = stock.listing.symbol.translate(str.maketrans("0123456789", "ABCDEFGHIJ"))
    return replace(stock, listing=replace(stock.listing, symbol=symbol))


def measure(day: SimulatedDay, calls: Counter[str], seconds: float) -> Measured:
    """What the day used. Raises RuntimeError if its run did not settle."""
    summary = day.summary()
    if summary is None or summary["outcome"] != "settled":
        raise RuntimeError(f"the day did not settle: {day.ending().cause}")
    totals = summary["totals"]
    turns = totals["turns"]
    figures = {
        "moves": sum(order["moves"] for order in summary["orders"]),
        "history events a turn": totals["history_events"] / turns,
        "transitions a turn": totals["transitions"] / turns,
        "trading requests a turn": totals["trading_requests"] / turns,
        "data requests a turn": totals["data_requests"] / turns,
        "table calls a turn": calls.total() / turns,
        **{f"  {operation}": count / turns for operation, count in sorted(calls.items())},
    }
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return Measured(seconds, peak / (1_024 * 1_024 if sys.platform == "darwin" else 1_024), turns, figures)


def _print(measured: Measured, set_up: float, cpu: str, ratio: str) -> None:
    sys.stdout.write(f"a day of {ORDERS} orders, {measured.turns} turns\n")
    line("wall time", f"{measured.seconds:.1f} s", f"target {TARGET_SECONDS} s, including {set_up:.1f} s of setup")
    line("CPU, imports included", cpu, ratio)
    line("peak memory", f"{measured.megabytes:.0f} MB", f"target {TARGET_MEGABYTES} MB")
    print_figures(measured)


def print_figures(measured: Measured) -> None:
    """What the day used, a line each."""
    for what, value in measured.figures.items():
        line(what, f"{value:,.1f}")


def line(what: str, value: str, target: str = "") -> None:
    """Print one measurement."""
    sys.stdout.write(f"{what:<28} {value:>12}  {target}".rstrip() + "\n")


if __name__ == "__main__":
    main()
