"""Measures a day of many orders under a request quota: how long they take to place and to close, and at what cost.

Half of them buy and half sell; they rest until the close, because prices drift away from them past their collars. The
run starts an hour before the close. The simulated broker enforces the quota that the stack is configured with.
"""

from __future__ import annotations

import argparse
import resource
import subprocess
import sys
from collections import Counter
from dataclasses import dataclass, field
from datetime import datetime, time, timedelta
from decimal import Decimal
from time import process_time

from repeg.domain.journal import Entry
from repeg.domain.request_quota import DATA_REQUESTS_PER_MINUTE
from repeg.domain.session import NEW_YORK
from repeg.domain.setting_types import Feed
from repeg_workbench.bench.attempts import attempts
from repeg_workbench.bench.day import DAY, line
from repeg_workbench.bench.steady_market import SteadyMarket, symbols
from repeg_workbench.exchange.broker.opening import OpeningAccount
from repeg_workbench.exchange.broker_quirks import BrokerQuirks
from repeg_workbench.exchange.messages import Request, Response
from repeg_workbench.exchange.time.calendar import NANOSECONDS
from repeg_workbench.simulate.simulation import Scenario, SimulatedDay, opened

DAYS = ((500, 200), (1_000, 1_000), (1_000, 10_000))
"""Orders, and the requests a minute that the account may send."""

RELEASE = "b22d897"
BASELINE = {
    "until all are placed": "5.1 min",
    "held as stale": "491",
    "  cancel an order": "1.99",
    "  read of one order an order": "2.39",
    "  submit an order": "2.14",
    "until the last cancel": "300 s",
    "open 60 s before the end": "199",
    "steps of CloseRun": "4",
    "failed tries of CloseRun": "3",
    "time in CloseRun": "366 s",
    "longest step": "110 s CloseRun",
    "peak memory": "391 MB",
}
"""The figures of the first of these days at an earlier release, whose requests each waited for the quota."""

MODULE = "repeg_workbench.bench.many_orders"

STARTS_AT, QUOTED_FROM = time(14, 55), time(14, 50)
SHARES = 100
CLOSES_AT = datetime.combine(DAY, time(16), NEW_YORK)
EARLY = timedelta(seconds=60)

# No order moves in the minute that begins then.
QUIET_BEFORE_CLOSE = timedelta(minutes=7)
ENDED = frozenset({"canceled", "filled", "expired", "rejected", "replaced"})


@dataclass
class Seen:
    """What the broker and the journal have seen of a day."""

    requests: Counter[str] = field(default_factory=Counter)
    refused: int = 0
    stale: set[str] = field(default_factory=set)

    def note(self, entry: Entry) -> None:
        """Note an order held because its quote is old: the market quotes all the time, so the wait was our own."""
        if entry.verb == "hold" and ("stale" in entry.detail or "stale" in entry.reason):
            self.stale.add(entry.subject)

    def count(self, request: Request, response: Response) -> None:
        """Count a request by its kind."""
        self.requests[kind_of(request)] += 1
        self.refused += response.status == 429


def kind_of(request: Request) -> str:
    """A request's kind, as the table names it."""
    path = request.path
    if "/stocks/" in path:
        return "quotes"
    if path.endswith("/orders"):
        return "submit" if request.method == "POST" else "list of orders"
    if "/orders" in path:
        return {"DELETE": "cancel", "PATCH": "replace"}.get(request.method, "read of one order")
    return "list of fills" if "/activities" in path else "other"


def main() -> int:
    """Measure the day that is asked for, or each of DAYS in a process of its own; returns 1 if any of them fails."""
    parser = argparse.ArgumentParser(prog=MODULE, description=__doc__)
    parser.add_argument("--orders", type=int, help="orders of the one day to measure")
    parser.add_argument("--per-minute", type=int, default=200, help="requests a minute")
    given = parser.parse_args()
    if given.orders:
        _measure(given.orders, given.per_minute)
        return 0
    days = [["--orders", str(orders), "--per-minute", str(per_minute)] for orders, per_minute in DAYS]
    ended = [subprocess.run([sys.executable, "-m", MODULE, *day], check=False).returncode for day in days]  # noqa: S603 - our own module
    return int(any(ended))


def _measure(orders: int, per_minute: int) -> None:
    seen = Seen()
    with opened(a_large_day(orders, per_minute), seen.note) as day:
        _watch(day, seen)
        day.start("bench")
        day.engine.run(CLOSES_AT - QUIET_BEFORE_CLOSE)
        before = Counter(day.engine.runtime.requests)
        day.engine.run(CLOSES_AT - QUIET_BEFORE_CLOSE + timedelta(minutes=1))
        quiet = Counter(day.engine.runtime.requests) - before
        day.run()
        figures = _figures(day, seen, orders, quiet)
    sys.stdout.write(f"{orders} orders at {per_minute} requests a minute\n")
    earlier = BASELINE if (orders, per_minute) == DAYS[0] else {}
    for what, value in figures.items():
        line(what, value, f"{earlier[what]} at {RELEASE}" if what in earlier else "")


def a_large_day(orders: int, per_minute: int) -> Scenario:
    """A day of so many orders that rest until the close, at a broker that allows so many requests a minute."""
    names = symbols(orders)
    buys = frozenset(names[::2])
    lines = [{"symbol": name, "side": "buy" if name in buys else "sell", "qty": str(SHARES)} for name in names]
    held = {name: (Decimal(SHARES), Decimal(100)) for name in names if name not in buys}
    return Scenario(
        {"name": "bench", "orders": lines},
        SteadyMarket(names, buys, QUOTED_FROM),
        DAY,
        OpeningAccount(cash=Decimal(100_000_000), positions=held),
        {"max_slippage_bps": "1"},
        parameters={"RequestsPerMinute": str(per_minute)},
        quirks=BrokerQuirks(
            requests_per_minute=per_minute, data_requests_per_minute=DATA_REQUESTS_PER_MINUTE[Feed.SIP]
        ),
        starts_at=STARTS_AT,
    )


def _watch(day: SimulatedDay, seen: Seen) -> None:
    answer = day.exchange.handle

    def handle(request: Request) -> Response:
        response = answer(request)
        seen.count(request, response)
        return response

    day.exchange.handle = handle  # type: ignore[method-assign]


def _figures(day: SimulatedDay, seen: Seen, orders: int, quiet: Counter[str]) -> dict[str, str]:
    tries = list(attempts(day.ending().history))
    placed, ends = _lives(day)
    began = min(each.began for each in tries if each.state == "PlaceOrders")
    closing = [each for each in tries if each.state == "CloseRun"]
    longest = max(tries, key=lambda each: each.seconds)
    left = sum(end > CLOSES_AT - EARLY for end in ends.values())
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1_024
    last = f"{(max(ends.values()) - closing[0].began).total_seconds():.0f} s" if ends else "none"
    return {
        "placed": f"{len(placed)} of {orders}",
        "until all are placed": f"{(max(placed.values()) - began).total_seconds() / 60:.1f} min",
        "held as stale": str(len(seen.stale)),
        "refused by the broker (429)": str(seen.refused),
        **{f"  {kind} an order": f"{count / orders:.2f}" for kind, count in sorted(seen.requests.items())},
        "trading, quiet minute": str(quiet["trading"]),
        "quotes, quiet minute": str(quiet["data"]),
        "closing begins": f"{closing[0].began.astimezone(NEW_YORK):%H:%M:%S}",
        "until the last cancel": last,
        "open 60 s before the end": str(left),
        "steps of CloseRun": str(len(closing)),
        "failed tries of CloseRun": str(sum(each.has_failed for each in closing)),
        "time in CloseRun": f"{sum(each.seconds for each in closing):.0f} s",
        "longest step": f"{longest.seconds:.0f} s {longest.state}",
        "history events": str(day.usage().history_events),
        "outcome": str((day.summary() or {}).get("outcome")),
        "peak memory": f"{peak:.0f} MB",
        "CPU": f"{process_time():.0f} s",
    }


def _lives(day: SimulatedDay) -> tuple[dict[str, datetime], dict[str, datetime]]:
    """When the broker accepted the first order of each symbol, and when each order ended."""
    placed: dict[str, datetime] = {}
    ends: dict[str, datetime] = {}
    for event in day.exchange.ledger.events:
        at = datetime.fromtimestamp(event.at / NANOSECONDS, NEW_YORK)
        placed.setdefault(event.symbol, at)
        if str(event.status) in ENDED:
            ends.setdefault(event.order_id, at)
    return placed, ends


if __name__ == "__main__":
    sys.exit(main())
