"""Publishes docs/rebalances.md: `python -m repeg_workbench.simulate.publish_rebalances NAME=FILE … [--recorded DIR]`.

The files are those that `simulate.rebalances` keeps, one of each arm, all of one commit; the first arm is the default.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Annotated, Any

import typer

from repeg_workbench.faults.commit import current_commit
from repeg_workbench.simulate.arm_figures import figures_of, recorded_figures
from repeg_workbench.simulate.arms import read_arms
from repeg_workbench.simulate.rebalances_page import FILE, PAGE, page
from repeg_workbench.simulate.recorded_rebalances import in_words, measure_recordings
from repeg_workbench.simulate.worst_day import dearest_orders

Files = Annotated[list[str], typer.Argument(help="NAME=FILE of each arm; the first one is the default.")]
Folder = Annotated[Path | None, typer.Option(help="A folder of recorded days to measure as well.")]


def main(files: Files, recorded: Folder = None) -> None:
    """Write docs/rebalances.json and docs/rebalances.md, and print the page."""
    arms, terms = read_arms(files)
    first = next(iter(terms.values()))
    about = {"commit": first["commit"], "cash": first["terms"]["cash"] or "its own"}
    sets = {name: each["terms"]["settings"] for name, each in terms.items()}
    figures = figures_of(arms, about, sets)
    figures["worst_orders"] = dearest_orders(next(iter(arms.values())), first["terms"])
    if recorded is not None:
        figures["recorded"] = _recorded(recorded)
    FILE.write_text(json.dumps(figures, indent=1) + "\n", encoding="utf-8")
    PAGE.write_text(page(figures), encoding="utf-8")
    sys.stdout.write(page(figures))


def _recorded(folder: Path) -> dict[str, Any]:
    with TemporaryDirectory() as work:
        days = measure_recordings(folder, Path(work))
    return recorded_figures(days, f"{in_words(folder)} Commit `{current_commit()}`.")


if __name__ == "__main__":
    typer.run(main)
