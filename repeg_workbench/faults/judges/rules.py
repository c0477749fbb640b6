"""The first judge's own reading of docs/trading-rules.md: settings, ticks, the quote check, the collar, the prices."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal
from typing import Any

from repeg_workbench.faults.judges.record import SECOND, ServedQuote

CENT = Decimal("0.01")
FIFTY = Decimal(50)
UNIT = Decimal("0.0001")
CLOCK_ERROR = 2 * SECOND
# The most orders of a line, however many of them were filled.
MOST_ORDERS = 400

# The defaults of docs/settings.md, for the settings that are judged.
DEFAULTS: Mapping[str, Any] = {
    "use_smart_limit_execution": True, "market_open_delay_minutes": 5, "max_spread_pct": "0.25",
    "min_volume_shares": 100, "order_monitoring_seconds": 30, "tick_size": "0.01", "close_margin_minutes": 5,
    "max_quote_age_seconds": 10, "max_slippage_bps": 50, "escalation": "cross", "fallback": "none",
    "fallback_minutes": 5, "max_order_notional": None, "max_run_notional": None, "max_day_notional": None,
    "max_run_orders": None, "max_attempts": 100, "allowed_symbols": None, "symbols": {},
    "policy": "normal", "max_repegs": 10, "patience_seconds": 300, "control_share": "0", "control_max_notional": "5000",
    "fund_buys_from": "cash",
}  # fmt: skip


@dataclass(frozen=True)
class Rules:
    """The settings of one symbol of a run, with the documented defaults."""

    given: Mapping[str, Any]

    def __getitem__(self, name: str) -> Any:
        return self.given[name] if name in self.given else DEFAULTS[name]

    def number(self, name: str) -> Decimal:
        """A setting as a number."""
        return Decimal(str(self[name]))

    def most(self, name: str) -> Decimal | None:
        """A limit; None where there is none."""
        return None if self[name] is None else Decimal(str(self[name]))

    def of(self, symbol: str) -> Rules:
        """The rules as they hold for one symbol."""
        every = self["symbols"]
        own = (json.loads(every) if isinstance(every, str) else every).get(symbol)
        return Rules({**self.given, **own}) if own else self

    @property
    def may_use_market(self) -> bool:
        """Whether market orders are permitted."""
        return "market" in {self["escalation"], self["policy"]} or not self["use_smart_limit_execution"]

    @property
    def trades_at_market(self) -> bool:
        """Whether every order is a market order, but for its cash or its budgets."""
        return self["policy"] == "market" or not self["use_smart_limit_execution"]

    @property
    def rungs(self) -> frozenset[str]:
        """The rungs above the passive one that an order may climb to. The rules of looks go to the last one at once."""
        last = "cross" if self["escalation"] == "market" else str(self["escalation"])
        ladder = {"cross": {"mid", "cross"}, "mid": {"mid"}}.get(last, set())
        return frozenset(ladder & {last} if self.is_looking else ladder)

    @property
    def may_borrow(self) -> bool:
        """Whether buys may be paid for with what the account's margin lends."""
        return bool(self["fund_buys_from"] == "buying_power")

    @property
    def patience(self) -> int:
        """Seconds that an order of one piece is worked before it escalates."""
        seconds = int(self["patience_seconds"])
        return max(1, {"patient": 6 * seconds, "urgent": seconds // 5}.get(self["policy"], seconds))

    @property
    def is_looking(self) -> bool:
        """Whether orders are worked by the rules of looks, with limit orders."""
        return self["policy"] in {"patient", "normal", "urgent"} and bool(self["use_smart_limit_execution"])


def may_be_control(quote: ServedQuote, side: int, shares: Decimal, rules: Rules) -> bool:
    """Whether so many shares may be a control order on a quote: displayed on the far side, and within its limit at
    what the market may cost, which for a buy is 2.5 % beyond the far side, 4 % below fifty dollars."""
    far, size = (quote.ask * UNIT, quote.ask_size) if side > 0 else (quote.bid * UNIT, quote.bid_size)
    dearest = dearest_buy(far) if side > 0 else far
    return 1 <= shares <= size and shares * dearest <= rules.number("control_max_notional")


def dearest_buy(ask: Decimal) -> Decimal:
    """What a share may cost that is bought at the market on an ask, in dollars."""
    return ask * (Decimal("1.04") if ask < FIFTY else Decimal("1.025"))


@dataclass(frozen=True)
class Book:
    """A served quote in dollars, turned to one side: near is our side of the book, far the other."""

    bid: Decimal
    ask: Decimal
    near_size: int
    age: int | None
    side: int

    @property
    def near(self) -> Decimal:
        """The best price on our own side."""
        return self.bid if self.side > 0 else self.ask

    @property
    def far(self) -> Decimal:
        """The best price on the other side."""
        return self.ask if self.side > 0 else self.bid

    @property
    def mid(self) -> Decimal:
        """Half way between bid and ask."""
        return (self.bid + self.ask) / 2


def book_of(quote: ServedQuote, side: int, at: int) -> Book:
    """A quote as an order of that side sees it at a time."""
    return Book(
        bid=quote.bid * UNIT,
        ask=quote.ask * UNIT,
        near_size=quote.bid_size if side > 0 else quote.ask_size,
        age=None if quote.stamp is None else at - quote.stamp,
        side=side,
    )


def fault_of(book: Book, rules: Rules, allowance: int) -> str:
    """The first reason not to trade on a book, in the order of the page; empty if there is none.

    A quote may be older than permitted by `allowance`. With a negative one, only a quote that certainly passes does.
    """
    if book.bid <= 0 or book.ask <= 0:
        return "one_sided"
    if book.bid >= book.ask:
        return "crossed" if book.bid > book.ask else "locked"
    oldest = int(rules["max_quote_age_seconds"]) * SECOND
    if book.age is None or not -CLOCK_ERROR - allowance <= book.age <= oldest + allowance:
        return "stale"
    spread = book.ask - book.bid
    if spread > legal_tick(book.bid) and spread / book.mid * 100 > rules.number("max_spread_pct"):
        return "wide"
    return "thin" if is_thin(book, rules) else ""


def is_thin(book: Book, rules: Rules) -> bool:
    """Whether too few shares are displayed on our own side: a round lot is never thin (steps of 2025-11-03)."""
    lots = ((Decimal(250), 100), (Decimal(1_000), 40), (Decimal(10_000), 10))
    lot = next((shares for most, shares in lots if book.near <= most), 1)
    return book.near_size < min(int(rules["min_volume_shares"]), lot)


def legal_tick(price: Decimal) -> Decimal:
    """The increment of Rule 612: a cent from one dollar up, a hundredth of a cent below."""
    return CENT if price >= 1 else UNIT


def step_at(price: Decimal, rules: Rules) -> Decimal:
    """The step of a limit: the legal tick, or the coarser one of the settings from a dollar up."""
    return max(CENT, rules.number("tick_size")) if price >= 1 else UNIT


def down(price: Decimal, rules: Rules) -> Decimal:
    """The highest step that is not above a price."""
    step = step_at(price, rules)
    return (price / step).to_integral_value(ROUND_FLOOR) * step


def up(price: Decimal, rules: Rules) -> Decimal:
    """The lowest step that is not below a price."""
    step = step_at(price, rules)
    return (price / step).to_integral_value(ROUND_CEILING) * step


def back(price: Decimal, side: int, rules: Rules) -> Decimal:
    """A price rounded against the side's own interest never to be worse for us: a buy down, a sell up."""
    return down(price, rules) if side > 0 else up(price, rules)


def collar_of(book: Book, rules: Rules) -> Decimal:
    """The worst limit that an order with this arrival may ever have."""
    return back(book.mid * (1 + book.side * rules.number("max_slippage_bps") / 10_000), book.side, rules)


def passive_limit(book: Book, rules: Rules) -> Decimal:
    """One step better than the near side, or the near side where that would reach the far side."""
    if book.side > 0:
        better = down(book.bid, rules) + step_at(book.bid, rules)
        return better if better < book.ask else down(book.bid, rules)
    step = step_at(book.ask - UNIT, rules)
    better = (book.ask / step).to_integral_value(ROUND_CEILING) * step - step
    return better if better > book.bid else up(book.ask, rules)


def mid_limit(book: Book, rules: Rules) -> Decimal:
    """The midpoint, rounded away from the far side."""
    return back(book.mid, book.side, rules)


def look_limits(book: Book, rules: Rules) -> set[Decimal]:
    """Where the policy of looks may place an order: joined, a tick back at a one-tick spread, or at the far touch."""
    step = step_at(book.near if book.side > 0 else book.near - UNIT, rules)
    limits = {back(book.near, book.side, rules)}
    if abs(book.ask - book.bid) < 2 * step:
        limits.add(back(book.near - book.side * step, book.side, rules))
    if rules["escalation"] in {"cross", "market"}:
        limits.add(up(book.ask, rules) if book.side > 0 else down(book.bid, rules))
    return limits


def within(limit: Decimal, collar: Decimal, side: int) -> Decimal:
    """A limit, or the collar where that is better for us."""
    return min(limit, collar) if side > 0 else max(limit, collar)
