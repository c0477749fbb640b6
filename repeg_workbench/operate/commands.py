"""The commands for a deployed stack, as the command line declares them."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Annotated, Any

import typer

from repeg_workbench.report.command_line import report

if TYPE_CHECKING:
    from repeg_workbench.operate.answer import Answer
    from repeg_workbench.operate.workstation import Workstation


def _option(help: str, *names: str, metavar: str | None = None) -> Any:  # noqa: A002 - the library's own word
    return typer.Option(*names, help=help, metavar=metavar, show_default=False)


Stack = Annotated[str | None, _option("The stack. Default: that of samconfig.toml.", "--stack", metavar="NAME")]
Json = Annotated[bool, _option("Print the answer as JSON.", "--json")]
LocalKeys = Annotated[bool, _option("Use the pair in APCA_API_KEY_ID and APCA_API_SECRET_KEY.", "--local-keys")]
AllStacks = Annotated[bool, _option("Every stack of repeg in the account and the region.", "--all-stacks")]
RunId = Annotated[str | None, typer.Argument(help="The run, such as rebalance-2026-11-23. Default: the latest.")]


def add_commands(app: typer.Typer) -> None:
    """Add the commands to the program."""
    for command in (start, watch, status, runs, report, savings, halt, resume, arm, disarm, keys, doctor, conformance):
        app.command()(command)
    app.command(name="cancel-all")(cancel_all)


def start(
    context: typer.Context,
    plan: Annotated[str, typer.Argument(help="The plan: a file, or s3://bucket/key in the stack's PlanBucket.")],
    *,
    preview: Annotated[bool, _option("Decide everything and place no order.", "--preview")] = False,
    run_number: Annotated[int, typer.Option(help="2 or more for a further run of the plan today.", metavar="N")] = 1,
    set_: Annotated[list[str] | None, _option(
        "A setting of this run, or symbols.AAPL.NAME=VALUE for one symbol. Repeatable.", "--set", metavar="NAME=VALUE"
    )] = None,
    yes: Annotated[bool, _option("Start without asking.", "--yes")] = False,
    stack: Stack = None,
    json: Json = False,
) -> None:  # fmt: skip
    """Start a run of a deployed stack: shows what would be traded and what it may cost, and asks.

    Exit code: 0 started, 1 declined, 2 refused, and nothing was started.
    """
    from repeg_workbench.operate.start import Request  # noqa: PLC0415
    from repeg_workbench.operate.start import start as act  # noqa: PLC0415

    request = Request(plan, preview, run_number, tuple(set_ or ()), yes)
    _finish(context, lambda at: act(at, stack, request, is_json=json), is_json=json)


def watch(context: typer.Context, *, run: RunId = None, stack: Stack = None, json: Json = False) -> None:
    """Follow a run of a deployed stack: the same tape as the simulation prints, until its report.

    Ctrl-C ends the watching; the run goes on. With --json, a line for each entry, then the report.

    Exit code: 0 the run settled, or the watching was ended, 1 the run failed, 2 it cannot be followed.
    """
    from repeg_workbench.operate.watch import watch as act  # noqa: PLC0415

    _finish(context, lambda at: act(at, stack, run, is_json=json), is_json=json)


def status(context: typer.Context, *, stack: Stack = None, json: Json = False) -> None:
    """Show a deployed stack at a glance: kill switch, market, runs, open orders, request budget, next start.

    Exit code: 0 done, 2 the stack cannot be read.
    """
    from repeg_workbench.operate.status import status as act  # noqa: PLC0415

    _finish(context, lambda at: act(at, stack), is_json=json)


def runs(
    context: typer.Context,
    *,
    stack: Stack = None,
    days: Annotated[int, typer.Option(help="Days to look back.", metavar="N")] = 30,
    json: Json = False,
) -> None:
    """List the runs of a deployed stack, newest first.

    Exit code: 0 done, 2 the stack cannot be read.
    """
    from repeg_workbench.operate.runs import runs as act  # noqa: PLC0415

    _finish(context, lambda at: act(at, stack, days), is_json=json)


def savings(
    context: typer.Context,
    folders: Annotated[list[str] | None, typer.Argument(
        help="Folders with journal files: copies of a bucket's, or --out of `repeg simulate`. Default: the stack's.",
        metavar="DIR…",
    )] = None,
    *,
    since: Annotated[str | None, _option("Only runs from this day on.", "--since", metavar="DATE")] = None,
    stack: Stack = None,
    json: Json = False,
) -> None:  # fmt: skip
    """Say what taking really costs on the account and what the policy saves, from the journals of all runs.

    Control orders (control_share) are compared with the others as they were drawn, with confidence intervals.

    Exit code: 0 done, 1 something could not be read or is missing, 2 there is nothing to read.
    """
    from repeg_workbench.operate.savings import Request  # noqa: PLC0415
    from repeg_workbench.operate.savings import savings as act  # noqa: PLC0415

    _finish(context, lambda at: act(at, Request(tuple(folders or ()), stack, since)), is_json=json)


def halt(context: typer.Context, *, stack: Stack = None, all_stacks: AllStacks = False, json: Json = False) -> None:
    """Stop new orders: sets the kill switch to halt_new. Open orders stay open.

    Exit code: 0 set, 1 set but what is open is not known, 2 not set.
    """
    _turn(context, stack, "halt_new", is_everywhere=all_stacks, is_json=json)


def cancel_all(
    context: typer.Context, *, stack: Stack = None, all_stacks: AllStacks = False, json: Json = False
) -> None:
    """Stop new orders, cancel the stack's open orders and close its runs: sets the kill switch to cancel_all.

    Exit code: 0 set and nothing is open, 1 set but orders are open or not known, 2 not set.
    """
    _turn(context, stack, "cancel_all", is_everywhere=all_stacks, is_json=json)


def resume(context: typer.Context, *, stack: Stack = None, all_stacks: AllStacks = False, json: Json = False) -> None:
    """Let the stack send orders again: sets the kill switch to active.

    Exit code: 0 set, 1 set but what is open is not known, 2 not set.
    """
    _turn(context, stack, "active", is_everywhere=all_stacks, is_json=json)


def arm(
    context: typer.Context,
    *,
    until: Annotated[str, typer.Option(help="The last day, in New York; at most 31 days ahead.", metavar="DATE")],
    yes: Annotated[bool, _option("Arm without asking.", "--yes")] = False,
    stack: Stack = None,
    json: Json = False,
) -> None:
    """Arm live trading through a date: the second of the two switches that a live stack needs.

    Exit code: 0 armed, 1 declined, 2 refused.
    """
    from repeg_workbench.operate.arming import arm as act  # noqa: PLC0415

    _finish(context, lambda at: act(at, stack, until, is_confirmed=yes, is_json=json), is_json=json)


def disarm(context: typer.Context, *, stack: Stack = None, json: Json = False) -> None:
    """Disarm live trading: no new order is sent, and live runs close at their next turn.

    Exit code: 0 disarmed, 2 not done.
    """
    from repeg_workbench.operate.arming import disarm as act  # noqa: PLC0415

    _finish(context, lambda at: act(at, stack), is_json=json)


def keys(context: typer.Context, *, stack: Stack = None, json: Json = False) -> None:
    """Store the broker's keys as the stack's secret: reads them without echo and checks them at the broker first.

    Exit code: 0 stored, 2 not stored.
    """
    from repeg_workbench.operate.keys import store_keys as act  # noqa: PLC0415

    _finish(context, lambda at: act(at, stack), is_json=json)


def doctor(
    context: typer.Context,
    *,
    stack: Stack = None,
    local_keys: LocalKeys = False,
    exchange: Annotated[str | None, _option("Look at a `repeg exchange`.", "--exchange", metavar="URL")] = None,
    symbol: Annotated[str, typer.Option(help="Whose quotes are looked at.")] = "SPY",
    json: Json = False,
) -> None:  # fmt: skip
    """Look at everything that a run depends on: keys, account, clock, feeds, limits, and the stack itself. Reads only.

    Exit code: 0 nothing is wrong, 1 something is, 2 nothing could be looked at.
    """
    from repeg_workbench.operate.doctor import Patient  # noqa: PLC0415
    from repeg_workbench.operate.doctor import doctor as act  # noqa: PLC0415

    _finish(context, lambda at: act(at, Patient(stack, local_keys, exchange, symbol)), is_json=json)


def conformance(
    context: typer.Context,
    *,
    paper: Annotated[bool, _option("The paper account of APCA_API_KEY_ID and APCA_API_SECRET_KEY.", "--paper")] = False,
    exchange: Annotated[str | None, _option("Look at a `repeg exchange`.", "--exchange", metavar="URL")] = None,
    symbol: Annotated[str, typer.Option(help="What is bought, one share at a time, far below the market.")] = "F",
    stack: Annotated[str | None, _option("Refuse while this stack has a run.", "--stack", metavar="NAME")] = None,
    json: Json = False,
) -> None:  # fmt: skip
    """Compare a paper account with the simulated exchange, row by row, and name the knobs to set.

    Buys of one share far below the market, each cancelled by its id; nothing is left, not even after Ctrl-C.

    Exit code: 0 no row differs, 1 one does, 2 refused.
    """
    from repeg_workbench.operate.conformance.command import Options  # noqa: PLC0415
    from repeg_workbench.operate.conformance.command import conformance as act  # noqa: PLC0415

    _finish(context, lambda at: act(at, Options(paper, exchange, stack, symbol)), is_json=json)


def _turn(context: typer.Context, stack: str | None, switch: str, *, is_everywhere: bool, is_json: bool) -> None:
    from repeg.domain.run import KillSwitch  # noqa: PLC0415
    from repeg_workbench.operate.kill_switch import turn  # noqa: PLC0415

    _finish(context, lambda at: turn(at, stack, KillSwitch(switch), is_everywhere=is_everywhere), is_json=is_json)


def _finish(context: typer.Context, act: Callable[[Workstation], Answer], *, is_json: bool) -> None:
    """Carry out a command here, or at the workstation of a test, and exit with its code."""
    # The SDK takes a second to import, and --help does not need it.
    from repeg_workbench.operate.answer import run  # noqa: PLC0415

    raise typer.Exit(run(context.obj, act, is_json=is_json))
