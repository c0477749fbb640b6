"""What the default plan costs over many generated days: measured by one command, stored, and shown beside one day."""

from __future__ import annotations

import json
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from typer import BadParameter

from repeg.domain.settings import Settings
from repeg_workbench.simulate.publish import measure_days
from repeg_workbench.simulate.published import COLUMNS, SAVED, figures_of, is_published, published
from tests.simulation.command_line import repeg, write
from tests.simulation.days import DEMO, orders


def test_the_published_figures_are_of_the_default_plan_and_many_days() -> None:
    figures = published()
    assert (figures["plan"], figures["policy"], figures["date"]) == ("demo", Settings().policy, "2026-11-23")
    assert figures["feed"] == "iex"
    assert figures["days"] >= 30
    for name in (*COLUMNS, SAVED):
        assert figures[name].keys() == {"mean", "se"}
        assert 0 < Decimal(figures[name]["se"]) < 1
    means = [Decimal(figures[name]["mean"]) for name in (*COLUMNS, SAVED)]
    assert abs(means[1] - means[0] - means[2]) <= Decimal("0.01")


def test_figures_are_means_with_standard_errors_over_days() -> None:
    rows = [{"cost_bps": cost, "market_cost_bps": "4"} for cost in ("1", "2", "3", "4")]
    assert figures_of(rows, {"plan": "p"}) == {
        "plan": "p", "days": 4, "cost_bps": {"mean": "2.50", "se": "0.65"},
        "market_cost_bps": {"mean": "4.00", "se": "0.00"}, "saved_bps": {"mean": "1.50", "se": "0.65"},
    }  # fmt: skip


def test_other_plans_settings_and_markets_have_no_published_figures(tmp_path: Path) -> None:
    demo = json.loads(DEMO.read_text())
    assert is_published(demo, {}, "iex")
    assert not is_published(demo, {}, "sip")
    assert not is_published(demo, {"max_repegs": 3}, "iex")
    assert not is_published({**demo, "name": "other"}, {}, "iex")
    result = repeg("--plan", write(tmp_path, orders("one", "buy 10 KO")), "--json")
    assert json.loads(result.stdout)["published"] is None


def test_a_cut_off_measurement_goes_on_where_it_ended(tmp_path: Path) -> None:
    measured: list[int] = []

    def measure(seed: int) -> dict[str, Any]:
        measured.append(seed)
        return {"seed": seed, "cost_bps": str(seed), "market_cost_bps": "9"}

    partial, out = tmp_path / "partial", tmp_path / "figures.json"
    measure_days(3, partial, out, measure)
    measure_days(5, partial, out, measure)
    assert measured == [1, 2, 3, 4, 5]
    assert json.loads(out.read_text())["cost_bps"]["mean"] == "3.00"
    partial.write_text(json.dumps({"commit": "another", "seed": 1, "cost_bps": "1", "market_cost_bps": "2"}) + "\n")
    with pytest.raises(BadParameter, match="another"):
        measure_days(5, partial, out, measure)
