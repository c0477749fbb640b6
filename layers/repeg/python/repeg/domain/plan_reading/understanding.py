"""From a draft to the document of a plan: what is unambiguous is written as the plan has it, the rest is refused."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any, NamedTuple

from repeg.domain.errors import InvalidPlan
from repeg.domain.plan import MAX_NAME_LENGTH, NO_CASH
from repeg.domain.plan_reading.draft import Draft, Line, Remarks
from repeg.domain.plan_reading.notation import Notation, notation_of, readings, value_of, written
from repeg.domain.plan_reading.tickers import is_cash, ticker_of
from repeg.domain.weights import NOISE

_NUMBERS = ("weight", "qty", "notional", "min_drift_pct")
_SHARES_OF_ONE = ("cash_reserve",)
_DOLLARS = ("min_trade_notional",)
_SIDES = {"B": "buy", "BUY": "buy", "S": "sell", "SELL": "sell"}
_HUNDRED = Decimal(100)
_WHOLE = "percentages that add up to 100, as weights do; for others, a heading `weight`"
_ROUNDED = Decimal("0.05")  # percentages that were rounded to two decimals
IN_TABLES = "; in a table, a line such as `# cash_reserve: 0.02` above the headings"


class Understood(NamedTuple):
    """The document of a plan, and the line that each of its fields came from."""

    document: dict[str, Any]
    origins: Mapping[str, Line]


def understood(draft: Draft, file_name: str | None) -> Understood:
    """The document of a plan. Raises InvalidPlan naming field or row, value and remedy.

    Numbers become decimals as text. What is no ticker, side or number stays as written, for the plan's own checks.
    """
    remarks = Remarks()
    left = notation_of(_digits(draft), has_points=draft.has_points, others=draft.other_numbers)
    lines = [_line(line, left, draft, remarks) for line in draft.lines]
    fields = _fields(draft, left, remarks)
    if draft.kind == "targets":
        lines = _weights(draft, lines, _decimal(fields.get("cash_reserve")), remarks)
        document: dict[str, Any] = {**fields, "targets": _by_symbol(lines), **_bands(fields, lines)}
        origins = {f"plan.targets.{line.values['symbol']}": line for line in lines}
    else:
        lines = _with_sides(draft, lines, remarks)
        document = {**fields, "orders": [_filled(line) for line in lines]}
        origins = {f"plan.orders[{at}]": line for at, line in enumerate(lines)}
    if file_name and "name" not in document:
        document = {"name": _name_of(file_name), **document}
        remarks.add("named after its file", document["name"])
    notes = [*draft.notes, *remarks.sentences()]
    return Understood({**document, **({"notes": [*document.get("notes", ()), *notes]} if notes else {})}, origins)


def _digits(draft: Draft) -> list[tuple[str, str]]:
    """The numbers of the plan that are texts, with their places."""
    return [
        (line.field(name), written(value).digits)
        for line in draft.lines
        for name in _NUMBERS
        if isinstance(value := line.values.get(name), str)
    ]


def _line(line: Line, left: frozenset[Notation], draft: Draft, remarks: Remarks) -> Line:
    """A line with its symbol and numbers as the plan has them. A percent sign stays, for all weights together."""
    values = dict(line.values)
    symbol = values.get("symbol")
    if isinstance(symbol, str):
        values["symbol"] = _symbol(line, symbol, draft, remarks)
    for name in _NUMBERS:
        if isinstance(values.get(name), str):
            values[name] = _number(line.field(name), values[name], left, remarks)
    return Line(line.place, values)


def _symbol(line: Line, symbol: str, draft: Draft, remarks: Remarks) -> str:
    if is_cash(symbol) and ticker_of(symbol) not in _confirmed(draft):
        raise InvalidPlan(line.field("symbol"), symbol, NO_CASH + (IN_TABLES if draft.is_table else ""))
    ticker = ticker_of(symbol)
    if ticker != symbol:
        remarks.add("symbols as the broker writes them", f"{symbol} as {ticker}")
    return ticker


def _confirmed(draft: Draft) -> set[str]:
    listed = draft.fields.get("confirmed_symbols")
    return {str(symbol) for symbol in listed} if isinstance(listed, list) else set()


def _number(place: str, text: str, left: frozenset[Notation], remarks: Remarks) -> str:
    """A number as text with a decimal point, and its percent sign; a text that is no number stays as it is."""
    found = written(text)
    value = value_of(place, found.digits, left)
    if value is None:
        return text
    is_plain = _is_plain(found.digits) and Decimal(found.digits) == value  # "1.000" may be a thousand
    plain = found.digits if is_plain else f"{value:f}"
    if plain != found.digits or found.digits != text.strip().removesuffix("%"):
        remarks.add("numbers read", f"{text.strip()} as {plain}{'%' if found.is_percent else ''}")
    return f"{plain}%" if found.is_percent else plain


def _is_plain(digits: str) -> bool:
    return bool(re.fullmatch(r"[+-]?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d+)?", digits)) and "," not in digits


def _weights(draft: Draft, lines: list[Line], reserve: Decimal, remarks: Remarks) -> list[Line]:
    """The lines with weights between 0 and 1. Raises InvalidPlan where percent and shares of 1 are mixed, or where
    nothing says which they are."""
    signed = [line.values["weight"] for line in lines if _has_sign(line.values.get("weight"))]
    if signed:
        _require_whole(draft, signed)
        return _without_signs(lines, signed[0], remarks)
    total = sum((_decimal(line.values.get("weight")) for line in lines), Decimal(0))
    if not _are_percent(draft, total, reserve):
        return lines
    remarks.add("weights in percent", f"they add up to {total:f}, so {lines[0].values['weight']} is a hundredth of it")
    return [_with(line, weight=_share(line.values["weight"])) for line in lines]


def _require_whole(draft: Draft, signed: Sequence[str]) -> None:
    """Refuse percentages with another name, such as a day's change, unless they add up to 100. Raises InvalidPlan."""
    total = sum((_decimal(_share(weight)) for weight in signed), Decimal(0)) * _HUNDRED
    if draft.label == "other" and abs(total - _HUNDRED) > _ROUNDED:
        raise InvalidPlan("plan", f"{total.normalize():f}%", _WHOLE)


def _without_signs(lines: list[Line], example: str, remarks: Remarks) -> list[Line]:
    remarks.add("percent", f"{example} as {_share(example)}")
    for line in lines:
        weight = line.values.get("weight")
        if not _has_sign(weight) and _decimal(weight):
            raise InvalidPlan(line.field("weight"), weight, "a percent sign as the other weights have")
    return [
        _with(line, weight=_share(line.values["weight"])) if _has_sign(line.values.get("weight")) else line
        for line in lines
    ]


def _are_percent(draft: Draft, total: Decimal, reserve: Decimal) -> bool:
    """Whether weights without percent signs are percent. Raises InvalidPlan where that is not clear."""
    if draft.is_percent and 0 < total <= 1 + NOISE:
        raise InvalidPlan(
            "plan.targets", total, "percent signs at the weights: the heading says percent, the sum does not"
        )
    least = 1 - NOISE if draft.label == "other" else Decimal(0)
    if draft.label != "weight" and not least <= total <= 1 + NOISE:
        remedy = 'a heading `weight`, or "targets", and percent signs; or orders with side and qty'
        raise InvalidPlan("plan", total, f"numbers that add up to 1, as weights do; for others, {remedy}")
    return draft.is_percent or (draft.label == "weight" and abs(total + reserve * _HUNDRED - _HUNDRED) <= _ROUNDED)


def _share(raw: object) -> object:
    """A hundredth of a number; what is no number stays as it is."""
    text = str(raw).removesuffix("%")
    is_number = not isinstance(raw, bool) and Notation.POINT in readings(text)
    return f"{Decimal(text).scaleb(-2):f}" if is_number else raw


def _decimal(raw: object) -> Decimal:
    """A number; zero for what is none."""
    if isinstance(raw, bool):
        return Decimal(0)
    return readings(str(raw).removesuffix("%")).get(Notation.POINT, Decimal(0))


def _has_sign(raw: object) -> bool:
    return isinstance(raw, str) and raw.endswith("%") and bool(readings(raw.removesuffix("%")))


def _by_symbol(lines: list[Line]) -> dict[Any, Any]:
    """Weights by symbol. Raises InvalidPlan naming the line of a symbol that is there twice."""
    found: dict[Any, Line] = {}
    for line in lines:
        symbol = line.values.get("symbol")
        if not isinstance(symbol, str):
            raise InvalidPlan(line.field("symbol"), symbol, "a ticker such as AAPL or BRK.B")
        if symbol in found:
            raise InvalidPlan(line.field("symbol"), symbol, f"each symbol once; {found[symbol].place} has it already")
        found[symbol] = line
    return {symbol: line.values.get("weight") for symbol, line in found.items()}


def _bands(fields: Mapping[str, Any], lines: list[Line]) -> dict[str, Any]:
    """The drift bands of single symbols, from a column of their own and from the plan's field."""
    found = {line.values["symbol"]: line.values.get("min_drift_pct") for line in lines}
    own = {symbol: str(band).removesuffix("%") for symbol, band in found.items() if band is not None}
    return {"min_drift_pct_of": {**fields.get("min_drift_pct_of", {}), **own}} if own else {}


def _with_sides(draft: Draft, lines: list[Line], remarks: Remarks) -> list[Line]:
    """Orders with the plan's words for their sides; without a column for it, the sides of their signs."""
    if not draft.is_signed:
        return [_with_side(line) for line in lines]
    name = "qty" if any(line.values.get("qty") is not None for line in lines) else "notional"
    amounts = [_decimal(line.values.get(name)) for line in lines]
    if lines and name == "qty" and min(amounts) >= 0:
        raise InvalidPlan(lines[0].field("side"), None, "a column `side` of buy and sell")
    signed = [_by_sign(line, name, amount) for line, amount in zip(lines, amounts, strict=True)]
    for line in signed:
        remarks.add("sides by sign", f"{line.values.get('symbol')} {line.values.get('side')}")
    return signed


def _with_side(line: Line) -> Line:
    side, qty = line.values.get("side"), line.values.get("qty")
    if not isinstance(side, str):
        return line
    if side.strip().upper() == "SELL ALL" and qty is None:
        return _with(line, side="sell", qty="all")
    is_all = isinstance(qty, str) and qty.strip().upper() == "ALL"
    return _with(line, side=_SIDES.get(side.strip().upper(), side), **({"qty": "all"} if is_all else {}))


def _by_sign(line: Line, name: str, amount: Decimal) -> Line:
    if amount == 0:
        return _with(line, side="buy")
    return _with(line, side="buy" if amount > 0 else "sell", **{name: f"{abs(amount):f}"})


def _filled(line: Line) -> dict[str, Any]:
    """The values of an order; a column that is empty in its row says nothing."""
    return {name: value for name, value in line.values.items() if value is not None}


def _with(line: Line, **values: Any) -> Line:
    return Line(line.place, {**line.values, **values})


def _fields(draft: Draft, left: frozenset[Notation], remarks: Remarks) -> dict[str, Any]:
    """The plan's own fields, with percent and dollar signs read."""
    fields = dict(draft.fields)
    for name in (*_SHARES_OF_ONE, *_DOLLARS):
        if isinstance(fields.get(name), str):
            text = _number(f"plan.{name}", fields[name], left, remarks)
            fields[name] = _share(text) if text.endswith("%") and name in _SHARES_OF_ONE else text
    if isinstance(fields.get("min_drift_pct"), str):
        fields["min_drift_pct"] = fields["min_drift_pct"].removesuffix("%").strip()
    return fields


def _name_of(file_name: str) -> str:
    """A plan's name after its file: its stem in lower case, with hyphens, as long as a name may be."""
    stem = re.sub(r"\.[A-Za-z0-9]{1,5}$", "", re.split(r"[/\\]", file_name)[-1])
    name = re.sub(r"[^a-z0-9]+", "-", stem.lower()).strip("-")
    return name[:MAX_NAME_LENGTH].rstrip("-")
