"""Bars computed from a symbol's prints."""

from datetime import time
from typing import Any, Final

import numpy as np

from repeg_workbench.exchange.market.symbol_day import Trades
from repeg_workbench.exchange.matching.venue import Venue
from repeg_workbench.exchange.time.stamps import MINUTE, at_local, utc
from repeg_workbench.exchange.units import PRICE_SCALE

View = dict[str, Any]
_MIDNIGHT: Final = time()


def snapshot_view(venue: Venue, symbol: str, at: int) -> dict[str, View | None]:
    """The bars of the latest minute, of today so far and of the previous day."""
    today, before = venue.day(symbol), venue.day_before(symbol)
    daily = None
    minute = None
    if today is not None:
        count = int(np.searchsorted(today.trades.ts, at, "right"))
        daily = bar(today.trades, 0, count, at_local(today.day, _MIDNIGHT))
        minute = _latest_minute(today.trades, count)
    previous = bar(before.trades, 0, len(before.trades), at_local(before.day, _MIDNIGHT)) if before else None
    return {"minuteBar": minute, "dailyBar": daily, "prevDailyBar": previous}


def bar(trades: Trades, start: int, stop: int, at: int) -> View | None:
    """Open, high, low, close, volume, count and average price of the prints [start, stop); None without prints."""
    if start >= stop:
        return None
    prices, sizes = trades.price[start:stop], trades.size[start:stop]
    volume = int(sizes.sum())
    value = int((prices * sizes).sum())
    return {
        "t": utc(at),
        "o": int(prices[0]) / PRICE_SCALE,
        "h": int(prices.max()) / PRICE_SCALE,
        "l": int(prices.min()) / PRICE_SCALE,
        "c": int(prices[-1]) / PRICE_SCALE,
        "v": volume,
        "n": stop - start,
        "vw": round(value / volume / PRICE_SCALE, 6) if volume else 0,
    }


def _latest_minute(trades: Trades, count: int) -> View | None:
    if not count:
        return None
    minute = int(trades.ts[count - 1]) // MINUTE * MINUTE
    return bar(trades, int(np.searchsorted(trades.ts, minute)), count, minute)
