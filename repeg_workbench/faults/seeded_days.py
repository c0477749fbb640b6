"""Seeded days: a short market, an account, a plan and settings; harsher than a real day and over in minutes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from decimal import ROUND_CEILING, Decimal
from random import Random
from typing import Any

from repeg.domain.session import TradingDay, TradingWindow, trading_window
from repeg.domain.setting_types import Escalation
from repeg.domain.settings_limits import rungs
from repeg.domain.settings_sources import resolve
from repeg_workbench.deployment_variables import variables
from repeg_workbench.exchange.broker.opening import OpeningAccount
from repeg_workbench.exchange.broker.races import REPLACE_RACES, Race
from repeg_workbench.exchange.broker_quirks import BrokerQuirks
from repeg_workbench.exchange.matching.symbol_book import FillModel
from repeg_workbench.exchange.time.calendar import TradingCalendar
from repeg_workbench.exchange.units import price
from repeg_workbench.faults.circumstances import with_circumstances
from repeg_workbench.faults.day_parts import FULL_DAYS, draw_account_and_plan, draw_quirks, draw_settings
from repeg_workbench.faults.planned_runs import PlannedRun
from repeg_workbench.faults.short_market import ShortMarket, running_away, symbol_day

SYMBOLS = ("AAA", "BBB", "CCC", "DDD", "EEE")

LENGTH = 40 * 60

# Settings that re-peg often: frequent turns, no quote gates, long patience.
EAGER = {
    "order_monitoring_seconds": 5, "patience_seconds": 600, "max_repegs": 20, "repeg_threshold_pct": "0",
    "max_spread_pct": "5", "min_volume_shares": 0, "max_slippage_bps": 200, "use_smart_limit_execution": True,
    "policy": "anchor",
}  # fmt: skip
# Settings that keep working an order until the window closes.
PATIENT = {
    "max_repegs": 399, "max_attempts": 400, "patience_seconds": 3_600, "max_slippage_bps": 2_000,
    "escalation": "none",
}  # fmt: skip
REPLACES = [*sorted(REPLACE_RACES), Race.REPLACE_STUCK]
RACES = sorted(set(Race) - {*REPLACES, Race.CANCELED_FIRST})

# The seed modulo three: 0 is a day that moves orders by replace, 1 a day that follows its prices, 2 any day. The first
# two mostly have fast books.
REPLACING, LIVELY = 0, 1

# The half day's window can close half an hour after it opens; the other days start near their close. So each seed is a
# whole run, from the wait for the session to the report, in fewer than a hundred turns.
HALF_DAY = date(2026, 11, 27)


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

    others: tuple[PlannedRun, ...] = ()
    """Further runs of the day, of this plan or of others, by the first stack or another."""
    other_stacks: tuple[dict[str, Any], ...] = ()
    """The settings of further stacks on the account."""
    input_settings: Mapping[str, Any] = field(default_factory=dict)
    """What the input of the seed's own plan changes of its deployment's settings."""
    broker_clock: float = 0
    """Seconds that the broker's clock endpoint is ahead of its matching."""
    own_clock: float = 0
    """Seconds that the functions' clock is ahead of the broker's."""
    turns_per_execution: int | None = None
    """After how many turns a run goes on in a new execution; None as deployed."""
    circumstances: tuple[str, ...] = ()
    """The circumstances that were drawn for this day."""

    @property
    def runs(self) -> tuple[PlannedRun, ...]:
        """Every run of the day, the seed's own plan first."""
        return (PlannedRun(self.plan, settings=self.input_settings), *self.others)

    @property
    def stacks(self) -> tuple[dict[str, Any], ...]:
        """The settings of every stack."""
        return (self.settings, *self.other_stacks)

    @property
    def targets(self) -> dict[str, tuple[int, Decimal]]:
        """The sign and quantity of each order of the seed's own plan."""
        return self.runs[0].targets(self.opening)


def make_day(seed: int, without: frozenset[str] = frozenset()) -> Day:
    """The day of a seed; without the circumstances named, everything else is the same."""
    return with_circumstances(_plain_day(seed), without)


def _plain_day(seed: int) -> Day:
    """One run of one plan of whole shares."""
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
    opening, plan = draw_account_and_plan(market, symbols, HALF_DAY, chance)
    settings = draw_settings(chance, delay, near_open=near_open)
    made = Day(
        seed=seed,
        day=day,
        start=start,
        market=market,
        opening=opening,
        quirks=draw_quirks(chance),
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
    back_at = window_of(made)[1].closes if to_the_end else None
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


def window_of(made: Day) -> tuple[TradingDay, TradingWindow]:
    """The day's session, and the trading window of its first stack."""
    found = TradingCalendar().session(made.day)
    if found is None:
        raise ValueError(f"{made.day} is not a trading day")
    session = TradingDay(day=made.day, open=found.open, close=found.close)
    settings = resolve(variables(made.settings), None)
    return session, trading_window(session, settings.market_open_delay_minutes, settings.close_margin_minutes)


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
