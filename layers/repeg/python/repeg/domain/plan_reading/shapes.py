"""The shapes of a decoded plan: its own, an optimiser's weights, and what pandas makes of a Series or a DataFrame."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from repeg.domain.errors import InvalidPlan
from repeg.domain.plan_reading.columns import columns_of, meaning
from repeg.domain.plan_reading.doubts import require_type
from repeg.domain.plan_reading.draft import Draft, Kind, Label, Line

# Names that only a plan of our own has, beside `weights` for `targets`.
_OWN = frozenset({"orders", "targets", "cash_reserve", "min_trade_notional", "confirmed_symbols"})
_SHAPE = (
    'a plan with a name and orders or targets, weights such as {"AAPL": "0.3"}, or rows such as '
    '[{"symbol": "AAPL", "weight": "0.3"}]'
)


def draft_of(raw: object) -> Draft | None:
    """The lines of a decoded plan; None if it has no shape that is known. Raises InvalidPlan."""
    if isinstance(raw, Mapping) and _is_own(raw):
        return _own(raw)
    if isinstance(raw, Mapping):
        return _foreign(raw)
    return _rows(raw, "plan", {}) if isinstance(raw, list) and raw else None


def _is_own(raw: Mapping[str, Any]) -> bool:
    named = isinstance(raw.get("name"), str) and not {"index", "data"} <= raw.keys()
    return bool(_OWN & raw.keys()) or named


def _own(raw: Mapping[str, Any]) -> Draft | None:
    renamed = "weights" in raw and not {"targets", "orders"} & raw.keys()
    fields = {"targets" if renamed and name == "weights" else name: value for name, value in raw.items()}
    notes = ("weights taken as targets",) if renamed else ()
    own = {name: value for name, value in fields.items() if name not in {"orders", "targets"}}
    if ("orders" in fields) == ("targets" in fields):
        return None
    kind: Kind = "orders" if "orders" in fields else "targets"
    lines = fields[kind]
    if kind == "targets" and isinstance(lines, Mapping):
        made = tuple(Line(f"plan.targets.{name}", {"symbol": name, "weight": value}) for name, value in lines.items())
        return Draft(kind, made, own, notes)
    if not isinstance(lines, list) or not all(isinstance(row, Mapping) for row in lines):
        return None
    made = tuple(Line(f"plan.{kind}[{at}]", _renamed(row)) for at, row in enumerate(lines))
    return Draft(kind, made, own, notes)


def _renamed(row: Mapping[str, Any]) -> dict[str, Any]:
    """A row with the plan's names, where no two are the same then; an unknown name stays, to be refused."""
    names = [meaning(str(name)) or str(name) for name in row]
    return dict(zip(names, row.values(), strict=True)) if len(set(names)) == len(names) else dict(row)


def _foreign(raw: Mapping[str, Any]) -> Draft | None:
    if {"index", "data"} <= raw.keys() and isinstance(raw["data"], list) and isinstance(raw["index"], list):
        return _split(raw)
    if "data" in raw and "schema" in raw and isinstance(raw["data"], list):
        return _rows(raw["data"], "plan.data", {})
    if not raw:
        return None
    if not any(isinstance(value, (Mapping, list)) for value in raw.values()):
        return _bare("plan", raw)
    if not all(isinstance(value, Mapping) for value in raw.values()):
        return None
    if len(raw) == 1 or all(meaning(name) for name in raw):
        return _by_columns(raw)
    return _rows([{"symbol": name, **row} for name, row in raw.items()], "plan", {})


def _bare(place: str, weights: Mapping[str, Any], heading: str = "") -> Draft:
    """Numbers by symbol, which nothing but their heading calls weights."""
    name = meaning(heading) or "weight"
    lines = tuple(Line(f"{place}.{symbol}", {"symbol": symbol, name: value}) for symbol, value in weights.items())
    label = label_of(heading)
    notes = (f"column taken as weight: {heading}",) if label == "other" else ()
    return _of_meanings(lines, {"symbol", name}, {}, notes=notes, label=label)


def label_of(heading: str) -> Label:
    """What the heading of a column calls its numbers; pandas calls those of a Series without a name 0."""
    if meaning(heading):
        return "weight"
    return "nothing" if heading in {"", "0"} else "other"


def _by_columns(raw: Mapping[str, Mapping[str, Any]]) -> Draft | None:
    """A DataFrame by columns: one of numbers by symbol, or several by row."""
    if len(raw) == 1:
        ((heading, column),) = raw.items()
        return _bare(f"plan.{heading}", column, heading)
    keys = next(iter(raw.values())).keys()
    rows = [{heading: column.get(key) for heading, column in raw.items()} for key in keys]
    return _rows(rows, "plan", {})


def _split(raw: Mapping[str, Any]) -> Draft | None:
    """A Series or DataFrame with its index apart. Raises InvalidPlan if their lengths differ."""
    index, data = raw["index"], raw["data"]
    if len(index) != len(data):
        raise InvalidPlan("plan.data", len(data), f"as many rows as the index has: {len(index)}")
    headings = raw.get("columns")
    if headings is None:
        return _bare("plan", _by_symbol(index, data), str(raw.get("name") or ""))
    require_type("plan.columns", headings, list, "a list of headings")
    if len(headings) == 1 and all(isinstance(row, list) and len(row) == 1 for row in data):
        return _bare("plan", _by_symbol(index, [row[0] for row in data]), str(headings[0]))
    if not all(isinstance(row, list) and len(row) == len(headings) for row in data):
        return None
    rows = [dict(zip(map(str, headings), row, strict=True)) for row in data]
    has_symbols = any(meaning(str(heading)) == "symbol" for heading in headings)
    return _rows(
        rows if has_symbols else [{"symbol": s, **row} for s, row in zip(index, rows, strict=True)], "plan", {}
    )


def _by_symbol(symbols: Sequence[Any], values: Sequence[Any]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for symbol, value in zip(symbols, values, strict=True):
        if str(symbol) in found:
            raise InvalidPlan("plan.index", symbol, "each symbol once")
        found[str(symbol)] = value
    return found


def _rows(rows: Sequence[Any], place: str, fields: Mapping[str, Any]) -> Draft | None:
    if all(isinstance(row, list) and len(row) == 2 and isinstance(row[0], str) for row in rows):
        return _bare(place, _by_symbol([row[0] for row in rows], [row[1] for row in rows]))
    if not all(isinstance(row, Mapping) for row in rows):
        return None
    headings = list(dict.fromkeys(str(name) for row in rows for name in row))
    columns = columns_of(headings, place)
    if "symbol" not in columns.places:
        raise InvalidPlan(place, headings, _SHAPE)
    others = columns.unused
    if columns.places.keys() == {"symbol"} and len(others) == 1:
        return _bare(place, _by_symbol([row.get(headings[columns.places["symbol"]]) for row in rows],
                                       [row.get(others[0]) for row in rows]), others[0])  # fmt: skip
    lines = tuple(
        Line(f"{place}[{at}]", {name: row.get(headings[column]) for name, column in columns.places.items()})
        for at, row in enumerate(rows)
    )
    notes = (f"not used: {', '.join(others)}",) if others else ()
    return _of_meanings(lines, set(columns.places), fields, notes=notes, is_percent=columns.is_percent)


def _of_meanings(
    lines: tuple[Line, ...],
    names: set[str],
    fields: Mapping[str, Any],
    *,
    notes: tuple[str, ...] = (),
    label: Label = "weight",
    is_percent: bool = False,
) -> Draft:
    """The draft of rows with these columns. Raises InvalidPlan if they are neither weights nor orders."""
    return Draft(
        kind=kind_of(names, "plan"), lines=lines, fields=fields, notes=notes, label=label,
        is_percent=is_percent, is_signed="side" not in names,
    )  # fmt: skip


def kind_of(names: set[str], place: str) -> Kind:
    """Whether columns make weights or orders. Raises InvalidPlan if they make both or neither."""
    amounts = sorted(names & {"qty", "notional"})
    if "weight" in names and "side" in names and amounts:
        raise InvalidPlan(place, sorted(names), f"either weights, or orders by {amounts[0]}: delete the other column")
    if "weight" in names:
        return "targets"
    if amounts:
        return "orders"
    raise InvalidPlan(place, sorted(names), "a column of weights, or of quantities or dollars with a side")
