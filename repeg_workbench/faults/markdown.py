"""Tables in Markdown."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence


def table(head: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    """A table in Markdown."""
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join(f"| {' | '.join(str(cell) for cell in line)} |" for line in lines)


def coded(rows: Mapping[str, object]) -> list[tuple[str, object]]:
    """Rows whose names are code."""
    return [(f"`{name}`", meaning) for name, meaning in rows.items()]
