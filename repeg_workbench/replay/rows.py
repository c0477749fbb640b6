"""The rows of a replay's output: one for each symbol-day, strategy, fill model and crossing cost."""

from collections.abc import Sequence
from typing import Any, Final

import numpy as np

from repeg_workbench.exchange.market.symbol_day import Flags, Int64s
from repeg_workbench.replay.figures import Floats, equal_weight, estimate
from repeg_workbench.replay.filling import Model
from repeg_workbench.replay.outcomes import Orders, Outcome
from repeg_workbench.replay.plans import PEERS
from repeg_workbench.replay.state import SECOND

Row = dict[str, Any]

SPREADS: Final = (("1", 1, 1), ("2", 2, 2), ("3", 3, 3), ("4-5", 4, 5), ("6-10", 6, 10), ("11+", 11, 1 << 40))
"""Arrival spreads in ticks, as they are grouped."""

_DIGITS: Final = 4
_MIN_ORDERS: Final = 20


def rows_of(orders: Orders, outcomes: Sequence[Outcome], crossing_cost: float, part: str) -> list[Row]:
    """A row for each outcome. `part` says whether the day was tuned on (`tuning`) or not (`judging`)."""
    everything = np.ones(len(orders.arrivals), np.bool_)
    best = {model: _best_peer(orders, outcomes, model, crossing_cost) for model in Model}
    return [_row(orders, each, crossing_cost, part, best[each.model], everything) for each in outcomes]


def rows_by_spread(orders: Orders, outcomes: Sequence[Outcome], crossing_cost: float, part: str) -> list[Row]:
    """The same for each group of arrival spreads with enough orders."""
    rows: list[Row] = []
    best = {model: _best_peer(orders, outcomes, model, crossing_cost) for model in Model}
    for name, low, high in SPREADS:
        chosen = (orders.spread_ticks >= low) & (orders.spread_ticks <= high)
        if chosen.sum() >= _MIN_ORDERS:
            rows += [
                {**_row(orders, each, crossing_cost, part, best[each.model], chosen), "arrival_spread_ticks": name}
                for each in outcomes
            ]
    return rows


def equal_weight_rows(rows: Sequence[Row]) -> list[Row]:
    """For each strategy, fill model, crossing cost and part, the mean over the symbol-days, each with equal weight."""
    keys = ("strategy", "fill_model", "crossing_cost", "part")
    found: dict[tuple[Any, ...], list[Row]] = {}
    for row in rows:
        found.setdefault(tuple(row[key] for key in keys), []).append(row)
    totals = []
    for key, members in found.items():
        over = [row["_estimate"] for row in members]
        versus = [row["_versus"] for row in members if row["_versus"] is not None]
        total = equal_weight(over)
        row = dict(zip(keys, key, strict=True)) | {
            "symbol_days": len(members),
            "cost_half_spreads": _short(total.mean),
            "se_half_spreads": _short(total.error),
            "p95_half_spreads": _short(float(np.mean([row["p95_half_spreads"] for row in members]))),
        }
        if len(versus) == len(members):
            paired = equal_weight(versus)
            row |= {"difference_half_spreads": _short(paired.mean), "difference_t": _short(paired.t)}
        totals.append(row)
    return totals


def public(rows: Sequence[Row]) -> list[Row]:
    """The rows without what is kept for totals."""
    return [{name: value for name, value in row.items() if not name.startswith("_")} for row in rows]


def _row(
    orders: Orders, outcome: Outcome, crossing_cost: float, part: str, best: Outcome | None, chosen: Flags
) -> Row:  # fmt: skip
    cost, unit = outcome.cost(orders, crossing_cost)[chosen], float(orders.half_spread[chosen].mean())
    bps = cost / np.abs(orders.mid[chosen]) * 10_000
    arrivals = orders.arrivals[chosen]
    own = estimate(cost / unit, arrivals)
    versus = None if best is None else estimate((cost - best.cost(orders, crossing_cost)[chosen]) / unit, arrivals)
    return {
        "symbol": orders.symbol,
        "day": orders.day,
        "part": part,
        "strategy": outcome.strategy,
        "fill_model": outcome.model.name.lower(),
        "crossing_cost": crossing_cost,
        "size": orders.shares,
        "horizon": outcome.plan.patience,
        "n": int(chosen.sum()),
        "cost_bps": _short(float(bps.mean())),
        "cost_half_spreads": _short(own.mean),
        "se_half_spreads": _short(own.error),
        "dollars_per_100k": _short(float(bps.mean()) * 10),
        "sd_bps": _short(float(bps.std())),
        "p95_bps": _short(float(np.percentile(bps, 95))),
        "p95_half_spreads": _short(float(np.percentile(cost / unit, 95))),
        "passive_share": _mean(outcome.column("rested")[chosen] / orders.shares),
        "seconds_to_fill": _mean((outcome.column("at")[chosen] - arrivals) / SECOND),
        "moves": _mean(np.maximum(outcome.column("sent")[chosen] - 1, 0)),
        "orders_sent": _mean(outcome.column("sent")[chosen]),
        "requests": _mean(outcome.requests()[chosen]),
        "best_peer": best.strategy if best is not None else None,
        "difference_half_spreads": None if versus is None else _short(versus.mean),
        "difference_t": None if versus is None else _short(versus.t),
        "_estimate": own,
        "_versus": versus,
    }


def _best_peer(orders: Orders, outcomes: Sequence[Outcome], model: Model, crossing_cost: float) -> Outcome | None:
    peers = [each for each in outcomes if each.model is model and each.strategy in PEERS]
    return min(peers, key=lambda each: float(each.cost(orders, crossing_cost).mean()), default=None)


def _mean(values: Floats | Int64s) -> float:
    return _short(float(np.mean(values)))


def _short(value: float) -> float:
    return round(value, _DIGITS)
