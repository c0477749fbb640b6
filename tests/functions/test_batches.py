"""The batches of a step's placing: how many orders the quota has requests for, and on how new quotes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from decimal import Decimal

import pytest

from repeg.domain.parent_order import ParentOrder
from repeg.domain.quote import Quote
from repeg.domain.time_limits import BATCH_QUOTES_AGE, STEP_BATCHES_FOR
from repeg.workflow.batches import Placing, begin_placing
from repeg.workflow.sellable import read_holdings
from repeg.workflow.turn import begin_trading_turn, begin_turn
from tests.builders import a_child
from tests.functions.books import QUIET, book
from tests.functions.desk import Desk, OpenDesk, holding

FIVE = ("AAA", "BBB", "CCC", "DDD", "EEE")
# A batch of the last ones would ask the quota for the requests of no order.
MOST_ASKED = 9


@dataclass
class Placed:
    """Places orders by giving each an open child, and gives each request for room what is said here, at a time."""

    desk: Desk
    rooms: list[int]
    seconds: float = 0
    asked: list[int] = field(default_factory=list)
    batches: list[str] = field(default_factory=list)
    quoted: dict[str, Quote | None] = field(default_factory=dict)

    def make_room(self, orders: int) -> int:
        self.asked.append(orders)
        self.batches.append("")
        assert len(self.asked) < MOST_ASKED
        self.desk.wait(self.seconds)
        return min(orders, self.rooms.pop(0)) if self.rooms else 0

    def start(self, order: ParentOrder, quote: Quote | None) -> ParentOrder:
        self.quoted[order.symbol] = quote
        self.batches[-1:] = [(self.batches or [""])[-1] + order.symbol[0]]
        return order.with_child(a_child()) if order.symbol != "BBB" else order


def desk_of_five(open_desk: OpenDesk) -> Desk:
    books = {symbol: book(QUIET, "09:36:02 300 @ 189.50 × 200 @ 189.54") for symbol in FIVE}
    return open_desk(books, opening=holding("1000000"))


def placing(
    open_desk: OpenDesk, *rooms: int, orders: int = 5, seconds: float = 0, waited: float = 0
) -> tuple[Placing, Placed]:
    """The placing of so many orders, so long after the quotes were read; each request for room takes some seconds."""
    desk = desk_of_five(open_desk)
    desk.begin(*(f"buy 10 {symbol}" for symbol in FIVE[:orders]))
    return placed(desk, rooms, seconds=seconds, waited=waited)


def placed(desk: Desk, rooms: Sequence[int] = (), *, seconds: float = 0, waited: float = 0) -> tuple[Placing, Placed]:
    turn = begin_trading_turn(desk.run_id, 1, desk.ports)
    line = Placed(desk, list(rooms), seconds)
    turn.ports.broker.make_room = line.make_room  # type: ignore[method-assign]
    orders = desk.store.orders(desk.run_id)
    made = begin_placing(turn, orders)
    desk.wait(waited)
    made.place(orders, line.start)
    return made, line


@pytest.mark.parametrize(
    ("rooms", "orders", "asked", "batches", "left"),
    [
        ((6,), 5, [6], ["ABCDE"], 0),
        ((3, 9), 5, [6, 4], ["AB", "CDE"], 0),
        ((5, 9), 5, [6, 2], ["ABCD", "E"], 0),
        ((1, 1, 2), 5, [6, 5, 4, 3], ["A", "B", "C", ""], 2),
        ((0,), 5, [6], [""], 5),
        ((1,), 1, [2], ["A"], 0),
        ((2,), 1, [2], ["A"], 0),
    ],
)
def test_a_batch_has_as_many_orders_as_it_has_requests_for(
    open_desk: OpenDesk, rooms: tuple[int, ...], orders: int, asked: list[int], batches: list[str], left: int
) -> None:
    """One request of a batch is for its holdings; a single one is for an order, as those are not always read."""
    made, line = placing(open_desk, *rooms, orders=orders)
    assert (line.asked, line.batches, made.left) == (asked, batches, left)
    assert "".join(order.symbol[0] for order in made.worked) == "".join(batches)
    made.place([], line.start)
    assert (line.asked, made.left) == (asked, left)


def test_only_the_orders_that_have_a_child_count_as_placed(open_desk: OpenDesk) -> None:
    made, _ = placing(open_desk, 9)
    assert (made.placed, len(made.worked)) == (4, 5)


def test_orders_that_are_left_of_sells_and_of_buys_add_up(open_desk: OpenDesk) -> None:
    made, line = placing(open_desk, 3)
    assert made.left == 3
    made.place(made.worked, line.start)
    assert made.left == 5


def test_a_step_begins_no_batch_that_it_has_no_time_for(open_desk: OpenDesk) -> None:
    made, line = placing(open_desk, 3, 3, seconds=STEP_BATCHES_FOR.total_seconds())
    assert (line.asked, made.left) == ([6], 3)


def test_a_preview_places_in_one_batch_and_asks_for_no_requests(open_desk: OpenDesk) -> None:
    desk = desk_of_five(open_desk)
    desk.preview("buy 10 AAA", "buy 10 BBB")
    turn, line = begin_turn(desk.run_id, desk.ports), Placed(desk, [])
    turn.ports.broker.make_room = line.make_room  # type: ignore[method-assign]
    orders = desk.store.orders(desk.run_id)
    made = begin_placing(turn, orders)
    made.place(orders, line.start)
    assert (line.asked, line.batches, made.left) == ([], ["AB"], 0)


@pytest.mark.parametrize("time", ["09:34:50", "15:54:50", "15:54:49"])
def test_outside_the_window_every_order_is_asked_at_once(open_desk: OpenDesk, time: str) -> None:
    """Each says that it is too early or too late: no later step could place it."""
    desk = open_desk({"AAA": book(QUIET)}, opening=holding("1000000"), at=time)
    desk.begin("buy 10 AAA")
    made, line = placed(desk, [0])
    assert made.left == (1 if time.endswith("49") else 0)
    assert line.asked == ([2] if time.endswith("49") else [])


# Quotes


@pytest.mark.parametrize(("waited", "is_read"), [(BATCH_QUOTES_AGE.total_seconds(), False), (2.001, True)])
def test_the_quotes_of_a_batch_are_read_again_once_they_are_old(
    open_desk: OpenDesk, waited: float, is_read: bool
) -> None:
    """At 09:36:02 the book moves up."""
    made, line = placing(open_desk, 9, waited=waited)
    assert {quote.bid for quote in line.quoted.values() if quote} == {Decimal("189.50" if is_read else "189.40")}
    assert made.held is None
    read = quote_requests(line.desk)
    made.refresh(made.worked)
    assert quote_requests(line.desk) == read


def test_a_batch_with_an_old_quote_has_all_of_its_quotes_read_again(open_desk: OpenDesk) -> None:
    made, line = placing(open_desk, 3, waited=3)
    first, rest = made.worked[:1], [order for order in line.desk.store.orders(line.desk.run_id) if order.symbol > "B"]
    read = quote_requests(line.desk)
    made.refresh(first)
    assert quote_requests(line.desk) == read
    made.refresh([*first, *rest])
    assert quote_requests(line.desk) == read + 1
    assert {quote.bid for quote in made.quotes.values()} == {Decimal("189.50")}


def test_holdings_are_read_again_with_the_quotes_of_sells(open_desk: OpenDesk) -> None:
    desk = open_desk({"AAPL": book(QUIET)}, opening=holding("1000", AAPL="10"))
    desk.begin("sell 10 AAPL")
    turn, orders = begin_trading_turn(desk.run_id, 1, desk.ports), desk.store.orders(desk.run_id)
    made = begin_placing(turn, orders)
    made.held = before = read_holdings(turn)
    made.refresh(orders)
    assert made.held is before
    desk.wait(3)
    made.refresh(orders)
    assert made.held is not None
    assert made.held is not before


def quote_requests(desk: Desk) -> int:
    return sum(path.startswith("/stocks") for _, path in desk.broker.line.sent)
