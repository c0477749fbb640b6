"""Rows 133 to 136: filters of lists, rare statuses, lost orders, and an owner who changes an order by hand."""

from typing import Any
from uuid import UUID  # noqa: TID251 - checks the broker's own ids

import pytest

from tests.conformance.alpaca_bench import Bench, a_bench, refused, shares
from tests.conformance.sdk import Order
from tests.exchange.auditor import Auditor

RARE = ("done_for_day", "suspended", "stopped", "calculated", "pending_review", "held", "accepted_for_bidding")


def control(bench: Bench, order: Order, **change: Any) -> int:
    """Set an order's state by the control plane; returns the answer's status."""
    return bench.raw("POST", "/_sim/orders", json={"order_id": str(order.id), **change}).status_code


def ids(bench: Bench, path: str) -> list[str]:
    """The ids in the list at a path."""
    answer = bench.raw("GET", path)
    assert answer.status_code == 200, answer.text
    return [each.get("order_id", each["id"]) for each in answer.json()]


def test_row_133_orders_are_listed_before_or_after_another_order() -> None:
    with a_bench() as bench:
        first, second, third = (str(bench.limit(price=price).id) for price in (98, 97, 96))
        assert ids(bench, f"/v2/orders?after_order_id={first}") == [third, second]
        assert ids(bench, f"/v2/orders?before_order_id={third}&direction=asc") == [first, second]
        assert ids(bench, f"/v2/orders?after_order_id={first}&status=closed") == []
        for query in (
            f"after_order_id={first}&before_order_id={third}",
            f"after_order_id={first}&until=2026-11-20",
            "before_order_id=00000000-0000-4000-8000-000000000000",
            "asset_class=bonds",
        ):
            assert bench.raw("GET", f"/v2/orders?{query}").status_code == 422


def test_row_133_orders_are_listed_by_asset_class() -> None:
    with a_bench() as bench:
        order = str(bench.limit().id)
        assert ids(bench, "/v2/orders?asset_class=us_equity,crypto") == [order]
        assert ids(bench, "/v2/orders?asset_class=crypto") == []


def test_row_133_activities_are_listed_by_order_and_category() -> None:
    with a_bench() as bench:
        first, second = bench.working(price=101, qty=2), bench.working(price=101, qty=3)
        assert ids(bench, f"/v2/account/activities/FILL?order_id={first.id}") == [str(first.id)]
        assert ids(bench, "/v2/account/activities?category=trade_activity") == [str(second.id), str(first.id)]
        assert ids(bench, "/v2/account/activities?category=non_trade_activity") == []
        both = bench.raw("GET", "/v2/account/activities?category=trade_activity&activity_types=FILL")
        assert both.status_code == 422


@pytest.mark.parametrize("status", RARE)
def test_row_134_an_order_can_be_put_into_a_rare_status_and_back(status: str) -> None:
    with a_bench() as bench:
        auditor = Auditor(bench.exchange)
        order = bench.working(price=99.5)
        assert control(bench, order, status=status) == 200
        assert bench.status(order) == status
        assert [str(each.id) for each in bench.trading.get_orders()] == [str(order.id)]
        assert bench.raw("PATCH", f"/v2/orders/{order.id}", json={"limit_price": "99"}).status_code == 422
        bench.on_server(auditor.check)
        assert control(bench, order, status="working") == 200
        assert bench.status(order) == "new"
        bench.trading.cancel_order_by_id(order.id)
        bench.wait(50)
        assert bench.status(order) == "canceled"
        bench.on_server(auditor.check)
        bench.on_server(auditor.check_closed)


def test_row_134_an_order_that_is_being_cancelled_stays_so_in_the_market() -> None:
    with a_bench() as bench:
        auditor = Auditor(bench.exchange)
        order = bench.working(price=99.5)
        assert control(bench, order, status="suspended") == 200
        bench.trading.cancel_order_by_id(order.id)
        assert control(bench, order, status="working") == 200
        assert bench.status(order) == "pending_cancel"
        bench.wait(50)
        assert bench.status(order) == "canceled"
        bench.on_server(auditor.check)


def test_row_134_an_order_set_aside_does_not_fill() -> None:
    with a_bench() as bench:
        order = bench.limit(price=100.05)
        assert control(bench, order, status="suspended") == 200
        bench.wait(60_000)
        assert bench.order(order).filled_qty == "0"
        control(bench, order, status="working")
        assert bench.status(order) == "filled"
        assert control(bench, order, status="suspended") == 422


@pytest.mark.parametrize(("status", "later"), [("done_for_day", "done_for_day"), ("suspended", "expired")])
def test_row_134_an_order_done_for_the_day_stays_so_past_the_close(status: str, later: str) -> None:
    with a_bench() as bench:
        order = bench.working()
        control(bench, order, status=status)
        if status == "done_for_day":
            with refused(422, 42210000, 'order is already in "done_for_day" state'):
                bench.trading.cancel_order_by_id(order.id)
        bench.wait_for("16:05")
        assert bench.status(order) == later


def test_row_135_a_forgotten_order_is_404_by_either_id_and_in_no_list() -> None:
    with a_bench() as bench:
        order = bench.working(client_order_id="mine")
        assert control(bench, order, forgotten=True) == 200
        assert bench.raw("GET", f"/v2/orders/{order.id}").status_code == 404
        assert bench.raw("GET", "/v2/orders:by_client_order_id?client_order_id=mine").status_code == 404
        assert bench.raw("PATCH", f"/v2/orders/{order.id}", json={"limit_price": "99"}).status_code == 404
        assert bench.raw("DELETE", f"/v2/orders/{order.id}").status_code == 404
        assert bench.raw("DELETE", "/v2/orders").json() == []
        assert ids(bench, "/v2/orders?status=all") == []
        control(bench, order, forgotten=False)
        assert bench.status(order) == "new"


def test_row_135_the_control_plane_names_an_order_by_one_id_that_exists() -> None:
    with a_bench() as bench:
        bench.limit(client_order_id="mine")
        path = "/_sim/orders"
        assert bench.raw("POST", path, json={"client_order_id": "mine", "forgotten": True}).status_code == 200
        assert bench.raw("POST", path, json={"client_order_id": "other", "forgotten": True}).status_code == 404
        assert bench.raw("POST", path, json={"forgotten": True}).status_code == 422
        assert bench.raw("POST", path, json={"client_order_id": "mine", "status": "filled"}).status_code == 422


def test_row_136_a_replace_by_the_owner_gives_the_new_order_the_brokers_id() -> None:
    with a_bench(positions=shares("10")) as bench:
        order = bench.working(client_order_id="rp-1")
        new = bench.raw("PATCH", f"/v2/orders/{order.id}", json={"limit_price": "99.50"}).json()
        bench.wait(50)
        old, successor = bench.wire(order), bench.raw("GET", f"/v2/orders/{new['id']}").json()
        assert (old["status"], old["replaced_by"], successor["replaces"]) == ("replaced", new["id"], str(order.id))
        assert str(UUID(successor["client_order_id"])) == successor["client_order_id"]
        assert (successor["status"], successor["limit_price"]) == ("new", "99.5")
        assert bench.raw("DELETE", f"/v2/orders/{new['id']}").status_code == 204
        assert bench.raw("DELETE", "/v2/positions/AAPL").status_code in {200, 403}
