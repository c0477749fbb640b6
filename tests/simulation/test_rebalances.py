"""Whole rebalances over many days: the figures, checked by hand, and a measurement that was cut off."""

from __future__ import annotations

import json
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from typer import BadParameter

from repeg.domain.setting_types import FundBuysFrom
from repeg.domain.shortfall import PARTS
from repeg_workbench.simulate import arms
from repeg_workbench.simulate.published import DEMO_PLAN
from repeg_workbench.simulate.rebalance_figures import Rebalance, compared, lines, mean_of, rebalance_of
from repeg_workbench.simulate.rebalances import Terms, measure_day, measure_days

TERMS = Terms(str(DEMO_PLAN), "2026-11-23", "sip", None, ())
NO_PARTS = dict.fromkeys(PARTS, "0")


def a_day(seed: int, dollars: str | None, **parts: str) -> Rebalance:
    """A day of a plan of 100,000 dollars, for which market orders cost 40 or 20 dollars."""
    market = {"1": "40", "0.5": "20"}
    missing = "" if dollars is not None else "1 order without a decision price: KO"
    return Rebalance(seed, "100000", dollars, {**NO_PARTS, **parts}, market, missing)


def test_a_saving_is_paired_by_day_and_counted_where_it_is_one() -> None:
    days = [a_day(1, "10"), a_day(2, "50"), a_day(3, "30")]
    found = compared(days, "1")
    assert (found.market.mean, found.saved.mean, found.cheaper) == (4, 1, 2 / 3)  # 3, -1 and 1 bps
    assert found.saved.error == pytest.approx(2 / 3**0.5)
    assert found.saved.t == pytest.approx(3**0.5 / 2)
    assert compared(days, "0.5").saved.mean == -1


def test_the_lines_have_the_cost_the_savings_and_the_worst_day() -> None:
    told = lines([a_day(1, "10"), a_day(2, "50", delay="60", spread="-10"), a_day(3, "30")])
    assert told[0] == "3 days, a plan of 100,000 dollars on average"
    assert told[1].startswith(
        "cost against the decision prices: +3.00 (standard error 1.15) bps, +30.00 dollars; in bps"
    )
    assert "delay +2.00, timing +0.00, spread -0.33" in told[1]
    assert told[2] == (
        "market orders at the decision, at 1 half-spreads: +4.00 (standard error 0.00) bps; saved +1.00 (standard error"
        " 1.15), t 0.9; cheaper on 67% of the days"
    )
    assert told[-1] == (
        "worst day: seed 2, +5.00 bps, +50 dollars: delay +60, timing +0, spread -10, unsplit +0, opportunity +0"
    )


def test_a_day_with_an_unknown_shortfall_is_named_and_in_no_mean() -> None:
    told = lines([a_day(1, "10"), a_day(2, None)])
    assert told[0].startswith("1 day, ")
    assert told[-1] == "seed 2 is in no mean: 1 order without a decision price: KO"
    assert lines([a_day(2, None)])[-1] == "no day has a known shortfall"
    with pytest.raises(ValueError, match="seed 2"):
        _ = a_day(2, None).bps


def test_a_single_day_has_no_standard_error() -> None:
    assert mean_of([2.0]).error is None
    assert mean_of([2.0]).t is None
    with pytest.raises(ValueError, match="no day"):
        mean_of([])


def test_a_run_without_a_decision_price_is_refused() -> None:
    with pytest.raises(ValueError, match="seed 7: no order has a decision price"):
        rebalance_of(7, {"shortfall": None, "missing": "8 orders without a decision price"})


def test_a_measurement_goes_on_where_it_was_cut_off(tmp_path: Path) -> None:
    measured: list[int] = []

    def measure(_: Terms, seed: int) -> Rebalance:
        measured.append(seed)
        return a_day(seed, str(seed))

    partial = tmp_path / "partial"
    measure_days(3, TERMS, partial, measure)
    cut = partial.read_text(encoding="utf-8")
    partial.write_text(cut[:-20], encoding="utf-8")
    days = measure_days(4, TERMS, partial, measure)
    assert measured == [1, 2, 3, 3, 4]
    assert [day.dollars for day in days] == ["1", "2", "3", "4"]
    assert len(partial.read_text(encoding="utf-8").splitlines()) == 4


@pytest.mark.parametrize(
    ("terms", "commit", "named"),
    [(Terms(str(DEMO_PLAN), "2026-11-23", "iex", None, ()), None, "terms"), (TERMS, "another", "commit")],
)
def test_days_of_another_measurement_are_refused(tmp_path: Path, terms: Terms, commit: str | None, named: str) -> None:
    partial = tmp_path / "partial"
    measure_days(1, TERMS, partial, lambda _, seed: a_day(seed, "1"))
    if commit is not None:
        row: dict[str, Any] = json.loads(partial.read_text(encoding="utf-8"))
        partial.write_text(json.dumps({**row, "commit": commit}) + "\n", encoding="utf-8")
    with pytest.raises(BadParameter, match=f"another {named}"):
        measure_days(1, terms, partial, lambda _, seed: a_day(seed, "1"))


def test_a_generated_day_gives_the_runs_own_costs() -> None:
    day = measure_day(TERMS, 1)
    assert day.dollars is not None
    assert float(day.dollars) == pytest.approx(sum(float(value or 0) for value in day.parts.values()), abs=0.001)
    assert list(day.market) == ["1", "0.67", "0.5", "0.33"]


# Arms on the same days


def kept(path: Path, terms: Terms, *dollars: str | None) -> str:
    """A file of days from seed 1, each with its shortfall; returns its name."""
    measure_days(len(dollars), terms, path, lambda _, seed: a_day(seed, dollars[seed - 1]))
    return str(path)


def test_arms_are_compared_on_the_same_days(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    cash = kept(tmp_path / "cash", TERMS, "10", "50", "30", None)
    power = kept(tmp_path / "power", replace(TERMS, settings=("fund_buys_from=buying_power",)), "20", "10", "30", "5")
    arms.main([f"cash={cash}", f"power={power}"])
    told = capsys.readouterr().out.splitlines()
    assert told[:2] == ["3 days in all arms", "seed 4 is in no mean: an arm does not know its shortfall"]
    saving = "+1.00 (standard error 1.53) bps, t 0.7"  # -1, 4 and 0 bps
    assert f"power against cash, paired: saves {saving}; cheaper on 33%, the same on 33%" in told
    assert f"  of what is saved against market orders at 0.5 half-spreads: {saving}" in told
    assert told[-1] == "  its worst day: seed 1, -1.00 bps; its best: seed 2, +4.00 bps"


@pytest.mark.parametrize("other", [replace(TERMS, feed="iex"), replace(TERMS, multiplier=2), replace(TERMS, cash="0")])
def test_arms_of_other_days_are_refused(tmp_path: Path, other: Terms) -> None:
    files = [f"a={kept(tmp_path / 'a', TERMS, '1')}", f"b={kept(tmp_path / 'b', other, '1')}"]
    with pytest.raises(BadParameter, match=r"b has days of another (feed|multiplier|cash) than a"):
        arms.main(files)


@pytest.mark.parametrize("given", [["a=x"], ["a", "b"], ["a=missing", "b=missing"]])
def test_arms_need_two_files_with_names(given: list[str]) -> None:
    with pytest.raises(BadParameter):
        arms.main(given)


def test_an_arms_orders_leave_the_market_of_the_other_as_it_is() -> None:
    """What market orders would have cost at the decision is the same, however the run has funded its buys."""
    margin = replace(TERMS, multiplier=2, cash="0")
    cash, power = (measure_day(replace(margin, settings=(f"fund_buys_from={source}",)), 1) for source in FundBuysFrom)
    assert (cash.market, cash.worth) == (power.market, power.worth)
    assert cash.dollars != power.dollars
    assert Decimal(power.parts["delay"] or 0) == 0
    assert Decimal(cash.parts["delay"] or 0) != 0
