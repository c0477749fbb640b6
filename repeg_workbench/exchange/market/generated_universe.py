"""The stocks of a generated market: the named ones, further ones, and any other ticker drawn from the seed."""

import re
from dataclasses import replace
from decimal import Decimal
from functools import lru_cache
from typing import Final

from repeg_workbench.exchange.market.generated_dice import Dice
from repeg_workbench.exchange.market.generated_fits import (
    FEW_TICKS,
    LIQUID,
    NEVER_NARROW,
    ONE_TICK,
    PINNED,
    SUB_DOLLAR,
    THREE_TICKS,
    VERY_WIDE,
    WIDE,
)
from repeg_workbench.exchange.market.generated_regimes import Incident, Instrument, Regime
from repeg_workbench.exchange.market.symbol_day import Listing
from repeg_workbench.exchange.units import to_price


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
    _stock("JNJ", "Johnson & Johnson", THREE_TICKS, "156.78"),
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
