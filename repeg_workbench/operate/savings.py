"""`repeg savings`: what the journals of all runs say of the cost of taking, and of what the policy saves."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from rich.table import Table

from repeg.adapters.journal.bucket import keys_since
from repeg.adapters.journal.files import StepJournal, read_file
from repeg.domain.savings import savings_of
from repeg_workbench.journal.folder import OBJECTS, SIMULATED, files_in, steps_in
from repeg_workbench.operate.answer import DONE, UNFINISHED, Answer, listed
from repeg_workbench.operate.failures import CannotOperate
from repeg_workbench.operate.stack import find_stack
from repeg_workbench.operate.watch import BUCKET
from repeg_workbench.operate.workstation import Workstation
from repeg_workbench.savings.collect import Collected, remarks
from repeg_workbench.savings.shown import shown, verdict

# The steps that draw orders and that end runs; the journals of the others are not read.
STEPS = ("ValidateQuotes", "CloseRun")
MOST_SHOWN = 20


@dataclass(frozen=True)
class Request:
    """The command's arguments: folders, or else a stack; the first day, as given."""

    folders: Sequence[str]
    stack: str | None
    since: str | None


def savings(at: Workstation, request: Request) -> Answer:
    """The analysis of all journals. Code 1 if something of them could not be read. Raises CannotOperate."""
    since = date_of(request.since)
    collected = Collected()
    collected.read(steps_of(at, request, since), since)
    orders = [order for _, order in sorted(collected.orders.items())]
    found = savings_of(order for order in orders if since is None or order.day >= since)
    said = list(remarks(collected))
    data = {
        **found.model_dump(mode="json"),
        "verdict": verdict(found),
        "remarks": said,
        "problems": collected.problems,
        "unmeasured": [
            {"run_id": run_id, "symbol": symbol, "arm": arm} for (run_id, symbol), arm in collected.unmeasured.items()
        ],
    }
    problems = listed("Not readable", collected.problems, MOST_SHOWN)
    text: list[str | Table] = [*shown(found), *listed("Remarks", said, MOST_SHOWN), *problems]
    return Answer(data, text, UNFINISHED if collected.problems or collected.unmeasured else DONE)


def steps_of(at: Workstation, request: Request, since: date | None) -> Iterable[StepJournal]:
    """The journals of the request's folders or stack, as far as savings need them. Raises CannotOperate."""
    if request.folders and request.stack:
        raise CannotOperate(f"stack: {request.stack} is given beside folders; name either folders or a stack")
    return _of_folders(request.folders) if request.folders else _of_stack(at, request.stack, since)


def _of_folders(folders: Sequence[str]) -> Iterator[StepJournal]:
    places = [Path(folder) for folder in folders]
    for place in places:
        if not place.exists():
            raise CannotOperate(f"folder: {place} does not exist; copy the journals with `aws s3 cp --recursive`")
    files = files_in(places)
    if not files:
        raise CannotOperate(f"folder: no {OBJECTS} and no {SIMULATED} in {', '.join(map(str, places))} or below")
    return steps_in(files)


def _of_stack(at: Workstation, name: str | None, since: date | None) -> Iterator[StepJournal]:
    stack = find_stack(at, name)
    s3, bucket = at.client("s3"), stack.resource(BUCKET)
    for key in keys_since(s3, bucket, since, STEPS):
        yield read_file(key, s3.get_object(Bucket=bucket, Key=key)["Body"].read())


def date_of(text: str | None) -> date | None:
    """The first day, as given. Raises CannotOperate if it is no date."""
    try:
        return None if text is None else date.fromisoformat(text)
    except ValueError:
        raise CannotOperate(f"since: {text!r} is not valid; expected a date such as 2026-11-23") from None
