"""Plants a bug in the deployed code for the length of a block: names replaced, or lines of a function rewritten."""

from __future__ import annotations

import functools
import importlib
import inspect
import pkgutil
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from types import FunctionType
from typing import Any

import repeg
from repeg_workbench.faults.function_service import FOLDERS

Place = tuple[Any, str]

# Where a bug is planted: the deployed code, and tests that have imported names of it. Not the workbench: a judge that
# uses a rule of the program must not share its bug.
PLANTED_IN = ("repeg.", "functions.", "tests.")


@dataclass(frozen=True)
class PlantedBug:
    """A bug and the names it replaces. `make` gets the originals under the same keys as `places`.

    `seen_by` is the test that fails with the bug planted, for a bug that few simulated days show, or
    none; it is left out of the search by seeds.
    """

    description: str
    make: Callable[[Mapping[str, Any]], dict[str, Any]]
    places: Mapping[str, Place]
    seen_by: str = ""


@dataclass(frozen=True)
class Edit:
    """One change to the source of a function, as a maintainer would make it: `old` occurs once, and becomes `new`.

    `owner` is the module or the class that the function is defined in.
    """

    owner: Any
    function: str
    old: str
    new: str


def edited(description: str, *edits: Edit, seen_by: str = "") -> PlantedBug:
    """A bug made of edits; several edits of one function are made one after the other."""
    places: dict[str, Place] = {f"{edit.owner.__name__}.{edit.function}": (edit.owner, edit.function) for edit in edits}

    def make(_: Mapping[str, Any]) -> dict[str, Any]:
        return {key: _rewritten(tuple(e for e in edits if (e.owner, e.function) == place))
                for key, place in places.items()}  # fmt: skip

    return PlantedBug(description, make, places, seen_by)


def set_to(description: str, owner: Any, name: str, value: Any, seen_by: str = "") -> PlantedBug:
    """A bug that is a wrong constant of a module."""
    return PlantedBug(description, lambda _: {name: value}, {name: (owner, name)}, seen_by)


@contextmanager
def planted(bug: PlantedBug | None) -> Iterator[None]:
    """Replace a bug's originals in every module that has imported them; None plants nothing."""
    if bug is None:
        yield
        return
    _import_all()
    replacements = bug.make({key: getattr(*place) for key, place in bug.places.items()})
    # vars(), not getattr(): a static method must be restored as a static method.
    put = [(owner, attribute, vars(owner)[attribute], replacements[key])
           for key, place in bug.places.items() for owner, attribute in _everywhere(place)]  # fmt: skip
    try:
        for owner, attribute, _, new in put:
            setattr(owner, attribute, new)
        _forget_answers()
        yield
    finally:
        for owner, attribute, old, _ in put:
            setattr(owner, attribute, old)
        _forget_answers()


@functools.cache
def _import_all() -> None:
    """Import the deployed code: a module first imported inside the block would keep the bug for ever."""
    for found in pkgutil.walk_packages(repeg.__path__, "repeg."):
        importlib.import_module(found.name)
    for folder in FOLDERS.values():
        importlib.import_module(f"functions.{folder}.app")


def _forget_answers() -> None:
    """Clear the caches of the deployed code: an answer from before a bug would hide it, and one from it outlive it."""
    for cached in _caches():
        cached.cache_clear()


@functools.cache
def _caches() -> list[Any]:
    modules = [module for name, module in sorted(sys.modules.items()) if name.startswith("repeg.")]
    return [value for module in modules for value in vars(module).values() if hasattr(value, "cache_clear")]


def _everywhere(place: Place) -> list[Place]:
    """The place itself, or every module that has imported the same function, or the same constant under its name."""
    owner, attribute = place
    original = getattr(owner, attribute)
    if isinstance(owner, type):
        return [place]
    modules = [module for name, module in sorted(sys.modules.items()) if name.startswith(PLANTED_IN)]
    found = [(module, name) for module in modules for name, value in list(vars(module).items())
             if value is original and (callable(original) or name == attribute)]  # fmt: skip
    return found or [place]


@functools.cache
def _rewritten(edits: tuple[Edit, ...]) -> Any:
    """The function with its edits, decorated as before and with its own module's globals."""
    owner, name = edits[0].owner, edits[0].function
    function = _plain(vars(owner)[name])
    source = inspect.getsource(function)
    for edit in edits:
        if source.count(edit.old) != 1:
            raise ValueError(f"{owner.__name__}.{name} has {edit.old!r} {source.count(edit.old)} times, not once")
        source = source.replace(edit.old, edit.new)
    made: dict[str, Any] = {}
    source = f"if True:\n{source}" if source[0] == " " else source  # a method is indented
    exec(compile(source, f"<{name} with a planted bug>", "exec"), function.__globals__, made)  # noqa: S102 - source of our own
    return made[name]


def _plain(found: Any) -> FunctionType:
    """The function behind a property, a static method or a decorator."""
    for attribute in ("fget", "func", "__func__"):
        found = getattr(found, attribute, None) or found
    function = inspect.unwrap(found)
    if not isinstance(function, FunctionType):
        raise TypeError(f"{found} is not a function")
    return function
