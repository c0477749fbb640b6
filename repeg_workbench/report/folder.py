"""The page of a run from a folder: what `repeg simulate --out` wrote, or copies of a run's objects in a bucket."""

from __future__ import annotations

import json
from collections.abc import Mapping
from decimal import Decimal
from pathlib import Path
from typing import Any

from repeg.domain.run_page.build import page_of
from repeg.domain.run_page.page import Circumstances, RunPage, Usage
from repeg.domain.run_page.reading import amount_of, fields_of, list_of, text_of
from repeg.domain.run_page.record import RunRecord
from repeg_workbench.journal.folder import OBJECTS, SIMULATED, files_in, require_one_day, steps_in
from repeg_workbench.operate.failures import CannotOperate
from repeg_workbench.simulate.published import in_words

SUMMARY = "summary.json"
PAGE = "report.html"
_FEWEST_TO_NAME = 4


def page_of_folder(folder: Path) -> RunPage:
    """The page of the run in a folder. Raises CannotOperate if there is no journal, or more than one run."""
    files = files_in([folder])
    if not files:
        raise CannotOperate(f"folder: no {OBJECTS} and no {SIMULATED} in {folder} or below")
    record, problems, entries = RunRecord(), list[str](), 0
    for step in steps_in(files):
        problems += [f"{Path(step.key).name}: {problem}" for problem in step.problems]
        record.read(step.entries)
        entries += len(step.entries)
    if record.others:
        runs = sorted({record.run_id, *record.others})
        named = ", ".join(runs[:_FEWEST_TO_NAME]) + (", …" if len(runs) > _FEWEST_TO_NAME else "")
        raise CannotOperate(f"folder: {folder} has the journals of {len(runs)} runs ({named}); name one run's folder")
    require_one_day(map(str, files))
    if not entries and not problems:
        problems.append("the journal is empty")
    return page_of(record, circumstances_of(_summary(folder, record.run_id, problems), problems))


def circumstances_of(summary: Mapping[str, Any], problems: list[str]) -> Circumstances:
    """What a simulated day's summary says beside its journal; an empty one says nothing."""
    totals = fields_of(summary.get("totals"))
    orders = [fields_of(order) for order in list_of(summary.get("orders"))]
    return Circumstances(
        mode="simulated" if summary else "",
        outcome=text_of(summary.get("outcome")),
        reason=text_of(summary.get("reason")),
        feed=text_of(summary.get("feed")),
        notes=tuple(_notes(summary)),
        problems=tuple(problems),
        usage=usage_of(totals),
        outcomes={text_of(o.get("symbol")): (text_of(o.get("outcome")), text_of(o.get("reason"))) for o in orders},
    )


def usage_of(totals: Mapping[str, Any]) -> Usage:
    """What a simulated day used."""
    counts = {name: value for name, value in totals.items() if isinstance(value, int)}
    states = fields_of(totals.get("states"))
    return Usage(
        states={name: count for name, count in states.items() if isinstance(count, int)},
        transitions=counts.get("transitions"),
        trading_requests=counts.get("trading_requests"),
        data_requests=counts.get("data_requests"),
        function_seconds=Decimal(counts["function_seconds"]) if "function_seconds" in counts else None,
        dollars=amount_of(totals.get("aws_dollars")),
    )


def _notes(summary: Mapping[str, Any]) -> list[str]:
    notes = [text_of(note) for note in list_of(summary.get("notes"))]
    if text_of(summary.get("market")):
        notes.append(f"The market was {summary['market']}. A day's cost is mostly luck.")
    published = fields_of(summary.get("published"))
    if published:
        notes.append(f"The same plan over many generated days: {in_words(published)}.")
    return notes


def _summary(folder: Path, run_id: str, problems: list[str]) -> Mapping[str, Any]:
    """The summary beside a journal. One that is missing is no problem; one that is of another run, or cannot be read,
    is one."""
    file = (folder if folder.is_dir() else folder.parent) / SUMMARY
    if not file.exists():
        return {}
    try:
        found = fields_of(json.loads(file.read_text(encoding="utf-8")))
    except (OSError, ValueError, RecursionError):
        problems.append(f"{SUMMARY}: it cannot be read")
        return {}
    of = text_of(found.get("run_id"))
    if of and run_id and of != run_id:
        problems.append(f"{SUMMARY}: it is of the run {of}, and is left out")
        return {}
    return found
