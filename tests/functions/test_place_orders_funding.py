"""PlaceOrders and cash: sells are sent before buys, and buys never exceed the available cash."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from functions.open_run.app import open_run
from functions.plan_orders.app import plan_orders
from repeg.domain.broker import Account
from repeg.domain.child_order import ChildState
from repeg.domain.intent import Intent
from repeg.domain.outcome import HoldReason, Outcome
from repeg.domain.parent_order import ParentOrder, ParentState
from repeg_workbench.exchange.faults.transport_faults import Fault, Kind
from repeg_workbench.exchange.triggers import When
from repeg_workbench.exchange.units import qty as shares
from repeg_workbench.twins.memory_store import MemoryStore
from tests.functions.books import AAPL, KO, QUIET, UP, Event, book
from tests.functions.desk import EXECUTION, PREFIX, PROMPT, RUN_ID, Desk, OpenDesk, holding

SHARES_TAKEN = {"code": 40310000, "message": "insufficient qty available for order (requested: 100, available: 0)"}
SHORT_OF_CASH = {"code": 40310000, "message": "insufficient buying power"}
BAD_PRICE = {"code": 42210000, "message": "invalid limit_price 189.41. sub-penny increment"}


def desk_with(open_desk: OpenDesk, *orders: str, cash: str = "100000", **held: str) -> Desk:
    """A run of these orders, planned at 09:36."""
    desk = open_desk({"AAPL": AAPL, "KO": KO}, opening=holding(cash, **held))
    desk.begin(*orders)
    return desk


def refuse(desk: Desk, body: dict[str, Any], times: int = 1, status: int = 403) -> None:
    """Have the broker refuse the next orders with this body."""
    fault = Fault(kind=Kind.ANSWER_BEFORE, method="POST", path="/v2/orders", status=status, body=body)
    desk.exchange.faults.arm(fault, When(times=times))


# Money


def test_sells_are_sent_before_buys(open_desk: OpenDesk) -> None:
    desk = desk_with(open_desk, "buy 40 AAPL", "sell all KO", cash="8000", KO="100")
    desk.place()
    assert [order.terms.symbol for order in desk.at_broker()] == ["KO", "AAPL"]


def test_a_buy_waits_for_its_funding_sells(open_desk: OpenDesk) -> None:
    ko = book("09:30 500 @ 60.40 × 500 @ 60.43", prints=("09:36:20 200 @ 60.42 bought",))
    desk = open_desk({"AAPL": AAPL, "KO": ko}, opening=holding("1000", KO="200"))
    desk.begin("buy 40 AAPL", "sell all KO")
    desk.place()
    assert desk.open_at_broker() == ["200 KO @ 60.42"]
    assert desk.order("AAPL").held == "waits_for_sells"
    desk.wait_until("09:36:30")
    assert desk.repeg().decision == "validate"
    desk.place()
    assert desk.open_at_broker() == ["40 AAPL @ 189.41"]
    assert desk.bought("KO") == -200
    desk.judge()


def test_a_buy_no_longer_waits_for_sells_near_the_close(open_desk: OpenDesk) -> None:
    books = {
        "AAPL": book("15:30 300 @ 189.40 × 200 @ 189.44", until="15:58"),
        "KO": book("15:30 500 @ 60.40 × 500 @ 60.43", until="15:58"),
    }
    desk = open_desk(books, at="15:45", opening=holding("1000", KO="200"))
    desk.begin("buy 40 AAPL", "sell all KO")
    desk.place()
    assert desk.order("AAPL").held == "waits_for_sells"
    desk.wait_until("15:54:10")
    desk.place()
    assert desk.open_at_broker("AAPL") == ["5 AAPL @ 190.36"]


def test_a_buy_needs_cash_for_its_collar_and_not_its_limit(open_desk: OpenDesk) -> None:
    """40 shares cost 7,576.40 at 189.41 and 7,614.40 at the collar of 190.36, which must be available."""
    enough = desk_with(open_desk, "buy 40 AAPL", cash="7614.40")
    enough.place()
    assert enough.open_at_broker() == ["40 AAPL @ 189.41"]
    short = desk_with(open_desk, "buy 40 AAPL", cash="7614.39")
    short.place()
    assert short.open_at_broker() == ["39 AAPL @ 189.41"]


def test_a_buy_without_sells_is_scaled_to_the_cash(open_desk: OpenDesk) -> None:
    desk = desk_with(open_desk, "buy 40 AAPL", cash="5000")
    desk.place()
    assert desk.open_at_broker() == ["26 AAPL @ 189.41"]
    assert desk.journalled("AAPL", "scale") == [("40 → 26", "5000.00 to spend")]


def test_a_scaled_buy_keeps_its_quantity_when_it_moves(open_desk: OpenDesk) -> None:
    """The account has margin, so the broker would accept all 40 shares on borrowed money."""
    borrower = replace(holding("5000"), multiplier=2)
    desk = open_desk({"AAPL": book(QUIET, UP)}, opening=borrower)
    desk.begin("buy 40 AAPL")
    desk.place()
    assert desk.open_at_broker() == ["26 AAPL @ 189.41"]
    desk.turn_at("09:36:30")
    assert desk.open_at_broker() == ["26 AAPL @ 189.66"]
    desk.judge()


def test_a_buy_without_cash_for_one_share_ends_unfunded(open_desk: OpenDesk) -> None:
    desk = desk_with(open_desk, "buy 40 AAPL", cash="190.35")
    desk.place()
    assert (desk.order().outcome, desk.order().reason) == (Outcome.UNFUNDED, "no cash for a share: 190.35 to spend")
    assert desk.posts() == 0


def test_the_last_cent_is_spent_near_the_close(open_desk: OpenDesk) -> None:
    """39.5 shares cost 7,519.22 at the collar, where they are sent."""
    late = book("15:30 300 @ 189.40 × 200 @ 189.44", until="15:58")
    desk = open_desk({"AAPL": late}, at="15:45", opening=holding("7519.22"))
    desk.begin("buy 39.5 AAPL")
    desk.wait_until("15:54:10")
    desk.place()
    assert desk.order("AAPL").children[0].qty == Decimal("39.5")


def test_a_buy_without_cash_waits_while_another_order_may_bring_some(open_desk: OpenDesk) -> None:
    """Near the close no buy counts on the sells, but the one that rests may still fill."""
    books = {
        "AAPL": book("15:30 300 @ 189.40 × 200 @ 189.44", until="15:58"),
        "KO": book("15:30 500 @ 60.40 × 500 @ 60.43", until="15:58"),
    }
    desk = open_desk(books, at="15:45", opening=holding("100", KO="200"))
    desk.begin("buy 40 AAPL", "sell all KO")
    desk.place()
    desk.wait_until("15:54:10")
    desk.place()
    assert (desk.order("AAPL").outcome, desk.order("AAPL").held) == (None, HoldReason.UNFUNDED)
    assert desk.journalled("AAPL", "hold")[-1] == ("", "no cash yet, 100.00 to spend")


def test_a_buy_is_not_given_up_beside_a_sell_of_its_step(open_desk: OpenDesk) -> None:
    """The sell's book is wide until a minute before the end. It is sent in the same step and filled 1.5 s later."""
    ko = book("15:40 500 @ 58.40 × 500 @ 62.43", "15:54:01 500 @ 60.40 × 500 @ 60.43", until="15:59")
    books = {"AAPL": book("15:40 300 @ 189.40 × 200 @ 189.44", until="15:59"), "KO": ko}
    slow = replace(PROMPT, ack_delay=(1_500, 1_500))
    desk = open_desk(books, opening=holding("100", KO="200"), at="15:50", quirks=slow)
    desk.begin("buy 40 AAPL", "sell all KO", policy="normal")
    for time in ("15:53", "15:53:30", "15:54:02"):
        desk.turn_at(time)
        desk.place()
    assert len(desk.open_at_broker("KO")) == 1
    for time in ("15:54:04", "15:54:08", "15:54:30"):
        if desk.turn_at(time).decision == "validate":
            desk.place()
    assert (desk.bought("KO"), desk.bought("AAPL")) == (Decimal(-200), Decimal(40))


def test_a_buy_without_cash_waits_while_another_buy_is_sent(open_desk: OpenDesk) -> None:
    """The cash pays for one AAPL, and what is left for no KO; AAPL may cost less than its collar."""
    desk = desk_with(open_desk, "buy 1 AAPL", "buy 1 KO", cash="220.36")
    desk.place()
    assert desk.open_at_broker() == ["1 AAPL @ 189.41"]
    assert (desk.order("KO").outcome, desk.order("KO").held) == (None, HoldReason.UNFUNDED)
    assert desk.journalled("run", "release") == [("1 of 2 buys", "220.36 to spend")]


def test_the_largest_buy_is_funded_first(open_desk: OpenDesk) -> None:
    desk = desk_with(open_desk, "buy 10 KO", "buy 40 AAPL", cash="8000")
    desk.place()
    left = 8000 - 40 * Decimal("190.36")
    assert desk.open_at_broker() == ["40 AAPL @ 189.41", f"{left // Decimal('60.71')} KO @ 60.41"]
    desk.judge()


def test_cash_up_to_an_open_buys_collar_is_reserved(open_desk: OpenDesk) -> None:
    """The broker reserves a working buy's limit price; another 38 dollars up to its collar are reserved here."""
    ko = book("09:30 500 @ 59.00 × 500 @ 60.43", "09:36:10 500 @ 60.40 × 500 @ 60.43")
    desk = open_desk({"AAPL": AAPL, "KO": ko}, opening=holding(str(40 * Decimal("189.41") + 10 * Decimal("60.71"))))
    desk.begin("buy 40 AAPL", "buy 10 KO")
    desk.place()
    desk.wait_until("09:36:12")
    desk.place()
    assert desk.open_at_broker() == ["40 AAPL @ 189.41", "9 KO @ 60.41"]


def test_the_cash_reserve_of_a_weights_plan_is_not_spent(open_desk: OpenDesk) -> None:
    """31 shares were planned at 189.42; three percent higher they cost 6,079, and 6,000 are not reserved."""
    rising = book("09:30 300 @ 189.40 × 200 @ 189.44", "09:36:10 300 @ 195.08 × 200 @ 195.12")
    desk = open_desk({"AAPL": rising}, opening=holding("10000"))
    plan = {"name": "core", "targets": {"AAPL": "0.6"}, "cash_reserve": "0.4"}
    open_run({"plan": plan}, EXECUTION, {}, desk.ports)
    plan_orders(RUN_ID, 1, desk.ports)
    assert desk.order().target == 31
    desk.wait_until("09:36:12")
    desk.place()
    assert desk.open_at_broker() == ["30 AAPL @ 195.09"]


def test_a_full_exit_sends_the_exact_fractional_quantity(open_desk: OpenDesk) -> None:
    desk = desk_with(open_desk, "sell all KO", KO="7.227358")
    desk.place()
    (order,) = desk.at_broker()
    assert shares(order.quantity or 0) == Decimal("7.227358")


# Refusals


def test_a_buy_refused_for_cash_waits_and_is_sent_under_the_next_id(open_desk: OpenDesk) -> None:
    desk = desk_with(open_desk, "buy 40 AAPL")
    refuse(desk, SHORT_OF_CASH)
    assert desk.place().placed == 0
    order = desk.order()
    assert (order.state, order.held, order.children[0].state) == (ParentState.WAITING, "unfunded", ChildState.REFUSED)
    desk.place()
    assert desk.posts() == 1  # the next attempt waits
    desk.wait(30)
    desk.place()
    assert [order.client_order_id for order in desk.at_broker()] == [f"{PREFIX}AAPL.b.2"]
    desk.judge()


def test_a_sell_refused_for_reserved_shares_waits_and_is_sent_again(open_desk: OpenDesk) -> None:
    desk = desk_with(open_desk, "sell all KO", KO="100")
    refuse(desk, SHARES_TAKEN)
    desk.place()
    assert (desk.order("KO").outcome, desk.order("KO").held) == (None, HoldReason.SHARES)
    desk.wait(30)
    desk.place()
    assert desk.open_at_broker() == ["100 KO @ 60.42"]


@pytest.mark.parametrize(
    ("refused_at", "refusals", "retried_at"),
    [
        ("15:30:00", 0, "15:30:30"),
        ("15:30:00", 1, "15:31:00"),
        ("15:53:00", 5, "15:54:20"),  # not after ten minutes, but in the window's last turn
        ("15:54:20", 5, "16:04:20"),  # which is this one
        ("15:54:25", 0, "15:54:55"),
    ],
)
def test_a_refused_order_is_tried_again_in_time_for_the_last_turn(
    open_desk: OpenDesk, refused_at: str, refusals: int, retried_at: str
) -> None:
    desk = open_desk({"AAPL": book("15:20 300 @ 189.40 × 200 @ 189.44", until="15:58")}, at="15:25")
    desk.begin("buy 40 AAPL")
    desk.store.save_order(desk.order().model_copy(update={"refusals": refusals}))
    refuse(desk, SHORT_OF_CASH)
    desk.wait_until(refused_at)
    desk.place()
    assert desk.order().retry_at == datetime.fromisoformat(f"2026-11-23T{retried_at}-05:00")


def test_a_refusal_that_will_not_pass_counts_as_an_attempt(open_desk: OpenDesk) -> None:
    desk = desk_with(open_desk, "buy 40 AAPL")
    refuse(desk, BAD_PRICE, status=422)
    desk.place()
    assert [(child.may_pass, child.state) for child in desk.order().children] == [(False, ChildState.REFUSED)]
    assert (desk.order().attempts, desk.order().rejections) == (1, 1)


def test_a_buy_is_not_sent_once_its_run_has_lost_the_funding_lease(open_desk: OpenDesk) -> None:
    """The lease has passed to another run between the reading of the cash and the intent."""
    desk = open_desk({"AAPL": AAPL}, store=LosingLease())
    desk.begin("buy 40 AAPL")
    desk.place()
    assert (desk.posts(), desk.order().children) == (0, ())
    told = [entry.reason for entry in desk.journal.entries]
    assert any("the funding lease is held by another, not by core-2026-11-23" in reason for reason in told), told


class LosingLease(MemoryStore):
    """A store in which another run takes the funding lease before each intent."""

    def write_intent(self, order: ParentOrder, intent: Intent, *rest: Any) -> ParentOrder:
        self.release_funding(order.run_id)
        self.acquire_funding("another", intent.decided_at, intent.decided_at + timedelta(seconds=60))
        return super().write_intent(order, intent, *rest)


def test_an_order_is_rejected_after_the_third_refusal(open_desk: OpenDesk) -> None:
    desk = desk_with(open_desk, "buy 40 AAPL")
    refuse(desk, BAD_PRICE, times=9, status=422)
    for _ in range(5):
        desk.place()
    assert (desk.order().outcome, desk.posts()) == (Outcome.REJECTED, 3)
    assert "sub-penny" in desk.order().reason


def test_refusals_that_have_passed_do_not_end_an_order(open_desk: OpenDesk) -> None:
    """Each is followed by a piece that is accepted and filled."""
    prints = tuple(f"09:{minute}:10 100 @ 20.01 sold" for minute in range(36, 44))
    desk = open_desk({"BAA": book("09:20 100 @ 20.00 × 900 @ 20.05", prints=prints)}, opening=holding("1000000"))
    desk.begin("buy 1000 BAA", policy="patient", escalation="mid")
    for minute in range(36, 44):
        desk.wait_until(f"09:{minute}:00")
        if minute % 2:
            refuse(desk, BAD_PRICE, times=1, status=422)
            desk.place()
        desk.place()
        desk.wait(15)
        desk.repeg()
    refused = [child for child in desk.order("BAA").children if child.state is ChildState.REFUSED]
    assert (len(refused), desk.order("BAA").outcome, desk.bought("BAA")) == (4, None, Decimal(800))


# Previews


def test_a_previews_sells_fund_its_buys(open_desk: OpenDesk) -> None:
    """200 KO at their collar of 60.12 raise 12,024 dollars; 40 AAPL at 190.36 need 7,614.40."""
    desk = preview(open_desk, "buy 40 AAPL", "sell all KO", cash="1000", KO="200")
    desk.place()
    desk.turn_at("09:36:30")
    desk.place()
    assert desk.journalled("run", "release")[-1] == ("1 of 1 buys", "13024.00 to spend")
    assert desk.journalled("AAPL", "place")[0][0] == "buy 40 @ 189.41"
    assert desk.journalled("AAPL", "scale") == []
    assert desk.posts() == 0


def test_a_preview_spends_no_cash_twice(open_desk: OpenDesk) -> None:
    """AAPL takes all cash; KO, whose book narrows later, finds none left."""
    late = book("09:20 500 @ 60.40 × 500 @ 63.43", "09:36:10 500 @ 60.40 × 500 @ 60.43")
    desk = preview(open_desk, "buy 40 AAPL", "buy 10 KO", cash="7620", ko=late)
    desk.place()
    desk.turn_at("09:36:30")
    desk.place()
    assert [desk.order(symbol).outcome for symbol in ("AAPL", "KO")] == [Outcome.PREVIEW, Outcome.UNFUNDED]


def preview(open_desk: OpenDesk, *orders: str, cash: str, ko: list[Event] = KO, **held: str) -> Desk:
    desk = open_desk({"AAPL": AAPL, "KO": ko}, opening=holding(cash, **held))
    desk.preview(*orders)
    return desk


# Balances that lag behind the orders


def lagging(desk: Desk, seconds: float) -> None:
    """The account as the broker shows it is that much older than its orders, or as old as now."""
    read = desk.broker.account
    seen = [(desk.runtime.now(), read())]

    def account() -> Account:
        seen.append((desk.runtime.now(), read()))
        old = [each for at, each in seen if (desk.runtime.now() - at).total_seconds() >= seconds]
        return old[-1] if old else seen[0][1]

    desk.broker.account = account  # type: ignore[method-assign]


def test_cash_that_was_just_spent_is_not_granted_again(open_desk: OpenDesk) -> None:
    """A take at placement has filled. Two seconds later the balance still has its cash, on a margin account."""
    tight = {
        "AAPL": book("09:20 300 @ 189.33 × 300 @ 189.41", "09:40:00 300 @ 189.40 × 300 @ 189.41", until="09:50"),
        "KO": book("09:20 500 @ 60.36 × 500 @ 60.43", "09:40:00 500 @ 60.42 × 500 @ 60.43", until="09:50"),
    }
    desk = open_desk(tight, at="09:39", opening=replace(holding("7650"), multiplier=4))
    desk.begin("buy 40 AAPL", "buy 120 KO", policy="normal")
    desk.wait_until("09:40:01")
    lagging(desk, 2.2)
    desk.place()
    desk.wait_until("09:40:03")
    desk.repeg()
    desk.place()
    assert (desk.order("AAPL").outcome, desk.order("KO").outcome) == (Outcome.FILLED, None)
    assert (desk.posts(), desk.order("KO").held) == (1, HoldReason.UNFUNDED)
    desk.wait_until("09:40:33")
    desk.place()
    (bought,) = desk.at_broker("KO")
    assert shares(bought.terms.quantity or 0) == 1
    desk.judge()
