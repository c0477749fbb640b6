"""`python -m repeg_workbench.faults`: seeded days under faults; exit code 1 if an invariant is violated."""

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
from repeg_workbench.faults.planted_bugs import PLANTED_BUGS
from repeg_workbench.faults.seed_report import seed_report

PUBLISH = "Save the numbers to docs/reliability.json and regenerate docs/reliability.md"

app = typer.Typer(add_completion=False, help=__doc__)


@app.command()
def seeds(
    count: Annotated[int, typer.Option("--seeds", help="How many seeds")] = 300,
    first: Annotated[int, typer.Option(help="The first seed")] = 0,
    processes: Annotated[int, typer.Option(help="Worker processes; 0 for one per core")] = 0,
    *,
    publish: Annotated[bool, typer.Option("--publish", help=PUBLISH)] = False,
) -> None:
    """Run seeded days and check every invariant against the broker's ledger."""
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
        typer.echo(seed_report(run_seed(seed)))
    if tally.failing:
        raise typer.Exit(1)


@app.command("planted-bugs")
def planted_bugs(
    count: Annotated[int, typer.Option("--seeds", help="Seeds to try for each bug")] = 1_000,
    only: Annotated[str, typer.Option(help="Try this bug alone")] = "",
    *,
    publish: Annotated[bool, typer.Option("--publish", help=PUBLISH)] = False,
) -> None:
    """Plant each known bug and find the first seed that detects it; exit code 1 if a bug is never detected."""
    found = {name: _found(name, range(count)) for name in ([only] if only else PLANTED_BUGS)}
    if publish:
        reliability.keep("planted_bugs", found)
    missed = [name for name, bug in found.items() if bug["seed"] is None]
    if missed:
        typer.echo(f"never detected: {', '.join(missed)}")
        raise typer.Exit(1)


@app.command()
def baselines(
    count: Annotated[int, typer.Option("--seeds", help="How many seeds")] = 500,
    *,
    publish: Annotated[bool, typer.Option("--publish", help=PUBLISH)] = False,
) -> None:
    """Run two common kinds of executor on the same days and count the days with an error."""
    wrong = {label: wrong_days(name, range(count), os.cpu_count() or 1) for name, (label, _) in BASELINES.items()}
    for label, kinds in wrong.items():
        typer.echo(f"{label}, {count} days")
        for kind, days in kinds.items():
            typer.echo(f"  {kind:<18} {days:>5} days  {days / count:.1%}")
    if publish:
        reliability.keep("baselines", {"seeds": count, "wrong": wrong})


@app.command("publish")
def write_page() -> None:
    """Regenerate docs/reliability.md from the numbers in docs/reliability.json."""
    reliability.PAGE.write_text(reliability.page(reliability.kept()))


@app.command()
def show(seed: int, bug: Annotated[str, typer.Option(help="A bug to plant")] = "") -> None:
    """Print one seed's violations, faults and tape."""
    typer.echo(seed_report(run_seed(seed, bug or None)))


def _found(name: str, within: Sequence[int]) -> dict[str, Any]:
    """The first seed that detects a bug, and the invariant it violates there; the seed is None if none does."""
    seed, invariant = first_failure(within, name) or (None, "")
    description = PLANTED_BUGS[name].description
    typer.echo(f"{name:<26} {'NEVER' if seed is None else f'seed {seed}':<12} {invariant:<22} {description}")
    return {"seed": seed, "invariant": invariant, "description": description}


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
