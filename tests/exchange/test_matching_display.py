"""The displayed book: the tape plus our displayed orders, minus the size that we took."""

from datetime import date
from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from repeg_workbench.exchange.market.scripted import Event, ScriptedMarket, quote, trade
from repeg_workbench.exchange.market.symbol_day import SymbolDay
from repeg_workbench.exchange.matching.symbol_book import BookOrder, BookQuote, FillModel, SymbolBook
from repeg_workbench.exchange.time.calendar import new_york
from repeg_workbench.exchange.units import to_price, to_qty
from tests.exchange.matching_tapes import END, MIDDLE, SHARE, TICK, Action, tapes, traffic

DAY = date(2025, 6, 3)
START = quote("09:30", "500 @ 189.40", "300 @ 189.44")


def book(*events: Event) -> SymbolBook:
    day = ScriptedMarket({DAY: {"AAPL": list(events)}}).day("AAPL", DAY)
    assert day is not None
    return SymbolBook(day)


def at(clock: str) -> int:
    return new_york(DAY, clock)


def buy(shares: str, dollars: str, name: str = "ours", *, displayed: bool = True) -> BookOrder:
    return BookOrder(name, 1, to_price(Decimal(dollars)), to_qty(Decimal(shares)), displayed)


def shown(ours: SymbolBook, clock: str) -> BookQuote:
    found = ours.quote(at(clock))
    assert found is not None
    return found


def test_a_book_has_no_quote_before_the_first() -> None:
    assert book(START).quote(at("09:29:59.999999999")) is None


def test_the_last_quote_stays_in_force_whatever_its_age() -> None:
    assert shown(book(START), "15:59") == BookQuote(at("09:30"), 1_894_000, 500, 1_894_400, 300, "N", "N")


def test_an_absent_side_is_displayed_as_zero() -> None:
    one_sided = shown(book(quote("09:30", "500 @ 189.40", None)), "09:31")
    assert (one_sided.ask, one_sided.ask_size) == (0, 0)


def test_a_better_price_of_ours_is_the_best_and_dates_the_quote() -> None:
    ours = book(START)
    ours.enter(buy("100", "189.41"), at("09:31"))
    best = shown(ours, "09:32")
    assert (best.at, best.bid, best.bid_size) == (at("09:31"), 1_894_100, 100)


def test_our_whole_shares_at_the_same_price_add_to_the_size() -> None:
    ours = book(START)
    ours.enter(buy("100.75", "189.40"), at("09:31"))
    assert shown(ours, "09:32").bid_size == 600


def test_less_than_a_share_is_never_displayed() -> None:
    ours = book(START)
    ours.enter(buy("0.9", "189.41"), at("09:31"))
    assert shown(ours, "09:32").bid == 1_894_000


def test_a_hidden_order_is_not_displayed() -> None:
    ours = book(START)
    ours.enter(buy("100", "189.41", displayed=False), at("09:31"))
    assert shown(ours, "09:32").bid == 1_894_000


def test_the_tape_without_us_can_be_read_at_any_instant() -> None:
    ours = book(START, quote("09:40", "500 @ 189.50", "300 @ 189.54"))
    ours.enter(buy("100", "189.41"), at("09:31"))
    ours.advance(at("09:41"))
    plain = ours.quote(at("09:32"), include_ours=False)
    assert plain is not None
    assert (plain.at, plain.bid) == (at("09:30"), 1_894_000)


def test_a_removed_order_leaves_the_quote_at_once() -> None:
    ours = book(START)
    ours.enter(buy("100", "189.41"), at("09:31"))
    ours.remove("ours", at("09:32"))
    after = shown(ours, "09:33")
    assert (after.at, after.bid, after.bid_size) == (at("09:32"), 1_894_000, 500)


def test_size_that_we_took_is_no_longer_displayed() -> None:
    ours = book(START)
    ours.enter(buy("120", "189.44"), at("09:31"))
    assert shown(ours, "09:32").ask_size == 180


def test_an_offer_that_we_took_whole_is_replaced_by_the_next_level() -> None:
    ours = book(START, quote("09:33", "500 @ 189.40", "300 @ 189.43"))
    ours.enter(buy("300", "189.44"), at("09:31"))
    assert shown(ours, "09:32").ask == 1_894_500
    assert shown(ours, "09:33").ask == 1_894_300


def test_the_last_trade_is_the_last_print_of_any_venue() -> None:
    ours = book(START, trade("09:31", "100 @ 189.42", venue="D", lit=False), trade("09:33", "5 @ 189.44"))
    assert ours.last_trade(at("09:30:30")) is None
    assert ours.last_trade(at("09:32")) == (at("09:31"), 1_894_200, 100, "D")


@given(day=tapes(), actions=traffic())
def test_our_best_displayed_order_is_always_in_the_quote(day: SymbolDay, actions: list[Action]) -> None:
    ours = SymbolBook(day, FillModel.QUEUE)
    orders: dict[str, BookOrder] = {}
    for action in actions:
        if action.order:
            order = action.new_order()
            orders[order.id] = order
            ours.enter(order, action.at)
        else:
            ours.remove(f"order-{action.number}", action.at)
            del orders[f"order-{action.number}"]
        found = ours.quote(action.at)
        if found is None or any(start <= action.at for start, _ in day.halts):
            continue
        for side, price in ((1, found.bid), (-1, found.ask)):
            best = [side * order.limit for order in orders.values() if _is_shown(order, side) and order.limit]
            assert not best or (price and side * price >= max(best))


@given(day=tapes(), limit=st.integers(-3, 3), shares=st.integers(1, 9), moment=st.integers(0, 60))
def test_a_single_order_changes_the_quote_only_by_its_own_size(
    day: SymbolDay, limit: int, shares: int, moment: int
) -> None:
    ours = SymbolBook(day, FillModel.TRADE_THROUGH)
    order = BookOrder("ours", 1, MIDDLE + limit * TICK, shares * SHARE)
    ours.enter(order, 0)
    tape, found = ours.quote(moment, include_ours=False), ours.quote(moment)
    if tape is None or found is None or order.remaining != shares * SHARE or day.halts:
        return
    assert (found.ask, found.ask_size) == (tape.ask, tape.ask_size)
    joined = tape.bid_size + shares if tape.bid == order.limit else shares
    expected = (order.limit, joined) if tape.bid <= (order.limit or 0) else (tape.bid, tape.bid_size)
    assert (found.bid, found.bid_size) == expected
    assert ours.remove("ours", END) <= shares * SHARE


def _is_shown(order: BookOrder, side: int) -> bool:
    return order.side == side and order.limit is not None and order.remaining >= SHARE
