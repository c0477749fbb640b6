"""Temporary changes to another package's objects."""

from __future__ import annotations

from types import TracebackType
from typing import Any, Self

_MISSING = object()


class Patches:
    """Replaces attributes for the duration of a context and restores the originals in reverse order."""

    def __init__(self) -> None:
        self._originals: list[tuple[Any, str, Any]] = []

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.undo()

    def replace(self, owner: Any, name: str, value: Any) -> Any:
        """Set `owner.name` and return the original. Raises AttributeError if there is none."""
        original = getattr(owner, name)
        self._originals.append((owner, name, vars(owner).get(name, _MISSING)))
        setattr(owner, name, value)
        return original

    def add(self, owner: Any, name: str, value: Any) -> None:
        """Set `owner.name`, which does not exist yet."""
        self._originals.append((owner, name, _MISSING))
        setattr(owner, name, value)

    def undo(self) -> None:
        """Restore every original."""
        while self._originals:
            owner, name, original = self._originals.pop()
            if original is _MISSING:
                delattr(owner, name)
            else:
                setattr(owner, name, original)
