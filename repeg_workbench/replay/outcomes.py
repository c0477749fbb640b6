"""Replays every strategy on one symbol-day, and keeps what became of each order."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Final

import numpy as np

from repeg.domain.look import DECIMALS
from repeg.domain.round_lot import round_lot
from repeg_workbench.exchange.market.symbol_day import Int64s, SymbolDay
from repeg_workbench.replay.arrivals import MARGIN, Draw, draw_arrivals
from repeg_workbench.replay.cleaning import CleanDay
from repeg_workbench.replay.compiled import COLUMNS, compiled_work_each
from repeg_workbench.replay.figures import Floats
from repeg_workbench.replay.filling import Model
from repeg_workbench.replay.plans import Kind, Plan
from repeg_workbench.replay.side_tape import SideTape, Tapes, consolidated, side_tape
from repeg_workbench.replay.state import Task
from repeg_workbench.replay.tape import ReplayTape, replay_tape

SIDES: Final = (1, -1)


@dataclass(frozen=True)
class Orders:
    """The orders of a symbol-day, buys first: arrival times, and mid and half-spread at arrival in price units."""

    symbol: str
    day: str
    shares: int
    arrivals: Int64s
    mid: Floats
    half_spread: Floats
    spread_ticks: Int64s


@dataclass(frozen=True)
class Outcome:
    """What became of the orders under one strategy and fill model: a row of COLUMNS each, in the orders' order."""

    strategy: str
    model: Model
    plan: Plan
    kept: Int64s

    def column(self, name: str) -> Int64s:
        """One of COLUMNS."""
        return self.kept[:, COLUMNS.index(name)]

    def cost(self, orders: Orders, crossing_cost: float) -> Floats:
        """Price units per share paid beyond the arrival mid, if taking costs that part of the quoted half-spread."""
        paid = self.column("paid") / orders.shares - orders.mid
        return paid - (1 - crossing_cost) * self.column("spread_paid") / 2 / orders.shares

    def requests(self) -> Floats:
        """Requests per order: quotes, orders, cancels, and the reads that confirm these; one more quote for ours."""
        reads = 3 if self.plan.kind == Kind.REPEG else 2
        return (self.column("looks") + self.column("sent") + reads * self.column("cancelled")).astype(np.float64)


@dataclass(frozen=True)
class Setting:
    """What all orders of a replay have in common."""

    shares: int
    latency: int
    draw: Draw


def replay_day(
    clean: CleanDay,
    plans: Mapping[str, Plan],
    models: Iterable[Model],
    setting: Setting,
    shown: SymbolDay | None = None,
) -> tuple[Orders, Iterator[Outcome]]:
    """The orders of a day, and one outcome at a time for each strategy and fill model.

    `shown` is what a single venue's feed shows of the day; without it the feed shows the day itself.
    """
    arrivals = draw_arrivals(clean, setting.draw)
    tape = replay_tape(clean.day)
    tapes, tick = {side: _tapes(tape, shown, side) for side in SIDES}, tape.tick
    orders, lot = _orders(clean, setting, arrivals, tapes[1].market, tick), lot_of(clean.day)

    def outcomes() -> Iterator[Outcome]:
        for model in models:
            task = Task(0, setting.shares, setting.latency, int(model), tick, lot, clean.opens + MARGIN)
            for name, plan in plans.items():
                kept = [compiled_work_each(each, arrivals, task, plan) for each in tapes.values()]
                yield Outcome(name, model, plan, np.concatenate(kept))

    return orders, outcomes()


def _tapes(tape: ReplayTape, shown: SymbolDay | None, side: int) -> Tapes:
    market = side_tape(tape, side)
    return consolidated(market) if shown is None else Tapes(market, side_tape(replay_tape(shown), side), is_alone=True)


def lot_of(day: SymbolDay) -> int:
    """Shares of a round lot on the day, at its first price."""
    price = day.first_price()
    if price is None:
        raise ValueError(f"{day.symbol} has no price on {day.day}")
    return int(round_lot(Decimal(price).scaleb(-DECIMALS), day.day))


def _orders(clean: CleanDay, setting: Setting, arrivals: Int64s, bought: SideTape, tick: int) -> Orders:
    row = bought.ts.searchsorted(arrivals, side="right") - 1
    bid, ask = bought.near[row], bought.far[row]
    mid = (bid + ask) / 2
    twice = len(SIDES)
    return Orders(
        symbol=clean.day.symbol,
        day=clean.day.day.isoformat(),
        shares=setting.shares,
        arrivals=np.tile(arrivals, twice),
        mid=np.concatenate([mid * side for side in SIDES]),
        half_spread=np.tile((ask - bid) / 2, twice),
        spread_ticks=np.tile((ask - bid) // tick, twice),
    )
