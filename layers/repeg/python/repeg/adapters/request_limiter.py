"""Grants requests to the broker from the account's quota, which all containers share through the table."""

from __future__ import annotations

import threading
from collections.abc import Callable
from contextlib import suppress
from datetime import datetime, timedelta

from repeg.domain.errors import BrokerUnavailable, StoreUnavailable
from repeg.domain.request_quota import (
    Quota,
    bucket_limit,
    bucket_of,
    hints_limit,
    lease_sizes,
    next_bucket,
    seconds_to_next_bucket,
)
from repeg.domain.run import KillSwitch
from repeg.ports import Runtime, Store

EXHAUSTED = "the account's request quota is exhausted"

# Waits for the next bucket before a request is refused.
MAX_WAITS = 2

Count = Callable[[str, int], None]


def _uncounted(_metric: str, _value: int) -> None:
    """Count nothing."""


class RequestLimiter:
    """Limits the requests of all containers together to `per_minute` in any sixty seconds. Safe for threads.

    `count` receives the metrics: requests leased, and requests that were refused because the quota was exhausted.
    `kind` begins the names of its buckets, for an API whose requests the broker counts apart.
    """

    def __init__(
        self, store: Store, runtime: Runtime, per_minute: int, count: Count = _uncounted, kind: str = ""
    ) -> None:
        self._store = store
        self._runtime = runtime
        self._per_minute = per_minute
        self._count = count
        self._kind = kind
        self._bucket = ""
        self._left: dict[Quota, int] = {}
        self._lock = threading.Lock()

    @property
    def now(self) -> datetime:
        """Our own clock."""
        return self._runtime.now()

    def pause(self, seconds: float) -> None:
        """Let a short time pass before a request is repeated."""
        self._runtime.pause(seconds)

    @property
    def is_halted(self) -> bool:
        """Whether the kill switch or a missing arming keeps orders from being sent. Raises StoreUnavailable."""
        return self._store.kill_switch() is not KillSwitch.ACTIVE or not self._store.is_armed(self.now)

    def acquire(self, quota: Quota, following: int = 0, until: datetime | None = None) -> bool:
        """Take one request, waiting for the next bucket if this one is exhausted. Returns False if none was granted.

        `following` more are leased in the same write if the bucket has them, for requests that are certain to follow.
        A request that is of no use after `until` does not wait for a bucket that begins later.
        Raises StoreUnavailable for an ordinary request during an outage of the table; a reserved one is granted.
        """
        try:
            return self._wait_for_grant(quota, following, until)
        except StoreUnavailable:
            if quota is Quota.ORDINARY:
                raise
            return True

    def lease_ahead(self, quota: Quota, most: int) -> int:
        """Lease up to `most` requests for use within this bucket; returns how many there are now.

        Waits for the next bucket once, if this one has none left. Raises StoreUnavailable.
        """
        asked = self._runtime.now()
        if held := self._lease_most(self._kind + bucket_of(asked), quota, most):
            return held
        self._pause_until_next_bucket(asked)
        return self._lease_most(self._kind + bucket_of(self._runtime.now()), quota, most)

    def lease_for_hints(self, requests: int) -> bool:
        """Lease so many requests for reads that hints ask for, if this bucket has them to spare: never waits.

        Raises StoreUnavailable.
        """
        bucket, limit = self._kind + bucket_of(self._runtime.now()), hints_limit(self._per_minute)
        count = min(requests, limit)
        if not self._store.lease_requests(bucket, count, limit):
            return False
        self._count("RequestsLeased", count)
        self._keep(bucket, Quota.ORDINARY, count)
        return True

    def require(self, quota: Quota) -> None:
        """Take one request. Raises BrokerUnavailable if none was granted, StoreUnavailable as `acquire` does."""
        if not self.acquire(quota):
            raise BrokerUnavailable(EXHAUSTED)

    def require_while_up(self) -> None:
        """Take one ordinary request, or none during an outage of the table, for a read that can wait for no other."""
        with suppress(StoreUnavailable):
            self.require(Quota.ORDINARY)

    def _wait_for_grant(self, quota: Quota, following: int, until: datetime | None) -> bool:
        asked = self._runtime.now()
        for wait in range(MAX_WAITS + 1):
            if wait and until is not None and _next_begins(asked) > until:
                break
            if wait and self._wait_for_bucket(quota, asked):
                return True
            asked = self._runtime.now()
            bucket = self._kind + bucket_of(asked)
            if self._use_lease(bucket, quota) or self._lease(bucket, quota, following):
                return True
        self._count("RequestsRefused", 1)
        return False

    def _wait_for_bucket(self, quota: Quota, asked: datetime) -> bool:
        """Wait for the bucket after the one that was exhausted at `asked`. A reserved request takes its place in it
        before the wait, so that no ordinary one comes before it; returns whether it has."""
        upcoming = self._kind + next_bucket(asked)
        is_booked = quota is Quota.RESERVED and self._store.lease_requests(
            upcoming, 1, bucket_limit(self._per_minute, quota)
        )
        self._count("RequestsLeased", int(is_booked))
        self._pause_until_next_bucket(asked)
        # A place in a bucket that has passed meanwhile, while the function was frozen, is worth nothing.
        return is_booked and self._kind + bucket_of(self._runtime.now()) == upcoming

    def _pause_until_next_bucket(self, asked: datetime) -> None:
        """Pause until the bucket after that of `asked`; it may have begun while the table was asked for the other."""
        left = (_next_begins(asked) - self._runtime.now()).total_seconds()
        if left > 0:
            self._runtime.pause(left)

    def _use_lease(self, bucket: str, quota: Quota) -> bool:
        """Take one request from what is left of an earlier lease; leftovers of other buckets are dropped.

        A reserved request may use what an ordinary lease has left, but not the reverse.
        """
        with self._lock:
            self._drop_others(bucket)
            kinds = (Quota.RESERVED, Quota.ORDINARY) if quota is Quota.RESERVED else (Quota.ORDINARY,)
            for kind in kinds:
                if self._left.get(kind, 0):
                    self._left[kind] -= 1
                    return True
            return False

    def _lease(self, bucket: str, quota: Quota, following: int) -> bool:
        """Lease a batch from the shared bucket, take one request of it and keep the rest."""
        for count in lease_sizes(quota, following):
            if not self._store.lease_requests(bucket, count, bucket_limit(self._per_minute, quota)):
                continue
            self._count("RequestsLeased", count)
            self._keep(bucket, quota, count - 1)
            return True
        return False

    def _lease_most(self, bucket: str, quota: Quota, most: int) -> int:
        """Lease what the bucket has, up to `most` with what is left of an earlier lease. A write is all or nothing, so
        the amount is halved until one succeeds."""
        with self._lock:
            self._drop_others(bucket)
            held = self._left.get(quota, 0)
        limit = bucket_limit(self._per_minute, quota)
        count = min(most - held, limit)
        while count > 0:
            if self._store.lease_requests(bucket, count, limit):
                self._count("RequestsLeased", count)
                self._keep(bucket, quota, count)
                held += count
            else:
                count //= 2
            count = min(count, most - held)
        return min(held, most)

    def _keep(self, bucket: str, quota: Quota, count: int) -> None:
        with self._lock:
            self._drop_others(bucket)
            self._left[quota] = self._left.get(quota, 0) + count

    def _drop_others(self, bucket: str) -> None:
        if self._bucket != bucket:
            self._bucket, self._left = bucket, {}


def _next_begins(now: datetime) -> datetime:
    return now + timedelta(seconds=seconds_to_next_bucket(now))
