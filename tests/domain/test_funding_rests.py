"""Funding at its corners: what an open child of a buy leaves to be sent, and cash that is not settled yet."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from repeg.domain import funding
from repeg.domain.funding import Funding, Need, grant_cash
from repeg.domain.outcome import HoldReason, Outcome
from repeg.domain.quote import Side
from tests.builders import a_child, an_order

D = Decimal
BAC = Need(symbol="BAC", qty=D(100), worst_price=D(14))  # 1,400 dollars
BIG = Need(symbol="AAPL", qty=D(5), worst_price=D(200), place=D(20_000))  # 1,000 dollars, in the place of 20,000
PART = a_child(qty="40")


def test_an_open_child_leaves_the_rest_in_the_place_of_its_whole_order() -> None:
    (rest,) = funding.rests_of([an_order(Side.BUY, "100", PART)])
    assert rest == Need(symbol="AAPL", qty=D(60), worst_price=D(105), place=D(10_500))


@pytest.mark.parametrize("fields", [{"held": HoldReason.BUDGET}, {"held": HoldReason.ATTEMPTS},
                                    {"held": HoldReason.OWNER}, {"outcome": Outcome.KILLED}])  # fmt: skip
def test_an_order_that_sends_no_more_leaves_nothing(fields: dict[str, Any]) -> None:
    assert funding.rests_of([an_order(Side.BUY, "100", PART, **fields)]) == ()


def test_a_sell_or_a_child_for_the_whole_order_leaves_nothing() -> None:
    assert funding.rests_of([an_order(Side.SELL, "100", PART)]) == ()
    assert funding.rests_of([an_order(Side.BUY, "40", PART)]) == ()
    assert funding.rests_of([an_order(Side.BUY, "100")]) == ()


@pytest.mark.parametrize(
    ("cash", "funded"), [(2_400, ("funded", 100)), (2_399, ("scaled", 99)), (1_000, ("unfunded", 0))]
)
def test_without_sells_a_bigger_buys_rest_keeps_its_cash(cash: int, funded: tuple[str, int]) -> None:
    (grant,) = grant_cash([BAC], D(cash), D(0), rests=[BIG])
    assert (str(grant.funding), int(grant.qty)) == funded


@pytest.mark.parametrize(("sells", "funded"), [(1_000, "funded"), (999, "waits_for_sells")])
def test_with_sells_a_bigger_buys_rest_waits_for_theirs(sells: int, funded: str) -> None:
    """A smaller buy passes it if the cash covers both once they are there."""
    (grant,) = grant_cash([BAC], D(1_400), D(sells), rests=[BIG])
    assert str(grant.funding) == funded


@pytest.mark.parametrize(("unsettled", "found"), [("400", Funding.WAITS_FOR_BALANCE), ("399.99", Funding.SCALED),
                                                  ("0", Funding.SCALED), ("0.5", Funding.SCALED)])  # fmt: skip
def test_a_buy_waits_only_for_a_balance_that_may_pay_for_it(unsettled: str, found: Funding) -> None:
    (grant,) = grant_cash([BAC], D(1_000), D(0), D(unsettled))
    assert (grant.funding, int(grant.qty)) == (found, 0 if found is Funding.WAITS_FOR_BALANCE else 71)


def test_a_bigger_buy_that_waits_for_the_balance_is_not_passed() -> None:
    """Together they cost 2,000 dollars; in the second case 1,999 are there or not settled."""
    bigger = Need(symbol="KO", qty=D(10), worst_price=D(160))
    smaller = Need(symbol="BAC", qty=D(100), worst_price=D(4))
    kinds = [[grant.funding for grant in grant_cash([bigger, smaller], D(1_500), D(0), D(unsettled))]
             for unsettled in (500, 499)]  # fmt: skip
    assert kinds == [[Funding.WAITS_FOR_BALANCE, Funding.FUNDED], [Funding.WAITS_FOR_BALANCE] * 2]


@pytest.mark.parametrize(("side", "fields", "waits"), [
    (Side.BUY, {"held": HoldReason.WAITS_FOR_SELLS}, True),
    (Side.SELL, {"held": HoldReason.WAITS_FOR_SELLS}, False),
    (Side.BUY, {"held": HoldReason.WAITS_FOR_SELLS, "outcome": Outcome.KILLED}, False),
    (Side.BUY, {"held": HoldReason.UNFUNDED}, False),
])  # fmt: skip
def test_only_an_unfinished_buy_waits_for_sells(side: Side, fields: dict[str, Any], *, waits: bool) -> None:
    assert funding.buys_wait_for_sells([an_order(side, "100", **fields)]) is waits
