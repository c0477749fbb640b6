"""The part of the store that belongs to the account: kill switch, arming, request quota, funding lease."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from datetime import datetime
from typing import TYPE_CHECKING

from repeg.adapters.dynamodb import keys, rows
from repeg.adapters.dynamodb.encoding import Put, Update, Value, at_most
from repeg.adapters.dynamodb.order_write import funding_lease, funding_release
from repeg.adapters.dynamodb.reads import StoreReads
from repeg.adapters.dynamodb.table import ConditionFailed
from repeg.domain.arming import is_armed
from repeg.domain.run import KillSwitch

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient


class DynamoAccount(StoreReads):
    """What all runs of the account share."""

    def __init__(
        self, client: DynamoDBClient, table_name: str, pause: Callable[[float], None], *, needs_arming: bool = False
    ) -> None:
        super().__init__(client, table_name, pause)
        self._needs_arming = needs_arming

    def acquire_funding(self, holder: str, now: datetime, until: datetime) -> bool:
        """Take or extend the account's funding lease; False while another holder's lease lasts."""
        try:
            self._table.update(funding_lease(holder, now, until))
        except ConditionFailed:
            return False
        return True

    def release_funding(self, holder: str) -> None:
        """Give the funding lease back."""
        with suppress(ConditionFailed):
            self._table.update(funding_release(holder))

    def lease_requests(self, bucket: str, count: int, most: int) -> bool:
        """Lease `count` requests from a bucket capped at `most`. Returns False if the bucket is exhausted."""
        values: dict[str, Value] = {"count": count, "expires": keys.lease_expiry(bucket)}
        try:
            change = "ADD #leased :count SET #expires_at = :expires"
            self._table.update(Update(keys.lease_key(bucket), change, values, at_most({"leased": most - count})))
        except ConditionFailed:
            return False
        return True

    def set_kill_switch(self, state: KillSwitch) -> None:
        """Set the kill switch."""
        self._table.put(Put({"pk": keys.KILL.pk, "sk": keys.KILL.sk, "state": state.value}))

    def set_armed_until(self, until: datetime | None) -> None:
        """Arm live trading until a time, or take the record back."""
        self._table.put(Put(rows.armed_row(until)))

    def is_armed(self, now: datetime) -> bool:
        """Whether live trading is armed at that time; always, if it needs no arming."""
        return not self._needs_arming or is_armed(self.armed_until(), now)
