"""Writes a page to a file, and opens it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from repeg_workbench.operate.failures import CannotOperate

Show = Callable[[str], bool]
"""Opens an address, and says whether it could."""


def write(file: Path, text: str) -> str:
    """Write a page; returns its path. Raises CannotOperate if that fails."""
    try:
        file.write_text(text, encoding="utf-8")
    except OSError as error:
        raise CannotOperate(f"page: {file} cannot be written ({error.strerror})") from None
    return str(file)


def opened(file: str, show: Show | None) -> list[str]:
    """Open a page; what to do if there is no browser."""
    if show is None or show(Path(file).resolve().as_uri()):
        return []
    return ["no browser could be started here; open the file in one"]
