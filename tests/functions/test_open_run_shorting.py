"""OpenRun and short sales: a live account must forbid them; a paper account that allows them is a warning."""

from __future__ import annotations

from datetime import timedelta

import pytest

from functions.open_run.app import open_run
from repeg.domain.errors import BrokerDenied
from repeg_workbench.exchange.broker.opening import OpeningAccount
from tests.builders import MONDAY
from tests.functions.books import AAPL
from tests.functions.desk import EXECUTION, Desk, OpenDesk, a_plan

MARGIN = OpeningAccount(multiplier=2, shorting_enabled=True)
CASH = OpeningAccount()
LIVE, PAPER = {"TRADING_MODE": "live"}, {"TRADING_MODE": "paper"}


def start(desk: Desk, environment: dict[str, str]) -> None:
    """Open a run; live trading is armed."""
    desk.store.set_armed_until(desk.scheduler.now() + timedelta(days=1))
    open_run({"plan": a_plan("buy 40 AAPL")}, EXECUTION, environment, desk.ports)


def warnings(desk: Desk) -> list[str]:
    """The reasons of the abnormal journal entries."""
    return [entry.reason for entry in desk.journal.entries if entry.is_abnormal]


@pytest.mark.parametrize("opening", [MARGIN, CASH], ids=["margin", "cash"])
def test_a_live_account_that_does_not_forbid_short_sales_is_refused(
    open_desk: OpenDesk, opening: OpeningAccount
) -> None:
    """Also one that cannot sell short today: the broker turns a small account into a margin account by itself."""
    desk = open_desk({"AAPL": AAPL}, opening=opening)
    with pytest.raises(BrokerDenied) as denied:
        start(desk, LIVE)
    for words in ("no_shorting", "PATCH /v2/account/configurations"):
        assert words in str(denied.value)
    assert desk.store.runs_on(MONDAY) == []


def test_a_live_account_that_forbids_short_sales_is_accepted(open_desk: OpenDesk) -> None:
    desk = open_desk({"AAPL": AAPL}, opening=MARGIN)
    desk.exchange.account.switches.no_shorting = True
    start(desk, LIVE)
    assert (len(desk.store.runs_on(MONDAY)), warnings(desk), desk.run.may_short) == (1, [], False)


def test_a_paper_account_that_allows_short_sales_is_a_warning(open_desk: OpenDesk) -> None:
    desk = open_desk({"AAPL": AAPL}, opening=MARGIN)
    start(desk, PAPER)
    (warning,) = warnings(desk)
    assert ("no_shorting" in warning, desk.run.may_short) == (True, True)
    assert len(desk.store.runs_on(MONDAY)) == 1


def test_a_paper_account_that_forbids_short_sales_is_no_warning(open_desk: OpenDesk) -> None:
    desk = open_desk({"AAPL": AAPL}, opening=MARGIN)
    desk.exchange.account.switches.no_shorting = True
    start(desk, PAPER)
    assert (warnings(desk), desk.run.may_short) == ([], False)


def test_a_paper_account_that_cannot_short_costs_no_further_request(open_desk: OpenDesk) -> None:
    desk = open_desk({"AAPL": AAPL}, opening=CASH)
    start(desk, PAPER)
    assert (warnings(desk), ("GET", "/account/configurations") in desk.broker.line.sent) == ([], False)
    assert not desk.run.may_short
