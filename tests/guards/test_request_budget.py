"""The account's request quota: many orders stay within the broker's rate limit, and cancels get through."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

import pytest

from repeg.adapters.rate_limited_broker import RateLimitedBroker
from repeg.adapters.request_limiter import RequestLimiter
from repeg.domain.broker import Accepted, CancelAnswer, Unknown
from repeg.domain.errors import StoreUnavailable
from repeg.domain.intent import Intent
from repeg.domain.request_quota import BUCKET_SECONDS, Quota, bucket_limit, bucket_of
from repeg.domain.run import Run, RunState
from repeg.domain.run_health import Alert
from repeg.domain.time_limits import REQUEST
from repeg.workflow.turn import Turn, begin_turn
from repeg_workbench.twins.memory_store import MemoryStore
from tests.builders import after_noon
from tests.functions.books import Event, book
from tests.functions.desk import PREFIX, PROMPT, RUN_ID, Desk, OpenDesk, holding
from tests.functions.scenes import half_filled, resting
from tests.simulation import judge

MINUTE = 60_000_000_000
ORDINARY = bucket_limit(200, Quota.ORDINARY)
CROWD = [f"{a}{b}X" for a in "ABCDEFGH" for b in "KLMNO"]


def rate_limited(desk: Desk, per_minute: int = 200) -> Desk:
    """The desk with a rate-limited broker."""
    limiter = RequestLimiter(desk.store, desk.runtime, per_minute)
    desk.ports = replace(desk.ports, broker=RateLimitedBroker(desk.ports.broker, limiter))
    return desk


def busiest_minute(arrived: list[int]) -> int:
    """The largest number of trading calls in any sixty seconds."""
    return max(bisect_left(arrived, at + MINUTE) - place for place, at in enumerate(arrived))


def rising_book() -> list[Event]:
    """A book that rises by ten cents every half minute."""
    times = [f"09:{36 + turn // 2}:{10 + 30 * (turn % 2)}" for turn in range(8)]
    bids = [Decimal("20.00") + Decimal("0.10") * turn for turn in range(8)]
    steps = [f"{time} 900 @ {bid} × 900 @ {bid + Decimal('0.03')}" for time, bid in zip(times, bids, strict=True)]
    return book("09:20 900 @ 19.90 × 900 @ 19.93", *steps, until="09:45")


@pytest.mark.parametrize("per_minute", [100, 200])
def test_forty_moving_orders_stay_within_the_rate_limit(open_desk: OpenDesk, per_minute: int) -> None:
    strict = replace(PROMPT, requests_per_minute=per_minute)
    desk = open_desk({symbol: rising_book() for symbol in CROWD}, quirks=strict, opening=holding("1000000"), at="09:35")
    desk.begin(*(f"buy 10 {symbol}" for symbol in CROWD), max_slippage_bps="900", escalation="none")
    desk.broker.line.arrived.clear()
    desk.wait_until("09:36")
    rate_limited(desk, per_minute)
    for turn in range(10):
        desk.wait_until(f"09:{37 + turn // 2}:{30 * (turn % 2):02}")
        desk.place()
        desk.repeg()
    assert len(desk.at_broker()) > 50  # the requests moved orders
    assert busiest_minute(desk.broker.line.arrived) <= per_minute
    desk.judge()


def test_forty_moving_orders_exceed_the_rate_limit_without_the_quota(open_desk: OpenDesk) -> None:
    desk = open_desk({symbol: rising_book() for symbol in CROWD}, opening=holding("1000000"), at="09:35")
    desk.begin(*(f"buy 10 {symbol}" for symbol in CROWD), max_slippage_bps="900", escalation="none")
    desk.wait_until("09:37")
    for _ in range(2):
        desk.place()
        desk.repeg()
        desk.wait(30)
    assert busiest_minute(desk.broker.line.arrived) > 150


def test_an_exhausted_quota_stops_orders_but_no_cancels(open_desk: OpenDesk) -> None:
    desk = rate_limited(resting(open_desk))
    for seconds in (0, 10, 20):
        desk.store.lease_requests(
            bucket_of(after_noon(0).replace(hour=14, minute=36, second=seconds)), ORDINARY, ORDINARY
        )
    (order,) = desk.at_broker()
    intent = desk.store.intents(RUN_ID)[0].model_copy(update={"client_order_id": f"{PREFIX}AAPL.b.2"})
    assert isinstance(desk.ports.broker.submit(intent), Unknown)
    assert desk.posts() == 1
    asked = desk.runtime.now()
    assert desk.ports.broker.cancel(order.id) is CancelAnswer.REQUESTED
    assert desk.runtime.now() - asked < timedelta(seconds=1)
    desk.wait(1)
    assert desk.open_at_broker() == []


def expiring(desk: Desk, seconds: float) -> Intent:
    """An intent of a second order that may be sent for some seconds more."""
    late = {"client_order_id": f"{PREFIX}AAPL.b.2", "not_after": desk.runtime.now() + timedelta(seconds=seconds)}
    return desk.store.intents(RUN_ID)[0].model_copy(update=late)


@pytest.mark.parametrize("is_replacement", [False, True])
def test_an_order_whose_deadline_passes_while_it_waits_is_not_sent(
    open_desk: OpenDesk, *, is_replacement: bool
) -> None:
    """The lease of its request takes four seconds, two more than it has."""
    desk = rate_limited(resting(open_desk))
    lease = desk.store.lease_requests

    def slowly(bucket: str, count: int, most: int) -> bool:
        desk.runtime.pause(4)
        return lease(bucket, count, most)

    desk.store.lease_requests = slowly  # type: ignore[method-assign]
    broker, intent = desk.ports.broker, expiring(desk, 2)
    answer = broker.replace(desk.at_broker()[0].id, intent) if is_replacement else broker.submit(intent)
    assert isinstance(answer, Unknown)
    assert (answer.was_sent, "deadline" in answer.reason) == (False, True)
    assert [method for method, _ in desk.broker.line.sent if method != "GET"] == ["POST"]


def test_an_order_does_not_wait_for_a_bucket_that_begins_after_its_deadline(open_desk: OpenDesk) -> None:
    """It is decided anew at once instead; one whose deadline is a second later waits, and is sent."""
    desk = rate_limited(resting(open_desk))
    desk.wait_until("09:36:24")
    desk.store.lease_requests(bucket_of(desk.runtime.now()), ORDINARY, ORDINARY)
    asked = desk.runtime.now()
    assert isinstance(desk.ports.broker.submit(expiring(desk, 5.9)), Unknown)
    assert (desk.runtime.now(), desk.posts()) == (asked, 1)
    assert isinstance(desk.ports.broker.submit(expiring(desk, 6.1)), Accepted)


def test_orders_that_wait_for_the_quota_are_priced_anew(open_desk: OpenDesk) -> None:
    """Forty orders need two buckets. Those that find none in the first are placed on the book ten seconds later."""
    books = book("09:20 900 @ 19.90 × 900 @ 19.93", "09:36:05 900 @ 19.97 × 900 @ 20.00", until="09:45")
    desk = open_desk(dict.fromkeys(CROWD, books), opening=holding("1000000"), at="09:36")
    desk.begin(*(f"buy 10 {symbol}" for symbol in CROWD), max_slippage_bps="900")
    rate_limited(desk)
    desk.place()
    prices = {line.rpartition(" ")[2] for line in desk.open_at_broker()}
    assert (len(desk.open_at_broker()), prices) == (40, {"19.91", "19.98"})
    assert {len(order.children) for order in desk.store.orders(RUN_ID)} == {1}
    desk.judge()


def test_requests_left_in_one_bucket_are_not_used_in_the_next(open_desk: OpenDesk) -> None:
    """Four are leased at once in each bucket, of those for ordinary requests; the last three of one lapse."""
    desk = resting(open_desk)
    limiter = RequestLimiter(desk.store, desk.runtime, 200)
    for _ in range(2):
        desk.wait(BUCKET_SECONDS)
        limiter.require(Quota.ORDINARY)
    bucket = bucket_of(desk.runtime.now())
    assert not desk.store.lease_requests(bucket, ORDINARY - 3, ORDINARY)
    assert desk.store.lease_requests(bucket, ORDINARY - 4, ORDINARY)


def run_with_quota_exhausted(desk: Desk, step: Callable[[], object]) -> None:
    """Run a step while other runs have leased all ordinary requests of the next five minutes."""
    for seconds in range(0, 300, BUCKET_SECONDS):
        assert desk.store.lease_requests(
            bucket_of(desk.scheduler.now() + timedelta(seconds=seconds)), ORDINARY, ORDINARY
        )
    taken = desk.scheduler.spawn(step)
    desk.wait(240)
    taken.result()


def eight_resting_orders(open_desk: OpenDesk) -> Desk:
    """A rate-limited desk with eight resting orders."""
    symbols = CROWD[:8]
    books = {symbol: book("09:20 900 @ 19.90 × 900 @ 19.93") for symbol in symbols}
    desk = open_desk(books, opening=holding("1000000"))
    desk.broker.line.seconds = 0.02
    desk.begin(*(f"buy 10 {symbol}" for symbol in symbols))
    desk.place()
    assert len(desk.open_at_broker()) == 8
    return rate_limited(desk)


def test_a_wait_for_the_quota_does_not_put_a_turns_time_ahead(open_desk: OpenDesk) -> None:
    """Quotes would be called stale, and the run would close before its window does."""
    desk = rate_limited(resting(open_desk))
    asked, turns = desk.runtime.now(), list[Turn]()
    for seconds in (0, 10):
        assert desk.store.lease_requests(bucket_of(asked + timedelta(seconds=seconds)), ORDINARY, ORDINARY)
    waiting = desk.scheduler.spawn(lambda: turns.append(begin_turn(RUN_ID, desk.ports)))
    desk.wait(40)
    waiting.result()
    (turn,) = turns
    assert turn.moment.now - asked > timedelta(seconds=3)
    assert timedelta(0) <= turn.now - desk.runtime.now() <= REQUEST


@pytest.mark.parametrize("how", ["close", "sweep"])
def test_a_run_closes_while_other_runs_exhaust_the_quota(open_desk: OpenDesk, how: str) -> None:
    desk = eight_resting_orders(open_desk)
    run_with_quota_exhausted(desk, getattr(desk, how))
    assert desk.run.state in {RunState.CLOSED, RunState.SWEPT}
    judge.nothing_of_ours_is_open(desk.exchange)
    assert {row["outcome"] for row in desk.report["orders"]} == {"partial_deadline"}


def test_the_watchdog_works_while_other_runs_exhaust_the_quota(open_desk: OpenDesk) -> None:
    desk = eight_resting_orders(open_desk)
    found: list[Alert] = []
    run_with_quota_exhausted(desk, lambda: found.extend(desk.watch(expect_run=False)))
    assert found == []


class UnavailableStore(MemoryStore):
    """A store that can be switched to not answer."""

    is_down = False

    def run(self, run_id: str) -> Run | None:
        self._raise_if_down()
        return super().run(run_id)

    def lease_requests(self, bucket: str, count: int, most: int) -> bool:
        self._raise_if_down()
        return super().lease_requests(bucket, count, most)

    def _raise_if_down(self) -> None:
        if self.is_down:
            raise StoreUnavailable("no answer in time")


def test_closing_cancels_orders_while_the_table_is_down(open_desk: OpenDesk) -> None:
    """The quota is stored in the same table, so the limiter cannot read it either."""
    store = UnavailableStore()
    desk = rate_limited(half_filled(open_desk, store=store))
    store.is_down = True
    with pytest.raises(StoreUnavailable):
        desk.close()
    desk.wait(1)
    assert desk.open_at_broker() == []


def test_a_step_without_quota_skips_its_turn(open_desk: OpenDesk) -> None:
    desk = rate_limited(resting(open_desk))
    for seconds in (30, 40, 50):
        desk.store.lease_requests(
            bucket_of(after_noon(0).replace(hour=14, minute=36, second=seconds)), ORDINARY, ORDINARY
        )
    assert desk.turn_at("09:36:30").decision == "wait"
    assert desk.journalled("run", "skip") == [("", "the account's request quota is exhausted")]
    assert desk.open_at_broker() == ["40 AAPL @ 189.41"]
