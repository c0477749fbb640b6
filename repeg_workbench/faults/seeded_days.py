"""Seeded days: a short market, an account, a plan and settings; harsher than a real day and over in minutes."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from decimal import ROUND_CEILING, Decimal
from random import Random
from typing import Any

from repeg.domain.settings import Escalation
from repeg.domain.settings_limits import rungs
from repeg_workbench.exchange.broker.opening import OpeningAccount
from repeg_workbench.exchange.broker.races import REPLACE_RACES, Race
from repeg_workbench.exchange.broker_quirks import BrokerQuirks
from repeg_workbench.exchange.matching.symbol_book import FillModel
from repeg_workbench.exchange.time.calendar import TradingCalendar
from repeg_workbench.exchange.units import price
from repeg_workbench.faults.short_market import ShortMarket, running_away, symbol_day

SYMBOLS = ("AAA", "BBB", "CCC", "DDD", "EEE")

LENGTH = 40 * 60

# Settings that re-peg often: frequent turns, no quote gates, long patience.
EAGER = {
    "order_monitoring_seconds": 5, "patience_seconds": 600, "max_repegs": 20, "repeg_threshold_pct": "0",
    "max_spread_pct": "5", "min_volume_shares": 0, "max_slippage_bps": 200, "use_smart_limit_execution": True,
}  # fmt: skip
# Settings that keep working an order until the window closes.
PATIENT = {
    "max_repegs": 399, "max_attempts": 400, "patience_seconds": 3_600, "max_slippage_bps": 2_000,
    "escalation": "none",
}  # fmt: skip
REPLACES = [*sorted(REPLACE_RACES), Race.REPLACE_STUCK]
RACES = sorted(set(Race) - set(REPLACES))

# The seed modulo three: 0 is a day that moves orders by replace, 1 a day that follows its prices, 2 any day. The first
# two mostly have fast books.
REPLACING, LIVELY = 0, 1

# The half day's window can close half an hour after it opens; the other days start near their close. So each seed is a
# whole run, from the wait for the session to the report, in fewer than a hundred turns.
HALF_DAY = date(2026, 11, 27)
FULL_DAYS = (date(2026, 11, 23), date(2026, 3, 9), date(2026, 11, 2))


@dataclass(frozen=True)
class Day:
    """Everything that a seed determines before any fault is drawn. The same seed gives the same day."""

    seed: int
    day: date
    start: datetime
    market: ShortMarket
    opening: OpeningAccount
    quirks: BrokerQuirks
    fill_model: FillModel
    plan: dict[str, Any]
    settings: dict[str, Any]
    races: tuple[Race, ...] = ()
    stuck_seconds: float = 0
    is_chased_to_the_end: bool = False
    """Whether orders are still sent when the window closes; then faults strike only in its last 45 seconds."""
    chaos: float = 0
    """The chance of each fault of the simulator at each request; it only strikes where there are requests."""

    @property
    def targets(self) -> dict[str, tuple[int, Decimal]]:
        """The sign and quantity of each symbol's order, derived from the plan and the opening positions alone."""
        held = {symbol: qty for symbol, (qty, _) in self.opening.positions.items()}
        return {
            row["symbol"]: (1, Decimal(row["qty"]))
            if row["side"] == "buy"
            else (-1, held[row["symbol"]] if row["qty"] == "all" else Decimal(row["qty"]))
            for row in self.plan["orders"]
        }


def make_day(seed: int) -> Day:
    """The day of a seed."""
    chance = Random(f"day {seed}")
    near_open = chance.random() < 0.8
    day = HALF_DAY if near_open else chance.choice(FULL_DAYS)
    session = TradingCalendar().session(day)
    if session is None:
        raise ValueError(f"{day} is not a trading day")
    delay = chance.choice((0, 1, 5))
    start = (
        session.open - timedelta(seconds=chance.randint(-60, 300))
        if near_open
        else session.close - timedelta(minutes=25)
    )
    symbols = SYMBOLS[: chance.randint(1, 4)]
    first = (min(start, session.open) if near_open else start) - timedelta(minutes=2)
    market = ShortMarket({s: symbol_day(s, day, first, LENGTH, chance.getrandbits(32)) for s in symbols})
    opening, plan = _account_and_plan(market, symbols, chance)
    settings = _settings(chance, delay, near_open)
    made = Day(
        seed=seed,
        day=day,
        start=start,
        market=market,
        opening=opening,
        quirks=_quirks(chance),
        fill_model=chance.choice(list(FillModel)),
        plan=plan,
        settings=settings,
    )
    made = _lively(made) if seed % 3 in {REPLACING, LIVELY} else made
    return _limited(_replacing(made) if seed % 3 == REPLACING else _racing(made))


def _replacing(made: Day) -> Day:
    """The same day for a run that moves orders by replace, with races and slow or stuck replaces."""
    chance = Random(f"replace {made.seed}")
    quirks = replace(
        made.quirks,
        replace_delay=chance.choice(((10, 80), (0, 0), (500, 5_000), (20_000, 40_000))),
        chain_settle_delay=chance.choice(((0, 0), (0, 0), (1_000, 40_000))),
    )
    settings = {**made.settings, "use_replace": True, **(EAGER if chance.random() < 0.8 else {})}
    races = tuple(chance.sample(REPLACES, chance.randint(0, 3)))
    return replace(made, quirks=quirks, settings=settings, races=races, stuck_seconds=chance.uniform(5, 90))


def _lively(made: Day) -> Day:
    """The same day, in most seeds with books that run away from the orders and a run that follows them."""
    chance = Random(f"lively {made.seed}")
    if chance.random() < 0.4:
        return made
    days = {symbol: made.market.day(symbol, made.day) for symbol in made.market.symbols()}
    to_the_end = chance.random() < 0.15
    back_at = _window_closes(made) if to_the_end else None
    running = {
        symbol: running_away(calm, made.targets[symbol][0], chance.getrandbits(32), back_at)
        for symbol, calm in days.items()
        if calm is not None
    }
    eager = {**EAGER, "order_monitoring_seconds": 10, "max_repegs": 46, "max_slippage_bps": 500}
    opening = made.opening
    if to_the_end:
        opening = replace(opening, cash=Decimal(1_000_000))
        eager |= PATIENT
    settings = {**made.settings, **eager}
    return replace(
        made, market=ShortMarket(running), settings=settings, opening=opening, is_chased_to_the_end=to_the_end
    )


def _window_closes(made: Day) -> datetime:
    session = TradingCalendar().session(made.day)
    if session is None:
        raise ValueError(f"{made.day} is not a trading day")
    return session.close - timedelta(minutes=made.settings["close_margin_minutes"])


def _racing(made: Day) -> Day:
    """The same day with broker races: late rejections, lost or stuck cancels, slow lists."""
    chance = Random(f"races {made.seed}")
    if chance.random() < 0.5:
        return made
    races = tuple(chance.sample(RACES, chance.randint(1, 3)))
    return replace(made, races=races, stuck_seconds=chance.uniform(5, 90), chaos=chance.choice((0, 0.001, 0.01)))


def _limited(made: Day) -> Day:
    """The same day, in one seed of four with tight limits: enough for the plan, perhaps too little for its re-pegs."""
    chance = Random(f"limits {made.seed}")
    if chance.random() < 0.75 or made.is_chased_to_the_end:
        return made
    worth = [qty * price(made.market.reference_price(s, made.day) or 0) for s, (_, qty) in made.targets.items()]
    total = sum(worth, Decimal(0)) * chance.choice((Decimal("1.02"), Decimal("1.2"), Decimal(3)))
    limits = {
        "max_run_notional": str(total.quantize(Decimal(1), ROUND_CEILING)),
        "max_day_notional": str(total.quantize(Decimal(1), ROUND_CEILING)),
        "max_run_orders": chance.choice((1, 2, 4, 12)),
        "max_attempts": _fewest_attempts(made.settings) + chance.choice((0, 2, 47)),
    }
    kept = chance.sample(sorted(limits), chance.randint(1, 3))
    return replace(made, settings={**made.settings, **{name: limits[name] for name in kept}})


def _fewest_attempts(settings: dict[str, Any]) -> int:
    """The fewest orders that a run may be limited to: one for each move and each rung of its ladder."""
    return int(settings["max_repegs"]) + rungs(Escalation(settings["escalation"]))


def _settings(chance: Random, delay: int, near_open: bool) -> dict[str, Any]:  # noqa: FBT001 - private, one caller
    monitoring = chance.choice((10, 15, 30))
    return {
        "market_open_delay_minutes": delay,
        # The half day has 210 minutes; the two margins leave 25 to 35 of them.
        "close_margin_minutes": 180 - chance.choice((0, 5)) if near_open else chance.choice((2, 5, 10)),
        "order_monitoring_seconds": monitoring,
        "patience_seconds": max(monitoring, chance.choice((30, 60, 120, 240))),
        "max_repegs": chance.choice((0, 1, 3, 10)),
        "repeg_threshold_pct": chance.choice(("0", "0.01", "0.05")),
        "max_spread_pct": chance.choice(("0.1", "0.5", "5")),
        "min_volume_shares": chance.choice((0, 100)),
        "max_slippage_bps": chance.choice((5, 50, 200)),
        "escalation": chance.choice(("none", "mid", "cross", "cross", "market")),
        "use_smart_limit_execution": chance.random() < 0.95,
        "use_async_execution": chance.random() < 0.8,
    }


def _quirks(chance: Random) -> BrokerQuirks:
    return BrokerQuirks(
        ack_delay=chance.choice(((5, 40), (0, 0), (500, 3_000))),
        cancel_delay=chance.choice(((5, 60), (0, 0), (300, 4_000), (20_000, 40_000))),
        release_delay=chance.choice(((0, 20), (0, 0), (500, 5_000))),
        list_lag=chance.choice(((0, 0), (0, 2_000), (5_000, 40_000))),
        client_id_lag=chance.choice(((0, 0), (0, 0), (100, 3_000))),
        accepted_status=chance.choice(("pending_new", "accepted", "new")),
        cancel_of_canceled=chance.choice(("204", "422")),
        second_cancel=chance.choice(("422", "204")),
        market_without_quote=chance.choice(("rejected", "resting")),
        partial_day_status=chance.choice(("expired", "canceled")),
        replace_fill_inheritance=chance.choice(("inherit", "zero")),
        requests_per_minute=200,
    )


def _account_and_plan(
    market: ShortMarket, symbols: tuple[str, ...], chance: Random
) -> tuple[OpeningAccount, dict[str, Any]]:
    orders: list[dict[str, str]] = []
    positions: dict[str, tuple[Decimal, Decimal]] = {}
    cost = Decimal(0)
    for symbol in symbols:
        worth = price(market.reference_price(symbol, HALF_DAY) or 0)
        qty = Decimal(chance.choice((1, 40, 100, 350)))
        if chance.random() < 0.4:
            positions[symbol] = (qty + chance.choice((0, 10)), worth)
            orders.append({"symbol": symbol, "side": "sell", "qty": chance.choice((str(qty), "all"))})
        else:
            cost += qty * worth
            orders.append({"symbol": symbol, "side": "buy", "qty": str(qty)})
    # In some seeds the sells must fund the buys, in some the cash is never enough, in most there is plenty.
    cash = (cost * chance.choice((Decimal("0.2"), Decimal("0.9"), Decimal(2), Decimal(5)))).quantize(Decimal("0.01"))
    return OpeningAccount(cash=cash, positions=positions), {"name": "seed", "orders": orders}
