"""The figures to publish of whole rebalances: of each arm's days, and of the days of two arms side by side."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from statistics import quantiles
from typing import Any

from repeg.domain.shortfall import PARTS
from repeg_workbench.simulate.rebalance_figures import Mean, Rebalance, compared, mean_of, part_bps

# The shares of days, in percent, at which it is published what single days saved.
SHARES = (5, 20, 50, 80, 95)

Days = Mapping[int, Rebalance]


def figures_of(arms: Mapping[str, Days], about: Mapping[str, Any], sets: Mapping[str, Sequence[str]]) -> dict[str, Any]:
    """The figures to publish of the days that all arms know; the first arm is the one that others are paired with.

    `sets` are the settings of each arm. A day whose shortfall an arm does not know is named, and is in no mean.
    """
    shared = sorted(set.intersection(*(set(days) for days in arms.values())))
    known = [seed for seed in shared if all(days[seed].dollars is not None for days in arms.values())]
    first, *others = arms
    return {
        **about,
        "days": len(known),
        "last": max(shared),
        "unknown": [seed for seed in shared if seed not in known],
        "arms": {
            name: {"set": list(sets[name]), **_arm([days[seed] for seed in known])} for name, days in arms.items()
        },
        "paired": {name: _paired([(arms[first][seed], arms[name][seed]) for seed in known]) for name in others},
    }


def recorded_figures(days: Sequence[Rebalance], about: str) -> dict[str, Any]:
    """The figures of rebalances on recorded days, and what they are about, in one sentence."""
    found = _arm(days)
    return {"about": about, "cost": found["cost"], "market": found["market"], "runs": len(days)}


def _arm(days: Sequence[Rebalance]) -> dict[str, Any]:
    worst = max(days, key=lambda day: day.bps)
    return {
        "worth": round(sum(float(day.worth) for day in days) / len(days), 2),
        "cost": _kept(mean_of([day.bps for day in days])),
        "parts": {name: _kept(mean_of([part_bps(day, name) for day in days])) for name in PARTS},
        "market": [_against(days, crossing_cost) for crossing_cost in days[0].market],
        "worst": {"seed": worst.seed, "bps": worst.bps, "parts": {name: part_bps(worst, name) for name in PARTS}},
    }


def _against(days: Sequence[Rebalance], crossing_cost: str) -> dict[str, Any]:
    found = compared(days, crossing_cost)
    return {
        "crossing_cost": crossing_cost, "market": _kept(found.market), "saved": _kept(found.saved),
        "cheaper": found.cheaper, "days": _quantiles([day.saved_bps(crossing_cost) for day in days]),
    }  # fmt: skip


def _quantiles(saved: Sequence[float]) -> dict[str, float]:
    """What single days saved at some of the shares of days that saved less."""
    cuts = quantiles(saved, n=100, method="inclusive") if len(saved) > 1 else [saved[0]] * 99
    return {f"{share}": cuts[share - 1] for share in SHARES}


def _paired(pairs: Sequence[tuple[Rebalance, Rebalance]]) -> dict[str, Any]:
    saved = {before.seed: before.bps - after.bps for before, after in pairs}
    worst, best = min(saved, key=saved.__getitem__), max(saved, key=saved.__getitem__)
    return {
        "saved": _kept(mean_of(list(saved.values()))),
        "cheaper": sum(each > 0 for each in saved.values()) / len(saved),
        "same": sum(each == 0 for each in saved.values()) / len(saved),
        "worst": {"seed": worst, "bps": saved[worst]},
        "best": {"seed": best, "bps": saved[best]},
    }


def _kept(mean: Mean) -> dict[str, float | None]:
    return {"mean": mean.mean, "error": mean.error}
