"""What a table may have meant otherwise than it would be read: refused, because another plan would be traded."""

from __future__ import annotations

import re
from collections.abc import Container, Mapping

from repeg.domain.errors import InvalidPlan
from repeg.domain.plan_reading.columns import Columns

# A line of a plan in one cell: a ticker, another delimiter or a side, and a number.
_LINE = re.compile(r"[\"' ]*[A-Za-z][A-Za-z./-]{0,6}\s*([;,\t|]|\s(buy|sell)\b).*\d", re.IGNORECASE)
_BEFORE_THOUSANDS, _THOUSANDS = re.compile(r"[$+-]*\d{1,3}"), re.compile(r"\d{3}(\.\d+)?")
# Headings of columns whose numbers are their own.
_NUMBERED = re.compile(r"price|last|value|cost|rank|close|number", re.IGNORECASE)
_FIELDS = {
    name.replace("_", ""): name
    for name in ("cash_reserve", "min_trade_notional", "buy_only", "min_drift_pct", "confirmed_symbols")
}
_LINES = frozenset({"targets", "orders", "weights"})


def require_type(field: str, value: object, kind: type | tuple[type, ...], expected: str) -> None:
    """Refuse a field of the plan that has another type than its own. Raises InvalidPlan."""
    if not isinstance(value, kind):
        raise InvalidPlan(field, value, expected)


def require_types(fields: Mapping[str, object]) -> None:
    """Refuse fields of another type that reading adds to: the notes, and the bands by symbol. Raises InvalidPlan."""
    require_type("plan.notes", fields.get("notes", []), list, "a list of texts")
    require_type("plan.min_drift_pct_of", fields.get("min_drift_pct_of", {}), Mapping, "an object of bands by symbol")


def require_same_meaning(before: Columns, after: Columns, place: str, heading: str) -> None:
    """Refuse a further heading under which numbers mean something else than before it. Raises InvalidPlan."""
    if before.is_percent != after.is_percent:
        raise InvalidPlan(place, heading, "weights that are percent under both headings, or under none")
    if ("side" in before.places) != ("side" in after.places):
        raise InvalidPlan(place, heading, "a column of sides under both headings, or under none")


def require_no_line(cell: str, place: str) -> None:
    """Refuse a line of the plan in a single cell, which would be left out as a remark. Raises InvalidPlan."""
    if _LINE.match(cell):
        raise InvalidPlan(place, cell, "the cells of a row apart, as in the heading row")


def require_no_total(symbol: str, place: str) -> None:
    """Refuse a word for a total that could be a ticker. Raises InvalidPlan."""
    if symbol.isupper():
        raise InvalidPlan(f"{place}, symbol", symbol, "no row of totals; a ticker of that name in a JSON plan")


def require_uncut(name: str, amount: str, beside: str, heading: str, place: str) -> None:
    """Refuse an amount whose comma may have ended its cell, so that its rest stands in the next column, `heading`, that
    the plan does not use: `0,5` of a weight, or `1,000` of shares or dollars. Raises InvalidPlan."""
    if name == "weight":
        is_cut = amount in {"0", "1"} and beside.removesuffix("%").isdigit()
    else:
        is_cut = bool(_BEFORE_THOUSANDS.fullmatch(amount)) and bool(_THOUSANDS.fullmatch(beside))
    if is_cut and not _NUMBERED.search(heading):
        remedy = f"a number with a comma in double quotes; or no column {heading} beside it"
        raise InvalidPlan(f"{place}, {name}", f"{amount},{beside}", remedy)


def require_field(text: str, name: str | None, known: Container[str], place: str) -> None:
    """Refuse a field of the plan that would be read as a title, or that is given twice. `name` is the field that a line
    above the table is read as; None for a title. Raises InvalidPlan."""
    meant = _FIELDS.get(re.sub(r"[^a-z]", "", re.split(r"[:=]", text)[0].lower()), name)
    if meant != name:
        raise InvalidPlan(place, text, f"a line `# {meant}: …`")
    if name in known:
        raise InvalidPlan(place, text, f"{name} once")
    if name in _LINES:
        raise InvalidPlan(place, text, "the lines of the plan in the table alone")
