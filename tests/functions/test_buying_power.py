"""Buys that are funded from buying power: they do not wait for sells, stay within the broker's figure, and what is owed
after the close is an alert."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from functions.open_run.app import open_run
from functions.place_orders.app import place_orders
from functions.plan_orders.app import plan_orders
from functions.validate_quotes.app import validate_quotes
from repeg.domain.errors import InvalidSettings
from repeg.domain.outcome import Outcome
from repeg_workbench.deployment_variables import variables
from repeg_workbench.exchange.broker.ledger import CASH, USD
from repeg_workbench.exchange.broker.opening import OpeningAccount
from repeg_workbench.exchange.faults.transport_faults import Fault, Kind
from repeg_workbench.exchange.triggers import When
from tests.builders import worked_by
from tests.functions.books import AAPL, KO, QUIET, book
from tests.functions.desk import EXECUTION, RUN_ID, Desk, OpenDesk, a_plan, holding

POWER = {"fund_buys_from": "buying_power"}
LOAN = "repeg.watch.cash_negative"


def on_margin(cash: str, multiplier: int = 2, **held: str) -> OpeningAccount:
    """A margin account."""
    return replace(holding(cash, **held), multiplier=multiplier)


def beside_a_sell(open_desk: OpenDesk, **settings: Any) -> Desk:
    """A run that buys 80 AAPL with a thousand dollars and 200 KO to sell: about 12,084 dollars of buying power on top
    of twice the cash."""
    desk = open_desk({"AAPL": AAPL, "KO": KO}, opening=on_margin("4000", KO="200"))
    desk.begin("buy 80 AAPL", "sell all KO", **settings)
    desk.place()
    return desk


def test_buys_do_not_wait_for_sells_with_buying_power(open_desk: OpenDesk) -> None:
    """80 shares may cost 15,228.80 at their collar: four times the cash, and less than 8,000 and 12,084 together."""
    waiting = beside_a_sell(open_desk)
    assert (waiting.open_at_broker("AAPL"), waiting.order("AAPL").held) == ([], "waits_for_sells")
    placed = beside_a_sell(open_desk, **POWER)
    assert placed.open_at_broker("AAPL") == ["80 AAPL @ 189.41"]


@pytest.mark.parametrize(("multiplier", "shares"), [(1, 26), (2, 52), (4, 100)])
def test_a_buy_is_scaled_to_the_accounts_own_multiplier(open_desk: OpenDesk, multiplier: int, shares: int) -> None:
    """5,000 dollars of equity lend 10,000 or 20,000; a share costs 190.36 at its collar."""
    desk = open_desk({"AAPL": AAPL}, opening=on_margin("5000", multiplier))
    desk.begin("buy 100 AAPL", **POWER)
    desk.place()
    assert desk.open_at_broker() == [f"{shares} AAPL @ 189.41"]


def test_a_run_on_buying_power_keeps_its_plans_reserve(open_desk: OpenDesk) -> None:
    """Of 10,000 dollars, which lend 10,000 more, a tenth of the equity is kept: 19,000 are there, and 52 are wanted."""
    desk = open_desk({"AAPL": AAPL}, opening=on_margin("10000"))
    plan = {"name": "core", "targets": {"AAPL": "0.9"}, "cash_reserve": "0.1"}
    desk.open(plan, **POWER)
    plan_orders(RUN_ID, 1, desk.ports)
    desk.place()
    assert desk.journalled("run", "release")[-1][1] == "19000.00 to spend"


def test_a_run_without_buying_power_left_says_so(open_desk: OpenDesk) -> None:
    desk = open_desk({"AAPL": AAPL}, opening=on_margin("95"))
    desk.begin("buy 40 AAPL", **POWER)
    desk.place()
    order = desk.order()
    assert (order.outcome, order.reason) == (Outcome.UNFUNDED, "no buying power for a share: 190.00 to spend")


@pytest.mark.parametrize(("deployed", "given", "buys"), [("buying_power", "cash", 26), ("buying_power", None, 40)])
def test_an_input_may_keep_a_run_to_the_cash(open_desk: OpenDesk, deployed: str, given: str | None, buys: int) -> None:
    desk = open_desk({"AAPL": AAPL}, opening=on_margin("5000"))
    own = {} if given is None else {"settings": {"fund_buys_from": given}}
    open_run({"plan": a_plan("buy 40 AAPL"), **own}, EXECUTION, _deployment(deployed), desk.ports)
    plan_orders(RUN_ID, 1, desk.ports)
    desk.place()
    assert desk.open_at_broker() == [f"{buys} AAPL @ 189.41"]


def test_an_input_cannot_borrow_where_the_deployment_does_not(open_desk: OpenDesk) -> None:
    desk = open_desk({"AAPL": AAPL}, opening=on_margin("5000"))
    given = {"plan": a_plan("buy 40 AAPL"), "settings": {"fund_buys_from": "buying_power"}}
    with pytest.raises(InvalidSettings, match=r"settings\.fund_buys_from: 'buying_power'.* no further than cash"):
        open_run(given, EXECUTION, _deployment("cash"), desk.ports)


def _deployment(source: str) -> dict[str, str]:
    return variables(worked_by({"fund_buys_from": source}))


def test_two_runs_on_buying_power_share_what_is_there(open_desk: OpenDesk) -> None:
    """Each wants 40 AAPL, for which 10,000 dollars are there: at the collar 40 for the first and 12 for the second."""
    rising = book(QUIET, "09:36:10 500 @ 190.20 × 500 @ 190.24")
    desk = open_desk({"AAPL": rising}, opening=on_margin("5000"))
    for name in ("core", "tilt"):
        open_run({"plan": {**a_plan("buy 40 AAPL"), "name": name}}, name, _deployment("buying_power"), desk.ports)
        plan_orders(f"{name}-2026-11-23", 1, desk.ports)
        validate_quotes(f"{name}-2026-11-23", 1, desk.ports)
    place_orders("core-2026-11-23", 1, 0, desk.ports)
    desk.wait(11)
    place_orders("tilt-2026-11-23", 1, 0, desk.ports)
    assert desk.open_at_broker() == ["40 AAPL @ 189.41", "12 AAPL @ 190.21"]


# What is owed after the close


def owing(open_desk: OpenDesk, sold: bool, **settings: Any) -> Desk:
    """A run that has bought 40 AAPL for 7,576.40 with 5,000 dollars; it has sold the 100 KO that were to pay for them,
    or not. It is closed at five to four."""
    prints = ("09:50:00 200 @ 60.42 bought",) if sold else ()
    books = {
        "AAPL": book(QUIET, prints=("09:40:00 60 @ 189.41 sold",), until="16:00"),
        "KO": book("09:20 500 @ 60.40 × 500 @ 60.43", prints=prints, until="16:00"),
    }
    desk = open_desk(books, opening=on_margin("5000", KO="100"))
    desk.begin("buy 40 AAPL", "sell all KO", escalation="none", **settings)
    desk.place()
    for time in ("09:45", "09:55", "15:50"):
        desk.turn_at(time)
    desk.wait_until("15:55")
    desk.close()
    return desk


def alerted(desk: Desk, *times: str) -> list[str]:
    """The reasons of the alerts of a loan that the watchdog publishes in its passes at these times."""
    for time in times:
        desk.wait_until(time)
        desk.watch()
    return [detail["reason"] for kind, detail in desk.notifier.published if kind == LOAN]


def test_cash_that_is_negative_after_the_close_is_an_alert(open_desk: OpenDesk) -> None:
    """Once, in the pass in which the broker's books are final."""
    desk = owing(open_desk, sold=False, **POWER)
    assert desk.exchange.ledger.cash < 0
    assert alerted(desk, "16:00", "16:10") == []
    (reason,) = alerted(desk, "16:20", "16:30")
    assert reason.startswith("the account's cash is -2576.40 dollars after the close")


def test_cash_that_its_sells_have_brought_back_is_no_alert(open_desk: OpenDesk) -> None:
    desk = owing(open_desk, sold=True, **POWER)
    assert desk.bought("KO") == -100
    assert min(_cash_after_each_entry(desk)) < 0 < desk.exchange.ledger.cash
    assert alerted(desk, "16:20") == []


def test_a_run_on_cash_alerts_to_no_loan_of_its_owner(open_desk: OpenDesk) -> None:
    desk = owing(open_desk, sold=True)
    desk.wait_until("15:56")
    terms = {"symbol": "AAPL", "side": "buy", "qty": "60", "type": "market", "time_in_force": "day"}
    desk.broker.line.post("/orders", {**terms, "client_order_id": "by hand"})
    desk.wait(5)
    assert desk.exchange.ledger.cash < 0
    assert alerted(desk, "16:20") == []


def test_a_loan_is_an_alert_beside_books_that_differ(open_desk: OpenDesk) -> None:
    desk = owing(open_desk, sold=False, **POWER)
    hidden = Fault(kind=Kind.REWRITE, method="GET", path="/v2/account/activities/FILL", rewrite=lambda rows: [])
    desk.exchange.faults.arm(hidden, When(times=None))
    reasons = alerted(desk, "16:20")
    assert len(reasons) == 1
    assert any(detail.get("finding") == "books_differ" for _, detail in desk.notifier.published)


def _cash_after_each_entry(desk: Desk) -> list[int]:
    cash, seen = 0, []
    for entry in desk.exchange.ledger.entries:
        cash += sum(p.amount for p in entry.postings if p.account == CASH and p.commodity == USD)
        seen.append(cash)
    return seen
