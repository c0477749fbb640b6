"""The second judge of prices: integers only, each rule of docs/trading-rules.md as one inequality.

A price is a whole number of ten-thousandths of a dollar. A limit is inside the collar if the collar, before any
rounding, is not worse than it: rounding to the grid moves the collar away from the market by less than a step, and the
limit is on the grid.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import replace
from fractions import Fraction
from typing import Any

from repeg_workbench.faults.judges.lives import Life
from repeg_workbench.faults.judges.record import DayRecord, Invoked, JudgedRun, ServedQuote

DOLLAR, PENNY = 10_000, 100
SHARE = 1_000_000_000
DOCUMENTED = {
    "tick_size": "0.01", "max_slippage_bps": "50", "max_spread_pct": "0.25", "min_volume_shares": "100",
    "max_quote_age_seconds": "10", "escalation": "cross", "policy": "normal",
    "use_smart_limit_execution": True, "fallback": "none",
    "max_run_orders": None, "max_run_notional": None, "max_day_notional": None, "max_order_notional": None,
    "max_attempts": "100", "market_open_delay_minutes": "5", "close_margin_minutes": "5", "control_share": "0",
    "control_max_notional": "5000", "fund_buys_from": "cash",
}  # fmt: skip


def setting(run: JudgedRun, name: str) -> Any:
    """A setting of a run as given, or its documented default."""
    return run.settings.get(name, DOCUMENTED[name])


def for_symbol(run: JudgedRun, symbol: str) -> JudgedRun:
    """A run with the settings that it has for one symbol."""
    every = run.settings.get("symbols") or {}
    own = (json.loads(every) if isinstance(every, str) else every).get(symbol)
    return replace(run, settings={**run.settings, **own}) if own else run


def number(run: JudgedRun, name: str) -> Fraction:
    """A numeric setting, exact."""
    return Fraction(str(setting(run, name)))


def grid(price: int, run: JudgedRun) -> int:
    """The distance between two permitted limits at a price: at least a cent from a dollar up, and as set."""
    return max(PENNY, int(number(run, "tick_size") * DOLLAR)) if price >= DOLLAR else 1


def is_inside(limit: int, side: int, quote: ServedQuote, run: JudgedRun) -> bool:
    """Whether a limit is not worse than the collar of an arrival at a quote."""
    twice_mid = quote.bid + quote.ask
    worse = side * (2 * limit - twice_mid)
    return worse * 10_000 <= number(run, "max_slippage_bps") * twice_mid


def is_tradable(quote: ServedQuote, side: int, run: JudgedRun, at: int, slack: int) -> bool:
    """Whether a quote passes the quote check at a time; `slack` nanoseconds of its age are in our favour."""
    if not 0 < quote.bid < quote.ask or quote.stamp is None:
        return False
    age, oldest = at - quote.stamp, int(number(run, "max_quote_age_seconds")) * 1_000_000_000
    if age > oldest + slack or age < -2_000_000_000 - slack:
        return False
    gap, twice_mid = quote.ask - quote.bid, quote.bid + quote.ask
    is_one_tick = gap <= (PENNY if quote.bid >= DOLLAR else 1)
    if not is_one_tick and 200 * gap > number(run, "max_spread_pct") * twice_mid:
        return False
    near, size = (quote.bid, quote.bid_size) if side > 0 else (quote.ask, quote.ask_size)
    return size >= number(run, "min_volume_shares") or size >= _round_lot(near)


def arrivals(record: DayRecord, run: JudgedRun, life: Life) -> Iterable[ServedQuote]:
    """The quotes that may be the arrival of a line whose first order is given.

    The first one that passes is, if its invocation went well. After a fault the next one may be as well, and any may of
    a line in dollars or to a weight: it waits while its book is far from the price that it was sized at.
    """
    run = for_symbol(run, life.symbol)
    by_number = {invoked.number: invoked for invoked in record.invoked}
    in_shares = {row["symbol"] for row in run.plan.get("orders", ()) if "qty" in row}
    sure: Invoked | None = None
    for quote in record.quotes:
        invoked = by_number.get(quote.invocation)
        if invoked is None or (invoked.function, invoked.run_id) != ("ValidateQuotes", run.run_id):
            continue
        if quote.symbol != life.symbol or quote.at > life.at:
            continue
        if sure is not None and quote.at > sure.ended:
            return
        if not is_tradable(quote, life.side, run, quote.at, record.allowance):
            continue
        yield quote
        was_taken = invoked.answered and not invoked.is_struck and life.symbol in in_shares
        if sure is None and was_taken and is_tradable(quote, life.side, run, invoked.ended, -record.allowance):
            sure = invoked


def is_control(record: DayRecord, run: JudgedRun, life: Life, ours: Iterable[Life]) -> bool:
    """Whether a market order may be a control order: no lower attempt of its line is at the broker, a buy that the plan
    has in shares is for all of them, and one quote that its writer had before the intent shows all of it on the far
    side, at a cost within the limit."""
    if number(run, "control_share") == 0 or any(_n(other) < _n(life) for other in ours):
        return False
    planned = [row for row in run.plan.get("orders", ()) if row["symbol"] == life.symbol and "qty" in row]
    if life.side > 0 and any(row["qty"] != "all" and life.size < Fraction(row["qty"]) * SHARE for row in planned):
        return False
    written = [intent for intent in record.intents if intent.client_order_id == life.client_order_id]
    if not written or life.size < SHARE:
        return False
    limit = number(run, "control_max_notional") * DOLLAR * SHARE
    for quote in record.quotes:
        if (quote.invocation, quote.symbol) != (written[0].invocation, life.symbol) or quote.at > written[0].at:
            continue
        price, size = (quote.ask, quote.ask_size) if life.side > 0 else (quote.bid, quote.bid_size)
        permille = 1_000 if life.side < 0 else 1_040 if price < 50 * DOLLAR else 1_025
        if life.size <= size * SHARE and life.size * price * permille <= limit * 1_000:
            return True
    return False


def _n(life: Life) -> int:
    return int(life.client_order_id.split(".")[-1])


def _round_lot(price: int) -> int:
    if price <= 250 * DOLLAR:
        return 100
    return 40 if price <= 1_000 * DOLLAR else 10 if price <= 10_000 * DOLLAR else 1
