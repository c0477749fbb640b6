"""Measures what each step of a run uses, and adds it up in a row of the run."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from typing import TYPE_CHECKING

import requests

from repeg.adapters.dynamodb.encoding import Row, Update, Value
from repeg.adapters.dynamodb.keys import usage_key
from repeg.adapters.dynamodb.table import Table
from repeg.domain.errors import StoreUnavailable
from repeg.domain.usage import Used

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

Mount = Callable[[requests.Session], None]

TRADING, DATA = "trading_requests", "data_requests"
_MILLISECONDS = "milliseconds"
_STEP = "step_"


class UsageMeter:
    """Counts answered requests, and adds each step's use to its run when it ends. Safe for threads.

    One write for each step, which is never repeated: a figure that is lost costs less than a step that fails for it.
    """

    def __init__(self, client: DynamoDBClient, table_name: str) -> None:
        self._table = Table(client, table_name, lambda _seconds: None)
        self._lock = threading.Lock()
        self._answered: Counter[str] = Counter()

    def counting(self, mount: Mount, kind: str) -> Mount:
        """The mounting of a session whose answers are counted as requests of that kind."""

        def count(response: requests.Response, *_args: object, **_options: object) -> requests.Response:
            with self._lock:
                self._answered[kind] += 1
            return response

        def counted(session: requests.Session) -> None:
            mount(session)
            session.hooks["response"].append(count)

        return counted

    def ended(self, run_id: str, function: str, seconds: float) -> None:
        """A step of a run has ended. Never raises."""
        with self._lock:
            answered, self._answered = self._answered, Counter()
        used: dict[str, int] = {f"{_STEP}{function}": 1, _MILLISECONDS: round(seconds * 1_000), **answered}
        change = "ADD " + ", ".join(f"#{name} :{name}" for name in used)
        values: dict[str, Value] = dict(used)
        with suppress(StoreUnavailable):
            self._table.update(Update(usage_key(run_id), change, values))

    def used(self, run_id: str) -> Used | None:
        """What the ended steps of a run have used; None if that is not known."""
        try:
            row = self._table.read(usage_key(run_id))
        except StoreUnavailable:
            return None
        return None if row is None else _read(row)


def _read(row: Row) -> Used:
    steps = {name.removeprefix(_STEP): int(value) for name, value in row.items() if name.startswith(_STEP)}
    numbers = {name: int(row.get(name, 0)) for name in (_MILLISECONDS, TRADING, DATA)}
    return Used(steps=steps, **numbers)
