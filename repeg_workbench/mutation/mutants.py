"""The mutants of a module: where the operators apply, and where they do not."""

from __future__ import annotations

import ast
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from enum import StrEnum
from functools import cached_property
from hashlib import sha256
from typing import Any

from repeg_workbench.mutation.money_modules import path_of
from repeg_workbench.mutation.operators import Surroundings, changes_of

# What is written for people to read. Neither these calls nor what they are given is mutated.
LOGGING = {"journal", "warn", "debug", "info", "warning", "error", "exception", "echo"}
_TEXTS = {"__repr__", "__str__"}
_LONGEST = 110


class Kind(StrEnum):
    """What a mutant changes: a function's body, the default of an argument, a constant, or the default of a field."""

    FUNCTION = "function"
    ARGUMENT = "argument"
    CONSTANT = "constant"
    FIELD = "field"


@dataclass(frozen=True)
class Scope:
    """The function, constant or field that a mutant changes: its qualified name and its node, from the outermost
    function on. `argument` is the name of an argument with a default."""

    kind: Kind
    name: str
    node: Any = None
    returns: str = ""
    argument: str = ""


@dataclass(frozen=True)
class Slot:
    """The place of a node in the tree: a field of its parent, and the index if that is a list."""

    parent: Any
    name: str
    index: int | None

    def put(self, node: ast.AST) -> None:
        """Put a node there."""
        if self.index is None:
            setattr(self.parent, self.name, node)
        else:
            getattr(self.parent, self.name)[self.index] = node


@dataclass(frozen=True)
class Mutant:
    """One small fault. `lines` are those of the innermost statement, or of the head of a compound one; of a jump, those
    of the branch that ends in it."""

    module: str
    scope: Scope
    operator: str
    before: str
    after: str
    lines: range
    slot: Slot = field(repr=False, compare=False)
    old: ast.AST = field(repr=False, compare=False)
    new: ast.AST = field(repr=False, compare=False)
    number: int = 1

    @property
    def key(self) -> str:
        """Its name, which does not depend on line numbers: the place, the old text and the new; numbered if there are
        several."""
        text = f"{self.module}.{self.scope.name}: {self.before} → {self.after}"
        return text if self.number == 1 else f"{text} ({self.number})"


class MutatedModule:
    """A module's tree and its mutants. `digest` changes when the code does, but not with comments or line numbers."""

    def __init__(self, name: str, text: str | None = None) -> None:
        self.name = name
        self.path = path_of(name)
        self.tree = ast.parse(self.path.read_text(encoding="utf-8") if text is None else text)
        self.digest = sha256(ast.dump(self.tree).encode()).hexdigest()[:16]

    @cached_property
    def mutants(self) -> dict[str, Mutant]:
        """Every mutant by its key, in the order of the text."""
        seen: Counter[str] = Counter()
        found = {}
        for mutant in _Finder(self).all():
            seen[mutant.key] += 1
            numbered = replace(mutant, number=seen[mutant.key])
            found[numbered.key] = numbered
        return found

    @contextmanager
    def mutated(self, mutant: Mutant) -> Iterator[ast.Module]:
        """The module's tree with a mutant in it, for the length of the block."""
        mutant.slot.put(ast.fix_missing_locations(ast.copy_location(mutant.new, mutant.old)))
        try:
            yield self.tree
        finally:
            mutant.slot.put(mutant.old)


class _Finder:
    """Walks a module and finds its mutants."""

    def __init__(self, module: MutatedModule) -> None:
        self._module = module
        self._has_conditions = "dynamodb" in module.name

    def all(self) -> Iterator[Mutant]:
        for node in self._module.tree.body:
            yield from self._top_level(node, "")

    def _top_level(self, node: ast.stmt, owner: str) -> Iterator[Mutant]:
        match node:
            case ast.ClassDef():
                for each in node.body:
                    yield from self._top_level(each, f"{node.name}.")
            case ast.FunctionDef() if node.name not in _TEXTS:
                yield from self._function(node, owner)
            case (
                ast.Assign(targets=[ast.Name(id=name)], value=ast.expr() as value)
                | ast.AnnAssign(target=ast.Name(id=name), value=ast.expr() as value)
            ) if not _is_alias(value):
                kind = Kind.FIELD if owner else Kind.CONSTANT
                yield from self._walk(Slot(node, "value", None), value, Scope(kind, owner + name, node), lines_of(node))

    def _function(self, node: ast.FunctionDef, owner: str) -> Iterator[Mutant]:
        returns = ast.unparse(node.returns) if node.returns else ""
        scope = Scope(Kind.FUNCTION, owner + node.name, node, returns)
        yield from self._body(node, scope)
        tail = [*node.args.posonlyargs, *node.args.args][
            len(node.args.posonlyargs + node.args.args) - len(node.args.defaults) :
        ]
        for names, fieldname in ((tail, "defaults"), (node.args.kwonlyargs, "kw_defaults")):
            for index, default in enumerate(getattr(node.args, fieldname)):
                if default is not None:
                    at = replace(scope, kind=Kind.ARGUMENT, argument=names[index].arg)
                    yield from self._walk(Slot(node.args, fieldname, index), default, at, lines_of(node))

    def _body(self, node: Any, scope: Scope) -> Iterator[Mutant]:
        """The statements in a function or in a compound statement."""
        for name in ("body", "orelse", "handlers", "finalbody"):
            for index, each in enumerate(getattr(node, name, None) or []):
                if isinstance(each, ast.stmt | ast.ExceptHandler) and not _is_for_people(each):
                    jumps = isinstance(each, ast.Break | ast.Continue)
                    # Python may count a jump as the line that it jumps to, so the line before it counts, too.
                    lines = range(node.lineno, each.lineno + 1) if jumps else lines_of(each)
                    yield from self._walk(Slot(node, name, index), each, scope, lines)

    def _walk(self, slot: Slot, node: ast.AST, scope: Scope, lines: range) -> Iterator[Mutant]:
        around = Surroundings(slot.parent, scope.returns, scope.kind is Kind.CONSTANT, self._has_conditions)
        for operator, new in changes_of(node, around):
            before, after = _texts_of(operator, node, new)
            yield Mutant(self._module.name, scope, operator, before, after, lines, slot, node, new)
        if isinstance(node, ast.stmt | ast.ExceptHandler):
            yield from self._body(node, scope)
        for name, child in _parts(node, self._has_conditions):
            children = child if isinstance(child, list) else [child]
            for index, each in enumerate(children):
                if isinstance(each, ast.AST):
                    at = Slot(node, name, index if isinstance(child, list) else None)
                    yield from self._walk(at, each, scope, lines)


def _parts(node: ast.AST, has_conditions: bool) -> Iterator[tuple[str, Any]]:  # noqa: FBT001
    """The fields of a node that are mutated, apart from the statements in it."""
    statements = (
        {"body", "orelse", "handlers", "finalbody"} if isinstance(node, ast.stmt | ast.ExceptHandler) else set()
    )
    hidden = statements | {"annotation", "ctx", "op", "ops", "returns", "decorator_list", "args_", "target", "targets"}
    if isinstance(node, ast.FunctionDef):
        hidden |= {"args"}
    if isinstance(node, ast.Raise):
        return  # its message
    if isinstance(node, ast.JoinedStr) and not has_conditions:
        return
    if isinstance(node, ast.FormattedValue | ast.MatchClass | ast.MatchValue):
        return
    yield from ((name, child) for name, child in ast.iter_fields(node) if name not in hidden)


def _is_for_people(node: ast.AST) -> bool:
    """Whether a statement is a docstring or a line of a log."""
    if not isinstance(node, ast.Expr):
        return False
    if isinstance(node.value, ast.Constant):
        return True
    call = node.value.func if isinstance(node.value, ast.Call) else None
    return isinstance(call, ast.Attribute) and call.attr in LOGGING


def _is_alias(value: ast.expr) -> bool:
    """Whether a constant is the name of a type."""
    if isinstance(value, ast.BinOp) and isinstance(value.op, ast.BitOr):
        return _is_alias(value.left) and _is_alias(value.right)
    name = value.id if isinstance(value, ast.Name) else ""
    return (
        isinstance(value, ast.Subscript)
        or name in {"str", "int", "bool"}
        or (name[:1].isupper() and not name.isupper())
    )


def lines_of(node: Any) -> range:
    """The lines of a simple statement, or of the head of a compound one."""
    body = getattr(node, "body", None)
    end = body[0].lineno - 1 if isinstance(body, list) and body else node.end_lineno
    return range(node.lineno, max(node.lineno, end) + 1)


def _texts_of(operator: str, old: ast.AST, new: ast.AST) -> tuple[str, str]:
    """What a mutant is called: the old text and the new; of something dropped, that alone."""
    if not operator.endswith("dropped") or isinstance(old, ast.UnaryOp):
        return _text(old), _text(new)
    left = [new] if not isinstance(new, type(old)) else list(ast.iter_child_nodes(new))
    gone = [each for each in ast.iter_child_nodes(old) if not any(each is other for other in left)]
    return ": ".join(_text(each) for each in gone if not isinstance(each, ast.boolop)), "dropped"


def _text(node: ast.AST) -> str:
    """A node as text on one line, shortened."""
    text = " ".join(ast.unparse(node).split())
    return text if len(text) <= _LONGEST else f"{text[: _LONGEST // 2]} … {text[-_LONGEST // 2 :]}"
