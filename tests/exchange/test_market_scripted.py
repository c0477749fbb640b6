"""Scripted markets."""

from datetime import date

import pytest

from repeg_workbench.exchange.market.scripted import Event, ScriptedMarket, halt, quote, trade
from repeg_workbench.exchange.market.symbol_day import Listing
from repeg_workbench.exchange.time.calendar import new_york

DAY, LATER = date(2025, 6, 3), date(2025, 6, 4)


def test_a_script_becomes_a_symbol_day() -> None:
    script: list[Event] = [
        quote("09:30", "500 @ 189.40", None),
        halt("10:00", "10:05"),
        trade("10:06", "100 @ 189.44", side=1, venue="D", lit=False),
    ]
    day = ScriptedMarket({DAY: {"AAPL": script}}).day("AAPL", DAY)
    assert day is not None
    assert (day.quotes.ts.tolist(), day.quotes.bid.tolist(), day.quotes.bid_size.tolist()) == (
        [new_york(DAY, "09:30")],
        [1_894_000],
        [500],
    )
    assert (day.quotes.ask.tolist(), day.quotes.ask_size.tolist()) == ([0], [0])
    assert (day.trades.price.tolist(), day.trades.side.tolist(), day.trades.lit.tolist()) == ([1_894_400], [1], [False])
    assert chr(day.trades.venue[0]) == "D"
    assert day.halts == ((new_york(DAY, "10:00"), new_york(DAY, "10:05")),)


def test_a_scripted_event_out_of_order_is_refused() -> None:
    script = [quote("09:31", "1 @ 10", "1 @ 11"), quote("09:30", "1 @ 10", "1 @ 11")]
    with pytest.raises(ValueError, match=r"KO 2025-06-03: the event at 09:30"):
        ScriptedMarket({DAY: {"KO": script}})


@pytest.mark.parametrize("text", ["300", "300 at 5", "x @ 5", "-1 @ 5"])
def test_a_scripted_side_is_written_as_shares_at_dollars(text: str) -> None:
    with pytest.raises(ValueError, match="shares @ dollars"):
        quote("09:30", text, None)


def test_an_unscripted_symbol_or_day_is_missing() -> None:
    market = ScriptedMarket({DAY: {"KO": [quote("09:30", "1 @ 10", "1 @ 11")]}})
    assert (market.day("KO", LATER), market.day("PEP", DAY), market.listing("PEP")) == (None, None, None)
    assert (market.symbols(), market.days()) == (("KO",), (DAY,))


def test_a_listing_can_be_given_even_without_a_script() -> None:
    market = ScriptedMarket({}, listings=[Listing("GONE", "Gone Inc.", tradable=False)])
    gone = market.listing("GONE")
    assert gone is not None
    assert not gone.tradable


def test_the_reference_price_is_given_or_yesterdays_last_or_todays_first() -> None:
    script: dict[date, dict[str, list[Event]]] = {
        DAY: {"KO": [quote("09:30", "1 @ 10.00", "1 @ 11.00"), trade("09:31", "5 @ 10.25")]},
        LATER: {"KO": [quote("09:30", "1 @ 12.00", "1 @ 13.00")]},
    }
    market = ScriptedMarket(script)
    assert [market.reference_price("KO", day) for day in (DAY, LATER)] == [105_000, 102_500]
    assert ScriptedMarket(script, reference_prices={"KO": "9.99"}).reference_price("KO", LATER) == 99_900
    assert market.reference_price("PEP", DAY) is None
