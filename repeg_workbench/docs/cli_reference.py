"""Generates docs/cli.md: every command of `repeg`, its arguments and options, from the program itself."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import typer
from typer.core import TyperArgument, TyperCommand, TyperGroup, TyperOption

from repeg_workbench.cli import app

PAGE = Path(__file__).parents[2] / "docs" / "cli.md"

HEAD = """# The command line

`repeg` has two kinds of commands: those that simulate on this machine and need no account, and those for a deployed
stack, which `docs/operations.md` uses task by task. `repeg COMMAND --help` prints the same as this page, which
`python -m repeg_workbench.docs.cli_reference` makes from the program; a test compares the two.

| Command | What it does |
|---|---|
"""


def commands(of: typer.Typer = app) -> dict[str, TyperCommand]:
    """The commands of a program by name, in the order in which its help lists them."""
    program = typer.main.get_command(of)
    found = program.commands if isinstance(program, TyperGroup) else {}
    return {name: one for name, one in found.items() if isinstance(one, TyperCommand)}


def page(listed: Mapping[str, TyperCommand]) -> str:
    """The whole page, as it should be on disk."""
    rows = "".join(f"| [`{name}`](#repeg-{name}) | {_cell(_summary(one))} |\n" for name, one in listed.items())
    return HEAD + rows + "".join(_section(name, one) for name, one in listed.items())


def main() -> None:
    """Write the page."""
    PAGE.write_text(page(commands()), encoding="utf-8")


def _section(name: str, command: TyperCommand) -> str:
    usage = " ".join(["repeg", name, *filter(None, map(_usage, command.params))])
    rows = "".join(map(_row, command.params))
    table = f"\n| Argument or option | Meaning |\n|---|---|\n{rows}" if rows else ""
    return f"\n## repeg {name}\n\n{_text(command)}\n\n```\n{usage} [OPTIONS]\n```\n{table}"


def _usage(parameter: object) -> str:
    """What a command line must or may have in a place of its own, or an option that must be given."""
    if isinstance(parameter, TyperArgument):
        name = (parameter.name or "").upper()
        return name if parameter.required else f"[{name}]"
    return _names(parameter) if isinstance(parameter, TyperOption) and parameter.required else ""


def _names(option: TyperOption) -> str:
    value = "" if option.is_flag else option.metavar or (option.name or "").strip("_").upper()
    return " ".join(filter(None, (", ".join(option.opts), value)))


def _row(parameter: object) -> str:
    if isinstance(parameter, TyperOption):
        default = f" Default: {parameter.default}." if parameter.show_default and not parameter.required else ""
        return f"| `{_names(parameter)}` | {_cell((parameter.help or '') + default)} |\n"
    return f"| `{_usage(parameter).strip('[]')}` | {_cell(getattr(parameter, 'help', None) or '')} |\n"


def _summary(command: TyperCommand) -> str:
    """The first sentence of its help, up to a colon."""
    return _text(command).partition("\n\n")[0].partition(":")[0].partition(". ")[0].removesuffix(".")


def _text(command: TyperCommand) -> str:
    return "\n\n".join(" ".join(part.split()) for part in (command.help or "").split("\n\n"))


def _cell(text: str) -> str:
    return text.replace("|", r"\|").replace("<", r"\<")


if __name__ == "__main__":
    main()
