"""What a run cost, against numbers worked out by hand."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from repeg.analysis import Settlement, analyse, cost_bps, market_cost_bps, vwap
from repeg.broker import Execution
from repeg.order import ChildState, Outcome, ParentOrder
from repeg.quote import Side
from tests.builders import a_child, a_quote, a_run, an_execution, an_order

SETTLED = Settlement(outcome="settled", error="", reason="every order has an outcome", turns=12)

# Arrival 100.00 × 100.10: mid 100.05, half a spread 0.05, which is 4.9975 basis points.
ARRIVAL = a_quote("100.00", "100.10")


def bought(*fills: tuple[str, str], **fields: Any) -> tuple[ParentOrder, list[Execution]]:
    """An order whose children's own averages are deliberately not what the executions say."""
    shares = sum((Decimal(qty) for qty, _ in fills), Decimal(0))
    child = a_child(filled=str(shares), price="1.00", state=ChildState.FILLED)
    order = an_order(Side.BUY, "100", child, arrival=ARRIVAL, outcome=Outcome.FILLED, **fields)
    return order, [an_execution(qty, price) for qty, price in fills]


def report(orders: list[ParentOrder], executions: list[Execution]) -> dict[str, Any]:
    return analyse(a_run(), orders, executions, SETTLED)


def test_slippage_mid_against_mid_is_not_a_cost_it_comes_from_executions_and_the_arrival_quote() -> None:
    order, executions = bought(("60", "100.01"), ("40", "100.06"))
    assert vwap(executions) == Decimal("100.03")  # (6000.60 + 4002.40) / 100
    cost = cost_bps(order, executions)
    assert cost is not None
    assert round(cost, 4) == Decimal("-1.9990")  # two cents better than 100.05
    market = market_cost_bps(order)
    assert market is not None
    assert round(market, 4) == Decimal("4.9975")


def test_a_sell_below_the_arrival_mid_cost_something() -> None:
    order = an_order(Side.SELL, "100", arrival=ARRIVAL)
    cost = cost_bps(order, [an_execution("100", "100.00", side=Side.SELL)])
    assert cost is not None
    assert round(cost, 4) == Decimal("4.9975")


def test_what_was_not_filled_or_never_arrived_has_no_cost_rather_than_a_cost_of_zero() -> None:
    order, executions = bought(("100", "100.01"))
    assert cost_bps(order, []) is None
    assert vwap([]) is None
    unseen = order.model_copy(update={"arrival": None})
    assert cost_bps(unseen, executions) is None
    assert market_cost_bps(unseen) is None


def test_the_row_of_an_order_reads_as_the_summary_shows_it() -> None:
    order, executions = bought(("60", "100.01"), ("40", "100.06"), moves=3, reason="filled")
    assert report([order], executions)["orders"] == [
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
        }
    ]


def test_failed_orders_filtered_out_of_the_report_would_be_already_balanced_so_every_order_is_in_it() -> None:
    rejected = an_order(symbol="KO", arrival=None, outcome=Outcome.REJECTED, reason="no such price")
    held = an_order(symbol="ZTS", outcome=Outcome.HELD_WIDE, reason="0 of 100: wide")
    done, executions = bought(("100", "100.05"))
    rows = report([done, rejected, held], executions)["orders"]
    assert [(row["symbol"], row["outcome"], row["cost_bps"]) for row in rows] == [
        ("AAPL", "filled", "0"),
        ("KO", "rejected", None),
        ("ZTS", "held_wide", None),
    ]


def test_a_cost_that_rounds_to_nothing_is_zero_without_a_sign() -> None:
    order, executions = bought(("100", "100.049999"))
    assert report([order], executions)["orders"][0]["cost_bps"] == "0"


def test_totals_weigh_costs_by_the_dollars_traded() -> None:
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
        "turns": 12,
    }


def test_a_run_that_filled_nothing_has_no_cost_in_its_totals() -> None:
    totals = report([an_order()], [])["totals"]
    assert (totals["cost_bps"], totals["market_cost_bps"], totals["filled_notional"]) == (None, None, "0")


def test_executions_of_another_symbol_are_not_this_orders() -> None:
    order, _ = bought(("100", "100.01"))
    row = report([order], [an_execution("100", "55.00", "KO")])["orders"][0]
    assert row["average_price"] is None


@pytest.mark.parametrize("preview", [True, False])
def test_the_report_says_which_run_ended_how_and_when(preview: bool) -> None:
    answer = analyse(a_run(preview=preview), [], [], SETTLED)
    head = {key: answer[key] for key in ("run_id", "outcome", "error", "reason", "trading_date", "preview")}
    assert head == {
        "run_id": "core-2026-11-23",
        "outcome": "settled",
        "error": "",
        "reason": "every order has an outcome",
        "trading_date": "2026-11-23",
        "preview": preview,
    }
