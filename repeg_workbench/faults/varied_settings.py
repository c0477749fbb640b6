"""Days with settings that are seldom set: fallback, quote age, tick size, settings by symbol, those of an input."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from decimal import ROUND_CEILING, Decimal
from random import Random
from typing import TYPE_CHECKING, Any

from repeg.domain.setting_types import Escalation
from repeg.domain.settings_limits import KEPT_ATTEMPTS, WIDEST_MARKET_SPREAD_PCT, rungs
from repeg_workbench.exchange.units import price

if TYPE_CHECKING:
    from repeg_workbench.faults.seeded_days import Day

# How much room max_order_notional leaves for the dearest order of a plan.
ORDER_ROOM = tuple(map(Decimal, ("0.9", "1.0005", "1.002", "1.01", "1.03")))


def with_fallback(day: Day, chance: Random) -> Day:
    """A fallback near the close, and books that hold the orders until then."""
    sends_market = "market" in {day.settings["escalation"], day.settings["policy"]}
    return _set(
        day,
        fallback=chance.choice(("collar", "market") if sends_market else ("collar",)),
        fallback_minutes=chance.choice((1, 5, 10, 20)),
        max_spread_pct="0.01",
        min_volume_shares=chance.choice((0, 100, 1_000_000)),
    )


def with_quote_age(day: Day, chance: Random) -> Day:
    """A tighter or wider limit on the age of quotes."""
    return _set(day, max_quote_age_seconds=chance.choice((1, 2, 60, 299)))


def with_tick_size(day: Day, chance: Random) -> Day:
    """Coarser price steps."""
    return _set(day, tick_size=chance.choice(("0.05", "0.1", "1")))


def with_order_notional(day: Day, chance: Random) -> Day:
    """A limit on what an order may cost: of the day's dearest order it refuses the plan, the collar, or a move."""
    worth = [qty * price(day.market.reference_price(s, day.day) or 0) for s, (_, qty) in day.targets.items()]
    most = max(worth, default=Decimal(0)) or max(day.opening.cash, Decimal(1))
    limit = (most * chance.choice(ORDER_ROOM)).quantize(Decimal(1), ROUND_CEILING)
    of_all = [Decimal(day.settings[name]) for name in ("max_run_notional", "max_day_notional") if name in day.settings]
    return _set(day, max_order_notional=str(min([limit, *of_all])))


def with_symbol_settings(day: Day, chance: Random) -> Day:
    """Settings of their own for some symbols."""
    symbols = chance.sample(day.market.symbols(), chance.randint(1, len(day.market.symbols())))
    return _set(day, symbols={symbol: _symbol_settings(day.settings, chance) for symbol in symbols})


def with_policy(day: Day, chance: Random) -> Day:
    """Orders worked by the policy of looks, eager enough to move and take often, or market orders by their own name."""
    policy = _policy(day, chance)
    most = int(day.settings.get("max_attempts", 100))
    return _set(
        day,
        policy=policy,
        max_attempts=most if policy == "market" else max(most, int(day.settings["max_repegs"]) + 1 + KEPT_ATTEMPTS),
        # A look is a request, so most days have one look a turn.
        look_seconds=chance.choice((2, 5, 60, 60, 60, 60, 60, 60)),
        follow_after_seconds=chance.choice((0, 10, 30)),
        imbalance_cross=chance.choice(("0.55", "0.7", "1")),
        tight_share=chance.choice(("0", "0.334", "0.9")),
    )


def _policy(day: Day, chance: Random) -> str:
    drawn = chance.choice(("patient", "normal", "normal", "normal", "normal", "normal", "urgent", "market"))
    if day.settings["policy"] == "market":
        return "market"
    return drawn if drawn != "market" or _permits_market(day) else "normal"


def _permits_market(day: Day) -> bool:
    """Whether no ladder of the day ends below the far side."""
    return not any(each.get("escalation") in {"none", "mid"} for each in _levels(day))


def _levels(day: Day) -> list[Mapping[str, Any]]:
    """The settings of the deployment, of its symbols and of the input."""
    return [day.settings, day.input_settings, *day.settings.get("symbols", {}).values()]


def with_control(day: Day, chance: Random) -> Day:
    """A share of the orders, or all of them, sent at the market at arrival, where market orders are permitted."""
    share, most = chance.choice(("0.3", "0.6", "1")), chance.choice(("500", "5000", "100000"))
    spreads = [Decimal(str(each.get("max_spread_pct", 0))) for each in _levels(day)]
    if day.settings["policy"] == "market" or not _permits_market(day) or max(spreads) > WIDEST_MARKET_SPREAD_PCT:
        return day
    return _set(day, control_share=share, control_max_notional=most)


def with_allowed_symbols(day: Day, chance: Random) -> Day:
    """An allow-list, which one plan in three exceeds."""
    symbols = list(day.market.symbols())
    return _set(day, allowed_symbols=symbols if chance.random() < 0.7 else [*symbols[1:], "ZZZ"])


def with_input_settings(day: Day, chance: Random) -> Day:
    """An input that tightens the deployment's settings, and chooses preferences of its own."""
    tighter = {
        "escalation": chance.choice(_no_further(day.settings["escalation"])),
        "max_slippage_bps": max(1, day.settings["max_slippage_bps"] // 2),
        "order_monitoring_seconds": min(day.settings["order_monitoring_seconds"], day.settings["patience_seconds"]),
        "use_replace": chance.random() < 0.5,
        "use_async_execution": chance.random() < 0.5,
        "max_run_orders": chance.choice((1, 3, 20)),
    }
    kept = chance.sample(sorted(tighter), chance.randint(1, 3))
    if "market" in {day.settings.get("fallback"), day.settings["policy"]}:
        kept = [name for name in kept if name != "escalation"]
    return replace(day, input_settings={name: tighter[name] for name in kept if not _is_looser(day, name, tighter)})


def _is_looser(day: Day, name: str, tighter: dict[str, Any]) -> bool:
    bound = day.settings.get(name)
    return name == "max_run_orders" and bound is not None and tighter[name] > bound


def _symbol_settings(settings: dict[str, Any], chance: Random) -> dict[str, Any]:
    escalation = chance.choice(list(Escalation)[:3])
    repegs = min(int(settings["max_repegs"]), chance.choice((0, 2, 20)))
    most = int(settings.get("max_attempts", 100)) - max(rungs(escalation), 1 + KEPT_ATTEMPTS)
    own: dict[str, Any] = {
        "escalation": str(escalation),
        "max_repegs": max(0, min(repegs, most)),
        "patience_seconds": settings["order_monitoring_seconds"] * chance.choice((1, 3)),
        "max_slippage_bps": chance.choice((3, 20, 150)),
        "max_spread_pct": chance.choice(("0.05", "1", "4")),
        "tick_size": chance.choice(("0.01", "0.05")),
        "repeg_threshold_pct": chance.choice(("0", "0.1")),
        "max_quote_age_seconds": chance.choice((3, 30)),
    }
    if "market" in {settings.get("fallback"), settings["policy"]}:
        del own["escalation"]  # the fallback and the policy need market orders
    kept = {name: own[name] for name in chance.sample(sorted(own), chance.randint(1, 4))}
    needed = int({**settings, **kept}["max_repegs"]) + rungs(Escalation({**settings, **kept}["escalation"]))
    if needed > int(settings.get("max_attempts", 100)):
        kept.pop("escalation", None)  # a deployment is refused whose attempts do not reach the end of a ladder
    return kept


def _no_further(escalation: str) -> list[str]:
    words = [str(each) for each in Escalation]
    return words[: words.index(escalation) + 1]


def _set(day: Day, **settings: Any) -> Day:
    return replace(day, settings={**day.settings, **settings})
