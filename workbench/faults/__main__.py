"""`python -m workbench.faults`: seeded days under faults; exit code 1 where an invariant did not hold."""

from __future__ import annotations

import os
import time
from collections.abc import Sequence
from typing import Annotated

import typer

from workbench.faults.baseline_days import wrong_days
from workbench.faults.baselines import BASELINES
from workbench.faults.campaign import QUIET, Tally, first_failure, run_seed, run_seeds
from workbench.faults.mutants import MUTANTS
from workbench.faults.story import story

app = typer.Typer(add_completion=False, help=__doc__)


@app.command()
def seeds(
    count: Annotated[int, typer.Option("--seeds", help="How many seeds")] = 300,
    first: Annotated[int, typer.Option(help="The first seed")] = 0,
    processes: Annotated[int, typer.Option(help="Processes; 0: one a core")] = 0,
) -> None:
    """Run seeds and hold every invariant against the broker's ledger."""
    started = time.perf_counter()
    tally = Tally()
    for part in run_seeds(range(first, first + count), processes or os.cpu_count() or 1):
        tally.add(part)
    _print(tally, time.perf_counter() - started)
    for seed in sorted(tally.failing)[:3]:
        typer.echo(story(run_seed(seed)))
    if tally.failing:
        raise typer.Exit(1)


@app.command()
def mutants(
    count: Annotated[int, typer.Option("--seeds", help="Seeds that a mutant may survive")] = 1_000,
    only: Annotated[str, typer.Option(help="One mutant's name")] = "",
) -> None:
    """Plant each known bug and look for the first seed that sees it; exit code 1 where one is never seen."""
    missed = [name for name in ([only] if only else MUTANTS) if not _found(name, range(count))]
    if missed:
        typer.echo(f"never seen: {', '.join(missed)}")
        raise typer.Exit(1)


@app.command()
def baselines(count: Annotated[int, typer.Option("--seeds", help="How many seeds")] = 500) -> None:
    """Give the same days to two executors that are often seen, and count the days on which something was wrong."""
    for name, (story_of_it, _) in BASELINES.items():
        wrong = wrong_days(name, range(count), os.cpu_count() or 1)
        typer.echo(f"{story_of_it}, {count} days")
        for kind, days in wrong.items():
            typer.echo(f"  {kind:<18} {days:>5} days  {days / count:.1%}")


@app.command()
def show(seed: int, mutant: Annotated[str, typer.Option(help="A mutant to plant")] = "") -> None:
    """Tell one seed's story as a tape."""
    typer.echo(story(run_seed(seed, mutant or None)))


def _found(name: str, within: Sequence[int]) -> bool:
    found = first_failure(within, name)
    seen = f"seed {found[0]:>4}  {found[1]}" if found else "NEVER"
    typer.echo(f"{name:<26} {seen:<34} {MUTANTS[name].story}")
    return found is not None


def _print(tally: Tally, seconds: float) -> None:
    typer.echo(f"seeds       {tally.seeds} in {seconds:.0f} s ({seconds / max(tally.seeds, 1) * 1000:.0f} ms each)")
    typer.echo(f"port calls  {tally.calls}")
    typer.echo(f"orders      {tally.orders} at the broker, {tally.fills} fills")
    typer.echo(f"faults      {tally.injected.total()}")
    for kind, number in sorted(_by_kind(tally).items()):
        typer.echo(f"  {kind:<24} {number}")
    typer.echo(f"outcomes    {dict(sorted(tally.outcomes.items()))}")
    typer.echo(f"executions  {dict(sorted(tally.statuses.items()))}")
    typer.echo(
        f"violations  {sum(len(found) for found in tally.failing.values())} on seeds {sorted(tally.failing)[:20]}"
    )


def _by_kind(tally: Tally) -> dict[str, int]:
    kinds: dict[str, int] = {}
    for what, number in tally.injected.items():
        kind = what.partition(" ")[0]
        kinds[kind] = kinds.get(kind, 0) + number
    return kinds


if __name__ == "__main__":
    os.environ.update(QUIET)
    app()
