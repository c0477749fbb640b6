"""The account's request quota, cut into buckets of ten seconds; part of each bucket is reserved for closing runs.

The broker counts the requests that arrive in any sixty seconds; the limiter counts the requests it grants. Each bucket
holds an eighth of a minute's requests. A request that arrives within a window of sixty seconds was granted within
seventy, provided that network latency and clock skew together stay below ten seconds, and seventy seconds touch at most
eight buckets.
Three kinds of request are not counted: the retry of a read whose connection dropped, the retry after the API keys were
rotated, and reserved requests during an outage of the table. Most minutes leave an eighth unused, which covers them.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from decimal import Decimal
from enum import StrEnum

from repeg.domain.errors import InvalidSettings
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

# The part of each bucket that only reserved requests may use. It is small, because a reserved request that has to wait
# takes its place in the next bucket before any ordinary request can.
RESERVED_FOR_CLOSING = Decimal("0.16")

# Reads for hints leave this part of each bucket, too, so that no storm of events keeps a timed turn from its clock, its
# list, its balances and some orders.
RESERVED_FOR_TURNS = Decimal("0.28")

# Ordinary requests are leased in batches: one write to the table per request would cost more than the request.
LEASE = 4


# With fewer, one turn could not cancel and resubmit a single order.
MIN_REQUESTS_PER_MINUTE = 60


def requests_per_minute(environment: Mapping[str, str]) -> int:
    """The trading requests per minute that the broker allows the account, for all programs that trade on it.

    Raises InvalidSettings naming the variable.
    """
    given = environment.get("REQUESTS_PER_MINUTE") or str(REQUESTS_PER_MINUTE)
    if not given.isdecimal() or int(given) < MIN_REQUESTS_PER_MINUTE:
        raise InvalidSettings("REQUESTS_PER_MINUTE", given, f"a whole number, at least {MIN_REQUESTS_PER_MINUTE}")
    return int(given)


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


def next_bucket(now: datetime) -> str:
    """The bucket after the one that an instant falls into."""
    return bucket_of(now + timedelta(seconds=BUCKET_SECONDS))


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


def hints_limit(per_minute: int) -> int:
    """The number of requests leased from a bucket, by whomever, at which it has none left for reads for hints."""
    return int(per_minute // BUCKETS_TOUCHED * (1 - RESERVED_FOR_CLOSING - RESERVED_FOR_TURNS))


def lease_sizes(quota: Quota, following: int) -> list[int]:
    """How many requests to lease at once, the first that the bucket has.

    Reserved requests are leased singly, so that none is left unused, but for those that are certain to follow; the last
    ordinary ones of a bucket are leased singly too.
    """
    usual = 1 if quota is Quota.RESERVED else LEASE
    return sorted({usual + following, usual, 1}, reverse=True)
