"""A morning whose journal has every kind of wait, kept as a simulated day keeps it and as a deployed step does."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

from functions.check_session.app import check_session
from repeg.domain.journal import Entry
from repeg.domain.journal_file import StepName, encode
from tests.builders import NOON
from tests.functions.books import KO, QUIET, UP, book
from tests.functions.desk import RUN_ID, Desk, holding
from tests.journal.simulated import keep, kept_lines

BOOKS = {
    "AAPL": book(QUIET, UP),
    "KO": KO,
    "T": book("09:20 300 @ 20.00 × 300 @ 20.90", "09:36:20 300 @ 20.00 × 300 @ 20.03"),
    "F": book("09:20 300 @ 12.00 × 300 @ 12.90"),
    "PG": book("09:20 900 @ 150.00 × 900 @ 150.03"),
}


@contextmanager
def desk_of(books: Any = None, **options: Any) -> Iterator[Desk]:
    """A desk that is closed after use."""
    desk = Desk(BOOKS if books is None else books, **options)
    try:
        yield desk
    finally:
        desk.scheduler.close()


def eventful(**settings: Any) -> list[Entry]:
    """A sell that funds buys, an unaffordable buy, a wide book that narrows, and one that stays wide."""
    with desk_of(opening=holding("9000", KO="100"), at="09:25") as desk:
        desk.begin("buy 40 AAPL", "sell all KO", "buy 10 T", "buy 10 F", "buy 50 PG", patience_seconds=60, **settings)
        check_session(RUN_ID, desk.ports)
        desk.wait_until("09:36")
        check_session(RUN_ID, desk.ports)
        desk.place()
        for time in ("09:36:30", "09:37", "09:37:30", "09:38", "09:38:30"):
            desk.turn_at(time)
            desk.place()
        desk.close()
        return list(desk.journal.entries)


def in_pieces() -> list[Entry]:
    """A buy of 1,000 shares where 300 are displayed: sent in pieces, the first of which is filled."""
    shown = book("09:20 300 @ 20.00 × 300 @ 20.03", prints=("09:36:10 900 @ 20.01 sold",))
    with desk_of({"T": shown}, opening=holding("50000")) as desk:
        desk.begin("buy 1000 T", policy="normal")
        for time in ("09:36", "09:36:30", "09:37"):
            desk.turn_at(time)
            desk.place()
        return list(desk.journal.entries)


def simulated(folder: Path, entries: Iterable[Entry]) -> Path:
    """A folder with the entries, as `repeg simulate --out` keeps them."""
    folder.mkdir(parents=True, exist_ok=True)
    keep(folder, kept_lines(entries))
    return folder


def deployed(folder: Path, entries: list[Entry], run_id: str = RUN_ID) -> Path:
    """The file of one step with all the entries, as a function stores them."""
    folder.mkdir(parents=True, exist_ok=True)
    file = folder / f"{run_id}.jsonl.gz"
    file.write_bytes(encode(StepName(run_id, "RepegOrders", NOON + timedelta(seconds=1), "x"), entries))
    return file
