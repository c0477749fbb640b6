"""Journal files in folders of this machine: objects copied from a bucket, and journals of simulated days."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path

from repeg.adapters.journal.files import StepJournal, read_file
from repeg_workbench.journal.simulated import read_lines
from repeg_workbench.operate.failures import CannotOperate

OBJECTS = "*.jsonl.gz"
SIMULATED = "journal.jsonl"
_FEWEST_TO_NAME = 4


def files_in(places: Iterable[Path]) -> list[Path]:
    """The journal files in these folders and below, and these files themselves, each once and in order."""
    found: dict[Path, None] = {}
    for place in places:
        below = [place] if place.is_file() else [*sorted(place.rglob(OBJECTS)), *sorted(place.rglob(SIMULATED))]
        found.update(dict.fromkeys(below))
    return list(found)


def require_one_day(keys: Iterable[str]) -> None:
    """Refuse several simulated days of one run, by the keys of its steps: each file is a whole run, and they would
    be read as one. Raises CannotOperate."""
    days = [str(Path(key).parent) for key in keys if Path(key).name == SIMULATED]
    if len(days) > 1:
        named = ", ".join(days[:_FEWEST_TO_NAME]) + (", …" if len(days) > _FEWEST_TO_NAME else "")
        raise CannotOperate(f"folder: {len(days)} simulated days of the same run ({named}); name one day's folder")


def steps_in(files: Iterable[Path]) -> Iterator[StepJournal]:
    """Each file's journal. One that cannot be read has that as its problem."""
    for file in files:
        try:
            body = file.read_bytes()
        except OSError as error:
            yield StepJournal(str(file), problems=[f"it cannot be read ({error.strerror})"])
            continue
        yield read_file(str(file), body) if file.suffix == ".gz" else read_lines(str(file), body)
