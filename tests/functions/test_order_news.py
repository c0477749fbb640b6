"""News of orders: each that ends is told with its outcome, and one that waits for long is told as held."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

from repeg.domain.child_order import ChildState
from repeg.domain.notice import ORDER_MOVED, ORDER_PLACED
from repeg.domain.order_news import (
    HELD_FOR_LONG,
    OrderFilled,
    OrderFinished,
    OrderHeld,
    OrderNews,
    OrderSent,
    held_for_long,
)
from repeg.domain.outcome import HoldReason, Outcome
from repeg_workbench.exchange.faults.transport_faults import Fault, Kind
from repeg_workbench.exchange.triggers import When
from tests.builders import NOON, a_child, an_order
from tests.functions.books import KO, QUIET, book
from tests.functions.desk import RUN_ID, Desk, OpenDesk, holding
from tests.functions.scenes import resting

WIDE = book("09:20 300 @ 12.00 × 300 @ 12.90", until="10:30")


def told(desk: Desk) -> list[OrderNews]:
    """The news of ends and of long waits."""
    return [news for news in all_told(desk) if not isinstance(news, (OrderSent, OrderFilled))]


def all_told(desk: Desk) -> list[OrderNews]:
    return [entry.news for entry in desk.journal.entries if entry.news is not None]


def test_every_request_and_fill_of_an_order_is_told(open_desk: OpenDesk) -> None:
    filled = book(QUIET, "09:36:10 300 @ 189.60 × 300 @ 189.65", prints=("09:37:10 900 @ 189.58 sold",))
    desk = open_desk({"AAPL": filled})
    desk.begin("buy 40 AAPL")
    desk.place()
    desk.turn_at("09:36:40")
    desk.turn_at("09:37:20")
    *requests, fill, _ = all_told(desk)
    sent = [news for news in requests if isinstance(news, OrderSent)]
    assert [(news.event_id, news.kind) for news in sent] == [
        (f"{RUN_ID}.AAPL.sent.1", ORDER_PLACED), (f"{RUN_ID}.AAPL.sent.2", ORDER_MOVED)
    ]  # fmt: skip
    first, second = sent
    assert (first.qty, first.moved_from) == (Decimal(40), None)
    assert (second.qty, second.moved_from) == (Decimal(40), first.limit)
    assert isinstance(fill, OrderFilled)
    assert (fill.event_id, fill.qty, fill.price) == (f"{RUN_ID}.AAPL.filled.40", Decimal(40), second.limit)


def test_an_order_that_fills_is_told_once_with_its_fills(open_desk: OpenDesk) -> None:
    filled = book(QUIET, prints=("09:36:10 900 @ 189.41 sold",))
    desk = open_desk({"AAPL": filled, "KO": KO}, opening=holding(KO="100"))
    desk.begin("buy 40 AAPL")
    desk.place()
    desk.turn_at("09:36:30")
    (news,) = told(desk)
    assert isinstance(news, OrderFinished)
    assert (news.run_id, news.symbol, news.outcome, news.filled, news.target) == (
        RUN_ID, "AAPL", Outcome.FILLED, Decimal(40), Decimal(40)
    )  # fmt: skip
    desk.close()
    assert len(told(desk)) == 1


def test_orders_that_the_close_ends_are_told_with_their_outcomes(open_desk: OpenDesk) -> None:
    desk = open_desk({"AAPL": book(QUIET), "F": WIDE})
    desk.begin("buy 40 AAPL", "buy 10 F")
    desk.place()
    desk.close()
    ended = {news.symbol: news.outcome for news in told(desk) if isinstance(news, OrderFinished)}
    assert ended == {"AAPL": Outcome.PARTIAL_DEADLINE, "F": Outcome.HELD_WIDE}
    rows = {row["symbol"]: row["outcome"] for row in desk.report["orders"]}
    assert rows == {symbol: str(outcome) for symbol, outcome in ended.items()}


def test_an_order_that_its_book_holds_is_told_after_thirty_minutes(open_desk: OpenDesk) -> None:
    desk = open_desk({"F": WIDE})
    desk.begin("buy 10 F")
    desk.place()
    desk.turn_at("10:04")
    assert told(desk) == []
    desk.place()
    desk.turn_at("10:05")
    (news,) = told(desk)
    assert isinstance(news, OrderHeld)
    assert (news.symbol, news.held, f"{news.held_since:%H:%M}") == ("F", HoldReason.WIDE, "14:35")
    assert news.event_id == f"{RUN_ID}.F.held"


def test_an_order_that_is_sent_in_between_waits_anew() -> None:
    opens = NOON - timedelta(hours=3)
    waiting = an_order().on_hold(HoldReason.WIDE, NOON)
    assert held_for_long(waiting, opens, NOON) is not None
    child = a_child(state=ChildState.CANCELED)
    since = child.decided_at + HELD_FOR_LONG
    sent = waiting.model_copy(update={"children": (child,)})
    assert held_for_long(sent, opens, since - timedelta(seconds=1)) is None
    assert held_for_long(sent, opens, since) is not None


def test_an_order_that_is_not_held_is_not_told_however_long_it_waits() -> None:
    assert held_for_long(an_order(), NOON - timedelta(hours=3), NOON) is None


def test_the_end_of_a_run_repeats_every_orders_outcome(open_desk: OpenDesk) -> None:
    desk = open_desk({"AAPL": book(QUIET), "F": WIDE})
    desk.begin("buy 40 AAPL", "buy 10 F")
    desk.place()
    desk.close()
    ((_, detail),) = desk.notifier.published
    assert [(each["symbol"], each["outcome"], each["qty"]) for each in detail["outcomes"]] == [
        ("AAPL", "partial_deadline", "40"),
        ("F", "held_wide", "10"),
    ]


def ends(desk: Desk) -> list[Outcome]:
    return [news.outcome for news in all_told(desk) if isinstance(news, OrderFinished)]


def test_an_end_by_an_unknown_hand_is_told_once(open_desk: OpenDesk) -> None:
    desk = resting(open_desk)
    desk.broker.line.delete(f"/orders/{desk.at_broker()[0].id}")
    for time in ("09:36:30", "09:37:00"):
        desk.turn_at(time)
    desk.close()
    assert ends(desk) == [Outcome.ENDED_BY_UNKNOWN_HAND]
    assert [reason for _, reason in desk.journalled("AAPL", "finish")] == [desk.order().reason]


def test_an_end_by_refusals_is_told_once(open_desk: OpenDesk) -> None:
    desk = open_desk({"AAPL": book(QUIET)})
    desk.begin("buy 40 AAPL")
    refusal = {"code": 42210000, "message": "invalid limit_price 189.41. sub-penny increment"}
    refused = Fault(kind=Kind.ANSWER_BEFORE, method="POST", path="/v2/orders", status=422, body=refusal)
    desk.exchange.faults.arm(refused, When(times=3))
    for _ in range(4):
        desk.place()
    desk.close()
    assert ends(desk) == [Outcome.REJECTED]
