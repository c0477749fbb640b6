"""Funding at its corners: what an open child of a buy leaves to be sent, and cash that is not settled yet."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from repeg.domain import funding
from repeg.domain.balance_lag import spent
from repeg.domain.broker import Account
from repeg.domain.child_order import ChildState
from repeg.domain.funding import Funding, FundingRequest, Need, balance_for_buys, decide_funding, grant_cash
from repeg.domain.outcome import HoldReason, Outcome
from repeg.domain.quote import Side
from repeg.domain.setting_types import FundBuysFrom
from tests.builders import NOON, a_child, an_order

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


@pytest.mark.parametrize(("cost", "found"), [(51, Funding.FUNDED), (52, Funding.WAITS_FOR_SELLS)])
def test_a_single_dollar_from_sells_lets_a_bigger_buys_rest_wait_for_it(cost: int, found: Funding) -> None:
    """The rest of 50 dollars counts on the dollar: 100 are there, of which 51 are not needed for it."""
    rest = Need(symbol="AAPL", qty=D(1), worst_price=D(50), place=D(20_000))
    (grant,) = grant_cash([Need(symbol="BAC", qty=D(1), worst_price=D(cost))], D(100), D(1), rests=[rest])
    assert grant.funding is found


@pytest.mark.parametrize(("cost", "found"), [(400, Funding.FUNDED), (401, Funding.WAITS_FOR_BALANCE)])
def test_a_rest_without_sells_does_not_wait_for_the_balance(cost: int, found: Funding) -> None:
    """Its ten dollars are taken from the cash of 1,510; the buy of 1,600 waits for the balance of 2,000."""
    rest = Need(symbol="AAPL", qty=D(1), worst_price=D(10), place=D(20_000))
    bigger = Need(symbol="KO", qty=D(10), worst_price=D(160))
    smaller = Need(symbol="BAC", qty=D(1), worst_price=D(cost))
    grants = grant_cash([bigger, smaller], D(1_510), D(0), D(500), rests=[rest])
    assert [grant.funding for grant in grants] == [Funding.WAITS_FOR_BALANCE, found]


@pytest.mark.parametrize(("spendable", "found"), [(1_400, Funding.FUNDED), (1_399, Funding.SCALED)])
def test_a_request_that_names_no_unsettled_dollars_has_none(spendable: int, found: Funding) -> None:
    request = FundingRequest(needs=(BAC,), spendable=D(spendable), expected_from_sells=D(0))
    (grant,) = decide_funding(request).grants
    assert grant.funding is found


@pytest.mark.parametrize(("power", "dollars"), [("0.5", "0.5"), ("0", "0"), ("-0.5", "0")])
def test_a_buying_power_below_zero_is_none(power: str, dollars: str) -> None:
    account = Account(number="1", equity=D(1), cash=D(1), buying_power=D(power), spendable=D(7))
    assert balance_for_buys(account, FundBuysFrom.BUYING_POWER) == D(dollars)
    assert balance_for_buys(account, FundBuysFrom.CASH) == 7


def test_an_order_replaced_twice_in_ten_seconds_counts_in_full() -> None:
    """No balance shows the one that was replaced: it was sent too late for that."""
    replaced = a_child("100.00", state=ChildState.REPLACED)
    moved = a_child("101.00", n=2, replaces=1)
    assert spent([an_order(Side.BUY, "100", replaced, moved)], NOON) == 10_100


@pytest.mark.parametrize(
    ("late", "found"),
    [
        ({"unsettled": D(1)}, Funding.WAITS_FOR_BALANCE),
        ({"freed": D(1)}, Funding.WAITS_FOR_BALANCE),
        ({}, Funding.SCALED),
    ],
)
def test_a_request_waits_for_what_was_spent_or_freed(late: dict[str, Any], found: Funding) -> None:
    request = FundingRequest(needs=(BAC,), spendable=D(1_399), expected_from_sells=D(0), **late)
    (grant,) = decide_funding(request).grants
    assert grant.funding is found


def test_a_smaller_buy_waits_while_a_bigger_one_waits_for_the_balance() -> None:
    """AAPL's rest of 1,000 waits for 600 that were just freed: the 500 that are there are not spent meanwhile."""
    ko = Need(symbol="KO", qty=D(100), worst_price=D(50))
    grants = grant_cash([BIG, ko], D(500), D(0), freed=D(600))
    assert [(grant.funding, grant.qty) for grant in grants] == [(Funding.WAITS_FOR_BALANCE, D(0))] * 2


def test_a_buy_that_late_dollars_would_not_pay_for_takes_what_is_there() -> None:
    (grant,) = grant_cash([BIG], D(500), D(0), freed=D(400))
    assert (grant.funding, grant.qty) == (Funding.SCALED, D(2))
