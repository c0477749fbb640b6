"""The page of whole rebalances: paired by day, with what is not shown said plainly, and equal to its figures."""

from __future__ import annotations

import json
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from typer import BadParameter

from repeg.domain.shortfall import PARTS
from repeg_workbench.simulate.arm_figures import figures_of, recorded_figures
from repeg_workbench.simulate.arms import read_arms
from repeg_workbench.simulate.published import DEMO_PLAN
from repeg_workbench.simulate.rebalance_figures import Rebalance
from repeg_workbench.simulate.rebalances import Terms, measure_day, measure_days
from repeg_workbench.simulate.rebalances_page import FILE, PAGE, page
from repeg_workbench.simulate.recorded_rebalances import STARTS, in_words, scenarios
from repeg_workbench.simulate.worst_day import dearest_orders

ABOUT = {"commit": "abc1234", "cash": "0"}


def a_day(seed: int, dollars: str | None) -> Rebalance:
    """A day of a plan of 100,000 dollars, for which market orders cost 40 or 20 dollars; all of its cost is delay."""
    parts = {**dict.fromkeys(PARTS, "0"), "delay": dollars or "0"}
    missing = "" if dollars is not None else "1 order without a decision price: KO"
    return Rebalance(seed, "100000", dollars, parts, {"1": "40", "0.5": "20"}, missing)


def days(*dollars: str | None) -> dict[int, Rebalance]:
    """Days from seed 1."""
    return {seed: a_day(seed, each) for seed, each in enumerate(dollars, 1)}


def figures(**arms: dict[int, Rebalance]) -> dict[str, Any]:
    """The figures of some arms, with a setting named after each but the first."""
    sets = {name: [] if number == 0 else [f"{name}=true"] for number, name in enumerate(arms)}
    return figures_of(arms, ABOUT, sets)


def test_an_arm_is_compared_with_the_first_on_the_same_days() -> None:
    found = figures(default=days("10", "30", "50"), hurry_sells=days("5", "10", "15"))
    assert found["paired"]["hurry_sells"]["saved"]["mean"] == pytest.approx(2)  # 0.5, 2 and 3.5 bps
    shown = page(found)
    assert "| hurry_sells | +2.00 (0.87) | 2.3 | 100% | 0% | seed 1, +0.5 | seed 3, +3.5 |" in shown
    assert "| hurry_sells | `hurry_sells=true` | +1.00 (0.29) |" in shown


def test_the_page_says_first_what_is_not_shown() -> None:
    """At 1.0 the default saves 3, 1 and -1 bps, at 0.5 half-spreads 1, -1 and -3."""
    _, head, target, *_ = page(figures(default=days("10", "30", "50"))).split("\n\n")
    assert "the default saves +1.00 (1.15) bps of the plan (t 0.9: **not shown**) of the 4.00 that they cost." in head
    assert "If they pay 0.5 of the half-spread, market orders are cheaper by 1.00 (1.15), t 0.9: **not shown**." in head
    assert "cheaper than such market orders on 67% (27 points) of the days (target 80%: **missed**)" in target
    _, sure, met, *_ = page(figures(default=days("10", "10.1", "10"))).split("\n\n")
    assert "If they pay 0.5 of the half-spread, the default is cheaper by 1.00 (0.00), t " in sure
    assert "not shown" not in sure
    assert "on 100% (0 points) of the days (target 80%: met)." in met


def test_the_page_says_what_a_missed_target_would_take() -> None:
    """Of savings of 3, 1 and -1 bps a fifth are below -0.2: between the two worst, as far as two fifths of the way."""
    missed = page(figures(default=days("10", "30", "50")))
    assert "For the target every day would have to save 0.2 bps more, and market orders cost 4.0." in missed
    assert "| default | 1 | -0.8 | -0.2 | +1.0 | +2.2 | +2.8 |" in missed
    assert "For the target" not in page(figures(default=days("10", "10.1", "10")))


def test_each_part_of_the_cost_has_its_error() -> None:
    shown = page(figures(default=days("10", "30", "50")))
    assert "| default | the defaults | +3.00 (1.15) | +3.00 (1.15) | +0.00 (0.00) |" in shown


def test_a_day_that_an_arm_does_not_know_is_named_and_in_no_mean() -> None:
    found = figures(default=days("10", "30", "50"), hurry_sells=days("5", None, "15"))
    assert (found["days"], found["unknown"]) == (2, [2])
    assert "seeds 2." in page(found)


def test_a_table_of_recorded_days_says_what_it_is_of() -> None:
    found = {**figures(default=days("10", "30")), "recorded": recorded_figures(list(days("0", "20").values()), "XXX.")}
    assert "These are no rebalances. Their standard errors are too small: they take the 2 orders" in page(found)
    assert page(found).endswith("| 0.5 | +2.00 (0.00) | +1.00 (1.00) | 1.0 | 50% |\n")


def test_the_worst_day_is_explained_by_its_dearest_orders() -> None:
    """The demo of seed 1: its orders add up to the day, and a day that costs something else now is refused."""
    terms = Terms(str(DEMO_PLAN), "2026-11-23", "sip", None, ())
    day = measure_day(terms, 1)
    orders = dearest_orders({1: day, 2: a_day(2, None)}, terms.document())
    assert len(orders) == 3
    assert Decimal(orders[0]["dollars"]) >= Decimal(orders[1]["dollars"]) >= Decimal(orders[2]["dollars"])
    for order in orders:
        assert Decimal(order["dollars"]) == sum(map(Decimal, order["parts"].values()))
    shown = page({**figures(default=days("10")), "worst_orders": orders})
    assert (
        f"{orders[0]['side']} {orders[0]['qty']} {orders[0]['symbol']} {Decimal(orders[0]['dollars']):+,.2f} (" in shown
    )
    with pytest.raises(BadParameter, match="seed 1 cost 7 dollars"):
        dearest_orders({1: replace(day, dollars="7")}, terms.document())


def test_the_page_is_that_of_the_published_figures() -> None:
    assert PAGE.read_text(encoding="utf-8") == page(json.loads(FILE.read_text(encoding="utf-8")))


def test_the_arms_of_two_measurements_are_refused(tmp_path: Path) -> None:
    """The cash of an account is another measurement; the settings are what an arm differs by."""
    kept = []
    for name, cash, settings in (("cash", "0", ()), ("hurry", "0", ("hurry_sells=true",)), ("rich", None, ())):
        terms = Terms("repeg_workbench/plans/demo.json", "2026-11-23", "sip", cash, settings)
        measure_days(1, terms, tmp_path / name, lambda _, seed: a_day(seed, "1"))
        kept.append(f"{name}={tmp_path / name}")
    arms, terms_of = read_arms(kept[:2])
    assert list(arms) == ["cash", "hurry"]
    assert terms_of["hurry"]["terms"]["settings"] == ["hurry_sells=true"]
    with pytest.raises(BadParameter, match="rich has days of another cash"):
        read_arms(kept)


def test_a_recorded_day_is_bought_and_sold_at_each_start(tmp_path: Path) -> None:
    quotes = "ts,bid,bid_size,ask,ask_size\n1514903400000000000,157.00,100,157.02,100\n"
    (tmp_path / "KO-2018-01-02.quotes.csv").write_text(quotes)
    runs = [(day.plan["orders"][0]["side"], day.settings) for day in scenarios(tmp_path, tmp_path)]
    assert [(side, int(settings["market_open_delay_minutes"])) for side, settings in runs] == [
        (side, start) for side in ("buy", "sell") for start in STARTS
    ]
    assert "300 shares of KO bought, and as many sold, begun 8 times a day on 2018-01-02." in in_words(tmp_path)
