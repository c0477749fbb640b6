"""Rows 105 to 112: rate limits, and how an unmodified alpaca-py handles a bad connection."""

from collections import Counter
from dataclasses import replace
from typing import Any

import pytest
import requests
from pydantic import ValidationError

from repeg_workbench.exchange.broker_quirks import BrokerQuirks
from repeg_workbench.exchange.faults.transport_faults import Fault, Kind
from repeg_workbench.exchange.triggers import When
from tests.conformance.alpaca_bench import ACCEPTED, PATIENCE, Bench, a_bench, across, refused, shares
from tests.conformance.sdk import APIError, GetOrdersRequest, LimitOrderRequest, OrderSide, TimeInForce
from tests.exchange.caller import PROMPT

A_BUY = LimitOrderRequest(
    symbol="AAPL", qty=10, side=OrderSide.BUY, time_in_force=TimeInForce.DAY, limit_price=100, client_order_id="mine"
)


@across(requests_per_minute=(5, None))
def test_row_105_the_trading_api_answers_429_without_headers(quirks: BrokerQuirks) -> None:
    with a_bench(quirks=quirks) as bench:
        answers = [bench.raw("GET", "/v2/clock") for _ in range(6)]
        bench.wait(60_000)
        later = bench.raw("GET", "/v2/clock")
    expected = [200] * 5 + ([200] if quirks.requests_per_minute is None else [429])
    assert [answer.status_code for answer in answers] == expected
    assert later.status_code == 200
    if quirks.requests_per_minute is not None:
        assert answers[-1].json() == {"code": 42910000, "message": "rate limit exceeded"}
        assert not [name for name in answers[-1].headers if name.lower().startswith(("retry", "x-ratelimit"))]


@across(data_rate_headers=(True, False))
def test_row_105_market_data_answers_429_with_its_own_message(quirks: BrokerQuirks) -> None:
    with a_bench(quirks=replace(quirks, data_requests_per_minute=3)) as bench:
        answers = [bench.raw("GET", "/v2/stocks/quotes/latest?symbols=AAPL") for _ in range(4)]
    assert [answer.status_code for answer in answers] == [200, 200, 200, 429]
    assert answers[-1].json() == {"message": "too many requests."}
    assert ("X-RateLimit-Remaining" in answers[0].headers) is quirks.data_rate_headers
    if quirks.data_rate_headers:
        assert [answer.headers["X-RateLimit-Remaining"] for answer in answers] == ["2", "1", "0", "0"]


def test_row_105_the_client_tries_four_times() -> None:
    with a_bench() as bench:
        calls = _count(bench)
        _arm(bench, Fault(kind=Kind.ANSWER_BEFORE, status=429, body={"message": "too many requests."}), times=None)
        bench.trading._retry_wait = 0
        with pytest.raises(APIError) as caught:
            bench.trading.get_clock()
    assert caught.value.status_code == 429
    assert calls["GET /v2/clock"] == 4


def test_row_106_a_client_retry_after_a_504_meets_its_own_order() -> None:
    with a_bench() as bench:
        calls = _count(bench)
        _arm(bench, _on_post(Kind.ANSWER_AFTER, status=504))
        bench.trading._retry_wait = 0
        with refused(422, 40010001, "client_order_id must be unique"):
            bench.trading.submit_order(A_BUY)
        assert calls["POST /v2/orders"] == 2
        assert [order.client_order_id for order in bench.trading.get_orders()] == ["mine"]


def test_row_106_a_client_retry_without_an_id_makes_a_second_order() -> None:
    with a_bench() as bench:
        _arm(bench, _on_post(Kind.ANSWER_AFTER, status=504))
        bench.trading._retry_wait = 0
        bench.limit()
        assert len(bench.trading.get_orders()) == 2


@pytest.mark.parametrize(("kind", "orders"), [(Kind.RESET_BEFORE, 0), (Kind.RESET_AFTER, 1)])
def test_row_107_a_connection_can_break_before_or_after_acceptance(kind: Kind, orders: int) -> None:
    with a_bench() as bench:
        calls = _count(bench)
        _arm(bench, _on_post(kind))
        with pytest.raises(requests.exceptions.ConnectionError):
            bench.trading.submit_order(A_BUY)
        assert calls["POST /v2/orders"] == 1
        assert len(bench.trading.get_orders()) == orders


@pytest.mark.parametrize(("kind", "orders"), [(Kind.HANG_BEFORE, 0), (Kind.HANG_AFTER, 1)])
def test_row_108_a_call_can_hang_until_the_clients_timeout(kind: Kind, orders: int) -> None:
    with a_bench() as bench:
        _arm(bench, _on_post(kind, seconds=20))
        with pytest.raises(requests.exceptions.ReadTimeout):
            bench.impatient().submit_order(A_BUY)
        assert len(bench.trading.get_orders()) == orders


def test_row_108_a_client_without_a_timeout_waits_for_the_server() -> None:
    with a_bench() as bench:
        _arm(bench, _on_post(Kind.HANG_AFTER, seconds=PATIENCE * 2))
        with pytest.raises(requests.exceptions.ConnectionError):
            bench.trading.submit_order(A_BUY)
        assert len(bench.trading.get_orders()) == 1


def test_row_108_a_call_can_arrive_after_the_clients_timeout() -> None:
    with a_bench() as bench:
        _arm(bench, _on_post(Kind.LATE, seconds=20, delay=45))
        with pytest.raises(requests.exceptions.ReadTimeout):
            bench.impatient().submit_order(A_BUY)
        with refused(404, 40410000, "order not found for mine"):
            bench.trading.get_order_by_client_id("mine")
        bench.wait(45_000)
        assert bench.trading.get_order_by_client_id("mine").status == ACCEPTED


def test_row_108_a_slow_answer_reaches_a_client_that_waits() -> None:
    with a_bench() as bench:
        _arm(bench, _on_post(Kind.SLOW, seconds=PATIENCE / 4))
        assert bench.trading.submit_order(A_BUY).status == ACCEPTED


@pytest.mark.parametrize("status", [500, 502, 503])
def test_row_109_a_proxys_page_is_an_api_error_without_a_message(status: int) -> None:
    with a_bench() as bench:
        calls = _count(bench)
        _arm(bench, _on_post(Kind.ANSWER_BEFORE, status=status))
        with pytest.raises(APIError) as caught:
            bench.trading.submit_order(A_BUY)
        assert caught.value.status_code == status
        assert "<html>" in str(caught.value)
        with pytest.raises(ValueError, match="Expecting value"):
            _ = caught.value.message
        assert calls["POST /v2/orders"] == 1


def test_row_109_a_page_with_status_200_cannot_be_decoded() -> None:
    with a_bench() as bench:
        _arm(bench, _on_post(Kind.ANSWER_AFTER, status=200))
        with pytest.raises(requests.exceptions.JSONDecodeError):
            bench.trading.submit_order(A_BUY)
        assert len(bench.trading.get_orders()) == 1


@pytest.mark.parametrize("status", [200, 301])
def test_row_109_an_empty_answer_is_a_type_error(status: int) -> None:
    with a_bench() as bench:
        _arm(bench, _on_post(Kind.ANSWER_AFTER, status=status, body=""))
        with pytest.raises(TypeError):
            bench.trading.submit_order(A_BUY)
        assert len(bench.trading.get_orders()) == 1


@pytest.mark.parametrize(("rewrite", "field"), [("unknown_status", "status"), ("unknown_asset_class", "asset_class")])
def test_row_110_one_unknown_word_in_one_order_breaks_the_whole_list(rewrite: str, field: str) -> None:
    with a_bench() as bench:
        bench.limit()
        bench.limit()
        _arm(bench, Fault(kind=Kind.REWRITE, method="GET", path="/v2/orders", rewrite=rewrite))
        with pytest.raises(ValidationError, match=field):
            bench.trading.get_orders(GetOrdersRequest())
        assert len(bench.trading.get_orders()) == 2


def test_row_110_an_order_with_an_unknown_word_was_still_accepted() -> None:
    with a_bench() as bench:
        _arm(bench, _on_post(Kind.REWRITE, rewrite="unknown_status"))
        with pytest.raises(ValidationError):
            bench.trading.submit_order(A_BUY)
        assert bench.trading.get_order_by_client_id("mine").status == ACCEPTED


def test_row_110_an_unknown_exchange_breaks_all_positions() -> None:
    with a_bench(positions=shares("10")) as bench:
        _arm(bench, Fault(kind=Kind.REWRITE, path="/v2/positions", rewrite="unknown_exchange"))
        with pytest.raises(ValidationError, match="exchange"):
            bench.trading.get_all_positions()


def test_row_110_numbers_in_place_of_strings_break_the_account() -> None:
    with a_bench() as bench:
        _arm(bench, Fault(kind=Kind.REWRITE, path="/v2/account", rewrite="numbers_for_strings"))
        with pytest.raises(ValidationError):
            bench.trading.get_account()


@pytest.mark.parametrize("rewrite", ["null_submitted_at", "null_created_at"])
def test_row_111_a_null_timestamp_breaks_the_clients_order(rewrite: str) -> None:
    with a_bench() as bench:
        order = bench.limit()
        _arm(bench, Fault(kind=Kind.REWRITE, method="GET", rewrite=rewrite))
        with pytest.raises(ValidationError, match=rewrite.removeprefix("null_")):
            bench.order(order)


@across(client_id_lag=((0, 0), (800, 800)))
def test_row_112_a_new_order_can_be_missing_by_client_order_id(quirks: BrokerQuirks) -> None:
    with a_bench(quirks=quirks) as bench:
        order = bench.limit(client_order_id="mine")
        if quirks.client_id_lag != (0, 0):
            with refused(404, 40410000, "order not found for mine"):
                bench.trading.get_order_by_client_id("mine")
            bench.wait(800)
        assert bench.trading.get_order_by_client_id("mine").id == order.id


def test_row_112_a_number_of_reads_can_miss_a_new_order() -> None:
    with a_bench() as bench:
        missing = {"code": 40410000, "message": "order not found for mine"}
        path = "/v2/orders:by_client_order_id"
        _arm(bench, Fault(kind=Kind.ANSWER_BEFORE, path=path, status=404, body=missing), times=2)
        bench.limit(client_order_id="mine")
        for _ in range(2):
            with refused(404, 40410000, "order not found for mine"):
                bench.trading.get_order_by_client_id("mine")
        assert bench.trading.get_order_by_client_id("mine").status == ACCEPTED


def test_keys_can_be_revoked_while_a_client_uses_them() -> None:
    with a_bench() as bench:
        order = bench.working()
        bench.on_server(lambda: bench.exchange.gate.revoke(bench.key_id))
        with pytest.raises(APIError) as caught:
            bench.trading.cancel_order_by_id(order.id)
        assert caught.value.status_code == 401
        bench.on_server(lambda: bench.exchange.gate.restore(bench.key_id))
        assert bench.status(order) == "new"


def test_the_brokers_clock_can_jump() -> None:
    with a_bench() as bench:
        bench.on_server(lambda: bench.exchange.skew_clock(7 * 3600))
        jumped = bench.trading.get_clock()
        bench.on_server(lambda: bench.exchange.skew_clock(0))
        assert (jumped.is_open, bench.trading.get_clock().is_open) == (False, True)
        assert jumped.timestamp.hour == 17


def test_a_fault_skips_calls_and_then_strikes_its_number_of_times() -> None:
    with a_bench() as bench:
        _arm(bench, Fault(kind=Kind.ANSWER_BEFORE, status=503, path="/v2/clock"), skip=1, times=2)
        statuses = [bench.raw("GET", "/v2/clock").status_code for _ in range(5)]
    assert statuses == [200, 503, 503, 200, 200]


def test_faults_by_chance_are_the_same_for_the_same_seed() -> None:
    runs = []
    for _ in range(2):
        with a_bench() as bench:
            _arm(bench, Fault(kind=Kind.ANSWER_BEFORE, status=503), times=None, chance=0.4)
            runs.append([bench.raw("GET", "/v2/clock").status_code for _ in range(20)])
    assert runs[0] == runs[1]
    assert set(runs[0]) == {200, 503}


def test_an_unknown_rewrite_is_refused_when_it_is_armed() -> None:
    with a_bench(quirks=PROMPT) as bench, pytest.raises(KeyError):
        _arm(bench, Fault(kind=Kind.REWRITE, rewrite="no_such_thing"))


def _on_post(kind: Kind, **details: Any) -> Fault:
    return Fault(kind=kind, method="POST", path="/v2/orders", **details)


def _arm(bench: Bench, fault: Fault, **when: Any) -> None:
    bench.on_server(lambda: bench.exchange.faults.arm(fault, When(**when)))


def _count(bench: Bench) -> Counter[str]:
    """Every request that reaches the server from now on, by method and path."""
    calls = Counter[str]()
    handle = bench.exchange.handle

    def counted(request: Any) -> Any:
        calls[f"{request.method} {request.path}"] += 1
        return handle(request)

    bench.exchange.handle = counted  # type: ignore[method-assign]
    return calls
