"""`repeg report`, as the command line declares it."""

from __future__ import annotations

import webbrowser
from pathlib import Path
from typing import Annotated

import typer


def report(
    context: typer.Context,
    run: Annotated[str | None, typer.Argument(
        help="A run, such as rebalance-2026-11-23, or a folder with a run's journal. Default: the stack's latest run.",
        metavar="RUN|DIR",
    )] = None,
    *,
    page: Annotated[Path | None, typer.Option(
        help="Write the page to this file. Default: report.html in a folder, RUN.html for an opened run of a stack.",
        metavar="FILE",
        show_default=False,
    )] = None,
    since: Annotated[str | None, typer.Option(
        help="Make the page of all runs from this day on (savings.html): of the stack, or of a folder of journals.",
        metavar="DATE", show_default=False,
    )] = None,
    is_opened: Annotated[bool, typer.Option("--open", help="Open the page in a browser.", show_default=False)] = False,
    stack: Annotated[str | None, typer.Option(
        help="The stack. Default: that of samconfig.toml.", metavar="NAME", show_default=False
    )] = None,
    json: Annotated[bool, typer.Option("--json", help="Print the answer as JSON.", show_default=False)] = False,
) -> None:  # fmt: skip
    """Show how a run ended, order by order, and make its page: pictures and tables in one HTML file.

    The run is of a deployed stack, or of a folder: --out of `repeg simulate`, or copies of a run's journal.

    Exit code: 0 the run settled, 1 it failed, has not ended or cannot be read in full, 2 there is no such run.
    """
    # The SDK takes a second to import, and --help does not need it.
    from repeg_workbench.operate.answer import run as carry_out  # noqa: PLC0415
    from repeg_workbench.report.command import Request  # noqa: PLC0415
    from repeg_workbench.report.command import report as act  # noqa: PLC0415

    request = Request(run, stack, page, webbrowser.open if is_opened else None, since)
    raise typer.Exit(carry_out(context.obj, lambda at: act(at, request), is_json=json))
