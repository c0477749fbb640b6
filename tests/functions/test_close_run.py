"""CloseRun: no open orders remain, each order has an outcome, records match the broker's fills, one event is sent."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest

from repeg.adapters.alpaca.parsing import state_of
from repeg.adapters.eventbridge import EventsUnavailable
from repeg.domain.child_order import ChildState
from repeg.domain.errors import BrokerUnavailable, Conflict, StillOpen
from repeg.domain.outcome import Outcome
from repeg.domain.run import KillSwitch, RunState
from repeg.domain.steps import RunClosed
from repeg.ports import Notifier
from repeg_workbench.exchange.broker.races import Race
from repeg_workbench.exchange.faults.transport_faults import Fault, Kind
from tests.functions.books import QUIET, UP, book
from tests.functions.desk import PREFIX, RUN_ID, Desk, OpenDesk
from tests.functions.scenes import half_filled, resting
from tests.simulation import judge

# Cancel, confirm, reconcile


def test_closing_cancels_open_orders_and_books_fills(open_desk: OpenDesk) -> None:
    desk = half_filled(open_desk)
    assert desk.close() == RunClosed(outcome="settled", error="", reason="every order has an outcome")
    judge.nothing_of_ours_is_open(desk.exchange)
    desk.judge()
    assert [execution.qty for execution in desk.store.executions(RUN_ID)] == [15]
    assert desk.run.state is RunState.CLOSED


def test_each_order_is_reported_with_an_outcome_and_a_reason(open_desk: OpenDesk) -> None:
    desk = half_filled(open_desk)
    desk.close()
    rows = {row["symbol"]: (row["outcome"], row["reason"]) for row in desk.report["orders"]}
    assert rows == {
        "AAPL": ("partial_deadline", "15 of 40: the window closed"),
        "KO": ("partial_deadline", "0 of 100: the window closed"),
    }


def test_the_report_has_the_documented_fields_and_exact_numbers(open_desk: OpenDesk) -> None:
    desk = half_filled(open_desk)
    desk.repeg()
    desk.close()
    assert desk.row("AAPL") == {
        "symbol": "AAPL", "side": "buy", "qty": "40", "filled_qty": "15", "average_price": "189.41",
        "arrival_mid": "189.42", "cost_bps": "-0.53", "cost_half_spreads": "-0.5", "moves": 0, "children": 1,
        "outcome": "partial_deadline", "reason": "15 of 40: the window closed",
        "seconds_to_fill": "10", "spread_captured": "0.75", "last_mid": "189.42", "unfilled_cost": "0",
        "unfilled_cost_bps": "0",
        "note": "", "uncosted": "",
        # 15 bought a cent below the mid of a book of 4 cents, which has not moved since.
        "shortfall": {
            "worth": "7576.8", "dollars": "-0.15", "bps": "-0.2", "delay": "0", "timing": "0", "spread": "-0.15",
            "unsplit": "0", "opportunity": "0", "quoted": "0.3", "half_spreads": "0.5", "decision_mid": "189.42",
            "half_spread": "0.02", "missing": "",
        },
        "markouts": [
            {"horizon": name, "bps": None, "dollars": None, "shares": "0", "missing": "15",
             "why": "1 fill: not measured yet"}
            for name in ("1s", "1min", "5min", "30min", "close")
        ],
    }  # fmt: skip
    assert set(desk.report) >= {"run_id", "outcome", "reason", "orders", "totals"}
    assert desk.report["totals"] == {
        "orders": 2, "orders_filled": 0, "filled_notional": "2841.15", "cost_bps": "-0.53", "market_cost_bps": "1.06",
        "executions": 1, "unfilled_cost": "0", "turns": 1, "crossing_cost": "1",
    }  # fmt: skip


def test_repeated_closing_publishes_one_event(open_desk: OpenDesk) -> None:
    desk = half_filled(open_desk)
    first, report = desk.close(), desk.report
    sent = len(desk.broker.line.sent)
    assert desk.close() == first
    assert (desk.report, len(desk.broker.line.sent)) == (report, sent)
    assert [kind for kind, _ in desk.notifier.published] == ["repeg.run.settled"]


def test_unfilled_shares_are_valued_at_the_closing_quotes(open_desk: OpenDesk) -> None:
    """25 of 40 at 189.67 instead of 189.42."""
    desk = resting(open_desk, book(QUIET, UP, prints=("09:36:05 15 @ 189.41 sold",)))
    desk.wait_until("09:36:20")
    desk.close()
    assert (desk.row()["last_mid"], desk.row()["unfilled_cost"]) == ("189.67", "6.25")
    assert desk.report["totals"]["unfilled_cost"] == "6.25"


def test_a_missing_feed_only_leaves_the_unfilled_cost_empty(open_desk: OpenDesk) -> None:
    desk = half_filled(open_desk)
    desk.exchange.faults.arm(Fault(kind=Kind.ANSWER_BEFORE, path="/v2/stocks/quotes/latest", status=503))
    assert desk.close().outcome == "settled"
    assert (desk.row()["last_mid"], desk.row()["unfilled_cost"]) == (None, None)
    judge.nothing_of_ours_is_open(desk.exchange)


class FailingOnceNotifier:
    """An event bus that fails on the first event, either before or after accepting it."""

    def __init__(self, inner: Notifier, *, accepts: bool) -> None:
        self._inner, self._accepts, self._is_first = inner, accepts, True

    def publish(self, kind: str, detail: dict[str, Any]) -> None:
        was_first, self._is_first = self._is_first, False
        if self._accepts or not was_first:
            self._inner.publish(kind, detail)
        if was_first:
            raise EventsUnavailable(kind)


@pytest.mark.parametrize(("accepts", "published"), [(False, 1), (True, 2)])
def test_a_failed_event_is_published_again_under_the_same_id(
    open_desk: OpenDesk, accepts: bool, published: int
) -> None:
    desk = half_filled(open_desk)
    desk.ports = replace(desk.ports, notifier=FailingOnceNotifier(desk.notifier, accepts=accepts))
    with pytest.raises(EventsUnavailable):
        desk.close()
    assert desk.run.state is RunState.CLOSED
    sent = len(desk.broker.line.sent)
    for _ in range(2):
        assert desk.close().outcome == "settled"
    assert len(desk.broker.line.sent) == sent
    assert [kind for kind, _ in desk.notifier.published] == ["repeg.run.settled"] * published
    assert {detail["event_id"] for _, detail in desk.notifier.published} == {f"{RUN_ID}.ended"}


def test_concurrent_closings_publish_one_event(open_desk: OpenDesk) -> None:
    desk = half_filled(open_desk)
    desk.broker.line.seconds = 0.02

    def close() -> str:
        try:
            return str(desk.close().outcome)
        except (Conflict, StillOpen) as error:
            return type(error).__name__

    closings = [desk.scheduler.spawn(close) for _ in range(2)]
    desk.wait(60)
    assert "settled" in [closing.result() for closing in closings]
    assert desk.close().outcome == "settled"
    assert [kind for kind, _ in desk.notifier.published] == ["repeg.run.settled"]
    judge.nothing_of_ours_is_open(desk.exchange)


def test_a_fill_before_the_closing_cancel_is_reported(open_desk: OpenDesk) -> None:
    desk = half_filled(open_desk)
    desk.exchange.races.arm(Race.CANCEL_LOSES, symbol="AAPL")
    desk.close()
    assert (desk.row()["filled_qty"], desk.row()["outcome"]) == ("40", "filled")
    desk.judge()


def test_a_fill_reported_after_a_cancel_is_counted(open_desk: OpenDesk) -> None:
    """The broker corrects an order that is stored as cancelled: a fill counts whenever it is reported."""
    desk = half_filled(open_desk)
    order = desk.order("KO")
    assert order.child is not None
    late = order.child.model_copy(update={"state": ChildState.CANCELED})
    filled = late.after(_report(desk, "KO", status="filled", filled="100"))
    assert (filled.state, filled.filled) == (ChildState.FILLED, Decimal(100))


def test_an_unconfirmed_cancel_keeps_the_run_closing(open_desk: OpenDesk) -> None:
    desk = half_filled(open_desk)
    desk.exchange.races.arm(Race.CANCEL_STUCK, symbol="AAPL", seconds=30)
    with pytest.raises(StillOpen, match=f"{PREFIX}AAPL.b.1"):
        desk.close()
    assert desk.run.state is RunState.CLOSING
    assert desk.notifier.published == []
    assert desk.journalled("AAPL", "hold") == [("", "cancel not confirmed yet")]
    assert desk.journalled("KO", "hold") == []
    desk.wait(40)
    assert desk.close().outcome == "settled"
    assert [kind for kind, _ in desk.notifier.published] == ["repeg.run.settled"]
    judge.nothing_of_ours_is_open(desk.exchange)


def test_a_closing_run_places_no_order(open_desk: OpenDesk) -> None:
    desk = half_filled(open_desk)
    desk.exchange.races.arm(Race.CANCEL_STUCK, symbol="AAPL", seconds=30)
    with pytest.raises(StillOpen):
        desk.close()
    with pytest.raises(Exception, match="is closing"):
        desk.place()
    assert desk.posts() == 2


@pytest.mark.parametrize("path", ["/v2/clock", "/v2/orders", "/v2/account/activities/FILL"])
def test_closing_can_be_retried_after_a_broker_error(open_desk: OpenDesk, path: str) -> None:
    desk = half_filled(open_desk)
    desk.exchange.faults.arm(Fault(kind=Kind.ANSWER_BEFORE, method="GET", path=path, status=503))
    with pytest.raises(BrokerUnavailable):
        desk.close()
    assert desk.close().outcome == "settled"
    judge.nothing_of_ours_is_open(desk.exchange)
    desk.judge()


# Outcomes of orders


def test_the_kill_switch_is_reported_as_the_orders_outcome(open_desk: OpenDesk) -> None:
    desk = half_filled(open_desk)
    desk.store.set_kill_switch(KillSwitch.CANCEL_ALL)
    assert desk.close().outcome == "settled"
    assert {row["outcome"] for row in desk.report["orders"]} == {"killed"}


@pytest.mark.parametrize(
    ("changes", "outcome"),
    [
        ("09:20 300 @ 189.00 × 200 @ 189.48", Outcome.HELD_WIDE),
        ("09:20 99 @ 189.40 × 200 @ 189.44", Outcome.HELD_THIN),
        ("09:20 300 @ 189.44 × 200 @ 189.44", Outcome.HELD_STALE),
    ],
)
def test_an_order_on_hold_until_the_close_reports_its_hold(open_desk: OpenDesk, changes: str, outcome: Outcome) -> None:
    desk = open_desk({"AAPL": book(changes)})
    desk.begin("buy 40 AAPL")
    desk.place()
    assert desk.close().outcome == "settled"
    assert (desk.row()["outcome"], desk.row()["children"]) == (outcome, 0)


def test_an_order_unfilled_at_its_collar_is_reported_as_such(open_desk: OpenDesk) -> None:
    desk = open_desk({"AAPL": book(QUIET, UP)})
    desk.begin("buy 40 AAPL", max_slippage_bps="1")
    desk.place()
    desk.wait_until("09:36:30")
    desk.repeg()
    desk.wait_until("09:37:00")
    desk.repeg()
    desk.close()
    assert desk.row()["outcome"] == "no_fill_collar"


def _report(desk: Desk, symbol: str, *, status: str, filled: str) -> Any:
    report = desk.broker.order(f"{PREFIX}{symbol}.s.1")
    assert report is not None
    return report.model_copy(update={"status": status, "state": state_of(status), "filled_qty": Decimal(filled)})
