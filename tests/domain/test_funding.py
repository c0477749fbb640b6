"""Funding: the allocation of cash to buys."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from repeg.domain import funding
from repeg.domain.balance_lag import spent
from repeg.domain.child_order import Child, ChildState
from repeg.domain.funding import Funding, Grant, Need, grant_cash
from repeg.domain.outcome import HoldReason, Outcome
from repeg.domain.quote import Side
from tests.builders import NOON, a_child, a_quote, an_order

D = Decimal


def need(symbol: str, qty: str, price: str, least: str | None = None) -> Need:
    return Need(symbol=symbol, qty=D(qty), worst_price=D(price), least=None if least is None else D(least))


def summarised(grants: list[Grant]) -> list[tuple[str, str, int]]:
    return [(grant.symbol, str(grant.funding), int(grant.qty)) for grant in grants]


AAPL = need("AAPL", "100", "200")  # 20,000 dollars
KO = need("KO", "100", "60")  # 6,000 dollars
BAC = need("BAC", "100", "14")  # 1,400 dollars


def test_affordable_buys_are_funded_largest_first() -> None:
    assert summarised(grant_cash([BAC, AAPL, KO], D(27_400), D(0))) == [
        ("AAPL", "funded", 100),
        ("KO", "funded", 100),
        ("BAC", "funded", 100),
    ]


def test_the_smallest_buy_is_scaled_if_cash_is_short() -> None:
    assert summarised(grant_cash([BAC, AAPL, KO], D(27_399), D(0)))[-1] == ("BAC", "scaled", 99)


def test_a_buy_without_cash_for_one_share_is_unfunded() -> None:
    assert summarised(grant_cash([AAPL, KO, BAC], D(20_059), D(0))) == [
        ("AAPL", "funded", 100),
        ("KO", "unfunded", 0),
        ("BAC", "scaled", 4),
    ]


def test_buys_without_cash_are_unfunded() -> None:
    assert summarised(grant_cash([BAC], D(0), D(0))) == [("BAC", "unfunded", 0)]
    assert summarised(grant_cash([BAC], D(-500), D(0))) == [("BAC", "unfunded", 0)]


def test_a_buy_waits_for_a_balance_that_may_pay_for_it() -> None:
    """20,000 dollars were bought a moment ago, and have been taken off the balance: they may be missing already."""
    assert summarised(grant_cash([AAPL], D(5_000), D(0), D(20_000))) == [("AAPL", "waits_for_balance", 0)]
    assert summarised(grant_cash([KO], D(6_000), D(0), D(20_000))) == [("KO", "funded", 100)]


def test_a_buy_that_no_balance_pays_for_is_scaled_at_once() -> None:
    assert summarised(grant_cash([AAPL], D(5_000), D(0), D(14_999))) == [("AAPL", "scaled", 25)]


def test_an_unaffordable_buy_waits_for_open_sells() -> None:
    assert summarised(grant_cash([AAPL], D(10_000), D(15_000))) == [("AAPL", "waits_for_sells", 0)]


def test_a_buy_is_placed_in_part_while_sells_bring_the_rest() -> None:
    half = need("AAPL", "100", "200", "50")
    assert summarised(grant_cash([half], D(10_000), D(15_000))) == [("AAPL", "in_part", 50)]
    assert summarised(grant_cash([half], D(15_199), D(15_000))) == [("AAPL", "in_part", 75)]
    assert summarised(grant_cash([half], D(9_999), D(15_000))) == [("AAPL", "waits_for_sells", 0)]


def test_a_part_leaves_the_rest_of_its_buy_waiting_for_the_sells() -> None:
    """AAPL takes 10,000 dollars and needs 10,000 more, which is all that the sells bring."""
    part = ("AAPL", "in_part", 50)
    needs = [need("AAPL", "100", "200", "50"), need("BAC", "1", "14")]
    assert summarised(grant_cash(needs, D(10_014), D(10_000))) == [part, ("BAC", "funded", 1)]
    assert summarised(grant_cash(needs, D(10_014), D(9_999))) == [part, ("BAC", "waits_for_sells", 0)]


def test_a_smaller_buy_passes_a_waiting_one_if_sells_cover_both() -> None:
    waiting = ("AAPL", "waits_for_sells", 0)
    assert summarised(grant_cash([AAPL, KO], D(10_000), D(16_000))) == [waiting, ("KO", "funded", 100)]
    assert summarised(grant_cash([AAPL, KO], D(10_000), D(15_999))) == [waiting, ("KO", "waits_for_sells", 0)]


def test_the_rest_of_a_larger_buy_waits_before_smaller_ones() -> None:
    """40 of 100 AAPL are open and paid for: 60 more, 12,000 dollars, come before 100 KO at 60."""
    rest = need("AAPL", "60", "200").model_copy(update={"place": D(20_000)})
    assert summarised(grant_cash([KO], D(7_000), D(10_999), rests=[rest])) == [("KO", "waits_for_sells", 0)]
    assert summarised(grant_cash([KO], D(7_000), D(11_000), rests=[rest])) == [("KO", "funded", 100)]
    assert summarised(grant_cash([KO], D(15_000), D(0), rests=[rest])) == [("KO", "scaled", 50)]
    assert summarised(grant_cash([KO], D(12_000), D(0), rests=[rest])) == [("KO", "unfunded", 0)]


def test_the_rest_of_a_smaller_buy_leaves_the_cash_to_a_larger_one() -> None:
    rest = need("BAC", "60", "14").model_copy(update={"place": D(1_400)})
    assert summarised(grant_cash([KO], D(6_000), D(0), rests=[rest])) == [("KO", "funded", 100)]


def test_a_buy_that_is_nearly_filled_keeps_its_place() -> None:
    left = need("AAPL", "10", "200").model_copy(update={"place": D(20_000)})
    assert summarised(grant_cash([KO, left], D(2_000), D(0))) == [("AAPL", "funded", 10), ("KO", "unfunded", 0)]


def test_a_funded_buy_reduces_the_cash_for_the_next() -> None:
    grants = grant_cash([AAPL, KO, BAC], D(10_000), D(17_399))
    assert summarised(grants) == [("AAPL", "waits_for_sells", 0), ("KO", "funded", 100), ("BAC", "waits_for_sells", 0)]


def test_equal_buys_are_ordered_by_symbol() -> None:
    twins = [need("B", "1", "10"), need("A", "1", "10")]
    assert [grant.symbol for grant in grant_cash(twins, D(10), D(0))] == ["A", "B"]


ROWS = st.tuples(st.integers(1, 500), st.integers(1, 50_000), st.none() | st.integers(1, 500))
NEEDS = st.lists(ROWS, min_size=1, max_size=8, unique=True).map(
    lambda rows: [
        need(f"S{i}", str(qty), str(D(price) / 100), None if least is None else str(min(least, qty)))
        for i, (qty, price, least) in enumerate(rows)
    ]
)
DOLLARS = st.integers(-100_000, 20_000_000).map(lambda n: D(n) / 100)
PROCEEDS = st.just(D(0)) | st.integers(1, 20_000_000).map(lambda n: D(n) / 100)


@given(NEEDS, DOLLARS, PROCEEDS, PROCEEDS)
def test_grants_never_cost_more_than_the_cash(needs: list[Need], cash: Decimal, sells: Decimal, late: Decimal) -> None:
    price = {n.symbol: n.worst_price for n in needs}
    spent = sum((grant.qty * price[grant.symbol] for grant in grant_cash(needs, cash, sells, late)), D(0))
    assert spent <= max(cash, D(0))


@given(NEEDS, DOLLARS, PROCEEDS)
def test_each_need_gets_one_grant_of_at_most_its_quantity(needs: list[Need], cash: Decimal, sells: Decimal) -> None:
    grants = grant_cash(needs, cash, sells)
    wanted, least = {n.symbol: n.qty for n in needs}, {n.symbol: n.least for n in needs}
    assert [grant.symbol for grant in grants] == [n.symbol for n in sorted(needs, key=lambda n: (-n.cost, n.symbol))]
    for grant in grants:
        assert 0 <= grant.qty <= wanted[grant.symbol]
        assert (grant.qty == wanted[grant.symbol]) is (grant.funding is Funding.FUNDED)
        assert (grant.qty == 0) is (grant.funding in {Funding.UNFUNDED, Funding.WAITS_FOR_SELLS})
        assert sells == 0 or grant.funding in {Funding.FUNDED, Funding.IN_PART, Funding.WAITS_FOR_SELLS}
        assert sells > 0 or grant.funding not in {Funding.IN_PART, Funding.WAITS_FOR_SELLS}
        assert grant.funding is not Funding.IN_PART or grant.qty >= (least[grant.symbol] or 0)


@given(NEEDS, DOLLARS, PROCEEDS)
def test_a_waiting_buy_keeps_its_cash_from_smaller_ones(needs: list[Need], cash: Decimal, sells: Decimal) -> None:
    """A smaller funded buy leaves enough cash and expected proceeds for every larger waiting one."""
    price, cost = {n.symbol: n.worst_price for n in needs}, {n.symbol: n.cost for n in needs}
    left, waiting = cash + sells, D(0)
    for grant in grant_cash(needs, cash, sells):
        granted = grant.qty * price[grant.symbol]
        left -= granted
        assert grant.qty == 0 or left >= waiting
        if grant.funding in {Funding.IN_PART, Funding.WAITS_FOR_SELLS}:
            waiting += cost[grant.symbol] - granted


@given(NEEDS, DOLLARS)
def test_a_scaled_buy_leaves_less_than_one_share_unspent(needs: list[Need], cash: Decimal) -> None:
    price = {n.symbol: n.worst_price for n in needs}
    left = cash
    for grant in grant_cash(needs, cash, D(0)):
        left -= grant.qty * price[grant.symbol]
        assert grant.funding not in {Funding.SCALED, Funding.UNFUNDED} or left < price[grant.symbol]


def test_the_worst_price_is_the_collar_if_there_is_one() -> None:
    """Otherwise it is the far side, or without a quote the price at planning."""
    fresh = an_order(collar=None, reference_price=D("99.00"))
    assert funding.worst_price(an_order(), a_quote()) == D("105.00")
    assert funding.worst_price(fresh, a_quote()) == D("100.05")
    assert funding.worst_price(fresh, a_quote("107", "0")) == D("99.00")
    assert funding.worst_price(fresh, None) == D("99.00")


def test_headroom_is_the_possible_cost_of_open_buys_above_their_limits() -> None:
    working = an_order(Side.BUY, "100", a_child("100.00", filled="40"))  # 60 shares, five dollars each
    sell = an_order(Side.SELL, "100", a_child("100.00"))
    at_market = an_order(Side.BUY, "100", a_child(None))
    closed = an_order(Side.BUY, "100", a_child("100.00", state=ChildState.CANCELED))
    assert funding.headroom([working, sell, at_market, closed]) == 300
    assert funding.headroom([an_order(Side.BUY, "100", a_child("105.00"))]) == 0


def test_expected_proceeds_of_sells_are_valued_at_their_collars() -> None:
    working = an_order(Side.SELL, "100", a_child(filled="40"))
    over = an_order(Side.SELL, "100").done(Outcome.HELD_WIDE, "wide")
    assert funding.expected_from_sells([working, over, an_order(Side.BUY)]) == 60 * D("95.00")


def test_a_sell_whose_shares_are_not_there_brings_nothing() -> None:
    missing = an_order(Side.SELL, "100").on_hold(HoldReason.NOT_HELD, NOON)
    wide = an_order(Side.SELL, "100").on_hold(HoldReason.WIDE, NOON)
    assert funding.expected_from_sells([missing, wide]) == funding.expected_from_sells([wide]) > 0


def test_an_in_flight_buy_needs_all_of_its_worst_cost() -> None:
    """The broker may not have it, and may then have reserved nothing for it."""
    in_flight = an_order(Side.BUY, "100", a_child("100.00", qty="100", state=ChildState.UNKNOWN), collar=D("105.00"))
    assert funding.headroom([in_flight]) == 10_500


def test_an_in_flight_market_buy_needs_what_it_may_cost_beyond_the_collar() -> None:
    sent = a_child(None, qty="100", state=ChildState.UNKNOWN).model_copy(update={"notional": D("10800")})
    assert funding.headroom([an_order(Side.BUY, "100", sent, collar=D("105.00"))]) == 10_800


def test_a_cancel_in_flight_needs_all_of_a_buys_worst_cost() -> None:
    """The broker may have released its cash already."""
    cancelling = an_order(Side.BUY, "100", a_child("100.00", filled="40", state=ChildState.CANCELLING))
    assert funding.headroom([cancelling]) == 60 * 105


def test_a_resting_buy_without_a_collar_needs_no_headroom() -> None:
    assert funding.headroom([an_order(Side.BUY, "100", a_child("100.00"), collar=None)]) == 0


def test_an_order_and_its_replacement_need_the_larger_headroom_once() -> None:
    """Only one of the two can fill."""
    old, new = a_child("100.00"), a_child("102.00", n=2)
    assert funding.headroom([an_order(Side.BUY, "100", old, new)]) == 500
    assert funding.headroom([an_order(Side.BUY, "100", new, old)]) == 500


def test_a_resting_buy_at_a_limit_past_its_collar_needs_no_headroom() -> None:
    assert funding.headroom([an_order(Side.BUY, "100", a_child("106.00"))]) == 0


def test_a_sell_in_flight_needs_no_headroom() -> None:
    assert funding.headroom([an_order(Side.SELL, "100", a_child(state=ChildState.UNKNOWN))]) == 0


def test_a_far_side_of_less_than_a_dollar_is_a_worst_price() -> None:
    fresh = an_order(collar=None, reference_price=D("0.99"))
    assert funding.worst_price(fresh, a_quote("0.40", "0.41")) == D("0.41")


def test_a_decision_on_funding_has_a_grant_for_each_need() -> None:
    request = funding.FundingRequest(needs=(BAC, KO), spendable=D(6_500), expected_from_sells=D(0))
    assert summarised(list(funding.decide_funding(request).grants)) == [("KO", "funded", 100), ("BAC", "scaled", 35)]


# What the balance may not show yet


def late(*children: Child, side: Side = Side.BUY) -> Decimal:
    """Dollars that the balance may not show at noon of an order of these children."""
    return spent([an_order(side, "100", *children)], NOON)


def sent(child: Child, seconds: int) -> Child:
    """A child that was sent that many seconds before noon."""
    return child.model_copy(update={"decided_at": NOON - timedelta(seconds=seconds)})


def test_a_buy_sent_in_the_last_ten_seconds_may_not_be_in_the_balance() -> None:
    assert late(sent(a_child("100.00"), 10)) == 10_000
    assert late(sent(a_child("100.00"), 11)) == 0
    assert late(sent(a_child("100.00"), 1), side=Side.SELL) == 0


def test_a_fill_of_an_order_that_the_balance_shows_changes_nothing() -> None:
    assert late(sent(a_child("100.00", filled="60"), 300)) == 0
    assert late(sent(a_child("100.00", filled="60", state=ChildState.CANCELED), 300)) == 0


def test_a_fill_of_an_order_sent_in_the_last_ten_seconds_counts() -> None:
    assert late(sent(a_child("100.00", filled="60", state=ChildState.CANCELED), 2)) == 6_000


def test_a_replaced_order_needs_what_its_successor_costs_more() -> None:
    """A balance that lags shows the older child, and one that does not shows the successor."""
    older = sent(a_child("100.00", filled="60", state=ChildState.CANCELED), 300)
    assert late(older, sent(a_child("100.00", qty="40", n=2, replaces=1), 2)) == 0
    assert late(older, sent(a_child("100.10", qty="40", n=2, replaces=1), 2)) == 4
    assert late(older, sent(a_child("99.00", qty="40", n=2, replaces=1), 2)) == 0


@pytest.mark.parametrize("state", [ChildState.CANCELED, ChildState.REJECTED])
def test_an_order_that_was_cancelled_and_sent_again_needs_all_of_its_cash(state: ChildState) -> None:
    """A balance of the moment in between shows neither, and none shows an order that was refused or never left."""
    older = sent(a_child("100.00", filled="60", state=state), 300)
    assert late(older, sent(a_child("100.10", qty="40", n=2), 2)) == 4_004


def test_an_order_that_moved_twice_counts_once() -> None:
    moved = sent(a_child("100.00", state=ChildState.CANCELED), 8)
    assert late(moved, sent(a_child("101.00", n=2), 2)) == 10_100


def test_the_next_piece_after_one_that_has_filled_counts_in_full() -> None:
    piece = sent(a_child("100.00", filled="100", state=ChildState.FILLED), 60)
    assert late(piece, sent(a_child("100.00", n=2), 2)) == 10_000


def test_a_market_order_counts_with_the_most_that_it_may_cost() -> None:
    assert late(sent(a_child(None, notional="10500"), 1)) == 10_500


def test_a_buy_that_the_headroom_counts_is_not_counted_again() -> None:
    for state in (ChildState.UNKNOWN, ChildState.CANCELLING):
        assert late(sent(a_child("100.00", filled="10", state=state), 1)) == 1_000
