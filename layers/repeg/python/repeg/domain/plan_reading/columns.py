"""The columns of a plan's table by their headings, and those whose values must not be ignored."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from repeg.domain.errors import InvalidPlan


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


_HEADINGS = {
    "symbol": _words("symbol symbols ticker tickers tickersymbol asset assets instrument stock"),
    "weight": _words(
        "weight weights w weighting target targets targetweight targetallocation allocation alloc portfolioweight "
        "modelweight % percent pct percentage weight% target% allocation% portfolio% %weight %allocation weightpct "
        "weightpercent targetpct targetpercent pctweight %ofportfolio percentofportfolio %ofaccount %ofacct "
        "percentofaccount"
    ),
    "side": _words("side action buysell bs transaction transactiontype orderaction tradeaction direction"),
    "qty": _words("qty quantity shares units size noofshares numberofshares orderqty orderquantity"),
    "min_drift_pct": _words("mindriftpct mindrift driftband"),
    "notional": _words("notional dollars dollaramount amountusd usdamount $ $amount amount$ notionalusd"),
}


class _Guard(NamedTuple):
    """A column that says how to trade: values that agree with what is done, and the remedy for any other."""

    headings: frozenset[str]
    allowed: frozenset[str]
    remedy: str


_EMPTY = frozenset({"", "0", "0.0", "0.00"})
_STOCKS = frozenset(
    {"", "STK", "STOCK", "STOCKS", "EQUITY", "EQUITIES", "US_EQUITY", "COMMON STOCK", "ETF", "ETFS",
     "ETFS & CLOSED END FUNDS"}
)  # fmt: skip
_GUARDS = (
    _Guard(
        _words("limitprice lmtprice limit"),
        _EMPTY,
        "no price: an order's limit follows the book, within max_slippage_bps; empty the column",
    ),
    _Guard(
        _words("stopprice auxprice trailamount trailingpercent stop"),
        _EMPTY,
        "no stop: a plan is traded now; empty the column",
    ),
    _Guard(
        _words("ordertype pricetype"),
        frozenset({"", "MKT", "LMT", "MARKET", "LIMIT"}),
        "MKT or LMT, or no such column: repeg sends limit orders at the top of the book",
    ),
    _Guard(
        _words("timeinforce tif timing duration"),
        frozenset({"", "DAY"}),
        "DAY, or no such column: every order ends with its day",
    ),
    _Guard(_words("sectype securitytype assetclass assettype"), _STOCKS, "a stock or an ETF; leave the row out"),
    _Guard(_words("currency ccy"), frozenset({"", "USD"}), "USD; leave the row out"),
)


class Columns(NamedTuple):
    """Where a table has each of the plan's values, and its headings."""

    places: Mapping[str, int]
    headings: Sequence[str]

    @property
    def unused(self) -> list[str]:
        """The headings of columns that the plan does not use."""
        used = set(self.places.values())
        return [heading for at, heading in enumerate(self.headings) if at not in used and heading.strip()]

    @property
    def is_percent(self) -> bool:
        """Whether the heading of the weights says percent."""
        at = self.places.get("weight")
        heading = "" if at is None else self.headings[at].lower()
        return "%" in heading or "percent" in heading or "pct" in heading


def meaning(heading: str) -> str:
    """The plan's name for a heading; empty if it has none."""
    key = _key(heading)
    if key == "amount" and re.search(r"\$|usd|dollar", heading.lower()):
        return "notional"
    return next((name for name, known in _HEADINGS.items() if key in known), "")


def columns_of(headings: Sequence[str], place: str) -> Columns:
    """The columns of a table. Raises InvalidPlan if two columns mean the same."""
    places: dict[str, int] = {}
    for at, heading in enumerate(headings):
        name = meaning(heading)
        if name and name in places:
            both = f"{headings[places[name]]} and {heading}"
            raise InvalidPlan(place, both, f"one column for {name}: delete or rename the other one")
        if name:
            places[name] = at
    # pandas saves an index without a heading.
    if "symbol" not in places and headings and _key(headings[0]) in {"", "index", "unnamed0"}:
        places["symbol"] = 0
    return Columns(places, headings)


def require_agreed(heading: str, value: str, place: str) -> None:
    """Refuse a value that says to trade in another way. Raises InvalidPlan naming row, column and remedy."""
    key = _key(heading)
    for guard in _GUARDS:
        if key in guard.headings and value.strip().upper() not in guard.allowed:
            raise InvalidPlan(f"{place}, {heading.strip()}", value, guard.remedy)


def _key(heading: str) -> str:
    """A heading without case, blanks, punctuation and what stands in parentheses, unless nothing else is left."""
    bare = re.sub(r"\([^)]*\)", "", heading).strip() or heading
    return re.sub(r"[^a-z0-9%$]", "", bare.lower())
