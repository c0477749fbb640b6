"""Plants a bug in the deployed code for the length of a block."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

Place = tuple[Any, str]


@dataclass(frozen=True)
class PlantedBug:
    """A bug and the names it replaces. `make` gets the originals under the same keys as `places`."""

    description: str
    make: Callable[[Mapping[str, Any]], dict[str, Any]]
    places: Mapping[str, Place]


@contextmanager
def planted(bug: PlantedBug | None) -> Iterator[None]:
    """Replace a bug's originals in every module that has imported them; None plants nothing."""
    if bug is None:
        yield
        return
    replacements = bug.make({key: getattr(*place) for key, place in bug.places.items()})
    # vars(), not getattr(): a static method must be restored as a static method.
    put = [(owner, attribute, vars(owner)[attribute], replacements[key])
           for key, place in bug.places.items() for owner, attribute in _everywhere(place)]  # fmt: skip
    try:
        for owner, attribute, _, new in put:
            setattr(owner, attribute, new)
        yield
    finally:
        for owner, attribute, old, _ in put:
            setattr(owner, attribute, old)


def _everywhere(place: Place) -> list[Place]:
    """The place itself, or every module of `repeg` and `functions` that has imported the same object."""
    owner, attribute = place
    original = getattr(owner, attribute)
    if not callable(original) or isinstance(owner, type):
        return [place]
    ours = [module for name, module in sorted(sys.modules.items()) if name.startswith(("repeg.", "functions."))]
    found = [(module, name) for module in ours for name, value in vars(module).items() if value is original]
    return found or [place]
