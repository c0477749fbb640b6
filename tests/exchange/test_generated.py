"""The generated market: the same seed gives the same bytes, and each regime stays within its measured bands."""

import hashlib
from dataclasses import dataclass, fields
from datetime import date

import numpy as np
import pytest

from repeg_workbench.exchange.market.generated import DEFAULT_UNIVERSE, GeneratedMarket, universe
from repeg_workbench.exchange.market.symbol_day import Flags, SymbolDay
from repeg_workbench.exchange.time.calendar import NANOSECONDS, TradingCalendar, nanoseconds, new_york
from repeg_workbench.exchange.units import tick_at

DAY = date(2025, 6, 3)
HALF_DAY = date(2024, 11, 29)
SEEDS = pytest.mark.parametrize("seed", [1, 2, 3])
ONE_TICK = ("BAC", "F", "T", "SPY", "AIG", "KO", "PFE")
FEW_TICKS = ("AAPL", "IBM", "JNJ", "MSFT")
THREE_TICKS = ("JNJ",)
WIDE = ("CAT", "AMZN")
VERY_WIDE = ("GOOG", "NFLX")
PINNED = ("BAC", "F", "T", "SPY")
EVERYBODY = tuple(instrument.listing.symbol for instrument in DEFAULT_UNIVERSE)


def made(symbol: str, seed: int = 1, day: date = DAY, activity: float = 0.25) -> SymbolDay:
    found = GeneratedMarket(seed, activity=activity).day(symbol, day)
    assert found is not None
    return found


@dataclass(frozen=True)
class Measured:
    """Time-weighted figures of a day's core session, comparable with the table of recordings."""

    day: SymbolDay

    def during(self, start: str, end: str) -> Flags:
        quotes = self.day.quotes
        span = (quotes.ts >= new_york(self.day.day, start)) & (quotes.ts < new_york(self.day.day, end))
        return span & (quotes.bid > 0) & (quotes.ask > 0)

    def spread_ticks(self) -> np.ndarray:
        tick = tick_at(int(self.day.quotes.ask.max()))
        return (self.day.quotes.ask - self.day.quotes.bid) // tick

    def share_of_time(self, ticks: int) -> float:
        core, lasted = self.during("09:30", "16:00"), np.diff(self.day.quotes.ts, append=self.day.quotes.ts[-1:])
        return float(lasted[core & (self.spread_ticks() == ticks)].sum() / lasted[core].sum())

    def median_spread(self) -> float:
        return float(np.median(self.spread_ticks()[self.during("09:35", "16:00")]))

    def opening_spread_ratio(self) -> float:
        return self.mean_spread("09:30", "09:35") / self.mean_spread("09:35", "16:00")

    def mean_spread(self, start: str, end: str) -> float:
        return float(np.average(self.spread_ticks()[self.during(start, end)]))

    def opening_volatility_ratio(self) -> float:
        return self.volatility("09:30:05", "09:35") / self.volatility("09:35", "16:00")

    def volatility(self, start: str, end: str) -> float:
        """Basis points per square root of a minute, from the mid each second."""
        quotes = self.day.quotes
        seconds = np.arange(new_york(self.day.day, start), new_york(self.day.day, end), NANOSECONDS)
        mids = ((quotes.bid + quotes.ask) / 2)[quotes.ts.searchsorted(seconds, side="right") - 1]
        return float(np.sqrt((np.diff(mids) ** 2).mean() * 60) / mids.mean() * 10_000)


@SEEDS
@pytest.mark.parametrize("symbol", ONE_TICK)
def test_a_one_tick_stock_is_nearly_always_one_tick_wide(symbol: str, seed: int) -> None:
    assert 0.955 <= Measured(made(symbol, seed)).share_of_time(1) <= 1.0


@SEEDS
@pytest.mark.parametrize(
    ("symbols", "low", "high"), [(ONE_TICK, 1, 1), (FEW_TICKS, 3, 5), (WIDE, 11, 14), (VERY_WIDE, 23, 29)]
)
def test_the_median_spread_is_as_measured(symbols: tuple[str, ...], low: int, high: int, seed: int) -> None:
    for symbol in symbols:
        assert low <= Measured(made(symbol, seed)).median_spread() <= high


@SEEDS
@pytest.mark.parametrize("symbol", FEW_TICKS)
def test_a_few_tick_stock_is_sometimes_one_and_often_two_ticks_wide(symbol: str, seed: int) -> None:
    measured = Measured(made(symbol, seed))
    assert 0.03 <= measured.share_of_time(1) <= 0.10
    low, high = (0.2, 0.32) if symbol in THREE_TICKS else (0.11, 0.26)
    assert low <= measured.share_of_time(2) <= high


@SEEDS
@pytest.mark.parametrize("symbol", [*FEW_TICKS, *WIDE, *VERY_WIDE, "AIG", "KO"])
def test_the_first_five_minutes_are_volatile(symbol: str, seed: int) -> None:
    measured = Measured(made(symbol, seed))
    assert 2.4 <= measured.opening_spread_ratio() <= 4.2
    assert 2.3 <= measured.opening_volatility_ratio() <= 5.4


@SEEDS
@pytest.mark.parametrize("symbol", FEW_TICKS)
def test_the_opening_volatility_decays_until_10_am(symbol: str, seed: int) -> None:
    measured = Measured(made(symbol, seed))
    quiet = measured.mean_spread("10:00", "15:45")
    assert 1.6 <= measured.mean_spread("09:35", "09:40") / quiet <= 3.2
    assert 1.0 <= measured.mean_spread("09:45", "10:00") / quiet <= 2.0


@SEEDS
@pytest.mark.parametrize("symbol", PINNED)
def test_a_pinned_stock_keeps_its_spread_but_not_its_price(symbol: str, seed: int) -> None:
    measured = Measured(made(symbol, seed))
    assert 0.8 <= measured.opening_spread_ratio() <= 1.1
    assert measured.opening_volatility_ratio() >= 1.4


@pytest.mark.parametrize(
    ("symbol", "low", "high"), [("BAC", 45_000, 95_000), ("SPY", 4_000, 7_500), ("AIG", 800, 1_500), ("IBM", 150, 300)]
)
def test_queues_are_as_long_as_measured(symbol: str, low: int, high: int) -> None:
    quotes = made(symbol).quotes
    assert low <= np.median(quotes.bid_size[quotes.bid > 0]) <= high


@pytest.mark.parametrize("symbol", WIDE + VERY_WIDE)
def test_a_wide_stock_quotes_odd_lots_a_fifth_of_the_time(symbol: str) -> None:
    sizes = made(symbol).quotes.bid_size
    assert np.median(sizes) == 100
    assert 0.15 <= (sizes < 100).mean() <= 0.32


@pytest.mark.parametrize(("symbol", "per_second"), [("BAC", 11.7), ("IBM", 2.4), ("AMZN", 2.5), ("GOOG", 2.1)])
def test_full_activity_has_the_measured_rate_of_updates(symbol: str, per_second: float) -> None:
    rate = len(made(symbol, activity=1.0).quotes) / 23_400
    assert 0.85 * per_second <= rate <= 1.15 * per_second


@pytest.mark.parametrize("symbol", ["BAC", "IBM", "AMZN"])
def test_activity_thins_the_updates_of_sizes_and_nothing_else(symbol: str) -> None:
    busy, calm = made(symbol, activity=1.0), made(symbol, activity=0.1)
    assert len(busy.quotes) > 1.2 * len(calm.quotes)
    assert changes(busy) == changes(calm)
    for field in fields(busy.trades):
        assert (getattr(busy.trades, field.name) == getattr(calm.trades, field.name)).all()


def changes(day: SymbolDay) -> list[tuple[int, int]]:
    """The touch from 9:31 on whenever a price of it changes."""
    quotes = day.quotes
    moved = (np.diff(quotes.bid, prepend=0) != 0) | (np.diff(quotes.ask, prepend=0) != 0)
    moved &= quotes.ts >= new_york(day.day, "09:31")
    return list(zip(quotes.bid[moved].tolist(), quotes.ask[moved].tolist(), strict=True))


@SEEDS
@pytest.mark.parametrize("symbol", EVERYBODY)
def test_every_day_is_well_formed(symbol: str, seed: int) -> None:
    day = made(symbol, seed, activity=0.1)
    quotes, trades = day.quotes, day.trades
    tick = tick_at(DEFAULT_UNIVERSE[EVERYBODY.index(symbol)].price)
    both = (quotes.bid > 0) & (quotes.ask > 0)
    assert (np.diff(quotes.ts) >= 0).all()
    assert (np.diff(trades.ts) >= 0).all()
    assert quotes.ts[0] == new_york(DAY, "09:25")
    assert max(quotes.ts[-1], trades.ts[-1]) <= new_york(DAY, "16:00")
    assert trades.ts[0] >= new_york(DAY, "09:30")
    assert (quotes.ask[both] >= quotes.bid[both]).all()
    assert not (quotes.bid % tick).any()
    assert not (quotes.ask % tick).any()
    assert ((quotes.bid_size > 0) == (quotes.bid > 0)).all()
    assert (trades.size > 0).all()


@SEEDS
@pytest.mark.parametrize("symbol", ["BAC", "IBM", "AMZN", "CENT", "HALT"])
def test_prints_agree_with_the_quotes_in_force(symbol: str, seed: int) -> None:
    day = made(symbol, seed)
    trades, quotes = day.trades, day.quotes
    met = quotes.ts.searchsorted(trades.ts, side="left") - 1
    bid, ask = quotes.bid[met], quotes.ask[met]
    at_touch = (trades.price == bid) | (trades.price == ask)
    assert (trades.lit == (trades.venue != ord("D"))).all()
    assert at_touch[trades.lit].mean() >= 0.7
    assert ((trades.price >= bid) & (trades.price <= ask)).all()
    assert (2 * trades.price >= bid + ask)[trades.side > 0].all()
    assert (2 * trades.price <= bid + ask)[trades.side < 0].all()
    assert not trades.side[~trades.lit].any()
    assert not (trades.price[trades.lit] % tick_at(int(ask.max()))).any()
    assert 0.25 <= 1 - trades.lit.mean() <= 0.38
    shown = np.where(2 * trades.price >= bid + ask, quotes.ask_size[met], quotes.bid_size[met])
    assert (trades.size <= shown)[trades.lit & at_touch].all()


@SEEDS
@pytest.mark.parametrize("symbol", ["BAC", "AIG", "IBM"])
def test_a_trade_on_the_quotes_venue_depletes_its_queue(symbol: str, seed: int) -> None:
    day = made(symbol, seed)
    trades, quotes = day.trades, day.quotes
    met = quotes.ts.searchsorted(trades.ts, side="left") - 1
    at_bid = (
        trades.lit & (trades.price == quotes.bid[met]) & (trades.venue == quotes.bid_venue[met]) & (trades.side < 0)
    )
    before, after = met[at_bid], met[at_bid] + 1
    stands = quotes.bid[after] == quotes.bid[before]
    left = quotes.bid_size[before] - trades.size[at_bid]
    assert (quotes.bid_size[after] == left)[stands & (left > 0)].mean() >= 0.8


@pytest.mark.parametrize("symbol", ["IBM", "BAC", "AMZN"])
def test_quotes_before_the_open_are_wide_or_one_sided(symbol: str) -> None:
    measured = Measured(made(symbol, activity=1.0))
    quotes = measured.day.quotes
    early = quotes.ts < new_york(DAY, "09:30")
    missing = (quotes.bid[early] == 0) | (quotes.ask[early] == 0)
    assert 0.05 <= missing.mean() <= 0.5
    assert measured.mean_spread("09:25", "09:30") >= 5 * measured.mean_spread("10:00", "15:00")


def test_the_stock_lone_has_no_offer_for_a_quarter_of_an_hour() -> None:
    quotes = made("LONE").quotes
    core = quotes.ts >= new_york(DAY, "09:30")
    gone = quotes.ts[core & (quotes.ask == 0)]
    assert new_york(DAY, "10:40") <= gone[0] <= new_york(DAY, "10:40:30")
    assert new_york(DAY, "10:54:30") <= gone[-1] < new_york(DAY, "10:55")
    assert (quotes.bid[core] > 0).all()


def test_the_stock_halt_is_halted_for_five_minutes() -> None:
    day = made("HALT")
    start, end = new_york(DAY, "11:00"), new_york(DAY, "11:05")
    assert day.halts == ((start, end),)
    for stamps in (day.quotes.ts, day.trades.ts):
        assert not ((stamps >= start) & (stamps < end)).any()
        assert (stamps >= end).any()


@SEEDS
def test_the_stock_rift_is_never_narrower_than_a_quarter_percent(seed: int) -> None:
    quotes = made("RIFT", seed, activity=1.0).quotes
    both = (quotes.bid > 0) & (quotes.ask > 0)
    spread, mid = (quotes.ask - quotes.bid)[both], (quotes.ask + quotes.bid)[both] / 2
    assert (spread / mid).min() > 0.0025


@SEEDS
def test_the_stock_cent_trades_below_a_dollar_in_hundredths_of_a_cent(seed: int) -> None:
    quotes = made("CENT", seed).quotes
    assert quotes.ask.max() < 10_000
    assert (quotes.bid % 100 > 0).any()


def test_a_half_day_ends_at_1_pm() -> None:
    quotes = made("IBM", day=HALF_DAY).quotes
    assert new_york(HALF_DAY, "12:59:30") <= quotes.ts[-1] < new_york(HALF_DAY, "13:00")


@pytest.mark.parametrize("day", [date(2025, 3, 7), date(2025, 3, 10), date(2026, 11, 2)])
def test_a_generated_day_follows_its_session_through_daylight_saving(day: date) -> None:
    session = TradingCalendar().session(day)
    assert session is not None
    assert made("IBM", day=day).quotes.ts[0] == nanoseconds(session.open) - 300 * NANOSECONDS


def test_a_generated_day_needs_a_session_and_a_listing() -> None:
    market = GeneratedMarket(1)
    assert market.day("IBM", date(2025, 6, 7)) is None
    for unlisted in ("ZZTOP", "TOOLONG", "ibm", "IBM.", "IBM.ABC", "IBM1", ""):
        assert market.day(unlisted, DAY) is None
        assert market.listing(unlisted) is None
        assert market.reference_price(unlisted, DAY) is None


def test_any_listed_ticker_has_a_day_drawn_from_the_seed() -> None:
    market, other = GeneratedMarket(1), GeneratedMarket(2)
    for symbol in ("QQQ", "TSLA", "BRK.B", "X"):
        listing, day = market.listing(symbol), market.day(symbol, DAY)
        assert listing is not None
        assert (listing.symbol, listing.tradable, listing.fractionable) == (symbol, True, True)
        assert digest(day) == digest(GeneratedMarket(1).day(symbol, DAY))
        assert digest(day) != digest(other.day(symbol, DAY))
    assert "QQQ" not in market.symbols()
    assert len({market.reference_price(f"A{letter}", DAY) for letter in "ABCDEFGHIJ"}) == 10


def test_days_of_earlier_dates_do_not_stay_in_memory() -> None:
    market = GeneratedMarket(1, activity=0.01)
    for day in TradingCalendar().sessions(date(2025, 6, 2), date(2025, 7, 31)):
        for symbol in ("IBM", "KO", "QQQ"):
            market.day(symbol, day.day)
    assert len(market._days) <= 3 * 2 + 8


def test_a_market_of_many_tickers_keeps_a_bounded_number_of_days() -> None:
    market = GeneratedMarket(1, activity=0.001)
    for first in "ABCDEFGHIJKLMNOP":
        for second in "ABCDEFGHIJKLMNOPQRSTUVWXY":
            assert market.day(first + second, DAY) is not None
    assert len(market._days) <= 2 * 21 + 256


def test_a_generated_day_depends_only_on_seed_symbol_and_date() -> None:
    alone = made("IBM")
    crowd = GeneratedMarket(1, universe(100), activity=0.25)
    crowd.day("AMZN", DAY)
    assert digest(crowd.day("IBM", DAY)) == digest(alone)
    others = {digest(made("IBM", seed=2)), digest(made("IBM", day=date(2025, 6, 4))), digest(made("JNJ"))}
    assert len(others | {digest(alone)}) == 4


@pytest.mark.parametrize(
    ("symbol", "expected"),
    [
        ("AIG", "ca2c7c4fc7283044"),
        ("IBM", "ecf3eb847fb1c0e6"),
        ("AMZN", "a6c50282c11939fa"),
        ("CENT", "629b24193ca59dff"),
    ],
)
def test_a_generated_day_has_the_same_bytes_on_every_machine(symbol: str, expected: str) -> None:
    assert digest(made(symbol)) == expected


def test_the_previous_close_is_the_last_price_of_the_previous_day() -> None:
    market = GeneratedMarket(1, activity=0.05)
    before = market.day("KO", date(2025, 6, 2))
    assert before is not None
    assert market.reference_price("KO", date(2025, 6, 3)) == before.trades.price[-1]


def test_the_previous_close_is_near_the_open() -> None:
    market = GeneratedMarket(1)
    for symbol in EVERYBODY:
        day, reference = market.day(symbol, DAY), market.reference_price(symbol, DAY)
        first = day.first_price() if day else None
        assert reference is not None
        assert first is not None
        assert abs(reference - first) <= 0.2 * first


def test_the_default_universe_has_stocks_that_a_broker_refuses() -> None:
    listings = [instrument.listing for instrument in DEFAULT_UNIVERSE]
    assert len(listings) == 21
    assert sum(not listing.fractionable for listing in listings) == 2
    assert sum(not listing.tradable for listing in listings) == 1
    assert sum(not listing.easy_to_borrow for listing in listings) == 1


def test_a_larger_universe_adds_ordinary_stocks_and_keeps_the_others() -> None:
    hundred = universe(100)
    assert len({instrument.listing.symbol for instrument in hundred}) == 100
    assert hundred[:40] == universe(40)
    assert universe(5) == DEFAULT_UNIVERSE[:5]
    assert all(instrument.price % 100 == 0 and instrument.price > 10_000 for instrument in hundred[21:])


@pytest.mark.parametrize("activity", [0, -1, float("nan")])
def test_an_activity_of_zero_is_refused(activity: float) -> None:
    with pytest.raises(ValueError, match="activity"):
        GeneratedMarket(1, activity=activity)


def digest(day: SymbolDay | None) -> str:
    assert day is not None
    columns = hashlib.sha256()
    for table in (day.quotes, day.trades):
        for field in fields(table):
            columns.update(getattr(table, field.name).tobytes())
    return columns.hexdigest()[:16]
