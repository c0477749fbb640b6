"""The control plane: faults, races, clock and ledger over HTTP, without keys."""

from math import inf, nan
from typing import Any

import pytest

from repeg_workbench.exchange.faults.rewrites import REWRITES
from repeg_workbench.exchange.faults.transport_faults import Failure, TransportFault
from repeg_workbench.exchange.messages import Request
from tests.exchange.caller import SECOND, Caller, a_caller, holding


def _control(caller: Caller, method: str, path: str, body: Any = None) -> Any:
    caller.headers, headers = {}, caller.headers
    response = caller.call(method, "/_sim" + path, body)
    caller.headers = headers
    assert response.status == 200, response.body
    return response.json()


def test_a_fault_armed_over_http_strikes_once() -> None:
    caller = a_caller()
    _control(
        caller, "POST", "/faults", {"kind": "answer_before", "status": 503, "path": "/v2/orders", "method": "POST"}
    )
    assert [caller.try_submit().status for _ in range(2)] == [503, 200]


def test_a_hang_armed_over_http_leaves_the_call_unanswered() -> None:
    caller = a_caller()
    _control(caller, "POST", "/faults", {"kind": "reset_after"})
    with pytest.raises(TransportFault) as caught:
        caller.try_submit(client_order_id="mine")
    assert caught.value.failure is Failure.RESET
    assert caller.get("/v2/orders:by_client_order_id", client_order_id="mine")["status"] == "pending_new"


def test_a_rewrite_can_be_armed_by_name() -> None:
    caller = a_caller()
    _control(caller, "POST", "/faults", {"kind": "rewrite", "rewrite": "quote_crossed", "path": "/v2/stocks/.*"})
    quotes = caller.get("/v2/stocks/quotes/latest", symbols="AAPL")["quotes"]
    assert quotes["AAPL"]["bp"] > quotes["AAPL"]["ap"]


@pytest.mark.parametrize("rewrite", sorted(REWRITES))
@pytest.mark.parametrize(
    "path",
    ["/v2/account", "/v2/orders", "/v2/positions", "/v2/clock", "/v2/assets", "/v2/stocks/snapshots?symbols=AAPL"],
)
def test_a_rewrite_of_an_unsuitable_answer_is_no_server_error(rewrite: str, path: str) -> None:
    caller = a_caller(positions=holding("10"))
    _control(caller, "POST", "/faults", {"kind": "rewrite", "rewrite": rewrite})
    bare, _, query = path.partition("?")
    assert caller.get(bare, **dict([query.split("=")] if query else [])) is not None


def test_a_race_can_be_armed_for_one_symbol() -> None:
    caller = a_caller()
    _control(caller, "POST", "/races", {"race": "rejected_later", "symbol": "KO"})
    order = caller.submit()
    caller.wait(50)
    assert caller.status(order["id"]) == "new"
    _control(caller, "POST", "/races", {"race": "rejected_later", "symbol": "AAPL"})
    second = caller.submit()
    caller.wait(50)
    assert caller.status(second["id"]) == "rejected"


def test_armed_faults_and_races_are_listed_and_can_be_disarmed() -> None:
    caller = a_caller()
    _control(caller, "POST", "/faults", {"kind": "slow", "times": 3, "skip": 1, "chance": 0.5})
    _control(caller, "POST", "/stream-faults", {"failure": "drop", "event": "fill"})
    _control(caller, "POST", "/races", {"race": "cancel_stuck", "seconds": 60})
    armed = _control(caller, "GET", "/faults")
    assert {name: len(each) for name, each in armed.items()} == {"faults": 1, "stream_faults": 1, "races": 1}
    assert armed["faults"][0]["when"] == {"times": 3, "skip": 1, "chance": 0.5}
    _control(caller, "DELETE", "/faults")
    assert _control(caller, "GET", "/faults") == {"faults": [], "stream_faults": [], "races": []}


def test_chaos_is_armed_and_disarmed() -> None:
    caller = a_caller()
    _control(caller, "POST", "/chaos", {"chance": 0.01})
    assert all(len(each) > 2 for each in _control(caller, "GET", "/faults").values())
    _control(caller, "DELETE", "/faults")
    assert not any(_control(caller, "GET", "/faults").values())


def test_keys_can_be_revoked_and_restored() -> None:
    caller = a_caller()
    _control(caller, "POST", "/keys", {"revoked": True})
    assert caller.call("GET", "/v2/account").status == 401
    _control(caller, "POST", "/keys", {"revoked": False})
    assert caller.call("GET", "/v2/account").status == 200


def test_a_skewed_broker_clock_does_not_move_market_time() -> None:
    caller = a_caller()
    order = caller.submit()
    _control(caller, "POST", "/clock", {"skew_seconds": 3600})
    assert caller.get("/v2/clock")["timestamp"] == "2026-11-20T11:00:00-05:00"
    assert caller.status(order["id"]) == "pending_new"


def test_a_stepped_clock_can_be_moved_forward() -> None:
    caller = a_caller()
    order = caller.submit()
    refused = caller.call("POST", "/_sim/clock", {"advance_seconds": 1})
    assert refused.status == 422
    caller.exchange.control.move = lambda seconds: caller.wait(seconds * 1000)
    answer = _control(caller, "POST", "/clock", {"advance_seconds": 1.5})
    assert answer == {"now": "2026-11-20T15:00:01.5Z"}
    assert caller.status(order["id"]) == "new"


def test_the_ledger_can_be_read_in_instalments() -> None:
    caller = a_caller()
    caller.submit(limit_price="101")
    caller.wait_until(caller.exchange.now + SECOND)
    first = _control(caller, "GET", "/ledger")
    assert [event["event"] for event in first["events"]] == ["pending_new", "new", "fill"]
    assert [(e["qty"], e["price"]) for e in first["executions"]] == [("10", "100.05")]
    caller.submit(limit_price="99")
    later = caller.call("GET", "/_sim/ledger", query={"since": str(first["next"])}).json()
    assert [event["event"] for event in later["events"]] == ["pending_new"]


def test_the_overview_shows_the_accounts_value() -> None:
    overview = _control(a_caller(positions=holding("10")), "GET", "")
    assert (overview["cash"], overview["equity"], overview["open_orders"]) == ("100000", "101000.25", 0)
    assert overview["knobs"]["replace_fill_inheritance"] == "inherit"


def test_a_split_can_be_ordered_over_http() -> None:
    caller = a_caller(positions=holding("10"))
    _control(caller, "POST", "/splits", {"symbol": "AAPL", "new": 3, "old": 1})
    assert caller.get("/v2/positions/AAPL")["qty"] == "30"


@pytest.mark.parametrize(
    ("path", "body", "named"),
    [
        ("/faults", {"kind": "earthquake"}, "kind"),
        ("/faults", {"kind": "rewrite", "rewrite": "poetry"}, "poetry"),
        ("/faults", {"kind": "slow", "colour": "red"}, "colour"),
        ("/faults", {"kind": "slow", "chance": 2}, "chance"),
        ("/faults", {"kind": "slow", "path": "("}, "path"),
        ("/faults", {"kind": "answer_before", "status": 99}, "status"),
        ("/faults", {"kind": "answer_after", "body": {"a": [inf]}}, "body"),
        ("/faults", {"kind": "rewrite"}, "quote_stale"),
        ("/faults", {"kind": "slow", "seconds": inf}, "seconds"),
        ("/races", {"race": "cancel_stuck", "seconds": 1e30}, "seconds"),
        ("/clock", {"skew_seconds": -1e30}, "skew_seconds"),
        ("/clock", {"advance_seconds": nan}, "advance_seconds"),
        ("/splits", {"symbol": "AAPL", "new": 1, "old": 10**30}, "old"),
        ("/races", {"race": "rat"}, "race"),
        ("/keys", {}, "revoked"),
        ("/splits", {"symbol": "NOPE", "new": 1, "old": 1}, "NOPE"),
    ],
)
def test_an_invalid_control_body_is_refused_by_field(path: str, body: Any, named: str) -> None:
    caller = a_caller()
    response = caller.call("POST", "/_sim" + path, body)
    assert response.status == 422
    assert named in response.json()["message"]


def test_unknown_control_calls_are_404_and_malformed_json_is_refused() -> None:
    caller = a_caller()
    assert caller.call("GET", "/_sim/nothing").status == 404
    assert caller.exchange.handle(Request("POST", "/_sim/races", body=b"{")).status == 422


def test_the_clock_cannot_be_moved_beyond_the_brokers_calendar() -> None:
    caller = a_caller()
    caller.exchange.control.move = lambda seconds: caller._move(caller.exchange.now + round(seconds * SECOND))
    for _ in range(3):
        assert caller.call("POST", "/_sim/clock", {"advance_seconds": 31_536_000}).status == 200
    refused = caller.call("POST", "/_sim/clock", {"advance_seconds": 31_536_000})
    assert (refused.status, refused.json()["message"]) == (422, "the broker's calendar ends on 2029-12-31")


def test_splits_cannot_grow_a_position_without_bound() -> None:
    caller = a_caller(positions=holding("50"))
    split = {"symbol": "AAPL", "new": 10_000, "old": 1}
    assert caller.call("POST", "/_sim/splits", split).status == 200
    refused = caller.call("POST", "/_sim/splits", split)
    assert (refused.status, refused.json()["message"]) == (422, "a position has at most 1000000000 shares")


def test_no_more_than_1000_faults_can_be_armed() -> None:
    caller = a_caller()
    fault = {"kind": "slow", "path": "/nowhere"}
    statuses = [caller.call("POST", "/_sim/faults", fault).status for _ in range(1_001)]
    assert (statuses[-2], statuses[-1]) == (200, 422)
