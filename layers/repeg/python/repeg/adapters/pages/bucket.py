"""Runs as a stack has stored them, and the bucket that their pages are kept in."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Protocol

from botocore.exceptions import BotoCoreError, ClientError

from repeg.adapters.pages.run_page import run_page
from repeg.adapters.pages.stored_run import StoredRuns, begin_reading, is_measured, page_of_stored
from repeg.domain.errors import StoreUnavailable, UnreadableRow
from repeg.domain.notice import RUN_FAILED, RUN_MEASURED, RUN_SETTLED
from repeg.domain.page_address import page_key
from repeg.domain.run import Run
from repeg.domain.run_page.page import RunPage

# A step publishes the end of its run, and stores its journal when it ends, at most seconds later. The watchdog saves a
# measured report right after it has published that.
PAUSES = (1.0, 1.0, 2.0, 4.0, 4.0)

CONTENT_TYPE = "text/html; charset=utf-8"

_ENDS = frozenset({RUN_SETTLED, RUN_FAILED})


class Table(Protocol):
    """The part of a store that says how a run was opened and how it ended."""

    def run(self, run_id: str) -> Run | None:
        """The run, or None."""


class StoredEnds:
    """The ended runs of a stack."""

    def __init__(self, table: Table, at: StoredRuns, pause: Callable[[float], None]) -> None:
        self._table = table
        self._at = at
        self._pause = pause

    def page_of(self, run_id: str, kind: str) -> RunPage | None:
        """The page of a run, None if there is no such run. Raises StoreUnavailable."""
        try:
            page_key(run_id)
        except ValueError:
            return None
        try:
            run = self._table.run(run_id)
            return None if run is None else self._page(run_id, run, kind)
        except UnreadableRow as error:
            return self._page(run_id, None, kind, str(error))
        except (ClientError, BotoCoreError) as error:
            raise StoreUnavailable(f"{run_id}: {error}") from None

    def _page(self, run_id: str, run: Run | None, kind: str, *problems: str) -> RunPage:
        reading = begin_reading(run_id, *problems)
        reading.go_on(self._at)
        for pause in PAUSES:
            # A run of which nothing is stored has lost its journal, and waiting does not bring it back.
            lacks_end = kind in _ENDS and reading.is_begun and not reading.has_end
            lacks_markouts = kind == RUN_MEASURED and run is not None and not is_measured(run.report)
            if not lacks_end and not lacks_markouts:
                break
            self._pause(pause)
            reading.go_on(self._at)
            run = None if run is None else self._table.run(run_id)
        return page_of_stored(self._at, run, reading)


class PageBucket:
    """The pages in a bucket."""

    def __init__(self, s3: Any, bucket: str) -> None:
        self._s3 = s3
        self._bucket = bucket

    def put(self, page: RunPage) -> str:
        """Store a run's page. Raises StoreUnavailable."""
        key = page_key(page.run_id)
        try:
            self._s3.put_object(Bucket=self._bucket, Key=key, Body=run_page(page).encode(), ContentType=CONTENT_TYPE)
        except (ClientError, BotoCoreError) as error:
            raise StoreUnavailable(f"{key}: {error}") from None
        return key
