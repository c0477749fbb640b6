"""Compares polling with listening on the same generated days: `python -m repeg_workbench.bench.waiting`.

Every day is kept in the partial file as soon as it is done; the same command goes on where it was cut off. A partial
file of another commit is refused, because its days are other days.
"""

from __future__ import annotations

import json
import sys
from multiprocessing import get_context
from pathlib import Path
from typing import Annotated, Any

import typer

from repeg_workbench.bench.waiting_days import measured
from repeg_workbench.bench.waiting_page import FILE, PAGE, figures_of, page
from repeg_workbench.faults.commit import current_commit


def main(
    *,
    days: Annotated[int, typer.Option(min=2, help="Days, with the seeds from 1")] = 40,
    partial: Annotated[Path, typer.Option(help="Where the days done so far are kept")] = Path("waiting.partial"),
    publish: Annotated[bool, typer.Option("--publish", help="Write docs/waiting.json and docs/waiting.md")] = False,
) -> None:
    """Measure the missing days, each in a process of its own, and print the table of all of them."""
    commit = current_commit()
    rows = read_rows(partial, commit)
    for seed in range(1, days + 1):
        if seed in rows:
            continue
        with get_context("spawn").Pool(1) as pool:  # a day leaves a hundred megabytes behind
            rows[seed] = pool.apply(measured, (seed,))
        with partial.open("a", encoding="utf-8") as kept:
            kept.write(json.dumps({"commit": commit, **rows[seed]}) + "\n")
        sys.stdout.write(f"day {seed} of {days}\n")
    figures = figures_of([rows[seed] for seed in range(1, days + 1)], commit)
    sys.stdout.write(page(figures))
    if publish:
        FILE.write_text(json.dumps(figures, indent=1) + "\n", encoding="utf-8")
        PAGE.write_text(page(figures), encoding="utf-8")


def read_rows(partial: Path, commit: str) -> dict[int, dict[str, Any]]:
    """The days in a partial file, by seed; none without one. Raises BadParameter for the days of another commit."""
    lines = partial.read_text(encoding="utf-8").splitlines() if partial.exists() else []
    rows = [json.loads(line) for line in lines]
    others = {row["commit"] for row in rows} - {commit}
    if others:
        raise typer.BadParameter(f"{partial} has days of commit {', '.join(sorted(others))}, and this is {commit}")
    return {row["seed"]: {name: value for name, value in row.items() if name != "commit"} for row in rows}


if __name__ == "__main__":
    typer.run(main)
