"""The progress bar of a running day: New York time and the number of finished orders."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn

from repeg.domain.journal import Entry
from repeg.domain.session import NEW_YORK
from repeg_workbench.simulate.simulation import Follow


@contextmanager
def following(console: Console) -> Iterator[Follow]:
    """A follower of the journal that draws a bar on a terminal, and nothing elsewhere."""
    if not console.is_terminal:
        yield lambda _: None
        return
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TextColumn("orders done"))
    with Progress(*columns, console=console, transient=True, auto_refresh=False) as progress:
        yield _Follower(progress).see


class _Follower:
    def __init__(self, progress: Progress) -> None:
        self._progress = progress
        self._task: TaskID = progress.add_task("09:25:00", total=None)
        self._planned = 0

    def see(self, entry: Entry) -> None:
        clock = f"{entry.at.astimezone(NEW_YORK):%H:%M:%S}"
        is_new_time = self._progress.tasks[self._task].description != clock
        if entry.verb == "plan":
            self._planned += 1
            self._progress.update(self._task, total=self._planned)
        if entry.verb == "finish":
            self._progress.advance(self._task)
        if is_new_time:
            self._progress.update(self._task, description=clock)
            self._progress.refresh()
