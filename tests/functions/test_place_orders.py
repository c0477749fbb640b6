"""PlaceOrders: the intent is written before the order is sent, once, and only while it may be sent."""

from __future__ import annotations

from decimal import Decimal

import pytest

from repeg.domain.child_order import ChildState
from repeg.domain.errors import RefusedRun
from repeg.domain.outcome import Outcome
from repeg.domain.steps import OrdersPlaced
from repeg_workbench.exchange.faults.transport_faults import Fault, Kind
from repeg_workbench.exchange.triggers import When
from tests.functions.books import AAPL, KO, book
from tests.functions.desk import PREFIX, RUN_ID, Desk, OpenDesk, holding


def desk_with(open_desk: OpenDesk, *orders: str, cash: str = "100000", **held: str) -> Desk:
    """A run of these orders, planned at 09:36."""
    desk = open_desk({"AAPL": AAPL, "KO": KO}, opening=holding(cash, **held))
    desk.begin(*orders)
    return desk


# Submissions


def test_an_order_is_placed_a_tick_better_than_the_near_side(open_desk: OpenDesk) -> None:
    desk = desk_with(open_desk, "buy 40 AAPL", "sell all KO", KO="100")
    answer = desk.place()
    assert answer == OrdersPlaced(turns=0, turn_at="2026-11-23T14:36:30Z", placed=2)
    assert sorted(desk.open_at_broker()) == ["100 KO @ 60.42", "40 AAPL @ 189.41"]
    assert desk.journalled("AAPL", "place") == [("buy 40 @ 189.41", "bid 189.40 × ask 189.44, improve by a tick")]
    desk.judge()


def test_an_order_in_a_one_tick_market_joins_the_near_side(open_desk: OpenDesk) -> None:
    desk = open_desk({"AAPL": book("09:30 300 @ 189.40 × 200 @ 189.41")})
    desk.begin("buy 40 AAPL")
    desk.place()
    assert desk.open_at_broker() == ["40 AAPL @ 189.40"]
    assert desk.bought() == 0


def test_a_run_without_limit_execution_sends_market_orders(open_desk: OpenDesk) -> None:
    desk = open_desk({"AAPL": AAPL})
    desk.begin("buy 40 AAPL", use_smart_limit_execution=False)
    desk.place()
    (intent,) = desk.store.intents(RUN_ID)
    assert (intent.limit, intent.notional) == (None, Decimal("7767.04000"))
    desk.wait(1)
    assert desk.bought() == 40
    assert desk.repeg().decision == "close"
    desk.judge()


def test_an_intent_is_written_before_its_order_is_sent(open_desk: OpenDesk) -> None:
    desk = desk_with(open_desk, "buy 40 AAPL")
    desk.exchange.faults.arm(Fault(kind=Kind.HANG_BEFORE, method="POST"))
    desk.place()
    (intent,) = desk.store.intents(RUN_ID)
    assert intent.client_order_id == f"{PREFIX}AAPL.b.1"
    assert (intent.qty, intent.limit) == (Decimal(40), Decimal("189.41"))
    assert intent.quote.bid == Decimal("189.40")
    assert desk.order().children[-1].state is ChildState.UNKNOWN
    assert desk.at_broker() == []


def test_repeated_placement_sends_no_order_twice(open_desk: OpenDesk) -> None:
    desk = desk_with(open_desk, "buy 40 AAPL", "sell all KO", KO="100")
    desk.place()
    assert desk.place().placed == 0
    assert desk.posts() == 2


def test_an_unacknowledged_order_is_not_placed_again(open_desk: OpenDesk) -> None:
    desk = desk_with(open_desk, "buy 40 AAPL")
    desk.exchange.faults.arm(Fault(kind=Kind.HANG_AFTER, method="POST"))
    desk.place()
    desk.place()
    assert desk.posts() == 1
    assert desk.open_at_broker() == ["40 AAPL @ 189.41"]


def test_a_preview_makes_the_decisions_and_sends_no_order(open_desk: OpenDesk) -> None:
    desk = open_desk({"AAPL": AAPL})
    desk.preview("buy 40 AAPL")
    desk.place()
    assert (desk.order().outcome, desk.order().reason) == (Outcome.PREVIEW, "would place at 189.41")
    assert (desk.posts(), desk.store.intents(desk.run_id)) == (0, [])


def test_a_book_that_turns_bad_after_validation_holds_the_order(open_desk: OpenDesk) -> None:
    desk = open_desk({"AAPL": book("09:30 300 @ 189.40 × 200 @ 189.44", "09:36:10 300 @ 188.00 × 200 @ 191.00")})
    desk.begin("buy 40 AAPL")
    desk.validate()
    desk.wait_until("09:36:12")
    desk.place()
    assert desk.order().held == "wide"
    assert desk.posts() == 0


def test_sequential_and_concurrent_placement_send_the_same_orders(open_desk: OpenDesk) -> None:
    books = {"AAPL": AAPL, "KO": KO}
    placed = []
    for flag in (True, False):
        desk = open_desk(books)
        desk.begin("buy 40 AAPL", "buy 10 KO", use_async_execution=flag)
        desk.place()
        placed.append(desk.open_at_broker())
    assert placed[0] == placed[1] == ["40 AAPL @ 189.41", "10 KO @ 60.41"]


def test_a_failed_submission_does_not_affect_other_symbols(open_desk: OpenDesk) -> None:
    desk = desk_with(open_desk, "buy 40 AAPL", "buy 10 KO")
    desk.exchange.faults.arm(Fault(kind=Kind.ANSWER_BEFORE, method="POST", status=500))
    desk.place()
    states = {order.symbol: order.children[-1].state for order in desk.store.orders(RUN_ID)}
    assert states == {"AAPL": ChildState.UNKNOWN, "KO": ChildState.LIVE}


# Late, fenced, or without a broker


def test_no_order_is_sent_in_the_last_ten_seconds_of_the_window(open_desk: OpenDesk) -> None:
    desk = open_desk({"AAPL": book("15:40 300 @ 189.40 × 200 @ 189.44", until="16:00")}, at="15:54:49")
    desk.begin("buy 40 AAPL")
    desk.validate()
    desk.wait_until("15:54:50")
    desk.place()
    assert desk.posts() == 0
    assert desk.journalled("AAPL", "hold")[-1] == ("", "too late in this step to send")


def test_no_order_is_sent_late_in_a_step(open_desk: OpenDesk) -> None:
    """The step's timeout must not interrupt a submission."""
    desk = open_desk({"AAPL": AAPL})
    desk.begin("buy 40 AAPL", max_quote_age_seconds=60)
    desk.validate()
    desk.broker.line.seconds = 12  # clock, quotes and account leave no time to send
    desk.place()
    assert desk.posts() == 0
    assert desk.journalled("run", "batch") == [("0 placed", "1 are left for the next step")]


def test_a_fenced_execution_sends_no_order(open_desk: OpenDesk) -> None:
    desk = desk_with(open_desk, "buy 40 AAPL")
    desk.validate()
    desk.store.take_over(RUN_ID, 1, "arn:sweeper")
    with pytest.raises(RefusedRun, match="epoch 2"):
        desk.place()
    assert (desk.posts(), desk.store.intents(RUN_ID)) == (0, [])


def test_an_execution_fenced_during_a_step_sends_no_order(open_desk: OpenDesk) -> None:
    desk = desk_with(open_desk, "buy 40 AAPL")
    desk.broker.line.seconds = 1
    step = desk.scheduler.spawn(desk.place)
    desk.wait(3.5)
    desk.store.take_over(RUN_ID, 1, "arn:sweeper")
    assert step.result().placed == 0
    assert (desk.posts(), desk.store.intents(RUN_ID)) == (0, [])
    assert "epoch 2; this execution holds 1" in desk.journalled("AAPL", "error")[0][1]


@pytest.mark.parametrize("path", ["/v2/clock", "/v2/stocks/quotes/latest", "/v2/account"])
def test_a_broker_error_skips_the_turn_and_schedules_the_next(open_desk: OpenDesk, path: str) -> None:
    desk = desk_with(open_desk, "buy 40 AAPL")
    desk.validate()
    skip = 1 if path == "/v2/clock" else 0  # the first clock read is ValidateQuotes'
    desk.exchange.faults.arm(Fault(kind=Kind.ANSWER_BEFORE, path=path, status=502), When(skip=skip, times=2))
    answer = desk.place()
    assert (answer.placed, answer.turn_at, desk.posts()) == (0, "2026-11-23T14:36:30Z", 0)
    assert desk.journalled("run", "skip")
