"""The Broker port's contract on identity: which account the keys open, and nothing is sent in another."""

from __future__ import annotations

import pytest

from repeg.domain.broker import Accepted, CancelAnswer, Unknown
from repeg.domain.errors import BrokerDenied
from repeg_workbench.exchange.broker.opening import OpeningAccount
from tests.contracts.desks import Desk
from tests.contracts.test_broker import OpenDesk, buy, placed


def test_the_account_number_is_that_of_the_account(desk: Desk) -> None:
    assert desk.broker.account_number() == desk.broker.account().number == desk.exchange.account.number


def test_a_broker_for_its_own_account_trades_as_before(desk: Desk) -> None:
    confined = desk.broker.for_account(desk.broker.account_number())
    assert isinstance(confined.submit(buy("AAPL", "40", "189.41")), Accepted)


@pytest.mark.parametrize("is_read_before", [True, False])
def test_a_broker_for_another_account_sends_nothing(desk: Desk, *, is_read_before: bool) -> None:
    report = placed(desk, buy("AAPL", "40", "189.41"))
    if is_read_before:
        desk.broker.account_number()
    confined = desk.broker.for_account("PA0ANOTHER00")
    answer = confined.submit(buy("F", "1", "12.10"))
    assert isinstance(answer, Unknown)
    assert "PA0ANOTHER00" in answer.reason
    assert desk.exchange.account.number in answer.reason
    assert confined.cancel(report.broker_id) is CancelAnswer.UNKNOWN
    for read_all in (confined.open_orders, confined.positions, confined.clock):
        with pytest.raises(BrokerDenied, match="PA0ANOTHER00"):
            read_all()
    assert [order.client_order_id for order in desk.broker.open_orders()] == [report.client_order_id]


# Short sales


@pytest.mark.parametrize(("multiplier", "is_enabled"), [(1, False), (2, True)])
def test_an_account_says_whether_it_may_sell_short(open_desk: OpenDesk, multiplier: int, *, is_enabled: bool) -> None:
    desk = open_desk(opening=OpeningAccount(multiplier=multiplier, shorting_enabled=is_enabled))
    assert desk.broker.account().may_short is is_enabled


def test_the_setting_no_shorting_is_read_from_the_accounts_configuration(open_desk: OpenDesk) -> None:
    desk = open_desk(opening=OpeningAccount(multiplier=2, shorting_enabled=True))
    assert desk.broker.forbids_shorting() is False
    desk.exchange.account.switches.no_shorting = True
    assert desk.broker.forbids_shorting() is True
    assert desk.broker.account().may_short is False
