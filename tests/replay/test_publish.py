"""The page of execution quality shows the saved results of the strategies as they are, losses first."""

import json
from dataclasses import replace
from datetime import date
from pathlib import Path

import numpy as np
import pytest

from repeg_workbench.calibration.measure import instrument
from repeg_workbench.replay.figures import equal_weight, estimate
from repeg_workbench.replay.filling import Model
from repeg_workbench.replay.plans import strategies
from repeg_workbench.replay.publish import document, measuring
from repeg_workbench.replay.publish.block_sums import DayResult, Line, estimate_of
from repeg_workbench.replay.publish.break_even import BreakEven
from repeg_workbench.replay.publish.choosing import DEFAULT, candidates, cheapest, choice_of
from repeg_workbench.replay.publish.document import Published
from repeg_workbench.replay.publish.measuring import fingerprint, measured
from repeg_workbench.replay.publish.page import page
from repeg_workbench.replay.publish.protocol import (
    CROSSING_COSTS,
    GENERATED,
    IEX,
    JUDGING_SEED,
    RECORDED,
    TUNING_SEED,
    Case,
    Days,
    generated_cases,
)
from repeg_workbench.replay.publish.tables import Figures, Table, tables
from repeg_workbench.replay.publish.verdict import OURS, losses, targets
from repeg_workbench.replay.state import SECOND

RERUN = "run python -m repeg_workbench.replay.publish"
BLOCK = 900 * SECOND
CASE = Case(GENERATED, "JNJ", date(2026, 3, 2), 100, 60, (Model.QUEUE,), 3)


def test_the_page_shows_the_saved_results() -> None:
    assert document.PAGE.read_text(encoding="utf-8") == page(document.kept()), RERUN


def test_the_saved_results_are_of_the_strategies_as_they_are() -> None:
    assert document.kept().fingerprint == fingerprint(), RERUN


def test_the_readme_has_the_figures_of_the_page() -> None:
    table = document.kept().find(GENERATED, "queue", 1.0)
    ours, best, market = (f"{table.rows[name].cost:.2f}" for name in (OURS, table.best, "market"))
    text = " ".join((document.PAGE.parents[1] / "README.md").read_text(encoding="utf-8").split())
    assert f"costs {ours} half-spreads, the cheapest simple rule {best}, and a market order {market}" in text


def test_results_of_a_regime_with_other_numbers_are_out_of_date(monkeypatch: pytest.MonkeyPatch) -> None:
    before, bac = fingerprint(), instrument("BAC")
    changed = replace(bac, regime=replace(bac.regime, step=bac.regime.step + 1))
    monkeypatch.setattr(measuring, "instrument", lambda name: changed if name == "BAC" else instrument(name))
    assert fingerprint() != before


def test_the_saved_results_have_a_hundred_generated_days() -> None:
    table = document.kept().find(GENERATED, "queue", 1.0)
    assert table.days >= 100
    assert len(document.kept().groups(GENERATED)) == 6


def test_the_judging_days_are_not_those_to_tune_on() -> None:
    case = next(generated_cases(1))
    judged, tuned = (Days(seed, None).load(case).quotes.bid for seed in (JUDGING_SEED, TUNING_SEED))
    assert judged.tolist() != tuned.tolist()


def test_sums_by_block_give_the_mean_and_error_of_the_orders() -> None:
    dice = np.random.default_rng(3)
    arrivals = np.sort(dice.integers(0, 9 * BLOCK, 80))
    one, other = dice.normal(1, 2, 80), dice.normal(0, 1, 80)
    _, block = np.unique(arrivals // BLOCK, return_inverse=True)
    counts = np.bincount(block).tolist()
    sums = [np.bincount(block, values).astype(np.float64) for values in (one, one - other)]
    for values, summed in ((one, sums[0]), (one - other, sums[1])):
        found, direct = estimate_of(counts, summed), estimate(values, arrivals)
        assert found.mean == pytest.approx(direct.mean)
        assert found.error == pytest.approx(direct.error)


def test_a_table_compares_with_the_rule_that_was_cheapest_over_all_days() -> None:
    days = [a_result("A", {"repeg": 0.4, "join": 0.6, "inside": 0.8}), a_result("B", {"repeg": 0.6, "join": 0.9})]
    table = next(tables(GENERATED, 100, 300, days))
    assert (table.best, table.days, table.orders) == ("join", 2, 8)
    assert table.rows["repeg"].cost == pytest.approx(0.5)
    assert table.rows["repeg"].versus_best == pytest.approx(-0.25)
    assert table.rows["repeg"].versus_market == pytest.approx(-0.5)
    errors = [estimate_of(day.counts, np.array(day.lines["queue"]["repeg"].cost)) for day in days]
    assert table.rows["repeg"].error == pytest.approx(equal_weight(errors).error, abs=1e-4)


def test_a_lower_crossing_cost_saves_its_part_of_what_was_taken() -> None:
    half = next(table for table in tables(GENERATED, 100, 300, [a_result("A", {})]) if table.crossing_cost == 0.5)
    assert half.rows["market"].cost == pytest.approx(0.5)


def test_a_broken_run_goes_on_where_it_was_broken_off(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    replayed: list[str] = []

    def measure(case: Case, *_: object) -> DayResult:
        replayed.append(case.name)
        return a_result("JNJ", {})

    monkeypatch.setattr(measuring, "measure", measure)
    first = list(measured([CASE], Days(1, None), tmp_path, lambda *_: None))
    (tmp_path / "another.part").write_text('{"symbol": ')
    assert list(measured([CASE], Days(1, None), tmp_path, lambda *_: None)) == first
    assert replayed == [CASE.name]


def test_without_recordings_the_saved_recorded_tables_stay() -> None:
    old = Published("old", (a_table("recorded X 1", 0.5, 0.7), a_table(GENERATED, 0.5, 0.7)))
    found = document.published("new", [(CASE, a_result("JNJ", {}))], old)
    assert {table.group for table in found.tables if table.group.startswith(RECORDED)} == {"recorded X 1"}
    assert len([table for table in found.tables if table.group == GENERATED]) == len(CROSSING_COSTS)


def test_saved_results_are_read_as_they_were() -> None:
    found = Published("x", (a_table(GENERATED, 0.5, 0.7), a_table("recorded X 1", 0.5, 0.7)))
    assert document.read(json.loads(found.text())) == found


def test_a_target_is_missed_where_the_policy_is_less_than_a_quarter_cheaper() -> None:
    assert verdicts(0.50, 0.70)[0] is True
    assert verdicts(0.53, 0.70)[0] is False


def test_a_rule_that_is_cheaper_is_a_loss_and_a_sure_one_by_two_errors() -> None:
    small, large = a_table("generated A", 0.75, 0.7, t=1.0), a_table("generated B", 0.9, 0.7, t=3.0)
    found = losses(Published("x", (a_table("generated C", 0.5, 0.7), small, large)), GENERATED)
    assert [(loss.table.group, loss.is_sure) for loss in found] == [("generated B", True), ("generated A", False)]


def test_the_page_begins_with_the_losses() -> None:
    text = page(document.kept())
    assert text.index("## Where the policy does not win") < text.index("## Targets") < text.index("## How it was")


def test_the_break_even_is_where_the_saving_pays_the_subscription() -> None:
    even = BreakEven(1.0, 6, 0.5, 0.1)
    # 99 dollars are half a basis point of 1.98 million dollars.
    assert even.turnover() == pytest.approx(1_980_000)
    assert even.turnover(2) == pytest.approx(99 / 0.7 * 10_000)
    assert even.turnover(-5) is None


def test_the_iex_feed_is_compared_with_the_same_day_on_the_consolidated_one() -> None:
    alone = replace(CASE, group=IEX, horizon=300)
    usual = replace(CASE, horizon=300)
    other = replace(usual, size=1_000)
    dear, cheap = a_result("JNJ", {"repeg": 0.9}), a_result("JNJ", {"repeg": 0.4})
    results = [(other, a_result("JNJ", {"repeg": 5.0})), (usual, cheap), (alone, dear)]
    found = document.published("x", results, None).break_evens
    assert (found[0].crossing_cost, found[0].days, found[0].bps) == (1.0, 1, 0.5)


def test_numbers_are_chosen_on_the_names_that_are_not_left_out() -> None:
    one, other = (name for name in list(candidates())[:2])
    tuned = {"A": [a_result("A", {one: 0.1})], "B": [a_result("B", {other: 0.2})]}
    assert DEFAULT in candidates()
    assert cheapest(tuned, 1.0) == one
    assert cheapest({"B": tuned["B"]}, 1.0) == other


def test_a_choice_is_compared_with_the_defaults_on_the_days_that_judge() -> None:
    chosen = next(iter(candidates()))
    tuned = {"A": [a_result("A", {chosen: 0.1})]}
    judged = {"B": [a_result("B", {chosen: 0.7, DEFAULT: 0.5})]}
    found = choice_of("B", 1.0, tuned, judged)
    assert (found.name, found.cost, found.default, found.versus_default) == ("B", 0.7, 0.5, 0.2)


def verdicts(ours: float, best: float) -> list[bool]:
    found = tuple(a_table(GENERATED, ours, best, cost=cost) for cost in CROSSING_COSTS)
    return [target.is_met for target in targets(Published("x", found))]


def a_table(group: str, ours: float, best: float, *, cost: float = 1.0, t: float = -1.0) -> Table:
    rows = {
        OURS: Figures(ours, 0.1, 1, 1, 1, 1, 1, 1, round(ours - best, 4), t, -0.1, -1),
        "join": Figures(best, 0.1, 1, 1, 1, 1, 1, 1, 0, 0, 0, 0),
    }
    return Table(group, 100, 300, "queue", cost, 1, 2, "join", rows)


def a_result(symbol: str, costs: dict[str, float]) -> DayResult:
    """Four orders in two blocks; every strategy that is not named costs 1, all of it for taking."""
    lines = {name: a_line(costs.get(name, 1.0)) for name in (*strategies(300), *candidates())}
    return DayResult(symbol, "2026-03-02", [1, 3], {"queue": lines})


def a_line(cost: float) -> Line:
    return Line([2 * cost, 2 * cost], [2.0, 2.0], [2 * cost] * 2, [2.0, 2.0], [1.0] * 4, [1.0] * 4, 0.5, 10.0, 1.0)
