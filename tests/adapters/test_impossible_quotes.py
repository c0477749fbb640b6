"""Quotes and trades with values that no market can have: left out, named, and no rule fails on them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from repeg.adapters.alpaca import prices
from repeg.domain.moment import Moment
from repeg.domain.parent_order import ParentOrder
from repeg.domain.peg import decide, describe
from repeg.domain.quote import Side
from repeg.domain.quote_check import check_waiting_order
from repeg.domain.seeding import having_seeded
from repeg.domain.setting_types import Policy
from repeg.domain.settings import Settings
from repeg.domain.sizing_price import sizing_price

NOON = datetime(2026, 3, 5, 17, tzinfo=UTC)
GOOD_ROW = {"bp": "189.40", "bs": 300, "ap": "189.44", "as": 200, "t": "2026-03-05T17:00:00Z"}
MOMENT = Moment(now=NOON, closes=NOON + timedelta(hours=3), turn_seconds=30)
SETTINGS = Settings(policy=Policy.NORMAL)


def a_parent(side: Side) -> ParentOrder:
    return ParentOrder(run_id="r", symbol="AAPL", side=side, target=Decimal(40), reference_price=Decimal("189.42"))


@pytest.mark.parametrize(
    ("row", "left"),
    [
        ({"bp": "10000000"}, {"bid": Decimal(10_000_000)}),
        ({"bp": "10000000.01"}, {"bid": Decimal(0), "impossible": "bid 10000000.01"}),
        ({"ap": "0.0001"}, {"ask": Decimal("0.0001")}),
        ({"ap": "0.00009"}, {"ask": Decimal(0), "ask_size": Decimal(0), "impossible": "ask 0.00009"}),
        ({"as": -1}, {"ask": Decimal(0), "impossible": "ask size -1"}),
        ({"t": "2099-12-31T23:59:59Z"}, {"at": datetime(2099, 12, 31, 23, 59, 59, tzinfo=UTC)}),
        ({"t": "2005-08-28T00:00:00Z"}, {"at": None, "impossible": "time stamp 2005-08-28T00:00:00Z"}),
    ],
)
def test_a_quotes_impossible_value_is_left_out_and_named(row: dict[str, Any], left: dict[str, Any]) -> None:
    found = prices.quote("AAPL", GOOD_ROW | row)
    assert {name: getattr(found, name) for name in left} == left
    assert found.impossible == left.get("impossible", "")


@pytest.mark.parametrize("price", ["1e27", "0.00001", "-5"])
def test_a_trade_at_a_price_that_no_market_has_is_none(price: str) -> None:
    assert prices.trade({"p": Decimal(price), "t": "2026-03-05T17:00:00Z"}) is None
    dated = prices.trade({"p": Decimal(5), "t": "9999-12-31T23:59:59-05:00"})
    assert dated is not None
    assert dated.at is None


EXTREMES = st.sampled_from([-1, 0, *(Decimal(f"{n}e{e}") for n in ("1", "9.87654321") for e in range(-30, 31))])
STAMPS = st.sampled_from(
    [None, "0001-01-01T00:00:00+10:00", "2005-08-28T00:00:00Z", "2026-03-05T17:00:00Z", "9999-12-31T23:59:59-05:00"]
)


@given(st.fixed_dictionaries({"bp": EXTREMES, "bs": EXTREMES, "ap": EXTREMES, "as": EXTREMES, "t": STAMPS}))
@example({"bp": "189.40", "bs": Decimal("1e30"), "ap": "189.44", "as": 200, "t": "2026-03-05T17:00:00Z"})
def test_no_rule_fails_on_any_quote_that_can_be_read(row: dict[str, Any]) -> None:
    seen = prices.quote("AAPL", row)
    sizing_price(seen, prices.trade({"p": row["bp"], "t": row["t"]}), NOON)
    for order in (a_parent(Side.BUY), a_parent(Side.SELL)):
        check = check_waiting_order(order, seen, MOMENT, SETTINGS)
        assert not (seen.impossible and check.frees)
        describe(seen, check.gate, NOON)
        arrived = order if check.collar is None else order.arrived(seen, check.collar)
        decide(having_seeded(arrived, [seen], NOON, NOON - timedelta(hours=1), SETTINGS), seen, MOMENT, SETTINGS)
