"""Generates docs/architecture.md from the deployed files: `python -m repeg_workbench.docs.architecture`."""

from __future__ import annotations

import ast
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from repeg.adapters import alert_metrics, counting_journal
from repeg_workbench.docs.diagram import diagram

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs" / "architecture.md"
TEXT = Path(__file__).with_name("architecture.template.md")
LAYER = ROOT / "layers" / "repeg" / "python" / "repeg"
DEFINITION = ROOT / "statemachine" / "execute_plan.asl.json"
ROOMS = ("domain", "workflow", "adapters")

# What each metric counts. The names are those of the functions' calls of `count` and of the alerts' metrics; a test
# compares them.
METRICS = {
    "ArrivalCostBps": "a run's cost against its arrival prices, in basis points",
    "BooksDiffer": "ended runs whose books differ from the broker's twenty minutes after the close, in each pass",
    "CashNegative": "runs on buying power after whose session the account's cash was negative: a loan over night",
    "ClosesFailed": "attempts to close a run that failed; they are retried, and after the last one the run is swept",
    "Crosses": "orders re-priced to reach the far side",
    "FilledNotional": "dollars that a run has filled",
    "Fills": "reports of an order with more shares filled than before",
    "HeldCrossed": "orders held by a crossed quote, each time that the reason changes",
    "HeldLocked": "orders held by a locked quote, likewise",
    "HeldMissing": "orders held because they have no quote, likewise",
    "HeldOneSided": "orders held by a one-sided quote, likewise",
    "HeldStale": "orders held by an old quote, likewise",
    "HeldThin": "orders held by a thin quote, likewise",
    "HeldWide": "orders held by a wide spread, likewise",
    "JournalLost": "journal entries that could not be stored in the journal bucket",
    "KeysMissing": "passes of the watchdog that looked at nothing, because the secret holds no keys yet",
    "MarketCostBps": "what market orders at arrival would have cost a run, in basis points",
    "MarketsClosed": "starts on a day, or at a time of day, without a session to trade in",
    "MissedRuns": "session days on which no run has begun ten minutes after the open",
    "OrdersLeftOpen": "orphaned orders: open at the broker, held by no run",
    "OrdersLost": "orders that the broker did not show as closed, or that may have traded unseen",
    "OrdersPlaced": "orders that have a child after PlaceOrders",
    "OrdersUnknown": "orders whose outcome has been unknown for more than two minutes when a turn ends",
    "OrdersWorking": "orders that have an open child when a turn ends",
    "PagesDropped": "events that ask for the page of no run, or of one that is not there",
    "ParentOrders": "orders of a plan",
    "QuotesHeld": "waiting orders held by their quotes",
    "QuotesUsed": "waiting orders whose quotes may be traded on",
    "Moves": "orders re-pegged",
    "RequestsLeased": "requests to the broker that were granted, in batches",
    "RequestsRefused": "requests to the broker that were not sent because the account's quota was exhausted",
    "RunsFailed": "runs that ended in a failure",
    "RunsRefused": "starts refused by OpenRun, other than duplicates and closed markets",
    "RunsSettled": "runs that ended with an outcome for every order and none open",
    "RunsSwept": "runs taken over from a dead execution",
    "ShortfallBps": "a run's shortfall against its decision prices, unfilled shares included, in basis points",
    "ShortfallDollars": "the same in dollars",
    "StuckRuns": "open runs that have not turned for minutes",
    "SweepsFailed": "sweeps that failed; they are retried, and the watchdog sweeps again",
    "Turns": "turns made",
    "UnreadableRows": "runs with a stored row that this release cannot read",
    "WatchFailures": "runs that a pass of the watchdog could not bring to their end",
}


def page() -> str:
    """The whole page, as it should be on disk."""
    text = TEXT.read_text(encoding="utf-8")
    tables = {"machine": diagram(machine()), "states": _states(), "modules": _modules(), "metrics": _metrics()}
    for name, table in tables.items():
        text = text.replace(f"{{{{{name}}}}}", table)
    return text


def counted() -> set[str]:
    """The name of every metric: counted by a function, an adapter, an alert, a run's end, or a decision."""
    paths = [*sorted((ROOT / "functions").glob("*/app.py")), *sorted((LAYER / "adapters").glob("*.py"))]
    of_runs = (alert_metrics.METRICS, alert_metrics.FIGURES, alert_metrics.SHORTFALL)
    tables = (*of_runs, counting_journal.VERBS, counting_journal.HOLDS)
    return {name for path in paths for name in _counts(path)} | {name for table in tables for name in table.values()}


def machine() -> dict[str, Any]:
    """The definition of the state machine."""
    definition: dict[str, Any] = json.loads(DEFINITION.read_text(encoding="utf-8"))
    return definition


def main() -> None:
    """Write the page."""
    PAGE.write_text(page(), encoding="utf-8")


def _states() -> str:
    rows = [
        f"| `{name}` | {_kind(state)} | {_onward(state)} | {state.get('Comment', '')} |"
        for name, state in machine()["States"].items()
    ]
    return "\n".join(["| State | Type | Next | What it does |", "|---|---|---|---|", *rows])


def _kind(state: dict[str, Any]) -> str:
    if "TimeoutSecondsPath" in state:
        return f"{state['Type']}, `{state['TimeoutSecondsPath'].removeprefix('$.')}`"
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
    top = [path for path in sorted(LAYER.glob("*.py")) if path.name != "__init__.py"]
    return "\n\n".join([*_packages(), f"**`repeg`**: the modules beside the packages.\n\n{_table(top)}"])


def _packages() -> Iterator[str]:
    """Each package in the order of ROOMS, its subpackages after it: a sentence and a table."""
    for room in ROOMS:
        for init in sorted((LAYER / room).rglob("__init__.py"), key=lambda path: path.parent):
            modules = [path for path in sorted(init.parent.glob("*.py")) if path != init]
            name = init.parent.relative_to(LAYER).as_posix()
            yield f"**`{name}`**: {_summary(init)}\n\n{_table(modules)}"


def _table(modules: list[Path]) -> str:
    rows = [f"| `{path.relative_to(LAYER).with_suffix('').as_posix()}` | {_summary(path)} |" for path in modules]
    return "\n".join(["| Module | What it is |", "|---|---|", *rows])


def _summary(path: Path) -> str:
    return _first_paragraph(ast.get_docstring(ast.parse(path.read_text(encoding="utf-8"))) or "")


def _first_paragraph(about: str) -> str:
    return " ".join(about.partition("\n\n")[0].split())


def _metrics() -> str:
    rows = [f"| `{name}` | {METRICS[name]} |" for name in sorted(counted())]
    return "\n".join(["| Metric | What it counts |", "|---|---|", *rows])


def _counts(path: Path) -> Iterator[str]:
    """The names in a file's calls of `count` and `self._count`."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Call) and _called(node.func) in {"count", "_count"}:
            named = [one.value for one in ast.walk(node.args[0]) if isinstance(one, ast.Constant)]
            yield from (name for name in named if isinstance(name, str))


def _called(function: ast.expr) -> str:
    return function.id if isinstance(function, ast.Name) else getattr(function, "attr", "")


if __name__ == "__main__":
    main()
