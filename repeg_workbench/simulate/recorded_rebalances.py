"""Rebalances on recorded days: of each stock in a folder one order, bought and sold, begun at several times a day."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

from repeg_workbench.exchange.market.recorded import RecordedMarket
from repeg_workbench.simulate.rebalance_figures import Rebalance
from repeg_workbench.simulate.rebalances import measure_scenario
from repeg_workbench.simulate.request import Options, scenario
from repeg_workbench.simulate.simulation import Scenario

SHARES = 300
SIDES = ("buy", "sell")
# Minutes after the open at which a run may trade first; `market_open_delay_minutes` is at most 180.
STARTS = range(5, 181, 25)


def measure_recordings(folder: Path, work: Path) -> list[Rebalance]:
    """Every rebalance of a folder's recordings, in order; plans are written to the folder `work`."""
    return [measure_scenario(number, day) for number, day in enumerate(scenarios(folder, work), 1)]


def scenarios(folder: Path, work: Path) -> Iterator[Scenario]:
    """The rebalances of each recorded stock and day. Raises RecordingError for a folder without recordings."""
    market = RecordedMarket(folder)
    for day in market.days():
        for symbol in (symbol for symbol in market.symbols() if market.has(symbol, day)):
            for side in SIDES:
                plan = work / f"{side}-{symbol.replace('/', '-')}.json"
                plan.write_text(json.dumps(_plan(symbol, side)), encoding="utf-8")
                for start in STARTS:
                    setting = f"market_open_delay_minutes={start}"
                    yield scenario(Options(plan, str(folder), str(day), 1, (setting,), None, None, "sip"))


def in_words(folder: Path) -> str:
    """What is measured on the recordings of a folder, in one sentence."""
    market = RecordedMarket(folder)
    stocks, days = (", ".join(map(str, each)) for each in (market.symbols(), market.days()))
    return f"{SHARES} shares of {stocks} bought, and as many sold, begun {len(STARTS)} times a day on {days}."


def _plan(symbol: str, side: str) -> dict[str, object]:
    return {"name": f"{side}-recorded", "orders": [{"symbol": symbol, "side": side, "qty": str(SHARES)}]}
