"""Fits the table of expected costs and judges it: `python -m repeg_workbench.replay.estimates`.

Writes the module `repeg.domain.cost_table`, docs/cost-estimate.json and the section of docs/execution-quality.md. It
resumes where it was broken off. A table that is of the present rules and market is kept as it is, and only judged.
"""

import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Annotated, Final

import typer

from repeg.domain.setting_types import Feed
from repeg_workbench.faults.commit import current_commit
from repeg_workbench.replay.estimates.document import MODULE, NUMBERS, Calibration, Coverage, Judged, kept, spread_name
from repeg_workbench.replay.estimates.samples import Samples, feed_of, samples_of
from repeg_workbench.replay.estimates.table import Table, baskets_hold, by_class, fitted, holds, source
from repeg_workbench.replay.filling import Model
from repeg_workbench.replay.publish import document, page
from repeg_workbench.replay.publish.measuring import fingerprint
from repeg_workbench.replay.publish.protocol import (
    GENERATED,
    HORIZON,
    IEX,
    SIZE,
    TUNING_SEED,
    Case,
    Days,
    generated_dates,
)
from repeg_workbench.replay.sources import GENERATED_SYMBOLS

FRESH_SEED: Final = 93_017
"""The seed of the judging days: drawn after the rule was last changed, and looked at once. The rule was changed once
after coverage on days of the other judging seed had been seen, so those say less."""

DATES: Final = 4
ARRIVALS: Final = 100
OTHER_SIZE: Final = 1_000

Measured = list[tuple[Case, Samples]]


def estimates(
    *,
    dates: Annotated[int, typer.Option(help="Generated dates to fit on, and as many to judge on.", min=1)] = DATES,
    check: Annotated[bool, typer.Option("--check", help="Measure nothing; fail if the table is out of date.")] = False,
    partial: Annotated[Path | None, typer.Option(help="Folder that keeps the results of a broken run.")] = None,
) -> None:  # fmt: skip
    """Replay the policy on tuning and judging days, and write the table and how often it holds."""
    if check:
        raise typer.Exit(_check())
    rules = fingerprint()
    folder = (partial or Path(tempfile.gettempdir()) / "repeg-cost-estimate") / rules
    days, tables = _tables(dates, rules, folder)
    judging = list(measured(dates, FRESH_SEED, folder / str(FRESH_SEED)))
    found = tuple(coverages(judging, tables))
    MODULE.write_text(source(tables), encoding="utf-8")
    judged = Judged(FRESH_SEED, judging[0][0].day.isoformat(), judging[-1][0].day.isoformat(), current_commit())
    NUMBERS.write_text(Calibration(rules, days, len(judging), found, tables, judged).text(), encoding="utf-8")
    document.PAGE.write_text(page.page(document.kept()), encoding="utf-8")
    for each in found:
        sys.stdout.write(f"{each.feed:4} {each.what:28} {each.orders:6} orders, {each.share:.1%} within the bounds\n")


def _tables(dates: int, rules: str, folder: Path) -> tuple[int, Mapping[str, Table]]:
    """How many days the tables are fitted to, and they by feed: those that are kept, if they are of these rules."""
    before = kept()
    if before is not None and before.fingerprint == rules:
        return before.tuning_days, before.tables
    tuning = list(measured(dates, TUNING_SEED, folder / str(TUNING_SEED)))
    by_feed = {feed: [found for case, found in tuning if feed_of(case) is feed] for feed in Feed}
    return len(tuning), {str(feed): fitted(Samples.joined(found)) for feed, found in by_feed.items()}


def cases(dates: int) -> Iterator[Case]:
    """The symbol-days of every regime, on both feeds and in two sizes."""
    for day in generated_dates(dates):
        for symbol in GENERATED_SYMBOLS:
            for group in (GENERATED, IEX):
                for size in (SIZE, OTHER_SIZE):
                    yield Case(group, symbol, day, size, HORIZON, (Model.QUEUE,), ARRIVALS)


def measured(
    dates: int, seed: int, folder: Path, replay: Callable[[Case, Days], Samples] = samples_of
) -> Iterator[tuple[Case, Samples]]:
    """Each case with its samples: from the folder if they are there, or else replayed and kept there."""
    folder.mkdir(parents=True, exist_ok=True)
    days = Days(seed, None)
    for case in cases(dates):
        path = folder / f"{case.name}.npz"
        if not path.exists():
            replay(case, days).save(path)
            sys.stderr.write(f"{path}\n")
        yield case, Samples.read(path)


def coverages(judging: Measured, tables: Mapping[str, Table]) -> Iterator[Coverage]:
    """How often the bounds hold: of all orders of a feed, by spread and by size, and of baskets."""
    for feed in Feed:
        own = [(case, found) for case, found in judging if feed_of(case) is feed]
        table = tables[str(feed)]
        whole = _of(feed, judging)
        held = holds(whole, table)
        yield Coverage(str(feed), "all orders", len(held), float(held.mean()))
        for spread, orders, share in by_class(held, whole):
            yield Coverage(str(feed), spread_name(spread), orders, share)
        for size in (SIZE, OTHER_SIZE):
            chosen = Samples.joined([found for case, found in own if case.size == size])
            inside = holds(chosen, table)
            yield Coverage(str(feed), f"{size:,} shares", len(inside), float(inside.mean()))
        baskets = [held for group in _baskets(own) for held in baskets_hold(group, table).tolist()]
        yield Coverage(str(feed), "baskets of one order each", len(baskets), sum(baskets) / len(baskets))


def _of(feed: Feed, days: Measured) -> Samples:
    """All samples of a feed."""
    return Samples.joined([found for case, found in days if feed_of(case) is feed])


def _baskets(own: Measured) -> Iterator[list[Samples]]:
    """The members of baskets: the same date, size and side in every regime."""
    for date_and_size in dict.fromkeys((case.day, case.size) for case, _ in own):
        members = [found for case, found in own if (case.day, case.size) == date_and_size]
        for side in (1, -1):
            yield [member.where(member.sides == side) for member in members]


def _check() -> int:
    found = kept()
    is_current = found is not None and found.fingerprint == fingerprint()
    if found is not None and is_current and source(found.tables) == MODULE.read_text(encoding="utf-8"):
        return 0
    typer.echo(f"{NUMBERS} is older than the rules: run python -m repeg_workbench.replay.estimates", err=True)
    return 1


if __name__ == "__main__":
    typer.run(estimates)
