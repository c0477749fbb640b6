"""Placeholders for modules, so that a library can be imported without all of its own imports."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from types import ModuleType


@contextmanager
def in_place_of(modules: Mapping[str, ModuleType | None]) -> Iterator[None]:
    """Import these modules under these names; None makes an import fail. Modules already loaded are not replaced.

    After the block, imports of the names load the real modules.
    """
    placed = {name: module for name, module in modules.items() if name not in sys.modules}
    sys.modules.update(placed)  # type: ignore[arg-type]  # None makes an import fail
    try:
        yield
    finally:
        for name in placed:
            del sys.modules[name]
