"""The table of expected costs: fitted, judged on other orders, published, and equal to what the domain makes of it."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import numpy as np
import pytest

from repeg.domain.expected_cost import SIZES, SPREADS, class_of, movement
from repeg.domain.quote import Quote
from repeg_workbench.replay.estimates.__main__ import cases, measured
from repeg_workbench.replay.estimates.document import (
    MODULE,
    Calibration,
    Coverage,
    Judged,
    kept,
    read,
    section,
    spread_name,
)
from repeg_workbench.replay.estimates.samples import Samples, classes, movements
from repeg_workbench.replay.estimates.table import LEAST_ORDERS, baskets_hold, by_class, fitted, holds, source
from repeg_workbench.replay.publish.protocol import Case, Days
from repeg_workbench.replay.state import SECOND
from repeg_workbench.replay.tape import ReplayTape

RERUN = "run python -m repeg_workbench.replay.estimates"
FEEDS = ("iex", "sip")
JUDGED = Judged(93_017, "2026-03-02", "2026-03-05", "abc1234")


def samples(orders: int, seed: int, spread: int = 0, size: int = 0) -> Samples:
    """Orders whose cost is their half-spread, more or less by what the mid moves."""
    dice = np.random.default_rng(seed)
    half, moved = dice.uniform(1, 5, orders), dice.uniform(1, 5, orders)
    numbers = np.arange(orders, dtype=np.int64)
    return Samples(
        arrivals=numbers, sides=np.ones(orders, np.int64), spread=np.full(orders, spread, np.int64),
        size=np.full(orders, size, np.int64), half=half, movement=moved, mid=np.full(orders, 1e6),
        cost=np.sqrt(half**2 + moved**2) * dice.normal(0.4, 1.0, orders),
    )  # fmt: skip


def test_the_bounds_hold_eight_times_in_ten_on_other_orders() -> None:
    table, others = fitted(samples(20_000, 1)), samples(20_000, 2)
    assert holds(others, table).mean() == pytest.approx(0.8, abs=0.01)
    baskets = baskets_hold([samples(5_000, seed) for seed in range(3, 9)], table)
    assert baskets.mean() == pytest.approx(0.8, abs=0.03)


def test_bounds_do_not_hold_where_costs_have_doubled() -> None:
    """A coverage that cannot fail would prove nothing."""
    table, others = fitted(samples(20_000, 1)), samples(20_000, 2)
    assert holds(replace(others, cost=2 * others.cost), table).mean() < 0.65


def test_a_cell_of_few_orders_has_the_figures_of_its_spread() -> None:
    many, few = samples(LEAST_ORDERS, 1, spread=1), samples(LEAST_ORDERS - 1, 2, spread=1, size=2)
    table = fitted(Samples.joined([many, few]))
    assert table[1][0] != table[1][2]
    assert table[1][2] == table[1][3]
    assert len(table) == len(SPREADS) + 1
    assert {len(row) for row in table} == {len(SIZES) + 1}


def test_the_shares_by_spread_are_those_of_its_orders() -> None:
    joined = Samples.joined([samples(3, 1, spread=0), samples(1, 1, spread=5)])
    held = np.array([True, False, False, True])
    assert list(by_class(held, joined)) == [(0, 3, 1 / 3), (5, 1, 1.0)]


def test_movements_and_classes_are_those_of_the_domain() -> None:
    dice = np.random.default_rng(4)
    ts = np.sort(dice.integers(0, 600, 80)) * SECOND
    bid = 1_000_000 + 100 * dice.integers(-9, 9, 80).cumsum()
    bid[::13] = 0
    tape = a_tape(ts, bid, bid + 300)
    ends = np.array([120, 310, 420, 599]) * SECOND
    found = movements(tape, ends)
    for end, value in zip(ends, found, strict=True):
        own = movement(quotes_until(tape, int(end)), at(int(end)))
        assert np.isnan(value) if own is None else float(own) * 10_000 == pytest.approx(float(value))
    assert np.isnan(found).tolist() == [True, False, False, False]
    values = np.array([1, 2, 4, 5, 6, 11])
    assert classes(values, SPREADS).tolist() == [class_of(int(value), SPREADS) for value in values]


def a_tape(ts: np.ndarray, bid: np.ndarray, ask: np.ndarray) -> ReplayTape:
    """A tape of quotes alone."""
    flat, none = np.full(len(ts), 100, np.int64), np.empty(0, np.int64)
    codes, signs = np.empty(0, np.uint8), np.empty(0, np.int8)
    asks = np.where(bid > 0, ask, 0)
    return ReplayTape(
        "X", "2026-03-02", 100, ts, bid, asks, flat, flat, codes, codes, none, none, none, signs, codes, none
    )


def at(ns: int) -> datetime:
    return datetime(2026, 3, 2, 15, tzinfo=UTC) + timedelta(seconds=ns // SECOND)


def quotes_until(tape: ReplayTape, end: int) -> list[Quote]:
    """The tape's quotes as the domain has them."""
    return [
        Quote(symbol="X", bid=Decimal(int(bid)) / 10_000, bid_size=Decimal(1), ask=Decimal(int(ask)) / 10_000,
              ask_size=Decimal(1), at=at(int(ts)))
        for ts, bid, ask in zip(tape.ts, tape.bid, tape.ask, strict=True)
        if ts <= end
    ]  # fmt: skip


def test_a_measurement_goes_on_where_it_was_cut_off(tmp_path: Path) -> None:
    replayed: list[str] = []

    def replay(case: Case, _: Days) -> Samples:
        replayed.append(case.name)
        return samples(2, 1)

    first = next(iter(measured(1, 5, tmp_path, replay)))
    again = list(measured(1, 5, tmp_path, replay))
    assert replayed == [case.name for case in cases(1)]
    assert again[0][1].cost.tolist() == first[1].cost.tolist()


def test_the_section_says_where_the_bounds_do_not_hold() -> None:
    found = (Coverage("sip", "all orders", 100, 0.8), Coverage("sip", spread_name(0), 50, 0.74))
    table = fitted(samples(500, 1))
    text = "\n".join(section(Calibration("x", 24, 24, found, {"sip": table}, JUDGED)))
    assert "| sip | all orders | 100 | 80.0% | met |" in text
    assert "| sip | spread of 1 tick | 50 | 74.0% | **missed** |" in text
    assert [spread_name(number) for number in (3, 5)] == ["spread of 4 to 5 ticks", "spread over 10 ticks"]


def test_the_saved_numbers_can_be_read_again() -> None:
    saved = Calibration(
        "x", 24, 24, (Coverage("sip", "all orders", 100, 0.8),), {"sip": fitted(samples(500, 1))}, JUDGED
    )
    assert read(json.loads(saved.text())) == saved


def test_the_table_of_the_program_is_the_measured_one() -> None:
    saved = kept()
    assert saved is not None, RERUN
    assert source(saved.tables) == MODULE.read_text(encoding="utf-8"), RERUN
    assert set(saved.tables) == set(FEEDS)


def test_the_promise_holds_for_all_orders_of_either_feed() -> None:
    saved = kept()
    assert saved is not None, RERUN
    assert [each.feed for each in saved.found if each.what == "all orders" and each.is_met] == list(FEEDS)
