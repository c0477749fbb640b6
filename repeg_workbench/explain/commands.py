"""The commands that read a run's journal, as the command line declares them."""

from __future__ import annotations

from typing import Annotated, Any

import typer


def _option(help: str, *names: str, metavar: str | None = None) -> Any:  # noqa: A002 - the library's own word
    return typer.Option(*names, help=help, metavar=metavar, show_default=False)


Run = Annotated[str, typer.Argument(
    help="The run: a folder or file with its journal, such as one of `repeg simulate --out`, or a deployed run's id.",
    metavar="RUN|DIR",
)]  # fmt: skip
RunId = Annotated[str | None, _option("Which run, where a folder has several.", "--run", metavar="ID")]
Stack = Annotated[str | None, _option("The stack. Default: that of samconfig.toml.", "--stack", metavar="NAME")]
Json = Annotated[bool, _option("Print the answer as JSON.", "--json")]


def add_commands(app: typer.Typer) -> None:
    """Add the commands to the program."""
    app.command()(explain)
    app.command(name="what-if")(what_if)


def explain(
    context: typer.Context,
    run: Run,
    symbol: Annotated[str | None, typer.Argument(help="The symbol. Default: all orders in short.")] = None,
    *,
    run_id: RunId = None,
    every: Annotated[bool, _option("A line for every look, also where nothing changed.", "--every")] = False,
    stack: Stack = None,
    json: Json = False,
) -> None:
    """Tell an order's story from the journal, decision by decision: why not filled, why this price, why so late.

    Exit code: 0 told, 1 told as far as the journal goes, 2 there is no such run or symbol.
    """
    from repeg_workbench.explain.command import explain as act  # noqa: PLC0415
    from repeg_workbench.explain.found import Place  # noqa: PLC0415
    from repeg_workbench.operate.answer import run as finish  # noqa: PLC0415

    place = Place(run, run_id, stack)
    raise typer.Exit(finish(context.obj, lambda at: act(at, place, symbol, is_every=every), is_json=json))


def what_if(
    context: typer.Context,
    run: Run,
    *,
    set_: Annotated[list[str] | None, _option(
        "Another setting, or symbols.AAPL.NAME=VALUE for one symbol. Repeatable. Default: the run's own.",
        "--set", metavar="NAME=VALUE",
    )] = None,
    run_id: RunId = None,
    stack: Stack = None,
    json: Json = False,
) -> None:  # fmt: skip
    """Make a run's decisions again under other settings, and show where each order's path would have changed.

    The market's answer to another path is not known. Without --set it checks that the same settings decide the same.

    Exit code: 0 done, 1 not every decision could be made again as it was, 2 there is no such run or setting.
    """
    from repeg_workbench.explain.found import Place  # noqa: PLC0415
    from repeg_workbench.operate.answer import run as finish  # noqa: PLC0415
    from repeg_workbench.what_if.command import what_if as act  # noqa: PLC0415

    place = Place(run, run_id, stack)
    raise typer.Exit(finish(context.obj, lambda at: act(at, place, tuple(set_ or ())), is_json=json))
