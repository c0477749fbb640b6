"""Writes docs/architecture.md, its tables from what is deployed: `python -m repeg_workbench.docs.architecture`."""

from __future__ import annotations

import ast
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs" / "architecture.md"
TEXT = Path(__file__).with_name("architecture.template.md")
LAYER = ROOT / "layers" / "repeg" / "python" / "repeg"
DEFINITION = ROOT / "statemachine" / "execute_plan.asl.json"

# What each count says. The names are those of the calls of `count` in the functions, and a test holds the two together.
METRICS = {
    "missed_runs": "session days on which a run should have been and was not",
    "orders_left_open": "orders of ours that nobody holds any more",
    "orders_placed": "orders sent for the first time or once more",
    "orders_working": "orders that are worked when a turn ends",
    "parent_orders": "orders that a plan came to",
    "quotes_held": "quotes that an order waits on",
    "quotes_used": "quotes that an order was placed on",
    "runs_failed": "runs that ended with something to look at",
    "runs_settled": "runs that ended with every order named and nothing open",
    "runs_swept": "runs that had to be taken over from a dead execution",
    "stuck_runs": "runs that are open and have not turned for too long",
    "turns": "passes of the loop",
}


def page() -> str:
    """The whole page, as it should be on disk."""
    text = TEXT.read_text(encoding="utf-8")
    tables = {"states": _states(), "modules": _modules(), "metrics": _metrics()}
    for name, table in tables.items():
        text = text.replace(f"{{{{{name}}}}}", table)
    return text


def counted() -> set[str]:
    """Every name that a function counts under."""
    return {name for path in sorted((ROOT / "functions").glob("*/app.py")) for name in _counts(path)}


def main() -> None:
    """Write the page."""
    PAGE.write_text(page(), encoding="utf-8")


def _states() -> str:
    states: dict[str, dict[str, Any]] = json.loads(DEFINITION.read_text(encoding="utf-8"))["States"]
    rows = [
        f"| `{name}` | {_kind(state)} | {_onward(state)} | {state.get('Comment', '')} |"
        for name, state in states.items()
    ]
    return "\n".join(["| State | Kind | Then | What and why |", "|---|---|---|---|", *rows])


def _kind(state: dict[str, Any]) -> str:
    limit = f", {state['TimeoutSeconds']} s" if "TimeoutSeconds" in state else ""
    return f"{state['Type']}{limit}"


def _onward(state: dict[str, Any]) -> str:
    ways = [state["Next"]] if "Next" in state else []
    ways += [choice["Next"] for choice in state.get("Choices", [])] + ([state["Default"]] if "Default" in state else [])
    caught = [catch["Next"] for catch in state.get("Catch", [])]
    shown = " · ".join(f"`{way}`" for way in dict.fromkeys(ways))
    failing = ", ".join(f"`{way}`" for way in dict.fromkeys(caught))
    return f"{shown}; on failure {failing}" if failing else shown


def _modules() -> str:
    rows = []
    for path in sorted(LAYER.rglob("*.py")):
        about = ast.get_docstring(ast.parse(path.read_text(encoding="utf-8")))
        if about and path.name != "__init__.py":
            name = path.relative_to(LAYER).with_suffix("").as_posix()
            rows.append(f"| `{name}` | {_first_sentence(about)} |")
    return "\n".join(["| Module | What it is |", "|---|---|", *rows])


def _first_sentence(about: str) -> str:
    return " ".join(about.partition("\n\n")[0].split())


def _metrics() -> str:
    rows = [f"| `{name.title().replace('_', '')}` | {METRICS[name]} |" for name in sorted(counted())]
    return "\n".join(["| Metric | What is counted |", "|---|---|", *rows])


def _counts(path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "count":
            yield from (keyword.arg for keyword in node.keywords if keyword.arg is not None)


if __name__ == "__main__":
    main()
