"""Puts a bug into the deployed code for a while, and takes it out again."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

Place = tuple[Any, str]


@dataclass(frozen=True)
class PlantedBug:
    """A bug: what it imitates, and the names it replaces. `make` gets the originals by the same keys."""

    story: str
    make: Callable[[Mapping[str, Any]], dict[str, Any]]
    places: Mapping[str, Place]


@contextmanager
def planted(mutant: PlantedBug | None) -> Iterator[None]:
    """Plant a mutant for the length of a block, wherever its originals have been imported; None plants nothing."""
    if mutant is None:
        yield
        return
    replacements = mutant.make({key: getattr(*place) for key, place in mutant.places.items()})
    # What is restored is the attribute as it stands in the class, a static method still being one.
    put = [(owner, attribute, vars(owner)[attribute], replacements[key])
           for key, place in mutant.places.items() for owner, attribute in _everywhere(place)]  # fmt: skip
    try:
        for owner, attribute, _, new in put:
            setattr(owner, attribute, new)
        yield
    finally:
        for owner, attribute, old, _ in put:
            setattr(owner, attribute, old)


def _everywhere(place: Place) -> list[Place]:
    """The place itself, and every module of ours that has imported the same thing."""
    owner, attribute = place
    original = getattr(owner, attribute)
    if not callable(original) or isinstance(owner, type):
        return [place]
    ours = [module for name, module in sorted(sys.modules.items()) if name.startswith(("repeg.", "functions."))]
    found = [(module, name) for module in ours for name, value in vars(module).items() if value is original]
    return found or [place]
