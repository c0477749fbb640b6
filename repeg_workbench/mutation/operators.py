"""The operators of mutation: each makes small faults of one kind out of a node of the syntax tree."""

from __future__ import annotations

import ast
import copy
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, TypeVar

from repeg_workbench.mutation.condition_text import changed_expressions, is_expression
from repeg_workbench.mutation.optional_arguments import is_optional

Node = TypeVar("Node", bound=ast.AST)
# The operator's name, and the node that takes the place of the old one.
Change = tuple[str, ast.AST]

_COMPARISONS: dict[type[ast.cmpop], tuple[type[ast.cmpop], ...]] = {
    ast.Lt: (ast.LtE, ast.GtE), ast.LtE: (ast.Lt, ast.Gt), ast.Gt: (ast.GtE, ast.LtE), ast.GtE: (ast.Gt, ast.Lt),
    ast.Eq: (ast.NotEq,), ast.NotEq: (ast.Eq,), ast.Is: (ast.IsNot,), ast.IsNot: (ast.Is,),
    ast.In: (ast.NotIn,), ast.NotIn: (ast.In,),
}  # fmt: skip
_ARITHMETIC: dict[type[ast.operator], type[ast.operator]] = {
    ast.Add: ast.Sub, ast.Sub: ast.Add, ast.Mult: ast.Div, ast.Div: ast.Mult, ast.FloorDiv: ast.Mult,
    ast.Mod: ast.Mult, ast.BitOr: ast.BitAnd, ast.BitAnd: ast.BitOr,
}  # fmt: skip
_OPPOSITES = {"min": "max", "max": "min", "any": "all", "all": "any"}
_NUMBERS = {"Decimal", "int"}


@dataclass(frozen=True)
class Surroundings:
    """What an operator must know of the place of a node.

    `returns` is the annotation of the function's result, `is_constant` whether the node is in a constant of the module,
    and `has_conditions` whether texts of the module are DynamoDB's expressions.
    """

    parent: ast.AST
    returns: str = ""
    is_constant: bool = False
    has_conditions: bool = False


def changes_of(node: ast.AST, around: Surroundings) -> Iterator[Change]:
    """Every change of one node; those of the nodes in it come when it is their turn."""
    if _is_condition(node, around.parent) and isinstance(node, ast.Name | ast.Attribute | ast.Call):
        yield "condition negated", _negated(node)
    for kind, operator in _OPERATORS.items():
        if isinstance(node, kind):
            yield from operator(node, around)


def _of_boolean(node: ast.BoolOp, _: Surroundings) -> Iterator[Change]:
    yield "and/or", _with(node, op=ast.Or() if isinstance(node.op, ast.And) else ast.And())
    for rest in _without_each(node.values):
        yield "condition dropped", rest[0] if len(rest) == 1 else _with(node, values=rest)


def _of_filter(node: ast.comprehension, _: Surroundings) -> Iterator[Change]:
    yield from (("condition dropped", _with(node, ifs=rest)) for rest in _without_each(node.ifs))


def _of_sign(node: ast.UnaryOp, _: Surroundings) -> Iterator[Change]:
    if isinstance(node.op, ast.Not | ast.USub):
        yield "negation dropped", node.operand


def _of_arithmetic(node: ast.BinOp | ast.AugAssign, _: Surroundings) -> Iterator[Change]:
    operands = (node.left, node.right) if isinstance(node, ast.BinOp) else (node.value,)
    if type(node.op) in _ARITHMETIC and not any(map(_is_text, operands)):
        yield "arithmetic", _with(node, op=_ARITHMETIC[type(node.op)]())


def _of_elements(node: ast.Set | ast.List | ast.Tuple, around: Surroundings) -> Iterator[Change]:
    if len(node.elts) > 1 and (not isinstance(node, ast.Tuple) or isinstance(around.parent, ast.ExceptHandler)):
        yield from (("element dropped", _with(node, elts=rest)) for rest in _without_each(node.elts))


def _of_statement(node: ast.Expr | ast.Raise | ast.AugAssign, _: Surroundings) -> Iterator[Change]:
    if not isinstance(node, ast.Expr) or isinstance(node.value, ast.Call):
        yield "statement removed", ast.Pass()


def _of_assignment(node: ast.AugAssign, around: Surroundings) -> Iterator[Change]:
    yield from _of_arithmetic(node, around)
    yield from _of_statement(node, around)


def _of_jump(node: ast.Break | ast.Continue, _: Surroundings) -> Iterator[Change]:
    yield "break/continue", ast.Continue() if isinstance(node, ast.Break) else ast.Break()


def _of_return(node: ast.Return, around: Surroundings) -> Iterator[Change]:
    value = node.value
    if value is None or isinstance(value, ast.Constant):
        return
    yield "returns None", _with(node, value=ast.Constant(None))
    if around.returns == "bool" and not isinstance(value, ast.Compare | ast.UnaryOp):
        yield "returns the negation", _with(node, value=_negated(value))
    elif around.returns in _NUMBERS:
        yield "returns the negative", _with(node, value=ast.UnaryOp(ast.USub(), value))


def _of_comparison(node: ast.Compare, _: Surroundings) -> Iterator[Change]:
    for index, op in enumerate(node.ops):
        for new in _COMPARISONS[type(op)]:
            yield "comparison", _with(node, ops=[*node.ops[:index], new(), *node.ops[index + 1 :]])


def _of_constant(node: ast.Constant, around: Surroundings) -> Iterator[Change]:
    value = node.value
    if isinstance(value, bool):
        yield "constant", _with(node, value=not value)
    elif isinstance(value, int | float):
        yield "constant", _with(node, value=value + 1)
        yield "constant", _with(node, value=value - 1)
    elif isinstance(value, str) and around.has_conditions and is_expression(value):
        yield from (("expression", _with(node, value=new)) for new in changed_expressions(value))
    elif isinstance(value, str) and isinstance(around.parent, ast.Call) and _name(around.parent.func) == "Decimal":
        number = Decimal(value)
        unit = Decimal((0, (1,), int(number.as_tuple().exponent)))
        yield from (("constant", _with(node, value=str(new))) for new in (number + unit, number - unit))


def _of_call(node: ast.Call, _: Surroundings) -> Iterator[Change]:
    name = _name(node.func)
    if isinstance(node.func, ast.Name) and name in _OPPOSITES:
        yield f"{name}/{_OPPOSITES[name]}", _with(node, func=_with(node.func, id=_OPPOSITES[name]))
    for index, keyword in enumerate(node.keywords):
        if keyword.arg and is_optional(node, keyword.arg):
            yield "argument dropped", _with(node, keywords=[*node.keywords[:index], *node.keywords[index + 1 :]])
    last = len(node.args) - 1
    if last >= 0 and not isinstance(node.args[last], ast.Starred) and is_optional(node, last):
        yield "argument dropped", _with(node, args=node.args[:last])


def _of_dict(node: ast.Dict, around: Surroundings) -> Iterator[Change]:
    """Entries of a table of constants, and of a dictionary that is an argument, such as what `model_copy` updates."""
    for n in range(len(node.keys) if around.is_constant or isinstance(around.parent, ast.keyword) else 0):
        keys, values = node.keys[:n] + node.keys[n + 1 :], node.values[:n] + node.values[n + 1 :]
        yield "element dropped", _with(node, keys=keys, values=values)


def _is_condition(node: ast.AST, parent: ast.AST) -> bool:
    is_test = isinstance(parent, ast.If | ast.IfExp | ast.While) and parent.test is node
    return is_test or (isinstance(parent, ast.comprehension) and node in parent.ifs)


def _is_text(node: ast.expr) -> bool:
    return isinstance(node, ast.JoinedStr) or (isinstance(node, ast.Constant) and isinstance(node.value, str))


def _name(function: ast.expr) -> str:
    return function.attr if isinstance(function, ast.Attribute) else getattr(function, "id", "")


def _negated(node: ast.expr) -> ast.expr:
    return ast.UnaryOp(ast.Not(), node)


def _with(node: Node, **fields: object) -> Node:
    """A copy of a node with other fields; the nodes below are shared."""
    made = copy.copy(node)
    for name, value in fields.items():
        setattr(made, name, value)
    return made


def _without_each(parts: list[Node]) -> Iterator[list[Node]]:
    yield from (parts[:n] + parts[n + 1 :] for n in range(len(parts)))


_OPERATORS: dict[type[ast.AST], Callable[[Any, Surroundings], Iterator[Change]]] = {
    ast.Compare: _of_comparison, ast.BinOp: _of_arithmetic, ast.AugAssign: _of_assignment, ast.BoolOp: _of_boolean,
    ast.UnaryOp: _of_sign, ast.Constant: _of_constant, ast.Call: _of_call, ast.Set: _of_elements,
    ast.List: _of_elements, ast.Tuple: _of_elements, ast.Dict: _of_dict, ast.comprehension: _of_filter,
    ast.Expr: _of_statement, ast.Raise: _of_statement, ast.Return: _of_return, ast.Break: _of_jump,
    ast.Continue: _of_jump,
}  # fmt: skip
