"""One generated day with an order of each regime, run by polling or by listening, and what it took."""

from __future__ import annotations

from collections import Counter
from datetime import date
from decimal import Decimal
from statistics import fmean
from typing import Any

from repeg_workbench.bench.attempts import attempts, dollars
from repeg_workbench.exchange.broker.opening import OpeningAccount
from repeg_workbench.exchange.market.generated import GeneratedMarket, universe
from repeg_workbench.exchange.units import PRICE_SCALE, QTY_SCALE, price, qty
from repeg_workbench.simulate.simulation import Scenario, SimulatedDay, opened

DAY = date(2026, 11, 23)
MODES = ("poll", "stream")

# One stock of each of the six regimes that docs/execution-quality.md measures, and how many shares are traded.
SHARES = {"BAC": 1_500, "KO": 300, "AAPL": 100, "JNJ": 120, "CAT": 60, "GOOG": 35}
CASH = Decimal(10_000_000)

FIGURES = {
    "filled": "orders filled, of six",
    "seconds_to_fill": "seconds until an order is filled",
    "cost_half_spreads": "cost, half-spreads",
    "cost_bps": "cost, basis points",
    "trading_requests": "trading requests",
    "data_requests": "data requests",
    "history_events": "history events",
    "transitions": "state transitions",
    "lambda_seconds": "function seconds",
    "dollars": "dollars at AWS",
}
"""What is measured of a day, and how it is called."""

OF_ORDERS = ("seconds_to_fill", "cost_half_spreads")
OF_RUNS = ("cost_bps", "trading_requests", "data_requests", "history_events", "transitions")

Orders = dict[str, dict[str, float]]
"""The orders of a day that were filled, by symbol, with the figures OF_ORDERS."""


def measured(seed: int) -> dict[str, Any]:
    """A seed's day by both ways of waiting, as numbers: times and half-spreads are of the orders filled by both."""
    days = {mode: measured_by(seed, mode) for mode in MODES}
    common = set.intersection(*(set(orders) for orders, _ in days.values()))
    return {"seed": seed, **{mode: _means(orders, common) | figures for mode, (orders, figures) in days.items()}}


def measured_by(seed: int, mode: str) -> tuple[Orders, dict[str, float]]:
    """The orders that were filled on a day, and what its run has used.

    Raises RuntimeError if the run did not settle, or if its books are not the broker's to the cent.
    """
    calls: Counter[str] = Counter()
    with opened(scenario(seed, mode)) as day:
        day.engine.before_table_call.append(lambda operation: calls.update([operation]))
        day.start(day.scenario.run_id)
        day.run()
        check_books(day)
        return _figures(day, calls)


def _means(orders: Orders, symbols: set[str]) -> dict[str, float]:
    means = {name: fmean(orders[symbol][name] for symbol in symbols) for name in OF_ORDERS}
    return {"filled": len(orders), **means}


def scenario(seed: int, mode: str, shares: dict[str, int] | None = None) -> Scenario:
    """A day of one order for each regime, each second one a sell; which ones depends on the seed."""
    shares = shares or SHARES
    sides = {symbol: "sell" if (place + seed) % 2 else "buy" for place, symbol in enumerate(shares)}
    orders = [{"symbol": symbol, "side": sides[symbol], "qty": str(size)} for symbol, size in shares.items()]
    stocks = [stock for stock in universe() if stock.listing.symbol in shares]
    held = {symbol: (Decimal(size), Decimal(100)) for symbol, size in shares.items() if sides[symbol] == "sell"}
    return Scenario(
        {"name": "waiting", "orders": orders},
        GeneratedMarket(seed, stocks),
        DAY,
        OpeningAccount(cash=CASH, positions=held),
        {"waiting": mode},
        parameters={"Waiting": mode},  # the function's time limit follows from it
        seed=seed,
    )


def check_books(day: SimulatedDay) -> None:
    """Raise RuntimeError unless the run's executions are the broker's, and its cash has changed by what they cost."""
    ledger = day.exchange.ledger
    theirs = sorted((each.symbol, qty(each.quantity), price(each.price)) for each in ledger.executions)
    ours = sorted((e.symbol, e.qty, e.price) for e in day.ports.store.executions(day.scenario.run_id))
    sign = {order.symbol: order.side.sign for order in day.ports.store.orders(day.scenario.run_id)}
    cash = day.scenario.opening.cash - sum((sign[symbol] * size * at for symbol, size, at in ours), Decimal(0))
    if ours != theirs or cash != dollars_of(ledger.cash):
        raise RuntimeError(f"seed {day.scenario.seed}, {day.scenario.settings}: the books are not the broker's")


def dollars_of(cash: int) -> Decimal:
    """Dollars, from the ledger's units of money."""
    return Decimal(cash) / PRICE_SCALE / QTY_SCALE


def _figures(day: SimulatedDay, calls: Counter[str]) -> tuple[Orders, dict[str, float]]:
    summary = day.summary()
    if summary is None or summary["outcome"] != "settled":
        raise RuntimeError(f"seed {day.scenario.seed}, {day.scenario.settings}: {day.ending().cause}")
    filled = [order for order in summary["orders"] if order["outcome"] == "filled"]
    tries = [each for execution in day.engine.executions() for each in attempts(execution.history)]
    totals, seconds = summary["totals"], sum(each.seconds for each in tries)
    return {order["symbol"]: {name: float(order[name]) for name in OF_ORDERS} for order in filled}, {
        **{name: float(totals[name]) for name in OF_RUNS},
        "lambda_seconds": seconds,
        "dollars": sum(dollars(totals["transitions"], len(tries), seconds, calls).values()),
    }
