"""The tables of docs/simulator.md, generated from the conformance list, broker quirks, faults, races and test names.

`python -m tests.conformance.tables` writes them anew.
"""

import ast
import re
from collections.abc import Iterable, Mapping
from dataclasses import fields
from itertools import pairwise
from pathlib import Path

from repeg_workbench.exchange import broker_quirks
from repeg_workbench.exchange.broker import races
from repeg_workbench.exchange.faults import stream_faults, transport_faults
from tests.conformance import experience
from tests.conformance.rows import ROWS

HERE = Path(__file__).parent
PAGE = HERE.parents[1] / "docs" / "simulator.md"
_ROW = re.compile(r"test_row_(\d{3})_")
_FAULT_TESTS = ("Kind", "Race", "StreamFailure")


def tables() -> dict[str, str]:
    """Every generated table by the name of its markers on the page."""
    return {"rows": rows_table(), "knobs": knobs_table(), "faults": faults_table()}


def rows_table() -> str:
    """Row, claim, source, quirks, tests."""
    tests = row_tests()
    lines = [
        (str(row.number), row.claim, row.source, _code(row.knob), _names(tests.get(row.number, ()))) for row in ROWS
    ]
    return _table(("Row", "Claim", "Source", "Quirk, race or fault", "Tests"), lines)


def knobs_table() -> str:
    """Quirk, default, meaning."""
    meanings = documented(broker_quirks.__file__, "BrokerQuirks")
    lines = [
        (f"`{each.name}`", f"`{each.default!r}`", meanings[each.name]) for each in fields(broker_quirks.BrokerQuirks)
    ]
    return _table(("Quirk", "Default", "Meaning"), lines)


def faults_table() -> str:
    """Every fault and race: its effect, what alpaca-py experiences, and its tests."""
    tests = fault_tests()
    lines: list[tuple[str, ...]] = []
    for title, meanings, seen in _catalogue():
        lines += [
            (title, f"`{name}`", _without_rows(meanings.get(name, "")), seen[name], _names(tests[name]))
            for name in seen
        ]
    return _table(("", "Name", "Effect", "What alpaca-py experiences", "Tests"), lines)


def row_tests() -> dict[int, list[str]]:
    """The tests that name each row."""
    found: dict[int, list[str]] = {}
    for name in _test_functions():
        match = _ROW.match(name)
        if match:
            found.setdefault(int(match[1]), []).append(name)
    return found


def fault_tests() -> dict[str, list[str]]:
    """The tests that arm each fault, race, stream failure or rewrite."""
    found: dict[str, list[str]] = {name: [] for _, _, seen in _catalogue() for name in seen}
    for name, function in _test_functions().items():
        for fault in _armed_in(function) & set(found):
            found[fault].append(name)
    return found


def documented(module: str, class_name: str) -> dict[str, str]:
    """The docstring under each field or member of a class, by the member's lower-case name."""
    (owner,) = (n for n in ast.parse(Path(module).read_text()).body if getattr(n, "name", "") == class_name)
    body = owner.body if isinstance(owner, ast.ClassDef) else []
    found = {}
    for member, text in pairwise(body):
        if isinstance(text, ast.Expr) and isinstance(text.value, ast.Constant):
            found[_member_name(member).lower()] = " ".join(str(text.value.value).split())
    return found


def page_with(generated: Mapping[str, str], page: str) -> str:
    """The page with its generated parts replaced. Raises KeyError for missing markers."""
    for name, table in generated.items():
        start, end = f"<!-- {name} -->\n", f"<!-- /{name} -->"
        if start not in page or end not in page:
            raise KeyError(f"{PAGE.name} has no markers for the table {name!r}")
        head, rest = page.split(start, 1)
        page = head + start + table + end + rest.split(end, 1)[1]
    return page


def _catalogue() -> list[tuple[str, dict[str, str], dict[str, str]]]:
    source = transport_faults.__file__
    return [
        ("call", documented(source, "Kind"), experience.FAULTS),
        ("answer", {}, experience.REWRITES),
        ("stream", documented(stream_faults.__file__, "StreamFailure"), experience.STREAM_FAULTS),
        ("race", documented(races.__file__, "Race"), experience.RACES),
    ]


def _test_functions() -> dict[str, ast.FunctionDef]:
    trees = [ast.parse(path.read_text()) for path in sorted(HERE.glob("test_*.py"))]
    functions = [node for tree in trees for node in tree.body if isinstance(node, ast.FunctionDef)]
    return {function.name: function for function in functions if function.name.startswith("test_")}


def _armed_in(function: ast.FunctionDef) -> set[str]:
    found = set()
    for node in ast.walk(function):
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id in _FAULT_TESTS:
            found.add(node.attr.lower())
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and node.value in experience.REWRITES:
            found.add(node.value)
    return found


def _member_name(member: ast.stmt) -> str:
    target = member.targets[0] if isinstance(member, ast.Assign) else getattr(member, "target", None)
    return target.id if isinstance(target, ast.Name) else ""


def _without_rows(text: str) -> str:
    return re.sub(r" \[[\d, ]+\]", "", text)


def _code(names: str) -> str:
    return ", ".join(f"`{name}`" for name in names.split(", ")) if names else ""


def _names(tests: Iterable[str]) -> str:
    return "<br>".join(f"`{name}`" for name in tests)


def _table(head: tuple[str, ...], lines: Iterable[tuple[str, ...]]) -> str:
    rows = [head, ("---",) * len(head), *lines]
    return "".join("| " + " | ".join(cell.replace("|", r"\|") for cell in row) + " |\n" for row in rows)


if __name__ == "__main__":
    PAGE.write_text(page_with(tables(), PAGE.read_text()))
