"""Whatever a client does, the account adds up after every single operation."""

from datetime import date
from typing import Any

import pytest

from tests.exchange.auditor import Auditor
from tests.exchange.caller import Caller, a_caller
from tests.exchange.traffic import Traffic
from workbench.exchange.generated import GeneratedMarket
from workbench.exchange.generated_regimes import DEFAULT_UNIVERSE
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
MARGIN = {"multiplier": 2, "shorting_enabled": True}


def _caller(seed: int, knobs: Knobs, model: FillModel, **opening: Any) -> tuple[Caller, list[str]]:
    instruments = [i for i in DEFAULT_UNIVERSE if i.listing.symbol in {"HALT"}] + list(DEFAULT_UNIVERSE[:1] + DEFAULT_UNIVERSE[-1:])
    market = GeneratedMarket(seed, instruments, activity=0.2)
    knobs = Knobs(**{**vars(knobs), "requests_per_minute": None, "data_requests_per_minute": None})
    return a_caller(market=market, knobs=knobs, model=model, day=date(2026, 11, 25), seed=seed, **opening), [
        i.listing.symbol for i in instruments
    ]


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
    caller, symbols = _caller(seed, knobs, model, **opening)
    traffic, auditor = Traffic(caller, symbols, seed), Auditor(caller.exchange)
    auditor.check()
    for _ in range(5_000):
        traffic.step()
        auditor.check()
    caller.call("DELETE", "/v2/orders")
    caller.wait(5 * 24 * 3_600_000)
    auditor.check()
    auditor.check_closed()
    print(dict(sorted(traffic.outcomes.items())), len(caller.exchange.ledger.executions))
    assert len(caller.exchange.ledger.executions) > 300
