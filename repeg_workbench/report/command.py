"""`repeg report`: how a run ended, in words, and as a page."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from repeg.adapters.pages.run_page import run_page
from repeg.domain.amount import counted
from repeg.domain.run_page.page import RunPage
from repeg_workbench.operate import runs
from repeg_workbench.operate.answer import DONE, UNFINISHED, Answer
from repeg_workbench.operate.failures import CannotOperate
from repeg_workbench.operate.savings import Request as Where
from repeg_workbench.operate.stack import find_stack
from repeg_workbench.operate.workstation import Workstation
from repeg_workbench.report.all_runs import report_all
from repeg_workbench.report.deployed import page_of_run
from repeg_workbench.report.folder import PAGE, page_of_folder
from repeg_workbench.report.writing import Show, opened, write


@dataclass(frozen=True)
class Request:
    """The command's arguments. `what` is a folder or a run's id; `since` asks for the page of all runs since then."""

    what: str | None
    stack: str | None
    page: Path | None
    show: Show | None
    since: str | None = None


def report(at: Workstation, request: Request) -> Answer:
    """The report of a run, and its page where one is asked for. Raises CannotOperate."""
    if request.since is not None:
        folders = () if request.what is None else (request.what,)
        return report_all(at, Where(folders, request.stack, request.since), request.page, request.show)
    if request.what is not None and Path(request.what).exists():
        return _of_folder(Path(request.what), request)
    answer = runs.report(at, request.stack, request.what)
    return answer if request.page is None and request.show is None else _with_page(at, answer, request)


def _with_page(at: Workstation, answer: Answer, request: Request) -> Answer:
    """The report of a stack's run, and its page as a file."""
    page = page_of_run(find_stack(at, request.stack), request.what)
    written = write(request.page or Path(f"{page.run_id}.html"), run_page(page))
    problems = list(page.circumstances.problems)
    said = ["", *(f"- {problem}" for problem in problems), written, *opened(written, request.show)]
    code = max(answer.code, UNFINISHED if problems else DONE)
    return Answer({**answer.data, "page": written, "problems": problems}, [*answer.text, *said], code)


def _of_folder(folder: Path, request: Request) -> Answer:
    if request.stack:
        raise CannotOperate(f"stack: {request.stack} is given beside a folder; name either a folder or a stack")
    page = page_of_folder(folder)
    file = request.page or (folder if folder.is_dir() else folder.parent) / PAGE
    written = write(file, run_page(page))
    problems = list(page.circumstances.problems)
    code = DONE if page.outcome == "settled" and not problems else UNFINISHED
    return Answer(
        {"run_id": page.run_id, "outcome": page.outcome, "reason": page.reason, "page": written, "problems": problems},
        [_line(page), *(f"- {problem}" for problem in problems), written, *opened(written, request.show)],
        code,
    )


def _line(page: RunPage) -> str:
    filled = sum(order.outcome == "filled" for order in page.orders)
    ended = f"{page.run_id or 'no run'}: {page.outcome}, {page.reason}"
    return " ".join(f"{ended}; filled {filled} of {counted(len(page.orders), 'order')}".split())
