"""Publishes notifications on an event bus."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from botocore.exceptions import BotoCoreError, ClientError
from pydantic_core import to_json

from repeg.domain.errors import RepegError

if TYPE_CHECKING:
    from mypy_boto3_events import EventBridgeClient

SOURCE = "repeg"

# https://docs.aws.amazon.com/eventbridge/latest/APIReference/API_PutEvents.html
MOST_ENTRIES = 10


class EventsUnavailable(RepegError):
    """The event bus has not accepted an event; it is not published."""


class EventNotifier:
    """A Notifier on one event bus. Amounts are sent as strings."""

    def __init__(self, client: EventBridgeClient, bus: str = "default") -> None:
        self._client = client
        self._bus = bus

    def publish_all(self, events: Sequence[tuple[str, dict[str, Any]]]) -> None:
        """Publish events, ten in a request. Raises EventsUnavailable if the bus does not accept them all; those that
        it has accepted are published."""
        for start in range(0, len(events), MOST_ENTRIES):
            self._put(events[start : start + MOST_ENTRIES])

    def publish(self, kind: str, detail: dict[str, Any]) -> None:
        """Publish one event, at least once. Raises EventsUnavailable if the bus does not accept it."""
        self._put([(kind, detail)])

    def _put(self, events: Sequence[tuple[str, dict[str, Any]]]) -> None:
        entries = [
            {"Source": SOURCE, "DetailType": kind, "Detail": to_json(detail).decode(), "EventBusName": self._bus}
            for kind, detail in events
        ]
        kind = events[0][0]
        try:
            answer = self._client.put_events(Entries=entries)  # type: ignore[arg-type]
        except (ClientError, BotoCoreError) as error:
            raise EventsUnavailable(f"{kind}: {error}") from None
        if answer["FailedEntryCount"]:
            failed = next(entry for entry in answer["Entries"] if "ErrorCode" in entry)
            raise EventsUnavailable(f"{kind}: {failed.get('ErrorCode')} {failed.get('ErrorMessage')}")
