"""The account balances after every operation, whatever a client does."""

import pytest

from tests.exchange.account_audit import BROKERS, audited


@pytest.mark.parametrize(("seed", "kind"), list(enumerate(BROKERS, 1)))
def test_the_ledger_balances_after_each_of_5000_random_operations(seed: int, kind: str) -> None:
    traffic = audited(BROKERS[kind], seed, operations=5_000)
    assert len(traffic.caller.exchange.ledger.executions) > 300
    assert {"submit 200", "replace 200", "cancel 204", "close 200", "submit 403", "submit 422"} <= set(traffic.outcomes)
