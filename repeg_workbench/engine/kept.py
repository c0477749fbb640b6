"""JSON values kept in files between processes: what takes long to compute and depends on a text alone.

The files are in `repeg` in the user's cache folder. Each is named after its basis, so a changed basis is another file;
one that cannot be read or written is computed again.
"""

# ruff: noqa: TID251 - the user's cache folder is named by the environment
from __future__ import annotations

import hashlib
import json
import os
import tempfile
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

# Above this number the oldest files are deleted.
MOST_FILES = 64


def folder() -> Path:
    """The folder of the files, which need not exist."""
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "repeg"


def kept(kind: str, basis: list[str], make: Callable[[], Any], at: Path | None = None) -> Any:
    """What `make` returned for the same basis before, in this process or another, or else what it returns now.

    The value must be JSON. The basis is everything that it depends on, versions of packages included.
    """
    name = f"{kind}-{hashlib.sha256(json.dumps(basis).encode()).hexdigest()[:40]}.json"
    path = (at or folder()) / name
    with suppress(OSError, ValueError):
        return json.loads(path.read_bytes())
    text = json.dumps(make())
    with suppress(OSError):
        _write(path, text)
    return json.loads(text)


def _write(path: Path, text: str) -> None:
    """Write the file whole or not at all: another process may read or write it at the same time."""
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, temporary = tempfile.mkstemp(dir=path.parent)
    with os.fdopen(handle, "w", encoding="utf-8") as file:
        file.write(text)
    Path(temporary).replace(path)
    _delete_oldest(path.parent)


def _delete_oldest(where: Path) -> None:
    files = sorted(where.glob("*.json"), key=lambda file: file.stat().st_mtime)
    for file in files[:-MOST_FILES]:
        file.unlink(missing_ok=True)
