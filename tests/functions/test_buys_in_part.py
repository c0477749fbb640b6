"""A buy that waits for sells is placed in part, as soon as the cash is there for a part that is worth it."""

from __future__ import annotations

from decimal import Decimal

import pytest

from functions.place_orders.app import place_orders
from repeg.domain.outcome import Outcome
from tests.functions.books import AAPL, book
from tests.functions.desk import Desk, OpenDesk, holding

# 200 KO rest at 60.42, and half of them fill at 09:36:20. At its collar of 190.36 a share of AAPL needs that much cash.
SOLD_IN_PART = book("09:20 500 @ 60.40 × 500 @ 60.43", prints=("09:36:20 100 @ 60.42 bought",))


def beside_a_sell(open_desk: OpenDesk, cash: str, **settings: str) -> Desk:
    """A run that buys 80 AAPL and sells 200 KO, which are both placed at 09:36."""
    desk = open_desk({"AAPL": AAPL, "KO": SOLD_IN_PART}, opening=holding(cash, KO="200"))
    desk.begin("buy 80 AAPL", "sell all KO", **settings)
    desk.place()
    return desk


@pytest.mark.parametrize(
    ("policy", "cash", "placed"),
    [
        ("normal", "15000", ["78 AAPL @ 189.41"]),
        ("normal", "7614.40", ["40 AAPL @ 189.41"]),
        ("normal", "7614.39", []),
        ("urgent", "7614.40", ["40 AAPL @ 189.41"]),
        ("anchor", "15000", []),
    ],
)
def test_half_of_a_buy_is_worth_placing(open_desk: OpenDesk, policy: str, cash: str, placed: list[str]) -> None:
    """Under the original rule its single child would keep the later cash from being used."""
    desk = beside_a_sell(open_desk, cash, policy=policy)
    assert desk.open_at_broker("AAPL") == placed
    assert desk.order("AAPL").held == (None if placed else "waits_for_sells")
    desk.judge()


@pytest.mark.parametrize("sides", ["- × 200 @ 189.44", "300 @ 189.40 × -", "- × -"])
def test_a_run_goes_on_where_a_waiting_buy_has_lost_a_side_of_its_book(open_desk: OpenDesk, sides: str) -> None:
    """The book is whole when it is checked, and not when the cash is granted."""
    whole = "300 @ 189.40 × 200 @ 189.44"
    aapl = book(f"09:20 {whole}", f"09:37 {sides}", f"09:37:30 {whole}")
    desk = open_desk({"AAPL": aapl, "KO": SOLD_IN_PART}, opening=holding("5000", KO="200"))
    desk.begin("buy 80 AAPL", "sell all KO", policy="normal")
    desk.place()
    desk.wait_until("09:36:50")
    desk.validate()
    desk.wait_until("09:37:05")
    place_orders(desk.run_id, desk.epoch, desk.turns, desk.ports)
    assert desk.open_at_broker("AAPL") == []
    desk.turn_at("09:38")
    desk.place()
    assert desk.open_at_broker("AAPL") == ["58 AAPL @ 189.41"]
    desk.judge()


def test_a_part_is_journalled_with_what_the_rest_waits_for(open_desk: OpenDesk) -> None:
    desk = beside_a_sell(open_desk, "7614.40", policy="normal")
    assert desk.journalled("AAPL", "scale") == [("80 → 40", "7614.40 to spend, the rest waits for sells")]


def test_a_market_order_is_placed_in_part(open_desk: OpenDesk) -> None:
    desk = open_desk({"AAPL": AAPL, "KO": SOLD_IN_PART}, opening=holding("10000", KO="200"))
    desk.begin("buy 80 AAPL", "sell all KO", symbols={"AAPL": {"policy": "market"}}, policy="normal")
    desk.place()
    desk.repeg()
    assert Decimal(40) <= desk.bought("AAPL") < Decimal(53)
    desk.judge()


def test_the_rest_of_a_buy_follows_its_part_and_the_cash(open_desk: OpenDesk) -> None:
    """The sells bring about 12,084 dollars: enough for all 80."""
    aapl = book("09:20 300 @ 189.40 × 200 @ 189.44", prints=("09:36:40 40 @ 189.41 sold", "09:37:40 40 @ 189.41 sold"))
    ko = book("09:20 500 @ 60.40 × 500 @ 60.43", prints=("09:36:20 200 @ 60.42 bought",))
    desk = open_desk({"AAPL": aapl, "KO": ko}, opening=holding("7614.40", KO="200"))
    desk.begin("buy 80 AAPL", "sell all KO", policy="normal")
    desk.place()
    for time in ("09:36:30", "09:37", "09:37:30", "09:38"):
        desk.wait_until(time)
        if desk.repeg().decision == "validate":
            desk.place()
    assert [child.qty for child in desk.order("AAPL").children] == [40, 40]
    assert (desk.order("AAPL").outcome, desk.bought("AAPL")) == (Outcome.FILLED, Decimal(80))
    desk.judge()


def test_a_part_keeps_its_place_before_smaller_buys(open_desk: OpenDesk) -> None:
    """Cash and sells pay for all of AAPL, the larger buy, and for 222 of 500 BAA."""
    books = {
        "AAPL": AAPL,
        "BAA": book("09:20 900 @ 20.00 × 900 @ 20.05"),
        "KO": book("09:20 500 @ 60.40 × 500 @ 60.43", prints=("09:36:20 200 @ 60.42 bought",)),
    }
    desk = open_desk(books, opening=holding("7614.40", KO="200"))
    desk.begin("buy 80 AAPL", "buy 500 BAA", "sell all KO", policy="normal")
    desk.place()
    for _ in range(24):
        desk.wait(15)
        if desk.repeg().decision == "validate":
            desk.place()
    assert (desk.order("AAPL").filled, desk.order("AAPL").outcome) == (Decimal(80), Outcome.FILLED)
    assert desk.order("BAA").children[0].qty >= 222
    desk.judge()


def crossed_at(open_desk: OpenDesk, cash: str, policy: str, *, hurry: bool) -> str:
    """When the sell that rests since 09:36 crosses, by turns every half minute; a buy of 40 AAPL waits unless it is
    paid for."""
    books = {"AAPL": AAPL, "KO": book("09:20 500 @ 60.40 × 500 @ 60.43")}
    desk = open_desk(books, opening=holding(cash, KO="200"))
    desk.begin("buy 40 AAPL", "sell all KO", policy=policy, patience_seconds=300, hurry_sells=hurry)
    desk.place()
    for minute in range(36, 43):
        for second in (0, 30):
            time = f"09:{minute}:{second:02}"
            desk.turn_at(time)
            if desk.journalled("KO", "cross"):
                return time
    return "not yet"


@pytest.mark.parametrize(
    ("cash", "policy", "hurry", "crossed"),
    [
        ("1000", "normal", True, "09:37"),
        ("1000", "patient", True, "09:37"),
        ("1000", "urgent", True, "09:37"),
        ("1000", "normal", False, "09:41"),
        ("8000", "normal", True, "09:41"),
        ("1000", "anchor", True, "09:41"),
    ],
)
def test_a_sell_may_be_in_a_hurry_while_a_buy_waits_for_it(
    open_desk: OpenDesk, cash: str, policy: str, *, hurry: bool, crossed: str
) -> None:
    """A fifth of five minutes of patience, but not under the original rule, nor once the buy has its cash."""
    assert crossed_at(open_desk, cash, policy, hurry=hurry).startswith(crossed)
