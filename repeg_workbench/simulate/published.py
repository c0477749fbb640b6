"""What the default plan costs over many generated days, as it was last measured; `publish` measures it."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from decimal import Decimal
from pathlib import Path
from statistics import fmean, stdev
from typing import Any

FIGURES = Path(__file__).with_name("published.json")
DEMO_PLAN = Path(__file__).parents[1] / "plans" / "demo.json"

COLUMNS = ("cost_bps", "market_cost_bps")
SAVED = "saved_bps"


def published() -> dict[str, Any]:
    """The figures on disk: how many days, by which plan and policy, and the mean and standard error of each cost."""
    figures: dict[str, Any] = json.loads(FIGURES.read_text(encoding="utf-8"))
    return figures


def is_published(plan: object, settings: Mapping[str, object], feed: str) -> bool:
    """Whether the figures are about this plan under these settings: the default plan, nothing set, the same feed."""
    is_default = not settings and plan == json.loads(DEMO_PLAN.read_text(encoding="utf-8"))
    return is_default and feed == published()["feed"]


def figures_of(rows: Sequence[Mapping[str, Any]], about: Mapping[str, Any]) -> dict[str, Any]:
    """The figures to publish, from one row a day, each with the costs of COLUMNS in basis points.

    What was saved is the difference on the same day, so its standard error is smaller than those of the two costs.
    """
    measured = {name: [float(row[name]) for row in rows] for name in COLUMNS}
    measured[SAVED] = [float(row["market_cost_bps"]) - float(row["cost_bps"]) for row in rows]
    return {**about, "days": len(rows), **{name: _estimate(values) for name, values in measured.items()}}


def in_words(figures: Mapping[str, Any]) -> str:
    """The figures in one line."""
    cost, market = (_shown(figures[name]) for name in COLUMNS)
    by = f"both by the quotes of {figures['feed']}"
    return f"{cost} on average over {figures['days']} such days; market orders {market}; {by}"


def _estimate(values: Sequence[float]) -> dict[str, str]:
    error = stdev(values) / len(values) ** 0.5
    return {"mean": _rounded(fmean(values)), "se": _rounded(error)}


def _rounded(value: float) -> str:
    return str(Decimal(value).quantize(Decimal("0.01")) + 0)


def _shown(estimate: Mapping[str, str]) -> str:
    return f"{estimate['mean']} bps (standard error {estimate['se']})"
