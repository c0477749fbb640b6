"""The minimum price increment, by price and date, as a table of the regulation."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal
from functools import lru_cache


@dataclass(frozen=True)
class IncrementRule:
    """From `since` on, prices of `from_price` dollars and above move in steps of `increment` dollars."""

    since: date
    from_price: Decimal
    increment: Decimal


# SEC Rule 612 of Regulation NMS, https://www.ecfr.gov/current/title-17/section-242.612: a cent from one dollar up, a
# hundredth of a cent below. The half-cent increments adopted in 2024 apply name by name and their start has been
# postponed; a row here brings them in when they are in force.
RULES: tuple[IncrementRule, ...] = (
    IncrementRule(date(2005, 8, 29), Decimal(1), Decimal("0.01")),
    IncrementRule(date(2005, 8, 29), Decimal(0), Decimal("0.0001")),
)


def increment(price: Decimal, day: date, rules: tuple[IncrementRule, ...] = RULES) -> Decimal:
    """The law's increment, in dollars, of a price on a date; the newest rule for the price wins.

    Raises ValueError if no rule is known: an increment is never guessed.
    """
    for rule in _in_force(day, rules):
        if price >= rule.from_price:
            return rule.increment
    raise ValueError(f"no price increment is known for {price} on {day}")


@lru_cache(maxsize=64)
def _in_force(day: date, rules: tuple[IncrementRule, ...]) -> tuple[IncrementRule, ...]:
    """The rules of a date, the highest prices first, and of the same prices the newest."""
    known = [rule for rule in rules if rule.since <= day]
    return tuple(sorted(known, key=lambda rule: (rule.from_price, rule.since), reverse=True))


def tick_at(price: Decimal, day: date, floor: Decimal = Decimal("0.01")) -> Decimal:
    """The price step, in dollars, for a limit near this price.

    `floor` is the coarsest step wanted from a dollar up; below a dollar the legal grid is kept, because a cent there
    would be a hundred ticks.
    """
    step = increment(price, day)
    return max(step, floor) if price >= 1 else step


def round_down(price: Decimal, day: date, floor: Decimal = Decimal("0.01")) -> Decimal:
    """The highest price on the grid that is not above `price`."""
    return _on_grid(price, tick_at(price, day, floor), ROUND_FLOOR)


def round_up(price: Decimal, day: date, floor: Decimal = Decimal("0.01")) -> Decimal:
    """The lowest price on the grid that is not below `price`."""
    return _on_grid(price, tick_at(price, day, floor), ROUND_CEILING)


def above(price: Decimal, day: date, floor: Decimal = Decimal("0.01")) -> Decimal:
    """The next price on the grid above `price`."""
    step = tick_at(price, day, floor)
    return _on_grid(price, step, ROUND_FLOOR) + step


def below(price: Decimal, day: date, floor: Decimal = Decimal("0.01")) -> Decimal:
    """The next price on the grid below `price`; just under one dollar the grid is the finer one."""
    step = tick_at(price - Decimal("0.0001"), day, floor)
    return _on_grid(price, step, ROUND_CEILING) - step


def _on_grid(price: Decimal, step: Decimal, rounding: str) -> Decimal:
    return (price / step).to_integral_value(rounding) * step
