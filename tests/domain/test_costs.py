"""Execution costs of a run, checked against hand-calculated values."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from typing import Any

import pytest

from repeg.domain.arrival_cost import cost_bps, half_spread_bps, market_cost_bps, vwap
from repeg.domain.books import Books
from repeg.domain.broker import Execution
from repeg.domain.child_order import Child, ChildState
from repeg.domain.costs import MarketRecord, Settlement, analyse
from repeg.domain.intent import Intent
from repeg.domain.outcome import Outcome
from repeg.domain.parent_order import ParentOrder
from repeg.domain.quote import Quote, Side
from tests.builders import NOON, a_child, a_quote, a_run, after_noon, an_execution, an_order, settings_with

SETTLED = Settlement(outcome="settled", error="", reason="every order has an outcome", turns=12)

# Arrival 100.00 × 100.10: mid 100.05, half a spread 0.05, which is 4.9975 basis points.
ARRIVAL = a_quote("100.00", "100.10")


def bought(*fills: tuple[str, str], **fields: Any) -> tuple[ParentOrder, list[Execution]]:
    """An order whose child's average price deliberately differs from the executions."""
    shares = sum((Decimal(qty) for qty, _ in fills), Decimal(0))
    child = a_child(filled=str(shares), price="1.00", state=ChildState.FILLED)
    order = an_order(Side.BUY, "100", child, arrival=ARRIVAL, outcome=Outcome.FILLED, **fields)
    return order, [an_execution(qty, price) for qty, price in fills]


def report(orders: list[ParentOrder], executions: list[Execution]) -> dict[str, Any]:
    return analyse(a_run(), the_books(orders, executions), SETTLED).as_json()


def the_books(orders: Sequence[ParentOrder], executions: Sequence[Execution], intents: Sequence[Intent] = ()) -> Books:
    return Books(tuple(orders), tuple(intents), tuple(executions))


def test_cost_is_measured_from_executions_against_the_arrival_mid() -> None:
    order, executions = bought(("60", "100.01"), ("40", "100.06"))
    assert vwap(executions) == Decimal("100.03")  # (6000.60 + 4002.40) / 100
    cost = cost_bps(order, executions)
    assert cost is not None
    assert round(cost, 4) == Decimal("-1.9990")  # two cents better than 100.05
    half = half_spread_bps(order)
    assert half is not None
    assert round(half, 4) == Decimal("4.9975")


def test_a_sell_below_the_arrival_mid_has_a_cost() -> None:
    order = an_order(Side.SELL, "100", arrival=ARRIVAL)
    cost = cost_bps(order, [an_execution("100", "100.00", side=Side.SELL)])
    assert cost is not None
    assert round(cost, 4) == Decimal("4.9975")


def test_an_order_without_fills_or_arrival_has_no_cost() -> None:
    order, executions = bought(("100", "100.01"))
    assert cost_bps(order, []) is None
    assert vwap([]) is None
    unseen = order.model_copy(update={"arrival": None})
    assert cost_bps(unseen, executions) is None
    assert half_spread_bps(unseen) is None
    assert market_cost_bps(unseen, Decimal(1)) is None


def test_an_orders_report_row_has_every_field() -> None:
    order, executions = bought(("60", "100.01"), ("40", "100.06"), moves=3, reason="filled")
    (row,) = report([order], executions)["orders"]
    assert (row.pop("uncosted"), len(row.pop("markouts")), row.pop("shortfall")["dollars"]) == ("", 5, "-2")
    assert [row] == [
        {
            "symbol": "AAPL",
            "side": "buy",
            "qty": "100",
            "filled_qty": "100",
            "average_price": "100.03",
            "arrival_mid": "100.05",
            "cost_bps": "-2",
            "cost_half_spreads": "-0.4",
            "moves": 3,
            "children": 1,
            "outcome": "filled",
            "reason": "filled",
            "seconds_to_fill": None,
            "spread_captured": None,
            "last_mid": None,
            "unfilled_cost": "0",
            "unfilled_cost_bps": "0",
            "note": "",
        }
    ]


def test_the_time_to_fill_ends_with_the_last_execution() -> None:
    order, executions = bought(("60", "100.01"), ("40", "100.06"), first_placed_at=NOON)
    late = [e.model_copy(update={"at": after_noon(s)}) for e, s in zip(executions, (90.25, 12), strict=True)]
    assert report([order], late)["orders"][0]["seconds_to_fill"] == "90.25"
    assert report([order], [])["orders"][0]["seconds_to_fill"] is None


@pytest.mark.parametrize(
    ("side", "price", "captured"),
    [
        (Side.BUY, "100.00", "1"),  # at our own side of the book: all of it
        (Side.BUY, "100.025", "0.75"),
        (Side.BUY, "100.05", "0.5"),  # the mid
        (Side.BUY, "100.10", "0"),  # the far side: none
        (Side.BUY, "100.15", "-0.5"),
        (Side.SELL, "100.10", "1"),
        (Side.SELL, "100.00", "0"),
    ],
)
def test_the_captured_spread_is_measured_from_the_far_side(side: Side, price: str, captured: str) -> None:
    row = priced_from(a_quote("100.00", "100.10"), side, price)
    assert row["spread_captured"] == captured


def priced_from(quote: Quote, side: Side, price: str) -> dict[str, Any]:
    """The report row of an order filled at a price, with its child priced from a quote."""
    child = a_child(filled="100", price=price, state=ChildState.FILLED).model_copy(update={"broker_id": "b-1"})
    order = an_order(side, "100", child, arrival=a_quote("99.00", "99.10"), outcome=Outcome.FILLED)
    fill = an_execution("100", price, side=side).model_copy(update={"broker_order_id": "b-1"})
    intent = an_intent(order, child, quote)
    books = the_books([order], [fill], [intent])
    return analyse(a_run(), books, SETTLED).as_json()["orders"][0]  # type: ignore[no-any-return]


def an_intent(order: ParentOrder, child: Child, quote: Quote) -> Intent:
    return Intent(
        client_order_id=child.client_order_id, symbol=order.symbol, side=order.side, n=child.n, qty=child.qty,
        limit=child.limit, notional=child.notional, rung=child.rung, reason="", quote=quote, decided_at=NOON,
    )  # fmt: skip


def test_a_spread_of_zero_has_no_captured_share() -> None:
    assert priced_from(a_quote("100.00", "100.00"), Side.BUY, "100.00")["spread_captured"] is None


@pytest.mark.parametrize(
    ("side", "bid", "ask", "cost", "bps"),
    [
        (Side.BUY, "101.00", "101.10", "40", "99.95"),  # 40 shares that now cost a dollar more than the 100.05
        (Side.SELL, "101.00", "101.10", "-40", "-99.95"),
        (Side.BUY, "99.00", "99.10", "-40", "-99.95"),
        (Side.SELL, "99.00", "99.10", "40", "99.95"),
    ],
)
def test_unfilled_shares_cost_the_mids_move_since_arrival(side: Side, bid: str, ask: str, cost: str, bps: str) -> None:
    child = a_child(filled="60", price="100.00", state=ChildState.CANCELED)
    order = an_order(side, "100", child, arrival=ARRIVAL, outcome=Outcome.PARTIAL_DEADLINE)
    last = MarketRecord(last={"AAPL": a_quote(bid, ask)})
    answer = analyse(a_run(), the_books([order], []), SETTLED, last).as_json()
    row = answer["orders"][0]
    assert (row["unfilled_cost"], row["unfilled_cost_bps"]) == (cost, bps)
    assert answer["totals"]["unfilled_cost"] == cost


@pytest.mark.parametrize("book", [None, a_quote("0", "100.10"), a_quote("100.00", "0")])
def test_unfilled_shares_without_a_closing_quote_have_no_cost(book: Quote | None) -> None:
    order = an_order(Side.BUY, "100", arrival=ARRIVAL, outcome=Outcome.HELD_WIDE)
    last = MarketRecord(last={"AAPL": book} if book else {})
    row = analyse(a_run(), the_books([order], []), SETTLED, last).as_json()["orders"][0]
    assert (row["last_mid"], row["unfilled_cost"], row["unfilled_cost_bps"]) == (None, None, None)


def test_failed_orders_are_included_in_the_report() -> None:
    rejected = an_order(symbol="KO", arrival=None, outcome=Outcome.REJECTED, reason="no such price")
    held = an_order(symbol="ZTS", outcome=Outcome.HELD_WIDE, reason="0 of 100: wide")
    done, executions = bought(("100", "100.05"))
    rows = report([done, rejected, held], executions)["orders"]
    assert [(row["symbol"], row["outcome"], row["cost_bps"]) for row in rows] == [
        ("AAPL", "filled", "0"),
        ("KO", "rejected", None),
        ("ZTS", "held_wide", None),
    ]


def test_a_cost_rounded_to_zero_has_no_sign() -> None:
    order, executions = bought(("100", "100.049999"))
    assert report([order], executions)["orders"][0]["cost_bps"] == "0"


def test_total_costs_are_weighted_by_notional() -> None:
    buy, executions = bought(("100", "100.05"))  # 10,005 dollars at no cost, market order 4.9975 bp
    sell = an_order(Side.SELL, "200", symbol="KO", arrival=a_quote("50.00", "50.10"), outcome=Outcome.PARTIAL_DEADLINE)
    executions.append(an_execution("100", "50.00", "KO", Side.SELL))  # 5,000 dollars at 9.9900 bp, like a market order
    totals = report([buy, sell], executions)["totals"]
    assert totals == {
        "orders": 2,
        "orders_filled": 1,
        "filled_notional": "15005",
        "cost_bps": "3.33",  # 9.9900 × 5,000 / 15,005
        "market_cost_bps": "6.66",  # (4.9975 × 10,005 + 9.9900 × 5,000) / 15,005
        "executions": 2,
        "unfilled_cost": None,
        "turns": 12,
        "crossing_cost": "1",
    }


def test_the_cost_of_market_orders_is_at_the_assumed_cost_of_taking() -> None:
    """Another assumption for a symbol is used for that symbol; what an order cost in half-spreads has none."""
    run = a_run(settings=settings_with(crossing_cost="0.5", symbols={"KO": {"crossing_cost": 2}}))
    buy, executions = bought(("100", "100.10"))
    answer = analyse(run, the_books([buy], executions), SETTLED)
    assert (answer.totals.market_cost_bps, answer.totals.crossing_cost) == (Decimal("2.50"), Decimal("0.5"))
    assert answer.orders[0].cost_half_spreads == 1
    sell = an_order(Side.SELL, "100", symbol="KO", arrival=a_quote("50.00", "50.10"))
    fill = an_execution("100", "50.00", "KO", Side.SELL)
    assert analyse(run, the_books([sell], [fill]), SETTLED).totals.market_cost_bps == Decimal("19.98")


def test_a_run_without_fills_has_no_total_cost() -> None:
    totals = report([an_order()], [])["totals"]
    assert (totals["cost_bps"], totals["market_cost_bps"], totals["filled_notional"]) == (None, None, "0")


def test_executions_of_another_symbol_are_not_counted() -> None:
    order, _ = bought(("100", "100.01"))
    row = report([order], [an_execution("100", "55.00", "KO")])["orders"][0]
    assert row["average_price"] is None


@pytest.mark.parametrize("preview", [True, False])
def test_the_report_names_the_run_its_outcome_and_its_date(preview: bool) -> None:
    answer = analyse(a_run(preview=preview), the_books([], []), SETTLED).as_json()
    head = {key: answer[key] for key in ("run_id", "outcome", "error", "reason", "trading_date", "preview")}
    assert head == {
        "run_id": "core-2026-11-23",
        "outcome": "settled",
        "error": "",
        "reason": "every order has an outcome",
        "trading_date": "2026-11-23",
        "preview": preview,
    }
