"""Tables of a page: with a caption, with headings that sort, and inside a region that scrolls on its own."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from decimal import Decimal
from typing import NamedTuple

from repeg.adapters.pages.markup import Child, Html, joined, tag


class Column(NamedTuple):
    """A column: its heading, and whether it holds numbers, or is left out on a narrow screen."""

    heading: str
    is_number: bool = False
    is_wide_only: bool = False


class Cell(NamedTuple):
    """A cell, and what it is sorted by where its text does not sort: a number, or None for one that is not known."""

    content: Child
    order: Decimal | int | str | None = ""


def table(
    caption: str,
    columns: Sequence[Column],
    rows: Iterable[Sequence[Cell | str]],
    *,
    id_: str = "",
    is_sorted: bool = False,
) -> Html:
    """A table in a region of its own."""
    headings = [_heading(column, number, is_sorted=is_sorted) for number, column in enumerate(columns)]
    body = [tag("tr", [_cell(column, cell) for column, cell in zip(columns, row, strict=True)]) for row in rows]
    made = tag(
        "table", tag("caption", caption), tag("thead", tag("tr", headings)), tag("tbody", body),
        id=id_ or None, class_="sortable" if is_sorted else None,
    )  # fmt: skip
    return tag("div", made, class_="scroll", tabindex="0", role="region", aria_label=caption)


def _heading(column: Column, number: int, *, is_sorted: bool) -> Html:
    text = tag("button", column.heading, type="button", data_column=str(number)) if is_sorted else column.heading
    return tag("th", text, scope="col", class_=_classes(column))


def _cell(column: Column, cell: Cell | str) -> Html:
    content, order = cell if isinstance(cell, Cell) else (cell, "")
    key = "" if order is None else None if order == "" else str(order)
    return tag("td", content, class_=_classes(column), data_order=key)


def _classes(column: Column) -> str | None:
    given = (("number", column.is_number), ("wide", column.is_wide_only))
    return " ".join(name for name, is_so in given if is_so) or None


def facts(rows: Iterable[tuple[str, Child]]) -> Html:
    """A list of terms and what they are."""
    return tag("dl", [joined(tag("div", tag("dt", term), tag("dd", said))) for term, said in rows], class_="facts")


def folded(title: str, *children: Child, id_: str | None = None) -> Html:
    """A part that is opened on demand."""
    return tag("details", tag("summary", title), *children, id=id_)
