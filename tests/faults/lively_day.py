"""A day on which one order is worked for a long time: a book that moves every few seconds, with small prints."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

import numpy as np

from repeg_workbench.exchange.broker.opening import OpeningAccount
from repeg_workbench.exchange.broker_quirks import BrokerQuirks
from repeg_workbench.exchange.market.symbol_day import Quotes, SymbolDay, Trades
from repeg_workbench.exchange.matching.symbol_book import FillModel
from repeg_workbench.faults.seeded_days import HALF_DAY, Day, make_day
from repeg_workbench.faults.short_market import CENT, SECOND, ShortMarket

SECONDS = 40 * 60
SYMBOL = "AAA"

SETTINGS = {
    "policy": "anchor",
    "market_open_delay_minutes": 0, "close_margin_minutes": 180, "order_monitoring_seconds": 10,
    "patience_seconds": 1_200, "max_repegs": 49, "repeg_threshold_pct": "0", "max_spread_pct": "5",
    "min_volume_shares": 0, "max_slippage_bps": 500, "escalation": "none",
}  # fmt: skip


def lively_day(seed: int) -> Day:
    """A buy of a hundred shares on the half day, with prints of four shares and slow cancels."""
    first = next(day for day in map(make_day, range(100)) if day.day == HALF_DAY)
    opens = first.start.replace(hour=14, minute=30, second=0, microsecond=0)
    return replace(
        first,
        seed=seed,
        start=opens,
        market=ShortMarket({SYMBOL: _moving(round((opens - timedelta(minutes=2)).timestamp()) * SECOND, seed)}),
        opening=OpeningAccount(cash=Decimal(1_000_000)),
        quirks=BrokerQuirks(ack_delay=(5, 40), cancel_delay=(5, 4_000), list_lag=(0, 2_000), client_id_lag=(0, 1_000)),
        fill_model=FillModel.TRADE_THROUGH,
        plan={"name": "seed", "orders": [{"symbol": SYMBOL, "side": "buy", "qty": "100"}]},
        settings=SETTINGS,
    )


def _moving(begins: int, seed: int) -> SymbolDay:
    dice = np.random.Generator(np.random.PCG64(seed))
    ts = begins + np.arange(SECONDS, dtype=np.int64) * SECOND
    bid = 100 * 100 * CENT + np.repeat(np.cumsum(dice.integers(-1, 4, SECONDS // 5)), 5) * CENT
    size, venue = np.full(SECONDS, 500), np.full(SECONDS, ord("N"), np.uint8)
    rows = np.flatnonzero(dice.integers(0, 6, SECONDS) == 0)
    sold = Trades(
        ts=ts[rows] + 1, price=bid[rows], size=np.full(len(rows), 4), side=np.full(len(rows), -1, np.int8),
        venue=venue[rows], lit=np.ones(len(rows), np.bool_),
    )  # fmt: skip
    return SymbolDay(SYMBOL, HALF_DAY, Quotes(ts, bid, size, bid + 4 * CENT, size, venue, venue), sold, ())
