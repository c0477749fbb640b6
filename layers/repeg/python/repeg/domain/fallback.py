"""The fallback: how an order that its book holds until the close is near is sent once all the same."""

from __future__ import annotations

from datetime import datetime, timedelta

from repeg.domain.child_order import Rung
from repeg.domain.moment import LAST_TURNS, Moment
from repeg.domain.parent_order import ParentOrder
from repeg.domain.quote import CLOCK_ERROR_SECONDS, HALT_AGE_SECONDS, Quote, age_seconds, is_at_most, is_wider
from repeg.domain.setting_types import Fallback
from repeg.domain.settings import Settings
from repeg.domain.settings_limits import WIDEST_MARKET_SPREAD_PCT, WIDEST_SPREAD_PCT, sends_market_orders

# The reason of a fallback's decision, and of its intent.
FALLBACK = "fallback"

# A fallback is for an order that no rule lets trade: its book has held it for so long, and for two turns, at each look.
HELD_FOR = timedelta(seconds=60)

# A held order keeps the last two-sided quote seen for it, and replaces it at this age: a held order costs few writes.
REFRESH_SECONDS = 300


def is_fallback_due(order: ParentOrder, quote: Quote | None, moment: Moment, settings: Settings) -> bool:
    """Whether an order whose quote does not pass the check is sent once all the same.

    Not before the settings' last minutes, not for a book that holds it for a moment only, not twice, not without a
    price for its collar, and not during a halt: a quote that has not changed for five minutes, or whose age is not
    known, may be one. A resting piece does not keep the rest of its order from being sent.
    """
    if settings.fallback is Fallback.NONE or not moment.is_within(settings.fallback_minutes):
        return False
    child = order.open_child
    if (child is not None and not child.is_piece) or has_fallen_back(order) or order.remaining <= 0:
        return False
    if not _is_held_for_long(order, moment):
        return False
    return _may_be_trading(quote, moment.now) and fallback_arrival(order, quote, moment.now) is not None


def has_fallen_back(order: ParentOrder) -> bool:
    """Whether a fallback was sent, other than one refused for a reason that may pass."""
    return any(child.is_fallback and not child.may_pass for child in order.children)


def _is_held_for_long(order: ParentOrder, moment: Moment) -> bool:
    since = order.held_by_book_since
    least = max(HELD_FOR, timedelta(seconds=LAST_TURNS * moment.turn_seconds))
    return since is not None and moment.now - since >= least


def fallback_arrival(order: ParentOrder, quote: Quote | None, now: datetime) -> Quote | None:
    """The quote whose mid fixes the collar of a fallback: the order's arrival, or the last that has a mid."""
    if order.arrival is not None:
        return order.arrival
    return quote if has_mid(quote, now, WIDEST_SPREAD_PCT) else order.last_two_sided


def fallback_rung(quote: Quote | None, now: datetime, settings: Settings) -> Rung:
    """Where a fallback is priced: at the market only if that is permitted, and if the spread of a quote of at most the
    configured age bounds what it may cost."""
    is_current = quote is not None and is_at_most(quote, now, settings.max_quote_age_seconds)
    is_bounded = is_current and has_mid(quote, now, WIDEST_MARKET_SPREAD_PCT)
    may_be_market = settings.fallback is Fallback.MARKET and sends_market_orders(settings)
    return Rung.MARKET if may_be_market and is_bounded else Rung.CROSS


def priced_from(order: ParentOrder, quote: Quote | None) -> Quote | None:
    """The quote that an intent names: the given one, or the order's arrival if that one is not two-sided."""
    return quote if quote is not None and _is_two_sided(quote) else order.arrival


def is_worth_keeping(order: ParentOrder, quote: Quote | None, now: datetime, settings: Settings) -> bool:
    """Whether a held order keeps this quote as the last two-sided one: it has none yet, or one that is too old."""
    if settings.fallback is Fallback.NONE or order.arrival is not None:
        return False
    kept = order.last_two_sided
    age = None if kept is None else age_seconds(kept, now)
    return has_mid(quote, now, WIDEST_SPREAD_PCT) and (age is None or age >= REFRESH_SECONDS)


def has_mid(quote: Quote | None, now: datetime, widest_pct: int) -> bool:
    """Whether the mid of a quote is a price: two sides in order, current, and not so far apart that one is a stub."""
    return (
        quote is not None
        and _is_two_sided(quote)
        and _may_be_trading(quote, now)
        and not is_wider(quote, widest_pct, now.date())
    )


def _is_two_sided(quote: Quote) -> bool:
    return 0 < quote.bid <= quote.ask


def _may_be_trading(quote: Quote | None, now: datetime) -> bool:
    if quote is None:
        return True
    age = age_seconds(quote, now)
    return age is not None and -CLOCK_ERROR_SECONDS <= age < HALT_AGE_SECONDS
