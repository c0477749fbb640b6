"""Two runs on one margin account never take its cash below zero, on each store."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

from functions.open_run.app import open_run
from functions.place_orders.app import place_orders
from functions.plan_orders.app import plan_orders
from functions.repeg_orders.app import repeg_orders
from functions.validate_quotes.app import validate_quotes
from repeg.ports import Store
from repeg_workbench.exchange.units import price
from tests.functions.books import QUIET, book
from tests.functions.desk import Desk, OpenDesk, holding
from tests.simulation import judge

RUNS = ("core-2026-11-23", "tilt-2026-11-23")
RISING = book(QUIET, "09:36:10 500 @ 190.20 × 500 @ 190.24")


def two_buyers(open_desk: OpenDesk, store: Store, cash: str) -> Desk:
    """Two runs that each want 40 AAPL, on an account whose cash pays for little more than 80 at their first limits."""
    desk = open_desk({"AAPL": RISING}, store=store, opening=replace(holding(cash=cash), multiplier=4))
    for run_id in RUNS:
        plan = {"name": run_id.partition("-")[0], "orders": [{"symbol": "AAPL", "side": "buy", "qty": "40"}]}
        open_run({"plan": plan}, f"arn:{run_id}", {}, desk.ports)
        plan_orders(run_id, 1, desk.ports)
        validate_quotes(run_id, 1, desk.ports)
    return desk


def place_both(desk: Desk) -> None:
    """Place the buys of both runs in the same second."""
    desk.broker.line.seconds = 0.05
    threads = [desk.scheduler.spawn(lambda run=run: place_orders(run, 1, 0, desk.ports)) for run in RUNS]  # type: ignore[misc]
    desk.wait(10)
    for thread in threads:
        thread.result()
    desk.broker.line.seconds = 0


def test_concurrent_buys_of_two_runs_never_borrow(open_desk: OpenDesk, store: Store) -> None:
    """Both read the same cash in the same second; together they could spend it twice at the collar."""
    desk = two_buyers(open_desk, store, cash="15160")
    place_both(desk)
    for turns in range(14):
        desk.wait(30)
        for run_id in RUNS:
            repeg_orders(run_id, 1, turns, 0, desk.ports)
            validate_quotes(run_id, 1, desk.ports)
            place_orders(run_id, 1, turns, desk.ports)
    judge.cash_is_never_negative(desk.exchange)
    assert 40 <= desk.bought() <= 79


def test_two_runs_share_cash_that_is_enough_for_both(open_desk: OpenDesk, store: Store) -> None:
    desk = two_buyers(open_desk, store, cash="16000")
    place_both(desk)
    sent = sum((Decimal(order.quantity or 0) for order in desk.at_broker()), Decimal(0))
    assert (len(desk.at_broker()), sent > 0) == (2, True)
    assert all(price(order.terms.limit or 0) <= Decimal("190.37") for order in desk.at_broker())
    judge.cash_is_never_negative(desk.exchange)


def test_a_run_waits_while_another_holds_the_funding_lease(open_desk: OpenDesk, store: Store) -> None:
    desk = two_buyers(open_desk, store, cash="100000")
    now = desk.runtime.now()
    assert store.acquire_funding("another-run@1", now, now.replace(hour=23))
    assert place_orders(RUNS[0], 1, 0, desk.ports).placed == 0
    assert desk.journalled("run", "wait") == [("", "another run is placing its buys; they are placed next turn")]
    store.release_funding("another-run@1")
    assert place_orders(RUNS[0], 1, 0, desk.ports).placed == 1
