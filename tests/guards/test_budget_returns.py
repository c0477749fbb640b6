"""What an order or a run has reserved and not spent goes back to the budgets when it ends, exactly once."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal

import pytest

from functions.place_orders.app import place_orders
from functions.plan_orders.app import plan_orders
from functions.validate_quotes.app import validate_quotes
from repeg.domain.child_order import ChildState
from repeg.domain.errors import StoreUnavailable
from repeg.domain.limits import BudgetEntry
from repeg.domain.outcome import HoldReason
from repeg.domain.parent_order import ParentOrder
from repeg.domain.store_rules import Spent
from repeg_workbench.exchange.broker.races import Race
from repeg_workbench.twins.memory_store import MemoryStore
from tests.functions.books import KO, QUIET, UP, book
from tests.functions.desk import EXECUTION, RUN_ID, Desk, OpenDesk, a_plan, holding
from tests.functions.scenes import resting

DAY = "day:2026-11-23"
RUN = f"run:{RUN_ID}"
NARROWING = book("09:20 500 @ 60.40 × 500 @ 62.43", "09:37:10 500 @ 60.40 × 500 @ 60.43")
"""Too wide to trade on until 09:37:10."""


def spent(desk: Desk, key: str) -> Spent:
    """What a budget row holds."""
    assert isinstance(desk.store, MemoryStore)
    return desk.store.spent(key)


def place_second(desk: Desk, order: str, **settings: str) -> int:
    """Open, plan and place another plan's run; returns how many of its orders have a child."""
    run_id = desk.open({**a_plan(order), "name": "second"}, execution=f"{EXECUTION}-second", **settings).run_id
    plan_orders(run_id, 1, desk.ports)
    validate_quotes(run_id, 1, desk.ports)
    return place_orders(run_id, 1, 0, desk.ports).placed


def test_a_run_that_bought_nothing_leaves_the_day_to_the_next(open_desk: OpenDesk) -> None:
    desk = open_desk({"AAPL": book(QUIET), "KO": KO})
    desk.begin("buy 40 AAPL", max_day_notional="8000")
    desk.place()
    desk.close()
    assert spent(desk, DAY).notional == 0
    assert place_second(desk, "buy 100 KO", max_day_notional="8000") == 1


def test_a_run_keeps_what_it_bought_in_the_days_budget(open_desk: OpenDesk) -> None:
    desk = resting(open_desk, book(QUIET, prints=("09:36:05 16 @ 189.41 sold",)))
    desk.turn_at("09:36:30")
    desk.close()
    assert (spent(desk, DAY), spent(desk, RUN)) == (Spent(16 * Decimal("189.41"), 1),) * 2


def test_a_closing_step_that_is_repeated_gives_back_nothing_more(open_desk: OpenDesk) -> None:
    desk = resting(open_desk)
    desk.close()
    desk.close()
    desk.sweep()
    assert spent(desk, DAY) == Spent(Decimal(0), 1)


def test_a_swept_run_gives_back_what_it_did_not_spend(open_desk: OpenDesk) -> None:
    desk = resting(open_desk)
    desk.sweep()
    assert spent(desk, DAY) == Spent(Decimal(0), 1)


def test_an_order_cancelled_by_hand_leaves_its_room_to_the_others(open_desk: OpenDesk) -> None:
    desk = open_desk({"AAPL": book(QUIET), "KO": NARROWING})
    desk.begin("buy 40 AAPL", "buy 20 KO", max_day_notional="8000", max_run_notional="9000")
    desk.place()
    desk.broker.line.delete(f"/orders/{desk.at_broker('AAPL')[0].id}")
    desk.turn_at("09:37:30")
    desk.place()
    assert desk.open_at_broker() == ["20 KO @ 60.41"]


def test_room_that_returns_is_used_while_another_buy_waits_for_sells(open_desk: OpenDesk) -> None:
    """KO has no room in the day's budget until AAPL is cancelled by hand; GOOG waits for the sale of MSFT all day."""
    goog, msft = (book(f"09:20 300 @ {bid} × 300 @ {ask}") for bid, ask in (("500.00", "500.10"), ("400.00", "400.10")))
    books = {"AAPL": book(QUIET), "KO": KO, "GOOG": goog, "MSFT": msft}
    desk = open_desk(books, opening=holding("26000", MSFT="100"))
    desk.begin("sell all MSFT", "buy 100 GOOG", "buy 40 AAPL", "buy 100 KO", max_day_notional="50000")
    desk.place()
    assert (desk.order("KO").held, desk.order("GOOG").held) == (HoldReason.BUDGET, HoldReason.WAITS_FOR_SELLS)
    desk.broker.line.delete(f"/orders/{desk.at_broker('AAPL')[0].id}")
    desk.turn_at("09:36:30")
    desk.place()
    assert desk.open_at_broker("KO") == ["100 KO @ 60.41"]


def test_a_place_reserved_for_a_successor_returns_when_the_old_order_fills(open_desk: OpenDesk) -> None:
    """AAPL fills during its cancel: the second of two places in the run is free for KO."""
    desk = open_desk({"AAPL": book(QUIET, UP), "KO": NARROWING})
    desk.begin("buy 40 AAPL", "buy 20 KO", max_run_orders=2)
    desk.place()
    desk.exchange.races.arm(Race.CANCEL_LOSES)
    desk.turn_at("09:36:30")
    assert desk.order().remaining == 0
    assert spent(desk, RUN) == Spent(40 * Decimal("189.41"), 1)
    desk.turn_at("09:37:30")
    desk.place()
    assert desk.open_at_broker() == ["20 KO @ 60.41"]


def test_an_order_moved_by_its_owner_counts_at_its_owners_limit(open_desk: OpenDesk) -> None:
    desk = resting(open_desk)
    desk.broker.line.patch(f"/orders/{desk.at_broker()[0].id}", {"limit_price": "189.20"})
    desk.wait(1)
    desk.turn_at("09:36:30")
    assert desk.order().held is HoldReason.OWNER
    assert spent(desk, DAY).notional == 40 * Decimal("189.20")
    desk.close()
    assert spent(desk, DAY).notional == 40 * Decimal("189.20")


@pytest.mark.parametrize("state", [ChildState.NEVER_ARRIVED, ChildState.LOST])
def test_an_order_that_may_still_arrive_gives_nothing_back(open_desk: OpenDesk, state: ChildState) -> None:
    desk = resting(open_desk)
    order = desk.order()
    child = order.children[0].model_copy(update={"state": state})
    desk.store.save_order(order.with_child(child))
    desk.broker.order = desk.broker.order_by_broker_id = lambda an_id: None  # type: ignore[assignment, method-assign]
    desk.broker.open_orders = list  # type: ignore[method-assign]
    desk.broker.orders_since = lambda day: []  # type: ignore[method-assign]
    desk.close()
    assert spent(desk, DAY).notional == 40 * Decimal("189.41")


def test_a_budget_that_cannot_be_credited_does_not_keep_a_run_open(open_desk: OpenDesk) -> None:
    class Uncredited(MemoryStore):
        """A store whose budget rows cannot be written once the run is closing."""

        def save_order(self, order: ParentOrder, budgets: Sequence[BudgetEntry] = ()) -> ParentOrder:
            """As MemoryStore, without credits."""
            if budgets:
                raise StoreUnavailable("the budget's row is of another type")
            return super().save_order(order)

    desk = open_desk({"AAPL": book(QUIET)}, store=Uncredited())
    desk.begin("buy 40 AAPL")
    desk.place()
    assert desk.close().outcome == "settled"
    assert spent(desk, DAY).notional == 40 * Decimal("189.41")
