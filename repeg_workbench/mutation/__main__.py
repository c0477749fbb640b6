"""`python -m repeg_workbench.mutation`: small faults in the modules that decide on money, and what sees each."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, closing, contextmanager
from typing import Annotated

import typer

from repeg_workbench.mutation import mutation_page
from repeg_workbench.mutation.campaign import FOLDER, SEEDS_EACH, Campaign
from repeg_workbench.mutation.money_modules import selected
from repeg_workbench.mutation.results import SURVIVED
from repeg_workbench.mutation.run_map import remember
from repeg_workbench.mutation.workers import TESTS, Worker

app = typer.Typer(add_completion=False, help=__doc__)

Modules = Annotated[str, typer.Option(help="Names of modules, separated by commas; all of them by default")]


@app.command()
def run(
    modules: Modules = "",
    first: Annotated[int, typer.Option(min=0, help="Leave out the mutants before this one")] = 0,
    sample: Annotated[int, typer.Option(min=0, help="Run so many mutants, drawn at random; 0 for all")] = 0,
    seed: Annotated[int, typer.Option(help="What the sample is drawn with")] = 0,
    processes: Annotated[int, typer.Option(help="Worker processes; 0 for one per core")] = 0,
    tests: Annotated[str, typer.Option(help="Folders and files of tests, separated by commas")] = ",".join(TESTS),
    most_seconds: Annotated[float, typer.Option(help="CPU seconds of tests for each mutant at most; 0: all tests")] = 0,
    seeds: Annotated[int, typer.Option(min=0, help="Seeds for each mutant that survives the tests")] = SEEDS_EACH,
) -> None:
    """Run mutants against the tests that run their lines, then the survivors against seeds.

    Each result is kept as soon as it is known: after an interruption, call it again. Exit code 1 if a mutant survives
    that has no reason in survivors.toml.
    """
    campaign = Campaign(selected(modules), numbers=mutation_page.kept())
    mutants = campaign.chosen(first, sample, seed)
    remember(tests.split(","))
    with _working(tests.split(","), processes or os.cpu_count() or 1) as workers:
        campaign.run_tests(mutants, workers, typer.echo, most_seconds)
        if seeds:
            campaign.run_seeds(mutants, workers, typer.echo, seeds)
    keys = {mutant.key for mutant in mutants}
    reasons = mutation_page.reasons()
    unlisted = [each for each in campaign.results.records.values()
                if each.key in keys and each.verdict != "killed" and each.key not in reasons]  # fmt: skip
    for record in unlisted:
        typer.echo(f"{record.verdict} ({record.tests} tests, {record.seeds} seeds): {record.key}")
    typer.echo(mutation_page.totals(campaign.results, campaign.modules))
    if unlisted:
        raise typer.Exit(1)


@app.command()
def table(modules: Modules = "", *, survivors: Annotated[bool, typer.Option(help="List the survivors")] = True) -> None:
    """Print what is known: a line a module, and the survivors without a reason."""
    campaign = Campaign(selected(modules), numbers=mutation_page.kept())
    typer.echo(mutation_page.summary(campaign.results, campaign.modules))
    if survivors:
        reasons = mutation_page.reasons()
        for record in campaign.results.records.values():
            if record.verdict == SURVIVED and record.key not in reasons:
                typer.echo(f"survived ({record.tests} tests, {record.seeds} seeds): {record.key}")
        for key in mutation_page.outdated(campaign.modules):
            typer.echo(f"survivors.toml has a reason for what is no mutant any more: {key}")


@app.command()
def publish() -> None:
    """Save what is known in docs/mutation.json and write docs/mutation.md anew."""
    campaign = Campaign(selected(""), numbers=mutation_page.kept())
    mutation_page.keep(campaign.results, campaign.modules)


@app.command()
def page() -> None:
    """Write docs/mutation.md anew from docs/mutation.json and the reasons in survivors.toml."""
    mutation_page.PAGE.write_text(mutation_page.page(mutation_page.kept()), encoding="utf-8")


@contextmanager
def _working(tests: Sequence[str], processes: int) -> Iterator[list[Worker]]:
    with ExitStack() as stack:
        yield [stack.enter_context(closing(Worker(tests, FOLDER / f"worker-{n}.log"))) for n in range(processes)]


if __name__ == "__main__":
    app()
