"""What a seed's day may have beside its faults: more runs, weights, fractions, margin, settings that are seldom set.

Each circumstance draws from dice of its own, so that a day without it is otherwise the same day.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from enum import StrEnum
from random import Random
from typing import TYPE_CHECKING

from repeg_workbench.faults import varied_listening, varied_markets, varied_plans, varied_settings

if TYPE_CHECKING:
    from repeg_workbench.faults.seeded_days import Day


class Circumstance(StrEnum):
    """A property of the day."""

    FULL_DAY = "full_day"
    RENEWALS = "renewals"
    CLOCK_ERRORS = "clock_errors"
    WEIGHTS = "weights"
    FRACTIONS = "fractions"
    DOLLARS = "dollars"
    BANDS = "bands"
    MARGIN_ACCOUNT = "margin_account"
    SECOND_PLAN = "second_plan"
    SECOND_STACK = "second_stack"
    FURTHER_RUN = "further_run"
    FALLBACK = "fallback"
    QUOTE_AGE = "quote_age"
    TICK_SIZE = "tick_size"
    SYMBOL_SETTINGS = "symbol_settings"
    ALLOWED_SYMBOLS = "allowed_symbols"
    INPUT_SETTINGS = "input_settings"
    OLD_TRADES = "old_trades"
    MISSING_TRADES = "missing_trades"
    LATE_QUOTES = "late_quotes"
    ORDER_NOTIONAL = "order_notional"
    POLICY = "policy"
    LISTENING = "listening"
    CONTROL = "control"
    BUYING_POWER = "buying_power"
    OWNER_CANCELS_FIRST = "owner_cancels_first"


Change = Callable[["Day", Random], "Day"]

# The share of the days with each circumstance, and how it changes a day; in this order.
CIRCUMSTANCES: dict[Circumstance, tuple[float, Change]] = {
    Circumstance.FULL_DAY: (0.03, varied_markets.with_full_length),
    Circumstance.RENEWALS: (0.06, varied_plans.with_renewals),
    Circumstance.CLOCK_ERRORS: (0.06, varied_plans.with_clock_errors),
    Circumstance.OLD_TRADES: (0.06, varied_markets.with_old_trades),
    Circumstance.MISSING_TRADES: (0.04, varied_markets.with_missing_trades),
    Circumstance.LATE_QUOTES: (0.04, varied_markets.with_late_quotes),
    Circumstance.FRACTIONS: (0.08, varied_plans.with_fractions),
    Circumstance.DOLLARS: (0.05, varied_plans.with_dollars),
    Circumstance.WEIGHTS: (0.12, varied_plans.with_weights),
    Circumstance.BANDS: (0.25, varied_plans.with_bands),
    Circumstance.SECOND_PLAN: (0.08, varied_plans.with_second_plan),
    Circumstance.SECOND_STACK: (0.05, varied_plans.with_second_stack),
    Circumstance.MARGIN_ACCOUNT: (0.1, varied_plans.with_margin),
    Circumstance.FURTHER_RUN: (0.05, varied_plans.with_further_run),
    Circumstance.FALLBACK: (0.1, varied_settings.with_fallback),
    Circumstance.QUOTE_AGE: (0.05, varied_settings.with_quote_age),
    Circumstance.TICK_SIZE: (0.05, varied_settings.with_tick_size),
    Circumstance.SYMBOL_SETTINGS: (0.05, varied_settings.with_symbol_settings),
    Circumstance.ALLOWED_SYMBOLS: (0.03, varied_settings.with_allowed_symbols),
    Circumstance.INPUT_SETTINGS: (0.05, varied_settings.with_input_settings),
    Circumstance.ORDER_NOTIONAL: (0.06, varied_settings.with_order_notional),
    Circumstance.POLICY: (0.75, varied_settings.with_policy),
    Circumstance.LISTENING: (0.33, varied_listening.with_listening),
    Circumstance.CONTROL: (0.06, varied_settings.with_control),
    Circumstance.BUYING_POWER: (0.06, varied_plans.with_buying_power),
    Circumstance.OWNER_CANCELS_FIRST: (0.06, varied_plans.with_an_owner_who_cancels_first),
}

PLAIN = frozenset(str(each) for each in Circumstance)
"""Without all of them: a day with one run of one plan of whole shares."""


def with_circumstances(day: Day, without: frozenset[str] = frozenset()) -> Day:
    """The day with its seed's circumstances, except those named. A day that is chased to its end has none."""
    for circumstance, (share, change) in CIRCUMSTANCES.items():
        chance = Random(f"{circumstance} {day.seed}")
        if chance.random() >= share or day.is_chased_to_the_end:
            continue
        drawn = replace(day, circumstances=(*day.circumstances, circumstance))
        day = drawn if circumstance in without else change(drawn, chance)
    return day
