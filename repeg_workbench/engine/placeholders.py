"""Modules put in the place of others, so that a library can be imported without all that it imports in its turn."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from types import ModuleType


@contextmanager
def in_place_of(modules: Mapping[str, ModuleType | None]) -> Iterator[None]:
    """While this lasts, an import of these names gives these modules, or fails for None; what is loaded already stays.

    Whoever imports the names afterwards gets the real ones.
    """
    placed = {name: module for name, module in modules.items() if name not in sys.modules}
    sys.modules.update(placed)  # type: ignore[arg-type]  # None is how an import is made to fail
    try:
        yield
    finally:
        for name in placed:
            del sys.modules[name]
