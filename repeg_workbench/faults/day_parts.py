"""The parts that a seeded day is drawn from: settings, the broker's behaviour, the account and the plan."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from random import Random
from typing import Any

from repeg_workbench.exchange.broker.opening import OpeningAccount
from repeg_workbench.exchange.broker_quirks import BrokerQuirks
from repeg_workbench.exchange.units import price
from repeg_workbench.faults.short_market import ShortMarket

FULL_DAYS = (date(2026, 11, 23), date(2026, 3, 9), date(2026, 11, 2))


def draw_settings(chance: Random, delay: int, *, near_open: bool) -> dict[str, Any]:
    """The settings of a deployment whose window closes half an hour after it opens, or minutes before the close."""
    monitoring = chance.choice((10, 15, 30))
    drawn = {
        "policy": "anchor",
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
    return drawn if drawn["use_smart_limit_execution"] else _at_market(drawn)


def _at_market(settings: dict[str, Any]) -> dict[str, Any]:
    """The same settings under the other name of market orders, which no lower rung permits."""
    escalation = "market" if settings["escalation"] == "market" else "cross"
    return {**settings, "policy": "market", "escalation": escalation}


def draw_quirks(chance: Random) -> BrokerQuirks:
    """How the broker behaves where it is slow, or where its behaviour is not known."""
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


def draw_account_and_plan(
    market: ShortMarket, symbols: tuple[str, ...], day: date, chance: Random
) -> tuple[OpeningAccount, dict[str, Any]]:
    """A plan of orders, and an account with the positions that it sells."""
    orders: list[dict[str, str]] = []
    positions: dict[str, tuple[Decimal, Decimal]] = {}
    cost = Decimal(0)
    for symbol in symbols:
        worth = price(market.reference_price(symbol, day) or 0)
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
