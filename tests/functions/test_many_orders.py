"""More orders than a step has time or requests for: PlaceOrders and CloseRun go on in the next step."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from datetime import timedelta

import pytest

from functions.place_orders.app import place_orders
from repeg.adapters.rate_limited_broker import RateLimitedBroker
from repeg.adapters.request_limiter import RequestLimiter
from repeg.domain.child_order import ChildState
from repeg.domain.errors import StillOpen
from repeg.domain.quote import Side
from repeg.domain.request_quota import BUCKET_SECONDS, Quota, bucket_limit, bucket_of
from repeg.domain.run import RunState
from repeg.domain.steps import CLOSING, StepFailure
from repeg.domain.time_limits import CLOSES_FOR, REQUEST, STEP_PLACES_FOR
from repeg.workflow.turn import Turn
from repeg_workbench.exchange.faults.transport_faults import Fault, Kind
from repeg_workbench.exchange.triggers import When
from tests.functions.books import Event, book
from tests.functions.desk import PROMPT, Desk, OpenDesk, holding
from tests.simulation import judge

PER_MINUTE = 100
A_BUCKET = bucket_limit(PER_MINUTE, Quota.ORDINARY)
CROWD = [f"{a}{b}X" for a in "ABCDEFGH" for b in "KLMNO"]
TIMES = [f"09:{36 + second // 60}:{second % 60:02}" for second in range(1, 240)]
LOOKUP = "/orders:by_client_order_id"


RISES_AT = "09:39:00"


def fresh_book(rises_at: str = "") -> list[Event]:
    """A book that is quoted every second, its far side a tick up and down, so that each quote is new; from a time on
    thirty cents higher, if one is given."""
    up = [30 if rises_at and time >= rises_at else 0 for time in TIMES]
    quotes = [
        f"{time} 900 @ {(1990 + up[number]) / 100:.2f} × 900 @ {(1993 + up[number] + number % 2) / 100:.2f}"
        for number, time in enumerate(TIMES)
    ]
    return book("09:20 900 @ 19.90 × 900 @ 19.93", *quotes, until="09:41")


def crowd(
    open_desk: OpenDesk, count: int = len(CROWD), *, sells: bool = False, rises_at: str = "", **settings: bool
) -> Desk:
    """A rate-limited desk with a planned run of so many orders, of which half sell if wanted."""
    symbols = CROWD[:count]
    sold = symbols[::2] if sells else []
    quirks = replace(PROMPT, requests_per_minute=PER_MINUTE)
    opening = holding("1000000", **dict.fromkeys(sold, "10"))
    desk = open_desk({symbol: fresh_book(rises_at) for symbol in symbols}, quirks=quirks, opening=opening, at="09:35")
    lines = [f"{'sell' if symbol in sold else 'buy'} 10 {symbol}" for symbol in symbols]
    desk.begin(*lines, max_slippage_bps="900", **settings)
    desk.broker.line.seconds = 0.02
    desk.wait_until("09:36:01")
    desk.broker.line.sent.clear()
    limiter = RequestLimiter(desk.store, desk.runtime, PER_MINUTE)
    desk.ports = replace(desk.ports, broker=RateLimitedBroker(desk.ports.broker, limiter))
    return desk


def kinds(desk: Desk) -> Counter[str]:
    """The trading requests sent, by method and path without the id at its end."""
    return Counter(
        f"{method} {path if path.startswith(('/orders:', '/positions')) else '/' + path.split('/')[1]}"
        for method, path in desk.broker.line.sent
        if not path.startswith("/stocks")
    )


def placed_by_steps(desk: Desk) -> list[int]:
    """Call PlaceOrders, and RepegOrders after each as the machine does, until none is left; what each has left."""
    left: list[int] = []
    while not left or left[-1]:
        answer = desk.place()
        left.append(answer.left)
        desk.repeg(left=answer.left)
        assert len(left) < 10
    return left


def test_a_step_places_what_it_has_requests_for_and_leaves_the_rest(open_desk: OpenDesk) -> None:
    desk = crowd(open_desk)
    began = desk.runtime.now()
    answer = desk.place()
    assert answer.placed + answer.left == len(CROWD)
    assert 3 * A_BUCKET <= answer.placed < len(CROWD)
    assert desk.runtime.now() - began < STEP_PLACES_FOR
    assert answer.turn_at <= f"{desk.runtime.now() + timedelta(seconds=1):%Y-%m-%dT%H:%M:%SZ}"
    desk.judge()


def test_all_orders_are_placed_in_a_few_steps_and_none_is_held_as_stale(open_desk: OpenDesk) -> None:
    desk = crowd(open_desk, sells=True)
    assert placed_by_steps(desk)[-1] == 0
    assert len({order.terms.symbol for order in desk.at_broker()}) == len(CROWD)
    assert [e for e in desk.journal.entries if e.verb == "hold" and "stale" in e.reason] == []
    desk.judge()


def test_sells_come_before_all_buys_even_over_several_steps(open_desk: OpenDesk) -> None:
    desk = crowd(open_desk, sells=True)
    placed_by_steps(desk)
    firsts = {order.terms.symbol: order for order in reversed(desk.at_broker())}
    sides = [order.terms.side for order in sorted(firsts.values(), key=lambda order: order.created_at)]
    assert sides == sorted(sides)


def test_placing_takes_one_request_an_order_and_a_few_for_each_batch(open_desk: OpenDesk) -> None:
    """The holdings are read once for each batch of sells, not once for each order that has waited."""
    desk = crowd(open_desk, sells=True)
    answer = desk.place()
    batches = -(-answer.placed // (A_BUCKET - 2)) + 1
    sent = kinds(desk)
    assert sent["POST /orders"] == answer.placed
    assert sum(sent.values()) - answer.placed <= 4 + batches


def test_buys_that_the_step_did_not_come_to_are_not_held(open_desk: OpenDesk) -> None:
    desk = crowd(open_desk)
    desk.place()
    waiting = [order for order in desk.store.orders(desk.run_id) if not order.children]
    assert waiting
    assert {order.held for order in waiting} == {None}
    assert {order.side for order in waiting} == {Side.BUY}


def test_a_step_that_places_none_is_not_repeated_at_once(open_desk: OpenDesk, monkeypatch: pytest.MonkeyPatch) -> None:
    """Others have taken the quota: steps at full speed would take what is left of it."""
    desk = crowd(open_desk)
    desk.validate()
    monkeypatch.setattr(RateLimitedBroker, "make_room", lambda _broker, _orders: 0)
    answer = place_orders(desk.run_id, desk.epoch, desk.turns, desk.ports)
    assert (answer.placed, answer.left) == (0, 0)
    assert desk.journalled("run", "batch") == [("0 placed", f"{len(CROWD)} are left for the next step")]


def test_no_order_is_left_for_a_later_step_once_the_window_is_over(
    open_desk: OpenDesk, monkeypatch: pytest.MonkeyPatch
) -> None:
    desk = crowd(open_desk, 4, sells=True)
    desk.validate()
    monkeypatch.setattr(Turn, "is_in_window", property(lambda _turn: False))
    answer = place_orders(desk.run_id, desk.epoch, desk.turns, desk.ports)
    assert (answer.placed, answer.left) == (0, 0)
    assert desk.journalled("run", "batch") == []
    assert {len(desk.journalled(symbol, "hold")) for symbol in CROWD[:4]} == {1}


def resting_crowd(open_desk: OpenDesk, count: int) -> Desk:
    desk = crowd(open_desk, count)
    placed_by_steps(desk)
    desk.wait(20)
    desk.broker.line.sent.clear()
    return desk


def others_take_half(desk: Desk) -> None:
    """Let other runs lease half of the requests of the next two minutes."""
    for seconds in range(0, 120, BUCKET_SECONDS):
        bucket = bucket_of(desk.runtime.now() + timedelta(seconds=seconds))
        assert desk.store.lease_requests(bucket, A_BUCKET // 2 + 1, A_BUCKET)


def test_closing_takes_a_cancel_an_order_and_is_confirmed_by_list(open_desk: OpenDesk) -> None:
    desk = resting_crowd(open_desk, 12)
    assert desk.close().outcome == "settled"
    sent = kinds(desk)
    assert sent["DELETE /orders"] == 12
    assert sent[f"GET {LOOKUP}"] == 0
    assert sum(sent.values()) <= 12 + 8
    judge.nothing_of_ours_is_open(desk.exchange)
    desk.judge()


def test_few_cancels_are_confirmed_one_by_one(open_desk: OpenDesk) -> None:
    desk = resting_crowd(open_desk, 2)
    assert desk.close().outcome == "settled"
    assert kinds(desk)[f"GET {LOOKUP}"] == 2


def test_a_closing_step_leaves_what_it_has_no_time_for_to_the_next(open_desk: OpenDesk) -> None:
    desk = resting_crowd(open_desk, 40)
    others_take_half(desk)
    began = desk.runtime.now()
    failure = StepFailure(Error="RefusedRun", Cause="as before")
    first = desk.close(failure)
    assert (first.outcome, first.error, first.reason) == (CLOSING, "RefusedRun", "as before")
    assert first.again_at
    assert desk.runtime.now() - began < CLOSES_FOR + timedelta(seconds=60)
    assert desk.run.state is RunState.CLOSING
    assert desk.run.report is None
    assert 0 < len(desk.open_at_broker()) < 40
    second = desk.close(StepFailure(Error=first.error, Cause=first.reason))
    assert (second.outcome, second.error) == ("failed", "RefusedRun")
    judge.nothing_of_ours_is_open(desk.exchange)
    assert kinds(desk)["DELETE /orders"] == 40


def test_a_closing_step_ends_long_before_its_functions_limit(open_desk: OpenDesk) -> None:
    """Forty slow answers, one after the other."""
    desk = crowd(open_desk, use_async_execution=False)
    placed_by_steps(desk)
    desk.broker.line.seconds = 4.0
    began = desk.runtime.now()
    assert desk.close().outcome == CLOSING
    assert desk.runtime.now() - began < CLOSES_FOR + 6 * REQUEST


def test_a_closing_step_that_goes_on_is_no_failure(open_desk: OpenDesk) -> None:
    desk = resting_crowd(open_desk, 40)
    others_take_half(desk)
    first = desk.close()
    assert (first.outcome, first.error) == (CLOSING, "")
    assert desk.close(StepFailure(Error=first.error, Cause=first.reason)).outcome == "settled"


def test_a_closing_step_that_goes_on_keeps_the_watchdog_away(open_desk: OpenDesk) -> None:
    desk = resting_crowd(open_desk, 40)
    others_take_half(desk)
    desk.close()
    last = desk.store.last_turn(desk.run_id)
    assert last is not None
    assert desk.runtime.now() - last < timedelta(seconds=1)


def test_an_order_that_the_list_does_not_show_as_closed_keeps_the_run_open(open_desk: OpenDesk) -> None:
    """A cancel that was requested is no proof, however many others have come to their end."""
    desk = resting_crowd(open_desk, 12)
    refused = Fault(kind=Kind.ANSWER_BEFORE, method="DELETE", path="/v2/orders/.+", status=500)
    desk.exchange.faults.arm(refused, When(times=1))
    with pytest.raises(StillOpen):
        desk.close()
    states = Counter(child.state for order in desk.store.orders(desk.run_id) for child in order.children)
    assert states == {ChildState.CANCELED: 11, ChildState.CANCELLING: 1}
    assert desk.close().outcome == "settled"


def test_a_closing_step_that_gets_no_request_is_a_failure(open_desk: OpenDesk, monkeypatch: pytest.MonkeyPatch) -> None:
    """Another step would get none either: the machine waits longer before it tries again."""
    desk = resting_crowd(open_desk, 12)

    def only_reads(_limiter: RequestLimiter, _quota: Quota, following: int = 0) -> bool:
        return following == 0

    monkeypatch.setattr(RequestLimiter, "acquire", only_reads)
    with pytest.raises(StillOpen):
        desk.close()
    assert kinds(desk)["DELETE /orders"] == 0


def test_cancelled_orders_that_no_list_shows_are_read_by_their_ids(open_desk: OpenDesk) -> None:
    desk = resting_crowd(open_desk, 6)
    desk.broker.open_orders = list  # type: ignore[method-assign]
    desk.broker.orders_since = lambda day: []  # type: ignore[method-assign]
    assert desk.close().outcome == "settled"
    judge.nothing_of_ours_is_open(desk.exchange)


def test_moves_that_the_quota_has_no_room_for_wait_for_the_next_look(open_desk: OpenDesk) -> None:
    """Of forty orders that want to move, a few do in each step, none on an old quote, and none is left without a
    child."""
    desk = crowd(open_desk, rises_at=RISES_AT)
    placed_by_steps(desk)
    desk.wait_until("09:39:01")
    desk.broker.line.sent.clear()
    desk.repeg()
    sent = kinds(desk)
    assert 0 < sent["POST /orders"] == sent["DELETE /orders"] < len(CROWD) // 2
    assert len(desk.open_at_broker()) == len(CROWD)
    assert [e for e in desk.journal.entries if e.verb == "hold" and "stale" in e.reason] == []
    desk.judge()
