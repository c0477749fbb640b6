"""Planning: a run's parent orders, from the account and the prices as they are now."""

from __future__ import annotations

from decimal import Decimal

from repeg.domain.limits import require_within_limits
from repeg.domain.parent_order import ParentOrder
from repeg.domain.run import Run
from repeg.domain.sizing import Holdings, parent_orders, symbols_of
from repeg.ports import Ports


def draft_orders(run: Run, ports: Ports) -> list[ParentOrder]:
    """The run's parent orders, within the limits of its settings. Raises InvalidPlan or RefusedRun."""
    symbols = symbols_of(run.plan)
    positions = ports.broker.positions()
    holdings = Holdings(
        equity=ports.broker.account().equity,
        held={position.symbol: position.qty for position in positions},
        available={position.symbol: position.available for position in positions},
    )
    orders = parent_orders(run.run_id, run.plan, holdings, _prices(symbols, ports), frozenset(run.fractionable))
    require_within_limits(orders, run.settings)
    return orders


def _prices(symbols: list[str], ports: Ports) -> dict[str, Decimal]:
    """The last trade of each symbol, or the mid of its quote if it has not traded."""
    prices = ports.market.last_prices(symbols)
    untraded = [symbol for symbol in symbols if symbol not in prices]
    quotes = ports.market.quotes(untraded) if untraded else {}
    return prices | {symbol: quote.mid for symbol, quote in quotes.items() if quote.bid > 0 and quote.ask > 0}
