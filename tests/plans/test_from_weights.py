"""Plans from Python: dicts, pandas and a real optimiser, with every digit kept and the plan's own checks."""

from __future__ import annotations

import json
import subprocess
import sys
from decimal import Decimal
from types import SimpleNamespace
from typing import Any

import numpy as np
import pandas as pd
import pytest

from repeg import from_weights
from repeg.domain.errors import InvalidPlan
from repeg.domain.plan import TargetsPlan, parse

EXPECTED = {"AAPL": "0.55", "BRK.B": "0.45"}


@pytest.mark.parametrize(
    "weights",
    [
        {"AAPL": 0.55, "BRK-B": 0.45},
        {"AAPL": Decimal("0.55"), "BRK-B": "0.45"},
        [("AAPL", 0.55), ("brk/b", 0.45)],
        pd.Series({"AAPL": 0.55, "BRK-B": 0.45}),
        pd.Series({"AAPL": 0.55, "BRK-B": 0.45}, name="weights"),
        pd.DataFrame({"weights": {"AAPL": 0.55, "BRK-B": 0.45}}),
        {"AAPL": np.float64(0.55), "BRK-B": np.float64(0.45)},
        SimpleNamespace(weights_dict={"AAPL": np.float64(0.55), "BRK-B": np.float64(0.45)}),
    ],
    ids=["dict", "decimals", "pairs", "series", "named", "frame", "numpy", "skfolio"],
)
def test_weights_of_any_container_make_the_same_plan(weights: Any) -> None:
    document = from_weights(weights, "core", cash_reserve=0, min_trade_notional=25, buy_only=True)
    assert document["targets"] == EXPECTED
    plan = parse(json.loads(json.dumps(document)))
    assert isinstance(plan, TargetsPlan)
    assert (plan.name, plan.min_trade_notional, plan.buy_only) == ("core", Decimal(25), True)


@pytest.mark.parametrize(
    ("weights", "message"),
    [
        (np.array([0.5, 0.5]), r"'ndarray' .*dict\(zip\(symbols, array\)\)"),
        (0.5, "'float' .*weights by symbol"),
        (pd.DataFrame({"a": {"KO": 0.5}, "b": {"KO": 0.5}}), r"one column, such as frame\['weights'\]"),
        (pd.Series([0.5, 0.5], index=["KO", "KO"]), r"plan\.targets\.KO: .*each symbol once"),
        (pd.Series({"KO": float("nan")}), r"plan\.targets\.KO: 'nan'"),
        ({"KO": 0.5, "cash": 0.5}, "cash_reserve for cash"),
        ({"KO": True}, r"plan\.targets\.KO: true"),
    ],
)
def test_weights_that_are_no_plan_are_refused(weights: Any, message: str) -> None:
    with pytest.raises(InvalidPlan, match=message):
        from_weights(weights, "core")


def test_weights_need_no_pandas() -> None:
    code = (
        "import sys, repeg; repeg.from_weights({'KO': 0.5}, 'core'); "
        "print([name for name in ('pandas', 'numpy', 'csv', 'yaml') if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    assert done.stdout.strip() == "[]"


def test_the_weights_of_a_real_optimiser_make_a_plan() -> None:
    optimiser = pytest.importorskip("pypfopt", reason="PyPortfolioOpt is not installed: run make lint")
    symbols = ["AAPL", "BRK-B", "KO"]
    frontier = optimiser.EfficientFrontier(pd.Series([0.1, 0.08, 0.05], symbols), pd.DataFrame(
        np.diag([0.04, 0.03, 0.02]), symbols, symbols
    ))  # fmt: skip
    frontier.max_sharpe()
    document = from_weights(frontier.clean_weights(), "core")
    assert list(document["targets"]) == ["AAPL", "BRK.B", "KO"]
    assert abs(sum(map(Decimal, document["targets"].values()), Decimal(-1))) <= Decimal("0.0001")
    assert all(Decimal(weight) > Decimal("0.1") for weight in document["targets"].values())
