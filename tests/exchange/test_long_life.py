"""A server that runs for many sessions holds the present day and the one before, and the ledger."""

import gc
from collections import Counter
from datetime import date

from repeg_workbench.exchange.market.generated import DEFAULT_UNIVERSE, GeneratedMarket
from repeg_workbench.exchange.market.symbol_day import SymbolDay
from repeg_workbench.exchange.matching.symbol_book import SymbolBook
from repeg_workbench.exchange.matching.tape import Outlook, Tape
from tests.exchange.caller import Caller, a_caller

MONDAY = date(2026, 11, 2)
HELD = (SymbolDay, SymbolBook, Tape, Outlook)


def test_eight_sessions_hold_no_more_market_data_than_five() -> None:
    elsewhere = _held()  # other tests of this process may hold some
    market = GeneratedMarket(1, DEFAULT_UNIVERSE[:3], activity=0.01)
    caller = a_caller(market=market, day=MONDAY)
    for symbol in market.symbols():
        for channel in ("quotes", "trades", "bars", "dailyBars"):
            caller.exchange.feed.watch(channel, symbol, caller.exchange.now)
    counts = [_trade_a_session(caller) - elsewhere for _ in range(8)]
    assert counts[4].total() >= counts[7].total() > 0
    assert counts[7]["SymbolDay"] <= 2 * len(market.symbols()) + 8
    assert len(caller.exchange.feed._cursors) == len(caller.exchange.feed._due) == 4 * len(market.symbols())
    assert len(caller.exchange.ledger.executions) == 8 * 2 * 3


def _trade_a_session(caller: Caller) -> Counter[str]:
    exchange = caller.exchange
    day = exchange.hours.upcoming(exchange.now).day
    caller.wait_for("10:00", day)
    symbols = exchange.market.symbols()
    for side in ("buy", "sell"):
        for symbol in symbols:
            caller.submit(symbol=symbol, side=side, qty="1", type="market", limit_price=None)
        caller.wait(1_000)
    caller.get("/v2/stocks/snapshots", symbols=",".join(symbols))
    caller.wait_for("16:01", day)
    return _held()


def _held() -> Counter[str]:
    gc.collect()
    return Counter(type(each).__name__ for each in gc.get_objects() if isinstance(each, HELD))
