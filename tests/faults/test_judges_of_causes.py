"""The judge of causes: a run fails only for a reason that the record names. And what lets an order leave late."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest

from repeg_workbench.exchange.units import to_qty
from repeg_workbench.faults.judges.record import ALL_THREADS, HeldUp, Invoked, Outage, Published, Unfound
from tests.faults.day_by_hand import RUN, DayByHand, at, clean_day, day_with_arrival

OURS, ANOTHER = 7, 8


def failed_day(settings: dict[str, Any] | None = None) -> DayByHand:
    """The clean day, but for its end: the run has failed."""
    day = clean_day(settings)
    day.called("OpenRun", 590, 591)
    day.closed(960, status="FAILED")
    day.record.published = [Published(at(962), RUN, is_failure=True)]
    return day


def test_a_run_that_fails_without_a_cause_is_a_violation() -> None:
    assert failed_day().violations() == {"failed_without_cause"}


def test_a_failed_execution_is_judged_although_its_run_settled() -> None:
    day = failed_day()
    day.record.published = [Published(at(962), RUN)]
    assert day.violations() == {"failed_without_cause"}


def test_an_execution_that_was_refused_is_not_judged_by_the_run_of_another() -> None:
    day = clean_day()
    day.closed(960)
    day.called("OpenRun", 100, 101, answered=False)
    day.record.executions.append(replace(day.record.executions[0], status="FAILED", began=at(100), ended=at(101)))
    day.record.executions[0].began = at(590)
    day.called("OpenRun", 590, 591)
    assert day.violations() == set()


def _owner_trades(day: DayByHand) -> None:
    day.filled(day.arrived("by hand", 955, "1", "100.10"), 955, "1", "100.10")


def _rare_status(day: DayByHand, *, is_last: bool = True) -> None:
    """The first order is suspended, until the end or until it goes on as usual."""
    events = day.record.ledger.events
    mine = [event for event in events if event.order_id == events[0].order_id]
    for event in mine[1:] if is_last else ():
        events.remove(event)
    events.insert(1, events[0]._replace(at=at(610), event="suspended", status="suspended"))


def _hidden(day: DayByHand, until: float) -> None:
    """The broker does not find the first order for a while."""
    order_id = day.record.ledger.events[0].order_id
    day.record.unfound.append(Unfound(order_id, at(650), at(until)))


def _no_answer(day: DayByHand) -> None:
    day.record.sent[1] = day.record.sent[1]._replace(is_answered=False)


def _last_attempt_struck_and_delivered_again(day: DayByHand) -> None:
    day.called("RepegOrders", 950, 951, answered=False, struck=True)
    day.called("RepegOrders", 952, 953, duplicate=True)


def _opened_again(day: DayByHand) -> Invoked:
    """The opening step that answered is a second delivery."""
    opening = next(step for step in day.record.invoked if step.function == "OpenRun")
    opening.is_duplicate = True
    return opening


def _opened_by_nobody(day: DayByHand) -> None:
    """A second delivery opens the run after its execution has been refused."""
    day.record.executions[0].ended = _opened_again(day).began - 1


def _struck_twice(day: DayByHand) -> None:
    """The first fault keeps the closing step from reading all, and the second its answer from arriving."""
    number = day.called("CloseRun", 955, 956, answered=False, struck=True)
    day.record.streams.struck += [(at(955.2), number), (at(955.9), number)]


CAUSES: dict[str, Callable[[DayByHand], object]] = {
    "a fault in the last attempt of a step": lambda day: day.called(
        "RepegOrders", 950, 951, answered=False, struck=True
    ),
    "a fault in the last attempt of a step, delivered twice": _last_attempt_struck_and_delivered_again,
    "a fault that a step outlived": lambda day: day.called("RepegOrders", 950, 981, struck=True),
    "a fault in the closing step": lambda day: day.called("CloseRun", 955, 956, struck=True),
    "two faults in a closing step that was repeated": _struck_twice,
    "an outage at the close": lambda day: day.away(955, 961),
    "a throttled step": lambda day: day.record.throttled.append((at(950), RUN, "RepegOrders")),
    "an abort": lambda day: day.record.executions.insert(0, replace(day.record.executions[0], status="ABORTED")),
    "a second execution": lambda day: day.record.executions.append(
        replace(day.record.executions[0], name="again", status="SUCCEEDED", began=at(100))
    ),
    "a step that was invoked twice": lambda day: day.called("CloseRun", 961, 963),
    "an order in doubt": _no_answer,
    "an order that the broker does not find": lambda day: _hidden(day, 960),
    "an order with a rare status": _rare_status,
    "a trade by another hand": _owner_trades,
    "a second delivery that opens a run with no execution": _opened_by_nobody,
}


@pytest.mark.parametrize("add", CAUSES.values(), ids=list(CAUSES))
def test_a_run_may_fail_after(add: Callable[[DayByHand], object]) -> None:
    day = failed_day()
    add(day)
    assert "failed_without_cause" not in day.violations()


def _found_in_time(day: DayByHand) -> None:
    _no_answer(day)
    day.looked_up(day.record.sent[1].client_order_id, 930, found=True)


PRETEXTS: dict[str, Callable[[DayByHand], object]] = {
    "a fault in a step that answered": lambda day: day.called("RepegOrders", 950, 951, struck=True),
    "a fault in a step that was repeated": lambda day: (
        day.called("RepegOrders", 950, 951, answered=False, struck=True), day.called("RepegOrders", 952, 953)
    ),
    "a fault in a closing step that was repeated": lambda day: day.called(
        "CloseRun", 955, 956, answered=False, struck=True
    ),
    "a fault in a second delivery": lambda day: day.called(
        "RepegOrders", 950, 951, answered=False, struck=True, duplicate=True
    ),
    "a failed step that nothing struck": lambda day: day.called("RepegOrders", 950, 951, answered=False),
    "a fault in a step of another run": lambda day: day.record.invoked.append(
        Invoked(99, "RepegOrders", "another", at(950), at(951), is_struck=True)
    ),
    "an outage that was over": lambda day: day.away(700, 730),
    "an outage after the end": lambda day: day.record.outages.append(Outage("broker", at(1_000), at(1_100))),
    "a throttled step that was repeated": lambda day: day.record.throttled.append((at(700), RUN, "RepegOrders")),
    "a throttled step of another run": lambda day: day.record.throttled.append((at(950), "another", "RepegOrders")),
    "the kill switch": lambda day: day.switched(958, "halt_new"),
    "a renewal": lambda day: day.record.executions.append(
        replace(day.record.executions[0], name="next", status="SUCCEEDED", began=day.record.executions[0].ended - 1)
    ),
    "a second delivery that opens a run in time": _opened_again,
    "a step that ends at once, before the closing step": lambda day: day.called("PlanOrders", 960, 960, answered=False),
    "an order that was found": _found_in_time,
    "an order that the broker found again before the close": lambda day: _hidden(day, 959),
    "an order whose rare status was over before the close": lambda day: _rare_status(day, is_last=False),
    "a limit that its orders kept": lambda _day: None,
}  # fmt: skip


@pytest.mark.parametrize("add", PRETEXTS.values(), ids=list(PRETEXTS))
def test_a_run_may_not_fail_because_of(add: Callable[[DayByHand], object]) -> None:
    day = failed_day({"max_run_notional": "10007.30"})
    add(day)
    assert "failed_without_cause" in day.violations()


@pytest.mark.parametrize(
    ("settings", "found"),
    [
        ({}, {"failed_without_cause"}),
        ({"max_run_notional": "9000"}, set()),
        ({"max_order_notional": "9000"}, set()),
        ({"max_day_notional": "9000"}, set()),
        ({"max_run_notional": "11000"}, {"failed_without_cause"}),
    ],
)
def test_a_plan_may_be_refused_if_it_is_worth_more_than_a_limit(settings: dict[str, Any], found: set[str]) -> None:
    """100 shares at 100.10, and a twentieth more for market orders: 10,510.50 dollars."""
    day = DayByHand(settings)
    number = day.called("PlanOrders", 599, 600, answered=False)
    day.quoted(599.5, "100.00", "100.10", invocation=number)
    day.record.dearest = {"AAA": 1_001_000}
    day.closed(601, status="FAILED")
    day.books(orders=(), reported={})
    day.record.published = [Published(at(603), RUN, is_failure=True)]
    assert day.violations() == found


def _refused_sale(held: str, *, other: str = "", ended: str = "") -> set[str]:
    """A plan to sell 100 shares fails at planning, while another order of the account sells some."""
    day = DayByHand(side=-1, held=held)
    number = day.called("PlanOrders", 599, 600, answered=False)
    day.quoted(599.5, "100.00", "100.10", invocation=number)
    if other:
        order = day.arrived("another program", 500, other, "110.00")
        if ended:
            day.ended(order, 590, ended, asked=False)
    day.closed(601, status="FAILED")
    day.books(orders=(), reported={})
    day.record.published = [Published(at(603), RUN, is_failure=True)]
    return day.violations()


@pytest.mark.parametrize(
    ("held", "other", "ended", "found"),
    [
        ("99", "", "", set()),
        ("100", "", "", {"failed_without_cause"}),
        ("150", "60", "", set()),
        ("150", "50", "", {"failed_without_cause"}),
        ("150", "60", "canceled", {"failed_without_cause"}),
    ],
)
def test_a_plan_may_be_refused_if_its_shares_are_not_free(held: str, other: str, ended: str, found: set[str]) -> None:
    assert _refused_sale(held, other=other, ended=ended) == found


@pytest.mark.parametrize(("held", "found"), [("0", set()), ("1", {"failed_without_cause"})])
def test_a_sale_in_dollars_may_be_refused_if_nothing_is_held(held: str, found: set[str]) -> None:
    """How many shares it is for is not known before it is planned."""
    assert _refused_in_dollars(held, "46.67", {}) == found


@pytest.mark.parametrize(("worth", "found"), [("671.01", set()), ("671", {"failed_without_cause"})])
def test_a_plan_in_dollars_may_be_refused_if_they_are_more_than_a_limit(worth: str, found: set[str]) -> None:
    assert _refused_in_dollars("100", worth, {"max_run_notional": "671"}) == found


def _refused_in_dollars(held: str, notional: str, settings: dict[str, Any]) -> set[str]:
    """What is found on a day whose plan to sell for so many dollars was refused while it was planned."""
    day = DayByHand(settings, side=-1, held=held, qty="0")
    plan = {"name": "core", "orders": [{"symbol": "AAA", "side": "sell", "notional": notional}]}
    day.record.runs[0] = replace(day.record.runs[0], plan=plan)
    day.quoted(599.5, "100.00", "100.10", invocation=day.called("PlanOrders", 599, 600, answered=False))
    day.closed(601, status="FAILED")
    day.books(orders=(), reported={})
    day.record.published = [Published(at(603), RUN, is_failure=True)]
    return day.violations()


@pytest.mark.parametrize(("released", "found"), [(599.5, set()), (598.5, {"failed_without_cause"})])
def test_a_plan_may_be_refused_while_an_ended_sell_holds_its_shares(released: float, found: set[str]) -> None:
    day = DayByHand(side=-1, held="100")
    day.quoted(599.5, "100.00", "100.10", invocation=day.called("PlanOrders", 599, 600, answered=False))
    order = day.arrived("another run's", 598, "50", "100.10", side=-1)
    day.ended(order, 598, "rejected", asked=False)
    for when, change in ((598.0, 50), (released, -50)):
        day.record.ledger.hold(at(when), order, "AAA", to_qty(Decimal(change)))
    day.closed(601, status="FAILED")
    day.books(orders=(), reported={})
    day.record.published = [Published(at(603), RUN, is_failure=True)]
    assert day.violations() == found


@pytest.mark.parametrize(("bid", "ask", "found"), [("0", "0", set()), ("0", "100.10", set()), ("100.00", "0", set()),
                                                   ("100.00", "100.10", {"failed_without_cause"})])  # fmt: skip
def test_a_plan_may_be_refused_without_a_price(bid: str, ask: str, found: set[str]) -> None:
    day = DayByHand()
    day.quoted(599.5, bid, ask, invocation=day.called("PlanOrders", 599, 600, answered=False))
    day.closed(601, status="FAILED")
    day.books(orders=(), reported={})
    day.record.published = [Published(at(603), RUN, is_failure=True)]
    assert day.violations() == found


@pytest.mark.parametrize(("side", "found"), [(-1, set()), (1, {"failed_without_cause"})])
def test_a_plan_may_be_refused_if_another_sell_holds_its_shares(side: int, found: set[str]) -> None:
    day = DayByHand(side=-1, held="100")
    number = day.called("PlanOrders", 599, 600, answered=False)
    day.quoted(599.5, "100.00", "100.10", invocation=number)
    day.arrived("another run's", 300, "50", "100.10", side=side)
    day.closed(601, status="FAILED")
    day.books(orders=(), reported={})
    day.record.published = [Published(at(603), RUN, is_failure=True)]
    assert day.violations() == found


def _sent_under_the_switch(left: float, *held: tuple[float, float, int]) -> set[str]:
    """An order that leaves a while after the switch is set at 700, its step held up at the given times."""
    day = day_with_arrival()
    day.switched(700, "halt_new")
    day.placed(1, left + 0.1, "1", "100.01", bid="100.00", ask="100.10", left=left)
    day.record.sent[0] = day.record.sent[0]._replace(thread=OURS)
    number = day.record.sent[0].invocation
    day.record.held_up = [HeldUp(number, thread, at(since), at(until)) for since, until, thread in held]
    day.record.invoked[-1].is_struck = bool(held)
    return day.violations()


@pytest.mark.parametrize(
    ("left", "held", "found"),
    [
        (700.9, (), set()),
        (701.1, (), {"after_kill"}),
        (720.9, ((690, 720, OURS),), set()),
        (720.9, ((690, 720, ALL_THREADS),), set()),
        (720.9, ((690, 710, OURS), (705, 720, ALL_THREADS)), set()),
        (721.1, ((690, 720, OURS),), {"after_kill"}),
        (721.1, ((690, 720, OURS), (695, 719, ALL_THREADS)), {"after_kill"}),
        (720.9, ((690, 720, ANOTHER),), {"after_kill"}),
        (702, ((690, 699, OURS),), {"after_kill"}),
        (720.9, ((690, 705, OURS), (715, 720, OURS)), {"after_kill"}),
    ],
)
def test_an_order_may_leave_late_only_by_the_time_its_step_was_held_up(
    left: float, held: tuple[tuple[float, float, int], ...], found: set[str]
) -> None:
    assert _sent_under_the_switch(left, *held) == found
