"""What was measured on recorded stocks: the figures that the generated regimes are fitted to.

The recordings are those of `docs/generated-market.md`. They cannot be handed on; these figures can. Costs are in mean
half-spreads at arrival, for 100 shares, both sides, arrivals from 9:35 to 15:25, and a crossing cost of 1.0.
"""

import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, NamedTuple

RULES: Final = ("anchor", "join", "mid", "inside")
MODELS: Final = ("trade_through", "queue", "touch")


class Cell(NamedTuple):
    """What a rule cost under a fill model, its standard error, the share that filled passively, and mean seconds."""

    cost: float
    error: float
    passive: float
    seconds: float


class Tenth(NamedTuple):
    """One tenth of the imbalance: its share of time, the chance of an up-move, and the move after 1, 5 and 30 s."""

    share: float
    up: float
    after_1: float
    after_5: float
    after_30: float


@dataclass(frozen=True)
class Recorded:
    """One recorded stock. wait is the mean number of seconds to the next move of the mid, tight the share of time with
    a spread of at most a third of its usual one. costs has a row per fill model and a column per rule. tenths is empty
    where the touch predicts next to nothing and was not tabulated."""

    name: str
    wait: float
    tight: float
    median_spread: int
    one_tick: float
    tenths: tuple[Tenth, ...]
    costs: tuple[tuple[Cell, ...], ...]


def _stock(row: dict[str, Any]) -> Recorded:
    return Recorded(
        name=row["name"],
        wait=row["wait"],
        tight=row["tight"],
        median_spread=row["median_spread"],
        one_tick=row["one_tick"],
        tenths=tuple(Tenth(*tenth) for tenth in row["tenths"]),
        costs=tuple(tuple(Cell(*row[model][rule]) for rule in RULES) for model in MODELS),
    )


def recorded() -> tuple[Recorded, ...]:
    """Every recorded stock, from the narrowest to the widest spread."""
    text = Path(__file__).with_suffix(".toml").read_text(encoding="utf-8")
    return tuple(map(_stock, tomllib.loads(text)["stock"]))
