"""Random account traffic at four kinds of broker, with an audit after every operation.

`python -m tests.exchange.account_audit --operations 20000 --seed 7` does it for longer than the gate has time for.
"""

import argparse
import sys
from dataclasses import dataclass, field, replace
from datetime import date
from typing import Any

from repeg_workbench.exchange.broker_quirks import BrokerQuirks
from repeg_workbench.exchange.market.generated import DEFAULT_UNIVERSE, GeneratedMarket
from repeg_workbench.exchange.matching.symbol_book import FillModel
from tests.exchange.auditor import Auditor
from tests.exchange.caller import a_caller
from tests.exchange.traffic import Traffic

SYMBOLS = ("BAC", "HALT", "CENT")
THANKSGIVING_EVE = date(2026, 11, 25)
AFTERWARDS = 5 * 24 * 3_600_000
"""Milliseconds after which every open order has ended."""

_SLOW = BrokerQuirks(release_delay=(0, 3000), replace_delay=(10, 4000), cancel_delay=(0, 4000), ack_delay=(0, 2000))
_ODD = BrokerQuirks(
    replace_fill_inheritance="zero",
    accepted_status="accepted",
    cancel_while_closed="at_open",
    market_without_quote="resting",
    partial_day_status="canceled",
    auction_orders="immediate",
    cancel_delay=(0, 1),
    chain_settle_delay=(0, 3000),
)
_MARGIN: dict[str, Any] = {"multiplier": 2, "shorting_enabled": True}


@dataclass(frozen=True)
class Broker:
    """One kind of broker: its quirks, fill model and opening account."""

    quirks: BrokerQuirks
    model: FillModel
    opening: dict[str, Any] = field(default_factory=dict)


BROKERS = {
    "usual": Broker(BrokerQuirks(), FillModel.QUEUE),
    "slow, on margin": Broker(_SLOW, FillModel.TOUCH, _MARGIN),
    "odd, on margin": Broker(_ODD, FillModel.PAPER, _MARGIN),
    "slow": Broker(_SLOW, FillModel.TRADE_THROUGH),
}


def audited(broker: Broker, seed: int, operations: int) -> Traffic:
    """Run this many operations; audit the books after each and again when all orders have ended."""
    market = GeneratedMarket(seed, [i for i in DEFAULT_UNIVERSE if i.listing.symbol in SYMBOLS], activity=0.2)
    quirks = replace(broker.quirks, requests_per_minute=None, data_requests_per_minute=None)
    caller = a_caller(
        market=market, quirks=quirks, model=broker.model, day=THANKSGIVING_EVE, seed=seed, **broker.opening
    )
    traffic, auditor = Traffic(caller, market.symbols(), seed), Auditor(caller.exchange)
    auditor.check()
    for _ in range(operations):
        traffic.step()
        auditor.check()
    caller.call("DELETE", "/v2/orders")
    caller.wait(AFTERWARDS)
    auditor.check()
    auditor.check_closed()
    return traffic


def main() -> None:
    """Audit every kind of broker and print the results."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--operations", type=int, default=20_000, help="per kind of broker")
    parser.add_argument("--seed", type=int, default=1)
    asked = parser.parse_args()
    for name, broker in BROKERS.items():
        exchange = audited(broker, asked.seed, asked.operations).caller.exchange
        orders, executions = len(exchange.account.orders.by_id), len(exchange.ledger.executions)
        sys.stdout.write(
            f"{name:<16} {asked.operations:,} operations, audited one by one: {orders:,} orders, {executions:,} fills\n"
        )
        sys.stdout.flush()


if __name__ == "__main__":
    main()
