"""Measures by the protocol and writes the page: `python -m repeg_workbench.replay.publish [--recordings DIR]`."""

import sys
import tempfile
import time
from pathlib import Path
from typing import Annotated

import typer

from repeg_workbench.replay.publish.choosing import choices
from repeg_workbench.replay.publish.document import NUMBERS, PAGE, Published, kept, published
from repeg_workbench.replay.publish.measuring import fingerprint, measured
from repeg_workbench.replay.publish.page import page
from repeg_workbench.replay.publish.protocol import (
    DATES,
    JUDGING_SEED,
    TUNING_SEED,
    Case,
    Days,
    generated_cases,
    recorded_cases,
)


def publish(
    *,
    recordings: Annotated[Path | None, typer.Option(help="Recorded days to publish too; else theirs are kept.")] = None,
    dates: Annotated[int, typer.Option(help="Generated dates, each with a day of every regime.")] = DATES,
    seed: Annotated[int, typer.Option(help="Seed of the generated market; another one than the page's prints only.")]
    = JUDGING_SEED,
    check: Annotated[bool, typer.Option("--check", help="Measure nothing; fail if the page is out of date.")] = False,
    partial: Annotated[Path | None, typer.Option(help="Folder that keeps the results of a broken run.")] = None,
) -> None:  # fmt: skip
    """Replay the protocol's days and write docs/execution-quality.json and .md; resumes where it was broken off."""
    if check:
        raise typer.Exit(_check())
    rules, days = fingerprint(), Days(seed, recordings)
    folder = (partial or Path(tempfile.gettempdir()) / "repeg-execution-quality") / f"{rules}-{seed}"
    cases = [*generated_cases(dates), *recorded_cases(days)]
    results = list(measured(cases, days, folder, _Clock()))
    chosen = choices(Days(TUNING_SEED, None), days, folder, _Clock())
    found = published(rules, results, _old(), chosen)
    if (seed, dates) != (JUDGING_SEED, DATES):
        typer.echo(page(found))
        return
    NUMBERS.write_text(found.text(), encoding="utf-8")
    PAGE.write_text(page(found), encoding="utf-8")
    typer.echo(str(PAGE))


def _check() -> int:
    numbers = kept()
    if numbers.fingerprint == fingerprint() and page(numbers) == PAGE.read_text(encoding="utf-8"):
        return 0
    typer.echo(f"{PAGE} is older than the strategies: run python -m repeg_workbench.replay.publish", err=True)
    return 1


class _Clock:
    """Prints how far it is, and for how long it will go on."""

    def __init__(self) -> None:
        self._start = time.monotonic()

    def __call__(self, number: int, total: int, case: Case) -> None:
        left = (time.monotonic() - self._start) / number * (total - number)
        sys.stderr.write(f"{number} of {total}: {case.name}, {left / 60:.0f} min left\n")


def _old() -> Published | None:
    return kept() if NUMBERS.exists() else None


if __name__ == "__main__":
    typer.run(publish)
