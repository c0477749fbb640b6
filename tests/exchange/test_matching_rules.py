"""The fill rules, each on a book of a few lines."""

from datetime import date
from decimal import Decimal

import pytest

from repeg_workbench.exchange.market.scripted import Event, ScriptedMarket, halt, quote, trade
from repeg_workbench.exchange.market.symbol_day import SymbolDay
from repeg_workbench.exchange.matching.symbol_book import BookOrder, Fill, FillModel, SymbolBook
from repeg_workbench.exchange.time.calendar import new_york
from repeg_workbench.exchange.units import to_price, to_qty

DAY = date(2025, 6, 3)
START = quote("09:30", "500 @ 189.40", "300 @ 189.44")
BUY, SELL = 1, -1


def book(*events: Event, model: FillModel = FillModel.QUEUE) -> SymbolBook:
    day = ScriptedMarket({DAY: {"AAPL": list(events)}}).day("AAPL", DAY)
    assert day is not None
    return SymbolBook(day, model)


def at(clock: str) -> int:
    return new_york(DAY, clock)


def order(side: int, shares: str, dollars: str | None, name: str = "ours", *, displayed: bool = True) -> BookOrder:
    limit = None if dollars is None else to_price(Decimal(dollars))
    return BookOrder(name, side, limit, to_qty(Decimal(shares)), displayed)


def summarised(fills: list[Fill]) -> list[tuple[str, str]]:
    """Fills as shares and dollars."""
    return [(f"{fill.quantity / 1e9:g}", f"{fill.price / 1e4:.2f}") for fill in fills]


def test_a_marketable_buy_pays_the_ask_and_not_its_limit() -> None:
    assert summarised(book(START).enter(order(BUY, "100", "190.00"), at("09:31"))) == [("100", "189.44")]


def test_a_large_marketable_buy_takes_the_touch_and_one_level_worse() -> None:
    fills = book(START).enter(order(BUY, "400", "190.00"), at("09:31"))
    assert summarised(fills) == [("300", "189.44"), ("100", "189.45")]


def test_the_level_behind_a_wide_spread_is_a_third_of_it_away() -> None:
    wide = book(quote("09:30", "100 @ 570.00", "100 @ 570.25"))
    assert summarised(wide.enter(order(BUY, "150", None), at("09:31"))) == [("100", "570.25"), ("50", "570.33")]


def test_the_remainder_of_a_marketable_order_rests_at_its_limit() -> None:
    ours = book(START)
    assert summarised(ours.enter(order(BUY, "400", "189.44"), at("09:31"))) == [("300", "189.44")]
    shown = ours.quote(at("09:31"))
    assert shown is not None
    assert (shown.bid, shown.bid_size, shown.ask) == (1_894_400, 100, 1_894_500)


def test_a_displayed_size_taken_once_is_gone_until_the_quote_changes() -> None:
    ours = book(START, quote("09:32", "400 @ 189.40", "300 @ 189.44"), quote("09:33", "400 @ 189.40", "350 @ 189.44"))
    assert summarised(ours.enter(order(BUY, "300", "189.44", "first"), at("09:31"))) == [("300", "189.44")]
    assert ours.enter(order(BUY, "100", "189.44", "second"), at("09:31:30")) == []
    assert ours.advance(at("09:32:59")) == []
    assert summarised(ours.advance(at("09:33"))) == [("50", "189.44")]


def test_a_fraction_of_a_share_fills_like_any_other_quantity() -> None:
    assert summarised(book(START).enter(order(BUY, "0.5", "189.44"), at("09:31"))) == [("0.5", "189.44")]


def test_an_order_joining_the_bid_waits_for_the_displayed_size() -> None:
    ours = book(START, trade("09:32", "500 @ 189.40", side=-1), trade("09:33", "60 @ 189.40", side=-1))
    ours.enter(order(BUY, "100", "189.40"), at("09:31"))
    assert ours.advance(at("09:32:30")) == []
    assert summarised(ours.advance(at("09:34"))) == [("60", "189.40")]


def test_the_queue_ahead_never_exceeds_the_displayed_size() -> None:
    shrunk = quote("09:31:30", "100 @ 189.40", "300 @ 189.44")
    ours = book(START, shrunk, trade("09:32", "150 @ 189.40", side=-1))
    ours.enter(order(BUY, "100", "189.40"), at("09:31"))
    assert summarised(ours.advance(at("09:33"))) == [("50", "189.40")]


def test_an_improving_bid_is_first_in_line() -> None:
    ours = book(START, trade("09:32", "70 @ 189.41", side=-1))
    ours.enter(order(BUY, "100", "189.41"), at("09:31"))
    assert summarised(ours.advance(at("09:33"))) == [("70", "189.41")]


def test_a_bid_that_falls_below_us_leaves_us_first_in_line() -> None:
    fallen = quote("09:31:30", "500 @ 189.39", "300 @ 189.44")
    ours = book(START, fallen, trade("09:32", "30 @ 189.40", side=-1))
    ours.enter(order(BUY, "100", "189.40"), at("09:31"))
    assert summarised(ours.advance(at("09:33"))) == [("30", "189.40")]


def test_an_order_behind_the_bid_queues_when_the_bid_comes_down() -> None:
    behind: list[Event] = [trade("09:32", "900 @ 189.38", side=-1), quote("09:33", "200 @ 189.38", "300 @ 189.44")]
    ours = book(START, *behind, trade("09:34", "250 @ 189.38", side=-1))
    ours.enter(order(BUY, "100", "189.38"), at("09:31"))
    assert ours.advance(at("09:33:30")) == []
    assert summarised(ours.advance(at("09:35"))) == [("50", "189.38")]


@pytest.mark.parametrize(
    "printed",
    [
        pytest.param(trade("09:32", "900 @ 189.40", side=-1, venue="T"), id="on another venue"),
        pytest.param(trade("09:32", "900 @ 189.40", side=1), id="bought"),
        pytest.param(trade("09:32", "900 @ 189.40", side=-1, venue="D", lit=False), id="off exchange"),
        pytest.param(trade("09:32", "900 @ 189.42", side=-1), id="above us"),
    ],
)
def test_a_print_elsewhere_or_on_the_other_side_does_not_fill_us(printed: Event) -> None:
    ours = book(START, printed)
    ours.enter(order(BUY, "100", "189.40"), at("09:31"))
    assert ours.advance(at("09:35")) == []


def test_an_order_alone_at_the_best_price_takes_a_print_on_any_lit_venue() -> None:
    elsewhere = trade("09:32", "80 @ 189.41", side=-1, venue="T"), trade("09:33", "30 @ 189.41", venue="D", lit=False)
    ours = book(START, *elsewhere, trade("09:34", "9 @ 189.41", side=1, venue="T"))
    ours.enter(order(BUY, "100", "189.41"), at("09:31"))
    assert summarised(ours.advance(at("09:35"))) == [("80", "189.41")]


def test_an_order_that_others_have_joined_takes_prints_on_its_venue_only() -> None:
    joined: list[Event] = [quote("09:32", "200 @ 189.41", "300 @ 189.44")]
    ours = book(START, *joined, trade("09:33", "80 @ 189.41", side=-1, venue="T"))
    ours.enter(order(BUY, "100", "189.41"), at("09:31"))
    assert ours.advance(at("09:35")) == []


def test_without_order_protection_a_print_on_another_venue_does_not_fill() -> None:
    tape = book(START, trade("09:32", "80 @ 189.41", side=-1, venue="T"))._tape
    ours = SymbolBook(SymbolDay("IBM", DAY, tape.quotes, tape.trades), order_protection=False)
    ours.enter(order(BUY, "100", "189.41"), at("09:31"))
    assert ours.advance(at("09:35")) == []


def test_a_lit_print_through_our_limit_on_any_venue_fills_its_size() -> None:
    ours = book(START, trade("09:32", "80 @ 189.39", side=-1, venue="T"))
    ours.enter(order(BUY, "100", "189.40"), at("09:31"))
    assert summarised(ours.advance(at("09:35"))) == [("80", "189.40")]


def test_a_print_through_our_limit_off_exchange_never_fills() -> None:
    ours = book(START, trade("09:32", "80 @ 189.30", side=-1, venue="D", lit=False), model=FillModel.TOUCH)
    ours.enter(order(BUY, "100", "189.40"), at("09:31"))
    assert ours.advance(at("09:35")) == []


def test_an_ask_that_comes_down_to_our_bid_fills_us_at_our_limit() -> None:
    ours = book(START, quote("09:32", "500 @ 189.39", "80 @ 189.40"))
    ours.enter(order(BUY, "100", "189.40"), at("09:31"))
    assert summarised(ours.advance(at("09:33"))) == [("80", "189.40")]


def test_a_locked_market_fills_no_queued_order() -> None:
    ours = book(START, quote("09:32", "500 @ 189.40", "80 @ 189.40"))
    ours.enter(order(BUY, "100", "189.40"), at("09:31"))
    assert ours.advance(at("09:33")) == []


def test_an_unknown_aggressor_is_inferred_from_the_quote() -> None:
    ours = book(START, trade("09:32", "550 @ 189.40"), trade("09:33", "99 @ 189.42"))
    ours.enter(order(BUY, "100", "189.40"), at("09:31"))
    ours.enter(order(SELL, "100", "189.42", "theirs"), at("09:31"))
    assert summarised(ours.advance(at("09:34"))) == [("50", "189.40")]


def test_the_models_differ_on_a_print_at_the_touch() -> None:
    events = START, trade("09:32", "550 @ 189.40", side=-1)
    filled = {}
    for model in FillModel:
        ours = book(*events, model=model)
        ours.enter(order(BUY, "100", "189.40"), at("09:31"))
        filled[model.value] = summarised(ours.advance(at("09:33")))
    touched, queued = [("100", "189.40")], [("50", "189.40")]
    assert filled == {"trade_through": [], "queue": queued, "touch": touched, "paper": []}


def test_the_paper_engine_fills_any_size_at_the_quote_once_it_is_marketable() -> None:
    ours = book(START, quote("09:32", "500 @ 189.30", "1 @ 189.35"), model=FillModel.PAPER)
    ours.enter(order(BUY, "5000", "189.40"), at("09:31"))
    assert summarised(ours.advance(at("09:33"))) == [("5000", "189.35")]


def test_our_orders_share_a_print_by_price_and_then_time() -> None:
    ours = book(START, trade("09:32", "130 @ 189.40", side=-1))
    ours.enter(order(BUY, "50", "189.41", "second"), at("09:31"))
    ours.enter(order(BUY, "50", "189.41", "third"), at("09:31:10"))
    ours.enter(order(BUY, "50", "189.42", "first"), at("09:31:20"))
    fills = ours.advance(at("09:33"))
    assert [(fill.order_id, fill.quantity // 10**9) for fill in fills] == [("first", 50), ("second", 50), ("third", 30)]


def test_a_market_order_waits_for_a_far_side() -> None:
    ours = book(quote("09:30", "500 @ 189.40", None), quote("09:32", "500 @ 189.40", "60 @ 189.44"))
    assert ours.enter(order(BUY, "100", None), at("09:31")) == []
    assert ours.resting == 1
    assert summarised(ours.advance(at("09:33"))) == [("60", "189.44"), ("40", "189.45")]
    assert ours.resting == 0


def test_an_order_entered_in_a_halt_meets_the_first_quote_after_it() -> None:
    after = quote("09:40:01", "500 @ 188.00", "300 @ 188.04")
    ours = book(START, halt("09:35", "09:40"), after)
    ours.enter(order(BUY, "100", "189.44"), at("09:36"))
    assert ours.advance(at("09:40:00.5")) == []
    assert summarised(ours.advance(at("09:41"))) == [("100", "188.04")]


def test_the_quote_from_before_a_halt_fills_nothing_after_it() -> None:
    ours = book(START, halt("09:35", "09:40"), quote("09:40:01", "500 @ 189.00", "300 @ 189.60"))
    assert ours.enter(order(BUY, "100", "189.44"), at("09:40:00.5")) == []
    assert ours.advance(at("09:41")) == []


def test_removing_an_order_returns_its_remainder() -> None:
    ours = book(START, trade("09:32", "530 @ 189.40", side=-1))
    ours.enter(order(BUY, "100", "189.40"), at("09:31"))
    assert ours.remove("ours", at("09:33")) == to_qty(Decimal(70))
    assert ours.resting == 0
    assert summarised(ours.advance(at("09:34"))) == [("30", "189.40")]


def test_removing_a_complete_order_returns_zero() -> None:
    ours = book(START)
    ours.enter(order(BUY, "100", "189.44"), at("09:31"))
    assert ours.remove("ours", at("09:32")) == 0


def test_removing_an_unknown_order_is_refused() -> None:
    with pytest.raises(KeyError, match="theirs"):
        book(START).remove("theirs", at("09:32"))


@pytest.mark.parametrize(
    ("bad", "complaint"),
    [
        (BookOrder("ours", 0, 100, 1), "side 0"),
        (BookOrder("ours", 1, 0, 1), "limit 0"),
        (BookOrder("ours", 1, 100, 0), "nothing to execute"),
    ],
)
def test_a_malformed_order_is_refused(bad: BookOrder, complaint: str) -> None:
    with pytest.raises(ValueError, match=complaint):
        book(START).enter(bad, at("09:31"))


def test_entering_an_order_twice_is_refused() -> None:
    ours = book(START)
    ours.enter(order(BUY, "100", "189.40"), at("09:31"))
    with pytest.raises(ValueError, match="already in the book"):
        ours.enter(order(BUY, "100", "189.40"), at("09:32"))


def test_a_book_refuses_a_time_in_the_past() -> None:
    ours = book(START)
    ours.advance(at("09:32"))
    with pytest.raises(ValueError, match="cannot go back"):
        ours.advance(at("09:31"))


def test_a_book_has_no_fill_before_its_quiet_until_time() -> None:
    ours = book(START, trade("09:32", "10 @ 189.41", side=-1), trade("09:33", "10 @ 189.40", side=-1))
    ours.enter(order(BUY, "100", "189.40"), at("09:31"))
    assert ours.quiet_until == at("09:33")
