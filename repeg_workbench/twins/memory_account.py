"""The part of the store in memory that belongs to the account: kill switch, arming, request quota, lease."""

from __future__ import annotations

from datetime import UTC, datetime

from repeg.domain.arming import is_armed
from repeg.domain.run import KillSwitch


class MemoryAccount:
    """What all runs of the account share."""

    def __init__(self, *, needs_arming: bool = False) -> None:
        self._needs_arming = needs_arming
        self._armed_until: datetime | None = None
        self._leased: dict[str, int] = {}
        self._kill_switch = KillSwitch.ACTIVE
        self._funding = ("", datetime.min.replace(tzinfo=UTC))

    def acquire_funding(self, holder: str, now: datetime, until: datetime) -> bool:
        """Take or extend the account's funding lease; False while another holder's lease lasts."""
        held_by, lasts = self._funding
        if held_by not in {"", holder} and lasts >= now:
            return False
        self._funding = (holder, until)
        return True

    def release_funding(self, holder: str) -> None:
        """Give the funding lease back."""
        if self._funding[0] == holder:
            self._funding = ("", self._funding[1])

    def lease_requests(self, bucket: str, count: int, most: int) -> bool:
        """Reserve requests from a bucket capped at `most`; returns False if it is exhausted."""
        leased = self._leased.get(bucket, 0) + count
        if leased > most:
            return False
        self._leased[bucket] = leased
        return True

    def kill_switch(self) -> KillSwitch:
        """The state of the kill switch."""
        return self._kill_switch

    def set_kill_switch(self, state: KillSwitch) -> None:
        """Set the kill switch."""
        self._kill_switch = state

    def armed_until(self) -> datetime | None:
        """When the record that arms live trading expires; None without one."""
        return self._armed_until

    def set_armed_until(self, until: datetime | None) -> None:
        """Arm live trading until a time, or take the record back."""
        self._armed_until = until

    def is_armed(self, now: datetime) -> bool:
        """Whether live trading is armed at that time; always, if it needs no arming."""
        return not self._needs_arming or is_armed(self.armed_until(), now)
