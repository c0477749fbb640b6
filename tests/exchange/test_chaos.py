"""Chaos mode: the account balances while every fault and race strikes."""

from collections import Counter

import pytest

from repeg_workbench.exchange.broker_quirks import BrokerQuirks
from repeg_workbench.exchange.control.chaos import arm_all, every_fault
from repeg_workbench.exchange.faults.transport_faults import Kind, TransportFault
from repeg_workbench.exchange.market.generated import DEFAULT_UNIVERSE, GeneratedMarket
from tests.exchange.auditor import Auditor
from tests.exchange.caller import a_caller
from tests.exchange.traffic import Traffic

LIMITLESS = BrokerQuirks(requests_per_minute=None, data_requests_per_minute=None)


def _run_in_chaos(seed: int) -> tuple[Counter[str], list[object]]:
    market = GeneratedMarket(seed, DEFAULT_UNIVERSE[7:9], activity=0.2)
    caller = a_caller(market=market, quirks=LIMITLESS, seed=seed)
    arm_all(caller.exchange.faults, caller.exchange.races, chance=0.02)
    traffic, auditor, seen = Traffic(caller, market.symbols(), seed), Auditor(caller.exchange), Counter[str]()
    for _ in range(600):
        try:
            seen[str(traffic.try_step())] += 1
        except TransportFault as fault:
            seen[fault.failure] += 1
        auditor.check()
    caller.exchange.faults.disarm()
    caller.exchange.races.armed.disarm()
    caller.call("DELETE", "/v2/orders")
    caller.wait(5 * 24 * 3_600_000)
    auditor.check()
    auditor.check_closed()
    return seen, list(caller.exchange.ledger.events)


def test_the_account_balances_through_every_fault_and_race() -> None:
    seen, _ = _run_in_chaos(11)
    assert {"reset", "hang", "500", "503", "429", "200", "204"} <= set(seen)


def test_chaos_with_the_same_seed_is_the_same() -> None:
    assert _run_in_chaos(12) == _run_in_chaos(12)


@pytest.mark.parametrize("kind", list(Kind))
def test_chaos_has_every_kind_of_fault(kind: Kind) -> None:
    assert kind in {fault.kind for fault in every_fault()}
