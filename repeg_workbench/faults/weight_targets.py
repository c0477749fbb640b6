"""What weights and orders in dollars may trade at most, from the exchange's own prices and positions at planning.

A plan is sized from reads that are at most as old as its step, at the quote or, without a usable one, at the last trade
of five minutes. So the bounds take the extremes of what the feed could show during the step, and of what it did show: a
feed that lags may serve an older quote once more. They are narrow enough to see a price of minutes ago that the feed no
longer shows, a forgotten order or a weight of the wrong account.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from decimal import ROUND_FLOOR, Decimal

import numpy as np
from numpy.typing import NDArray

from repeg_workbench.exchange.core import Exchange
from repeg_workbench.exchange.units import PRICE_SCALE, QTY_SCALE, price, qty
from repeg_workbench.faults.judges.record import ServedQuote
from repeg_workbench.faults.planned_runs import PlannedRun

# Seconds before the write of a plan from which its prices and positions may be: the oldest price that a weight may be
# sized at, and the time that a step may take.
OLDEST_READ = 60
OLDEST_PRICE = 300 + OLDEST_READ
SECOND = 1_000_000_000
NINE_DECIMALS = Decimal(1).scaleb(-9)


Range = tuple[Decimal, Decimal]


def bounds(planned: PlannedRun, exchange: Exchange, now: int, served: Sequence[ServedQuote]) -> dict[str, Range]:
    """By symbol, the most that may be bought and the most that may be sold by the lines that are sized at planning.

    `served` are the quotes that the program was served until now, in order.
    """
    weights = {symbol: Decimal(weight) for symbol, weight in planned.plan.get("targets", {}).items()}
    prices = {symbol: _price_range(exchange, symbol, now, served) for symbol in exchange.market.symbols()}
    priced = frozenset(weights) - set(_unusable(now, served))
    equity = _equity_range(exchange, priced, prices, now)
    dollars = {row["symbol"]: row for row in planned.plan.get("orders", ()) if "notional" in row}
    most = {symbol: _bounds(exchange, symbol, weights.get(symbol, Decimal(0)), equity, prices[symbol], now)
            for symbol in planned.sized_later - dollars.keys()}  # fmt: skip
    if planned.plan.get("buy_only"):
        most = {symbol: (bought, Decimal(0)) for symbol, (bought, _) in most.items()}
    in_dollars = {symbol: _dollar_bounds(exchange, row, prices[symbol], now) for symbol, row in dollars.items()}
    return most | in_dollars


def _dollar_bounds(exchange: Exchange, row: Mapping[str, str], prices: Range, now: int) -> Range:
    """The dollars at the lowest price, in whole shares; without a price that is fresh, nothing is traded.

    Where all that is held may be worth less than the dollars to sell, all of it is sold, a fraction included.
    """
    if not prices[0]:
        return Decimal(0), Decimal(0)
    worth = Decimal(row["notional"]) / prices[0]
    whole = worth.to_integral_value(ROUND_FLOOR)
    held = max(_held_range(exchange, row["symbol"], now)[1], Decimal(0))
    return (whole, Decimal(0)) if row["side"] == "buy" else (Decimal(0), held if worth >= held else whole)


def _bounds(exchange: Exchange, symbol: str, weight: Decimal, equity: Range, prices: Range, now: int) -> Range:
    """To sell everything is a weight of zero."""
    least, most = _held_range(exchange, symbol, now)
    low, high = prices
    bought = max(equity[1] * weight / low - least, Decimal(0)) if low else Decimal(0)
    sold = max(most - equity[0] * weight / high, Decimal(0)) if high else most
    return _whole(bought), _whole(min(sold, most))


def _whole(shares: Decimal) -> Decimal:
    """Shares as the broker counts them."""
    return shares.quantize(NINE_DECIMALS, ROUND_FLOOR)


def _price_range(exchange: Exchange, symbol: str, now: int, served: Sequence[ServedQuote]) -> Range:
    """The lowest bid or print and the highest ask or print of those that were the latest at a moment of the step, or
    were served in it, and are not too old to be sized at; zeros if there is none."""
    day = exchange.venue.day(symbol)
    if day is None:
        return Decimal(0), Decimal(0)
    quotes, trades = day.quotes, day.trades
    recent = _latest_at(quotes.ts, now) & (quotes.bid > 0) & (quotes.ask > 0)
    prints = trades.price[_latest_at(trades.ts, now)]
    sides = _sides_served(symbol, now, served)
    seen = [*quotes.bid[recent].tolist(), *quotes.ask[recent].tolist(), *prints.tolist(), *sides]
    return (price(int(min(seen))), price(int(max(seen)))) if seen else (Decimal(0), Decimal(0))


def _sides_served(symbol: str, now: int, served: Sequence[ServedQuote]) -> Iterator[int]:
    """The bids and asks that the program was served during the step, by quotes that are not too old for a price."""
    for quote in reversed(served):
        if quote.at < now - OLDEST_READ * SECOND:
            return
        is_fresh = quote.stamp is not None and quote.stamp > now - OLDEST_PRICE * SECOND
        if quote.symbol == symbol and is_fresh and quote.bid > 0 and quote.ask > 0:
            yield from (quote.bid, quote.ask)


def _moved(exchange: Exchange, symbol: str, now: int) -> Decimal:
    """How far apart the last trades were during the step."""
    day = exchange.venue.day(symbol)
    trades = None if day is None else day.trades.price[_last_during_step(day.trades.ts, now)]
    return price(int(trades.max() - trades.min())) if trades is not None and len(trades) else Decimal(0)


def _unusable(now: int, served: Sequence[ServedQuote]) -> Iterator[str]:
    """The symbols of which the program was served a quote without two sides, or crossed, during the step."""
    for quote in reversed(served):
        if quote.at < now - OLDEST_READ * SECOND:
            return
        if not 0 < quote.bid <= quote.ask:
            yield quote.symbol


def _latest_at(times: NDArray[np.int64], now: int) -> NDArray[np.bool_]:
    """Which entries of a feed were its latest at some moment of the step, and not too old for a price."""
    return _last_during_step(times, now) & (times > now - OLDEST_PRICE * SECOND)


def _last_during_step(times: NDArray[np.int64], now: int) -> NDArray[np.bool_]:
    """Which entries of a feed were its latest at some moment of the step."""
    first = int(np.searchsorted(times, now - OLDEST_READ * SECOND, side="right")) - 1
    return (np.arange(len(times)) >= first) & (times <= now)


def _held_range(exchange: Exchange, symbol: str, now: int) -> Range:
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


def _equity_range(exchange: Exchange, priced: frozenset[str], prices: Mapping[str, Range], now: int) -> Range:
    """Cash and holdings at the lowest and the highest recent prices.

    A holding that is not certainly `priced` by the step, because it is outside the plan or its quote was unusable, or
    that has no recent price, may also have the broker's value: its last trade's, whatever its age. One that is priced
    takes the place of the broker's value as it was read with the positions, in an equity that is read after them: what
    trades have moved it meanwhile is in the sum."""
    low = high = Decimal(exchange.ledger.cash) / (PRICE_SCALE * QTY_SCALE)
    for symbol in exchange.market.symbols():
        held = qty(exchange.ledger.position(symbol))
        if held:
            least, most = prices[symbol]
            moved = _moved(exchange, symbol, now) if most else Decimal(0)
            values = [held * (least - moved), held * (most + moved)] if most else []
            if symbol not in priced or not values:
                values.append(held * price(exchange.price(symbol)))
            low, high = low + min(values), high + max(values)
    return low, high
