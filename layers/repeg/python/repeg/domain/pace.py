"""How long a plan takes to place and to close under the account's request quota.

Placing takes a request an order and closing a cancel an order; both read by list, which is what is taken off below.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from repeg.domain.errors import InvalidPlan
from repeg.domain.plan import OrdersPlan, Plan
from repeg.domain.request_quota import BUCKET_SECONDS, Quota, bucket_limit
from repeg.domain.session import TradingWindow
from repeg.domain.settings import HALF_DAY_MINUTES, Settings
from repeg.domain.sizing import symbols_of

# Nothing of a run is open this long before its session ends.
ENDS_BEFORE_CLOSE_MINUTES = 1

# Requests of a bucket that go into lists, clocks and balances while orders are placed or cancelled.
READS_OF_A_BUCKET = 2

# However large the quota is: eight requests at a time, each with a write to the table before it and one after it.
MOST_A_MINUTE = 1_800


def placed_a_minute(per_minute: int) -> int:
    """Orders that can be placed in a minute, of the `per_minute` requests that the broker allows."""
    return _a_minute(bucket_limit(per_minute, Quota.ORDINARY))


def closed_a_minute(per_minute: int) -> int:
    """Orders that can be cancelled and confirmed in a minute, while nothing else draws on the quota."""
    return _a_minute(bucket_limit(per_minute, Quota.RESERVED))


def placing_minutes(orders: int, per_minute: int) -> int:
    """Whole minutes that placing so many orders takes, rounded up."""
    return -(-orders // placed_a_minute(per_minute))


def closing_minutes(orders: int, per_minute: int) -> int:
    """Whole minutes that closing so many open orders takes, rounded up."""
    return -(-orders // closed_a_minute(per_minute))


def with_time_to_close(settings: Settings, plan: Plan, per_minute: int) -> Settings:
    """The settings, with a close margin in which all orders of the plan can be closed if all are open by then.

    Raises InvalidPlan naming the orders if a half day has no time for that.
    """
    orders = len(symbols_of(plan))
    needed = closing_minutes(orders, per_minute) + ENDS_BEFORE_CLOSE_MINUTES
    if needed <= settings.close_margin_minutes:
        return settings
    room = HALF_DAY_MINUTES - settings.market_open_delay_minutes - 1
    if needed > room:
        most = (room - ENDS_BEFORE_CLOSE_MINUTES) * closed_a_minute(per_minute)
        raise InvalidPlan(_field(plan), orders, f"at most {most} orders, which can be closed in {room} minutes")
    return settings.with_close_margin(needed)


def notes_of(plan: Plan, per_minute: int) -> tuple[str, ...]:
    """What a person should know of the time that a plan takes; nothing of one that takes less than a minute."""
    orders = len(symbols_of(plan))
    placing, closing = placing_minutes(orders, per_minute), closing_minutes(orders, per_minute)
    if max(placing, closing) <= 1:
        return ()
    at = f"at {per_minute} requests a minute"
    return (f"{orders} orders need {placing} minutes to place and {closing} minutes to close {at}",)


def require_time_to_place(plan: Plan, window: TradingWindow, now: datetime, per_minute: int) -> None:
    """Refuse a plan of which a part could not even be sent before the window closes. Raises InvalidPlan."""
    orders, rate = len(symbols_of(plan)), placed_a_minute(per_minute)
    left = window.closes - max(now, window.opens)
    if orders >= rate and timedelta(minutes=orders / rate) > left:
        minutes = max(0, int(left.total_seconds() // 60))
        expected = f"at most {minutes * rate} orders: {rate} a minute can be placed before {window.closes:%H:%M} UTC"
        raise InvalidPlan(_field(plan), orders, expected)


def _a_minute(of_a_bucket: int) -> int:
    buckets = 60 // BUCKET_SECONDS
    return max(1, min(MOST_A_MINUTE, buckets * (of_a_bucket - READS_OF_A_BUCKET)))


def _field(plan: Plan) -> str:
    return "plan.orders" if isinstance(plan, OrdersPlan) else "plan.targets"
