"""Rows 48 to 54: listing and looking up orders."""

from datetime import UTC, datetime
from typing import Any
from uuid import UUID  # noqa: TID251 - the broker's ids

import pytest

from repeg_workbench.exchange.broker.races import Race
from repeg_workbench.exchange.broker_quirks import BrokerQuirks
from repeg_workbench.exchange.market.scripted import ScriptedMarket, quote
from tests.conformance.alpaca_bench import ACCEPTED, Bench, a_bench, across, refused, shares
from tests.conformance.sdk import GetOrdersRequest, Order, OrderSide, QueryOrderStatus
from tests.exchange.caller import FRIDAY, PROMPT

UNKNOWN = "11111111-2222-4333-8444-555555555555"


def test_row_048_lists_default_to_the_fifty_newest_open_orders() -> None:
    with a_bench() as bench:
        orders = []
        for index in range(52):
            orders.append(bench.limit(price=1, qty=1, client_order_id=f"n{index}"))
            bench.wait(1)
        bench.working(price=101)
        listed = bench.trading.get_orders()
    assert len(listed) == 50
    assert [o.client_order_id for o in listed[:2]] == ["n51", "n50"]


@across(list_limit_excess=("422", "clamp"))
def test_row_048_a_limit_above_500_is_refused_or_clamped(quirks: BrokerQuirks) -> None:
    with a_bench(quirks=quirks) as bench:
        assert bench.raw("GET", "/v2/orders?limit=500").status_code == 200
        answer = bench.raw("GET", "/v2/orders?limit=501")
    assert answer.status_code == (422 if quirks.list_limit_excess == "422" else 200)


def test_row_049_every_status_counts_as_open_or_closed() -> None:
    with a_bench(positions=shares("10")) as bench:
        statuses = _one_of_each(bench)
        listed = {state: _statuses(bench, state) for state in ("open", "closed", "all")}
    assert listed["open"] == {
        ACCEPTED,
        "pending_new",
        "new",
        "partially_filled",
        "pending_cancel",
        "pending_replace",
        "held",
    }
    assert listed["closed"] == {"filled", "canceled", "replaced"}
    assert listed["all"] == listed["open"] | listed["closed"]
    assert statuses <= listed["all"]


def test_row_049_accepted_is_open_expired_and_rejected_are_closed() -> None:
    with a_bench(at="15:59") as bench:
        bench.limit(price=90)
        bench.wait_for("16:00:01")
        bench.limit(price=90)
        assert _statuses(bench, "open") == {"accepted"}
        assert _statuses(bench, "closed") == {"expired"}


def test_row_050_lists_filter_by_time_direction_side_and_symbols() -> None:
    book = [quote("09:30", "300 @ 100.00", "200 @ 100.05")]
    with a_bench(market=ScriptedMarket({FRIDAY: {"AAPL": book, "KO": book}}), positions=shares("10")) as bench:
        bench.limit(client_order_id="first")
        bench.wait(1_000)
        middle = bench.limit(client_order_id="middle", symbol="KO")
        bench.wait(1_000)
        bench.limit(client_order_id="last", side="sell", price=101)

        def names(**filters: Any) -> list[str]:
            return [o.client_order_id for o in bench.trading.get_orders(GetOrdersRequest(**filters))]

        assert names() == ["last", "middle", "first"]
        assert names(direction="asc") == ["first", "middle", "last"]
        assert names(side=OrderSide.SELL) == ["last"]
        assert names(symbols=["KO", "MSFT"]) == ["middle"]
        assert names(limit=1) == ["last"]
        # Both ends are exclusive.
        assert names(after=middle.submitted_at) == ["last"]
        assert names(until=middle.submitted_at) == ["first"]
        assert names(after=datetime(2026, 11, 20, 14, tzinfo=UTC), until=datetime(2026, 11, 20, 16, tzinfo=UTC)) == [
            "last",
            "middle",
            "first",
        ]


@pytest.mark.parametrize("spelling", ["True", "true", "1"])
def test_row_050_nested_is_accepted_in_any_case_and_includes_legs(spelling: str) -> None:
    with a_bench() as bench:
        bench.post(order_class="bracket", take_profit={"limit_price": "105"}, stop_loss={"stop_price": "95"})
        nested = bench.raw("GET", f"/v2/orders?nested={spelling}").json()
        flat = bench.raw("GET", "/v2/orders").json()
    assert [len(order["legs"]) for order in nested] == [2]
    assert [order["legs"] for order in flat] == [None, None, None]


@across(list_lag=((0, 0), (500, 500)))
def test_row_051_a_new_order_can_be_missing_from_lists_but_not_by_id(quirks: BrokerQuirks) -> None:
    with a_bench(quirks=quirks) as bench:
        order = bench.limit()
        assert bench.status(order) == ACCEPTED
        assert len(bench.trading.get_orders()) == (1 if quirks == PROMPT else 0)
        bench.wait(500)
        assert len(bench.trading.get_orders()) == 1


def test_row_051_a_race_can_make_one_order_late_in_lookups() -> None:
    with a_bench() as bench:
        bench.on_server(lambda: bench.exchange.races.arm(Race.LATE_IN_LISTS, seconds=2))
        bench.on_server(lambda: bench.exchange.races.arm(Race.LATE_BY_CLIENT_ID, seconds=3))
        late = bench.limit(client_order_id="late")
        bench.limit(client_order_id="prompt")
        assert [order.client_order_id for order in bench.trading.get_orders()] == ["prompt"]
        with refused(404, 40410000, "order not found for late"):
            bench.trading.get_order_by_client_id("late")
        bench.wait(2_000)
        assert len(bench.trading.get_orders()) == 2
        bench.wait(1_000)
        assert bench.trading.get_order_by_client_id("late").id == late.id


def test_row_052_an_unknown_order_id_is_404_and_a_malformed_one_422() -> None:
    with a_bench() as bench:
        with refused(404, 40410000, f"order not found for {UNKNOWN}"):
            bench.trading.get_order_by_id(UNKNOWN)
        answer = bench.raw("GET", "/v2/orders/not-an-id")
    assert answer.status_code == 422
    assert answer.json() == {"code": 40010001, "message": "order_id is missing"}


def test_row_053_a_lookup_by_client_order_id_finds_it_or_answers_404() -> None:
    with a_bench() as bench:
        order = bench.limit(client_order_id="plan-2026-11-20-AAPL-buy-1")
        assert bench.trading.get_order_by_client_id("plan-2026-11-20-AAPL-buy-1").id == order.id
        with refused(404, 40410000, "order not found for nobody"):
            bench.trading.get_order_by_client_id("nobody")


def test_row_054_each_client_order_id_of_a_chain_finds_its_own_order() -> None:
    with a_bench() as bench:
        old = bench.working(client_order_id="original")
        new = bench.replace(old, limit_price=99.5, client_order_id="successor")
        bench.wait(50)
        original = bench.trading.get_order_by_client_id("original")
        successor = bench.trading.get_order_by_client_id("successor")
    assert (original.id, original.status, original.replaced_by) == (old.id, "replaced", new.id)
    assert (successor.id, successor.status, successor.replaces) == (new.id, "new", old.id)


def _statuses(bench: Bench, state: str) -> set[str]:
    orders = bench.trading.get_orders(GetOrdersRequest(status=QueryOrderStatus(state), limit=500))
    return {order.status.value for order in orders if isinstance(order, Order)}


def _one_of_each(bench: Bench) -> set[str]:
    bench.working(price=101, qty=1)
    partial = bench.working(price=100.05, qty=400)
    assert isinstance(partial.id, UUID)
    canceled = bench.working(price=99)
    bench.trading.cancel_order_by_id(canceled.id)
    bench.replace(bench.working(price=98), limit_price=98.01)
    bench.wait(50)
    bench.working(price=96)
    bench.post(order_class="bracket", take_profit={"limit_price": "105"}, stop_loss={"stop_price": "90"})
    cancels, replaces = bench.working(price=95), bench.working(price=94)
    bench.trading.cancel_order_by_id(cancels.id)
    bench.replace(replaces, limit_price=94.5)
    bench.limit(price=93)
    return {order.status.value for order in (partial, cancels, replaces)}
