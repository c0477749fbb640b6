"""The costs of a run: its decision prices, and the books that the watchdog reads after the session."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from functions.watch_runs.app import watch_runs
from repeg.domain.errors import StoreUnavailable
from repeg.domain.run_health import Finding
from repeg_workbench.exchange.faults.transport_faults import Fault, Kind
from repeg_workbench.exchange.triggers import When
from tests.functions.books import KO, QUIET, book
from tests.functions.desk import RUN_ID, Desk, OpenDesk, holding
from tests.functions.scenes import resting

# 15 of 40 fill at 09:50 at 189.41; a minute later the book is ten cents higher.
ALL_DAY = book(QUIET, "09:50:40 300 @ 189.50 × 200 @ 189.54", prints=("09:50:00 15 @ 189.41 sold",), until="16:00")
HISTORY = "/v2/stocks/quotes"


def closed(open_desk: OpenDesk) -> Desk:
    """The run, closed at five to four, after which the watchdog measures it."""
    desk = resting(open_desk, ALL_DAY)
    desk.wait_until("15:55")
    desk.close()
    return desk


def deny_history(desk: Desk, status: int) -> None:
    """The feed has no quotes of the past until the faults are disarmed."""
    desk.exchange.faults.arm(Fault(kind=Kind.ANSWER_BEFORE, path=HISTORY, status=status), When(times=None))


def watched_at(desk: Desk, time: str) -> tuple[str, bool]:
    """The feed of the costs after a pass of the watchdog, and whether the run is reconciled."""
    desk.wait_until(time)
    assert desk.watch() == []
    guard = desk.store.guard(RUN_ID)
    assert guard is not None
    return desk.report["costs"]["books"], guard.is_reconciled


def markouts(desk: Desk) -> dict[str, Any]:
    """The basis points of the order's markouts, or why they are missing."""
    return {each["horizon"]: each["bps"] or each["why"] for each in desk.row()["markouts"]}


def test_the_watchdog_measures_a_run_when_its_books_are_final(open_desk: OpenDesk) -> None:
    """0.01 below the mid is 0.53 bps, and a mid 0.11 above the fill 5.81."""
    desk = closed(open_desk)
    assert desk.report["costs"]["books"] == ""
    assert watched_at(desk, "16:10") == ("", False)
    assert watched_at(desk, "16:20") == ("sip", True)
    assert markouts(desk) == {"1s": "0.53", "1min": "5.81", "5min": "5.81", "30min": "5.81", "close": "5.81"}
    assert [kind for kind, _ in desk.notifier.published] == ["repeg.run.settled", "repeg.run.measured"]


def measured(desk: Desk) -> list[dict[str, Any]]:
    """The details of the events that the costs of the run are complete."""
    return [detail for kind, detail in desk.notifier.published if kind == "repeg.run.measured"]


def test_complete_markouts_are_published_once_with_the_costs(open_desk: OpenDesk) -> None:
    desk = closed(open_desk)
    for time in ("16:20", "16:30"):
        watched_at(desk, time)
    (detail,) = measured(desk)
    assert (detail["event_id"], detail["run_id"]) == (f"{RUN_ID}.measured", RUN_ID)
    assert detail["costs"] == desk.report["costs"]
    assert [each["bps"] for each in detail["costs"]["markouts"]][:2] == ["0.53", "5.81"]
    assert detail["reason"] == "6 books of sip at and after its fills"


def test_costs_are_measured_again_if_their_event_was_not_taken(open_desk: OpenDesk) -> None:
    desk = closed(open_desk)
    taken, publish = [], desk.notifier.publish

    def refuse_once(kind: str, detail: dict[str, Any]) -> None:
        taken.append(kind)
        if taken.count("repeg.run.measured") == 1 and kind == "repeg.run.measured":
            raise StoreUnavailable("the event bus does not answer")
        publish(kind, detail)

    desk.notifier.publish = refuse_once  # type: ignore[method-assign]
    desk.wait_until("16:20")
    assert [alert.finding for alert in watch_runs(desk.ports, expect_run=True).alerts] == [Finding.WATCH_FAILED]
    assert (measured(desk), desk.report["costs"]["books"]) == ([], "")
    assert watched_at(desk, "16:30") == ("sip", True)
    assert len(measured(desk)) == 1


def test_a_feed_that_does_not_answer_is_asked_again_in_the_next_pass(open_desk: OpenDesk) -> None:
    desk = closed(open_desk)
    deny_history(desk, 503)
    assert watched_at(desk, "16:20") == ("", False)
    desk.exchange.faults.disarm()
    assert watched_at(desk, "16:30") == ("sip", True)


def test_a_feed_that_never_answers_leaves_the_reason(open_desk: OpenDesk) -> None:
    desk = closed(open_desk)
    deny_history(desk, 503)
    assert watched_at(desk, "16:50") == ("", True)
    assert "its book could not be read" in markouts(desk)["1min"]
    assert desk.row()["shortfall"]["unsplit"] == "0"  # split by the book that the order was sent on


def test_a_subscription_without_history_is_not_asked_again(open_desk: OpenDesk) -> None:
    desk = closed(open_desk)
    deny_history(desk, 403)
    assert watched_at(desk, "16:20") == ("", True)
    assert [detail["reason"] for detail in measured(desk)] == ["no books: the feed had none"]


def test_a_buy_that_waits_for_cash_is_decided_in_the_first_turn(open_desk: OpenDesk) -> None:
    """Its arrival is the book of the first turn, although nothing can be sent on it."""
    desk = open_desk({"AAPL": book(QUIET, "09:37 300 @ 189.65 × 200 @ 189.69"), "KO": KO},
                     opening=holding(KO="200", cash="0"))  # fmt: skip
    desk.begin("buy 40 AAPL", "sell all KO")
    desk.place()
    assert desk.open_at_broker("AAPL") == []
    desk.wait_until("09:38")
    desk.validate()
    order = desk.order("AAPL")
    assert order.arrival is not None
    assert (order.decision, order.arrival.mid) == (None, Decimal("189.42"))


def test_the_first_book_with_a_mid_is_kept_for_an_order_that_it_holds(open_desk: OpenDesk) -> None:
    desk = open_desk({"AAPL": book("09:20 300 @ 189.00 × 200 @ 189.48", "09:37 300 @ 189.40 × 200 @ 189.44")})
    desk.begin("buy 40 AAPL")
    for time in ("09:36:00", "09:36:30", "09:37:00"):
        desk.wait_until(time)
        desk.validate()
    order = desk.order()
    assert order.decision is not None
    assert order.arrival is not None
    assert (order.decision.mid, order.arrival.mid) == (Decimal("189.24"), Decimal("189.42"))


def test_a_one_sided_book_decides_on_nothing(open_desk: OpenDesk) -> None:
    desk = open_desk({"AAPL": book("09:20 300 @ 189.00 × -", "09:37 300 @ 189.40 × 200 @ 189.44",
                               prints=("09:31 10 @ 189.01 sold",))})  # fmt: skip
    desk.begin("buy 40 AAPL")
    desk.validate()
    assert (desk.order().decision, desk.order().arrival) == (None, None)
