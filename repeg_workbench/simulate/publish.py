"""Measures what the default plan costs over many generated days: `python -m repeg_workbench.simulate.publish`.

Every day is kept in the partial file as soon as it is done; the same command goes on where it was cut off. A partial
file of another commit is refused, because its days are other days.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from multiprocessing import get_context
from pathlib import Path
from typing import Annotated, Any

import typer

from repeg.domain.settings import Settings
from repeg_workbench.cli import DEFAULT_DATE
from repeg_workbench.faults.commit import current_commit
from repeg_workbench.simulate.published import COLUMNS, DEMO_PLAN, FIGURES, figures_of
from repeg_workbench.simulate.request import Options, read_feed, scenario
from repeg_workbench.simulate.simulation import opened

Row = dict[str, Any]


def main(
    *,
    seeds: Annotated[int, typer.Option(help="Days, with the seeds from 1.", min=2)] = 200,
    partial: Annotated[Path, typer.Option(help="Where the days done so far are kept.")] = Path("published.partial"),
    out: Annotated[Path, typer.Option(help="Where the figures go.")] = FIGURES,
) -> None:
    """Simulate the missing days, and write the figures of all of them after each."""
    measure_days(seeds, partial, out, in_a_process)


def measure_days(seeds: int, partial: Path, out: Path, measure: Callable[[int], Row]) -> None:
    """Measure the seeds from 1 that are not in the partial file, and write the figures after each day."""
    commit = current_commit()
    rows = read_rows(partial, commit)
    for seed in range(1, seeds + 1):
        if seed not in rows:
            rows[seed] = measure(seed)
            with partial.open("a", encoding="utf-8") as kept:
                kept.write(json.dumps({"commit": commit, **rows[seed]}) + "\n")
        done = [rows[each] for each in range(1, seed + 1)]
        if seed > 1:
            write(out, done, commit)
            sys.stdout.write(f"{seed} of {seeds} days\n")


def in_a_process(seed: int) -> Row:
    """One day, in a process of its own: a day leaves a hundred megabytes behind."""
    with get_context("spawn").Pool(1) as pool:
        return pool.apply(measure, (seed,))


def measure(seed: int) -> Row:
    """One day: its seed, and its costs in basis points as text. Raises RuntimeError if its run has no cost."""
    day = scenario(Options(DEMO_PLAN, "generated", DEFAULT_DATE, seed, (), None, None))
    with opened(day) as simulated:
        simulated.start(day.run_id)
        simulated.run()
        summary = simulated.summary()
    costs = {name: summary["totals"][name] for name in COLUMNS} if summary is not None else {}
    if None in costs.values() or not costs:
        raise RuntimeError(f"seed {seed} has no cost: {simulated.ending().cause or costs}")
    return {"seed": seed, **costs}


def read_rows(partial: Path, commit: str) -> dict[int, Row]:
    """The days in a partial file, by seed; none without one. Raises BadParameter for the days of another commit."""
    if not partial.exists():
        return {}
    rows = [json.loads(line) for line in partial.read_text(encoding="utf-8").splitlines()]
    others = {row["commit"] for row in rows} - {commit}
    if others:
        raise typer.BadParameter(f"{partial} has days of commit {', '.join(sorted(others))}, and this is {commit}")
    return {row["seed"]: {name: row[name] for name in ("seed", *COLUMNS)} for row in rows}


def write(out: Path, rows: list[Row], commit: str) -> None:
    """Write the figures of these days."""
    about = {
        "plan": DEMO_PLAN.stem, "date": DEFAULT_DATE, "policy": str(Settings().policy), "feed": read_feed(None),
        "commit": commit,
    }  # fmt: skip
    out.write_text(json.dumps(figures_of(rows, about), indent=2) + "\n", encoding="utf-8")


if __name__ == "__main__":
    typer.run(main)
