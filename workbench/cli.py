"""The `repeg` command: what a person types at the desk."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

DEMO_PLAN = Path(__file__).parent / "plans" / "demo.json"

# An ordinary Monday: no early close, no change of clocks.
DEFAULT_DATE = "2026-11-23"

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
    plan: Annotated[Path, typer.Option(help="Plan to execute, a JSON file. Default: eight orders, sells funding buys.",
                                       show_default=False)] = DEMO_PLAN,
    market: Annotated[str, typer.Option(help="generated, or a folder of recordings.")] = "generated",
    date: Annotated[str, typer.Option(help="Trading day.")] = DEFAULT_DATE,
    seed: Annotated[int, typer.Option(help="Draws the generated market, and every latency and delay.")] = 1,
    set_: Annotated[list[str] | None, typer.Option(
        "--set", metavar="NAME=VALUE", help="A setting of the run; symbols.AAPL.NAME=VALUE for one symbol. Repeatable.",
        show_default=False)] = None,
    cash: Annotated[str | None, typer.Option(
        help="Dollars in the account. Default: a tenth of the buys; for the rest the sells must pay.",
        show_default=False)] = None,
    positions: Annotated[Path | None, typer.Option(
        help='Shares held, a JSON file such as {"KO": "300"}. Default: what the plan sells.', show_default=False)] = None,
    out: Annotated[Path | None, typer.Option(help="Folder to keep tape.txt, summary.json and journal.jsonl in.",
                                             show_default=False)] = None,
    json: Annotated[bool, typer.Option("--json", help="Print the summary alone, as JSON.")] = False,
) -> None:  # fmt: skip
    """Execute a plan on one simulated trading day, through the state machine and the functions that are deployed.

    Exit code: 0 the run settled, 1 it failed, 2 something is wrong with what was asked for.
    """
    # The engine takes two seconds to import, and --help does not need it.
    from workbench.simulation_command import Options, simulate  # noqa: PLC0415

    options = Options(plan, market, date, seed, tuple(set_ or ()), cash, positions)
    raise typer.Exit(simulate(options, out, is_json=json))
