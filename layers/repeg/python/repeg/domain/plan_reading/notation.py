"""How a file writes numbers: decimal point or comma, groups of thousands, percent, currency, Excel's formulas."""

from __future__ import annotations

import re
from collections.abc import Iterable
from decimal import Decimal
from enum import StrEnum
from typing import NamedTuple

from repeg.domain.errors import InvalidPlan


class Notation(StrEnum):
    """Which character separates the decimals; the other one may group thousands."""

    POINT = "point"
    COMMA = "comma"


EVERY = frozenset(Notation)
_BLANKS = "\u00a0\u202f\u2007\u2009\ufeff\u200b"
_FORMULA = re.compile(r'="([^"]*)"')
_ACCOUNTING = re.compile(r"\((.+)\)")
_CURRENCY = re.compile(r"^([+-]?)\s*(?:US\$|USD|\$)\s*|\s*(?:USD|\$)$")
# A longer number is none of a plan, and may be too large to be added up.
_MOST_DIGITS = 40
# A group of thousands never begins with a zero, so 0.125 and 0,125 have decimals.
_SPACED = re.compile(r"[+-]?[1-9]\d{0,2}(?:[ '’]\d{3})+(?![\d'’])")
_GROUPED = {
    Notation.POINT: re.compile(r"[+-]?(?:[1-9]\d{0,2}(?:,\d{3})+|\d+)(?:\.\d*)?(?:[eE][+-]?\d+)?|[+-]?\.\d+"),
    Notation.COMMA: re.compile(r"[+-]?(?:[1-9]\d{0,2}(?:\.\d{3})+|\d+)(?:,\d*)?(?:[eE][+-]?\d+)?|[+-]?,\d+"),
}


class Written(NamedTuple):
    """A number as written, without what surrounds it."""

    digits: str
    is_percent: bool


def unwrapped(text: str) -> str:
    """A cell without Excel's ="…", a leading apostrophe and blanks of any kind at its ends."""
    cell = text.translate(dict.fromkeys(map(ord, _BLANKS), " ")).strip()
    formula = _FORMULA.fullmatch(cell)
    return (formula[1] if formula else cell.removeprefix("'")).strip()


def written(text: str) -> Written:
    """The digits of a number, without currency, percent sign and groups by blanks or apostrophes."""
    cell = unwrapped(text).replace("\u2212", "-")
    negative = _ACCOUNTING.fullmatch(cell)
    cell = f"-{negative[1].strip()}" if negative else cell
    is_percent = cell.endswith("%")
    cell = _CURRENCY.sub(lambda found: found[1] or "", cell.removesuffix("%").strip())
    spaced = _SPACED.match(cell)
    if spaced:
        cell = re.sub(r"[ '’]", "", spaced[0]) + cell[spaced.end() :]
    return Written(cell, is_percent)


def readings(digits: str) -> dict[Notation, Decimal]:
    """The values that a number may have, by notation; none for a text that is no number."""
    found: dict[Notation, Decimal] = {}
    for notation, pattern in _GROUPED.items():
        if pattern.fullmatch(digits):
            group, decimal = (",", ".") if notation is Notation.POINT else (".", ",")
            value = Decimal(digits.replace(group, "").replace(decimal, "."))
            if value.adjusted() <= _MOST_DIGITS:
                found[notation] = value
    return found


def notation_of(numbers: Iterable[tuple[str, str]], *, has_points: bool, others: Iterable[str]) -> frozenset[Notation]:
    """The notations that the numbers of a file leave open.

    `numbers` are places and digits of the plan's numbers; `others` are further ones of the file, which count only if
    those leave both open. With `has_points` a point that could also group thousands is a decimal point. Raises
    InvalidPlan naming a number that contradicts the others.
    """
    left, first = EVERY, ""
    for place, digits in numbers:
        single = _single(digits, has_points=has_points)
        if single and not single & left:
            raise InvalidPlan(place, digits, f"decimals as in {first}, which is written the other way")
        if single and left == EVERY:
            left, first = single, digits
    if left != EVERY:
        return left
    votes = {single for digits in others if (single := _single(written(digits).digits, has_points=has_points))}
    return votes.pop() if len(votes) == 1 else EVERY


def value_of(place: str, digits: str, left: frozenset[Notation]) -> Decimal | None:
    """The value of a number under the notations left open; None for a text that is no number. Raises InvalidPlan if
    there are two values."""
    values = {notation: value for notation, value in readings(digits).items() if notation in left}
    if len(set(values.values())) > 1:
        one, other = (_unmistakable(value) for value in values.values())
        raise InvalidPlan(
            place, digits, f"a number with one reading: this is {one} or {other}; write the one that is meant"
        )
    return next(iter(values.values()), None)


def _unmistakable(value: Decimal) -> str:
    """A value with other than three decimals."""
    text = f"{value.normalize():f}"
    return f"{text}0" if "." in text else text


def _single(digits: str, *, has_points: bool) -> frozenset[Notation]:
    """The one notation that a number is written in; empty if it fits both or none."""
    values = readings(digits)
    if has_points and "." in digits and Notation.POINT in values:
        return frozenset({Notation.POINT})
    if len(values) != 1:
        return frozenset()
    return frozenset(values)
