"""Where a mutant has its effect: the lines of code that a test must run to have a chance of seeing it."""

from __future__ import annotations

import ast
from collections import defaultdict
from functools import cache

from repeg_workbench.mutation.money_modules import LAYER, module_of, path_of
from repeg_workbench.mutation.mutants import Kind, Mutant, lines_of

Lines = dict[str, frozenset[int]]


def lines_to_run(mutant: Mutant) -> Lines:
    """Lines by module, of which a test must run at least one.

    A statement's own; of a default argument, those of its function; of a constant, those that name it; of a field,
    those that name its class, and all of its module.
    """
    if mutant.scope.kind is Kind.FUNCTION:
        return {mutant.module: frozenset(mutant.lines)}
    if mutant.scope.kind is Kind.ARGUMENT:
        node = mutant.scope.node
        return {mutant.module: frozenset(range(node.body[0].lineno, node.end_lineno + 1))}
    owner, _, field = mutant.scope.name.partition(".")
    naming = _lines_naming(owner)
    return {**naming, mutant.module: _every_line(mutant)} if field else naming


def _every_line(mutant: Mutant) -> frozenset[int]:
    return frozenset(range(1, len(path_of(mutant.module).read_text(encoding="utf-8").splitlines()) + 1))


def _lines_naming(name: str) -> Lines:
    """The lines in functions that name a constant or a class, or a constant made of it."""
    found: defaultdict[str, set[int]] = defaultdict(set)
    names, new = {name}, [name]
    while new:
        for module, constant, lines in _mentions().get(new.pop(), []):
            if constant and constant not in names:
                names.add(constant)
                new.append(constant)
            found[module] |= lines
    return {module: frozenset(lines) for module, lines in found.items()}


@cache
def _mentions() -> dict[str, list[tuple[str, str, frozenset[int]]]]:
    """By name: the modules and lines of the statements that have it, and the constant that such a statement defines."""
    found: defaultdict[str, list[tuple[str, str, frozenset[int]]]] = defaultdict(list)
    for path in sorted(LAYER.rglob("*.py")):
        tree = ast.parse(path.read_text(encoding="utf-8"))
        for node in ast.walk(tree):
            if isinstance(node, ast.FunctionDef):
                for name in _names_in_defaults(node):
                    body = range(node.body[0].lineno, (node.end_lineno or node.lineno) + 1)
                    found[name].append((module_of(path), "", frozenset(body)))
            if not isinstance(node, ast.stmt) or isinstance(node, ast.ClassDef | ast.FunctionDef | ast.ImportFrom):
                continue
            constant = _constant(node) if node in tree.body else ""
            for name in _names_in_head(node):
                found[name].append((module_of(path), constant, frozenset(lines_of(node))))
    return dict(found)


def _constant(node: ast.stmt) -> str:
    target = node.targets[0] if isinstance(node, ast.Assign) else getattr(node, "target", None)
    return target.id if isinstance(target, ast.Name) else ""


def _names_in_defaults(node: ast.FunctionDef) -> set[str]:
    defaults = [*node.args.defaults, *filter(None, node.args.kw_defaults)]
    return {each.id for default in defaults for each in ast.walk(default) if isinstance(each, ast.Name)}


def _names_in_head(node: ast.stmt) -> set[str]:
    """The names in a statement, without those in the statements inside it."""
    found, left = set(), [each for each in ast.iter_child_nodes(node) if not isinstance(each, ast.stmt)]
    while left:
        each = left.pop()
        if isinstance(each, ast.Name | ast.Attribute):
            found.add(each.id if isinstance(each, ast.Name) else each.attr)
        left += [child for child in ast.iter_child_nodes(each) if not isinstance(child, ast.stmt)]
    return found
