"""The savings of the policy and the cost of taking, from measured orders."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pytest

from repeg.domain.arm import Arm
from repeg.domain.clustered import Mean
from repeg.domain.crossing import FEWEST_ORDERS, Taking, crossing_cost
from repeg.domain.observed import ObservedOrder, Take
from repeg.domain.outcome import Outcome
from repeg.domain.savings import Savings, savings_of
from tests.builders import MONDAY, NOON

HALF = Decimal("0.02")


def measured(arm: Arm | None, cost: str | None = "1", *, run: int = 0, **fields: Any) -> ObservedOrder:
    """Ten shares at a hundred dollars in a book of four cents; the cost is in half-spreads."""
    day = MONDAY + timedelta(days=run)
    stated: dict[str, Any] = {
        "run_id": f"core-{day.isoformat()}", "symbol": "AAPL", "day": day, "feed": "sip", "arm": arm,
        "share": Decimal("0.5"), "outcome": Outcome.FILLED, "target": Decimal(10), "filled": Decimal(10),
        "off_session": Decimal(0), "notional": Decimal(1_000), "half_spread": HALF, "spread_ticks": 4,
        "cost": None if cost is None else Decimal(cost) * HALF * 10,
    }  # fmt: skip
    return ObservedOrder(**{**stated, **fields})


def taken(ratio: str, *, is_control: bool = True, half: Decimal = HALF) -> Take:
    return Take(at=NOON, qty=Decimal(10), price=Decimal(100), paid=Decimal(ratio) * half, half_spread=half,
                is_control=is_control)  # fmt: skip


def both_arms(runs: int = 6, **fields: Any) -> list[ObservedOrder]:
    """In each run a control order at one half-spread and a treated one at a quarter, give or take a tenth."""
    orders = []
    for run in range(runs):
        step = Decimal(run % 3 - 1) / 10
        orders.append(measured(Arm.CONTROL, str(1 + step), run=run, symbol="KO", **fields))
        orders.append(measured(Arm.TREATED, str(Decimal("0.25") - step), run=run, **fields))
    return orders


def value(mean: Mean | None) -> Decimal:
    assert mean is not None
    return mean.value


# The comparison


def test_a_saving_is_control_less_treated_in_every_unit() -> None:
    found = savings_of(both_arms())
    assert value(found.saved.half_spreads) == Decimal("0.75")
    assert value(found.saved.bps) == Decimal("1.5")  # a half-spread is two basis points
    assert found.saved.half_spreads is not None
    assert found.saved.half_spreads.is_certain
    assert found.for_verdict == 0


def test_an_order_that_was_not_filled_counts_as_drawn() -> None:
    """Left out, the treated arm would have cost nothing at all."""
    orders = [
        *(measured(Arm.CONTROL, "1", run=run) for run in range(6)),
        *(measured(Arm.TREATED, "0", run=run, symbol="KO") for run in range(6)),
        measured(Arm.TREATED, "14", run=6, filled=Decimal(0), outcome=Outcome.NO_FILL_COLLAR),
    ]
    found = savings_of(orders)
    assert value(found.saved.half_spreads) == -1
    assert (found.counts.treated, found.arms[Arm.TREATED].filled) == (7, Decimal(60) / 70)


def test_dollars_weigh_a_large_order_more() -> None:
    orders = both_arms()
    big = measured(Arm.TREATED, "4", run=1, symbol="T", target=Decimal(1_000), notional=Decimal(100_000),
                   filled=Decimal(1_000)).model_copy(update={"cost": Decimal(4) * HALF * 1_000})  # fmt: skip
    found = savings_of([*orders, big])
    assert value(found.saved.bps) > 0 > value(found.saved.bps_by_dollars)


def test_runs_with_other_shares_are_weighed_by_their_chance() -> None:
    """Dear days have few control orders: unweighed, the cheap days of the control arm would make it look cheap."""
    cheap = [measured(Arm.CONTROL, "0", run=n, share=Decimal("0.9"), symbol=f"A{n}") for n in range(9)]
    cheap.append(measured(Arm.TREATED, "0", run=9, share=Decimal("0.9")))
    dear = [measured(Arm.TREATED, "10", run=n, share=Decimal("0.1"), symbol=f"B{n}") for n in range(9)]
    dear.append(measured(Arm.CONTROL, "10", run=9, share=Decimal("0.1"), symbol="B"))
    found = savings_of([*cheap, *dear])
    assert value(found.saved.half_spreads) == 0


@pytest.mark.parametrize(
    ("fields", "counted"),
    [
        ({"outcome": Outcome.PREVIEW}, "previews"),
        ({"off_session": Decimal(1)}, "off_session"),
        ({"cost": None}, "unpriced"),
        ({"arm": None}, "apart"),
        ({"share": Decimal(1)}, "certain"),
    ],
)
def test_an_order_that_is_left_out_is_counted(fields: dict[str, Any], counted: str) -> None:
    odd = measured(Arm.CONTROL, "50", symbol="T").model_copy(update=fields)
    found = savings_of([*both_arms(), odd])
    assert getattr(found.counts, counted) == 1
    assert value(found.saved.half_spreads) == Decimal("0.75")
    assert (found.counts.observed, found.counts.control, found.counts.treated) == (13, 6, 6)


def test_no_orders_at_all_are_no_comparison() -> None:
    found = savings_of([])
    assert (found.saved.half_spreads, found.for_verdict, found.crossing.value, found.counts.observed) == (
        None, None, None, 0,
    )  # fmt: skip


@pytest.mark.parametrize("arm", list(Arm))
def test_an_arm_alone_is_no_comparison(arm: Arm) -> None:
    found = savings_of([order for order in both_arms() if order.arm is arm])
    assert (found.saved.half_spreads, found.saved.bps_by_dollars) == (None, None)
    assert all(each.half_spreads is None for each in (*found.over_time, *found.by_spread))


def test_a_small_saving_needs_more_orders_for_a_verdict() -> None:
    orders = [*both_arms(), *(measured(Arm.TREATED, c, run=n, symbol="T") for n, c in enumerate(("9", "-7") * 3))]
    found = savings_of(orders)
    assert found.saved.half_spreads is not None
    assert not found.saved.half_spreads.is_certain
    assert found.for_verdict is not None
    assert found.for_verdict > 0
    assert found.for_quarter is not None


def test_the_savings_are_cumulative_by_day_and_cut_by_spread() -> None:
    wide = [order.model_copy(update={"symbol": f"{order.symbol}W", "spread_ticks": 12}) for order in both_arms(2)]
    found = savings_of([*both_arms(3), *wide])
    days = [(MONDAY + timedelta(days=n)).isoformat() for n in range(3)]
    assert [(each.name, each.control, each.treated) for each in found.over_time] == [
        (days[0], 2, 2), (days[1], 4, 4), (days[2], 5, 5),
    ]  # fmt: skip
    assert [(each.name, each.control) for each in found.by_spread] == [
        ("1 tick", 0), ("2 to 4 ticks", 3), ("5 to 9 ticks", 0), ("10 ticks and more", 2),
    ]  # fmt: skip


def test_the_savings_are_the_same_in_any_order() -> None:
    orders = both_arms()
    assert savings_of(orders).saved == savings_of(reversed(orders)).saved


# The cost of taking


def test_control_orders_and_own_takes_are_measured_apart() -> None:
    orders = [
        measured(Arm.CONTROL, run=n, takes=(taken("0.4"),)) for n in range(6)
    ] + [measured(None, run=n, symbol="KO", takes=(taken("0.9", is_control=False),)) for n in range(6)]  # fmt: skip
    found = savings_of(orders)
    assert (value(found.control.each), value(found.takes.each)) == (Decimal("0.4"), Decimal("0.9"))


def test_a_ratio_by_dollars_weighs_the_wide_books_more() -> None:
    orders = [measured(Arm.CONTROL, run=0, takes=(taken("0.2"), taken("0.8", half=HALF * 3)))]
    control = savings_of(orders).control
    assert (value(control.each), value(control.by_dollars)) == (Decimal("0.5"), Decimal("0.65"))


def crossing(orders: int, width: str = "0.2", feeds: tuple[str, ...] = ("sip",)) -> Decimal | None:
    middle, half = Decimal("0.4"), Decimal(width) / 2
    mean = Mean(value=middle, orders=orders, runs=9, error=half / 2, low=middle - half, high=middle + half)
    return crossing_cost(Taking(each=mean, by_dollars=mean), feeds).value


def test_a_measured_crossing_cost_counts_once_there_is_enough() -> None:
    assert crossing(FEWEST_ORDERS, "0.25") == Decimal("0.4")
    assert crossing(FEWEST_ORDERS - 1) is None
    assert crossing(FEWEST_ORDERS, "0.26") is None
    assert crossing(FEWEST_ORDERS, feeds=("iex", "sip")) is None


def test_the_programs_own_takes_give_no_crossing_cost() -> None:
    found = savings_of([measured(None, run=n, takes=(taken("0.9", is_control=False),)) for n in range(40)])
    assert (found.crossing.value, found.crossing.because) == (None, "no control order has traded")


def test_the_savings_are_read_back_from_their_json() -> None:
    found = savings_of(both_arms())
    assert Savings.model_validate_json(found.model_dump_json()) == found
    assert date.fromisoformat(found.over_time[0].name) == MONDAY
