"""Two runs on one margin account never take its cash below zero, on each store."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

from functions.open_run.app import open_run
from functions.place_orders.app import place_orders
from functions.plan_orders.app import plan_orders
from functions.repeg_orders.app import repeg_orders
from functions.validate_quotes.app import validate_quotes
from repeg.domain.broker import Refusal, Refused, Submission
from repeg.domain.child_order import ChildState, OrderReport
from repeg.domain.intent import Intent
from repeg.domain.outcome import HoldReason
from repeg.ports import Store
from repeg.workflow.funding import funding_lease
from repeg.workflow.turn import begin_turn
from repeg_workbench.exchange.units import price
from tests.functions.books import KO, QUIET, UP, book
from tests.functions.desk import PROMPT, Desk, OpenDesk, a_plan, holding
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


def test_a_buy_leaves_what_another_runs_open_buy_may_still_need(open_desk: OpenDesk, store: Store) -> None:
    """The first buy rests at 189.41 and may move to its collar of 190.36, which takes 38 dollars more."""
    desk = two_buyers(open_desk, store, cash="15200")
    place_orders(RUNS[0], 1, 0, desk.ports)
    desk.wait(11)
    place_orders(RUNS[1], 1, 0, desk.ports)
    assert desk.open_at_broker()[0] == "40 AAPL @ 189.41"
    assert desk.journalled("AAPL", "scale") == [("40 → 39", "7585.60 to spend")]


def test_two_runs_share_cash_that_is_enough_for_both(open_desk: OpenDesk, store: Store) -> None:
    desk = two_buyers(open_desk, store, cash="16000")
    place_both(desk)
    desk.wait(11)
    for run_id in RUNS:
        validate_quotes(run_id, 1, desk.ports)
        place_orders(run_id, 1, 1, desk.ports)
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
    held = next(order for order in store.orders(RUNS[0]) if order.symbol == "AAPL")
    assert held.held is HoldReason.OTHER_RUN
    store.release_funding("another-run@1")
    assert place_orders(RUNS[0], 1, 0, desk.ports).placed == 1


def test_a_renewed_run_places_its_buys_under_its_dead_predecessors_lease(open_desk: OpenDesk, store: Store) -> None:
    desk = two_buyers(open_desk, store, cash="100000")
    lease = funding_lease(begin_turn(RUNS[0], desk.ports))
    assert lease.__enter__()  # the step dies: nothing gives the lease back
    assert place_orders(RUNS[1], 1, 0, desk.ports).placed == 0
    store.take_over(RUNS[0], 1, "arn:renewed")
    assert place_orders(RUNS[0], 2, 0, desk.ports).placed == 1


def test_a_dead_runs_lease_keeps_another_from_buying_for_less_than_a_turn(open_desk: OpenDesk, store: Store) -> None:
    desk = two_buyers(open_desk, store, cash="100000")
    lease = funding_lease(begin_turn(RUNS[0], desk.ports))
    assert lease.__enter__()  # the step dies: nothing gives the lease back
    assert place_orders(RUNS[1], 1, 0, desk.ports).placed == 0
    desk.wait(30)
    validate_quotes(RUNS[1], 1, desk.ports)
    assert place_orders(RUNS[1], 1, 1, desk.ports).placed == 1


def test_cash_of_a_cancelled_order_is_not_funded_twice(open_desk: OpenDesk, store: Store) -> None:
    """Another run funds its buy after our cancel is confirmed and before our successor is sent."""
    moved = book(QUIET, UP, "09:36:40 300 @ 189.60 × 200 @ 189.65")
    desk = open_desk({"AAPL": moved, "KO": KO}, store=store, opening=replace(holding(cash="8000"), multiplier=4))
    for name, order in (("core", "buy 40 AAPL"), ("tilt", "buy 120 KO")):
        open_run({"plan": {**a_plan(order), "name": name}}, f"arn:{name}", {}, desk.ports)
        plan_orders(f"{name}-2026-11-23", 1, desk.ports)
    desk.place()
    read = desk.broker.order
    funded: list[str] = []

    def fund_the_other_run(client_order_id: str) -> OrderReport | None:
        report = read(client_order_id)
        if report is not None and report.state is ChildState.CANCELED and not funded:
            funded.append(client_order_id)
            validate_quotes(RUNS[1], 1, desk.ports)
            place_orders(RUNS[1], 1, 0, desk.ports)
        return report

    desk.broker.order = fund_the_other_run  # type: ignore[method-assign]
    desk.turn_at("09:36:30")
    desk.wait_until("09:36:50")
    assert funded
    judge.cash_is_never_negative(desk.exchange)


def test_an_escalation_to_market_never_borrows(open_desk: OpenDesk, store: Store) -> None:
    """The order was funded at its collar; the market has left it, and the cash does not cover a market order."""
    left = book("15:30 300 @ 189.40 × 200 @ 189.44", "15:50 300 @ 191.80 × 300 @ 191.84", until="15:58")
    account = replace(holding(cash="7620"), multiplier=4)
    desk = open_desk({"AAPL": left}, store=store, at="15:45", opening=account)
    desk.begin("buy 40 AAPL", escalation="market")
    desk.place()
    for time in ("15:50", "15:50:30", "15:51", "15:52", "15:53", "15:54", "15:54:30"):
        desk.turn_at(time)
        desk.place()
    judge.cash_is_never_negative(desk.exchange)
    assert any("no cash for a market order" in reason for _, reason in desk.journalled("AAPL", "hold"))


def test_a_funded_escalation_to_market_is_sent(open_desk: OpenDesk, store: Store) -> None:
    left = book("15:30 300 @ 189.40 × 200 @ 189.44", "15:50 300 @ 191.80 × 300 @ 191.84", until="15:58")
    desk = open_desk({"AAPL": left}, store=store, at="15:45", opening=holding(cash="20000"))
    desk.begin("buy 40 AAPL", escalation="market")
    desk.place()
    for time in ("15:50", "15:50:30", "15:51", "15:52", "15:53", "15:54", "15:54:30"):
        desk.turn_at(time)
        desk.place()
    assert desk.bought() == Decimal(40)


def test_a_refused_buy_does_not_keep_its_cash_from_the_others(open_desk: OpenDesk, store: Store) -> None:
    wide_at_first = book("09:20 500 @ 60.40 × 500 @ 61.40", "09:36:05 500 @ 60.40 × 500 @ 60.43")
    desk = open_desk({"AAPL": book(QUIET), "KO": wide_at_first}, store=store, opening=holding(cash="8000"))
    desk.begin("buy 40 AAPL", "buy 100 KO")
    submit = desk.broker.submit

    def refuse_one(intent: Intent) -> Submission:
        refused = Refused(refusal=Refusal.OPPOSITE_ORDER, message="opposite side order exists")
        return refused if intent.symbol == "AAPL" else submit(intent)

    desk.broker.submit = refuse_one  # type: ignore[method-assign]
    desk.place()
    desk.wait(10)
    desk.place()
    assert desk.open_at_broker("KO") == ["100 KO @ 60.41"]


def test_a_buy_refused_in_a_move_is_not_given_up_for_want_of_cash(open_desk: OpenDesk, store: Store) -> None:
    """The broker releases the cash of a cancelled order late, and refuses its successor for funds."""
    slow = replace(PROMPT, release_delay=(1_500, 1_500))
    desk = open_desk({"AAPL": book(QUIET, UP)}, store=store, quirks=slow, opening=holding(cash="7620"))
    desk.begin("buy 40 AAPL")
    desk.place()
    desk.turn_at("09:36:30")
    desk.place()
    assert desk.order().outcome is None
    desk.wait(40)
    desk.place()
    assert desk.open_at_broker() == ["40 AAPL @ 189.66"]
