"""A plan as a table: CSV, TSV and what Excel and brokers make of them."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from repeg.domain.errors import InvalidPlan
from repeg.domain.plan_reading.columns import Columns, columns_of, require_agreed
from repeg.domain.plan_reading.doubts import (
    require_field,
    require_no_line,
    require_no_total,
    require_same_meaning,
    require_uncut,
)  # fmt: skip
from repeg.domain.plan_reading.draft import Draft, Label, Line
from repeg.domain.plan_reading.notation import readings, unwrapped, written
from repeg.domain.plan_reading.shapes import kind_of, label_of
from repeg.domain.plan_reading.tickers import is_ticker

_DELIMITERS = ",;\t|"
# Brokers put titles above the table.
_MOST_TITLES = 30
_FIELD = re.compile(r"#\s*(\w+)\s*[:=]\s*(.*)")
_SEPARATOR = re.compile(r"sep=([^\s\w\"'.+-]|\t)\s*", re.IGNORECASE)
_TOTAL = re.compile(
    r"(?:(?:grand|account|positions?|portfolio)[ _]+)?(?:sub[ -]?)?totals?:?|sums?:?|summe:?|gesamt(?:summe)?:?",
    re.IGNORECASE,
)
_LISTS = frozenset({"confirmed_symbols"})
_FORMS = (
    "a plan as JSON, or a table whose heading row has symbol and weight, or symbol, side and qty, "
    "or symbol and notional"
)


class _Row(NamedTuple):
    """A row as a spreadsheet numbers it."""

    number: int
    cells: list[str]

    @property
    def place(self) -> str:
        return f"row {self.number}"

    @property
    def filled(self) -> list[str]:
        return [cell for cell in self.cells if cell]

    @property
    def begin(self) -> str:
        return f"{self.place} ({self.filled[0][:40]})"

    @property
    def has_number(self) -> bool:
        return any(readings(written(cell).digits) for cell in self.filled)


class _Heading(NamedTuple):
    """A heading row: its columns, the places of the plan's values, and what it calls its numbers."""

    columns: Columns
    places: Mapping[str, int]
    label: Label


def draft_of_table(text: str, source: str) -> Draft:
    """The lines of a table. Raises InvalidPlan naming the row, or the forms that a table may have."""
    given = _SEPARATOR.match(text)
    text, delimiters = (text[given.end() :], given[1]) if given else (text, _DELIMITERS)
    tables = {delimiter: _rows_of(text, delimiter, source) for delimiter in delimiters}
    found = [(heading, at, each) for each, rows in tables.items() for heading, at in _heading_of(rows)]
    if found:
        # With the wrong delimiter a heading has fewer columns.
        heading, at, delimiter = max(found, key=lambda each: len(each[0].places))
        return _with_heading(heading, at, tables[delimiter], delimiter)
    for delimiter, rows in tables.items():
        if (draft := _without_heading(rows, delimiter)) is not None:
            return draft
    first = next((row for row in next(iter(tables.values())) if row.filled), None)
    if first is None:
        raise InvalidPlan("plan", source, _FORMS)
    raise InvalidPlan(first.place, ",".join(first.cells)[:80], _FORMS)


def _rows_of(text: str, delimiter: str, source: str) -> list[_Row]:
    try:
        rows = list(csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, skipinitialspace=True))
    except csv.Error as error:
        raise InvalidPlan("plan", source, f"a table ({error})") from None
    return [_Row(number, [unwrapped(cell) for cell in cells]) for number, cells in enumerate(rows, 1)]


def _heading_of(rows: Sequence[_Row]) -> list[tuple[_Heading, int]]:
    """The first heading row with its index, if there is one."""
    found = ((_as_heading(row), at) for at, row in enumerate(rows[:_MOST_TITLES]))
    return [(heading, at) for heading, at in found if heading is not None][:1]


def _as_heading(row: _Row) -> _Heading | None:
    """A row with a column of symbols and one of amounts. Raises InvalidPlan if two columns mean the same."""
    cells = list(row.cells)
    while len(cells) > 2 and not cells[-1]:
        cells.pop()
    # pandas calls the values of a Series without a name 0.
    is_series = len(cells) == 2 and cells[1] == "0"
    if len(cells) < 2 or (row.has_number and not is_series) or _FIELD.match(cells[0]):
        return None
    columns = columns_of(cells, row.place)
    if columns.places.keys() == {"symbol"} and len(cells) == 2 and cells[1]:
        return _Heading(columns, {"symbol": columns.places["symbol"], "weight": 1}, label_of(cells[1]))
    is_complete = "symbol" in columns.places and columns.places.keys() & {"weight", "qty", "notional"}
    return _Heading(columns, columns.places, "weight") if is_complete else None


def _with_heading(heading: _Heading, at: int, rows: Sequence[_Row], delimiter: str) -> Draft:
    fields, notes = _above(rows[:at])
    body = _Body(heading, delimiter)
    for row in rows[at + 1 :]:
        body.add(row)
    if not body.lines:
        raise InvalidPlan(
            rows[at].place, ",".join(rows[at].cells), "rows under the heading: there is no line of the plan"
        )
    notes += [f"column taken as weight: {heading.columns.headings[1]}"] if heading.label == "other" else []
    unused = heading.columns.unused if heading.label == "weight" else []
    notes += [f"columns not used: {', '.join(unused)}"] if unused else []
    notes += [f"left out: {', '.join(body.left_out)}"] if body.left_out else []
    return Draft(
        kind=kind_of(set(heading.places), rows[at].place), lines=tuple(body.lines), fields=fields, notes=tuple(notes),
        label=heading.label, is_percent=heading.columns.is_percent, has_points=delimiter == ",",
        other_numbers=tuple(body.others), is_signed="side" not in heading.places,
    )  # fmt: skip


class _Body:
    """The rows under a heading, and under further ones: a basket may have several."""

    def __init__(self, heading: _Heading, delimiter: str) -> None:
        self.lines: list[Line] = []
        self.left_out: list[str] = []
        self.others: list[str] = []
        self._heading = heading
        self._delimiter = delimiter

    def add(self, row: _Row) -> None:
        """Take a row as a line, a further heading, a remark, or nothing. Raises InvalidPlan naming the row."""
        if not row.filled:
            return
        another = _as_heading(row)
        if another is not None:
            require_same_meaning(self._heading.columns, another.columns, row.place, ",".join(row.cells))
            self._heading = another
        elif self._is_remark(row):
            require_no_line(row.filled[0], row.place)
            self.left_out.append(row.begin)
        else:
            self._add_line(row)

    def _add_line(self, row: _Row) -> None:
        self._require_width(row)
        places = self._heading.places
        self._require_uncut(row)
        for at, (heading, cell) in enumerate(zip(self._heading.columns.headings, row.cells, strict=False)):
            require_agreed(heading, cell, row.place)
            if at not in places.values() and cell:
                self.others.append(cell)
        self.lines.append(Line(row.place, {name: _cell(row, at) for name, at in places.items()}))

    def _is_remark(self, row: _Row) -> bool:
        """Whether a row is a total or a disclaimer, and no line of the plan."""
        symbol = _cell(row, self._heading.places["symbol"]) or ""
        if _TOTAL.fullmatch(symbol):
            require_no_total(symbol, row.place)
            return True
        return len(row.filled) == 1 and not is_ticker(row.filled[0])

    def _require_uncut(self, row: _Row) -> None:
        places, headings = self._heading.places, self._heading.columns.headings
        for name in ("weight", "qty", "notional") if self._delimiter == "," else ():
            beside = places.get(name, len(headings)) + 1
            if beside < len(headings) and beside not in places.values():
                require_uncut(name, _cell(row, beside - 1) or "", _cell(row, beside) or "", headings[beside], row.place)

    def _require_width(self, row: _Row) -> None:
        """Refuse more cells than headings: a decimal comma that was taken for the end of a cell."""
        width = len(self._heading.columns.headings)
        if any(row.cells[width:]):
            raise InvalidPlan(
                row.place, self._delimiter.join(row.cells),
                f"{width} cells as in the heading row; put a number with a comma in double quotes",
            )  # fmt: skip


def _without_heading(rows: Sequence[_Row], delimiter: str) -> Draft | None:
    """Two columns of tickers and numbers, as PyPortfolioOpt saves weights."""
    above = [row for row in rows if row.filled and _FIELD.match(row.filled[0])]
    pairs = [row for row in rows if row.filled and row not in above]
    if not pairs or not all(len(row.filled) == 2 and row.has_number and is_ticker(row.filled[0]) for row in pairs):
        return None
    fields, notes = _above(above)
    lines = tuple(Line(row.place, {"symbol": row.filled[0], "weight": row.filled[1]}) for row in pairs)
    told = (*notes, "no heading row: the columns were taken as symbol and weight")
    return Draft("targets", lines, fields, told, label="nothing", has_points=delimiter == ",")


def _above(rows: Sequence[_Row]) -> tuple[dict[str, Any], list[str]]:
    """The plan's fields from lines such as `# cash_reserve: 0.02`, and a note of the titles."""
    fields: dict[str, Any] = {}
    titles = []
    for row in rows:
        found = _FIELD.fullmatch(", ".join(row.filled)) if row.filled else None
        if row.filled:
            require_field(", ".join(row.filled), found[1] if found else None, fields, row.place)
        if found:
            value = found[2].strip()
            fields[found[1]] = [part.strip() for part in value.split(",")] if found[1] in _LISTS else value
        elif row.filled:
            titles.append(row.begin)
    return fields, [f"titles above the table: {', '.join(titles)}"] if titles else []


def _cell(row: _Row, at: int) -> str | None:
    return (row.cells[at] or None) if at < len(row.cells) else None
