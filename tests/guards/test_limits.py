"""Limits on orders and runs, enforced at the start or in the transaction that writes the intent."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from repeg.domain.child_order import ChildState
from repeg.domain.errors import RefusedRun
from repeg.domain.outcome import Outcome
from repeg_workbench.exchange.units import price
from repeg_workbench.twins.memory_store import MemoryStore
from tests.builders import MONDAY, a_child
from tests.functions.books import AAPL, KO, QUIET, UP, book
from tests.functions.desk import RUN_ID, Desk, OpenDesk, a_plan
from tests.functions.scenes import resting

CLIMBING = book(
    QUIET,
    "09:36:10 300 @ 189.65 × 200 @ 189.69",
    "09:36:40 300 @ 189.90 × 200 @ 189.94",
    "09:37:10 300 @ 190.15 × 200 @ 190.19",
    "09:37:40 300 @ 191.40 × 200 @ 191.44",
)
TURNS = ("09:36:30", "09:37:00", "09:37:30", "09:38:00", "09:38:30")


@pytest.mark.parametrize(
    ("settings", "says"),
    [
        ({"max_order_notional": "7576.79"}, r"buy AAPL is worth 7576\.80; max_order_notional is 7576\.79"),
        ({"symbols": {"AAPL": {"max_order_notional": "7000"}}}, "max_order_notional is 7000"),
        ({"max_run_notional": "8180.94"}, r"the run is worth 8180\.95; max_run_notional is 8180\.94"),
        ({"allowed_symbols": ["KO", "MSFT"]}, "AAPL is not among allowed_symbols: KO, MSFT"),
    ],
)
def test_a_run_over_a_limit_is_refused_before_the_claim(
    open_desk: OpenDesk, settings: dict[str, Any], says: str
) -> None:
    desk = open_desk({"AAPL": AAPL, "KO": KO})
    with pytest.raises(RefusedRun, match=says):
        desk.open(a_plan("buy 40 AAPL", "buy 10 KO"), **settings)
    assert desk.store.guards_on(MONDAY) == []


def test_a_run_exactly_at_its_limits_trades(open_desk: OpenDesk) -> None:
    desk = open_desk({"AAPL": AAPL, "KO": KO})
    desk.begin(
        "buy 40 AAPL", "buy 10 KO",
        max_order_notional="7576.80", max_run_notional="8180.95", max_day_notional="8180.50", max_run_orders=2,
        max_attempts=1, max_repegs=0, escalation="none", allowed_symbols="AAPL,KO",
    )  # fmt: skip
    assert desk.place().placed == 2


def climb(desk: Desk) -> None:
    """Five turns in a market that moves away from the order."""
    for time in TURNS:
        desk.turn_at(time)
        desk.place()


def test_a_move_above_the_runs_notional_limit_is_not_sent(open_desk: OpenDesk) -> None:
    """Planned at 7,576.80 under a limit of 7,590: 189.66 for 40 fits, 189.91 does not."""
    desk = resting(open_desk, CLIMBING, max_run_notional="7590")
    climb(desk)
    limits = [price(order.terms.limit or 0) for order in desk.at_broker()]
    assert limits == [Decimal("189.41"), Decimal("189.66")]
    assert any("budget run:core-2026-11-23" in reason for _, reason in desk.journalled("AAPL", "hold"))
    desk.close()
    assert desk.row()["outcome"] == "partial_deadline"
    desk.judge()


def test_a_cancelled_order_credits_its_notional_to_the_budget(open_desk: OpenDesk) -> None:
    """Otherwise each move would be debited again for the same shares."""
    desk = resting(open_desk, CLIMBING, max_run_notional="7616", max_day_notional="7616", max_slippage_bps="40")
    climb(desk)
    limits = [price(order.terms.limit or 0) for order in desk.at_broker()]
    assert limits == [Decimal("189.41"), Decimal("189.66"), Decimal("189.91"), Decimal("190.16"), Decimal("190.17")]
    assert isinstance(desk.store, MemoryStore)
    spent = desk.store.spent(f"run:{RUN_ID}")
    assert (spent.notional, spent.orders) == (40 * Decimal("190.17"), 5)


def test_a_filled_quantity_stays_debited(open_desk: OpenDesk) -> None:
    desk = resting(open_desk, book(QUIET, UP, prints=("09:36:05 16 @ 189.41 sold",)))
    desk.turn_at("09:36:30")
    assert isinstance(desk.store, MemoryStore)
    assert desk.store.spent("day:2026-11-23").notional == 16 * Decimal("189.41") + 24 * Decimal("189.66")


def test_a_run_sends_at_most_max_run_orders(open_desk: OpenDesk) -> None:
    desk = resting(open_desk, CLIMBING, max_run_orders=2)
    climb(desk)
    assert (len(desk.at_broker()), desk.posts()) == (2, 2)
    assert any("2 orders of 2 are committed" in reason for _, reason in desk.journalled("AAPL", "hold"))
    desk.judge()


def test_an_order_out_of_attempts_rests_unmoved_until_the_close(open_desk: OpenDesk) -> None:
    desk = resting(open_desk, CLIMBING, max_attempts=3, max_repegs=2, escalation="none")
    climb(desk)
    assert len(desk.at_broker()) == 3
    assert desk.open_at_broker() == ["40 AAPL @ 189.91"]
    assert desk.journalled("AAPL", "hold")[-1] == ("189.91", "3 orders were sent, and no more may be; this one stays")
    desk.close()
    assert (desk.row()["outcome"], desk.row()["reason"]) == ("partial_deadline", "0 of 40: attempts exhausted")
    desk.judge()


def test_an_order_out_of_attempts_without_an_open_one_ends(open_desk: OpenDesk) -> None:
    desk = open_desk({"AAPL": book(QUIET)})
    desk.begin("buy 40 AAPL", max_attempts=3, max_repegs=2, escalation="none")
    for n in (1, 2, 3):
        expired = a_child("189.41", qty="40", state=ChildState.EXPIRED, n=n)
        desk.store.save_order(desk.order().with_child(expired))
    assert desk.place().placed == 0
    assert (desk.order().outcome, desk.order().reason) == (Outcome.PARTIAL_DEADLINE, "0 of 40: attempts exhausted")
    assert desk.posts() == 0


@pytest.mark.parametrize("bps", ["0", "5", "15", "50"])
def test_no_limit_price_is_beyond_the_collar(open_desk: OpenDesk, bps: str) -> None:
    desk = open_desk({"AAPL": CLIMBING})
    desk.begin("buy 40 AAPL", max_slippage_bps=bps, patience_seconds=60)
    desk.place()
    climb(desk)
    worst = Decimal("189.42") * (1 + Decimal(bps) / 10_000)
    assert desk.at_broker()
    assert max(price(order.terms.limit or 0) for order in desk.at_broker()) <= worst
    desk.judge()
