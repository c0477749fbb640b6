"""Publishes notifications on an event bus."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from botocore.exceptions import BotoCoreError, ClientError
from pydantic_core import to_json

from repeg.domain.errors import RepegError

if TYPE_CHECKING:
    from mypy_boto3_events import EventBridgeClient

SOURCE = "repeg"


class EventsUnavailable(RepegError):
    """The event bus has not accepted an event; it is not published."""


class EventNotifier:
    """A Notifier on one event bus. Amounts are sent as strings."""

    def __init__(self, client: EventBridgeClient, bus: str = "default") -> None:
        self._client = client
        self._bus = bus

    def publish(self, kind: str, detail: dict[str, Any]) -> None:
        """Publish one event, at least once. Raises EventsUnavailable if the bus does not accept it."""
        body = to_json(detail).decode()
        entry = {"Source": SOURCE, "DetailType": kind, "Detail": body, "EventBusName": self._bus}
        try:
            answer = self._client.put_events(Entries=[entry])  # type: ignore[list-item]
        except (ClientError, BotoCoreError) as error:
            raise EventsUnavailable(f"{kind}: {error}") from None
        if answer["FailedEntryCount"]:
            failed = answer["Entries"][0]
            raise EventsUnavailable(f"{kind}: {failed.get('ErrorCode')} {failed.get('ErrorMessage')}")
