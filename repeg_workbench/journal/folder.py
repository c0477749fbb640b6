"""Journal files in folders of this machine: objects copied from a bucket, and journals of simulated days."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path

from repeg.adapters.journal.files import StepJournal, read_file
from repeg_workbench.journal.simulated import read_lines

OBJECTS = "*.jsonl.gz"
SIMULATED = "journal.jsonl"


def files_in(places: Iterable[Path]) -> list[Path]:
    """The journal files in these folders and below, and these files themselves, each once and in order."""
    found: dict[Path, None] = {}
    for place in places:
        below = [place] if place.is_file() else [*sorted(place.rglob(OBJECTS)), *sorted(place.rglob(SIMULATED))]
        found.update(dict.fromkeys(below))
    return list(found)


def steps_in(files: Iterable[Path]) -> Iterator[StepJournal]:
    """Each file's journal. One that cannot be read has that as its problem."""
    for file in files:
        try:
            body = file.read_bytes()
        except OSError as error:
            yield StepJournal(str(file), problems=[f"it cannot be read ({error.strerror})"])
            continue
        yield read_file(str(file), body) if file.suffix == ".gz" else read_lines(str(file), body)
