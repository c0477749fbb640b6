"""What all runs have saved against market orders, with figures worked out by hand."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any

from repeg.domain.observed import ObservedOrder
from repeg.domain.outcome import Outcome
from repeg.domain.saved import saved_by


def measured(run: int, cost: str | None, symbol: str = "AAPL", **fields: Any) -> ObservedOrder:
    """100 shares at 100 dollars, with a half-spread of two cents: a market order would have cost two dollars."""
    stated: dict[str, Any] = {
        "run_id": f"core-2026-11-{run:02}", "symbol": symbol, "day": date(2026, 11, run), "feed": "sip", "arm": None,
        "share": Decimal(0), "outcome": Outcome.FILLED, "target": Decimal(100), "filled": Decimal(100),
        "off_session": Decimal(0), "notional": Decimal(10_000), "half_spread": Decimal("0.02"), "spread_ticks": 4,
        "cost": None if cost is None else Decimal(cost),
    }  # fmt: skip
    return ObservedOrder(**{**stated, **fields})


def test_an_order_saves_what_a_market_order_would_have_cost_more() -> None:
    saved = saved_by([measured(2, "0.50"), measured(2, "3.00", "KO")], Decimal(1))
    assert [(each.name, each.saved.dollars) for each in saved.by_symbol] == [
        ("AAPL", Decimal("1.50")), ("KO", Decimal("-1.00"))
    ]  # fmt: skip
    assert saved.total.saved.dollars == Decimal("0.50")
    assert saved_by([measured(2, "0.50")], Decimal("0.5")).total.saved.dollars == Decimal("0.50")


def test_savings_add_up_day_by_day() -> None:
    saved = saved_by([measured(4, "1.00"), measured(2, "0.50"), measured(3, "4.00")], Decimal(1))
    assert [(each.name, each.saved.dollars) for each in saved.by_day] == [
        ("2026-11-02", Decimal("1.50")), ("2026-11-03", Decimal("-0.50")), ("2026-11-04", Decimal("0.50"))
    ]  # fmt: skip


def test_a_sums_interval_is_that_of_its_runs() -> None:
    """Savings of 1, 2, 3, 4 and 5 dollars: their scatter is 10, so the sum's error is √(10 · 5 / 4), and t is 2.776."""
    saved = saved_by([measured(n, str(2 - n)) for n in range(1, 6)], Decimal(1)).total.saved
    assert (saved.dollars, saved.runs) == (Decimal("15.00"), 5)
    assert (saved.low, saved.high) == (Decimal("5.19"), Decimal("24.81"))


def test_orders_of_one_run_count_as_one() -> None:
    orders = [measured(1 + n // 10, "1.00") for n in range(40)]
    assert saved_by(orders, Decimal(1)).total.saved.low is None
    same = [measured(1 + n // 10, "1.00") for n in range(50)]
    assert saved_by(same, Decimal(1)).total.saved.low == Decimal("50.00")


def test_orders_that_cannot_count_are_left_out_and_counted() -> None:
    odd = [
        measured(2, None), measured(2, "1", outcome=Outcome.PREVIEW), measured(2, "1", off_session=Decimal(1)),
        measured(2, "1", notional=Decimal(0)),
    ]  # fmt: skip
    saved = saved_by([*odd, measured(2, "1")], Decimal(1))
    assert (saved.left_out, saved.total.orders) == (4, 1)


def test_no_orders_save_nothing() -> None:
    saved = saved_by([], Decimal(1))
    assert (saved.by_day, saved.total.saved.dollars, saved.total.cost) == ((), Decimal("0.00"), None)


def test_buckets_are_those_of_the_spread_at_arrival() -> None:
    saved = saved_by(
        [measured(2, "1"), measured(2, "1", spread_ticks=1), measured(2, "1", spread_ticks=40)], Decimal(1)
    )
    assert [(each.name, each.orders) for each in saved.by_spread] == [
        ("1 tick", 1), ("2 to 4 ticks", 1), ("5 to 9 ticks", 0), ("10 ticks and more", 1)
    ]  # fmt: skip
