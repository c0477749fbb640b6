"""`repeg conformance`: finds out the knobs of a simulated exchange, and is safe on an account of real people."""

from __future__ import annotations

from typing import Any

import pytest

from repeg.adapters.alpaca.keys import SIMULATED, TradingMode
from repeg.domain.order_ids import LOCAL_TAG, run_prefix
from repeg_workbench.exchange.broker.opening import OpeningAccount
from repeg_workbench.exchange.broker_quirks import BrokerQuirks
from repeg_workbench.exchange.faults.transport_faults import Fault, Kind
from repeg_workbench.exchange.triggers import When
from repeg_workbench.exchange_command import read_knobs
from repeg_workbench.operate.broker_line import Line, Place
from repeg_workbench.operate.conformance.bench import PREFIX
from tests.operate.operator import RUN_ID, Deploy
from tests.operate.paper import Paper, a_paper_account

WORDS: list[tuple[str, Any, str]] = [
    ("missing_headers", "json403", "missing_headers=json403"),
    ("unknown_route", "405", "unknown_route=405"),
    ("accepted_status", "new", "accepted_status=new"),
    ("accepted_status", "accepted", "accepted_status=accepted"),
    ("simple_order_class", "simple", "simple_order_class=simple"),
    ("client_order_id_scope", "active", "client_order_id_scope=active"),
    ("cancel_of_canceled", "422", "cancel_of_canceled=422"),
    ("second_cancel", "204", "second_cancel=204"),
    ("list_limit_excess", "clamp", "list_limit_excess=clamp"),
    ("pdt_fields", True, "pdt_fields=true"),
    ("easy_to_borrow", False, "easy_to_borrow=false"),
    ("sip_entitled", True, "sip_entitled=true"),
    ("data_rate_headers", False, "data_rate_headers=false"),
    ("data_requests_per_minute", 10_000, "data_requests_per_minute=10000"),
]
DELAYS = ("ack_delay", "cancel_delay", "replace_delay", "release_delay", "list_lag", "client_id_lag")


def test_an_ordinary_exchange_needs_no_knob() -> None:
    with a_paper_account() as paper:
        said = paper.conformance()
        assert (said.code, paper.open_ids()) == (0, [])
    assert said.out.splitlines()[-2:] == [
        "38 rows: 36 same, 0 knob, 0 DIFFERS, 2 unseen.",
        "No knob has to be set.",
    ]


@pytest.mark.parametrize(("name", "value", "knob"), WORDS)
def test_a_knob_is_found_out(name: str, value: Any, knob: str) -> None:
    with a_paper_account(BrokerQuirks(**{name: value})) as paper:
        assert paper.knobs() == [knob]


@pytest.mark.parametrize("name", DELAYS)
def test_a_delay_is_found_out_within_what_requests_can_show(name: str) -> None:
    with a_paper_account(BrokerQuirks(**{name: (300, 300)})) as paper:  # type: ignore[arg-type]
        found = paper.knobs()
    named = dict(knob.split("=") for knob in found)
    low, high = map(int, named[name].split(","))
    assert low <= 300 <= high
    assert high - low < 80


def test_a_cancel_that_waits_for_the_open_is_found_out() -> None:
    with a_paper_account(BrokerQuirks(cancel_while_closed="at_open"), at="08:00") as paper:
        said = paper.conformance("--json")
    assert "cancel_while_closed=at_open" in said.data["knobs"] if said.code < 2 else "may still be open" in said.err


def test_a_closed_market_shows_fewer_rows() -> None:
    with a_paper_account(at="08:00") as paper:
        found = paper.conformance("--json").data
        assert paper.open_ids() == []
    assert found["knobs"] == []
    assert found["counts"]["DIFFERS"] == 0
    unseen = {row["row"] for row in found["rows"] if row["outcome"] == "unseen"}
    assert unseen == {7, 8, 65, 71, 85, 88}


def test_several_knobs_are_found_at_once_and_accepted_by_the_exchange() -> None:
    quirks = BrokerQuirks(pdt_fields=True, cancel_of_canceled="422", sip_entitled=True, cancel_delay=(400, 400))
    with a_paper_account(quirks) as paper:
        found = paper.knobs()
    assert {knob.split("=")[0] for knob in found} == {
        "pdt_fields", "cancel_of_canceled", "sip_entitled", "cancel_delay"
    }  # fmt: skip
    again = read_knobs(found)
    assert (again.pdt_fields, again.cancel_of_canceled, again.sip_entitled) == (True, "422", True)


def test_behaviour_that_no_knob_has_is_reported_as_different() -> None:
    with a_paper_account() as paper:
        fault = Fault(kind=Kind.REWRITE, method="GET", path="/v2/account", rewrite=lambda body: {**body, "cash": 5})
        paper.exchange.faults.arm(fault, When(times=None))
        said = paper.conformance("--json")
    assert said.code == 1
    assert [row["row"] for row in said.data["rows"] if row["outcome"] == "DIFFERS"] == [3]


# Safety


def orders_of(paper: Paper) -> list[Any]:
    return list(paper.exchange.account.orders.by_id.values())


def test_only_single_shares_far_below_the_market_are_bought() -> None:
    with a_paper_account() as paper:
        paper.conformance()
        placed = orders_of(paper)
        assert {order.client_order_id.startswith(PREFIX) for order in placed} == {True}
        assert {(order.terms.side, order.terms.type) for order in placed} == {(1, "limit")}
        assert max(order.terms.limit for order in placed) <= 70_000  # seven dollars of twelve
        assert paper.exchange.ledger.executions == []


def test_the_configuration_is_never_changed_and_cancels_are_by_id() -> None:
    with a_paper_account() as paper:
        paper.conformance()
        paths = {(method, path.split("?")[0]) for method, path in paper.sent}
    assert ("DELETE", "/v2/orders") not in paths
    assert not {path for method, path in paths if "configurations" in path}
    assert {path for method, path in paths if method == "PATCH"} - {"/v2/clock"} == {
        path for method, path in paths if method == "PATCH" and path.startswith("/v2/orders/")
    }


def test_the_request_limit_is_never_sought() -> None:
    with a_paper_account(BrokerQuirks(requests_per_minute=150, data_requests_per_minute=150)) as paper:
        assert {knob.split("=")[0] for knob in paper.knobs()} == {"data_requests_per_minute"}


class Interrupted:
    """Presses Ctrl-C at the nth request of a kind."""

    def __init__(self, method: str, number: int) -> None:
        self._method, self._left = method, number

    def __call__(self, method: str, path: str) -> None:
        if method == self._method:
            self._left -= 1
            if not self._left:
                raise KeyboardInterrupt


@pytest.mark.parametrize(("method", "number"), [("POST", 1), ("POST", 4), ("DELETE", 2), ("PATCH", 2), ("GET", 30)])
def test_an_interrupted_command_leaves_no_order_behind(method: str, number: int) -> None:
    with a_paper_account(before=Interrupted(method, number)) as paper:
        said = paper.conformance()
        assert (said.code, paper.open_ids()) == (2, [])
        assert orders_of(paper) == [] or len(orders_of(paper)) < 20
    assert said.err == "interrupted; nothing is half done, and the command may be repeated\n"


def test_orders_that_a_killed_command_has_left_are_removed() -> None:
    with a_paper_account() as paper:
        left(paper, f"{PREFIX}261120100000-01")
        assert paper.knobs() == []


def test_orders_of_others_are_not_touched() -> None:
    with a_paper_account() as paper:
        left(paper, "by-hand")
        paper.conformance()
        assert paper.open_ids() == ["by-hand"]


def test_an_account_with_an_active_run_is_refused() -> None:
    client_order_id = f"{run_prefix(LOCAL_TAG, RUN_ID)}F.b.1"
    with a_paper_account() as paper:
        left(paper, client_order_id)
        said = paper.conformance()
        assert (said.code, paper.open_ids()) == (2, [client_order_id])
    assert said.err == f"a run is active on this account ({RUN_ID}): wait for its end\n"


def test_a_stack_with_an_active_run_is_refused(deploy: Deploy) -> None:
    """Between its orders a run has none at the broker."""
    operator = deploy()
    operator.day.start("calls")
    operator.until("09:26")
    said = operator.repeg("conformance", "--exchange", "http://localhost:8700", "--stack", "repeg", "--symbol", "AAPL")
    assert (said.code, said.err) == (2, f"a run is active on this account ({RUN_ID}): wait for its end\n")


def test_a_live_account_is_refused_before_any_order(monkeypatch: pytest.MonkeyPatch) -> None:
    with a_paper_account() as paper:
        monkeypatch.setenv("APCA_API_KEY_ID", "AKLIVE")
        monkeypatch.setenv("APCA_API_SECRET_KEY", "x")
        said = paper.conformance("--paper")
        assert (said.code, paper.sent) == (2, [])
        assert said.err == "these are the keys of a live account: conformance places orders on paper only\n"
        fault = Fault(
            kind=Kind.REWRITE, method="GET", path="/v2/account", rewrite=lambda b: {**b, "account_number": "123"}
        )  # fmt: skip
        paper.exchange.faults.arm(fault, When(times=None))
        said = paper.conformance()
        assert (said.code, orders_of(paper)) == (2, [])
        assert said.err == "this is a live account: conformance places orders on paper only\n"


def test_the_paper_keys_of_this_machine_are_used(monkeypatch: pytest.MonkeyPatch) -> None:
    with a_paper_account() as paper:
        monkeypatch.setenv("APCA_API_KEY_ID", OpeningAccount().key_id)
        monkeypatch.setenv("APCA_API_SECRET_KEY", OpeningAccount().secret_key)
        assert paper.conformance("--paper").code == 0


def test_orders_that_cannot_be_removed_are_named() -> None:
    with a_paper_account() as paper:
        fault = Fault(kind=Kind.ANSWER_BEFORE, method="DELETE", path="/v2/orders/.+", status=500, body={})
        paper.exchange.faults.arm(fault, When(times=None))
        said = paper.conformance()
    assert said.code == 2
    assert said.err.startswith(f"orders may still be open: {PREFIX}")


@pytest.mark.parametrize("arguments", [("--paper", "--exchange", "http://localhost:1"), ("--symbol", "NONE")])
def test_a_command_that_cannot_begin(arguments: tuple[str, ...]) -> None:
    with a_paper_account() as paper:
        said = paper.conformance(*arguments)
        assert (said.code, orders_of(paper)) == (2, [])


def left(paper: Paper, client_order_id: str) -> None:
    """An order that rests at the broker before the command begins."""
    line = Line(Place(TradingMode.PAPER, "http://localhost:1", "http://localhost:1"), SIMULATED, paper.at.runtime)
    body = {
        "symbol": "F", "qty": "1", "side": "buy", "type": "limit", "limit_price": "6", "time_in_force": "day",
        "client_order_id": client_order_id,
    }  # fmt: skip
    assert line.trading("POST", "/orders", json=body).status == 200
    paper.at.runtime.pause(1)
