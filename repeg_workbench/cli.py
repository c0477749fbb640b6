"""The `repeg` command."""

from __future__ import annotations

import gc
from pathlib import Path
from typing import Annotated, Any

import typer

from repeg_workbench.explain.commands import add_commands as add_journal_commands
from repeg_workbench.operate.commands import add_commands

DEMO_PLAN = Path(__file__).parent / "plans" / "demo.json"

# An ordinary Monday: no early close, no clock change.
DEFAULT_DATE = "2026-11-23"

STARTING = "starting a simulated Alpaca; it answers once its addresses are shown"


def _option(help: str, *names: str, metavar: str | None = None) -> Any:  # noqa: A002 - the library's own word
    """An option whose help text names its default."""
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
    """Works a rebalance at the top of the book and stops at a deadline."""


@app.command()
def simulate(
    *,
    plan: Annotated[Path, _option("Plan to execute, a file. Default: eight orders.")] = DEMO_PLAN,
    market: Annotated[str, typer.Option(help="generated, or a folder of recordings.")] = "generated",
    date: Annotated[str, typer.Option(help="Trading day.")] = DEFAULT_DATE,
    seed: Annotated[int, typer.Option(help="Random seed of the generated market, latencies and delays.")] = 1,
    set_: Annotated[list[str] | None, _option(
        "A setting of the deployment, or symbols.AAPL.NAME=VALUE for one symbol. Repeatable.",
        "--set", metavar="NAME=VALUE",
    )] = None,
    feed: Annotated[str | None, _option(
        "Feed of quotes: iex shows one venue's, sip the market's. Default: the deployed default, iex.", metavar="FEED"
    )] = None,
    cash: Annotated[str | None, _option(
        "Dollars in the account. Default: a tenth of the buys; the sells fund the rest."
    )] = None,
    positions: Annotated[Path | None, _option(
        'Shares held, a JSON file such as {"KO": "300"}. Default: the shares that the plan sells.'
    )] = None,
    out: Annotated[Path | None, _option(
        "Folder for tape.txt, summary.json, journal.jsonl and report.html, a page to open."
    )] = None,
    json: Annotated[bool, _option("Print the summary alone, as JSON.", "--json")] = False,
) -> None:  # fmt: skip
    """Execute a plan on one simulated trading day, with the deployed state machine and functions.

    Exit code: 0 the run settled, 1 it failed, 2 invalid input.
    """
    # The engine takes two seconds to import, and --help does not need it. All that it makes meanwhile stays.
    gc.disable()
    from repeg_workbench.simulate.command import simulate as run  # noqa: PLC0415
    from repeg_workbench.simulate.request import Options  # noqa: PLC0415

    gc.freeze()
    gc.enable()
    options = Options(plan, market, date, seed, tuple(set_ or ()), cash, positions, feed)
    raise typer.Exit(run(options, out, is_json=json))


@app.command()
def demo(*, seed: Annotated[int, typer.Option(help="Random seed of the day.")] = 1) -> None:
    """Execute eight orders on one simulated trading day: no account, no keys.

    Exit code: 0 the run settled, 1 it failed.
    """
    simulate(seed=seed)


@app.command()
def preview(
    context: typer.Context,
    plan: Annotated[str, typer.Argument(
        help="The plan, in any form that `repeg plan` reads; with --stack also an s3:// address.", metavar="PLAN"
    )],
    *,
    exchange: Annotated[str | None, _option("A `repeg exchange` on this machine.", "--exchange", metavar="URL")] = None,
    local_keys: Annotated[bool, _option(
        "The account of the pair in APCA_API_KEY_ID and APCA_API_SECRET_KEY.", "--local-keys"
    )] = False,
    stack: Annotated[str | None, _option(
        "A deployed stack, with its account, settings and runs.", "--stack", metavar="NAME"
    )] = None,
    market: Annotated[str, typer.Option(help="A simulated day's: generated, or recordings.")] = "generated",
    date: Annotated[str, typer.Option(help="The simulated trading day.")] = DEFAULT_DATE,
    seed: Annotated[int, typer.Option(help="Random seed of the generated market.")] = 1,
    set_: Annotated[list[str] | None, _option(
        "A setting, or symbols.AAPL.NAME=VALUE for one symbol. Repeatable.", "--set", metavar="NAME=VALUE"
    )] = None,
    feed: Annotated[str | None, _option("Feed: iex or sip. Default: the deployed one.", metavar="FEED")] = None,
    cash: Annotated[str | None, _option("Dollars in the simulated account. Default: as `repeg simulate`.")] = None,
    positions: Annotated[Path | None, _option(
        'Shares held on the simulated day, a JSON file such as {"KO": "300"}.'
    )] = None,
    json: Annotated[bool, _option("Print the estimate as JSON.", "--json")] = False,
) -> None:  # fmt: skip
    """Show what a plan would trade and why, what not, what it should cost, and the cash before and after.

    The code of the run decides, and nothing is sent. Without a place it is a simulated day, when its window opens.

    Exit code: 0 shown, 2 the run would be refused, with the reason.
    """
    from repeg_workbench.operate.answer import run as finish  # noqa: PLC0415
    from repeg_workbench.preview.command import preview as act  # noqa: PLC0415
    from repeg_workbench.preview.places import Request  # noqa: PLC0415
    from repeg_workbench.simulate.request import Options  # noqa: PLC0415

    day = Options(Path(plan), market, date, seed, tuple(set_ or ()), cash, positions, feed)
    of_a_day = Options(Path(plan), "generated", DEFAULT_DATE, 1, day.settings, None, None, feed)
    request = Request(day, exchange, local_keys, stack, plan, has_a_day=day != of_a_day)
    raise typer.Exit(finish(context.obj, lambda at: act(at, request), is_json=json))


@app.command()
def plan(
    file: Annotated[Path, typer.Argument(help="The plan: JSON, YAML, CSV, TSV, a broker's basket, or weights.")],
    *,
    json: Annotated[
        bool, _option("Print the plan as JSON: what S3 and an execution's input may hold.", "--json")
    ] = False,
) -> None:
    """Show what was understood of a plan's file: its orders or weights, what was changed, what is refused.

    Exit code: 0 it can be traded, 2 it is refused.
    """
    from repeg_workbench.plans.command import show  # noqa: PLC0415

    raise typer.Exit(show(file, is_json=json))


@app.command()
def exchange(
    *,
    market: Annotated[str, typer.Option(help="generated, or a folder of recordings.")] = "generated",
    port: Annotated[str, typer.Option(help="Local port; 0 for any free one.", metavar="N")] = "8700",
    host: Annotated[str, typer.Option(
        help="Address to listen on: 127.0.0.1 for this machine alone, 0.0.0.0 for all of its addresses.", metavar="IP"
    )] = "127.0.0.1",
    date: Annotated[str | None, _option(
        f"First trading day. Default: {DEFAULT_DATE}, or the first recorded day."
    )] = None,
    start: Annotated[str | None, _option("New York time at the start. Default: 09:30.")] = None,
    speed: Annotated[str | None, _option(
        "Speed of time as a multiple of the wall clock's; 0 stops it until it is moved. Default: 1.", metavar="X"
    )] = None,
    real_time: Annotated[bool, _option("Use the wall clock's date and time.", "--real-time")] = False,
    seed: Annotated[str, typer.Option(help="Random seed of the market, delays and faults.", metavar="N")] = "1",
    cash: Annotated[str | None, _option("Dollars in the account. Default: 100000.")] = None,
    positions: Annotated[Path | None, _option('Shares held, a JSON file such as {"KO": "300"}.')] = None,
    multiplier: Annotated[str, typer.Option(help="1: a cash account; 2 or 4: margin, with short sales.")] = "1",
    fill_model: Annotated[str, typer.Option(help="paper, queue, touch or trade_through.")] = "paper",
    knob: Annotated[list[str] | None, _option(
        "Sets a broker quirk of docs/simulator.md, such as replace_fill_inheritance=zero. Repeatable.",
        "--knob", metavar="NAME=VALUE",
    )] = None,
    chaos: Annotated[str | None, _option("Chance of every fault and race, at every opportunity.", metavar="P")] = None,
) -> None:  # fmt: skip
    """Serve a simulated Alpaca to other programs: REST, both streams and a control plane, until Ctrl-C.

    Exit code: 0 stopped, 2 invalid input.
    """
    # Before the imports, which take a few seconds.
    typer.echo(STARTING)
    from repeg_workbench.exchange_command import Options  # noqa: PLC0415
    from repeg_workbench.exchange_command import exchange as serve  # noqa: PLC0415

    options = Options(
        market=market, port=port, host=host, date=date, start=start, speed=speed, real_time=real_time, seed=seed,
        cash=cash, positions=positions, multiplier=multiplier, fill_model=fill_model, quirks=tuple(knob or ()),
        chaos=chaos,
    )  # fmt: skip
    raise typer.Exit(serve(options))


@app.command()
def replay(
    *,
    recordings: Annotated[str, typer.Option(help="A folder of recordings, or generated.", metavar="DIR")],
    strategies: Annotated[str, _option("Names between commas. Default: all.")] = "",
    fill_models: Annotated[str, _option("Of trade_through, queue, touch and odd_lot. Default: all.")] = "",
    symbols: Annotated[str, _option("Symbols between commas. Default: all recorded, or one per regime.")] = "",
    days: Annotated[int, typer.Option(help="Generated trading days.", metavar="N")] = 1,
    date: Annotated[str, typer.Option(help="First generated day.")] = DEFAULT_DATE,
    arrivals: Annotated[int, typer.Option(help="Arrivals per symbol-day, each bought and sold.", metavar="N")] = 400,
    horizon: Annotated[int, typer.Option(help="Seconds after which the rest crosses.", metavar="S")] = 300,
    size: Annotated[int, typer.Option(help="Shares per order.", metavar="N")] = 100,
    latency_ms: Annotated[int, typer.Option(help="Milliseconds to the market and back, each.", metavar="N")] = 100,
    crossing_cost: Annotated[list[float] | None, _option(
        "What taking costs, in quoted half-spreads. Repeatable. Default: 1.0.", metavar="X"
    )] = None,
    tuned_on: Annotated[list[str] | None, _option(
        "A day that the numbers were chosen on; its rows are marked as tuning. Repeatable.", metavar="DAY"
    )] = None,
    seed: Annotated[int, typer.Option(help="Random seed of the arrivals and the generated market.")] = 1,
    json: Annotated[bool, _option("Print everything as JSON.", "--json")] = False,
    html: Annotated[Path | None, _option("Write a page with every table.", metavar="FILE")] = None,
) -> None:  # fmt: skip
    """Execute the same orders with every strategy, and compare what they cost.

    Exit code: 0 done, 2 invalid input.
    """
    from repeg_workbench.replay.command import replay as run  # noqa: PLC0415
    from repeg_workbench.replay.request import Options  # noqa: PLC0415

    options = Options(
        recordings=recordings, strategies=strategies, fill_models=fill_models, symbols=symbols, days=days, date=date,
        arrivals=arrivals, horizon=horizon, size=size, latency_ms=latency_ms,
        crossing_cost=tuple(crossing_cost or (1.0,)), tuned_on=tuple(tuned_on or ()), seed=seed,
    )  # fmt: skip
    raise typer.Exit(run(options, html, is_json=json))


add_commands(app)
add_journal_commands(app)
