"""Variations of a day: a whole session, or a feed without trades, with old trades, or with late quotes."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from random import Random
from typing import TYPE_CHECKING

import numpy as np

from repeg_workbench.exchange.market.symbol_day import SymbolDay, Trades
from repeg_workbench.exchange.time.calendar import TradingCalendar
from repeg_workbench.faults.day_parts import FULL_DAYS
from repeg_workbench.faults.short_market import SECOND, ShortMarket, symbol_day

if TYPE_CHECKING:
    from repeg_workbench.faults.seeded_days import Day

MINUTE = 60 * SECOND
HOURS_AGO = 5 * 60 * MINUTE


def with_full_length(day: Day, chance: Random) -> Day:
    """A whole session from before its open, with the same plan and a run that takes its time."""
    found = TradingCalendar().session(FULL_DAYS[0])
    if found is None:
        raise ValueError(f"{FULL_DAYS[0]} is not a trading day")
    start = found.open - timedelta(minutes=5)
    seconds = round((found.close - start).total_seconds())
    days = {s: symbol_day(s, found.day, start, seconds, chance.getrandbits(32)) for s in day.market.symbols()}
    settings = {
        **day.settings,
        "market_open_delay_minutes": 5, "close_margin_minutes": 5,
        "order_monitoring_seconds": chance.choice((30, 60, 120)), "patience_seconds": chance.choice((300, 7_200)),
    }  # fmt: skip
    return replace(day, day=found.day, start=start, market=ShortMarket(days), settings=settings)


def with_old_trades(day: Day, chance: Random) -> Day:
    """Some symbols whose last trade is hours old, at another price: before a split, after news, or a wrong print."""
    factor = chance.choice((0.1, 0.5, 0.88, 1.13, 2.0))
    return _changed(day, chance, lambda data: _traded_long_ago(data, factor, chance.choice((3, 10, 40)) * MINUTE))


def with_missing_trades(day: Day, chance: Random) -> Day:
    """Some symbols that do not trade at all, or not for minutes."""
    return _changed(day, chance, lambda data: _without_trades(data, chance.choice((5, 15, 60)) * MINUTE))


def with_late_quotes(day: Day, chance: Random) -> Day:
    """Some symbols whose first quote comes minutes after the day's start."""
    return _changed(day, chance, lambda data: _quoted_from(data, chance.choice((3, 8, 20)) * MINUTE))


def _changed(day: Day, chance: Random, change: Callable[[SymbolDay], SymbolDay]) -> Day:
    days = {symbol: data for symbol in day.market.symbols() if (data := day.market.day(symbol, day.day)) is not None}
    for symbol in chance.sample(sorted(days), chance.randint(1, len(days))):
        days[symbol] = change(days[symbol])
    return replace(day, market=ShortMarket(days))


def _without_trades(data: SymbolDay, length: int) -> SymbolDay:
    return replace(data, trades=data.trades.where(data.trades.ts > data.quotes.ts[0] + length))


def _traded_long_ago(data: SymbolDay, factor: float, length: int) -> SymbolDay:
    later = data.trades.where(data.trades.ts > data.quotes.ts[0] + length)
    paid = max(1, round(int(data.first_price() or 0) * factor) // 100 * 100)
    old = Trades(
        ts=np.array([data.quotes.ts[0] - HOURS_AGO]),
        price=np.array([paid]),
        size=np.array([100]),
        side=np.zeros(1, np.int8),
        venue=np.full(1, ord("N"), np.uint8),
        lit=np.zeros(1, np.bool_),
    )
    names = ("ts", "price", "size", "side", "venue", "lit")
    return replace(data, trades=Trades(*(np.concatenate([getattr(old, n), getattr(later, n)]) for n in names)))


def _quoted_from(data: SymbolDay, length: int) -> SymbolDay:
    begins = data.quotes.ts[0] + length
    return replace(
        data, quotes=data.quotes.where(data.quotes.ts > begins), trades=data.trades.where(data.trades.ts > begins)
    )
