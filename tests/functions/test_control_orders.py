"""Control orders on the desk: sent at the market once, under every gate and limit that holds for other orders."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest

from repeg.domain.arm import Arm
from repeg.domain.child_order import ChildState, Rung
from repeg.domain.journalled_rules import NEXT_ACTION, QUOTE_CHECK
from repeg.domain.run import KillSwitch
from repeg.workflow.sellable import Holdings
from repeg.workflow.turn import begin_sending_turn
from repeg.workflow.working import start_order
from repeg_workbench.exchange.faults.transport_faults import Fault, Kind
from tests.functions.books import AAPL, KO, book
from tests.functions.desk import PROMPT, RUN_ID, Desk, OpenDesk, holding

THIN = "09:20 10 @ 189.40 × 200 @ 189.44"
NO_ASK = "09:36:00.5 300 @ 189.40 × -"
SLOW = replace(PROMPT, ack_delay=(2_000, 2_000))
"""An order reaches its book two seconds after its answer."""
OWNERS = {"time_in_force": "day", "client_order_id": "mine"}
BACK = "09:36:20 300 @ 189.40 × 200 @ 189.44"


def desk_with(open_desk: OpenDesk, *orders: str, cash: str = "100000", share: str = "1", **settings: Any) -> Desk:
    """A run of these orders, all of them drawn for control."""
    desk = open_desk({"AAPL": AAPL, "KO": KO}, opening=holding(cash, KO="100"))
    desk.begin(*orders, control_share=share, **settings)
    return desk


def limits_sent(desk: Desk) -> list[Decimal | None]:
    return [intent.limit for intent in desk.store.intents(RUN_ID)]


@pytest.mark.parametrize("order", ["buy 20 AAPL", "sell 50 KO"])
@pytest.mark.parametrize("policy", ["anchor", "normal"])
def test_a_control_order_is_sent_at_the_market_at_arrival(open_desk: OpenDesk, order: str, policy: str) -> None:
    desk = desk_with(open_desk, order, policy=policy)
    symbol = order.split()[2]
    desk.place()
    (intent,) = desk.store.intents(RUN_ID)
    assert (intent.limit, intent.rung, intent.reason) == (None, Rung.MARKET, "control")
    desk.wait(1)
    desk.repeg()
    assert desk.order(symbol).remaining == 0
    assert [child.is_control for child in desk.order(symbol).children] == [True]
    desk.judge()


def test_the_draw_is_journalled_with_the_quote_it_was_made_on(open_desk: OpenDesk) -> None:
    desk = desk_with(open_desk, "buy 20 AAPL", "sell 50 KO")
    desk.place()
    assert desk.journalled("AAPL", "accept") == [("collar 190.36, control arm", "bid 189.40 × ask 189.44")]
    (accepted,) = [e for e in desk.journal.entries if (e.subject, e.rule) == ("AAPL", QUOTE_CHECK)]
    assert accepted.answer is not None
    assert accepted.answer.model_dump()["arm"] == Arm.CONTROL
    assert accepted.inputs["quote"] == desk.order().arrival
    (sent,) = [e for e in desk.journal.entries if (e.subject, e.rule) == ("AAPL", NEXT_ACTION)]
    assert (sent.detail, sent.reason) == (
        "buy 20 @ market",
        "bid 189.40 × ask 189.44, a control order, to the market",
    )


def test_a_treated_order_is_worked_as_usual(open_desk: OpenDesk) -> None:
    desk = desk_with(open_desk, "buy 20 AAPL", share="0.000001")
    desk.place()
    assert (desk.order().arm, limits_sent(desk)) == (Arm.TREATED, [Decimal("189.41")])
    assert desk.journalled("AAPL", "accept") == [("collar 190.36, treated arm", "bid 189.40 × ask 189.44")]


@pytest.mark.parametrize(
    ("order", "settings"),
    [
        ("buy 201 AAPL", {"control_max_notional": "100000"}),
        ("buy 40 AAPL", {}),
        ("buy 20 AAPL", {"control_share": "0"}),
    ],
    ids=["more than displayed", "over the cap", "no share"],
)
def test_an_order_that_takes_no_part_is_worked_as_usual(
    open_desk: OpenDesk, order: str, settings: dict[str, Any]
) -> None:
    desk = open_desk({"AAPL": AAPL})
    desk.begin(order, **{"control_share": "1", **settings})
    desk.place()
    assert (desk.order().arm, limits_sent(desk)) == (None, [Decimal("189.41")])


def test_a_thin_book_holds_a_control_order_like_any_other(open_desk: OpenDesk) -> None:
    desk = open_desk({"AAPL": book(THIN)})
    desk.begin("buy 20 AAPL", control_share="1")
    desk.place()
    assert (desk.posts(), desk.order().held) == (0, "thin")


def test_a_thin_book_holds_a_control_order_that_waits_for_cash(open_desk: OpenDesk) -> None:
    """It has arrived, and its book has become thin by the time that its cash is there."""
    thin = "09:36:10 10 @ 189.40 × 200 @ 189.44"
    sold = book("09:20 500 @ 60.40 × 500 @ 60.43", prints=("09:36:20 200 @ 60.42 bought",))
    desk = open_desk(
        {"AAPL": book("09:20 300 @ 189.40 × 200 @ 189.44", thin), "KO": sold}, opening=holding("0", KO="100")
    )
    desk.begin("buy 20 AAPL", "sell 100 KO", control_share="1", symbols={"KO": {"control_share": "0"}})
    desk.place()
    assert (desk.order().arm, desk.order().held) == (Arm.CONTROL, "waits_for_sells")
    desk.turn_at("09:36:30")
    desk.place()
    assert (desk.bought("KO"), desk.order().held, len(desk.at_broker("AAPL"))) == (Decimal(-100), "thin", 0)


def test_the_kill_switch_stops_a_control_order(open_desk: OpenDesk) -> None:
    desk = desk_with(open_desk, "buy 20 AAPL")
    desk.validate()
    desk.store.set_kill_switch(KillSwitch.HALT_NEW)
    desk.place()
    assert (desk.order().arm, desk.posts()) == (Arm.CONTROL, 0)


def test_a_control_buy_is_granted_what_a_market_order_may_cost(open_desk: OpenDesk) -> None:
    """The cash pays for twenty shares at the collar, 3,807.20, and not at 2.5 % beyond the far side, 3,883.52: a part
    is no control order."""
    desk = desk_with(open_desk, "buy 20 AAPL", cash="3850")
    desk.place()
    (intent,) = desk.store.intents(RUN_ID)
    assert (intent.limit, intent.qty) == (Decimal("189.41"), Decimal(19))
    assert intent.notional <= Decimal(3850)
    desk.judge()


def test_a_control_buy_waits_for_the_sells_that_pay_for_it(open_desk: OpenDesk) -> None:
    desk = desk_with(open_desk, "buy 20 AAPL", "sell 100 KO", cash="100", symbols={"KO": {"control_share": "0"}})
    desk.place()
    assert (desk.order().arm, desk.order().held) == (Arm.CONTROL, "waits_for_sells")
    assert [order.terms.symbol for order in desk.at_broker()] == ["KO"]


def test_a_control_order_is_not_sent_twice(open_desk: OpenDesk) -> None:
    desk = desk_with(open_desk, "buy 20 AAPL")
    desk.place()
    desk.place()
    desk.turn_at("09:37")
    desk.place()
    assert (desk.posts(), desk.bought()) == (1, Decimal(20))


def test_a_control_order_without_an_answer_is_unknown_and_not_sent_again(open_desk: OpenDesk) -> None:
    desk = desk_with(open_desk, "buy 20 AAPL")
    desk.exchange.faults.arm(Fault(kind=Kind.HANG_BEFORE, method="POST", path="/v2/orders"))
    desk.place()
    for time in ("09:37:30", "09:40:00", "09:50:30"):
        desk.turn_at(time)
        desk.place()
    assert (desk.posts(), desk.order().children[-1].state) == (1, ChildState.UNKNOWN)


def test_a_rejected_control_order_is_worked_as_usual(open_desk: OpenDesk) -> None:
    """The far side was empty when it arrived at the market."""
    for policy in ("anchor", "normal"):
        quiet = "09:20 300 @ 189.40 × 200 @ 189.44"
        desk = open_desk({"AAPL": book(quiet, NO_ASK, BACK)}, quirks=SLOW)
        desk.begin("buy 20 AAPL", control_share="1", policy=policy)
        desk.place()
        desk.wait_until("09:36:30")
        desk.repeg()
        desk.place()
        assert limits_sent(desk) == [None, Decimal("189.41")]
        assert desk.order().arm is Arm.CONTROL


def test_a_control_order_without_room_in_the_budget_is_worked_as_usual(open_desk: OpenDesk) -> None:
    desk = desk_with(open_desk, "buy 20 AAPL", max_run_notional="3800")
    desk.place()
    assert (desk.posts(), desk.order().held) == (0, "budget")
    desk.turn_at("09:36:30")
    desk.place()
    assert limits_sent(desk) == [Decimal("189.41")]


@pytest.mark.parametrize("sells", [True, False])
def test_an_order_that_the_cash_pays_for_in_part_is_no_control_order(open_desk: OpenDesk, *, sells: bool) -> None:
    """The cash pays for 12 of 20, and the order stays in the arm that it has drawn."""
    desk = open_desk({"AAPL": AAPL, "KO": KO}, opening=holding("2500", KO="100"))
    orders = ["buy 20 AAPL", "sell all KO"] if sells else ["buy 20 AAPL"]
    symbols = {"KO": {"control_share": "0"}} if sells else {}
    desk.begin(*orders, policy="normal", control_share="1", symbols=symbols)
    desk.place()
    (intent,) = [each for each in desk.store.intents(RUN_ID) if each.symbol == "AAPL"]
    assert (intent.qty < 20, intent.limit, intent.reason == "control") == (True, Decimal("189.41"), False)
    assert (desk.order().arm, desk.order().children[0].is_control) == (Arm.CONTROL, False)
    desk.judge()


def test_a_sell_of_fewer_shares_than_it_was_planned_for_is_no_control_order(open_desk: OpenDesk) -> None:
    desk = desk_with(open_desk, "sell 50 KO")
    desk.broker.line.post("/orders", {"symbol": "KO", "side": "sell", "qty": "70", "type": "market"} | OWNERS)
    desk.wait(1)
    desk.place()
    (intent,) = desk.store.intents(RUN_ID)
    assert (intent.qty, intent.limit is None, intent.reason == "control") == (Decimal(30), False, False)


def test_a_control_sell_is_not_sent_for_the_shares_that_are_still_held(open_desk: OpenDesk) -> None:
    """They were sold between the decision and the intent. What is left is worked as usual at the next look."""
    desk = desk_with(open_desk, "sell 50 KO")
    desk.validate()
    turn = begin_sending_turn(RUN_ID, 1, desk.ports)
    held = Holdings({"KO": Decimal(30)}, desk.runtime.now())
    start_order(turn, desk.order("KO"), desk.ports.market.quotes(["KO"])["KO"], Decimal(50), held=held)
    assert (desk.order("KO").held, desk.posts()) == ("not_held", 0)
    assert desk.journalled("KO", "hold")[-1][1] == "only 30 are still held, too little for an order"


def test_a_control_order_sent_with_a_limit_is_no_market_order(open_desk: OpenDesk) -> None:
    """No cash was granted for more than its collar."""
    desk = desk_with(open_desk, "buy 20 AAPL")
    desk.validate()
    turn = begin_sending_turn(RUN_ID, 1, desk.ports)
    start_order(turn, desk.order(), desk.ports.market.quotes(["AAPL"])["AAPL"], Decimal(20))
    assert limits_sent(desk) == [Decimal("190.36")]
    assert [child.is_control for child in desk.order().children] == [False]


def test_a_market_order_that_takes_no_part_is_no_control_order(open_desk: OpenDesk) -> None:
    desk = desk_with(open_desk, "buy 20 AAPL", policy="market")
    desk.place()
    assert limits_sent(desk) == [None]
    assert [child.is_control for child in desk.order().children] == [False]
