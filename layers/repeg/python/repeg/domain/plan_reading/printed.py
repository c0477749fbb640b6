"""A Python dict as it is printed, such as the text file of PyPortfolioOpt's weights: read as data, never executed."""

from __future__ import annotations

import ast
from decimal import Decimal, InvalidOperation
from typing import Any

from repeg.domain.errors import InvalidPlan
from repeg.domain.plan_reading.doubts import require_type

_WRAPPERS = frozenset({"OrderedDict", "dict", "float64", "float32", "Decimal"})
_EXPECTED = "a dict of symbols and numbers as Python prints it; or the weights as JSON"


def decoded_dict(text: str, source: str) -> Any:
    """The value of a printed dict, with numbers as decimals. Raises InvalidPlan for anything else."""
    try:
        return _value(ast.parse(text.strip(), mode="eval").body, text.strip())
    except (SyntaxError, ValueError, InvalidOperation, RecursionError, MemoryError) as error:
        raise InvalidPlan("plan", source, f"{_EXPECTED} ({type(error).__name__})") from None


def _value(node: ast.expr, text: str) -> Any:
    match node:
        case ast.Dict(keys=keys, values=values) if None not in keys:
            return _each_once([(_value(k, text), _value(v, text)) for k, v in zip(keys, values, strict=True) if k])
        case ast.List(elts=elements) | ast.Tuple(elts=elements):
            return [_value(element, text) for element in elements]
        case ast.Constant(value=str(found)):
            return found
        case ast.Constant(value=int() | float() as found) if not isinstance(found, bool):
            return Decimal((ast.get_source_segment(text, node) or "").replace("_", ""))
        case ast.UnaryOp(op=ast.USub(), operand=operand):
            return -Decimal(_value(operand, text))
        case ast.Call(func=function, args=[argument], keywords=[]) if _name(function) in _WRAPPERS:
            inner = _value(argument, text)
            return _each_once(inner) if _name(function) == "OrderedDict" and isinstance(inner, list) else inner
    raise ValueError(ast.dump(node)[:40])


def _name(function: ast.expr) -> str:
    return function.attr if isinstance(function, ast.Attribute) else getattr(function, "id", "")


def _each_once(pairs: list[Any]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for pair in pairs:
        require_type("plan", pair, (list, tuple), "pairs of a name and a value")
        if len(pair) != 2:
            raise InvalidPlan("plan", pair, "pairs of a name and a value")
        key, value = pair
        if str(key) in found:
            raise InvalidPlan("plan", key, "each name once")
        found[str(key)] = value
    return found
