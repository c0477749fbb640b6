"""The journal of a simulated day, as `repeg simulate --out` keeps it."""

from __future__ import annotations

from collections.abc import Iterable
from io import StringIO
from pathlib import Path

from repeg.domain.journal import Entry
from repeg_workbench.journal.folder import SIMULATED
from repeg_workbench.journal.simulated import JournalWriter


def kept_lines(entries: Iterable[Entry]) -> list[str]:
    """The lines of a journal of these entries, sealed."""
    file = StringIO()
    journal = JournalWriter(file)
    for entry in entries:
        journal.record(entry)
    journal.seal()
    return file.getvalue().splitlines()


def keep(folder: Path, lines: Iterable[str]) -> Path:
    """Write lines as a folder's journal; returns the file."""
    file = folder / SIMULATED
    file.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
    return file
