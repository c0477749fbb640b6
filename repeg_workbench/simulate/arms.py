"""Compares whole rebalances under different settings on the same generated days:
`python -m repeg_workbench.simulate.arms cash=FILE power=FILE …`, with the partial files of `simulate.rebalances`.

A generated market is a function of its seed, and no order of a run changes it: the arms of a day see the same quotes
and trades, and differ by what they do alone. So each day is compared with itself.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any

import typer

from repeg.domain.amount import counted
from repeg_workbench.simulate.rebalance_figures import Rebalance, lines, mean_of, shown, with_t
from repeg_workbench.simulate.rebalances import read_days

Days = Mapping[int, Rebalance]


Files = Annotated[list[str], typer.Argument(help="NAME=FILE of each arm; the first one is compared with.")]


def main(files: Files) -> None:
    """Print each arm's figures, and what the others save against the first one, paired by day."""
    sys.stdout.write("\n".join(compared_arms(read_arms(files)[0])) + "\n")


def read_arms(files: Sequence[str]) -> tuple[dict[str, Days], dict[str, dict[str, Any]]]:
    """By arm, its days, and what they are about. Raises BadParameter unless all are of the same days."""
    named = [given.partition("=") for given in files]
    if len(named) < 2 or not all(name and path for name, _, path in named):
        raise typer.BadParameter("at least two arms, each as NAME=FILE")
    about = [_about(Path(path)) for _, _, path in named]
    for (name, _, _), other in zip(named, about, strict=True):
        if other != about[0]:
            differing = ", ".join(key for key in other if other[key] != about[0].get(key))
            raise typer.BadParameter(f"{name} has days of another {differing} than {named[0][0]}: not the same days")
    found = {name: _of_file(Path(path)) for name, _, path in named}
    return {name: read_days(Path(path), found[name]) for name, _, path in named}, found


def compared_arms(arms: Mapping[str, Days]) -> list[str]:
    """The figures in words: of each arm over the days that all have, then of each one against the first.

    A day whose shortfall is not known in some arm is in no mean, and is named.
    """
    shared = sorted(set.intersection(*(set(days) for days in arms.values())))
    known = [seed for seed in shared if all(days[seed].dollars is not None for days in arms.values())]
    told = [f"{counted(len(known), 'day')} in all arms"]
    told += [f"seed {seed} is in no mean: an arm does not know its shortfall" for seed in shared if seed not in known]
    for name, days in arms.items():
        told += ["", f"{name}:", *lines([days[seed] for seed in known])]
    first, *others = arms
    for name in others if known else ():
        told += ["", *_against(first, name, [(arms[first][seed], arms[name][seed]) for seed in known])]
    return told


def _against(first: str, name: str, pairs: Sequence[tuple[Rebalance, Rebalance]]) -> list[str]:
    """What an arm saves against the first one: basis points of the plan, positive where it is cheaper."""
    saved = [before.bps - after.bps for before, after in pairs]
    worst, best = min(range(len(saved)), key=saved.__getitem__), max(range(len(saved)), key=saved.__getitem__)
    cheaper, same = (sum(map(is_so, saved)) / len(saved) for is_so in (lambda one: one > 0, lambda one: one == 0))
    told = [
        f"{name} against {first}, paired: saves {_measured(saved)}; cheaper on {cheaper:.0%}, the same on {same:.0%}"
    ]
    for crossing_cost in pairs[0][0].market:
        each = [after.saved_bps(crossing_cost) - before.saved_bps(crossing_cost) for before, after in pairs]
        told.append(f"  of what is saved against market orders at {crossing_cost} half-spreads: {_measured(each)}")
    return [*told, f"  its worst day: {_day(pairs, saved, worst)}; its best: {_day(pairs, saved, best)}"]


def _day(pairs: Sequence[tuple[Rebalance, Rebalance]], saved: Sequence[float], index: int) -> str:
    return f"seed {pairs[index][0].seed}, {saved[index]:+.2f} bps"


def _measured(values: Sequence[float]) -> str:
    mean = mean_of(values)
    return f"{shown(mean)} bps{with_t(mean)}"


def _about(path: Path) -> dict[str, Any]:
    """What the days of a file have in common, beside the settings of their arm."""
    found = _of_file(path)
    terms = {name: value for name, value in found["terms"].items() if name != "settings"}
    return {"commit": found["commit"], **terms}


def _of_file(path: Path) -> dict[str, Any]:
    try:
        row = json.loads(path.read_text(encoding="utf-8").partition("\n")[0])
        return {name: row[name] for name in ("commit", "terms")}
    except (OSError, ValueError, KeyError) as error:
        raise typer.BadParameter(f"{path} is no file of `simulate.rebalances`: {error}") from None


if __name__ == "__main__":
    typer.run(main)
