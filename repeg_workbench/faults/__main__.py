"""`python -m repeg_workbench.faults`: seeded days under faults; exit code 1 where an invariant did not hold."""

from __future__ import annotations

import os
import time
from collections.abc import Sequence
from typing import Annotated, Any

import typer

from repeg_workbench.faults import reliability
from repeg_workbench.faults.baseline_days import wrong_days
from repeg_workbench.faults.baselines import BASELINES
from repeg_workbench.faults.campaign import QUIET, Tally, first_failure, run_seed, run_seeds
from repeg_workbench.faults.planted_bugs import MUTANTS
from repeg_workbench.faults.story import story

PUBLISH = "Keep the numbers in docs/reliability.json and write docs/reliability.md anew"

app = typer.Typer(add_completion=False, help=__doc__)


@app.command()
def seeds(
    count: Annotated[int, typer.Option("--seeds", help="How many seeds")] = 300,
    first: Annotated[int, typer.Option(help="The first seed")] = 0,
    processes: Annotated[int, typer.Option(help="Processes; 0: one a core")] = 0,
    *,
    publish: Annotated[bool, typer.Option("--publish", help=PUBLISH)] = False,
) -> None:
    """Run seeds and hold every invariant against the broker's ledger."""
    started = time.perf_counter()
    tally = Tally()
    workers = processes or os.cpu_count() or 1
    for part in run_seeds(range(first, first + count), workers):
        tally.add(part)
    seconds = time.perf_counter() - started
    _print(tally, seconds)
    if publish:
        reliability.keep("campaign", reliability.campaign_numbers(tally, seconds, workers))
    for seed in sorted(tally.failing)[:3]:
        typer.echo(story(run_seed(seed)))
    if tally.failing:
        raise typer.Exit(1)


@app.command()
def mutants(
    count: Annotated[int, typer.Option("--seeds", help="Seeds that a mutant may survive")] = 1_000,
    only: Annotated[str, typer.Option(help="One mutant's name")] = "",
    *,
    publish: Annotated[bool, typer.Option("--publish", help=PUBLISH)] = False,
) -> None:
    """Plant each known bug and look for the first seed that sees it; exit code 1 where one is never seen."""
    found = {name: _found(name, range(count)) for name in ([only] if only else MUTANTS)}
    if publish:
        reliability.keep("mutants", found)
    missed = [name for name, mutant in found.items() if mutant["seed"] is None]
    if missed:
        typer.echo(f"never seen: {', '.join(missed)}")
        raise typer.Exit(1)


@app.command()
def baselines(
    count: Annotated[int, typer.Option("--seeds", help="How many seeds")] = 500,
    *,
    publish: Annotated[bool, typer.Option("--publish", help=PUBLISH)] = False,
) -> None:
    """Give the same days to two executors that are often seen, and count the days on which something was wrong."""
    wrong = {told: wrong_days(name, range(count), os.cpu_count() or 1) for name, (told, _) in BASELINES.items()}
    for told, kinds in wrong.items():
        typer.echo(f"{told}, {count} days")
        for kind, days in kinds.items():
            typer.echo(f"  {kind:<18} {days:>5} days  {days / count:.1%}")
    if publish:
        reliability.keep("baselines", {"seeds": count, "wrong": wrong})


@app.command("publish")
def write_page() -> None:
    """Write docs/reliability.md anew from the numbers kept in docs/reliability.json."""
    reliability.PAGE.write_text(reliability.page(reliability.kept()))


@app.command()
def show(seed: int, mutant: Annotated[str, typer.Option(help="A mutant to plant")] = "") -> None:
    """Tell one seed's story as a tape."""
    typer.echo(story(run_seed(seed, mutant or None)))


def _found(name: str, within: Sequence[int]) -> dict[str, Any]:
    """The first seed that sees a mutant and the invariant that it breaks there; no seed where none does."""
    seed, invariant = first_failure(within, name) or (None, "")
    typer.echo(f"{name:<26} {'NEVER' if seed is None else f'seed {seed}':<12} {invariant:<22} {MUTANTS[name].story}")
    return {"seed": seed, "invariant": invariant, "story": MUTANTS[name].story}


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
