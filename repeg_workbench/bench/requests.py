"""Measures the requests a minute of the first minutes of a run under the default settings, by the number of symbols."""

from __future__ import annotations

import sys
from collections import Counter
from dataclasses import replace
from datetime import date, datetime, time, timedelta
from decimal import Decimal

from repeg.domain.session import NEW_YORK
from repeg_workbench.exchange.broker.opening import OpeningAccount
from repeg_workbench.exchange.broker_quirks import BrokerQuirks
from repeg_workbench.exchange.market.generated import GeneratedMarket, Instrument, universe
from repeg_workbench.simulate.simulation import Scenario, opened

DAY = date(2026, 11, 23)
SEED = 1
SYMBOLS = (1, 60, 500)
SHARES = 1_000
FROM, MINUTES = time(9, 36), 5
ALLOWED = 200
_NARROW = 10


def main() -> None:
    """Print the mean requests a minute, for trading and for quotes, from a minute after the first order on."""
    sys.stdout.write(
        f"requests a minute in the {MINUTES} minutes from {FROM:%H:%M} on; {ALLOWED} of each are allowed\n"
    )
    for symbols in SYMBOLS:
        counts, filled = _counted(symbols)
        what = f"{symbols} symbol{'s' * (symbols > 1)}"
        requests = f"{counts['trading'] / MINUTES:.0f} to the broker, {counts['data'] / MINUTES:.0f} for quotes"
        sys.stdout.write(f"{what:<28} {requests}; {filled} of {symbols} orders filled by then\n")


def _counted(symbols: int) -> tuple[Counter[str], int]:
    start = datetime.combine(DAY, FROM, NEW_YORK)
    with opened(_scenario(symbols)) as day:
        day.start("bench")
        day.engine.run(start)
        before = Counter(day.engine.runtime.requests)
        day.engine.run(start + timedelta(minutes=MINUTES))
        after = Counter(day.engine.runtime.requests)
        orders = day.ports.store.orders(day.scenario.run_id)
    return after - before, sum(order.remaining <= 0 for order in orders)


def _scenario(symbols: int) -> Scenario:
    calm = [stock for stock in universe(symbols + 20) if not (stock.halt or stock.one_sided) and stock.listing.tradable]
    # Ordered so that the first one has a wide book, in which an order takes its time.
    stocks = [_lettered(stock) for stock in [*calm[_NARROW:], *calm[:_NARROW]][:symbols]]
    names = [stock.listing.symbol for stock in stocks]
    plan = {"name": "bench", "orders": [{"symbol": each, "side": "buy", "qty": str(SHARES)} for each in names]}
    return Scenario(
        plan,
        GeneratedMarket(SEED, stocks, activity=0.05),
        DAY,
        OpeningAccount(cash=Decimal(10_000_000_000)),
        {"policy": "normal"},
        seed=SEED,
        quirks=BrokerQuirks(),
    )


def _lettered(stock: Instrument) -> Instrument:
    """The same stock under a symbol without digits, like real ones."""
    symbol = stock.listing.symbol.translate(str.maketrans("0123456789", "ABCDEFGHIJ"))
    return replace(stock, listing=replace(stock.listing, symbol=symbol))


if __name__ == "__main__":
    main()
