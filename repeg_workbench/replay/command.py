"""`repeg replay`: replays strategies side by side, prints their costs, and returns an exit code."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import typer
from rich.console import Console
from rich.progress import Progress
from rich.table import Table

from repeg.domain.errors import InvalidInput
from repeg_workbench.exchange.market.recorded import RecordingError
from repeg_workbench.exchange.market.symbol_day import SymbolDay
from repeg_workbench.replay.cleaning import CleanDay, clean
from repeg_workbench.replay.outcomes import Orders, Outcome, replay_day
from repeg_workbench.replay.page import page
from repeg_workbench.replay.request import Options, Request, read_request
from repeg_workbench.replay.rows import Row, equal_weight_rows, public, rows_by_spread, rows_of

DONE, BAD_INPUT = 0, 2

TUNING, JUDGING = "tuning", "judging"


@dataclass
class Replayed:
    """Everything that a replay found."""

    rows: list[Row] = field(default_factory=list)
    by_spread: list[Row] = field(default_factory=list)
    recordings: list[dict[str, Any]] = field(default_factory=list)

    def document(self, options: Options) -> dict[str, Any]:
        """The output as JSON has it."""
        return {
            "options": asdict(options),
            "recordings": self.recordings,
            "rows": public(self.rows),
            "totals": equal_weight_rows(self.rows),
            "by_arrival_spread": public(self.by_spread),
        }


def replay(options: Options, html: Path | None, *, is_json: bool) -> int:
    """Replay as the options say; returns the exit code."""
    try:
        request = read_request(options)
        found = run(request)
        document = found.document(options)
        if html is not None:
            _write(html, page(document))
    except InvalidInput as error:
        typer.echo(str(error), err=True)
        return BAD_INPUT
    except RecordingError as error:
        typer.echo(str(InvalidInput("recordings", options.recordings, f"sound recordings ({error})")), err=True)
        return BAD_INPUT
    if is_json:
        typer.echo(json.dumps(document, indent=1))
    else:
        show(document)
    return DONE


def run(request: Request) -> Replayed:
    """Replay every symbol-day, with a progress bar on a terminal."""
    found = Replayed()
    console = Console(stderr=True)
    steps = len(request.source.names) * len(request.plans) * len(request.models)
    with Progress(console=console, disable=not console.is_terminal, transient=True) as progress:
        bar = progress.add_task("compiling", total=steps)
        for day in request.source.days():
            progress.update(bar, description=f"{day.symbol} {day.day}")
            for _ in _replay_day(request, day, found):
                progress.advance(bar)
    return found


def _replay_day(request: Request, day: SymbolDay, found: Replayed) -> Iterator[Outcome]:
    cleaned = clean(day)
    orders, outcomes = replay_day(cleaned, request.plans, request.models, request.setting)
    if not len(orders.arrivals):
        needed = request.setting.draw.seconds
        raise RecordingError(f"{day.symbol}-{day.day}: no {needed} seconds with a book and without a gap")
    kept: list[Outcome] = []
    for outcome in outcomes:
        kept.append(outcome)
        yield outcome
    part = TUNING if day.day in request.tuned_on else JUDGING
    for cost in request.crossing_costs:
        found.rows += rows_of(orders, kept, cost, part)
        found.by_spread += rows_by_spread(orders, kept, cost, part)
    found.recordings.append(_about(cleaned, orders, part))


def _about(cleaned: CleanDay, orders: Orders, part: str) -> dict[str, Any]:
    rows = {"quote_rows": len(cleaned.day.quotes), "prints": len(cleaned.day.trades)}
    named = {"symbol": orders.symbol, "day": orders.day, "part": part}
    return {**named, **rows, "orders": len(orders.arrivals), "cleaned": cleaned.dropped._asdict()}


def show(document: dict[str, Any]) -> None:
    """Print the totals and what was cleaned."""
    console = Console(highlight=False)
    console.width = console.width if console.is_terminal else 160
    for about in document["recordings"]:
        rules = ", ".join(f"{name} {count}" for name, count in about["cleaned"].items() if count) or "nothing"
        console.print(f"{about['symbol']} {about['day']} ({about['part']}): {about['orders']} orders; cleaned: {rules}")
    console.print(_table(document["rows"]))
    console.print("Costs in half-spreads at arrival, with standard errors clustered by quarter of an hour.")


def _table(rows: list[Row]) -> Table:
    columns = (
        "symbol", "day", "part", "strategy", "fill_model", "crossing_cost", "cost_half_spreads", "se_half_spreads",
        "cost_bps", "dollars_per_100k", "sd_bps", "p95_bps", "passive_share", "seconds_to_fill", "orders_sent",
        "difference_half_spreads", "difference_t",
    )  # fmt: skip
    table = Table(box=None, pad_edge=False)
    for column in columns:
        table.add_column(column.replace("_", " "), justify="left" if column in columns[:5] else "right")
    for row in rows:
        table.add_row(*(_cell(row[column]) for column in columns))
    return table


def _cell(value: object) -> str:
    return f"{value:.3f}" if isinstance(value, float) else "" if value is None else str(value)


def _write(path: Path, text: str) -> None:
    try:
        path.write_text(text, encoding="utf-8")
    except OSError as error:
        raise InvalidInput("html", str(path), f"a file that can be written ({error.strerror})") from None
