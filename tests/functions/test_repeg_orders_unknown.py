"""RepegOrders with unacknowledged orders: each is looked up by its id and never submitted under a new one."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

import pytest

from repeg.adapters.alpaca.http import Body
from repeg.domain.child_order import ChildState, OrderReport
from repeg.domain.outcome import Outcome
from repeg.domain.parent_order import ParentState
from repeg.domain.run import KillSwitch
from repeg_workbench.exchange.broker.races import Race
from repeg_workbench.exchange.faults.transport_faults import Fault, Kind
from repeg_workbench.exchange.triggers import When
from tests.functions.books import AAPL, QUIET, Event, book
from tests.functions.desk import PREFIX, PROMPT, RUN_ID, Desk, OpenDesk, holding
from tests.functions.test_leftovers import SHORT_OF_CASH

FIRST_ID = f"{PREFIX}AAPL.b.1"
LATER = book(QUIET, until="10:30")


def post(kind: Kind, **terms: object) -> Fault:
    """A fault on the submission of an order."""
    return Fault(kind=kind, method="POST", path="/v2/orders", **terms)  # type: ignore[arg-type]


def unanswered(open_desk: OpenDesk, fault: Fault, books: list[Event] = LATER, **options: object) -> Desk:
    """A buy of 40 AAPL whose submission at 09:36 meets a fault."""
    desk = open_desk({"AAPL": books}, **options)
    desk.begin("buy 40 AAPL")
    desk.exchange.faults.arm(fault)
    desk.place()
    assert desk.order().children[-1].state is ChildState.UNKNOWN
    return desk


def is_single_order_of_first_id(desk: Desk) -> bool:
    """Whether the broker accepted exactly one order, under the first id."""
    return [order.client_order_id for order in desk.at_broker()] == [FIRST_ID]


@pytest.mark.parametrize(
    "fault",
    [
        post(Kind.HANG_AFTER),
        post(Kind.RESET_AFTER),
        post(Kind.ANSWER_AFTER, status=500),
        post(Kind.ANSWER_AFTER, status=504),
        post(Kind.ANSWER_AFTER, status=200, body="<html>"),
    ],
    ids=["timed out", "cut", "500", "504", "unreadable"],
)
def test_an_accepted_order_without_an_answer_is_adopted(open_desk: OpenDesk, fault: Fault) -> None:
    desk = unanswered(open_desk, fault)
    desk.turn_at("09:36:30")
    child = desk.order().children[-1]
    assert (child.state, child.n, child.broker_id) == (ChildState.LIVE, 1, desk.at_broker()[0].id)
    assert (desk.posts(), is_single_order_of_first_id(desk)) == (1, True)
    desk.judge()


def test_an_order_without_an_answer_keeps_what_came_instead(open_desk: OpenDesk) -> None:
    desk = unanswered(open_desk, post(Kind.ANSWER_AFTER, status=500))
    assert "500" in desk.order().children[-1].note


def test_a_filled_order_without_an_answer_is_not_resent(open_desk: OpenDesk) -> None:
    down = book(QUIET, prints=("09:36:10 40 @ 189.41 sold",))
    desk = open_desk({"AAPL": down})
    desk.begin("buy 40 AAPL")
    desk.exchange.faults.arm(post(Kind.HANG_AFTER))
    desk.place()
    assert desk.turn_at("09:36:30").decision == "close"
    assert (desk.bought(), desk.posts(), desk.order().outcome) == (Decimal(40), 1, Outcome.FILLED)
    desk.judge()


def test_an_order_missing_from_a_lagging_list_is_read_by_its_id(open_desk: OpenDesk) -> None:
    lagging = PROMPT.__class__(**{**vars(PROMPT), "list_lag": (60_000, 60_000)})
    desk = unanswered(open_desk, post(Kind.HANG_AFTER), quirks=lagging)
    desk.turn_at("09:36:30")
    assert desk.order().children[-1].state is ChildState.LIVE
    assert desk.posts() == 1


def test_an_order_arriving_twenty_seconds_late_is_adopted(open_desk: OpenDesk) -> None:
    desk = unanswered(open_desk, post(Kind.LATE, delay=20))
    assert desk.at_broker() == []
    desk.turn_at("09:36:30")
    assert desk.order().children[-1].state is ChildState.LIVE
    assert (desk.posts(), is_single_order_of_first_id(desk)) == (1, True)


@pytest.mark.parametrize("kind", [Kind.HANG_BEFORE, Kind.RESET_BEFORE])
def test_an_unacknowledged_order_is_resent_under_its_id_after_a_minute(open_desk: OpenDesk, kind: Kind) -> None:
    desk = unanswered(open_desk, post(kind))
    desk.turn_at("09:36:30")
    desk.turn_at("09:36:59")
    assert (desk.posts(), desk.at_broker()) == (1, [])
    assert desk.journalled("AAPL", "hold")[-1] == ("", "unknown for 59s, not at the broker")
    desk.turn_at("09:37:00")
    assert desk.journalled("AAPL", "resend") == [("buy 40 @ 189.41", "never seen at the broker")]
    assert (desk.posts(), is_single_order_of_first_id(desk), len(desk.order().children)) == (2, True, 1)
    desk.judge()


def test_an_order_is_resent_as_its_own_intent_says(open_desk: OpenDesk) -> None:
    """The run has another order, whose intent comes first."""
    desk = open_desk({"AAPL": LATER, "KO": book("09:20 300 @ 60.40 × 300 @ 60.43", until="10:30")})
    desk.begin("buy 40 AAPL", "buy 10 KO")
    terms = {"status": 504, "body": {"message": "time-out"}}
    desk.exchange.faults.arm(post(Kind.ANSWER_BEFORE, **terms), When(skip=1))
    desk.place()
    for time in ("09:36:30", "09:37:00", "09:37:30"):
        desk.turn_at(time)
    assert desk.open_at_broker("KO") == ["10 KO @ 60.41"]
    assert len(desk.at_broker("AAPL")) == 1


def test_a_late_first_submission_is_refused_as_a_duplicate(open_desk: OpenDesk) -> None:
    desk = unanswered(open_desk, post(Kind.LATE, delay=75))
    desk.turn_at("09:37:00")
    assert desk.open_at_broker() == ["40 AAPL @ 189.41"]
    desk.wait_until("09:37:20")
    assert is_single_order_of_first_id(desk)
    desk.turn_at("09:37:30")
    desk.judge()


def test_an_unanswered_resend_stays_unknown_under_its_id(open_desk: OpenDesk) -> None:
    desk = unanswered(open_desk, post(Kind.HANG_BEFORE))
    desk.exchange.faults.arm(post(Kind.HANG_AFTER))
    desk.turn_at("09:37:00")
    assert desk.order().children[-1].state is ChildState.UNKNOWN
    desk.turn_at("09:37:30")
    assert desk.order().children[-1].state is ChildState.LIVE
    assert (desk.posts(), is_single_order_of_first_id(desk)) == (2, True)
    desk.judge()


def test_a_resend_refused_for_cash_adopts_the_first_submission(open_desk: OpenDesk) -> None:
    """The first request arrives between the lookup and the resend, which is refused for lack of cash."""
    desk = unanswered(open_desk, post(Kind.LATE, delay=64.5))
    refusal = {"code": 40310000, "message": "insufficient buying power"}
    desk.exchange.faults.arm(post(Kind.ANSWER_BEFORE, status=403, body=refusal))
    desk.wait_until("09:37:00")
    desk.broker.line.seconds = 1  # clock, list, lookup by id, day's list, resend: it arrives before the last lookup
    desk.repeg()
    child = desk.order().children[-1]
    assert (child.state, child.n, desk.order().held) == (ChildState.LIVE, 1, None)
    assert is_single_order_of_first_id(desk)
    desk.judge()


def refuse_resend(desk: Desk, **refusal: object) -> None:
    """The next submission is refused."""
    desk.exchange.faults.arm(post(Kind.ANSWER_BEFORE, status=403, body={"code": 40310000, **refusal}))


def test_a_refused_resend_leaves_the_order_unknown_under_its_id(open_desk: OpenDesk) -> None:
    desk = unanswered(open_desk, post(Kind.HANG_BEFORE))
    refuse_resend(desk, message="insufficient buying power")
    desk.turn_at("09:37:00")
    assert (desk.order().state, desk.order().children[-1].state) == (ParentState.WORKING, ChildState.UNKNOWN)
    reason = desk.journalled("AAPL", "unknown")[-1][1]
    assert reason == "the resend was refused: insufficient buying power"
    desk.turn_at("09:38:00")
    assert (desk.posts(), is_single_order_of_first_id(desk), len(desk.order().children)) == (3, True, 1)
    desk.judge()


def test_an_order_that_arrives_after_its_refused_resend_is_adopted(open_desk: OpenDesk) -> None:
    """The owner's own stop makes a wash trade of the resend, while the first request is still under way."""
    desk = open_desk({"AAPL": LATER}, opening=holding(AAPL="10"))
    desk.begin("buy 40 AAPL")
    desk.exchange.faults.arm(post(Kind.LATE, delay=120))
    desk.place()
    desk.wait_until("09:36:50")
    stop = {"symbol": "AAPL", "side": "sell", "qty": "10", "type": "stop", "stop_price": "180", "time_in_force": "day"}
    placed = desk.broker.line.post("/orders", stop)
    assert isinstance(placed, Body)
    desk.turn_at("09:37:00")
    assert "the resend was refused" in desk.journalled("AAPL", "unknown")[-1][1]
    desk.broker.line.delete(f"/orders/{placed.value['id']}")
    desk.wait_until("09:37:35")
    desk.place()
    desk.wait_until("09:38:10")
    desk.repeg()
    child = desk.order().children[-1]
    assert (child.state, child.n, is_single_order_of_first_id(desk)) == (ChildState.LIVE, 1, True)
    desk.judge()


def test_a_refused_order_that_turns_up_is_cancelled_with_its_successor(open_desk: OpenDesk) -> None:
    """Both would buy: the broker took the first order although its answer was a refusal, and found it late."""
    desk = open_desk({"AAPL": LATER}, quirks=replace(PROMPT, client_id_lag=(40_000, 40_000), list_lag=(40_000, 40_000)))
    desk.begin("buy 40 AAPL", min_volume_shares=1)
    refusal = {"code": 40310000, "message": "insufficient buying power"}
    desk.exchange.faults.arm(post(Kind.ANSWER_AFTER, status=403, body=refusal))
    desk.place()
    assert desk.order().children[-1].state is ChildState.REFUSED
    desk.wait_until("09:36:31")
    desk.place()
    desk.wait(1)
    assert desk.open_at_broker() == ["40 AAPL @ 189.41", "40 AAPL @ 189.42"]
    desk.turn_at("09:37:00")
    assert (desk.open_at_broker(), desk.order().outcome) == ([], None)
    desk.place()
    desk.wait(1)
    assert (desk.open_at_broker(), desk.order().children[-1].n) == (["40 AAPL @ 189.41"], 3)


def test_an_order_that_only_a_list_shows_is_not_resent(open_desk: OpenDesk) -> None:
    """It has filled at once, the lookup by its id lags by 75 seconds, and its id is free again since it has filled."""
    quirks = replace(PROMPT, client_order_id_scope="active", client_id_lag=(75_000, 75_000))
    sold = ("09:36:10 40 @ 189.41 sold", "09:37:30 40 @ 189.41 sold")
    desk = unanswered(open_desk, post(Kind.HANG_AFTER), books=book(QUIET, prints=sold), quirks=quirks)
    for time in ("09:36:30", "09:37:05", "09:37:40"):
        desk.turn_at(time)
    assert (desk.bought(), desk.order().filled, desk.posts()) == (Decimal(40), Decimal(40), 1)
    desk.judge()


def test_an_unknown_order_is_not_resent_beside_one_that_turns_up(open_desk: OpenDesk) -> None:
    desk = open_desk({"AAPL": LATER}, quirks=replace(PROMPT, client_id_lag=(40_000, 40_000), list_lag=(40_000, 40_000)))
    desk.begin("buy 40 AAPL", min_volume_shares=1)
    refusal = {"code": 40310000, "message": "insufficient buying power"}
    desk.exchange.faults.arm(post(Kind.ANSWER_AFTER, status=403, body=refusal))
    hide = Fault(kind=Kind.REWRITE, method="GET", path="/v2/orders", rewrite=lambda rows: [])
    desk.place()
    desk.wait_until("09:36:31")
    desk.exchange.faults.arm(post(Kind.HANG_BEFORE))
    desk.place()
    desk.exchange.faults.arm(hide)
    desk.turn_at("09:37:00")
    assert [child.state for child in desk.order().children] == [ChildState.REFUSED, ChildState.UNKNOWN]
    desk.turn_at("09:37:40")
    assert (desk.posts(), desk.open_at_broker()) == (2, [])
    desk.turn_at("09:37:50")
    desk.wait(1)
    assert (desk.posts(), desk.open_at_broker()) == (3, ["40 AAPL @ 189.42"])


@pytest.mark.parametrize("state", [KillSwitch.HALT_NEW, KillSwitch.CANCEL_ALL])
def test_an_unknown_order_is_not_resent_under_the_kill_switch(open_desk: OpenDesk, state: KillSwitch) -> None:
    desk = unanswered(open_desk, post(Kind.HANG_BEFORE))
    desk.store.set_kill_switch(state)
    desk.turn_at("09:37:30")
    assert (desk.posts(), desk.at_broker()) == (1, [])


def test_an_unknown_order_with_a_limit_is_held_however_old_it_is(open_desk: OpenDesk) -> None:
    """One without a limit is given up after a quarter of an hour. This one is sent again once that is permitted."""
    desk = unanswered(open_desk, post(Kind.HANG_BEFORE))
    desk.store.set_kill_switch(KillSwitch.HALT_NEW)
    desk.turn_at("09:53")
    assert (desk.posts(), desk.order().children[-1].state) == (1, ChildState.UNKNOWN)
    desk.store.set_kill_switch(KillSwitch.ACTIVE)
    desk.turn_at("09:53:30")
    assert desk.journalled("AAPL", "resend") == [("buy 40 @ 189.41", "never seen at the broker")]


def test_an_unknown_order_whose_id_another_had_is_not_resent(open_desk: OpenDesk) -> None:
    """The run's order has ended for that. The other one is not found any more."""
    desk = unanswered(open_desk, post(Kind.HANG_BEFORE))
    other = {"symbol": "AAPL", "side": "buy", "qty": "5", "type": "limit", "limit_price": "180", "time_in_force": "day"}
    desk.broker.line.post("/orders", {**other, "client_order_id": FIRST_ID})
    desk.wait(1)
    desk.turn_at("09:36:30")
    assert desk.order().outcome is Outcome.UNKNOWN
    (strange,) = desk.at_broker()
    strange.is_forgotten = True
    desk.turn_at("09:37:30")
    assert desk.posts() == 2
    assert desk.journalled("AAPL", "resend") == []


def test_an_unknown_order_is_not_resent_in_the_last_seconds_of_the_window(open_desk: OpenDesk) -> None:
    desk = open_desk({"AAPL": book("15:30 300 @ 189.40 × 200 @ 189.44", until="15:58")}, at="15:45")
    desk.begin("buy 40 AAPL")
    desk.wait_until("15:53:30")
    desk.exchange.faults.arm(post(Kind.HANG_BEFORE))
    desk.place()
    assert desk.turn_at("15:54:52").decision == "wait"
    assert (desk.posts(), desk.at_broker()) == (1, [])


def test_an_unknown_order_is_not_resent_by_a_former_execution(open_desk: OpenDesk) -> None:
    """The run is taken over while the former execution's turn is waiting for the broker's answer to its lookup."""
    desk = unanswered(open_desk, post(Kind.HANG_BEFORE))
    read = desk.broker.order

    def meanwhile_renewed(client_order_id: str) -> OrderReport | None:
        found = read(client_order_id)
        desk.store.take_over(RUN_ID, 1, "arn:successor")
        return found

    desk.broker.order = meanwhile_renewed  # type: ignore[method-assign]
    desk.turn_at("09:37:30")
    assert (desk.posts(), desk.at_broker()) == (1, [])


def test_a_crash_before_the_submission_leaves_an_unknown_order(open_desk: OpenDesk) -> None:
    desk = open_desk({"AAPL": AAPL})
    desk.begin("buy 40 AAPL")
    desk.validate()
    desk.broker.line.seconds = 1
    step = desk.scheduler.spawn(desk.place)
    desk.wait(5.5)  # one second each for clock, quotes, clock, quotes and account, then the submission
    step.kill()
    desk.wait(1)
    desk.broker.line.seconds = 0
    assert (desk.order().children[-1].state, desk.at_broker()) == (ChildState.INTENDED, [])
    desk.turn_at("09:36:30")
    desk.turn_at("09:37:10")
    assert is_single_order_of_first_id(desk)
    assert desk.order().children[-1].state is ChildState.LIVE
    desk.judge()


def test_an_order_rejected_after_acceptance_is_tried_three_times(open_desk: OpenDesk) -> None:
    desk = open_desk({"AAPL": AAPL})
    desk.begin("buy 40 AAPL")
    desk.exchange.races.arm(Race.REJECTED_LATER, when=When(times=3))
    decisions = []
    for time in ("09:36:00", "09:36:30", "09:37:00"):
        desk.wait_until(time)
        desk.place()
        desk.wait(1)
        decisions.append(desk.repeg().decision)
    assert decisions == ["validate", "validate", "close"]
    assert (desk.order().outcome, desk.order().rejections) == (Outcome.REJECTED, 3)
    assert [child.state for child in desk.order().children] == [ChildState.REJECTED] * 3
    desk.judge()


def test_a_fill_without_an_average_price_is_counted(open_desk: OpenDesk) -> None:
    down = book(QUIET, prints=("09:36:10 40 @ 189.41 sold",))
    desk = open_desk({"AAPL": down})
    desk.begin("buy 40 AAPL")
    desk.place()
    desk.wait_until("09:36:30")

    def without_a_price(order: dict[str, object]) -> dict[str, object]:
        return {**order, "filled_avg_price": None}

    fault = Fault(kind=Kind.REWRITE, method="GET", path="/v2/orders:by_client_order_id", rewrite=without_a_price)
    desk.exchange.faults.arm(fault)
    desk.repeg()
    assert (desk.order().outcome, desk.order().filled) == (Outcome.FILLED, Decimal(40))
    desk.close()
    assert desk.row()["average_price"] == "189.41"
    assert desk.store.executions(RUN_ID)[0].price == Decimal("189.41")


def test_a_refused_order_that_has_filled_at_once_is_not_sent_again(open_desk: OpenDesk) -> None:
    """The answer was a refusal, and the broker has the order all the same: it is asked before another is sent."""
    prints = ("09:36:10 40 @ 189.41 sold", "09:36:50 40 @ 189.41 sold")
    desk = open_desk({"AAPL": book(QUIET, prints=prints)})
    desk.begin("buy 40 AAPL", min_volume_shares=0)
    refusal = Fault(kind=Kind.ANSWER_AFTER, method="POST", path="/v2/orders", status=403, body=SHORT_OF_CASH)
    desk.exchange.faults.arm(refusal)
    desk.place()
    for time in ("09:36:31", "09:37:01"):
        desk.turn_at(time)
        desk.place()
    desk.wait_until("09:37:30")
    assert int(desk.bought()) == 40
