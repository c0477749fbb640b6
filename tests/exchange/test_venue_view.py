"""One venue's view of a day: never better than the national best, and as often at it as asked."""

from datetime import date

import numpy as np
import pytest

from repeg_workbench.exchange.market.generated import GeneratedMarket
from repeg_workbench.exchange.market.symbol_day import SymbolDay
from repeg_workbench.exchange.market.venue_market import VenueMarket
from repeg_workbench.exchange.market.venue_view import IEX, VOLUME, Presence, presence_of, venue_view
from repeg_workbench.exchange.time.calendar import NANOSECONDS
from tests.replay.hand_made import a_day

MONDAY = date(2026, 11, 23)
REGIMES = ("BAC", "AIG", "IBM", "JNJ", "AMZN", "GOOG")


def generated(symbol: str) -> SymbolDay:
    day = GeneratedMarket(3, activity=0.1).day(symbol, MONDAY)
    assert day is not None
    return day


def at_best(day: SymbolDay, view: SymbolDay) -> float:
    """The share of seconds in which the venue is at the national best on both sides, from the open on."""
    seconds = np.arange(day.quotes.ts[0] + 300 * NANOSECONDS, day.quotes.ts[-1], NANOSECONDS)
    theirs = day.quotes.where(np.ones(len(day.quotes), np.bool_))
    national = theirs.ts.searchsorted(seconds, side="right") - 1
    alone = view.quotes.ts.searchsorted(seconds, side="right") - 1
    same = (theirs.bid[national] == view.quotes.bid[alone]) & (theirs.ask[national] == view.quotes.ask[alone])
    return float(same.mean())


@pytest.mark.parametrize("symbol", REGIMES)
def test_the_venue_is_never_better_than_the_national_best(symbol: str) -> None:
    day = generated(symbol)
    view = venue_view(day, presence_of(day), 1)
    row = day.quotes.ts.searchsorted(view.quotes.ts, side="right") - 1
    bid, ask = day.quotes.bid[row], day.quotes.ask[row]
    assert (view.quotes.bid <= bid).all()
    assert ((view.quotes.ask >= ask) | (view.quotes.ask == 0)).all()
    is_joint = (view.quotes.bid == bid) & (bid > 0)
    assert (view.quotes.bid_size[is_joint] <= day.quotes.bid_size[row][is_joint]).all()


def test_over_the_regimes_the_venue_is_at_the_best_for_29_percent_of_the_day() -> None:
    shares = [at_best(day, venue_view(day, presence_of(day), 1)) for day in map(generated, REGIMES)]
    assert np.mean(shares) == pytest.approx(0.29, abs=0.03)
    assert shares[0] > shares[3] > shares[5]


@pytest.mark.parametrize("permille", [100, 500, 900])
def test_a_given_presence_is_kept(permille: int) -> None:
    day = generated("GOOG")
    assert at_best(day, venue_view(day, Presence(permille, VOLUME), 1)) == pytest.approx(permille / 1_000, abs=0.1)


def test_the_venue_has_its_part_of_the_shares_traded() -> None:
    day = generated("IBM")
    view = venue_view(day, Presence(290, 100), 1)
    assert view.trades.size.sum() / day.trades.size.sum() == pytest.approx(0.1, abs=0.03)
    assert (view.trades.venue == IEX).all()
    assert set(view.trades.ts.tolist()) <= set(day.trades.ts[day.trades.lit].tolist())


def test_a_side_is_sometimes_empty_and_sometimes_dollars_away_for_a_moment() -> None:
    day = generated("JNJ")
    quotes = venue_view(day, presence_of(day), 1).quotes
    national = day.quotes.bid[day.quotes.ts.searchsorted(quotes.ts, side="right") - 1]
    empty, away = quotes.bid == 0, (quotes.bid > 0) & (quotes.bid < national - 5_000)
    lasted = np.diff(quotes.ts, append=quotes.ts[-1])
    for flicker in (empty, away):
        assert 0.005 < lasted[flicker].sum() / lasted.sum() < 0.1


def test_a_bid_that_was_left_behind_stays_until_the_market_comes_to_it() -> None:
    climbing = [(float(second), 1000 + second, 300, 1004 + second, 300) for second in range(2_000)]
    quotes = venue_view(a_day(climbing), Presence(0, VOLUME), 4).quotes
    moves = np.diff(quotes.bid[quotes.bid > 0])
    lasted = np.diff(quotes.ts)
    assert (lasted > 3 * NANOSECONDS).any()
    assert (moves != 0).sum() < 1_500


def test_the_view_is_a_function_of_seed_symbol_and_day() -> None:
    day = generated("AIG")
    one, same, other = (venue_view(day, presence_of(day), seed) for seed in (1, 1, 2))
    assert one.quotes.ts.tolist() == same.quotes.ts.tolist()
    assert one.quotes.ts.tolist() != other.quotes.ts.tolist()


def test_a_venues_market_has_the_listings_days_and_closes_of_the_market() -> None:
    market = GeneratedMarket(3, activity=0.1)
    shown = VenueMarket(market, 1)
    assert (shown.symbols(), shown.days()) == (market.symbols(), None)
    assert shown.listing("AIG") == market.listing("AIG")
    assert shown.reference_price("AIG", MONDAY) == market.reference_price("AIG", MONDAY)
    assert shown.day("ZZZ", MONDAY) is None
    assert shown.day("AIG", MONDAY) is shown.day("AIG", MONDAY)
