"""How far an input may go from the deployment's settings, and the values that no run may start with."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from decimal import Decimal
from enum import StrEnum
from typing import Any, NamedTuple

from repeg.domain.errors import InvalidSettings
from repeg.domain.setting_types import Escalation, Fallback, FundBuysFrom, Policy, Waiting
from repeg.domain.settings import Settings
from repeg.domain.symbol_settings import SymbolSettings


class Direction(StrEnum):
    """Which values of an input are no looser than the deployment's value."""

    AT_MOST = "at most"
    AT_LEAST = "at least"
    AMONG = "only names among"
    NO_FURTHER = "no further than"
    STAYS_ON = "on, as it is on"


# A limit: an input may make it tighter than the deployment's value and never looser.
LIMITS: dict[str, Direction] = {
    "use_smart_limit_execution": Direction.STAYS_ON,
    "policy": Direction.NO_FURTHER,
    "waiting": Direction.NO_FURTHER,
    "listen_seconds": Direction.AT_MOST,
    "fund_buys_from": Direction.NO_FURTHER,
    "market_open_delay_minutes": Direction.AT_LEAST,
    "max_spread_pct": Direction.AT_MOST,
    "min_volume_shares": Direction.AT_LEAST,
    "close_margin_minutes": Direction.AT_LEAST,
    "max_quote_age_seconds": Direction.AT_MOST,
    "max_slippage_bps": Direction.AT_MOST,
    "escalation": Direction.NO_FURTHER,
    "fallback": Direction.NO_FURTHER,
    "fallback_minutes": Direction.AT_MOST,
    "max_order_notional": Direction.AT_MOST,
    "max_run_notional": Direction.AT_MOST,
    "max_day_notional": Direction.AT_MOST,
    "max_run_orders": Direction.AT_MOST,
    "max_attempts": Direction.AT_MOST,
    "control_share": Direction.AT_MOST,
    "control_max_notional": Direction.AT_MOST,
    "allowed_symbols": Direction.AMONG,
}

# How a run trades inside its limits: an input may choose any valid value.
PREFERENCES = frozenset(
    {
        "use_async_execution", "use_replace", "repeg_threshold_pct", "order_monitoring_seconds", "tick_size",
        "max_repegs", "patience_seconds", "look_seconds", "follow_after_seconds", "imbalance_cross", "tight_share",
        "crossing_cost", "hurry_sells",
    }
)  # fmt: skip

# Limits that say how to trade, and not how far.
_CHOICES = frozenset({"use_smart_limit_execution", "policy"})

# What the deployment is, and no input or variable of a setting may say.
FIXED = frozenset({"data_feed"})

# Holds settings of both kinds, each with its own direction.
CONTAINER = "symbols"


class Refused(NamedTuple):
    """A value that is valid and still refused: the setting it is reported under, what is expected, and why."""

    name: str
    applies: Callable[[Settings], bool]
    words: str
    expected: Callable[[Settings], str]
    why: str


MOST_SLIPPAGE_BPS = 2_000
WIDEST_SPREAD_PCT = 20
WIDEST_MARKET_SPREAD_PCT = 5
# The age at which a quote counts as a sign of a halt (`quote.HALT_AGE_SECONDS`).
OLDEST_QUOTE_SECONDS = 300

# Under the policy of looks so many attempts are kept: for a take when patience is spent, and for the last two rungs.
KEPT_ATTEMPTS = 3

REFUSED: tuple[Refused, ...] = (
    Refused(
        "max_slippage_bps",
        lambda own: own.max_slippage_bps > MOST_SLIPPAGE_BPS,
        f"above {MOST_SLIPPAGE_BPS}",
        lambda _: f"at most {MOST_SLIPPAGE_BPS}",
        "20 % is the widest price band of Limit Up-Limit Down from $0.75 up, so a price further away is halted first",
    ),
    Refused(
        "max_spread_pct",
        lambda own: own.max_spread_pct > WIDEST_SPREAD_PCT,
        f"above {WIDEST_SPREAD_PCT}",
        lambda _: f"at most {WIDEST_SPREAD_PCT}",
        "at a spread of 20 % the far side is 10 % from the mid, which is no price to trade at",
    ),
    Refused(
        "max_spread_pct",
        lambda own: may_send_at_market(own) and own.max_spread_pct > WIDEST_MARKET_SPREAD_PCT,
        f"above {WIDEST_MARKET_SPREAD_PCT} where market orders may be sent",
        lambda own: f"at most {WIDEST_MARKET_SPREAD_PCT} while {_market_setting(own)}",
        "a market order has no collar, so the spread is all that bounds its price",
    ),
    Refused(
        "max_attempts",
        lambda own: own.max_attempts < fewest_attempts(own),
        f"below `max_repegs` plus the rungs of the ladder, or plus {KEPT_ATTEMPTS + 1} with looks",
        lambda own: (
            f"at least {fewest_attempts(own)}, as policy={own.policy}, max_repegs={own.max_repegs} and "
            f"escalation={own.escalation} need"
        ),
        "the first child, every move and every rung of the ladder send an order, so escalation would never be reached",
    ),
    Refused(
        "max_quote_age_seconds",
        lambda own: own.max_quote_age_seconds >= OLDEST_QUOTE_SECONDS,
        f"from {OLDEST_QUOTE_SECONDS}",
        lambda _: f"under {OLDEST_QUOTE_SECONDS}",
        "a quote that has not changed for five minutes is a sign of a halt",
    ),
)


def sends_market_orders(settings: Settings) -> bool:
    """Whether the rules of an order's work may send it without a limit price."""
    return settings.escalation is Escalation.MARKET or settings.trades_at_market


def may_send_at_market(settings: Settings) -> bool:
    """Whether any order may be sent without a limit price, a control order included."""
    return sends_market_orders(settings) or settings.control_share > 0


def rungs(escalation: Escalation) -> int:
    """The number of rungs of the ladder, up to and including this one."""
    return list(Escalation).index(escalation) + 1


def fewest_attempts(settings: Settings) -> int:
    """The fewest orders that leave room for a first child, every move up, and what comes after them."""
    looking = settings.max_repegs + 1 + KEPT_ATTEMPTS if settings.looks else 0
    return max(looking, settings.max_repegs + rungs(settings.escalation))


def require_sound(settings: Settings) -> None:
    """Refuse reckless values, for the run and for each symbol. Raises InvalidSettings naming the setting."""
    for symbol, where in _levels(settings):
        own = settings.for_symbol(symbol)
        for refused in REFUSED:
            if refused.applies(own):
                value = getattr(own, refused.name)
                raise InvalidSettings(f"{where}.{refused.name}", value, f"{refused.expected(own)}: {refused.why}")


def require_no_looser(settings: Settings, deployment: Settings) -> None:
    """Refuse a run's settings that are looser than the deployment's. Raises InvalidSettings naming the bound."""
    for symbol, where in dict.fromkeys([*_levels(settings), *_levels(deployment)]):
        own, bounds = settings.for_symbol(symbol), deployment.for_symbol(symbol)
        for name, direction in _limits_of(symbol, deployment).items():
            value, bound = getattr(own, name), getattr(bounds, name)
            if is_looser(direction, value, bound):
                raise InvalidSettings(f"{where}.{name}", value, _no_looser(direction, bound))


def tightened(settings: Settings, overrides: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    """The values of single symbols, less those that are looser than a limit which the run's input sets for all.

    A symbol without a value has the run's. The input may still name the symbol and set another limit for it, no looser
    than the deployment's. Policies are not compared: a symbol's own is a choice and no bound.
    """
    common = {name: limit for name, limit in LIMITS.items() if name in overrides and name not in _CHOICES}
    named = overrides.get(CONTAINER, {})

    def is_kept(symbol: str, name: str, value: object) -> bool:
        is_common = name in common and name not in named.get(symbol, {})
        return not (is_common and is_looser(common[name], value, getattr(settings, name)))

    return {
        symbol: {
            name: value for name, value in own.model_dump(exclude_unset=True).items() if is_kept(symbol, name, value)
        }
        for symbol, own in settings.symbols.items()
    }


def is_looser(direction: Direction, value: object, bound: object) -> bool:
    """Whether a value permits more than the bound does; None is no limit."""
    if bound is None or value == bound:
        return False
    if value is None:
        return True
    match direction:
        case Direction.AT_MOST:
            return Decimal(str(value)) > Decimal(str(bound))
        case Direction.AT_LEAST:
            return Decimal(str(value)) < Decimal(str(bound))
        case Direction.AMONG:
            return not set(value) <= set(bound)  # type: ignore[call-overload]  # both are lists of names
        case Direction.NO_FURTHER:
            return _rank(value) > _rank(bound)
        case Direction.STAYS_ON:
            return bool(bound) and not value


def _rank(value: object) -> int:
    """How far a value goes: words are declared from the most cautious on. Only `policy: market` goes further than other
    policies: it has no collar. The function's time limit is the deployment's `waiting`.
    """
    if isinstance(value, Policy):
        return int(value is Policy.MARKET)
    return list(type(value)).index(value) if isinstance(value, Escalation | Fallback | FundBuysFrom | Waiting) else 0


def _levels(settings: Settings) -> Iterator[tuple[str, str]]:
    """The run (an empty symbol) and each symbol with settings of its own, with the path of its fields."""
    yield "", "settings"
    for symbol in settings.symbols:
        yield symbol, f"settings.symbols.{symbol}"


def _limits_of(symbol: str, deployment: Settings) -> dict[str, Direction]:
    """The limits that apply to the run, or to a symbol."""
    names = set(SymbolSettings.model_fields if symbol else Settings.model_fields)
    if deployment.escalation is Escalation.MARKET:
        # The deployment lets its orders end as market orders, so an input may begin with them.
        names -= {"use_smart_limit_execution", "policy"}
    return {name: direction for name, direction in LIMITS.items() if name in names}


def _no_looser(direction: Direction, bound: object) -> str:
    shown = ", ".join(bound) if isinstance(bound, tuple) else str(bound)
    tail = "" if direction is Direction.STAYS_ON else f" {shown}"
    return f"{direction}{tail} in the deployment: an input may tighten a limit and never loosen it"


def _market_setting(own: Settings) -> str:
    if own.escalation is Escalation.MARKET:
        return "escalation=market"
    if own.policy is Policy.MARKET:
        return "policy=market"
    return "use_smart_limit_execution=false" if own.trades_at_market else f"control_share={own.control_share}"
