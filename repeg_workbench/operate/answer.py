"""A command's answer, for a person and for a program."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

import typer
from rich.console import Console
from rich.table import Table

from repeg_workbench.operate.failures import CannotOperate, explained
from repeg_workbench.operate.workstation import Workstation

DONE, UNFINISHED, CANNOT = 0, 1, 2
"""Exit codes: done; done in part, or a run that failed; not done, and nothing was changed."""

# The width of tables that are not printed to a terminal.
_WIDE = 160


@dataclass(frozen=True)
class Answer:
    """`data` is what --json prints, `text` what a person reads: lines and tables."""

    data: Mapping[str, Any]
    text: Sequence[str | Table] = field(default_factory=tuple)
    code: int = DONE


def run(at: Workstation | None, act: Callable[[Workstation], Answer], *, is_json: bool) -> int:
    """Carry out a command and print its answer; an expected failure is one line on standard error, and code 2."""
    try:
        with explained(""):
            at = at or Workstation()
        with explained(at.region):
            answer = act(at)
    except CannotOperate as error:
        typer.echo(str(error), err=True)
        return CANNOT
    except (KeyboardInterrupt, typer.Abort):
        typer.echo("interrupted; nothing is half done, and the command may be repeated", err=True)
        return CANNOT
    show(answer, is_json=is_json)
    return answer.code


def show(answer: Answer, *, is_json: bool) -> None:
    """Print an answer."""
    if is_json:
        typer.echo(json.dumps(answer.data, indent=2, ensure_ascii=False, default=str))
        return
    console = Console(highlight=False, markup=False)
    console.width = console.width if console.is_terminal else _WIDE
    for part in answer.text:
        if isinstance(part, Table):
            console.print(part)
        else:
            typer.echo(part)


def table(*columns: str, numbers: Sequence[str] = ()) -> Table:
    """A plain table; the columns in `numbers` are aligned to the right."""
    made = Table(box=None, pad_edge=False, header_style="bold")
    for column in columns:
        made.add_column(column, justify="right" if column in numbers else "left", no_wrap=column != "reason")
    return made


def pairs(rows: Sequence[tuple[str, str]]) -> Table:
    """Names and what is found for each, one pair a row."""
    grid = Table.grid(padding=(0, 2))
    for name, value in rows:
        grid.add_row(name, value)
    return grid


def listed(title: str, sentences: Sequence[str], most: int) -> list[str]:
    """Sentences under a title, at most so many of them; nothing at all for none."""
    if not sentences:
        return []
    rest = len(sentences) - most
    tail = [f"- and {rest} more; --json lists all"] if rest > 0 else []
    return ["", f"{title}:", *(f"- {sentence}" for sentence in sentences[:most]), *tail]


def counted(number: int, noun: str) -> str:
    """A number with its noun, such as `1 order` or `3 orders`."""
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def dollars(amount: Decimal | None) -> str:
    """An amount with its cents, such as 14,588.20; a dash for one that is not known."""
    return "–" if amount is None else f"{amount:,.2f}"
