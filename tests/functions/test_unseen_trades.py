"""Orders that have traded without an answer, and that the broker finds neither by their id nor in a list."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest

from repeg.domain.child_order import ChildState
from repeg.domain.outcome import Outcome
from repeg_workbench.exchange.broker_quirks import BrokerQuirks
from repeg_workbench.exchange.faults.transport_faults import Fault, Kind
from repeg_workbench.exchange.triggers import When
from tests.functions.books import QUIET, Event, book
from tests.functions.desk import PREFIX, PROMPT, Desk, OpenDesk, holding
from tests.functions.scenes import NOT_FOUND

ACTIVITIES = "/v2/account/activities/FILL"
BY_ID = Fault(kind=Kind.ANSWER_BEFORE, method="GET", path="/v2/orders:by_client_order_id", status=404, body=NOT_FOUND)
SOLD = book(QUIET, prints=("09:36:10 40 @ 189.41 sold",), until="10:30")
BOUGHT = book(QUIET, prints=("09:36:10 100 @ 189.43 bought",), until="10:30")
LATE = ("09:36:10", "09:36:30", "09:37:05", "09:38:05")


def unanswered(
    open_desk: OpenDesk, plan: str, events: list[Event], *, quirks: BrokerQuirks = PROMPT, **settings: Any
) -> Desk:
    """An order whose request at 09:36 is carried out and has no answer, and that the broker then never finds."""
    desk = open_desk({"AAPL": events}, quirks=quirks, opening=holding(AAPL="100") if plan.startswith("sell") else None)
    desk.begin(plan, **settings)
    desk.exchange.faults.arm(Fault(kind=Kind.ANSWER_AFTER, method="POST", path="/v2/orders", status=502, body={}))
    desk.place()
    (order,) = desk.at_broker()
    order.is_forgotten = True
    return desk


def without_any(rows: list[object]) -> list[object]:
    """No activity at all."""
    return []


def alerts(desk: Desk) -> list[str]:
    """The reasons of the alerts of lost orders."""
    return [detail["reason"] for kind, detail in desk.notifier.published if kind == "repeg.watch.order_lost"]


@pytest.mark.parametrize("are_listed", [True, False], ids=["executions listed", "executions hidden"])
def test_a_sell_whose_shares_are_gone_ends_as_unknown(open_desk: OpenDesk, are_listed: bool) -> None:
    desk = unanswered(open_desk, "sell all AAPL", BOUGHT)
    if not are_listed:
        hidden = Fault(kind=Kind.REWRITE, method="GET", path=ACTIVITIES, rewrite=without_any)
        desk.exchange.faults.arm(hidden, When(times=None))
    for time in LATE:
        desk.turn_at(time)
    assert desk.posts() == 1
    assert desk.journalled("AAPL", "hold")[-1] == ("", "100 may be in flight, and only 0 are still held")
    answer = desk.close()
    assert (answer.outcome, answer.error) == ("failed", "Unexplained")
    assert (desk.order().outcome, desk.order().children[0].state) == (Outcome.UNKNOWN, ChildState.LOST)
    assert alerts(desk) == [f"AAPL: the broker did not show {PREFIX}AAPL.s.1 as closed"]


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


def test_the_trades_of_its_owners_own_order_are_not_taken_for_an_order(open_desk: OpenDesk) -> None:
    """The owner's order trades the same symbol on the same side, and the broker shows it when asked by its id."""
    desk = open_desk({"AAPL": SOLD})
    desk.begin("buy 40 AAPL")
    desk.exchange.faults.arm(Fault(kind=Kind.HANG_BEFORE, method="POST", path="/v2/orders"))
    desk.place()
    terms = {"symbol": "AAPL", "side": "buy", "qty": "5", "type": "market", "time_in_force": "day"}
    desk.broker.line.post("/orders", terms)
    unlisted = Fault(kind=Kind.REWRITE, method="GET", path="/v2/orders", rewrite=without_any)
    desk.exchange.faults.arm(unlisted, When(times=None))
    desk.wait_until("09:38:05")
    assert desk.bought() == Decimal(5)
    assert desk.close().outcome == "settled"
    assert desk.order().children[0].state is ChildState.NEVER_ARRIVED


def test_a_trade_that_is_listed_after_its_run_corrects_the_report(open_desk: OpenDesk) -> None:
    desk = unanswered(open_desk, "buy 40 AAPL", SOLD)
    hidden = Fault(kind=Kind.REWRITE, method="GET", path=ACTIVITIES, rewrite=without_any)
    desk.exchange.faults.arm(hidden, When(times=None))
    desk.wait_until("09:38:05")
    assert desk.close().outcome == "settled"
    desk.watch()
    assert (desk.report["outcome"], alerts(desk)) == ("settled", [])
    desk.exchange.faults.disarm()
    for _ in range(2):
        desk.watch()
    assert (desk.report["outcome"], desk.report["error"]) == ("failed", "Unexplained")
    assert (desk.row()["outcome"], desk.order().children[0].state) == ("unknown", ChildState.LOST)
    told = f"AAPL: 40 traded in an order that the broker does not show, and {PREFIX}AAPL.b.1 was never seen"
    assert alerts(desk) == [told]
    assert [kind for kind, _ in desk.notifier.published].count("repeg.run.corrected") == 1


def test_a_lost_order_that_is_found_after_its_run_is_booked(open_desk: OpenDesk) -> None:
    desk = unanswered(open_desk, "sell all AAPL", BOUGHT)
    desk.wait_until("09:38:05")
    assert desk.close().outcome == "failed"
    desk.at_broker()[0].is_forgotten = False
    desk.watch()
    assert (desk.report["outcome"], desk.row()["outcome"], desk.row()["filled_qty"]) == ("settled", "filled", "100")
    desk.judge()
