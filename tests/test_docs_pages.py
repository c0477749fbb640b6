"""The generated glossary and diagram are up to date, and every path that the documentation names exists."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated

import pytest
import typer

from repeg_workbench.docs import cli_reference, glossary
from repeg_workbench.docs.architecture import machine
from repeg_workbench.docs.diagram import diagram
from repeg_workbench.docs.glossary_terms import SECTIONS, Section, Term

ROOT = Path(__file__).parents[1]
PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", ROOT / "SECURITY.md", *sorted((ROOT / "docs").rglob("*.md"))]
TREE = {path.name for path in ROOT.iterdir() if path.is_dir()} - {"build", "dist", "out", "site"}
# Made by the gate or by a command, and not part of the repository.
MADE = {".aws-sam", ".venv", "htmlcov", "site"}
_CODE = re.compile(r"`([^`\s]+)`")
_LINK = re.compile(r"\]\(([^)#\s]+)[^)]*\)")


def named_paths(page: Path) -> Iterator[tuple[str, Path]]:
    """Each link of a page, relative to it, and each path in backquotes that begins at the root of the project."""
    text = page.read_text(encoding="utf-8")
    for link in _LINK.findall(text):
        if "://" not in link:
            yield link, page.parent / link
    for code in _CODE.findall(text):
        first, slash, _ = code.partition("/")
        if (slash and first in TREE - MADE) or code.endswith((".md", ".toml", ".yaml", ".asl.json")):
            yield code, ROOT / code.partition(":")[0]


def missing(page: Path) -> list[str]:
    """The missing paths named by a page; `*` and `<name>` stand for any name."""
    wrong = []
    for name, path in named_paths(page):
        pattern = re.sub(r"<[^>]*>", "*", path.as_posix())
        found = any(ROOT.glob(Path(pattern).relative_to(ROOT).as_posix())) if "*" in pattern else path.exists()
        if not found and not any((folder / name).exists() for folder in (page.parent, ROOT / "docs")):
            wrong.append(name)
    return wrong


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.relative_to(ROOT).as_posix())
def test_every_path_named_by_a_page_exists(page: Path) -> None:
    assert missing(page) == []


def test_the_path_check_reports_a_missing_path(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text(
        "`tests/nowhere.py`, `docs/*.txt`, `functions/<step>/app.py`, `Makefile` and [a](b.md), [c](https://d)"
    )
    assert sorted(missing(page)) == ["b.md", "docs/*.txt", "tests/nowhere.py"]


def test_every_page_has_one_place_in_the_navigation_of_the_site() -> None:
    """The decisions have theirs below the list of decisions."""
    parts = tomllib.loads((ROOT / "docs" / "navigation.toml").read_text(encoding="utf-8"))
    listed = [page for part in parts.values() for page in part]
    pages = {page.relative_to(ROOT).as_posix() for page in [*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")]}
    in_decisions = {page for page in pages if page.startswith("docs/decisions/0")}
    assert sorted(listed) == sorted(pages - in_decisions - {"README.md"})


def test_the_page_of_the_commands_is_up_to_date() -> None:
    assert cli_reference.PAGE.read_text(encoding="utf-8") == cli_reference.page(cli_reference.commands()), (
        "run make docs"
    )


def test_an_option_is_listed_with_its_value_default_and_meaning() -> None:
    def chase(
        symbol: Annotated[str, typer.Argument(help="What | to chase.")],
        *,
        by: Annotated[int, typer.Option(help="Ticks.", metavar="N")] = 1,
        dry: Annotated[bool, typer.Option("--dry", help="Send nothing.", show_default=False)] = False,
    ) -> None:
        """Chase it: at once.

        Exit code: 0 caught.
        """

    app = typer.Typer(add_completion=False)
    app.command("chase")(chase)
    app.command("rest")(lambda: None)
    assert cli_reference.page(cli_reference.commands(app)).partition("|---|---|\n")[2] == (
        "| [`chase`](#repeg-chase) | Chase it |\n| [`rest`](#repeg-rest) |  |\n"
        "\n## repeg chase\n\nChase it: at once.\n\nExit code: 0 caught.\n\n"
        "```\nrepeg chase SYMBOL [OPTIONS]\n```\n\n| Argument or option | Meaning |\n|---|---|\n"
        "| `SYMBOL` | What \\| to chase. |\n| `--by N` | Ticks. Default: 1. |\n| `--dry` | Send nothing. |\n"
        "\n## repeg rest\n\n\n\n```\nrepeg rest [OPTIONS]\n```\n"
    )


def test_the_glossary_page_is_up_to_date() -> None:
    assert glossary.PAGE.read_text(encoding="utf-8") == glossary.page(SECTIONS), "run make docs"


def test_a_glossary_term_stands_once() -> None:
    names = [name for section in SECTIONS for term in section.terms for name in term.name.split(", ")]
    assert sorted(names) == sorted(set(names))


@pytest.mark.parametrize("place", ["repeg.domain.nowhere", "repeg.domain.peg:Nobody", "repeg.domain.peg:Action.HOLD"])
def test_a_term_without_a_definition_is_refused(place: str) -> None:
    with pytest.raises(glossary.NoDefinition):
        glossary.page((Section("A section", (Term("a term", place, "in words"),)),))


def test_a_definition_is_the_first_sentence_of_its_docstring() -> None:
    assert glossary.first_sentence("One order: at 1.5\ndollars. Another.\n\nMore.") == "One order: at 1.5 dollars."
    assert glossary.without_title("The run: one day.", "run") == "One day."
    assert glossary.without_title("Run health: one day.", "run") == "Run health: one day."
    assert glossary.definition("repeg.ports").file == "layers/repeg/python/repeg/ports.py"


def test_the_diagram_has_every_state_and_its_ways_out() -> None:
    drawn = diagram(machine()).splitlines()
    for name in machine()["States"]:
        assert any(line.startswith(f"    {name}") for line in drawn), name
    assert '    TurnDecision -- "renew" --> RenewRun' in drawn
    assert "    PlaceOrders -.-> CloseRun" in drawn
    assert '    RunOutcome -- "otherwise" --> RunFailed' in drawn
    assert '    OpenFailure -- "has input.renewal.run_id" --> InheritRun' in drawn
