"""Whole days through the deployed steps with control orders: their journals give what the broker's ledger says."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from repeg.adapters.journal.bucket import keys_since
from repeg.domain.plan import parse
from repeg_workbench.exchange.broker_quirks import BrokerQuirks
from repeg_workbench.exchange.core import Exchange
from repeg_workbench.exchange.market.generated import GeneratedMarket
from repeg_workbench.exchange.units import price, qty
from repeg_workbench.operate.savings import STEPS, Request, savings
from repeg_workbench.operate.workstation import Workstation
from repeg_workbench.simulate.opening_account import Holdings, opening_account
from repeg_workbench.simulate.simulation import Scenario, SimulatedDay, opened

DAYS = (date(2026, 11, 23), date(2026, 11, 24), date(2026, 11, 25))
PLAN = {
    "name": "control",
    "orders": [
        {"symbol": "AIG", "side": "sell", "qty": "60"},
        {"symbol": "IBM", "side": "sell", "qty": "20"},
        {"symbol": "AAPL", "side": "buy", "qty": "15"},
        {"symbol": "KO", "side": "buy", "qty": "30"},
    ],
}


@dataclass(frozen=True)
class Days:
    """The folder with the journals, what `repeg savings` says of it, and the control orders of the ledgers."""

    folder: Path
    found: dict[str, Any]
    control: dict[tuple[str, str], tuple[Decimal, Decimal]]
    """By run and symbol: shares and average price."""


@pytest.fixture(scope="module")
def days(tmp_path_factory: pytest.TempPathFactory) -> Days:
    folder = tmp_path_factory.mktemp("journals")
    control: dict[tuple[str, str], tuple[Decimal, Decimal]] = {}
    for day in DAYS:
        scenario = replace(a_scenario(day), keeps_journal=True)
        with opened(scenario) as simulated:
            simulated.start(scenario.run_id)
            simulated.run()
            copy(simulated, folder)
            control.update(market_fills(scenario.run_id, simulated.exchange))
    return Days(folder, dict(savings(Workstation(), Request([str(folder)], None, None)).data), control)


def a_scenario(day: date) -> Scenario:
    market = GeneratedMarket(1)
    opening = opening_account(parse(PLAN), Holdings(), market, day)
    settings = {"control_share": "0.5", "look_seconds": "30"}
    return Scenario(PLAN, market, day, opening, settings, seed=1, quirks=BrokerQuirks(price_improvement=600))


def copy(day: SimulatedDay, folder: Path) -> None:
    """Copy the day's journals from its bucket, as `aws s3 cp --recursive` does."""
    s3, bucket = day.engine.client("s3"), day.engine.stack.physical_id("JournalBucket")
    for key in keys_since(s3, bucket, None, STEPS):
        file = folder / key
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(s3.get_object(Bucket=bucket, Key=key)["Body"].read())


def market_fills(run_id: str, exchange: Exchange) -> Iterator[tuple[tuple[str, str], tuple[Decimal, Decimal]]]:
    """The orders without a limit that the broker has filled."""
    for order in exchange.account.orders.by_id.values():
        mine = [each for each in exchange.ledger.executions if each.order_id == order.id]
        if order.terms.limit is None and mine:
            shares = sum((qty(each.quantity) for each in mine), Decimal(0))
            paid = sum((qty(each.quantity) * price(each.price) for each in mine), Decimal(0))
            yield (run_id, order.terms.symbol), (shares, paid / shares)


def test_every_order_of_the_days_is_measured_in_its_arm(days: Days) -> None:
    counts = days.found["counts"]
    assert counts["observed"] == len(DAYS) * len(PLAN["orders"])
    # An order whose cash came in parts stays in its arm, and is worked as usual.
    assert counts["control"] >= len(days.control) > 0
    assert counts["control"] + counts["treated"] + counts["apart"] == counts["observed"]
    assert days.found["problems"] == days.found["unmeasured"] == []


def test_control_orders_are_the_brokers_market_orders(days: Days) -> None:
    """Five or more control orders, each improved: they pay less than displayed and no more than that."""
    control = days.found["control"]["each"]
    assert control["orders"] == len(days.control) >= 5
    assert Decimal(0) < Decimal(control["value"]) < Decimal("0.9")


def test_the_first_day_alone_is_asked_for_by_its_date(days: Days) -> None:
    later = savings(Workstation(), Request([str(days.folder)], None, DAYS[1].isoformat()))
    assert later.data["runs"] == days.found["runs"] - 1 == len(DAYS) - 1
