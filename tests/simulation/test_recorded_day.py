"""A buy and a sell on a real day recorded at the New York Stock Exchange."""

from __future__ import annotations

import json
from datetime import date
from decimal import Decimal
from pathlib import Path

import pytest

from repeg_workbench.exchange.broker.opening import OpeningAccount
from repeg_workbench.exchange.market.recorded import RecordedMarket
from repeg_workbench.simulate.simulation import Scenario
from tests.simulation import judge
from tests.simulation.command_line import repeg, write
from tests.simulation.days import orders
from tests.simulation.playing import play

RECORDINGS = Path(__file__).parents[3] / "shared" / "market"
DAY = date(2018, 1, 2)

pytestmark = pytest.mark.skipif(
    not any(RECORDINGS.glob(f"XXX-{DAY}.quotes.csv*")),
    reason=f"no recording of XXX on {DAY} in ../shared/market: the project ships none",
)


@pytest.mark.parametrize("side", ["buy", "sell"])
def test_the_recorded_day_is_executed(side: str) -> None:
    market = RecordedMarket(RECORDINGS)
    opening = OpeningAccount(cash=Decimal(100_000), positions={"XXX": (Decimal(300), Decimal(157))})
    played = play(Scenario(orders(f"recorded-{side}", f"{side} 300 XXX"), market, DAY, opening))
    (order,) = played.summary["orders"]
    assert (order["outcome"], order["filled_qty"]) == ("filled", "300")
    assert abs(Decimal(order["cost_bps"])) < 50, "inside the collar"
    judge.nothing_of_ours_is_open(played.exchange)
    judge.never_a_share_too_many(played.exchange, played.orders)
    judge.books_are_the_brokers(played.exchange, played.orders)
    judge.every_order_was_meant(played.exchange, played.intents)


@pytest.mark.parametrize("side", ["buy", "sell"])
def test_the_command_executes_a_recorded_day(side: str, tmp_path: Path) -> None:
    plan = write(tmp_path, orders("recorded", f"{side} 300 XXX"))
    result = repeg("--plan", plan, "--market", RECORDINGS, "--date", str(DAY), "--json")
    assert result.exit_code == 0
    assert json.loads(result.stdout)["orders"][0]["outcome"] == "filled"
