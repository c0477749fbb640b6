"""The `repeg` command: what a person types at the desk."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

DEMO_PLAN = Path(__file__).parent / "plans" / "demo.json"

# An ordinary Monday: no early close, no change of clocks.
DEFAULT_DATE = "2026-11-23"


def _option(help: str, *names: str, metavar: str | None = None) -> Any:  # noqa: A002 - the library's own word
    """An option whose default is told in its help."""
    return typer.Option(*names, help=help, metavar=metavar, show_default=False)


app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


@app.callback()
def repeg() -> None:
    """Works a rebalance at the top of the book, and knows when to stop."""


@app.command()
def simulate(
    *,
    plan: Annotated[Path, _option("Plan to execute, a JSON file. Default: eight orders.")] = DEMO_PLAN,
    market: Annotated[str, typer.Option(help="generated, or a folder of recordings.")] = "generated",
    date: Annotated[str, typer.Option(help="Trading day.")] = DEFAULT_DATE,
    seed: Annotated[int, typer.Option(help="Draws the generated market, and every latency and delay.")] = 1,
    set_: Annotated[list[str] | None, _option(
        "A setting of the run; symbols.AAPL.NAME=VALUE for one symbol. Repeatable.", "--set", metavar="NAME=VALUE"
    )] = None,
    cash: Annotated[str | None, _option(
        "Dollars in the account. Default: a tenth of the buys; for the rest the sells must pay."
    )] = None,
    positions: Annotated[Path | None, _option(
        'Shares held, a JSON file such as {"KO": "300"}. Default: what the plan sells.'
    )] = None,
    out: Annotated[Path | None, _option("Folder to keep tape.txt, summary.json and journal.jsonl in.")] = None,
    json: Annotated[bool, _option("Print the summary alone, as JSON.", "--json")] = False,
) -> None:  # fmt: skip
    """Execute a plan on one simulated trading day, through the state machine and the functions that are deployed.

    Exit code: 0 the run settled, 1 it failed, 2 something is wrong with what was asked for.
    """
    # The engine takes two seconds to import, and --help does not need it.
    from workbench.simulation_command import simulate as run  # noqa: PLC0415
    from workbench.simulation_input import Options  # noqa: PLC0415

    options = Options(plan, market, date, seed, tuple(set_ or ()), cash, positions)
    raise typer.Exit(run(options, out, is_json=json))
