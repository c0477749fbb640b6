"""Which arguments of the program's functions, methods and models may be left out, found by their names."""

from __future__ import annotations

import ast
from collections import defaultdict
from collections.abc import Iterator
from functools import cache

from repeg_workbench.mutation.money_modules import LAYER

# Of Python itself. Not `strict` of zip, which checks what is true anyway, and not the start of `sum`, which is zero.
_BUILT_IN: dict[str, set[str | int]] = {
    "sorted": {"key", "reverse"}, "min": {"key", "default"}, "max": {"key", "default"}, "next": {1},
    "get": {1}, "setdefault": {1},
}  # fmt: skip


def is_optional(call: ast.Call, argument: str | int) -> bool:
    """Whether a call may leave out a keyword, or the last of its positional arguments, by its index."""
    name = call.func.attr if isinstance(call.func, ast.Attribute) else getattr(call.func, "id", "")
    if name == "replace" and isinstance(argument, str) and isinstance(call.func, ast.Name):
        return True  # dataclasses.replace: the field keeps its value
    return argument in _optional().get(name, set())


@cache
def _optional() -> dict[str, set[str | int]]:
    """The optional arguments by the callee's name: keywords, and positions counted without `self`."""
    found: defaultdict[str, set[str | int]] = defaultdict(set)
    for name, arguments in _BUILT_IN.items():
        found[name] |= arguments
    for path in sorted(LAYER.rglob("*.py")):
        tree = ast.parse(path.read_text(encoding="utf-8"))
        for node in ast.walk(tree):
            if isinstance(node, ast.FunctionDef):
                found[node.name] |= set(_of_function(node))
            elif isinstance(node, ast.ClassDef):
                found[node.name] |= set(_of_fields(node))
    return dict(found)


def _of_function(function: ast.FunctionDef) -> Iterator[str | int]:
    arguments = function.args
    positional = [*arguments.posonlyargs, *arguments.args]
    is_method = bool(positional) and positional[0].arg in {"self", "cls"}
    for index, argument in list(enumerate(positional))[len(positional) - len(arguments.defaults) :]:
        yield argument.arg
        yield index - is_method
    yield from (a.arg for a, default in zip(arguments.kwonlyargs, arguments.kw_defaults, strict=True) if default)


def _of_fields(model: ast.ClassDef) -> Iterator[str | int]:
    fields = [each for each in model.body if isinstance(each, ast.AnnAssign) and isinstance(each.target, ast.Name)]
    for index, field in enumerate(fields):
        if field.value is not None and isinstance(field.target, ast.Name):
            yield field.target.id
            yield index
