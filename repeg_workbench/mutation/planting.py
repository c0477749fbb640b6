"""Plants a mutant in the modules of this process, as if their files had been written so. Meant for a forked process:
nothing puts the original back."""

from __future__ import annotations

import ast
import functools
import gc
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import MISSING, Field, fields, is_dataclass
from types import CodeType, FunctionType, ModuleType
from typing import Any

from pydantic import BaseModel

from repeg_workbench.mutation.mutants import Kind, Mutant, MutatedModule

# Whose names may be bound to a constant of the program.
_BINDING = ("repeg.", "functions.", "tests.", "repeg_workbench.")
# Values that are one object everywhere: as a default of an argument they say nothing of where they come from.
_SHARED = (int, bool, str, type(None))


class NotPlanted(Exception):
    """A mutant that this process cannot be changed into."""


class SameCode(Exception):
    """A mutant that Python compiles to the code of the original: it changes nothing."""


@functools.cache
def functions_of_program() -> dict[tuple[str, str, int], list[FunctionType]]:
    """Every function of the program by its file, qualified name and first line.

    Objects that `gc.freeze` has set aside, as the command line does, are found too.
    """
    gc.unfreeze()  # the collector does not list what it has set aside
    found: dict[tuple[str, str, int], list[FunctionType]] = {}
    for each in gc.get_objects():
        # Not isinstance, which asks a proxy for the class of what it stands for, and that object may be gone.
        if type(each) is FunctionType and (each.__module__ or "").startswith("repeg."):
            code = each.__code__
            found.setdefault((code.co_filename, code.co_qualname, code.co_firstlineno), []).append(each)
    return found


def plant(source: MutatedModule, mutant: Mutant) -> None:
    """Change this process into the mutant. Raises SameCode or NotPlanted."""
    plants = {Kind.FUNCTION: _plant_code, Kind.ARGUMENT: _plant_argument, Kind.CONSTANT: _plant_constant,
              Kind.FIELD: _plant_field}  # fmt: skip
    plants[mutant.scope.kind](source, mutant, sys.modules[f"repeg.{source.name}"])
    for name, module in sorted(sys.modules.items()):
        if name.startswith("repeg."):
            for value in list(vars(module).values()):
                if hasattr(value, "cache_clear"):
                    value.cache_clear()


def _plant_code(source: MutatedModule, mutant: Mutant, module: ModuleType) -> None:
    """The functions themselves stay, so whoever has imported, decorated or bound them has the mutant too."""
    before = _code_of(source, mutant, str(module.__file__))
    with source.mutated(mutant), _naming(mutant.scope.node, before.co_freevars):
        after = _code_of(source, mutant, str(module.__file__))
    if before == after:
        raise SameCode(mutant.key)
    found = functions_of_program().get((before.co_filename, before.co_qualname, before.co_firstlineno), [])
    if not found or any(function.__code__.co_freevars != after.co_freevars for function in found):
        raise NotPlanted(mutant.key)
    for function in found:
        function.__code__ = after


@contextmanager
def _naming(function: ast.FunctionDef, names: Sequence[str]) -> Iterator[None]:
    """The function with these names in a statement that never runs: they stay variables of its closure, such as the
    `__class__` of a removed `super()`."""
    used: list[ast.stmt] = [ast.Expr(ast.Name(name, ast.Load())) for name in names]
    never = ast.If(ast.Constant(False), used, [])  # noqa: FBT003 - a value in the tree
    if names:
        function.body.insert(0, ast.fix_missing_locations(ast.copy_location(never, function.body[0])))
    try:
        yield
    finally:
        if names:
            function.body.remove(never)


def _code_of(source: MutatedModule, mutant: Mutant, file: str) -> CodeType:
    compiled = compile(source.tree, file, "exec", dont_inherit=True)
    decorators = mutant.scope.node.decorator_list
    line = decorators[0].lineno if decorators else mutant.scope.node.lineno
    for code in codes_in(compiled):
        if (code.co_qualname, code.co_firstlineno) == (mutant.scope.name, line):
            return code
    raise NotPlanted(mutant.key)


def codes_in(code: CodeType) -> Iterator[CodeType]:
    """A code object and those of the functions in it."""
    yield code
    for const in code.co_consts:
        if isinstance(const, CodeType):
            yield from codes_in(const)


def _plant_argument(source: MutatedModule, mutant: Mutant, module: ModuleType) -> None:
    node, name = mutant.scope.node, mutant.scope.argument
    with source.mutated(mutant):
        defaults = [*node.args.defaults, *node.args.kw_defaults]
        names = [each.arg for each in [*node.args.posonlyargs, *node.args.args][-len(node.args.defaults) :]]
        names = names[: len(node.args.defaults)] + [each.arg for each in node.args.kwonlyargs]
        value = _value_of(defaults[names.index(name)], module)
    functions = [each for (file, qualname, _), found in functions_of_program().items() for each in found
                 if file == module.__file__ and qualname == mutant.scope.name]  # fmt: skip
    if not functions:
        raise NotPlanted(mutant.key)
    for function in functions:
        if name in (function.__kwdefaults__ or {}):
            function.__kwdefaults__ = {**(function.__kwdefaults__ or {}), name: value}
        else:
            given = function.__defaults__ or ()
            changed = [value if each == name else old for each, old in zip(names, given, strict=False)]
            function.__defaults__ = tuple(changed)


def _plant_constant(source: MutatedModule, mutant: Mutant, module: ModuleType) -> None:
    """The constant and those of its module that are made of it, wherever they are bound."""
    with source.mutated(mutant):
        statements = source.tree.body[source.tree.body.index(mutant.scope.node) :]
        values, changed = dict(vars(module)), {mutant.scope.name}
        for statement in statements:
            if isinstance(statement, ast.Assign | ast.AnnAssign) and _names(statement) & changed:
                exec(compile(ast.Module([statement], []), str(module.__file__), "exec"), values)  # noqa: S102 - source of our own
                changed |= set(_targets(statement))
    for name in changed:
        _bind(vars(module)[name], name, values[name])


def _names(statement: ast.stmt) -> set[str]:
    return {node.id for node in ast.walk(statement) if isinstance(node, ast.Name)}


def _targets(statement: ast.Assign | ast.AnnAssign) -> Iterator[str]:
    targets = statement.targets if isinstance(statement, ast.Assign) else [statement.target]
    yield from (each.id for each in targets if isinstance(each, ast.Name))


def _bind(original: Any, name: str, value: Any) -> None:
    for module_name, module in sorted(sys.modules.items()):
        if module_name.startswith(_BINDING) and vars(module).get(name) is original:
            setattr(module, name, value)
    if isinstance(original, _SHARED):
        return
    for function in (each for found in functions_of_program().values() for each in found):
        if any(each is original for each in function.__defaults__ or ()):
            function.__defaults__ = tuple(value if each is original else each for each in function.__defaults__ or ())


def _plant_field(source: MutatedModule, mutant: Mutant, module: ModuleType) -> None:
    owner_name, _, name = mutant.scope.name.partition(".")
    owner = getattr(module, owner_name)
    with source.mutated(mutant):
        value = _value_of(mutant.scope.node.value, module)
    if isinstance(owner, type) and issubclass(owner, BaseModel):
        for model in _models(owner):
            model.model_fields[name].default = value
        for model in _models(BaseModel):
            if model.__module__.startswith("repeg."):
                model.model_rebuild(force=True)
    elif is_dataclass(owner):
        _default_of_dataclass(owner, name, value)
    else:
        raise NotPlanted(mutant.key)


def _models(base: type[BaseModel]) -> Iterator[type[BaseModel]]:
    yield base
    for model in base.__subclasses__():
        yield from _models(model)


def _default_of_dataclass(owner: Any, name: str, value: Any) -> None:
    original = getattr(owner, name)
    setattr(owner, name, value)
    with_default = [each.name for each in fields(owner) if _has_default(each)]
    given = owner.__init__.__defaults__ or ()
    if len(with_default) != len(given) or given[with_default.index(name)] is not original:
        raise NotPlanted(f"{owner.__name__}.{name}")
    owner.__init__.__defaults__ = tuple(
        value if each == name else old for each, old in zip(with_default, given, strict=True)
    )


def _has_default(each: Field[Any]) -> bool:
    return each.init and not (each.default is MISSING and each.default_factory is MISSING)


def _value_of(node: ast.expr, module: ModuleType) -> Any:
    return eval(compile(ast.Expression(node), str(module.__file__), "eval"), dict(vars(module)))  # noqa: S307 - source of our own
