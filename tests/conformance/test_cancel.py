"""Rows 85 to 93: canceling orders."""

from datetime import UTC, datetime, timedelta

from repeg_workbench.exchange.broker.races import Race
from repeg_workbench.exchange.broker_quirks import BrokerQuirks
from tests.conformance.alpaca_bench import a_bench, across, refused
from tests.conformance.sdk import TimeInForce
from tests.exchange.caller import PROMPT

UNKNOWN = "11111111-2222-4333-8444-555555555555"


@across(cancel_delay=((10, 10), (0, 0)))
def test_row_085_a_cancel_answers_204_then_pending_cancel_then_canceled(quirks: BrokerQuirks) -> None:
    with a_bench(quirks=quirks) as bench:
        order = bench.working()
        asked = bench.exchange.now
        answer = bench.raw("DELETE", f"/v2/orders/{order.id}")
        assert (answer.status_code, answer.content) == (204, b"")
        assert bench.status(order) == ("canceled" if quirks.cancel_delay == (0, 0) else "pending_cancel")
        assert order.canceled_at is None
        bench.wait(3_000)
        done = bench.order(order)
    assert done.status == "canceled"
    delay = timedelta(milliseconds=quirks.cancel_delay[0])
    assert done.canceled_at == datetime.fromtimestamp(asked / 1e9, UTC) + delay, "when it took effect, not when read"


def test_row_086_a_filled_order_cannot_be_canceled() -> None:
    with a_bench() as bench:
        order = bench.working(price=101)
        with refused(422, 42210000, 'order is already in "filled" state'):
            bench.trading.cancel_order_by_id(order.id)


@across(cancel_of_canceled=("204", "422"))
def test_row_087_a_canceled_order_cancels_again_or_is_refused(quirks: BrokerQuirks) -> None:
    with a_bench(quirks=quirks) as bench:
        order = bench.working()
        bench.trading.cancel_order_by_id(order.id)
        bench.wait(50)
        if quirks.cancel_of_canceled == "204":
            bench.trading.cancel_order_by_id(order.id)
        else:
            with refused(422, 42210000, 'order is already in "canceled" state'):
                bench.trading.cancel_order_by_id(order.id)
        assert bench.status(order) == "canceled"


@across(cancel_of_canceled=("204", "422"))
def test_row_087_another_hand_can_cancel_an_order_first(quirks: BrokerQuirks) -> None:
    with a_bench(quirks=quirks) as bench:
        order = bench.working()
        bench.on_server(lambda: bench.exchange.races.arm(Race.CANCELED_FIRST))
        if quirks.cancel_of_canceled == "204":
            bench.trading.cancel_order_by_id(order.id)
        else:
            with refused(422, 42210000, 'order is already in "canceled" state'):
                bench.trading.cancel_order_by_id(order.id)
        assert bench.status(order) == "canceled"


@across(second_cancel=("422", "204"))
def test_row_088_a_second_pending_cancel_is_refused_or_accepted(quirks: BrokerQuirks) -> None:
    with a_bench(quirks=quirks) as bench:
        order = bench.working()
        bench.trading.cancel_order_by_id(order.id)
        if quirks.second_cancel == "204":
            bench.trading.cancel_order_by_id(order.id)
        else:
            with refused(422, 42210000, "order pending cancel"):
                bench.trading.cancel_order_by_id(order.id)
        bench.wait(50)
        assert bench.status(order) == "canceled"


def test_row_089_a_cancel_of_an_unknown_order_is_404() -> None:
    with a_bench() as bench, refused(404, 40410000, f"order not found for {UNKNOWN}"):
        bench.trading.cancel_order_by_id(UNKNOWN)


def test_row_090_a_cancel_can_lose_to_a_fill_after_its_204() -> None:
    with a_bench() as bench:
        bench.on_server(lambda: bench.exchange.races.arm(Race.CANCEL_LOSES))
        order = bench.working(price=99)
        bench.trading.cancel_order_by_id(order.id)
        assert bench.status(order) == "pending_cancel"
        bench.wait(50)
        done = bench.order(order)
        assert (done.status, done.filled_qty, done.canceled_at) == ("filled", "10", None)
        assert bench.trading.get_open_position("AAPL").qty == "10"


@across(cancel_while_closed=("immediate", "at_open"))
def test_row_091_a_cancel_while_closed_completes_at_once_or_at_the_open(quirks: BrokerQuirks) -> None:
    with a_bench(quirks=quirks, at="08:00") as bench:
        order = bench.limit()
        bench.trading.cancel_order_by_id(order.id)
        assert bench.status(order) == ("canceled" if quirks.cancel_while_closed == "immediate" else "pending_cancel")
        bench.wait_for("09:30:01")
        assert bench.status(order) == "canceled"


@across(cancel_while_closed=("immediate", "at_open"))
def test_row_091_a_cancel_overnight_completes_at_once_or_at_the_open(quirks: BrokerQuirks) -> None:
    with a_bench(quirks=quirks) as bench:
        order = bench.working(time_in_force=TimeInForce.GTC)
        bench.wait_for("17:00")
        bench.trading.cancel_order_by_id(order.id)
        assert bench.status(order) == ("canceled" if quirks.cancel_while_closed == "immediate" else "pending_cancel")


def test_row_092_canceling_all_answers_207_with_an_outcome_for_each() -> None:
    with a_bench() as bench:
        orders = [bench.working(price=90 + index) for index in range(3)]
        bench.working(price=101)
        answer = bench.raw("DELETE", "/v2/orders")
        bench.wait(50)
        outcomes = bench.trading.cancel_orders()
        statuses = [bench.status(order) for order in orders]
    assert answer.status_code == 207
    assert answer.json() == [{"id": str(order.id), "status": 200} for order in orders]
    assert statuses == ["canceled"] * 3
    assert outcomes == []


@across(second_cancel=("422", "204"))
def test_row_092_the_list_reports_orders_that_cannot_be_canceled(quirks: BrokerQuirks) -> None:
    with a_bench(quirks=quirks) as bench:
        order = bench.working()
        bench.trading.cancel_order_by_id(order.id)
        (outcome,) = bench.trading.cancel_orders()
    assert outcome.id == order.id
    if quirks.second_cancel == "204":
        assert outcome.status == 200
    else:
        assert (outcome.status, outcome.body) == (422, {"code": 42210000, "message": "order pending cancel"})


def test_row_093_a_cancel_can_be_pending_for_hours() -> None:
    with a_bench(quirks=PROMPT) as bench:
        bench.on_server(lambda: bench.exchange.races.arm(Race.CANCEL_STUCK, seconds=3 * 3600))
        order = bench.working(price=90)
        bench.trading.cancel_order_by_id(order.id)
        bench.wait_for("12:59")
        assert bench.status(order) == "pending_cancel"
        bench.wait_for("13:01")
        assert bench.status(order) == "canceled"
