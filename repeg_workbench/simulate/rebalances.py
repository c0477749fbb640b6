"""Measures whole rebalances over generated days: `python -m repeg_workbench.simulate.rebalances --seeds N`.

Every day is kept in the partial file as soon as it is done, with the commit and the terms that it was measured under;
the same command goes on where it was cut off, and refuses days of another commit or of other terms.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from dataclasses import asdict, dataclass
from multiprocessing import get_context
from pathlib import Path
from typing import Annotated, Any

import typer

from repeg.domain.errors import InvalidInput
from repeg_workbench.cli import DEFAULT_DATE
from repeg_workbench.faults.commit import current_commit
from repeg_workbench.plans.files import read_plan
from repeg_workbench.simulate.published import DEMO_PLAN
from repeg_workbench.simulate.rebalance_figures import Rebalance, lines, rebalance_of
from repeg_workbench.simulate.request import Options, scenario
from repeg_workbench.simulate.simulation import Scenario, opened


@dataclass(frozen=True)
class Terms:
    """What the days of a measurement have in common, beside the code: the options of `repeg simulate`."""

    plan: str
    date: str
    feed: str
    cash: str | None
    settings: tuple[str, ...]
    multiplier: int = 1

    def options(self, seed: int) -> Options:
        """The options of one day."""
        return Options(
            Path(self.plan), "generated", self.date, seed, self.settings, self.cash, None, self.feed, self.multiplier
        )  # fmt: skip

    def document(self) -> dict[str, Any]:
        """The terms as JSON values, with the plan itself instead of its file."""
        return json.loads(json.dumps({**asdict(self), "plan": read_plan(Path(self.plan)).document}))  # type: ignore[no-any-return]


def main(
    *,
    seeds: Annotated[int, typer.Option(help="Days, with the seeds from 1.", min=1)],
    plan: Annotated[Path, typer.Option(help="The plan of every day.")] = DEMO_PLAN,
    date: Annotated[str, typer.Option(help="The date of every day.")] = DEFAULT_DATE,
    feed: Annotated[str, typer.Option(help="Whose quotes the runs read.")] = "sip",
    cash: Annotated[str | None, typer.Option(help="Dollars at the start; 0 makes every buy wait for sells.")] = None,
    multiplier: Annotated[int, typer.Option(help="The account's multiplier: 1, or 2 or 4 on margin.")] = 1,
    setting: Annotated[list[str] | None, typer.Option("--set", help="NAME=VALUE, as for `repeg simulate`.")] = None,
    partial: Annotated[Path, typer.Option(help="Where the days done so far are kept.")] = Path("rebalances.partial"),
) -> None:
    """Simulate the missing days, and print what the rebalances cost against their decision prices."""
    terms = Terms(str(plan), date, feed, cash, tuple(setting or ()), multiplier)
    try:
        scenario(terms.options(1))
    except InvalidInput as error:
        raise typer.BadParameter(str(error)) from None
    days = measure_days(seeds, terms, partial, in_a_process)
    sys.stdout.write("\n".join(lines(days)) + "\n")


def measure_days(
    seeds: int, terms: Terms, partial: Path, measure: Callable[[Terms, int], Rebalance]
) -> list[Rebalance]:
    """The days of the seeds from 1: those in the partial file, and the others measured now and kept there."""
    about = {"commit": current_commit(), "terms": terms.document()}
    days = read_days(partial, about)
    for seed in range(1, seeds + 1):
        if seed not in days:
            days[seed] = measure(terms, seed)
            with partial.open("a", encoding="utf-8") as kept:
                kept.write(json.dumps({**about, **days[seed].document()}) + "\n")
            sys.stderr.write(f"{seed} of {seeds} days\n")
    return [days[seed] for seed in range(1, seeds + 1)]


def read_days(partial: Path, about: dict[str, Any]) -> dict[int, Rebalance]:
    """The days in a partial file, by seed; none without one. Raises BadParameter for days that are about another thing.

    The last line of a run that was cut off may be half a line: that day is measured again.
    """
    found: dict[int, Rebalance] = {}
    whole = partial.read_text(encoding="utf-8").rpartition("\n")[0] if partial.exists() else ""
    for line in whole.splitlines():
        row = json.loads(line)
        other = [name for name in about if row.pop(name) != about[name]]
        if other:
            raise typer.BadParameter(f"{partial} has days of another {' and other '.join(other)}; name another file")
        found[row["seed"]] = Rebalance(**row)
    if partial.exists() and whole != partial.read_text(encoding="utf-8").removesuffix("\n"):
        partial.write_text(f"{whole}\n" if whole else "", encoding="utf-8")
    return found


def in_a_process(terms: Terms, seed: int) -> Rebalance:
    """One day, in a process of its own: a day leaves a hundred megabytes behind."""
    with get_context("spawn").Pool(1) as pool:
        return pool.apply(measure_day, (terms, seed))


def measure_day(terms: Terms, seed: int) -> Rebalance:
    """One day. Raises RuntimeError if its run ends without a report."""
    return measure_scenario(seed, scenario(terms.options(seed)))


def measure_scenario(seed: int, day: Scenario) -> Rebalance:
    """One simulated day, named by a number. Raises RuntimeError if its run ends without a report."""
    with opened(day) as simulated:
        simulated.start(day.run_id)
        simulated.run()
        summary = simulated.summary()
        if summary is None or summary["costs"] is None:
            raise RuntimeError(f"seed {seed} has no report: {simulated.ending().cause}")
    return rebalance_of(seed, summary["costs"])


if __name__ == "__main__":
    typer.run(main)
