"""The round lot, in shares, by price and date, as a table of the regulation."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from decimal import Decimal


@dataclass(frozen=True)
class RoundLotRule:
    """From `since` on, a round lot is `shares` at prices over `over` dollars."""

    since: date
    over: Decimal
    shares: Decimal


# "Round lot" in SEC Rule 600(b) of Regulation NMS, https://www.ecfr.gov/current/title-17/section-242.600: 100 shares
# until 2025-11-03, by price since. Exchanges set it twice a year from the average close of a month; the current price
# stands in for that average. A new date replaces all older rules.
RULES: tuple[RoundLotRule, ...] = (
    RoundLotRule(date(2005, 8, 29), Decimal(0), Decimal(100)),
    RoundLotRule(date(2025, 11, 3), Decimal(0), Decimal(100)),
    RoundLotRule(date(2025, 11, 3), Decimal(250), Decimal(40)),
    RoundLotRule(date(2025, 11, 3), Decimal(1_000), Decimal(10)),
    RoundLotRule(date(2025, 11, 3), Decimal(10_000), Decimal(1)),
)


def round_lot(price: Decimal, day: date, rules: tuple[RoundLotRule, ...] = RULES) -> Decimal:
    """Shares of a round lot at a price on a date, by the newest rules.

    Raises ValueError if no rule is known: a round lot is never guessed.
    """
    newest = max((rule.since for rule in rules if rule.since <= day), default=None)
    in_force = [rule for rule in rules if rule.since == newest and price > rule.over]
    if not in_force:
        raise ValueError(f"no round lot is known for {price} on {day}")
    return max(in_force, key=lambda rule: rule.over).shares
