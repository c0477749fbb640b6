"""The modules that are mutated: those that decide on money, or on what the table accepts."""

from __future__ import annotations

from pathlib import Path

import repeg

LAYER = Path(repeg.__file__).parent

_WORKFLOW = (
    "placement", "working", "leftovers", "cancellation", "in_flight", "intents", "reconciliation", "closing",
    "sweeping", "funding", "sellable", "saving", "endings", "batches", "listening", "broker_lists", "doubtful",
)  # fmt: skip
_DOMAIN = (
    "limits", "funding", "balance_lag", "sizing", "sizing_price", "weights", "pricing", "tick", "child_order",
    "parent_order", "replacement", "cancel_origin", "books", "store_rules", "intent", "pace", "pieces", "control",
    "dollar_orders", "drift", "new_cash",
)  # fmt: skip
_DYNAMODB = ("encoding", "order_write", "plan_write", "store", "account")

MONEY_MODULES: tuple[str, ...] = (
    *(f"workflow.{name}" for name in _WORKFLOW),
    *(f"domain.{name}" for name in _DOMAIN),
    *(f"adapters.dynamodb.{name}" for name in _DYNAMODB),
)


def path_of(module: str) -> Path:
    """The file of a module, which is named by its place below `repeg`."""
    return LAYER / f"{module.replace('.', '/')}.py"


def module_of(path: Path) -> str:
    """The name of a file's module below `repeg`."""
    return ".".join(path.relative_to(LAYER).with_suffix("").parts)


def selected(words: str) -> list[str]:
    """The money modules that a comma-separated list names, by their full name or its last word; all if it is empty.

    Raises ValueError for a word that names none.
    """
    found = []
    for word in filter(None, words.split(",")):
        named = [name for name in MONEY_MODULES if name == word or name.rpartition(".")[2] == word]
        if not named:
            raise ValueError(
                f"--modules: {word!r} is not a mutated module; expected some of {', '.join(MONEY_MODULES)}"
            )
        found += named
    return found or list(MONEY_MODULES)
