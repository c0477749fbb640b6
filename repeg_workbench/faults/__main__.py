"""`python -m repeg_workbench.faults`: seeded days under faults; exit code 1 if an invariant is violated."""

from __future__ import annotations

import os
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any

import typer

from repeg_workbench.faults import counted, reliability
from repeg_workbench.faults.baseline_days import wrong_days
from repeg_workbench.faults.baselines import BASELINES
from repeg_workbench.faults.branch_coverage import measure as measure_branches
from repeg_workbench.faults.branch_coverage_page import as_json
from repeg_workbench.faults.bug_search import Found, search_by_seeds, search_by_tests
from repeg_workbench.faults.campaign import QUIET, Campaign, run_bundled
from repeg_workbench.faults.campaign_summary import summary
from repeg_workbench.faults.command_input import (
    code_to_measure,
    known_bug,
    known_kind,
    published_workload,
    refuse,
    saved_bundle,
    saved_tallies,
)
from repeg_workbench.faults.commit import CODE_AND_TESTS, ROOT
from repeg_workbench.faults.mattering import KINDS, measure
from repeg_workbench.faults.planted_bugs import PLANTED_BUGS
from repeg_workbench.faults.workload_page import with_kinds
from repeg_workbench.mutation.money_modules import selected

PUBLISH = "Save the numbers to docs/reliability.json and regenerate docs/reliability.md"
FOLDER = ROOT / "out" / "faults"
# The exit code of a program that was interrupted, as a shell knows it.
CUT_OFF = 130

First = Annotated[int, typer.Option(min=0, help="The first seed")]
Processes = Annotated[int, typer.Option(min=0, help="Worker processes; 0 for one per core")]
Folder = Annotated[Path, typer.Option("--out", help="Where tallies and bundles are kept")]
Publish = Annotated[bool, typer.Option("--publish", help=PUBLISH)]

app = typer.Typer(add_completion=False, help=__doc__)


@app.command()
def seeds(
    count: Annotated[int, typer.Option("--seeds", min=1, help="How many seeds")] = 300,
    first: First = 0,
    processes: Processes = 0,
    out: Folder = FOLDER,
    *,
    publish: Publish = False,
) -> None:
    """Run seeded days and check every invariant against the broker's ledger.

    The tally is printed and saved every few seconds; Ctrl-C or SIGTERM ends the campaign with what it has.
    """
    code_to_measure(publish=publish)
    campaign = Campaign(range(first, first + count), processes or os.cpu_count() or 1, out)
    typer.echo(f"seeds {first} to {first + count - 1} at commit {campaign.commit}; the tally is in {campaign.file}")
    campaign.run(typer.echo)
    for line in summary(campaign):
        typer.echo(line)
    if publish:
        reliability.keep_campaign(campaign.numbers())
    failing = sorted(campaign.tally.failing)
    for seed in failing:
        typer.echo(f"seed {seed}: {campaign.tally.failing[seed][0]}")
        typer.echo(f"  replay: python -m repeg_workbench.faults show {out / f'seed-{seed}-{campaign.commit}.json'}")
    if failing:
        raise typer.Exit(1)
    if not campaign.is_complete:
        typer.echo(f"interrupted; {campaign.tally.seeds} days are kept in {campaign.file}")
        raise typer.Exit(CUT_OFF)


@app.command("planted-bugs")
def planted_bugs(
    count: Annotated[int, typer.Option("--seeds", min=1, help="Seeds to try for each bug")] = 1_000,
    first: First = 0,
    only: Annotated[str, typer.Option(help="Try these bugs alone, separated by commas")] = "",
    processes: Processes = 0,
    *,
    publish: Publish = False,
) -> None:
    """Plant each known bug and find what detects it: the first seed, or the test that it is said to be seen by.

    Exit code 1 if a bug is never detected.
    """
    names = [known_bug("--only", name) for name in only.split(",")] if only else list(PLANTED_BUGS)
    code = code_to_measure(publish=publish, of=CODE_AND_TESTS)
    by_test = [name for name in names if PLANTED_BUGS[name].seen_by]
    found: dict[str, Found] = {}
    for each in search_by_tests(by_test):
        _print_found(found, each)
    by_seed = [name for name in names if name not in by_test]
    for step in search_by_seeds(by_seed, range(first, first + count), processes or os.cpu_count() or 1):
        if isinstance(step, Found):
            _print_found(found, step)
        else:
            typer.echo(step)
    missed = [name for name in names if not found[name].is_detected]
    typer.echo(f"{len(names) - len(missed)} of {len(names)} planted bugs are detected")
    if publish:
        reliability.keep_bugs({name: _measured(each, code) for name, each in found.items()})
    if missed:
        typer.echo(f"never detected: {', '.join(missed)}")
        raise typer.Exit(1)


@app.command()
def baselines(
    count: Annotated[int, typer.Option("--seeds", min=1, help="How many seeds")] = 500, *, publish: Publish = False
) -> None:
    """Run two common kinds of executor on the same days and count the days with an error."""
    code, cores = code_to_measure(publish=publish), os.cpu_count() or 1
    wrong = {label: wrong_days(name, range(count), cores) for name, (label, _) in BASELINES.items()}
    for label, kinds in wrong.items():
        typer.echo(f"{label}, {count} days")
        for kind, days in kinds.items():
            typer.echo(f"  {kind:<18} {days:>5} days  {days / count:.1%}")
    if publish:
        reliability.keep("baselines", {"seeds": count, "commit": code, "wrong": wrong})


@app.command()
def workload(
    count: Annotated[int, typer.Option("--seeds", min=1, help="How many seeds")] = 300,
    first: First = 0,
    tries: Annotated[int, typer.Option(min=1, help="Days from which each kind is left out at most")] = 10,
    further: Annotated[int, typer.Option(min=0, help="Seeds that follow, for kinds that have not mattered yet")] = 4000,
    only: Annotated[str, typer.Option(help="Measure these kinds alone, separated by commas")] = "",
    *,
    publish: Publish = False,
) -> None:
    """Count how often each kind of event is drawn, and leave it out to see whether it matters; exit code 1 if one that
    was drawn never does. What was published of other kinds than `--only` stays."""
    kinds = [known_kind("--only", name) for name in only.split(",")] if only else list(KINDS)
    code, found, last = code_to_measure(publish=publish), {}, first + count
    before = published_workload("--only", first, count) if publish and only else None
    for each in measure(range(first, last), tries, range(last, last + further), kinds):
        typer.echo(f"{each.kind:<24} drawn on {each.drawn:>4} days, mattered on {each.mattered} of {each.tried} tried")
        found[each.kind] = {key: value for key, value in asdict(each).items() if key != "kind"}
    if publish:
        measured = {"seeds": count, "first": first, "commit": code, "kinds": found}
        reliability.keep("workload", measured if before is None else with_kinds(before, measured))
    if any(each["drawn"] and not each["mattered"] for each in found.values()):
        raise typer.Exit(1)


@app.command()
def coverage(
    count: Annotated[int, typer.Option("--seeds", min=1, help="How many seeds")] = 300,
    first: First = 0,
    modules: Annotated[str, typer.Option(help="Names of modules, separated by commas; all that decide on money")] = "",
    processes: Processes = 0,
    *,
    publish: Publish = False,
) -> None:
    """Measure which lines and branches of the modules that decide on money the seeds run, and list the others."""
    run, code = range(first, first + count), code_to_measure(publish=publish)
    reached = measure_branches(run, selected(modules), processes or os.cpu_count() or 1)
    for name, each in reached.items():
        typer.echo(f"{name:32} {each.lines_run:4} of {each.lines:4} lines, {each.branches_run:4} of {each.branches:4}"
                   f" branches: {each.percent:5.1f} %")  # fmt: skip
        for text in each.missing:
            typer.echo(f"    never: {text}")
    if publish:
        reliability.keep("coverage", as_json(reached, run, code))


@app.command("counted")
def count_seeds(out: Folder = FOLDER) -> None:
    """Count the days that have been run so far, by commit: those published, and those of the tallies kept here."""
    total = counted.with_files(reliability.kept().get("counted", []), out.glob("tally-*.json"))
    for commit, ranges, days, failing in counted.rows(total):
        typer.echo(f"{commit.strip('`'):<12} {days:>9} days, {failing} with a violation  (seeds {ranges})")
    typer.echo(f"{counted.number_of(total):,} days in all")


@app.command("publish")
def write_page(
    tallies: Annotated[list[Path] | None, typer.Argument(help="Tallies to publish")] = None,
) -> None:
    """Regenerate docs/reliability.md from docs/reliability.json; given tallies, the parts of a campaign, are added."""
    if tallies:
        reliability.keep_campaign(counted.together(saved_tallies(tallies)))
    reliability.PAGE.write_text(reliability.page(reliability.kept()))


@app.command()
def show(
    day: Annotated[str, typer.Argument(help="A seed, or a bundle")],
    bug: Annotated[str, typer.Option(help="A bug to plant on a seed's day")] = "",
) -> None:
    """Print one seed's violations, faults and tape, or replay a bundle.

    Exit code 1 if the seed's day has a violation, or if the bundle's day is another one now.
    """
    if day.isdecimal():
        replayed = run_bundled(int(day), known_bug("--bug", bug) if bug else None)
        typer.echo(replayed.story)
        if not replayed.violations:
            typer.echo("no violation")
        raise typer.Exit(bool(replayed.violations))
    saved = saved_bundle(Path(day))
    if bug:
        refuse(f"--bug: {bug!r} is given with a bundle, which is replayed as it was; expected a seed, or no bug")
    replayed = run_bundled(saved.seed, saved.bug or None)
    typer.echo(replayed.story)
    difference = saved.difference(replayed)
    if difference:
        typer.echo(f"not the day of the bundle, which was made at commit {saved.commit}: {difference}")
        raise typer.Exit(1)
    typer.echo("replayed: the same violations and the same ledger")


def _print_found(known: dict[str, Found], found: Found) -> None:
    known[found.name] = found
    typer.echo(f"{found.name:<34} {found.words:<40}  {PLANTED_BUGS[found.name].description}")


def _measured(found: Found, commit: str) -> dict[str, Any]:
    return {
        "seed": found.seed,
        "invariant": found.invariant,
        "test": found.test,
        "description": PLANTED_BUGS[found.name].description,
        "commit": commit,
    }


if __name__ == "__main__":
    os.environ.update(QUIET)
    app()
