"""Two common ways to work an order: place, time out and place again; and an idempotency decorator.

Each keeps its book in the payload passed from step to step, as a workflow without a table does.
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
from repeg.domain.intent import Intent
from repeg.domain.order_ids import client_order_id
from repeg.domain.quote import Quote, Side
from repeg.ports import Broker

PLACEMENTS = 3
CONFIRMATION_PAUSES = (0.1, 0.2, 0.3, 0.6, 0.8)
STEP_SECONDS = 50


class NoAnswer(Exception):
    """The broker did not answer a request, so its outcome is unknown."""


@dataclass(frozen=True)
class Sent:
    """The order at the broker, according to the book."""

    client_id: str
    broker_id: str
    limit: Decimal


@dataclass(frozen=True)
class Line:
    """One order of the plan in the book: its filled quantity and the order at the broker."""

    symbol: str
    side: Side
    target: Decimal
    filled: Decimal = Decimal(0)
    sent: Sent | None = None
    attempt: int = 0

    @property
    def left(self) -> Decimal:
        """Shares still to be filled."""
        return self.target - self.filled


class Executor(Protocol):
    """Works a line of the book by one turn, and ends it."""

    def work(self, line: Line, quote: Quote) -> Line:
        """The line after this turn."""

    def end(self, line: Line) -> Line:
        """The line after its last cancel."""


class BrokerAccess:
    """What both executors share: the broker, a clock, pauses and random order ids under the prefix of a run."""

    def __init__(
        self,
        broker: Broker,
        now: Callable[[], datetime],
        pause: Callable[[float], None],
        seed: int,
        prefix: str,
    ) -> None:
        self.broker, self.now, self.pause, self._prefix = broker, now, pause, prefix
        self._chance = Random(f"ids {seed}")

    def fresh_id(self, line: Line) -> str:
        """An id with a random number, like a UUID, in the form by which the judges know an order's run and line."""
        return client_order_id(self._prefix, line.symbol, line.side, 1 + self._chance.getrandbits(32))

    def post(self, line: Line, quote: Quote, qty: Decimal, client_id: str) -> Sent | None:
        """Send a limit order at the near side; None if refused. Raises NoAnswer if the outcome is unknown."""
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
        """The broker's report of the order. Raises BrokerUnavailable."""
        report = self.broker.order_by_broker_id(sent.broker_id)
        if report is None:
            raise BrokerUnavailable(f"no order {sent.broker_id}")
        return report


class PlaceAgain:
    """Place, time out, place again: a new id for each attempt; a re-peg cancels and sends the remainder at once."""

    def __init__(self, access: BrokerAccess) -> None:
        self._access = access

    def work(self, line: Line, quote: Quote) -> Line:
        """One turn."""
        if line.sent is None:
            return self._place(line, quote) if line.left > 0 else line
        report = self._access.read(line.sent)
        after = replace(line, filled=line.filled + report.filled_qty, sent=None)
        if not report.is_closed and quote.near(line.side) == line.sent.limit:
            return line
        if not report.is_closed:
            self._access.broker.cancel(line.sent.broker_id)
        return self._place(after, quote) if after.left > 0 else after

    def end(self, line: Line) -> Line:
        """Cancel without confirmation."""
        if line.sent is None:
            return line
        self._access.broker.cancel(line.sent.broker_id)
        return replace(line, filled=line.filled + self._access.read(line.sent).filled_qty, sent=None)

    def _place(self, line: Line, quote: Quote) -> Line:
        for _ in range(PLACEMENTS):
            try:
                return replace(line, sent=self._access.post(line, quote, line.left, self._access.fresh_id(line)))
            except NoAnswer:
                continue
        return line


class Decorated:
    """Confirms its cancels; the idempotency decorator alone protects placements."""

    def __init__(self, access: BrokerAccess) -> None:
        self._access = access
        records = VirtualRecords(access.now)

        def place(attempt: dict[str, Any], line: Line, quote: Quote) -> dict[str, str] | None:
            sent = access.post(line, quote, Decimal(attempt["qty"]), access.fresh_id(line))
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
        report = self._access.read(line.sent)
        if not report.is_closed and quote.near(line.side) == line.sent.limit:
            return line
        after = self.end(line)
        return self._place(after, quote) if after.sent is None and after.left > 0 else after

    def end(self, line: Line) -> Line:
        """Cancel and read until the order is closed; returns the line unchanged if that is not confirmed."""
        if line.sent is None:
            return line
        self._access.broker.cancel(line.sent.broker_id)
        for pause in CONFIRMATION_PAUSES:
            self._access.pause(pause)
            report = self._access.read(line.sent)
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
    """The decorator's records in memory. A record in progress expires after the step's timeout, as in the table."""

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
        if kept is not None and not self._is_expired(*kept):
            raise IdempotencyItemAlreadyExistsError(old_data_record=kept[0])
        self._kept[data_record.idempotency_key] = (data_record, self._now())

    def _update_record(self, data_record: DataRecord) -> None:
        self._kept[data_record.idempotency_key] = (data_record, self._now())

    def _delete_record(self, data_record: DataRecord) -> None:
        self._kept.pop(data_record.idempotency_key, None)

    def _is_expired(self, record: DataRecord, since: datetime) -> bool:
        return record.status == "INPROGRESS" and (self._now() - since).total_seconds() > STEP_SECONDS


BASELINES: dict[str, tuple[str, Callable[[BrokerAccess], Executor]]] = {
    "place_again": ("place, time out, place again", PlaceAgain),
    "decorated": ("idempotency decorator", Decorated),
}

# Errors of one turn; the next turn tries again.
TRANSIENT = (BrokerUnavailable, BrokerDenied)
