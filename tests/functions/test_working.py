"""Working one order: what follows a cancel, what a successor is for, and orders that may not be sent now."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from repeg.domain.child_order import Child, ChildState
from repeg.domain.outcome import HoldReason, Outcome
from repeg.domain.parent_order import ParentOrder
from repeg.domain.quote import Quote, Side
from repeg.domain.run import KillSwitch
from repeg.workflow.turn import Turn, begin_sending_turn, begin_turn
from repeg.workflow.working import _is_dust_left, _left_of, start_order, work_order
from repeg_workbench.exchange.broker.races import Race
from tests.builders import a_child, a_quote, an_order
from tests.functions.books import QUIET, UP, book
from tests.functions.desk import RUN_ID, Desk, OpenDesk, holding
from tests.functions.scenes import resting
from tests.functions.test_pieces import a_resting_piece

ONCE: dict[str, Any] = {"policy": "normal", "look_seconds": 60}
RISING = book(QUIET, "09:36:20 300 @ 189.45 × 200 @ 189.49")


def after_the_cancel(desk: Desk, change: Callable[[Quote], Quote | None]) -> None:
    """Let the quotes that are read after the next cancel be changed, or missing."""
    cancel, read = desk.broker.cancel, desk.broker.quotes

    def changed(symbols: Iterable[str]) -> dict[str, Quote]:
        quotes = {symbol: change(quote) for symbol, quote in read(symbols).items()}
        return {symbol: quote for symbol, quote in quotes.items() if quote is not None}

    def cancelled(broker_id: str) -> Any:
        desk.broker.quotes = changed  # type: ignore[method-assign]
        return cancel(broker_id)

    desk.broker.cancel = cancelled  # type: ignore[method-assign]


def moving(open_desk: OpenDesk, **settings: Any) -> Desk:
    """40 AAPL resting at 189.41 under a bid that has risen to 189.45."""
    return resting(open_desk, RISING, **ONCE, follow_after_seconds=20, **settings)


def a_turn(desk: Desk) -> Turn:
    return begin_sending_turn(RUN_ID, 1, desk.ports)


# After a cancel


@pytest.mark.parametrize(
    ("change", "held"),
    [
        (lambda quote: None, None),
        (lambda quote: quote.model_copy(update={"ask": Decimal("191.49")}), HoldReason.WIDE),
        (lambda quote: quote.model_copy(update={"bid_size": Decimal(10)}), HoldReason.THIN),
    ],
)
def test_a_book_that_may_not_be_traded_on_after_the_cancel_holds_the_order(
    open_desk: OpenDesk, change: Callable[[Quote], Quote | None], held: HoldReason | None
) -> None:
    desk = moving(open_desk)
    after_the_cancel(desk, change)
    desk.turn_at("09:36:30")
    assert (desk.open_at_broker(), desk.posts()) == ([], 1)
    assert [child.state for child in desk.order().children] == [ChildState.CANCELED]
    assert held is None or desk.order().held is held


def test_a_cancel_is_saved_although_the_order_is_held_as_before(open_desk: OpenDesk) -> None:
    desk = moving(open_desk)
    desk.store.save_order(desk.order().on_hold(HoldReason.WIDE, desk.runtime.now()))
    after_the_cancel(desk, lambda quote: quote.model_copy(update={"ask": Decimal("191.49")}))
    desk.turn_at("09:36:30")
    assert (desk.order().held, desk.order().children[0].state) == (HoldReason.WIDE, ChildState.CANCELED)


@pytest.mark.parametrize(("ask", "limits"), [("189.42", ["189.40", "189.40"]), ("191.42", ["189.40"])])
def test_an_order_that_is_still_shown_after_its_cancel_keeps_its_price(
    open_desk: OpenDesk, ask: str, limits: list[str]
) -> None:
    """It was cancelled to take the far side, which has gone since. In the second case the book is too wide by then."""
    pinned = book("09:20 300 @ 189.40 × 300 @ 189.41", "09:36:20 900 @ 189.40 × 300 @ 189.41")
    desk = open_desk({"AAPL": pinned})
    desk.begin("buy 40 AAPL", **ONCE, max_repegs=0)
    desk.place()
    as_before = {"bid": Decimal("189.40"), "bid_size": Decimal(940), "ask": Decimal(ask), "ask_size": Decimal(900)}
    after_the_cancel(desk, lambda quote: quote.model_copy(update=as_before))
    desk.turn_at("09:36:30")
    assert [str(child.limit) for child in desk.order().children] == limits


def test_a_successor_is_decided_on_the_book_after_the_cancel(open_desk: OpenDesk) -> None:
    """Its intent, its journal and its price are of that book."""
    desk = moving(open_desk)
    after_the_cancel(desk, lambda quote: quote.model_copy(update={"bid": Decimal("189.46")}))
    desk.turn_at("09:36:30")
    intent = desk.store.intents(RUN_ID)[1]
    assert (intent.limit, intent.quote.bid) == (Decimal("189.47"), Decimal("189.46"))
    (sent,) = [entry for entry in desk.journal.entries if entry.verb == "move"]
    assert sent.inputs["quote"] == intent.quote


@pytest.mark.parametrize(("bid_size", "is_piece", "qty"), [("300", False, 290), ("100", True, 100)])
def test_a_successor_is_a_piece_if_the_book_after_the_cancel_shows_less(
    open_desk: OpenDesk, bid_size: str, is_piece: bool, qty: int
) -> None:
    """290 are displayed at the near side, where they rest. In the second case a hundred are, after the cancel."""
    desk = open_desk({"AAPL": RISING}, opening=holding("1000000"))
    desk.begin("buy 290 AAPL", **ONCE, follow_after_seconds=20)
    desk.place()
    after_the_cancel(desk, lambda quote: quote.model_copy(update={"bid_size": Decimal(bid_size)}))
    desk.turn_at("09:36:30")
    first, second = desk.order().children
    assert (first.is_piece, second.is_piece, int(second.qty)) == (False, is_piece, qty)


def test_a_move_past_the_far_side_is_not_decided_anew(open_desk: OpenDesk) -> None:
    """Near the close it is sent as it was decided, with one read of the quotes."""
    desk = open_desk({"AAPL": book("15:30 300 @ 189.40 × 200 @ 189.44", until="15:58")}, at="15:45")
    desk.begin("buy 40 AAPL", **ONCE, patience_seconds=1_800)
    desk.place()
    desk.wait_until("15:54:20")
    desk.broker.line.sent.clear()
    desk.repeg()
    assert [child.rung for child in desk.order().children] == ["passive", "cross"]
    assert desk.broker.line.sent.count(("GET", "/stocks/quotes/latest")) == 1


# What a successor is for


@pytest.mark.parametrize(
    ("before", "after", "left"),
    [
        ([a_child(qty="26")], [a_child(qty="26", filled="10")], 16),
        ([a_child(qty="26")], [a_child(qty="26", filled="26")], 0),
        ([a_child(qty="100")], [a_child(qty="100", filled="100")], 0),
    ],
)
def test_a_successor_is_for_what_the_cancelled_one_left(before: list[Child], after: list[Child], left: int) -> None:
    """Not for more, although the order needs 100: a move brings no new cash."""
    assert _left_of(an_order(Side.BUY, "100", *before), an_order(Side.BUY, "100", *after)) == left


def test_a_successor_is_for_no_more_than_the_order_needs() -> None:
    """The first child was closed before, and has filled more since."""
    first, second = a_child(qty="60", filled="40", state=ChildState.CANCELED), a_child(n=2, qty="60")
    more = first.model_copy(update={"filled": Decimal(50)})
    before = an_order(Side.BUY, "100", first, second)
    assert _left_of(before, an_order(Side.BUY, "100", more, second)) == 50


def test_a_scaled_buy_that_fills_before_its_cancel_is_not_followed_by_none(open_desk: OpenDesk) -> None:
    """26 of 40 were sent. The rest waits for cash of its own."""
    desk = open_desk({"AAPL": book(QUIET, UP)}, opening=holding("5000"))
    desk.begin("buy 40 AAPL")
    desk.place()
    desk.exchange.races.arm(Race.CANCEL_LOSES)
    desk.turn_at("09:36:30")
    assert (desk.posts(), desk.order().filled, desk.order().outcome) == (1, Decimal(26), None)
    assert (desk.order().held, desk.journalled("AAPL", "hold")) == (None, [])


def test_an_order_is_not_finished_while_a_child_of_it_is_open(open_desk: OpenDesk) -> None:
    """All is filled, and the cancel of the other child is not confirmed."""
    desk = resting(open_desk)
    (child,) = desk.order().children
    filled = a_child("189.41", n=0, qty="40", filled="40", price="189.41", state=ChildState.FILLED)
    desk.store.save_order(desk.order().with_child(filled).with_child(child))
    desk.exchange.races.arm(Race.CANCEL_STUCK, seconds=20)
    desk.turn_at("09:36:30")
    assert (desk.order().outcome, desk.order().open_children[0].state) == (None, ChildState.CANCELLING)
    desk.turn_at("09:37:00")
    assert desk.order().outcome is Outcome.FILLED


@pytest.mark.parametrize(
    ("change", "limit"),
    [
        ("15:43:59 300 @ 20.00 × 300 @ 20.02", "20.01"),
        ("15:43:59 300 @ 20.05 × 300 @ 20.07", "20.06"),
        ("15:43:59 300 @ 21.05 × 300 @ 21.07", "20.11"),
    ],
)
def test_the_budget_for_a_whole_rest_is_at_the_price_that_it_would_have(
    open_desk: OpenDesk, change: str, limit: str
) -> None:
    """The piece's own, the one that it would move to, or the collar."""
    desk = a_resting_piece(open_desk, change, follow_after_seconds=0)
    desk.turn_at("15:44")
    assert desk.order().committed == 20_000 * Decimal(limit)


# Orders that may not be sent now, or need not be


def test_an_order_that_was_refused_for_now_is_left_as_it_is(open_desk: OpenDesk) -> None:
    desk = open_desk({"AAPL": book(QUIET)})
    desk.begin("buy 40 AAPL")
    desk.validate()
    turn = a_turn(desk)
    order = desk.order().model_copy(update={"retry_at": turn.now + timedelta(seconds=1)})
    assert start_order(turn, order, desk.ports.market.quotes(["AAPL"])["AAPL"], Decimal(40)) is order


@pytest.mark.parametrize("preview", [False, True])
def test_only_a_preview_goes_on_when_it_is_too_late_to_send(open_desk: OpenDesk, *, preview: bool) -> None:
    desk = open_desk({"AAPL": book(QUIET)})
    desk.begin("buy 40 AAPL")
    desk.validate()
    turn = a_turn(desk)
    desk.wait(40)
    turn = replace(turn, run=turn.run.model_copy(update={"preview": preview}))
    after = start_order(turn, desk.order(), desk.ports.market.quotes(["AAPL"])["AAPL"], Decimal(40))
    assert (after.outcome, desk.posts()) == (Outcome.PREVIEW if preview else None, 0)
    assert len(desk.journalled("AAPL", "hold")) == (0 if preview else 1)


def test_an_order_with_a_share_left_is_not_finished(open_desk: OpenDesk) -> None:
    desk = resting(open_desk)
    done = desk.order().children[0].model_copy(update={"state": ChildState.CANCELED, "filled": Decimal(39)})
    order = desk.order().with_child(done)
    assert work_order(begin_turn(RUN_ID, desk.ports), order, None, KillSwitch.ACTIVE).outcome is None


def test_a_last_child_that_another_hand_is_cancelling_is_left_to_it(open_desk: OpenDesk) -> None:
    """No more orders may be sent; that is not why this one does not stay."""
    desk = resting(open_desk, max_attempts=1, max_repegs=0, escalation="none")
    cancelling = desk.order().children[0].model_copy(update={"state": ChildState.CANCELLING})
    order = desk.order().with_child(cancelling)
    after = work_order(a_turn(desk), order, desk.ports.market.quotes(["AAPL"])["AAPL"], KillSwitch.ACTIVE)
    assert (after.held, desk.journalled("AAPL", "hold")) == (
        None, [("189.41", "being cancelled at the broker by another hand")],
    )  # fmt: skip


def test_a_look_writes_a_moved_order_once_for_each_request(open_desk: OpenDesk) -> None:
    """The reservation, the cancel as read with the successor's intent, and its answer; nothing for the spread."""
    desk = moving(open_desk)
    before = desk.order().version
    desk.turn_at("09:36:30")
    assert (desk.order().moves, desk.order().version - before) == (1, 3)


@pytest.mark.parametrize(
    ("quote", "is_dust"),
    [
        (None, True),
        (a_quote("200", "0"), True),
        (a_quote("0", "200"), True),
        (a_quote("1", "399"), False),
        (a_quote("200", "200.10"), False),
        (a_quote("0.50", "0.60"), True),
    ],
)
def test_a_rest_is_worth_its_mid_or_what_it_was_sized_at(quote: Quote | None, *, is_dust: bool) -> None:
    """A hundredth of a share, sized at a dollar."""
    child = a_child(qty="1", filled="0.99", state=ChildState.CANCELED)
    order: ParentOrder = an_order(Side.BUY, "1", child, reference_price=Decimal(1))
    assert _is_dust_left(order, quote) is is_dust


def test_a_rest_of_a_share_below_a_dollar_is_worth_its_mid() -> None:
    """Half a share at 95 cents, sized at 200 dollars."""
    child = a_child(qty="1", filled="0.5", state=ChildState.CANCELED)
    order = an_order(Side.BUY, "1", child, reference_price=Decimal(200))
    assert _is_dust_left(order, a_quote("0.90", "1.00"))
    assert not _is_dust_left(order, None)


def test_a_fallback_makes_way_while_there_is_time_for_pieces(open_desk: OpenDesk) -> None:
    """Half an hour before the window's end a piece rests in a book that has become too wide."""
    wide = book("15:00 300 @ 20.00 × 300 @ 20.02", "15:23:40 300 @ 20.00 × 300 @ 20.09", until="16:00")
    desk = open_desk({"AAPL": wide}, at="15:22", opening=holding("5000000"))
    desk.begin("buy 20000 AAPL", policy="normal", patience_seconds=1_800, fallback="collar", fallback_minutes=60)
    desk.place()
    for time in ("15:24", "15:26", "15:28", "15:30"):
        desk.turn_at(time)
    assert desk.journalled("AAPL", "cancel") == [("20.01", "makes way for the whole rest, 20000")]
    desk.place()
    assert [child.is_fallback for child in desk.order().children] == [False, True]


def test_a_successor_that_is_too_late_for_its_step_is_not_sent(open_desk: OpenDesk) -> None:
    """Its predecessor's cancel took forty seconds. The next turn finds it and places what is left."""
    desk = moving(open_desk)
    after_the_cancel(desk, lambda quote: quote)
    cancel = desk.broker.cancel

    def slowly(broker_id: str) -> Any:
        answer = cancel(broker_id)
        desk.runtime.pause(40)
        return answer

    desk.broker.cancel = slowly  # type: ignore[method-assign]
    desk.turn_at("09:36:30")
    assert (desk.posts(), desk.journalled("AAPL", "hold")) == (1, [("", "too late in this step to send")])
    desk.turn_at("09:37:30")
    desk.place()
    assert desk.posts() == 2
