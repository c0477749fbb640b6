"""Whatever a client does, the account adds up after every single operation."""

from dataclasses import replace
from datetime import date
from typing import Any

import pytest

from tests.exchange.auditor import Auditor
from tests.exchange.caller import a_caller
from tests.exchange.traffic import Traffic
from workbench.exchange.generated import DEFAULT_UNIVERSE, GeneratedMarket
from workbench.exchange.knobs import Knobs
from workbench.exchange.matching import FillModel

SLOW = Knobs(release_delay=(0, 3000), replace_delay=(10, 4000), cancel_delay=(0, 4000), ack_delay=(0, 2000))
ODD = Knobs(
    replace_fill_inheritance="zero",
    accepted_status="accepted",
    cancel_while_closed="at_open",
    market_without_quote="resting",
    partial_day_status="canceled",
    auction_orders="immediate",
    cancel_delay=(0, 1),
    chain_settle_delay=(0, 3000),
)
SYMBOLS = ("BAC", "HALT", "CENT")
THANKSGIVING_EVE = date(2026, 11, 25)
MARGIN: dict[str, Any] = {"multiplier": 2, "shorting_enabled": True}


@pytest.mark.parametrize(
    ("seed", "knobs", "model", "opening"),
    [
        (1, Knobs(), FillModel.QUEUE, {}),
        (2, SLOW, FillModel.TOUCH, MARGIN),
        (3, ODD, FillModel.PAPER, MARGIN),
        (4, SLOW, FillModel.TRADE_THROUGH, {}),
    ],
    ids=["usual", "slow-margin", "odd-margin", "slow"],
)
def test_the_ledger_adds_up_after_each_of_five_thousand_random_operations(
    seed: int, knobs: Knobs, model: FillModel, opening: dict[str, Any]
) -> None:
    market = GeneratedMarket(seed, [i for i in DEFAULT_UNIVERSE if i.listing.symbol in SYMBOLS], activity=0.2)
    knobs = replace(knobs, requests_per_minute=None, data_requests_per_minute=None)
    caller = a_caller(market=market, knobs=knobs, model=model, day=THANKSGIVING_EVE, seed=seed, **opening)
    traffic, auditor = Traffic(caller, market.symbols(), seed), Auditor(caller.exchange)
    auditor.check()
    for _ in range(5_000):
        traffic.step()
        auditor.check()
    caller.call("DELETE", "/v2/orders")
    caller.wait(5 * 24 * 3_600_000)
    auditor.check()
    auditor.check_closed()
    assert len(caller.exchange.ledger.executions) > 300
    assert {"submit 200", "replace 200", "cancel 204", "close 200", "submit 403", "submit 422"} <= set(traffic.outcomes)
