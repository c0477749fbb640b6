"""The account's request quota, cut into buckets of ten seconds; part of each bucket is reserved for closing runs.

The broker counts the requests that arrive in any sixty seconds; the limiter counts the requests it grants. Each bucket
holds an eighth of a minute's requests. A request that arrives within a window of sixty seconds was granted within
seventy, provided that network latency and clock skew together stay below ten seconds, and seventy seconds touch at most
eight buckets.
Three kinds of request are not counted: the retry of a read whose connection dropped, the retry after the API keys were
rotated, and reserved requests during an outage of the table. Most minutes leave an eighth unused, which covers them.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from decimal import Decimal
from enum import StrEnum

from repeg.domain.setting_types import Feed

# The standard limit of the trading API: https://alpaca.markets/support/usage-limit-api-calls
REQUESTS_PER_MINUTE = 200

# The market data API counts its own requests, by what the account's data plan allows:
# https://docs.alpaca.markets/docs/about-market-data-api
DATA_REQUESTS_PER_MINUTE = {Feed.IEX: 200, Feed.SIP: 10_000}

# Buckets of data requests are named apart from those of trading requests.
DATA = "data@"

BUCKET_SECONDS = 10
BUCKETS_TOUCHED = 8

# The part of each bucket that only reserved requests may use.
RESERVED_FOR_CLOSING = Decimal("0.2")

# Ordinary requests are leased in batches: one write to the table per request would cost more than the request.
LEASE = 4


class Quota(StrEnum):
    """The part of the account's quota that a request draws on.

    Cancels, the reads that confirm them, and every request of the closing step are reserved: they may use the whole
    bucket, and an outage of the table does not stop them, because they can only make the account safer.
    """

    ORDINARY = "ordinary"
    RESERVED = "reserved"


def bucket_of(now: datetime) -> str:
    """The bucket that an instant falls into, named by its start time."""
    start = now - timedelta(seconds=now.timestamp() % BUCKET_SECONDS)
    return start.replace(microsecond=0).isoformat()


def buckets_of_minute(now: datetime) -> list[str]:
    """The buckets of the last sixty seconds, the present one included, newest first."""
    return [bucket_of(now - timedelta(seconds=BUCKET_SECONDS * back)) for back in range(60 // BUCKET_SECONDS)]


def seconds_to_next_bucket(now: datetime) -> float:
    """The wait until the next bucket has certainly started: a millisecond longer than the rest of this one."""
    return BUCKET_SECONDS - (now.timestamp() % BUCKET_SECONDS) + 0.001


def bucket_limit(per_minute: int, quota: Quota) -> int:
    """The number of requests leased from a bucket at which this quota is exhausted."""
    size = per_minute // BUCKETS_TOUCHED
    return size if quota is Quota.RESERVED else int(size * (1 - RESERVED_FOR_CLOSING))


def lease_size(quota: Quota) -> int:
    """Requests to lease at once; reserved requests are leased singly, so that none is left unused. A cancel is leased
    with the read that confirms it."""
    return 1 if quota is Quota.RESERVED else LEASE
