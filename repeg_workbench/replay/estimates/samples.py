"""Replayed orders as samples of the cost table: each with what is known before it, and what it has cost."""

from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np

from repeg.domain.expected_cost import LEAST_CHANGES, SAMPLE_EVERY, SAMPLES, SIZES, SPREADS, WIDEST
from repeg.domain.setting_types import Feed
from repeg_workbench.exchange.market.symbol_day import Flags, Int64s
from repeg_workbench.exchange.market.venue_view import presence_of, venue_view
from repeg_workbench.replay.arrivals import Draw
from repeg_workbench.replay.cleaning import clean
from repeg_workbench.replay.figures import Floats
from repeg_workbench.replay.outcomes import SIDES, Setting, replay_day
from repeg_workbench.replay.plans import LONGEST_PATIENCE, ONE_VENUE, strategies
from repeg_workbench.replay.publish.measuring import LATENCY, VENUE_SEED
from repeg_workbench.replay.publish.protocol import Case, Days
from repeg_workbench.replay.request import CROSSING
from repeg_workbench.replay.state import SECOND
from repeg_workbench.replay.tape import ReplayTape, replay_tape

OURS: Final = "repeg"
_ARRIVAL_SEED: Final = 1
_GRID: Final = np.arange(SAMPLES - 1, -1, -1) * int(SAMPLE_EVERY.total_seconds()) * SECOND
_IN_A_MINUTE: Final = 60 / SAMPLE_EVERY.total_seconds()


@dataclass(frozen=True)
class Samples:
    """Orders of one day, feed and size, in the same order in every array: their arrivals and sides, the classes of
    their spread and size, half-spread and movement of the mid as the feed showed them (NaN where not measured), the mid
    and the cost per share, all in price units."""

    arrivals: Int64s
    sides: Int64s
    spread: Int64s
    size: Int64s
    half: Floats
    movement: Floats
    mid: Floats
    cost: Floats

    def where(self, keep: Flags) -> "Samples":
        """Some of the orders."""
        return Samples(*(getattr(self, name)[keep] for name in self.__dataclass_fields__))

    @classmethod
    def joined(cls, parts: "list[Samples]") -> "Samples":
        """All orders of several."""
        return cls(*(np.concatenate([getattr(part, name) for part in parts]) for name in cls.__dataclass_fields__))

    def save(self, path: Path) -> None:
        """Keep the samples: completely, or not at all."""
        part = path.with_suffix(".part")
        with part.open("wb") as file:
            np.savez_compressed(file, **{name: getattr(self, name) for name in self.__dataclass_fields__})
        part.replace(path)

    @classmethod
    def read(cls, path: Path) -> "Samples":
        """The samples that are kept."""
        with np.load(path) as kept:
            return cls(**{name: kept[name] for name in cls.__dataclass_fields__})


def feed_of(case: Case) -> Feed:
    """Whose quotes the orders of a case are decided on."""
    return Feed.IEX if case.is_of_one_venue else Feed.SIP


def samples_of(case: Case, days: Days) -> Samples:
    """Replay our policy on the case's orders. An order whose feed shows no two-sided book at its arrival is left out:
    no estimate is given for one."""
    on_feed = strategies(case.horizon, ONE_VENUE) if case.is_of_one_venue else strategies(case.horizon)
    setting = Setting(case.size, LATENCY, Draw(case.arrivals, LONGEST_PATIENCE + CROSSING, _ARRIVAL_SEED))
    day = clean(days.load(case))
    shown = venue_view(day.day, presence_of(day.day), VENUE_SEED) if case.is_of_one_venue else None
    orders, outcomes = replay_day(day, {OURS: on_feed[OURS]}, case.models[:1], setting, shown)
    (outcome,) = outcomes
    tape = replay_tape(shown or day.day)
    half = len(orders.arrivals) // len(SIDES)
    sides = np.repeat(np.array(SIDES, np.int64), half)
    row = tape.ts.searchsorted(orders.arrivals, side="right") - 1
    spread, near = tape.ask[row] - tape.bid[row], np.where(sides > 0, tape.bid_size[row], tape.ask_size[row])
    found = Samples(
        arrivals=orders.arrivals, sides=sides, spread=classes(spread // tape.tick, SPREADS),
        size=classes(case.size / np.maximum(near, 1), SIZES), half=spread / 2,
        movement=movements(tape, orders.arrivals), mid=np.abs(orders.mid), cost=outcome.cost(orders, 1.0),
    )  # fmt: skip
    return found.where((row >= 0) & (tape.bid[row] > 0) & (tape.ask[row] > tape.bid[row]) & (near > 0))


def classes(values: Int64s | Floats, ends: tuple[int, ...]) -> Int64s:
    """The number of each value's class, as `expected_cost.class_of` gives it."""
    return np.searchsorted(np.array(ends, np.float64), values, side="left").astype(np.int64)


def movements(tape: ReplayTape, arrivals: Int64s) -> Floats:
    """The mid's movement in a minute before each arrival, as `expected_cost.movement` measures it; NaN of too few."""
    row = tape.ts.searchsorted(arrivals[:, None] - _GRID[None, :], side="right") - 1
    bid, ask = tape.bid[np.maximum(row, 0)], tape.ask[np.maximum(row, 0)]
    spread = np.where((row >= 0) & (bid > 0) & (ask > bid), ask - bid, np.nan)
    seen = ~np.isnan(spread).all(axis=1)
    usual = np.full(len(arrivals), np.nan)
    usual[seen] = np.nanmedian(spread[seen], axis=1)
    mids = np.where(spread <= WIDEST * usual[:, None], (bid + ask) / 2, np.nan)
    squares = np.diff(mids, axis=1) ** 2
    known = (~np.isnan(squares)).sum(axis=1)
    mean = np.nansum(squares, axis=1) / np.maximum(known, 1)
    return np.where(known >= LEAST_CHANGES, np.sqrt(mean * _IN_A_MINUTE), np.nan)
