"""Orders that have traded without an answer, and that the broker finds neither by their id nor in a list."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest

from repeg.adapters.eventbridge import EventsUnavailable
from repeg.domain.child_order import ChildState
from repeg.domain.errors import StillOpen
from repeg.domain.outcome import Outcome
from repeg_workbench.exchange.broker.races import Race
from repeg_workbench.exchange.broker_quirks import BrokerQuirks
from repeg_workbench.exchange.faults.transport_faults import Fault, Kind
from repeg_workbench.exchange.triggers import When
from tests.functions.books import QUIET, UP, Event, book
from tests.functions.desk import PREFIX, PROMPT, Desk, OpenDesk, holding
from tests.functions.scenes import NOT_FOUND, require_lost_only_at_the_end

ACTIVITIES = "/v2/account/activities/FILL"
BY_ID = Fault(kind=Kind.ANSWER_BEFORE, method="GET", path="/v2/orders:by_client_order_id", status=404, body=NOT_FOUND)
SOLD = book(QUIET, prints=("09:36:10 40 @ 189.41 sold",), until="10:30")
BOUGHT = book(QUIET, prints=("09:36:10 100 @ 189.43 bought",), until="10:30")
STEADY = book("09:20 500 @ 60.40 × 500 @ 60.43", until="10:30")
LOST_POST = Fault(kind=Kind.HANG_BEFORE, method="POST", path="/v2/orders")
UNANSWERED = Fault(kind=Kind.ANSWER_AFTER, method="POST", path="/v2/orders", status=502, body={})
OWNERS = {"symbol": "AAPL", "qty": "5", "type": "market", "time_in_force": "day"}
LOST = f"the broker did not show {PREFIX}AAPL.b.1 as closed: 40 traded in an order that the broker does not show"
LATE = ("09:36:10", "09:36:30", "09:37:05", "09:38:05")


def unanswered(
    open_desk: OpenDesk, plan: str, events: list[Event], *, quirks: BrokerQuirks = PROMPT, **settings: Any
) -> Desk:
    """An order whose request at 09:36 is carried out and has no answer, and that the broker then never finds."""
    desk = open_desk({"AAPL": events}, quirks=quirks, opening=holding(AAPL="100") if plan.startswith("sell") else None)
    desk.begin(plan, **settings)
    desk.exchange.faults.arm(UNANSWERED)
    desk.place()
    (order,) = desk.at_broker()
    order.is_forgotten = True
    return desk


def without_any(rows: list[object]) -> list[object]:
    """No activity at all."""
    return []


def hide(desk: Desk, path: str) -> None:
    """The list at a path is empty from now on."""
    desk.exchange.faults.arm(Fault(kind=Kind.REWRITE, method="GET", path=path, rewrite=without_any), When(times=None))


def expired(body: Any) -> Any:
    """An order, or each order of a list, as expired if it has been replaced."""
    if isinstance(body, list):
        return [expired(each) for each in body]
    return {**body, "status": "expired", "replaced_by": None} if body.get("status") == "replaced" else body


def show_by_broker_id_alone(desk: Desk) -> None:
    """The broker shows the order when it is asked for its own id, and neither by ours nor in a list."""
    desk.at_broker()[0].is_forgotten = False
    desk.exchange.faults.arm(BY_ID, When(times=None))
    hide(desk, "/v2/orders")


def alerts(desk: Desk) -> list[str]:
    """The reasons of the alerts of lost orders."""
    return [detail["reason"] for kind, detail in desk.notifier.published if kind == "repeg.watch.order_lost"]


@pytest.mark.parametrize("are_listed", [True, False], ids=["executions listed", "executions hidden"])
def test_a_sell_whose_shares_are_gone_ends_as_unknown(open_desk: OpenDesk, are_listed: bool) -> None:
    desk = unanswered(open_desk, "sell all AAPL", BOUGHT)
    if not are_listed:
        hide(desk, ACTIVITIES)
    for time in LATE:
        desk.turn_at(time)
    assert desk.posts() == 1
    assert desk.journalled("AAPL", "hold")[-1] == ("", "100 may be in flight, and only 0 are still held")
    answer = desk.close()
    assert (answer.outcome, answer.error) == ("failed", "Unexplained")
    assert (desk.order().outcome, desk.order().children[0].state) == (Outcome.UNKNOWN, ChildState.LOST)
    shown = "100 traded in an order that the broker does not show" if are_listed else "only 0 of 100 are still held"
    assert alerts(desk) == [f"AAPL: the broker did not show {PREFIX}AAPL.s.1 as closed: {shown}"]


def test_a_buy_that_has_traded_unseen_at_the_close_ends_as_unknown(open_desk: OpenDesk) -> None:
    """The run is closed before the order could have been sent again."""
    desk = unanswered(open_desk, "buy 40 AAPL", SOLD)
    desk.wait_until("09:38:05")
    assert desk.close().error == "Unexplained"
    assert desk.journalled("AAPL", "lost") == [
        (f"{PREFIX}AAPL.b.1", "40 traded in an order that the broker does not show")
    ]
    assert (desk.order().outcome, desk.order().children[0].state) == (Outcome.UNKNOWN, ChildState.LOST)


@pytest.mark.parametrize("plan", ["buy 40 AAPL", "sell 40 AAPL"])
def test_an_order_that_has_traded_unseen_is_not_resent(open_desk: OpenDesk, plan: str) -> None:
    """Its id is free again since it has filled, so that a second request would trade a second time."""
    events = SOLD if plan.startswith("buy") else BOUGHT
    desk = unanswered(open_desk, plan, events, quirks=replace(PROMPT, client_order_id_scope="active"))
    for time in LATE:
        desk.turn_at(time)
    assert desk.posts() == 1
    reason = "not resent: 40 traded in an order that the broker does not show"
    assert desk.journalled("AAPL", "hold")[-1] == ("", reason)
    assert len(desk.at_broker()) == 1


def test_a_market_order_that_has_traded_unseen_is_not_given_up(open_desk: OpenDesk) -> None:
    desk = unanswered(open_desk, "buy 40 AAPL", SOLD, policy="market")
    for time in ("09:40", "09:51:30", "09:52"):
        desk.turn_at(time)
        desk.place()
    assert (desk.posts(), desk.bought()) == (1, Decimal(40))
    reason = "not given up: 40 traded in an order that the broker does not show"
    assert desk.journalled("AAPL", "hold")[-1] == ("", reason)


@pytest.mark.parametrize("policy", ["market", "normal"])
def test_an_order_that_only_the_days_list_shows_is_adopted(open_desk: OpenDesk, policy: str) -> None:
    desk = unanswered(open_desk, "buy 40 AAPL", SOLD, policy=policy)
    desk.at_broker()[0].is_forgotten = False
    desk.exchange.faults.arm(BY_ID, When(times=None))
    if policy == "market":
        desk.turn_at("09:51:30")
    else:
        desk.wait_until("09:38:05")
    assert desk.close().outcome == "settled"
    assert (desk.order().outcome, desk.order().filled) == (Outcome.FILLED, Decimal(40))


def test_an_order_that_only_an_execution_leads_to_is_adopted(open_desk: OpenDesk) -> None:
    """The broker shows it by its own id alone. A second request would be accepted: the id of a filled order is free."""
    desk = unanswered(open_desk, "buy 40 AAPL", SOLD, quirks=replace(PROMPT, client_order_id_scope="active"))
    show_by_broker_id_alone(desk)
    for time in LATE:
        desk.turn_at(time)
    assert (desk.posts(), desk.order().outcome, desk.order().filled) == (1, Outcome.FILLED, Decimal(40))
    desk.judge()


def test_an_order_that_only_an_execution_leads_to_is_booked_at_the_close(open_desk: OpenDesk) -> None:
    desk = unanswered(open_desk, "buy 40 AAPL", SOLD)
    show_by_broker_id_alone(desk)
    desk.wait_until("09:38:05")
    assert desk.close().outcome == "settled"
    assert (desk.row()["outcome"], desk.row()["filled_qty"]) == ("filled", "40")
    desk.judge()


def test_the_trades_of_its_owners_own_order_are_not_taken_for_an_order(open_desk: OpenDesk) -> None:
    """The owner's order trades the same symbol on the same side, and the broker shows it when asked by its id."""
    desk = open_desk({"AAPL": SOLD})
    desk.begin("buy 40 AAPL")
    desk.exchange.faults.arm(LOST_POST)
    desk.place()
    desk.broker.line.post("/orders", {**OWNERS, "side": "buy"})
    hide(desk, "/v2/orders")
    desk.wait_until("09:38:05")
    assert desk.bought() == Decimal(5)
    assert desk.close().outcome == "settled"
    assert desk.order().children[0].state is ChildState.NEVER_ARRIVED


def test_a_trade_from_before_the_decision_is_not_taken_for_the_order(open_desk: OpenDesk) -> None:
    """The owner's own order has traded, and the broker does not show it any more."""
    desk = open_desk({"AAPL": book(QUIET, until="10:30")})
    desk.begin("buy 40 AAPL")
    desk.broker.line.post("/orders", {**OWNERS, "side": "buy"})
    desk.wait_until("09:37")
    (owners,) = desk.exchange.account.orders.by_id.values()
    owners.is_forgotten = True
    desk.exchange.faults.arm(LOST_POST)
    desk.place()
    for time in ("09:37:30", "09:38:05"):
        desk.turn_at(time)
    desk.wait(1)
    assert (desk.posts(), desk.open_at_broker()) == (3, ["40 AAPL @ 189.41"])


@pytest.mark.parametrize("time", ["09:36:00", "09:36:30"])
def test_the_shares_that_its_owner_sells_are_not_taken_for_the_order(open_desk: OpenDesk, time: str) -> None:
    desk = open_desk({"AAPL": book(QUIET, until="10:30")}, opening=holding(AAPL="100"))
    desk.begin("sell all AAPL")
    desk.exchange.faults.arm(LOST_POST)
    desk.place()
    desk.wait_until(time)
    desk.broker.line.post("/orders", {**OWNERS, "side": "sell"})
    desk.wait_until("09:38:40")
    assert desk.close().outcome == "settled"
    assert desk.order().children[0].state is ChildState.NEVER_ARRIVED


def test_the_shares_that_a_replaced_order_has_sold_are_accounted_for(open_desk: OpenDesk) -> None:
    down = "09:36:10 300 @ 189.15 × 200 @ 189.19"
    sold = ("09:36:32 30 @ 189.50 bought",)
    desk = open_desk({"AAPL": book(QUIET, down, prints=sold, until="10:30")}, opening=holding(AAPL="100"))
    desk.begin("sell all AAPL", use_replace=True)
    desk.place()
    desk.exchange.faults.arm(Fault(kind=Kind.HANG_BEFORE, method="PATCH", path="/v2/orders/.+"))
    desk.turn_at("09:36:30")
    desk.wait_until("09:36:58")
    desk.broker.line.delete(f"/orders/{desk.at_broker()[0].id}")
    desk.turn_at("09:37:00")
    desk.wait_until("09:40")
    desk.close()
    assert [(child.state, child.filled) for child in desk.order().children] == [
        (ChildState.CANCELED, Decimal(30)),
        (ChildState.NEVER_ARRIVED, Decimal(0)),
    ]
    assert alerts(desk) == []


def test_a_replacement_that_has_traded_unseen_is_not_given_up(open_desk: OpenDesk) -> None:
    """The broker shows the replaced order as expired, and not what it was replaced by."""
    desk = open_desk({"AAPL": book(QUIET, UP, prints=("09:36:50 40 @ 189.66 sold",), until="10:30")})
    desk.begin("buy 40 AAPL", use_replace=True)
    desk.place()
    patch = Fault(kind=Kind.ANSWER_AFTER, method="PATCH", path="/v2/orders/.+", status=502, body={})
    desk.exchange.faults.arm(patch)
    desk.turn_at("09:36:30")
    desk.at_broker()[-1].is_forgotten = True
    desk.exchange.faults.arm(
        Fault(kind=Kind.REWRITE, method="GET", path="/v2/orders.*", rewrite=expired), When(times=None)
    )
    for time in ("09:37", "09:38", "09:39"):
        desk.turn_at(time)
        desk.place()
    assert (len(desk.at_broker()), desk.bought()) == (2, Decimal(40))
    reason = "replacement not given up: 40 traded in an order that the broker does not show"
    assert desk.journalled("AAPL", "hold")[-1] == ("", reason)
    desk.wait_until("09:42")
    assert desk.close().error == "Unexplained"
    assert desk.order().children[-1].state is ChildState.LOST


@pytest.mark.parametrize("is_tried_again", [True, False])
def test_a_refused_order_that_has_traded_unseen_ends_as_unknown(open_desk: OpenDesk, is_tried_again: bool) -> None:
    """The broker took the order although its answer was a refusal."""
    desk = open_desk({"AAPL": SOLD})
    desk.begin("buy 40 AAPL")
    body = {"code": 40310000, "message": "insufficient buying power"}
    desk.exchange.faults.arm(Fault(kind=Kind.ANSWER_AFTER, method="POST", path="/v2/orders", status=403, body=body))
    desk.place()
    desk.at_broker()[0].is_forgotten = True
    for time in ("09:36:40", "09:37:40") if is_tried_again else ():
        desk.wait_until(time)
        desk.place()
    desk.wait_until("09:39")
    assert (desk.posts(), desk.bought()) == (1, Decimal(40))
    assert desk.close().error == "Unexplained"
    assert (desk.order().outcome, desk.order().children[0].state) == (Outcome.UNKNOWN, ChildState.LOST)


def test_a_lost_order_that_shows_again_while_its_run_closes_is_cancelled(open_desk: OpenDesk) -> None:
    partly = book(QUIET, prints=("09:36:10 15 @ 189.41 sold",), until="10:30")
    desk = open_desk({"AAPL": partly, "KO": STEADY})
    desk.begin("buy 40 AAPL", "buy 50 KO")
    desk.exchange.faults.arm(UNANSWERED)
    desk.place()
    (order,) = desk.at_broker("AAPL")
    order.is_forgotten = True
    desk.wait_until("09:38:05")
    desk.exchange.races.arm(Race.CANCEL_STUCK, symbol="KO", seconds=100)
    with pytest.raises(StillOpen, match="KO"):
        desk.close()
    assert desk.order().children[0].state is ChildState.LOST
    order.is_forgotten = False
    desk.wait_until("09:41")
    assert desk.close().outcome == "settled"
    assert (desk.open_at_broker(), desk.order().filled) == ([], Decimal(15))
    desk.judge()


@pytest.mark.parametrize(("path", "side"), [("/v2/positions", "sell"), ("/v2/orders/.+", "buy")])
def test_a_run_ends_although_it_cannot_be_read_whether_its_order_has_traded(
    open_desk: OpenDesk, path: str, side: str
) -> None:
    desk = open_desk({"AAPL": book(QUIET, until="16:00")}, opening=holding(AAPL="100"))
    desk.begin(f"{side} 40 AAPL")
    desk.exchange.faults.arm(LOST_POST)
    desk.place()
    desk.broker.line.post("/orders", {**OWNERS, "side": side})
    hide(desk, "/v2/orders")
    desk.exchange.faults.arm(
        Fault(kind=Kind.ANSWER_BEFORE, method="GET", path=path, status=500, body={}), When(times=None)
    )
    require_lost_only_at_the_end(desk)


def test_a_trade_that_is_listed_after_its_run_corrects_the_report(open_desk: OpenDesk) -> None:
    desk = unanswered(open_desk, "buy 40 AAPL", SOLD)
    hide(desk, ACTIVITIES)
    desk.wait_until("09:38:05")
    assert desk.close().outcome == "settled"
    desk.watch()
    assert (desk.report["outcome"], alerts(desk)) == ("settled", [])
    desk.exchange.faults.disarm()
    for _ in range(2):
        desk.watch()
    assert (desk.report["outcome"], desk.report["error"]) == ("failed", "Unexplained")
    assert (desk.row()["outcome"], desk.order().children[0].state) == ("unknown", ChildState.LOST)
    assert alerts(desk) == [f"AAPL: {LOST}"]
    assert [kind for kind, _ in desk.notifier.published].count("repeg.run.corrected") == 1


def test_a_lost_order_that_is_found_after_its_run_is_booked(open_desk: OpenDesk) -> None:
    desk = unanswered(open_desk, "sell all AAPL", BOUGHT)
    desk.wait_until("09:38:05")
    assert desk.close().outcome == "failed"
    desk.at_broker()[0].is_forgotten = False
    desk.watch()
    assert (desk.report["outcome"], desk.row()["outcome"], desk.row()["filled_qty"]) == ("settled", "filled", "100")
    desk.judge()


def test_the_trades_of_an_order_given_up_too_early_fail_its_run(open_desk: OpenDesk) -> None:
    """The executions are listed only once another order has followed: twice as much is bought, and said."""
    desk = unanswered(open_desk, "buy 40 AAPL", SOLD, policy="market")
    hide(desk, ACTIVITIES)
    for time in ("09:51:30", "09:52", "09:53"):
        desk.turn_at(time)
        desk.place()
        desk.exchange.faults.disarm()
    assert desk.close().error == "Unexplained"
    assert desk.report["reason"] == f"outcome unknown: AAPL ({LOST})"
    assert (desk.bought(), alerts(desk)) == (Decimal(80), [f"AAPL: {LOST}"])


def test_an_order_that_only_the_days_list_shows_after_its_run_is_booked(open_desk: OpenDesk) -> None:
    desk = unanswered(open_desk, "buy 40 AAPL", SOLD)
    hide(desk, ACTIVITIES)
    desk.wait_until("09:38:05")
    desk.close()
    desk.exchange.faults.disarm()
    desk.at_broker()[0].is_forgotten = False
    desk.exchange.faults.arm(BY_ID, When(times=None))
    desk.watch()
    assert (desk.report["outcome"], desk.row()["outcome"], desk.row()["filled_qty"]) == ("settled", "filled", "40")
    desk.judge()


def test_an_event_bus_that_fails_delays_only_the_alert(open_desk: OpenDesk, monkeypatch: pytest.MonkeyPatch) -> None:
    sold = book("09:20 500 @ 60.40 × 500 @ 60.43", prints=("09:36:15 20 @ 60.41 sold",), until="10:30")
    desk = open_desk({"AAPL": SOLD, "KO": sold})
    desk.begin("buy 40 AAPL", "buy 50 KO")
    desk.exchange.faults.arm(UNANSWERED, When(times=2))
    desk.place()
    for order in desk.at_broker():
        order.is_forgotten = True
    hide(desk, ACTIVITIES)
    desk.wait_until("09:38:05")
    desk.close()
    desk.exchange.faults.disarm()
    desk.at_broker("KO")[0].is_forgotten = False

    def fails(kind: str, detail: object) -> None:
        raise EventsUnavailable(kind)

    with monkeypatch.context() as down:
        down.setattr(desk.notifier, "publish", fails)
        with pytest.raises(EventsUnavailable):
            desk.watch()
    assert (desk.order("KO").filled, desk.order().children[0].state) == (Decimal(20), ChildState.LOST)
    desk.watch()
    assert alerts(desk) == [f"AAPL: {LOST}"]
    assert desk.report["outcome"] == "failed"


def test_the_lists_are_read_once_for_all_orders_of_an_ended_run(open_desk: OpenDesk) -> None:
    symbols = ["AAPL", "KO", "IBM", "MSFT"]
    desk = open_desk(dict.fromkeys(symbols, STEADY), opening=holding(cash="1000000"))
    desk.begin(*[f"buy 10 {symbol}" for symbol in symbols])
    refused = Fault(kind=Kind.ANSWER_BEFORE, method="POST", path="/v2/orders", status=502, body={})
    desk.exchange.faults.arm(refused, When(times=None))
    desk.place()
    desk.wait_until("09:41")
    desk.close()
    before = len(desk.broker.line.sent)
    desk.watch()
    sent = Counter(path.partition("?")[0] for _, path in desk.broker.line.sent[before:])
    assert sent["/orders"] <= 3
    assert sent["/account/activities/FILL"] <= 3
