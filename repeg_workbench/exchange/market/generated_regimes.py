"""Regimes of quoting and trading at the top of the book, measured in recordings, and a universe of stocks."""

import re
from dataclasses import dataclass, replace
from decimal import Decimal
from functools import lru_cache
from typing import Final

from repeg_workbench.exchange.market.generated_dice import Dice
from repeg_workbench.exchange.market.symbol_day import Listing
from repeg_workbench.exchange.units import to_price


@dataclass(frozen=True)
class Regime:
    """How one kind of stock quotes and trades. The entries of a table are equally likely.

    updates, moves and trades are per hour; spreads in ticks; sizes in shares. volatility is in hundredths of a basis
    point per square root of a minute; 0 means that every move is one tick. bounce is the chance, in 256ths, that a
    move reverses the previous one, spread_hold that it keeps the spread. A queue changes over queue_rows updates. The
    opening_ figures are percentages of the quiet level at the open, decaying over calm_after seconds.
    """

    name: str
    updates: int
    moves: int
    trades: int
    spreads: tuple[int, ...]
    sizes: tuple[int, ...]
    trade_sizes: tuple[int, ...]
    volatility: int
    bounce: int = 128
    spread_hold: int = 0
    queue_rows: int = 1
    opening_spread: int = 400
    opening_moves: int = 100
    opening_jumps: int = 300
    calm_after: int = 1_800


@dataclass(frozen=True)
class Incident:
    """The start of an incident in seconds after the open, and its length in seconds."""

    start: int
    length: int


@dataclass(frozen=True)
class Instrument:
    """A generated stock: listing, regime, price in price units, and incidents."""

    listing: Listing
    regime: Regime
    price: int
    one_sided: Incident | None = None
    halt: Incident | None = None


def _around(median: int) -> tuple[int, ...]:
    """A triangular distribution of spreads from 1/4 to 7/4 of the median."""
    return tuple(max(1, (5 + first + second) * median // 20) for first in range(16) for second in range(16))


PINNED: Final = Regime(
    name="pinned",
    updates=42_000,
    moves=80,
    trades=7_200,
    spreads=(0,) + (1,) * 511,
    sizes=(38_000, 45_000, 52_000, 58_000, 63_000, 68_000, 72_000, 75_000, 80_000, 87_000, 95_000, 110_000, 130_000),
    trade_sizes=(40, 100, 100, 200, 300, 500, 800, 1_000, 1_500, 2_500, 4_000, 7_000),
    volatility=0,
    bounce=215,
    queue_rows=64,
    opening_spread=100,
    opening_moves=500,
)
LIQUID: Final = replace(
    PINNED,
    name="liquid",
    sizes=(1_800, 2_600, 3_400, 4_200, 5_000, 5_400, 5_900, 6_500, 7_400, 8_800, 11_000),
    trade_sizes=(20, 100, 100, 100, 200, 300, 400, 600),
    moves=1_200,
    opening_moves=200,
)
ONE_TICK: Final = Regime(
    name="one_tick",
    updates=60_000,
    moves=900,
    trades=5_400,
    spreads=(0,) + (1,) * 253 + (2,) * 2,
    sizes=(300, 500, 700, 800, 900, 1_000, 1_100, 1_200, 1_400, 1_700, 2_100, 2_700, 3_500),
    trade_sizes=(15, 60, 100, 100, 100, 100, 200, 300, 500),
    volatility=0,
    bounce=150,
    queue_rows=32,
    opening_spread=500,
    opening_moves=800,
    calm_after=540,
)
FEW_TICKS: Final = Regime(
    name="few_ticks",
    updates=8_600,
    moves=3_450,
    trades=4_000,
    spreads=(1,) * 4 + (2,) * 11 + (3,) * 15 + (4,) * 14 + (5,) * 9 + (6,) * 5 + (7,) * 3 + (8,) * 2 + (10,),
    sizes=(100, 100, 100, 100, 200, 200, 200, 300, 300, 400, 500, 800),
    trade_sizes=(5, 20, 50, 80, 100, 100, 100, 100, 100, 200, 200),
    volatility=400,
    spread_hold=128,
)
WIDE: Final = Regime(
    name="wide",
    updates=9_000,
    moves=4_200,
    trades=1_900,
    spreads=_around(12),
    sizes=(10, 25, 40, 80, 100, 100, 100, 100, 100, 100, 100, 100, 100, 100, 200, 300),
    trade_sizes=(1, 5, 10, 25, 50, 75, 100, 100, 100, 100),
    volatility=600,
    spread_hold=160,
)
VERY_WIDE: Final = replace(WIDE, name="very_wide", updates=7_600, moves=3_700, spreads=_around(25), volatility=480)
NEVER_NARROW: Final = replace(
    WIDE, name="never_narrow", updates=2_400, moves=1_000, trades=300, spreads=(9, 10, 10, 11, 12, 13, 14, 16, 18)
)
SUB_DOLLAR: Final = Regime(
    name="sub_dollar",
    updates=5_000,
    moves=1_600,
    trades=1_200,
    spreads=(1, 2, 3, 4, 5, 6, 7, 8, 10, 12),
    sizes=(200, 500, 800, 1_000, 1_500, 2_000, 3_000, 5_000, 9_000),
    trade_sizes=(50, 100, 200, 300, 500, 1_000, 2_500),
    volatility=1_800,
    spread_hold=96,
)


def _stock(symbol: str, name: str, regime: Regime, dollars: str, exchange: str = "NYSE") -> Instrument:
    return Instrument(Listing(symbol, name, exchange), regime, to_price(Decimal(dollars)))


_ORDINARY: Final = (
    _stock("BAC", "Bank of America", PINNED, "13.96"),
    _stock("F", "Ford Motor", PINNED, "11.85"),
    _stock("T", "AT&T", PINNED, "17.42"),
    _stock("SPY", "SPDR S&P 500 ETF", LIQUID, "167.60", "ARCA"),
    _stock("AIG", "American International Group", ONE_TICK, "48.78"),
    _stock("KO", "Coca-Cola", ONE_TICK, "61.25"),
    _stock("PFE", "Pfizer", ONE_TICK, "28.34"),
    _stock("AAPL", "Apple", FEW_TICKS, "189.42", "NASDAQ"),
    _stock("IBM", "International Business Machines", FEW_TICKS, "182.39"),
    _stock("JNJ", "Johnson & Johnson", FEW_TICKS, "156.78"),
    _stock("MSFT", "Microsoft", FEW_TICKS, "215.10", "NASDAQ"),
    _stock("CAT", "Caterpillar", WIDE, "334.50"),
    _stock("AMZN", "Amazon.com", WIDE, "222.76", "NASDAQ"),
    _stock("GOOG", "Alphabet", VERY_WIDE, "570.68", "NASDAQ"),
    _stock("NFLX", "Netflix", VERY_WIDE, "641.20", "NASDAQ"),
)


def _peculiar() -> tuple[Instrument, ...]:
    lone = _stock("LONE", "Lonesome Holdings, without an offer for a while", FEW_TICKS, "74.30")
    halt = _stock("HALT", "Haltman Industries, halted once", FEW_TICKS, "96.15")
    gone = _stock("GONE", "Gone Private, not tradable", ONE_TICK, "33.10")
    hard = _stock("HARD", "Hardy Borrow, hard to borrow", FEW_TICKS, "52.75", "NASDAQ")
    rift = _stock("RIFT", "Rift Valley, never under a quarter percent wide", NEVER_NARROW, "24.00", "NASDAQ")
    cent = _stock("CENT", "Centime Mining, under a dollar", SUB_DOLLAR, "0.4210", "NASDAQ")
    return (
        replace(lone, one_sided=Incident(start=4_200, length=900)),
        replace(halt, halt=Incident(start=5_400, length=300)),
        replace(gone, listing=replace(gone.listing, tradable=False)),
        replace(hard, listing=replace(hard.listing, shortable=False, easy_to_borrow=False)),
        replace(rift, listing=replace(rift.listing, fractionable=False)),
        replace(cent, listing=replace(cent.listing, fractionable=False, marginable=False)),
    )


DEFAULT_UNIVERSE: Final = _ORDINARY + _peculiar()

_TICKER: Final = re.compile(r"[A-Z]{1,5}(\.[A-Z]{1,2})?")
_UNLISTED: Final = "ZZ"


def universe(size: int = len(DEFAULT_UNIVERSE)) -> tuple[Instrument, ...]:
    """This many stocks: the default ones, then ordinary ones named G022, G023 and so on, the same for every seed."""
    further = tuple(_further(number) for number in range(len(DEFAULT_UNIVERSE) + 1, size + 1))
    return DEFAULT_UNIVERSE[:size] + further


def is_listed(symbol: str) -> bool:
    """Whether a ticker is listed: one to five capital letters and perhaps a class, not beginning with ZZ."""
    return _TICKER.fullmatch(symbol) is not None and not symbol.startswith(_UNLISTED)


@lru_cache(4_096)
def drawn_instrument(seed: int, symbol: str) -> Instrument:
    """An ordinary stock: the exchange and regime of one of the default ones, and a price around its price."""
    dice = Dice(seed, "instrument", symbol)
    like = _ORDINARY[dice.below(len(_ORDINARY))]
    cents = like.price // 200 + dice.below(like.price // 100)
    return Instrument(
        Listing(symbol, f"{symbol}, drawn from the seed", like.listing.exchange), like.regime, cents * 100
    )


def _further(number: int) -> Instrument:
    symbol = f"G{number:03}"
    like = _ORDINARY[Dice("universe", symbol).below(len(_ORDINARY))]
    cents = like.price // 200 + Dice("price", symbol).below(like.price // 100)
    return Instrument(Listing(symbol, f"Generated {number}"), like.regime, cents * 100)
