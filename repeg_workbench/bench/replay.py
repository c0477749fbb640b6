"""Measures how many quote rows a second a replay walks, by strategy, once its loop is compiled."""

from __future__ import annotations

import sys
from datetime import date
from time import process_time

import numpy as np

from repeg_workbench.exchange.market.generated import GeneratedMarket
from repeg_workbench.replay.arrivals import Draw, draw_arrivals
from repeg_workbench.replay.cleaning import clean
from repeg_workbench.replay.compiled import COLUMNS, compiled_work_each
from repeg_workbench.replay.filling import Model
from repeg_workbench.replay.outcomes import lot_of
from repeg_workbench.replay.plans import strategies
from repeg_workbench.replay.side_tape import Tapes, consolidated, side_tape
from repeg_workbench.replay.state import SECOND, Task
from repeg_workbench.replay.tape import replay_tape

DAY = date(2026, 11, 23)
SYMBOLS = ("AIG", "IBM")
STRATEGIES = ("repeg", "repeg_patient", "anchor", "inside", "chaser", "twap")
ARRIVALS, HORIZON = 400, 300
TARGET = 1_000_000


def main() -> None:
    """Print the rows a second of each strategy on a one-tick and a wider stock together."""
    began = process_time()
    tapes = [_tapes(symbol) for symbol in SYMBOLS]
    plans = strategies(HORIZON)
    compiled_work_each(tapes[0][0], tapes[0][1][:1], _task(tapes[0][2]), plans["inside"])
    _line("set up and compiled", f"{process_time() - began:.1f} s")
    for name in STRATEGIES:
        rows, began = 0, process_time()
        for each, arrivals, lot in tapes:
            kept = compiled_work_each(each, arrivals, _task(lot), plans[name])
            rows += int(kept[:, COLUMNS.index("rows")].sum())
        _line(name, f"{rows / (process_time() - began):,.0f} rows/s", f"target {TARGET:,}; {rows:,} rows")


def _tapes(symbol: str) -> tuple[Tapes, np.ndarray, int]:
    found = GeneratedMarket(1, activity=1.0).day(symbol, DAY)
    if found is None:
        raise ValueError(f"{symbol} is not listed")
    day = clean(found)
    arrivals = draw_arrivals(day, Draw(ARRIVALS, 2_000, 1))
    return consolidated(side_tape(replay_tape(day.day), 1)), arrivals, lot_of(day.day)


def _task(lot: int) -> Task:
    return Task(0, 100, SECOND // 10, int(Model.QUEUE), 100, lot, 0)


def _line(what: str, value: str, target: str = "") -> None:
    sys.stdout.write(f"{what:<28} {value:>20}  {target}".rstrip() + "\n")


if __name__ == "__main__":
    main()
