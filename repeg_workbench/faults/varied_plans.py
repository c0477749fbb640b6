"""Days with other plans and accounts: weights, dollars, fractions, margin, and several runs on one account."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from random import Random
from typing import TYPE_CHECKING, Any

from repeg_workbench.exchange.broker.races import Race
from repeg_workbench.exchange.units import price
from repeg_workbench.faults.day_parts import draw_settings
from repeg_workbench.faults.planned_runs import PlannedRun

if TYPE_CHECKING:
    from repeg_workbench.faults.seeded_days import Day


def with_fractions(day: Day, chance: Random) -> Day:
    """The same plan with fractions of shares, and sells of holdings with fractions."""
    part = Decimal(chance.choice(("0.5", "0.004", "0.123456789")))
    orders = [
        row if row["qty"] == "all" or chance.random() < 0.3 else {**row, "qty": str(Decimal(row["qty"]) + part)}
        for row in day.plan["orders"]
    ]
    positions = {symbol: (held + part, paid) for symbol, (held, paid) in day.opening.positions.items()}
    return replace(day, plan={**day.plan, "orders": orders}, opening=replace(day.opening, positions=positions))


def with_dollars(day: Day, chance: Random) -> Day:
    """The same plan with some of its orders in dollars, of a share's worth and a little more or less."""
    rows = [row if row["qty"] == "all" or chance.random() < 0.4 else _in_dollars(row, day, chance)
            for row in day.plan["orders"]]  # fmt: skip
    return replace(day, plan={**day.plan, "orders": rows})


def _in_dollars(row: dict[str, str], day: Day, chance: Random) -> dict[str, str]:
    worth = Decimal(row["qty"]) * price(day.market.reference_price(row["symbol"], day.day) or 0)
    dollars = (worth * Decimal(chance.choice(("1", "0.97", "1.05")))).quantize(Decimal("0.01"))
    kept = {name: value for name, value in row.items() if name != "qty"}
    return {**kept, "notional": str(dollars)} if dollars > 0 else row


def with_bands(day: Day, chance: Random) -> Day:
    """A plan of weights with drift bands, or one that only buys; a plan of orders stays as it is."""
    if "targets" not in day.plan:
        return day
    own = chance.choice(sorted(day.plan["targets"]))
    fields: dict[str, Any] = {
        "min_drift_pct": chance.choice(("0", "0.5", "5")),
        "min_drift_pct_of": {own: chance.choice(("0", "2", "20"))},
        "buy_only": chance.random() < 0.4,
    }
    return replace(day, plan={**day.plan, **fields})


def with_weights(day: Day, chance: Random) -> Day:
    """A plan of weights for the same symbols: exits, weights on target, and computed weights with many digits."""
    return replace(day, plan=_weights("seed", day, list(day.market.symbols()), chance))


def with_margin(day: Day, chance: Random) -> Day:
    """The same account with twice its equity to spend, and perhaps with short sales.

    Not with two stacks: they have two funding leases, so that they can borrow together.
    """
    if day.other_stacks:
        return day
    return replace(day, opening=replace(day.opening, multiplier=2, shorting_enabled=chance.random() < 0.5))


def with_buying_power(day: Day, chance: Random) -> Day:
    """A margin account whose buys are funded from its buying power; one input in three keeps to the cash.

    Not with two stacks, for the reason above.
    """
    if day.other_stacks:
        return day
    opening = replace(
        day.opening,
        multiplier=chance.choice((2, 2, 4)),
        shorting_enabled=day.opening.shorting_enabled,
        cash=(day.opening.cash * chance.choice((1, 1, Decimal("0.3")))).quantize(Decimal("0.01")),
    )
    own = {"fund_buys_from": "cash"} if chance.random() < 0.3 else {}
    return replace(
        day, opening=opening, settings={**day.settings, "fund_buys_from": "buying_power"},
        input_settings={**day.input_settings, **own},
    )  # fmt: skip


def with_second_plan(day: Day, chance: Random) -> Day:
    """A second plan of the same stack, seconds or minutes later, for some of the same symbols."""
    return replace(day, others=(*day.others, PlannedRun(_other_plan("core", day, chance), after=_later(chance))))


def with_second_stack(day: Day, chance: Random) -> Day:
    """A second stack on the same account, with a plan of the same name or another and settings of its own."""
    settings = {
        **draw_settings(chance, day.settings["market_open_delay_minutes"], near_open=True),
        "close_margin_minutes": day.settings["close_margin_minutes"],
    }
    plan = _other_plan(chance.choice(("seed", "seed-v2")), day, chance)
    run = PlannedRun(plan, stack=len(day.stacks), after=_later(chance))
    return replace(day, others=(*day.others, run), other_stacks=(*day.other_stacks, settings))


def with_further_run(day: Day, chance: Random) -> Day:
    """The same plan again under the next run number, tried twice: it may start once the first run is over."""
    runs = tuple(PlannedRun(day.plan, run_number=2, after=chance.uniform(*span)) for span in ((60, 900), (900, 2_000)))
    return replace(day, others=(*day.others, *runs))


def with_renewals(day: Day, chance: Random) -> Day:
    """A history of few turns, so that the run goes on in a new execution again and again."""
    return replace(day, turns_per_execution=chance.choice((2, 5, 20)))


def with_clock_errors(day: Day, chance: Random) -> Day:
    """Clocks that differ: the broker's from its own matching, and the functions' from both."""
    return replace(day, broker_clock=chance.uniform(-1.5, 1.5), own_clock=chance.choice((0.0, chance.uniform(-2, 2))))


def with_an_owner_who_cancels_first(day: Day, chance: Random) -> Day:
    """An owner who is faster with some cancels by an instant; mostly at a broker that refuses the cancel that follows,
    by which alone the run can know it."""
    quirks = replace(day.quirks, cancel_of_canceled=chance.choice(("204", "422", "422")))
    return replace(day, quirks=quirks, races=(*day.races, Race.CANCELED_FIRST))


def _later(chance: Random) -> float:
    return chance.choice((0.0, chance.uniform(0, 5), chance.uniform(0, 600)))


def _other_plan(name: str, day: Day, chance: Random) -> dict[str, Any]:
    """A plan of some of the day's symbols: orders of either side, or weights."""
    symbols = chance.sample(day.market.symbols(), chance.randint(1, len(day.market.symbols())))
    if chance.random() < 0.3:
        return _weights(name, day, symbols, chance)
    orders = []
    for symbol in symbols:
        held = day.opening.positions.get(symbol)
        if held is not None and chance.random() < 0.7:
            orders.append({"symbol": symbol, "side": "sell", "qty": chance.choice(("all", "1", str(held[0])))})
        else:
            orders.append({"symbol": symbol, "side": "buy", "qty": str(chance.choice((1, 40, 100)))})
    return {"name": name, "orders": orders}


def _weights(name: str, day: Day, symbols: list[str], chance: Random) -> dict[str, Any]:
    worth = {s: price(day.market.reference_price(s, day.day) or 0) for s in day.market.symbols()}
    held = {s: day.opening.positions.get(s, (Decimal(0),))[0] * worth[s] for s in worth}
    equity = day.opening.cash + sum(held.values(), Decimal(0))
    reserve = Decimal(chance.choice(("0", "0", "0.02", "0.1")))
    drawn = {s: chance.choice((0.0, float(held[s] / equity), chance.random(), chance.random())) for s in symbols}
    # An optimiser's weights add up to one, with the digits of a float; others are round.
    room, total = float(1 - reserve), sum(drawn.values())
    if total > room or (total and chance.random() < 0.3):
        drawn = {s: weight / total * room for s, weight in drawn.items()}
    digits = chance.choice((2, 4, 17))
    weights = {
        s: str(Decimal(repr(round(weight, digits))).quantize(Decimal(1).scaleb(-digits))) for s, weight in drawn.items()
    }
    if sum(map(Decimal, weights.values()), reserve) > 1:
        weights = {s: str(Decimal(w) * Decimal("0.9")) for s, w in weights.items()}
    return {
        "name": name, "targets": weights, "cash_reserve": str(reserve),
        "min_trade_notional": chance.choice(("0", "25", "500")),
    }  # fmt: skip
