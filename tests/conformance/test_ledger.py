"""Rows 120 to 124: the ledger after thousands of random operations with every race armed."""

from collections import defaultdict
from dataclasses import replace
from datetime import date

import pytest

from repeg_workbench.exchange.broker.ledger import HELD, USD
from repeg_workbench.exchange.broker.orders import TERMINAL, Order
from repeg_workbench.exchange.broker.races import Race
from repeg_workbench.exchange.broker_quirks import BrokerQuirks
from repeg_workbench.exchange.core import Exchange
from repeg_workbench.exchange.market.generated import DEFAULT_UNIVERSE, GeneratedMarket
from repeg_workbench.exchange.matching.symbol_book import FillModel
from repeg_workbench.exchange.triggers import When
from tests.exchange.auditor import Auditor
from tests.exchange.caller import Caller, a_caller
from tests.exchange.traffic import Traffic

NO_LIMITS = BrokerQuirks(requests_per_minute=None, data_requests_per_minute=None)
OPENS = date(2026, 11, 24)


@pytest.fixture(scope="module", params=["inherit", "zero"])
def exchange(request: pytest.FixtureRequest) -> Exchange:
    """Two thousand operations over days with a holiday and an early close, with an audit after each."""
    quirks = replace(NO_LIMITS, replace_fill_inheritance=request.param, release_delay=(0, 500))
    market = GeneratedMarket(5, DEFAULT_UNIVERSE[:3], activity=0.2)
    caller = a_caller(
        market=market, quirks=quirks, day=OPENS, model=FillModel.TOUCH, multiplier=2, shorting_enabled=True
    )
    _arm_every_race(caller.exchange)
    traffic, auditor = Traffic(caller, market.symbols(), 5), Auditor(caller.exchange)
    for _ in range(2_000):
        traffic.step()
        auditor.check()
    _wind_up(caller)
    auditor.check()
    return caller.exchange


def test_row_120_a_chain_never_executes_more_than_its_quantity(exchange: Exchange) -> None:
    executed: defaultdict[str, int] = defaultdict(int)
    for execution in exchange.ledger.executions:
        chain = _chain(exchange.account.orders.by_id[execution.order_id])
        executed[chain[0].id] += execution.quantity
        assert executed[chain[0].id] <= (chain[-1].quantity or 0)
    assert len(executed) > 50


def test_row_121_a_position_is_the_sum_of_its_executions(exchange: Exchange) -> None:
    signed: defaultdict[str, int] = defaultdict(int)
    for execution in exchange.ledger.executions:
        signed[execution.symbol] += execution.side * execution.quantity
    assert {symbol: quantity for symbol, quantity in signed.items() if quantity} == {
        symbol: holding.quantity for symbol, holding in exchange.account.portfolio.holdings.items()
    }


def test_row_122_holds_are_never_negative_and_end_at_zero(exchange: Exchange) -> None:
    held: defaultdict[str, int] = defaultdict(int)
    for entry in exchange.ledger.entries:
        for account, commodity, amount in entry.postings:
            if account == HELD:
                held[commodity] += amount
                assert held[commodity] >= 0
    assert held[USD] == 0
    assert not any(held.values())


def test_row_123_every_order_ends_exactly_once(exchange: Exchange) -> None:
    endings: defaultdict[str, int] = defaultdict(int)
    for event in exchange.ledger.events:
        if event.event in {*TERMINAL, "fill"} and event.status in TERMINAL:
            endings[event.order_id] += 1
    assert endings == dict.fromkeys(exchange.account.orders.by_id, 1)


def test_row_124_every_execution_respects_the_limit_in_force(exchange: Exchange) -> None:
    limited = [execution for execution in exchange.ledger.executions if execution.limit is not None]
    assert len(limited) > 50
    for execution in limited:
        assert (execution.limit or 0) * execution.side >= execution.price * execution.side
        order = exchange.account.orders.by_id[execution.order_id]
        assert order.replaced_at is None or execution.at <= order.replaced_at


def _chain(order: Order) -> list[Order]:
    """The order's replace chain, oldest first."""
    while order.replaces is not None:
        order = order.replaces
    chain = [order]
    while (successor := chain[-1].replaced_by) is not None:
        chain.append(successor)
    return chain


def _arm_every_race(exchange: Exchange) -> None:
    for race in Race:
        seconds = 600 if race in {Race.CANCEL_STUCK, Race.REPLACE_STUCK} else 0
        exchange.races.arm(race, seconds=seconds, when=When(times=None, chance=0.15))


def _wind_up(caller: Caller) -> None:
    caller.exchange.races.armed.disarm()
    caller.call("DELETE", "/v2/orders")
    caller.wait(5 * 24 * 3_600_000)
