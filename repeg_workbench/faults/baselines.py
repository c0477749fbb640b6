"""Two ways to work an order that are often seen: place, time out, place again; and a decorator for idempotency.

Each keeps its book in the payload that travels from step to step, as a workflow does that has no table.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal
from random import Random
from typing import Any, Protocol

from aws_lambda_powertools.utilities.idempotency import IdempotencyConfig, idempotent_function
from aws_lambda_powertools.utilities.idempotency.exceptions import (
    IdempotencyAlreadyInProgressError,
    IdempotencyItemAlreadyExistsError,
    IdempotencyItemNotFoundError,
)
from aws_lambda_powertools.utilities.idempotency.persistence.base import BasePersistenceLayer
from aws_lambda_powertools.utilities.idempotency.persistence.datarecord import DataRecord

from repeg.domain.broker import Accepted, Refused
from repeg.domain.child_order import OrderReport, Rung
from repeg.domain.errors import BrokerDenied, BrokerUnavailable
from repeg.domain.order_ids import OWN_PREFIX
from repeg.domain.parent_order import Intent
from repeg.domain.quote import Quote, Side
from repeg.ports import Broker

PLACEMENTS = 3
CONFIRMATION_PAUSES = (0.1, 0.2, 0.3, 0.6, 0.8)
STEP_SECONDS = 50


class NoAnswer(Exception):
    """The broker did not say what became of a request."""


@dataclass(frozen=True)
class Sent:
    """The order that is at the broker, as far as the book knows."""

    client_id: str
    broker_id: str
    limit: Decimal


@dataclass(frozen=True)
class Line:
    """One order of the plan in the book: how much is filled, and what is out."""

    symbol: str
    side: Side
    target: Decimal
    filled: Decimal = Decimal(0)
    sent: Sent | None = None
    attempt: int = 0

    @property
    def left(self) -> Decimal:
        """Shares still to do."""
        return self.target - self.filled


class Executor(Protocol):
    """Works a line of the book by one turn, and ends it."""

    def work(self, line: Line, quote: Quote) -> Line:
        """The line after this turn."""

    def end(self, line: Line) -> Line:
        """The line after its last cancel."""


class Desk:
    """What both have in common: the broker, a clock, pauses, and ids that nobody can guess."""

    def __init__(self, broker: Broker, now: Callable[[], datetime], pause: Callable[[float], None], seed: int) -> None:
        self.broker, self.now, self.pause = broker, now, pause
        self._chance = Random(f"ids {seed}")

    def fresh_id(self) -> str:
        """A random id, as a uuid would be."""
        return f"{OWN_PREFIX}{self._chance.getrandbits(64):016x}"

    def post(self, line: Line, quote: Quote, qty: Decimal, client_id: str) -> Sent | None:
        """Send a limit order at the near side; None where it was refused. Raises NoAnswer where nobody knows."""
        limit = quote.near(line.side)
        answer = self.broker.submit(
            Intent(
                client_order_id=client_id, symbol=line.symbol, side=line.side, n=line.attempt, qty=qty, limit=limit,
                notional=qty * limit, rung=Rung.PASSIVE, reason="baseline", quote=quote, decided_at=self.now(),
            )
        )  # fmt: skip
        if isinstance(answer, Refused):
            return None
        if isinstance(answer, Accepted):
            return Sent(client_id, answer.report.broker_id, limit)
        raise NoAnswer(answer.reason)

    def read(self, sent: Sent) -> OrderReport:
        """The order as the broker has it. Raises BrokerUnavailable."""
        report = self.broker.order_by_broker_id(sent.broker_id)
        if report is None:
            raise BrokerUnavailable(f"no order {sent.broker_id}")
        return report


class PlaceAgain:
    """Place, time out, place again: a new id for every try; a re-peg cancels and sends the old remainder at once."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk

    def work(self, line: Line, quote: Quote) -> Line:
        """One turn."""
        if line.sent is None:
            return self._place(line, quote) if line.left > 0 else line
        report = self._desk.read(line.sent)
        after = replace(line, filled=line.filled + report.filled_qty, sent=None)
        if not report.is_closed and quote.near(line.side) == line.sent.limit:
            return line
        if not report.is_closed:
            self._desk.broker.cancel(line.sent.broker_id)
        return self._place(after, quote) if after.left > 0 else after

    def end(self, line: Line) -> Line:
        """Cancel, and believe it."""
        if line.sent is None:
            return line
        self._desk.broker.cancel(line.sent.broker_id)
        return replace(line, filled=line.filled + self._desk.read(line.sent).filled_qty, sent=None)

    def _place(self, line: Line, quote: Quote) -> Line:
        for _ in range(PLACEMENTS):
            try:
                return replace(line, sent=self._desk.post(line, quote, line.left, self._desk.fresh_id()))
            except NoAnswer:
                continue
        return line


class Decorated:
    """Careful with cancels, which it confirms; placing is guarded by the idempotency decorator and by nothing else."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        records = VirtualRecords(desk.now)

        def place(attempt: dict[str, Any], line: Line, quote: Quote) -> dict[str, str] | None:
            sent = desk.post(line, quote, Decimal(attempt["qty"]), desk.fresh_id())
            if sent is None:
                return None
            return {"client_id": sent.client_id, "broker_id": sent.broker_id, "limit": str(sent.limit)}

        self._place_once = idempotent_function(
            place, data_keyword_argument="attempt", persistence_store=records, config=IdempotencyConfig()
        )

    def work(self, line: Line, quote: Quote) -> Line:
        """One turn."""
        if line.sent is None:
            return self._place(line, quote) if line.left > 0 else line
        report = self._desk.read(line.sent)
        if not report.is_closed and quote.near(line.side) == line.sent.limit:
            return line
        after = self.end(line)
        return self._place(after, quote) if after.sent is None and after.left > 0 else after

    def end(self, line: Line) -> Line:
        """Cancel, and read until it is closed; the line stays as it was where that does not come."""
        if line.sent is None:
            return line
        self._desk.broker.cancel(line.sent.broker_id)
        for pause in CONFIRMATION_PAUSES:
            self._desk.pause(pause)
            report = self._desk.read(line.sent)
            if report.is_closed:
                return replace(line, filled=line.filled + report.filled_qty, sent=None)
        return line

    def _place(self, line: Line, quote: Quote) -> Line:
        after = replace(line, attempt=line.attempt + 1)
        attempt = {"symbol": line.symbol, "n": after.attempt, "qty": str(line.left)}
        try:
            kept: Mapping[str, str] | None = self._place_once(attempt=attempt, line=line, quote=quote)
        except (NoAnswer, IdempotencyAlreadyInProgressError):
            return line  # the next turn is the retry of the same attempt
        if kept is None:
            return after
        return replace(after, sent=Sent(kept["client_id"], kept["broker_id"], Decimal(kept["limit"])))


class VirtualRecords(BasePersistenceLayer):
    """The decorator's records in memory; one left in progress is void after the step's time limit, as in the table."""

    def __init__(self, now: Callable[[], datetime]) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self._now = now
        self._kept: dict[str, tuple[DataRecord, datetime]] = {}

    def _get_record(self, idempotency_key: str) -> DataRecord:
        if idempotency_key not in self._kept:
            raise IdempotencyItemNotFoundError
        return self._kept[idempotency_key][0]

    def _put_record(self, data_record: DataRecord) -> None:
        kept = self._kept.get(data_record.idempotency_key)
        if kept is not None and not self._is_void(*kept):
            raise IdempotencyItemAlreadyExistsError(old_data_record=kept[0])
        self._kept[data_record.idempotency_key] = (data_record, self._now())

    def _update_record(self, data_record: DataRecord) -> None:
        self._kept[data_record.idempotency_key] = (data_record, self._now())

    def _delete_record(self, data_record: DataRecord) -> None:
        self._kept.pop(data_record.idempotency_key, None)

    def _is_void(self, record: DataRecord, since: datetime) -> bool:
        return record.status == "INPROGRESS" and (self._now() - since).total_seconds() > STEP_SECONDS


BASELINES: dict[str, tuple[str, Callable[[Desk], Executor]]] = {
    "place_again": ("place, time out, place again", PlaceAgain),
    "decorated": ("guarded by an idempotency decorator", Decorated),
}

# What goes wrong for a line in one turn and is tried again in the next.
PASSING = (BrokerUnavailable, BrokerDenied)
