"""`repeg report --since DATE`: the page of all runs."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from decimal import Decimal
from pathlib import Path

from repeg.adapters.pages.savings_page import AllRuns, assumed, savings_page
from repeg.domain.amount import counted
from repeg.domain.saved import saved_by
from repeg.domain.savings import savings_of
from repeg_workbench.operate.answer import DONE, UNFINISHED, Answer
from repeg_workbench.operate.savings import Request as Where
from repeg_workbench.operate.savings import date_of, steps_of
from repeg_workbench.operate.workstation import Workstation
from repeg_workbench.report.writing import Show, opened, write
from repeg_workbench.savings.collect import Collected, remarks
from repeg_workbench.savings.shown import verdict

PAGE = Path("savings.html")

ASSUMPTION = Decimal(1)
"""Half-spreads that a market order pays while the account has not measured its own."""


def report_all(at: Workstation, where: Where, page: Path | None, show: Show | None) -> Answer:
    """Write the page of all runs since a day. Code 1 if something could not be read. Raises CannotOperate."""
    since = date_of(where.since)
    collected = Collected()
    collected.read(steps_of(at, where, since), since)
    runs = all_runs(collected, since, _title(where.folders, where.stack))
    written = write(page or PAGE, savings_page(runs))
    total = runs.saved.total
    counts = f"{counted(total.saved.runs, 'run')}, {counted(total.orders, 'order')}"
    against = f"against market orders at {runs.saved.half_spreads:.2f} half-spreads"
    data = {**runs.saved.model_dump(mode="json"), "is_measured": runs.is_measured, "page": written,
            "problems": list(runs.problems)}  # fmt: skip
    text = [
        f"{counts}: {total.saved.dollars} dollars saved {against}", *(f"- {problem}" for problem in runs.problems),
        written, *opened(written, show),
    ]  # fmt: skip
    return Answer(data, text, UNFINISHED if collected.problems or collected.unmeasured else DONE)


def all_runs(collected: Collected, since: date | None, title: str) -> AllRuns:
    """What the page shows of the measured orders of many runs."""
    orders = [order for _, order in sorted(collected.orders.items()) if since is None or order.day >= since]
    experiment = savings_of(orders)
    half_spreads, is_measured = assumed(experiment, ASSUMPTION)
    return AllRuns(
        title=title,
        since=since,
        saved=saved_by(orders, half_spreads),
        is_measured=is_measured,
        experiment=experiment,
        verdict=verdict(experiment),
        remarks=tuple(remarks(collected)),
        problems=tuple(collected.problems),
    )


def _title(folders: Sequence[str], stack: str | None) -> str:
    return ", ".join(folders) if folders else f"stack {stack or 'of samconfig.toml'}"
