"""A report's row stays below DynamoDB's 400 KB limit, and is read whatever its form."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from itertools import count
from typing import Any

import pytest

from repeg.adapters.dynamodb import rows
from repeg.domain.errors import UnreadableRow
from repeg.domain.markouts import CLOSE, HORIZONS, Markout
from repeg.domain.outcome import Outcome
from repeg.domain.plan import MAX_ORDERS
from repeg.domain.report import OrderRow, Report
from repeg.domain.shortfall import Shortfall
from tests.adapters.test_order_rows import LARGEST_ROW
from tests.builders import a_report_of

Figure = Callable[[], Decimal]


def an_order_row(n: int, figure: Figure) -> OrderRow:
    """The row of an order that has every figure."""
    shortfall = Shortfall(
        worth=figure(), dollars=figure(), bps=figure(), delay=figure(), timing=figure(), spread=figure(),
        unsplit=figure(), opportunity=figure(), quoted=figure(), half_spreads=figure(), decision_mid=figure(),
        half_spread=figure(), missing=f"{figure()} shares are not filled, and no last price of them is known",
    )  # fmt: skip
    return OrderRow(
        symbol=f"S{n}", side="buy", qty=figure(), filled_qty=figure(), average_price=figure(), arrival_mid=figure(),
        cost_bps=figure(), cost_half_spreads=figure(), moves=n, children=n, outcome=Outcome.PARTIAL_DEADLINE,
        reason=f"{figure()} of {figure()}: the window closed", seconds_to_fill=figure(), spread_captured=figure(),
        last_mid=figure(), unfilled_cost=figure(), unfilled_cost_bps=figure(), shortfall=shortfall,
        markouts=tuple(a_markout(name, figure) for name in (*HORIZONS, CLOSE)),
    )  # fmt: skip


def a_markout(horizon: str, figure: Figure) -> Markout:
    return Markout(
        horizon=horizon, bps=figure(), dollars=figure(), shares=figure(), missing=figure(), why="2 fills: no book"
    )


def the_report_of(orders: int) -> Report:
    """A report in which no figure is like another."""
    numbers = count(1)

    def figure() -> Decimal:
        return Decimal(next(numbers) * 7_919_317 % 19_999_999 - 9_999_999) / 100

    return a_report_of().model_copy(update={"orders": tuple(an_order_row(n, figure) for n in range(orders))})


def size(row: dict[str, Any]) -> int:
    return sum(len(name) + len(str(value).encode()) for name, value in row.items())


def test_the_report_of_the_largest_plan_fits_the_table() -> None:
    report = the_report_of(MAX_ORDERS)
    row = rows.report_row("core-2026-11-23", report)
    assert len(report.model_dump_json()) > LARGEST_ROW > size(row)
    assert rows.read_report(row) == report


def test_the_report_of_a_usual_plan_is_plain_text() -> None:
    row = rows.report_row("core-2026-11-23", the_report_of(20))
    assert "packed" not in row
    assert rows.read_report(row) == the_report_of(20)


def test_a_packed_report_that_was_cut_is_named_as_unreadable() -> None:
    row = rows.report_row("core-2026-11-23", the_report_of(MAX_ORDERS))
    with pytest.raises(UnreadableRow):
        rows.read_report({**row, "body": str(row["body"])[:400]})
