"""`repeg what-if`: a run's decisions under other settings, and where each order's path would have changed."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from pydantic import ValidationError
from rich.table import Table

from repeg.domain.settings import Settings
from repeg.domain.symbol_settings import STORED
from repeg_workbench.explain.figures import clock, plural
from repeg_workbench.explain.found import Place, RunJournal, find_journal
from repeg_workbench.operate.answer import DONE, UNFINISHED, Answer, listed, table
from repeg_workbench.operate.failures import CannotOperate
from repeg_workbench.operate.workstation import Workstation
from repeg_workbench.what_if.again import Again, decided_again
from repeg_workbench.what_if.changes import read_changes, remarks
from repeg_workbench.what_if.paths import Difference, Path

MOST_SHOWN = 5
NOT_WHOLE = "Not everything could be made again as it was, so the above may lack something"

UNKNOWN = (
    "From its change on, what the market would have answered is not known: neither the fills of the other orders, nor "
    "what they would have moved. Nothing after it is decided again."
)
CASH_UNKNOWN = (
    "Cash is one for all orders. Where an order's path changes, the buys that waited for its cash may have got more or "
    "less of it after {at}; an order that is said to be unchanged is so on the cash that there was."
)


NOT_AGAIN = (
    "Not made again, since the journal has no inputs of them: budgets, which are counted when an order is written; how "
    "many shares a move takes over, which are those that its predecessor has left; what follows a broker's refusal; "
    "and what a buy needs of the cash beside its collar."
)


def what_if(at: Workstation, place: Place, assignments: tuple[str, ...]) -> Answer:
    """The comparison, or without an assignment the check that the same settings decide the same.

    Code 1 if a decision could not be made again as it was. Raises CannotOperate for a run that is not there,
    InvalidInput for a setting that is unknown or not valid.
    """
    journal = find_journal(at, place)
    base = _settings_of(journal)
    changes = read_changes(assignments, base, journal.symbols)
    again = decided_again(journal.entries, changes, base)
    wrong = [*journal.problems, *again.problems]
    said = list(remarks(changes)) if assignments else []
    unsized = listed(
        "Sent for other sizes than the rule's, by a budget or the shares held", again.not_sized, MOST_SHOWN
    )
    notes = [*(f"Note: {each}" for each in said), NOT_AGAIN, *unsized]
    text = [*_head(journal, again), *_found(again), *notes, *listed(NOT_WHOLE, wrong, MOST_SHOWN)]
    data = {
        "run_id": journal.run_id,
        "settings": changes.in_words,
        "decisions": again.made,
        "sizes": again.sized,
        "not_sized": again.not_sized,
        "not_made_again": NOT_AGAIN,
        "run": [_as_json(each) for each in again.run],
        "orders": [_path_as_json(path) for _, path in sorted(again.paths.items())],
        "remarks": said,
        "problems": wrong,
    }
    return Answer(data, text, UNFINISHED if wrong else DONE)


def _settings_of(journal: RunJournal) -> Settings:
    """The settings of a decision, the one of a symbol without settings of its own if there is one."""
    found: Settings | None = None
    for each in journal.entries:
        if "settings" not in each.inputs:
            continue
        try:
            found = Settings.model_validate(each.inputs["settings"], context=STORED)
        except ValidationError:
            continue
        if each.entry.subject not in found.symbols:
            return found
    if found is None:
        raise CannotOperate(f"run: the journal of {journal.run_id} has no decision that settings were an input of")
    return found


def _head(journal: RunJournal, again: Again) -> Iterator[str]:
    with_what = f"with {again.changes.in_words}" if again.changes.names else "with the same settings"
    made = f"{plural(again.made, 'decision')} and {plural(again.sized, 'size')} of orders"
    yield f"{journal.run_id} {with_what}: {made} made again from the journal's inputs."
    if not again.changes.names and not again.problems:
        yield "Each is the same. --set NAME=VALUE makes them with another setting."


def _found(again: Again) -> Iterator[str | Table]:
    if not again.changes.names:
        return
    for each in again.run:
        yield f"The run at {clock(each.at)}: {each.was}; would have been: {each.instead}."
    paths = [path for _, path in sorted(again.paths.items())]
    for path in paths:
        for each in path.bounds:
            yield f"{path.symbol} at {clock(each.at)}: {each.was}; would have been: {each.instead}."
    changed = [path for path in paths if path.change is not None]
    if changed:
        yield ""
        yield _table(changed)
        yield ""
        yield UNKNOWN
    same = ", ".join(path.symbol for path in paths if path.change is None)
    yield f"Unchanged to the end: {same}." if same else "No order's path is the same to its end."
    if changed and again.first_change is not None:
        yield CASH_UNKNOWN.format(at=clock(again.first_change))


def _table(changed: Sequence[Path]) -> Table:
    made = table("symbol", "same for", "until", "was", "reason")
    made.columns[-1].header = "would have been"
    made.columns[-2].no_wrap = False
    for path in changed:
        if path.change is not None:
            same = plural(max(0, path.made - 1), "decision")
            made.add_row(path.symbol, same, clock(path.change.at), path.change.was, path.change.instead)
    return made


def _path_as_json(path: Path) -> dict[str, Any]:
    change = None if path.change is None else _as_json(path.change)
    bounds = [_as_json(each) for each in path.bounds]
    return {"symbol": path.symbol, "made": path.made, "not_made": path.left, "change": change, "bounds": bounds}


def _as_json(difference: Difference) -> dict[str, Any]:
    return {"at": difference.at, "was": difference.was, "instead": difference.instead}
