"""The table of expected costs: fitted to samples, and judged by how often its bounds hold on others."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from repeg.domain.expected_cost import SIZES, SPREADS
from repeg_workbench.exchange.market.symbol_day import Flags
from repeg_workbench.replay.estimates.samples import Samples
from repeg_workbench.replay.figures import Floats

LEAST_ORDERS: Final = 200
"""A cell of fewer orders takes the figures of all sizes of its spread, or else those of all orders of its feed."""

_DIGITS: Final = 3
_LOW, _HIGH = 10, 90

Figures = tuple[float, float, float, float]
"""Mean, low, high and movement, as in `expected_cost.Cell`."""

Table = tuple[tuple[Figures, ...], ...]
"""By class of spread, then by class of size."""


def fitted(samples: Samples) -> Table:
    """The table of one feed's samples."""
    everything = np.ones(len(samples.cost), np.bool_)
    ratio = [_movement(samples, _among(samples.spread == spread, everything)) for spread in range(len(SPREADS) + 1)]
    units = costs_in_units(samples, np.array(ratio)[samples.spread])
    return tuple(
        tuple(_figures(units, samples, spread, size, ratio[spread]) for size in range(len(SIZES) + 1))
        for spread in range(len(SPREADS) + 1)
    )


def costs_in_units(samples: Samples, ratio: Floats) -> Floats:
    """Each order's cost in units of its scale; `ratio` stands in for a movement that is not measured."""
    return samples.cost / scales(samples, ratio)


def scales(samples: Samples, ratio: Floats) -> Floats:
    """Each order's scale, in price units a share."""
    moved = np.where(np.isnan(samples.movement), samples.half * ratio, samples.movement)
    scale: Floats = np.sqrt(samples.half**2 + moved**2)
    return scale


@dataclass(frozen=True)
class Bounds:
    """What the table says of each order, in price units a share."""

    mean: Floats
    low: Floats
    high: Floats


def bounds_of(samples: Samples, table: Table) -> Bounds:
    """The estimate of each order."""
    figures = np.array(table)[samples.spread, samples.size]
    scale = scales(samples, figures[:, 3])
    return Bounds(*(figures[:, number] * scale for number in range(3)))


def holds(samples: Samples, table: Table) -> Flags:
    """Whether the cost of each order is within its bounds."""
    bounds = bounds_of(samples, table)
    return (bounds.low <= samples.cost) & (samples.cost <= bounds.high)


def baskets_hold(members: Sequence[Samples], table: Table) -> Flags:
    """Whether the cost of each basket is within its bounds: one order of each member, by rank of arrival, every one of
    the same worth. Their bounds are combined as `expected_cost.together` does."""
    count = min(len(member.cost) for member in members)
    cost, mean, down, up = (np.zeros(count) for _ in range(4))
    for member in members:
        order = np.argsort(member.arrivals, kind="stable")[:count]
        bounds, worth = bounds_of(member, table), member.mid[order]
        cost += member.cost[order] / worth
        mean += bounds.mean[order] / worth
        down += ((bounds.mean - bounds.low)[order] / worth) ** 2
        up += ((bounds.high - bounds.mean)[order] / worth) ** 2
    return (mean - np.sqrt(down) <= cost) & (cost <= mean + np.sqrt(up))


def by_class(values: Flags, samples: Samples) -> Iterator[tuple[int, int, float]]:
    """For each class of spread: its number, how many orders it has, and the share of those that are true."""
    for spread in range(len(SPREADS) + 1):
        chosen = samples.spread == spread
        if chosen.any():
            yield spread, int(chosen.sum()), float(values[chosen].mean())


def source(tables: Mapping[str, Table]) -> str:
    """The module `repeg.domain.cost_table` with these tables."""
    lines = [
        '"""The measured table of expected costs, by feed, class of spread and class of size.',
        "",
        "Written by `python -m repeg_workbench.replay.estimates`; docs/execution-quality.md says how often it holds.",
        '"""',
        "",
        "from __future__ import annotations",
        "",
        "from decimal import Decimal",
        "",
        "from repeg.domain.expected_cost import Cell",
        "",
        "# fmt: off",
        "_FIGURES = {",
    ]
    for feed, table in tables.items():
        lines.append(f'    "{feed}": (')
        for row in table:
            lines.append("        (")
            lines += [f"            {_words(figures)}," for figures in row]
            lines.append("        ),")
        lines.append("    ),")
    lines += [
        "}",
        "# fmt: on",
        "",
        "CELLS = {",
        "    feed: tuple(tuple(Cell(*map(Decimal, figures)) for figures in row) for row in table)",
        "    for feed, table in _FIGURES.items()",
        "}",
        '"""Mean, low, high and movement of each cell."""',
        "",
    ]
    return "\n".join(lines)


def _words(figures: Figures) -> str:
    return "(" + ", ".join(f'"{number:.{_DIGITS}f}"' for number in figures) + ")"


def _figures(units: Floats, samples: Samples, spread: int, size: int, ratio: float) -> Figures:
    own = samples.spread == spread
    chosen = _among(own & (samples.size == size), own, np.ones(len(units), np.bool_))
    found = units[chosen]
    low, high = np.percentile(found, (_LOW, _HIGH))
    return _rounded(float(found.mean()), float(low), float(high), ratio)


def _movement(samples: Samples, chosen: Flags) -> float:
    """The usual movement in half-spreads of those whose movement is measured; 1 without any."""
    ratio = samples.movement[chosen] / samples.half[chosen]
    known = ratio[~np.isnan(ratio)]
    return float(np.median(known)) if len(known) else 1.0


def _among(*choices: Flags) -> Flags:
    """The first choice that has enough orders, or else the last."""
    return next((choice for choice in choices if choice.sum() >= LEAST_ORDERS), choices[-1])


def _rounded(*numbers: float) -> Figures:
    mean, low, high, moved = (round(number, _DIGITS) + 0.0 for number in numbers)
    return mean, low, high, moved
