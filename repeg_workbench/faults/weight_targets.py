"""What a plan of weights may trade at most, from the exchange's own prices and positions at the time of planning.

A plan is sized from reads that are at most as old as its step, at the quote or, without a usable one, at the last trade
of five minutes. So the bounds take the extremes of what the feed could show during the step. They are narrow enough to
see a price of minutes ago, a forgotten order or a weight of the wrong account.
"""

from __future__ import annotations

from decimal import ROUND_FLOOR, Decimal

import numpy as np
from numpy.typing import NDArray

from repeg_workbench.exchange.core import Exchange
from repeg_workbench.exchange.units import PRICE_SCALE, QTY_SCALE, price, qty
from repeg_workbench.faults.planned_runs import PlannedRun

# Seconds before the write of a plan from which its prices and positions may be: the oldest price that a weight may be
# sized at, and the time that a step may take.
OLDEST_PRICE = 300 + 60
OLDEST_READ = 60
SECOND = 1_000_000_000
NINE_DECIMALS = Decimal(1).scaleb(-9)


def bounds(planned: PlannedRun, exchange: Exchange, now: int) -> dict[str, tuple[Decimal, Decimal]]:
    """By symbol, the most that may be bought and the most that may be sold by the lines that are sized at planning."""
    weights = {symbol: Decimal(weight) for symbol, weight in planned.plan.get("targets", {}).items()}
    equity = _equity_range(exchange, frozenset(weights), now)
    return {symbol: _bounds(exchange, symbol, weights.get(symbol, Decimal(0)), equity, now)
            for symbol in planned.sized_later}  # fmt: skip


def _bounds(
    exchange: Exchange, symbol: str, weight: Decimal, equity: tuple[Decimal, Decimal], now: int
) -> tuple[Decimal, Decimal]:
    """To sell everything is a weight of zero."""
    least, most = _held_range(exchange, symbol, now)
    low, high = _price_range(exchange, symbol, now)
    bought = max(equity[1] * weight / low - least, Decimal(0)) if low else Decimal(0)
    sold = max(most - equity[0] * weight / high, Decimal(0)) if high else most
    return _whole(bought), _whole(min(sold, most))


def _whole(shares: Decimal) -> Decimal:
    """Shares as the broker counts them."""
    return shares.quantize(NINE_DECIMALS, ROUND_FLOOR)


def _price_range(exchange: Exchange, symbol: str, now: int) -> tuple[Decimal, Decimal]:
    """The lowest bid or print and the highest ask or print of those that were the latest at a moment of the step, and
    are not too old to be sized at; zeros if there is none."""
    day = exchange.venue.day(symbol)
    if day is None:
        return Decimal(0), Decimal(0)
    quotes, trades = day.quotes, day.trades
    recent = _latest_at(quotes.ts, now) & (quotes.bid > 0) & (quotes.ask > 0)
    prints = trades.price[_latest_at(trades.ts, now)]
    seen = [*quotes.bid[recent].tolist(), *quotes.ask[recent].tolist(), *prints.tolist()]
    return (price(int(min(seen))), price(int(max(seen)))) if seen else (Decimal(0), Decimal(0))


def _latest_at(times: NDArray[np.int64], now: int) -> NDArray[np.bool_]:
    """Which entries of a feed were its latest at some moment of the step, and not too old for a price."""
    first = int(np.searchsorted(times, now - OLDEST_READ * SECOND, side="right")) - 1
    place = np.arange(len(times))
    return (place >= first) & (times <= now) & (times > now - OLDEST_PRICE * SECOND)


def _held_range(exchange: Exchange, symbol: str, now: int) -> tuple[Decimal, Decimal]:
    """The smallest and the largest holding of the last minute."""
    held = position = exchange.ledger.position(symbol)
    seen = [position]
    for execution in reversed(exchange.ledger.executions):
        if execution.at < now - OLDEST_READ * SECOND:
            break
        if execution.symbol == symbol:
            held -= execution.side * execution.quantity
            seen.append(held)
    return qty(min(seen)), qty(max(seen))


def _equity_range(exchange: Exchange, planned: frozenset[str], now: int) -> tuple[Decimal, Decimal]:
    """Cash and holdings at the lowest and the highest recent prices.

    A holding outside the plan, or without a recent price, may also have the broker's value: its last trade's, whatever
    its age."""
    low = high = Decimal(exchange.ledger.cash) / (PRICE_SCALE * QTY_SCALE)
    for symbol in exchange.market.symbols():
        held = qty(exchange.ledger.position(symbol))
        if held:
            least, most = _price_range(exchange, symbol, now)
            values = [held * least, held * most] if most else []
            if symbol not in planned or not values:
                values.append(held * price(exchange.price(symbol)))
            low, high = low + min(values), high + max(values)
    return low, high
