"""Caution costs no fills: on days without faults a run fills its whole plan."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

from repeg.domain.outcome import Outcome
from repeg_workbench.faults.campaign import quietly
from repeg_workbench.faults.circumstances import PLAIN
from repeg_workbench.faults.seeded_days import Day, make_day
from repeg_workbench.faults.world import World

# Orders may cross any spread inside a wide collar before the close, and there is cash for everything.
GENEROUS = {
    "escalation": "cross", "max_spread_pct": "20", "min_volume_shares": 0, "max_slippage_bps": 2_000,
    "use_smart_limit_execution": True, "max_attempts": 400,
}  # fmt: skip
LIMITS = ("max_run_notional", "max_day_notional", "max_run_orders")
# Days that are chased to the end are left out: their prices leave every collar.
SEEDS = [seed for seed in range(40) if not make_day(seed, PLAIN).is_chased_to_the_end]


def generous_day(seed: int) -> Day:
    """A seed's day without limits and races, with cash for everything."""
    day = make_day(seed, PLAIN)
    settings = {name: value for name, value in day.settings.items() if name not in LIMITS} | GENEROUS
    if settings.get("policy") == "market":  # a market order needs a narrow spread
        settings["policy"] = "normal"
    opening = replace(day.opening, cash=Decimal(10_000_000))
    return replace(day, settings=settings, opening=opening, races=(), chaos=0)


def test_a_run_without_faults_fills_every_share() -> None:
    """With an ask available at any time, every share can be filled, unless the price leaves even the widest collar."""
    filled, wanted, left_the_collar = Decimal(0), 0, 0
    for seed in SEEDS:
        with quietly():
            world = World(seed, quiet=True, day=generous_day(seed))
            result = world.run()
        assert not result.violations, (seed, result.violations)
        orders = world.store.orders(world.run_id)
        inside = [order for order in orders if order.outcome is not Outcome.NO_FILL_COLLAR]
        filled += sum((min(order.filled / order.target, Decimal(1)) for order in inside), Decimal(0))
        left_the_collar += len(orders) - len(inside)
        wanted += len(world.day.targets)
    assert filled / (wanted - left_the_collar) >= Decimal("0.99"), f"{filled} of {wanted}, less {left_the_collar}"
    assert left_the_collar < wanted / 20
