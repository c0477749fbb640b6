"""Rows 7 to 28: validation of an order by itself."""

import re
from typing import Any

import pytest

from repeg_workbench.exchange.broker_quirks import BrokerQuirks
from repeg_workbench.exchange.market.symbol_day import Listing
from tests.conformance.alpaca_bench import ACCEPTED, a_bench, across, refused, shares
from tests.conformance.sdk import LimitOrderRequest, MarketOrderRequest, OrderSide, TimeInForce

UUID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}")
WIRE_FIELDS = {
    "asset_class", "asset_id", "canceled_at", "client_order_id", "created_at", "expired_at", "extended_hours",
    "failed_at", "filled_at", "filled_avg_price", "filled_qty", "hwm", "id", "legs", "limit_price", "notional",
    "order_class", "order_type", "qty", "replaced_at", "replaced_by", "replaces", "side", "source", "status",
    "stop_price", "submitted_at", "subtag", "symbol", "time_in_force", "trail_percent", "trail_price", "type",
    "updated_at", "expires_at", "position_intent",
}  # fmt: skip
PLAIN = Listing("PLAIN", "No fractions", fractionable=False)
DEAD = Listing("DEAD", "Not tradable", tradable=False)


@across(accepted_status=("pending_new", "accepted", "new"))
def test_row_007_a_new_order_is_answered_with_all_its_timestamps(quirks: BrokerQuirks) -> None:
    with a_bench(quirks=quirks) as bench:
        order = bench.limit(price=100.0)
        view = bench.post(limit_price="99.5").json()
    assert order.status == quirks.accepted_status
    assert (order.filled_qty, order.filled_avg_price) == ("0", None)
    assert order.type == order.order_type == "limit"
    assert set(view) == WIRE_FIELDS
    assert all(view[name] for name in ("id", "created_at", "updated_at", "submitted_at", "expires_at"))


@across(simple_order_class=("", "simple"))
def test_row_007_an_order_without_legs_may_have_class_simple(quirks: BrokerQuirks) -> None:
    with a_bench(quirks=quirks) as bench:
        assert bench.post().json()["order_class"] == quirks.simple_order_class
        assert bench.limit(99).order_class == "simple"


@across(ack_delay=((10, 10), (0, 400)))
def test_row_008_an_order_is_new_after_the_acknowledgement_delay(quirks: BrokerQuirks) -> None:
    with a_bench(quirks=quirks) as bench:
        order = bench.limit()
        assert bench.status(order) == ACCEPTED
        bench.wait(quirks.ack_delay[1])
        assert bench.status(order) == "new"


def test_row_009_an_order_while_closed_stays_accepted_until_the_open() -> None:
    with a_bench(at="08:00") as bench:
        order = bench.limit()
        bench.wait_for("09:29:59.999")
        assert bench.status(order) == "accepted"
        bench.wait_for("09:30:00.001")
        assert bench.status(order) == "pending_new"
        bench.wait(20)
        assert bench.status(order) == "new"


def test_row_009_a_day_order_after_the_close_waits_for_the_next_session() -> None:
    with a_bench(at="16:00") as bench:
        view = bench.post().json()
        assert view["status"] == "accepted"
        assert view["expires_at"] == "2026-11-23T21:00:00Z"
        bench.wait_for("23:00")
        assert bench.raw("GET", f"/v2/orders/{view['id']}").json()["status"] == "accepted"


@pytest.mark.parametrize(
    ("qty", "price", "shown"),
    [(100.0, 150.10, ("100", "150.1")), ("7", "150.00", ("7", "150")), (3, 151, ("3", "151"))],
)
def test_row_010_numbers_and_strings_are_echoed_as_trimmed_strings(
    qty: Any, price: Any, shown: tuple[str, str]
) -> None:
    with a_bench() as bench:
        view = bench.post(qty=qty, limit_price=price).json()
    assert (view["qty"], view["limit_price"]) == shown


def test_row_011_the_broker_creates_a_missing_client_order_id() -> None:
    with a_bench() as bench:
        first, second = bench.limit(), bench.limit()
    assert UUID.fullmatch(first.client_order_id)
    assert first.client_order_id != second.client_order_id


def test_row_012_a_client_order_id_over_128_characters_is_refused() -> None:
    with a_bench() as bench:
        assert bench.limit(client_order_id="x" * 128).client_order_id == "x" * 128
        with refused(422, 40010001, "client_order_id must be no more than 128 characters"):
            bench.limit(client_order_id="x" * 129)


def test_row_013_the_client_order_id_of_an_open_order_is_refused() -> None:
    with a_bench() as bench:
        bench.limit(client_order_id="mine")
        with refused(422, 40010001, "client_order_id must be unique"):
            bench.limit(client_order_id="mine", qty=3)
        assert len(bench.trading.get_orders()) == 1


@across(client_order_id_scope=("forever", "active"))
def test_row_014_a_canceled_orders_client_order_id_may_be_reused(quirks: BrokerQuirks) -> None:
    with a_bench(quirks=quirks) as bench:
        order = bench.working(client_order_id="mine")
        bench.trading.cancel_order_by_id(order.id)
        bench.wait(50)
        if quirks.client_order_id_scope == "active":
            assert bench.limit(client_order_id="mine").id != order.id
        else:
            with refused(422, 40010001, "client_order_id must be unique"):
                bench.limit(client_order_id="mine")


@across(client_order_id_scope=("forever", "active"))
def test_row_014_a_filled_orders_client_order_id_may_be_reused(quirks: BrokerQuirks) -> None:
    with a_bench(quirks=quirks) as bench:
        order = bench.working(price=101, client_order_id="mine")
        assert order.status == "filled"
        answer = bench.post(client_order_id="mine")
    assert answer.status_code == (200 if quirks.client_order_id_scope == "active" else 422)


@pytest.mark.parametrize(
    ("terms", "message"),
    [
        ({"qty": None}, "qty or notional is required"),
        ({"symbol": None}, "symbol is required"),
    ],
)
def test_row_015_an_order_without_symbol_or_size_is_refused(terms: dict[str, Any], message: str) -> None:
    with a_bench() as bench:
        answer = bench.post(**terms)
    assert (answer.status_code, answer.json()) == (422, {"code": 40010001, "message": message})


@pytest.mark.parametrize(
    ("terms", "message"),
    [
        ({"qty": "0"}, "qty must be > 0"),
        ({"qty": -5}, "qty must be > 0"),
        ({"limit_price": "0"}, "limit price must be > 0"),
        ({"limit_price": -1}, "limit price must be > 0"),
        ({"limit_price": None}, "limit orders require a limit price"),
        ({"type": "market"}, "market orders require no stop or limit price"),
        ({"time_in_force": "forever"}, "invalid time_in_force"),
    ],
)
def test_row_016_an_invalid_field_is_refused_by_name(terms: dict[str, Any], message: str) -> None:
    with a_bench() as bench:
        answer = bench.post(**terms)
        assert bench.trading.get_orders() == []
    assert (answer.status_code, answer.json()) == (422, {"code": 40010001, "message": message})


def test_row_017_qty_and_notional_together_are_refused() -> None:
    with a_bench() as bench:
        answer = bench.post(notional="100")
    assert answer.status_code == 422
    assert answer.json() == {"code": 40010001, "message": "only one of qty or notional is accepted"}


@pytest.mark.parametrize("price", ["150.123", "0.12345", "1.001", "100.005"])
def test_row_018_a_price_off_the_tick_is_refused_as_sent(price: str) -> None:
    with a_bench() as bench:
        answer = bench.post(limit_price=price, qty="1")
    message = f"invalid limit_price {price}. sub-penny increment does not fulfill minimum pricing criteria"
    assert (answer.status_code, answer.json()) == (422, {"code": 42210000, "message": message})


@pytest.mark.parametrize("price", ["0.1234", "150.10", "1", "0.9999", "1.01"])
def test_row_018_a_price_on_the_tick_is_accepted(price: str) -> None:
    with a_bench() as bench:
        assert bench.post(limit_price=price, qty="1").status_code == 200


def test_row_019_float_noise_is_refused_as_sub_penny() -> None:
    with a_bench() as bench:
        message = "sub-penny increment does not fulfill minimum pricing criteria"
        with refused(422, 42210000, f"invalid limit_price 0.30000000000000004. {message}"):
            bench.limit(price=0.1 + 0.2)


def test_row_020_an_unknown_asset_is_refused() -> None:
    with a_bench() as bench, refused(422, 42210000, 'asset "ZZZZ" not found'):
        bench.limit(symbol="ZZZZ")


def test_row_021_an_untradable_asset_is_refused() -> None:
    with a_bench(listings=[DEAD]) as bench, refused(422, 42210000, "asset DEAD is not tradable"):
        bench.limit(symbol="DEAD")


def test_row_022_a_fraction_of_an_unfractionable_asset_is_refused() -> None:
    with a_bench(listings=[PLAIN]) as bench, refused(403, 40310000, 'asset "PLAIN" is not fractionable'):
        bench.limit(symbol="PLAIN", qty=0.5)


def test_row_023_a_fractional_order_other_than_day_is_refused() -> None:
    with a_bench() as bench, refused(422, 42210000, "fractional orders must be DAY orders"):
        bench.limit(qty=0.5, time_in_force=TimeInForce.GTC)


def test_row_024_a_fractional_day_limit_order_is_accepted_and_fills() -> None:
    with a_bench() as bench:
        order = bench.working(price=101, qty=0.5)
        position = bench.trading.get_open_position("AAPL")
    assert (order.status, order.filled_qty) == ("filled", "0.5")
    assert position.qty == "0.5"


def test_row_025_more_than_nine_decimals_of_a_share_are_refused() -> None:
    with a_bench() as bench:
        assert bench.post(qty="0.123456789").status_code == 200
        answer = bench.post(qty="0.1234567891")
    assert answer.status_code == 422
    assert answer.json()["code"] == 40010001


def test_row_026_a_fractional_sell_without_a_position_is_refused() -> None:
    with a_bench() as bench, refused(422, 42210000, "fractional orders cannot be sold short"):
        bench.limit(qty=0.5, side="sell")


def test_row_027_a_notional_below_one_dollar_is_refused() -> None:
    with a_bench() as bench:
        with refused(422, 40010001, "notional must be >= 1.00"):
            bench.market(qty=None, notional=0.99)
        request = MarketOrderRequest(symbol="AAPL", notional=250.5, side=OrderSide.BUY, time_in_force=TimeInForce.DAY)
        order = bench.trading.submit_order(request)
        assert (order.qty, order.notional) == (None, "250.5")
        bench.wait(50)
        filled = bench.order(order)
        spent = 100_000 - float(bench.account()["cash"])
    assert filled.status == "filled"
    assert 250.49 < spent <= 250.5


@pytest.mark.parametrize(
    "terms",
    [
        {"type": "market", "limit_price": None},
        {"time_in_force": "ioc"},
        {"type": "stop", "limit_price": None, "stop_price": "110"},
    ],
)
def test_row_028_extended_hours_accept_only_day_or_gtc_limit_orders(terms: dict[str, Any]) -> None:
    with a_bench() as bench:
        answer = bench.post(extended_hours=True, **terms)
        assert bench.post(extended_hours=True).status_code == 200
        assert bench.post(extended_hours=True, time_in_force="gtc").status_code == 200
    assert answer.status_code == 422
    assert answer.json() == {"code": 42210000, "message": "extended hours order must be DAY or GTC limit orders"}


def test_row_028_an_extended_hours_order_works_from_early_until_8_pm() -> None:
    with a_bench(at="08:00", positions=shares("10")) as bench:
        order = bench.trading.submit_order(
            LimitOrderRequest(
                symbol="AAPL",
                qty=10,
                side=OrderSide.BUY,
                limit_price=100,
                time_in_force=TimeInForce.DAY,
                extended_hours=True,
            )
        )
        bench.wait(50)
        assert bench.status(order) == "new"
        bench.wait_for("19:59:59")
        assert bench.status(order) == "new"
        bench.wait_for("20:00")
        assert bench.status(order) == "expired"
