"""The judges of what an outcome says: a line ends early only for what the account, the broker or another hand did."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from repeg_workbench.faults.judges.record import Execution, SentOrder, Unfound
from tests.faults.day_by_hand import CLOSES, LAST, PREFIX, RUN, DayByHand, at, day_with_arrival

WORDS = [
    "unfunded",
    "rejected",
    "ended_by_owner",
    "ended_by_unknown_hand",
    "unknown",
    "no_trade",
    "not_sized",
    "preview",
]
FIRST = f"{PREFIX}AAA.b.1"


@pytest.mark.parametrize("outcome", WORDS)
def test_a_line_is_not_given_up_for_what_the_record_denies(outcome: str) -> None:
    """A million dollars, no rejection, no other hand, no order in doubt."""
    day = day_with_arrival()
    day.closed(1_200, outcome)
    assert "given_up" in day.violations()


@pytest.mark.parametrize("outcome", WORDS)
def test_an_idle_line_is_not_excused_by_what_the_record_denies(outcome: str) -> None:
    day = day_with_arrival()
    for begins in (600, 630, 660):
        day.quoted(begins + 0.5, "100.00", "100.10", invocation=day.called("PlaceOrders", begins, begins + 1))
    day.closed(CLOSES, outcome)
    assert "idle" in day.violations()


def _given_up(outcome: str, act: Callable[[DayByHand], object], *, side: int = 1, held: str = "0") -> bool:
    day = day_with_arrival(side=side, held=held)
    act(day)
    day.closed(1_200, outcome)
    return "given_up" in day.violations()


def _refused(day: DayByHand, when: float = 700, *, answered: bool = True, order: int = 1, replaces: str = "") -> None:
    """A request is answered, and no order follows."""
    number, name = day.called("PlaceOrders", when, when + 1), f"{PREFIX}AAA.b.{order}"
    day.record.sent.append(SentOrder(at(when), at(when), name, number, replaces, is_answered=answered))


def _refused_often(day: DayByHand, last: float = 900, *, answered: bool = True, replaces: str = "") -> None:
    """Three requests in a row."""
    for order, when in enumerate((700, 800, last), start=1):
        _refused(day, when, answered=answered, order=order, replaces=replaces)


def _order(day: DayByHand) -> str:
    return day.placed(1, 601, "100", "100.01", bid="100.00", ask="100.10")


def _rejected(day: DayByHand) -> None:
    day.ended(_order(day), 620, "rejected", asked=False)


def _rejected_often(day: DayByHand) -> None:
    """An order is accepted and then rejected, and the next two are refused."""
    _rejected(day)
    _refused(day, 700, order=2)
    _refused(day, 800, order=3)


def _rejected_in_part(day: DayByHand) -> None:
    """As before, but the rejected order has filled in part."""
    order = _order(day)
    day.filled(order, 610, "30", "100.01")
    day.ended(order, 620, "rejected", asked=False)
    _refused(day, 700, order=2)
    _refused(day, 800, order=3)


@pytest.mark.parametrize("act", [_refused_often, _rejected_often, _rejected_in_part])
def test_a_line_is_rejected_once_the_broker_has_turned_three_orders_away(act: Callable[[DayByHand], object]) -> None:
    assert not _given_up("rejected", act)


def _cancelled_between(day: DayByHand) -> None:
    """Three refusals, of which two are older than an order that was worked."""
    _refused(day, 590, order=1)
    _refused(day, 595, order=2)
    day.ended(day.placed(3, 601, "100", "100.01", bid="100.00", ask="100.10"), 620)
    _refused(day, 700, order=4)


@pytest.mark.parametrize("outcome", ["rejected", "unfunded"])
@pytest.mark.parametrize(("since", "is_found"), [(1_300, False), (1_600, True)])
def test_a_line_that_was_refused_once_is_idle_after_its_pause(outcome: str, since: float, is_found: bool) -> None:
    """A million dollars; ten minutes are the longest pause, and two hundred seconds settle what was in flight."""
    day = day_with_arrival()
    _refused(day)
    for begins in (since, since + 30, since + 60):
        day.quoted(begins + 0.5, "100.00", "100.10", invocation=day.called("PlaceOrders", begins, begins + 1))
    day.closed(CLOSES, outcome)
    assert ("idle" in day.violations()) is is_found


@pytest.mark.parametrize("act", [
    lambda day: _refused_often(day, 1_300),
    lambda day: _refused_often(day, answered=False),
    lambda day: _refused_often(day, replaces="an order"),
    lambda day: day.ended(_order(day), 620),
    _refused,
    _rejected,
    _cancelled_between,
])  # fmt: skip
def test_a_line_is_not_rejected_by_fewer_refusals_in_a_row(act: Callable[[DayByHand], object]) -> None:
    """A third one after the end, requests without answers, replaces, an order that was cancelled, one refusal only."""
    assert _given_up("rejected", act)


@pytest.mark.parametrize(("sold", "is_found"), [("1", False), ("0", True)])
def test_a_sell_may_be_rejected_if_its_owner_has_sold_the_shares(sold: str, is_found: bool) -> None:
    def sell(day: DayByHand) -> None:
        if sold != "0":
            day.filled(day.arrived("by hand", 700, sold, "100.00", side=-1), 700, sold, "100.00")

    assert _given_up("rejected", sell, side=-1, held="100") is is_found


def test_a_sell_is_not_rejected_for_the_shares_that_its_own_order_holds() -> None:
    def cancelled(day: DayByHand) -> None:
        order = day.placed(1, 601, "100", "100.09", bid="100.00", ask="100.10")
        day.filled(order, 610, "40", "100.09")
        day.ended(order, 620)

    assert _given_up("rejected", cancelled, side=-1, held="100")


def _too_late(day: DayByHand) -> None:
    day.ended(_order(day), 620)
    day.record.cancels[0] = day.record.cancels[0]._replace(is_too_late=True)


def _moved(day: DayByHand) -> None:
    order = _order(day)
    day.arrived("the broker's own id", 610, "150", "99.50", replaces=order)
    day.ended("id the broker's own id", 1_000, asked=False)
    day.ended(order, 610, "replaced", asked=False)


@pytest.mark.parametrize("outcome", ["ended_by_owner", "ended_by_unknown_hand"])
@pytest.mark.parametrize(("act", "is_found"), [
    (lambda day: day.ended(_order(day), 620, asked=False), False),
    (_too_late, False),
    (_moved, False),
    (lambda day: day.ended(_order(day), 620), True),
    (_rejected, True),
])  # fmt: skip
def test_an_end_by_another_hand_needs_one(outcome: str, act: Callable[[DayByHand], object], is_found: bool) -> None:
    """An order is cancelled unasked, or before the request; or moved. Not if the run has cancelled it."""
    assert _given_up(outcome, act) is is_found


def _hidden(day: DayByHand, *asked: float) -> None:
    """The broker does not find an order from 610 to 900; it is asked for it at these times, without an answer."""
    order = _order(day)
    day.record.unfound.append(Unfound(order, at(610), at(900)))
    for when in asked:
        day.looked_up(FIRST, when, found=False)
    day.ended(order, 1_000)


def _found(day: DayByHand) -> None:
    _refused(day, answered=False)
    day.looked_up(FIRST, 800, found=True)


@pytest.mark.parametrize(("act", "is_found"), [
    (lambda day: _refused(day, answered=False), False),
    (lambda day: _hidden(day, 700), False),
    (lambda day: _hidden(day, 905), False),
    (lambda day: _hidden(day, 605, 911), True),
    (_hidden, True),
    (_order, False),
    (lambda day: day.ended(_order(day), LAST, "expired", asked=False), False),
    (lambda day: day.ended(_order(day), 1_201), True),
    (_found, True),
    (_refused, True),
    (lambda day: day.ended(_order(day), 620), True),
])  # fmt: skip
def test_an_unknown_line_has_an_order_in_doubt(act: Callable[[DayByHand], object], is_found: bool) -> None:
    """Without an answer, asked for while it is not found, or open until the session's close; not one that was shown or
    refused, that was hidden while the run did not look it up, or that the closing step has cancelled."""
    assert _given_up("unknown", act) is is_found


@pytest.mark.parametrize(("cash", "bought", "other", "is_found"), [
    ("1000000", "0", False, True),
    ("10000", "0", False, False),
    ("11000", "0", False, True),
    ("11000", "50", False, True),
    ("20000", "0", False, True),
    ("20000", "0", True, False),
    ("22000", "0", True, True),
])  # fmt: skip
def test_a_buy_is_unfunded_only_if_its_rest_may_have_cost_more(
    cash: str, bought: str, other: bool, is_found: bool
) -> None:
    """100 shares may cost 10,410.40 dollars: 4 % more than at the dearest ask. Those of another run may cost as much.

    What was bought minutes before the end has gone from the cash and from the need.
    """
    day = day_with_arrival(cash=cash)
    day.record.dearest = {"AAA": 1_001_000}
    if other:
        day.record.runs.append(replace(day.record.runs[0], run_id="other", prefix="rp000-other-261123."))
    if bought != "0":
        order = _order(day)
        day.filled(order, 602, bought, "100.01")
        day.ended(order, 1_000)
    day.closed(1_200, "unfunded")
    assert ("given_up" in day.violations()) is is_found


def test_a_buy_is_unfunded_for_what_the_account_lacks_while_the_run_is_open() -> None:
    """The owner spends all but 9,800 dollars: before the line is given up, or after it."""
    for when, is_found in ((700, False), (1_300, True)):
        day = day_with_arrival()
        day.record.dearest = {"AAA": 1_001_000}
        spends = day.arrived("by hand", when, "9902", "100.00")
        day.filled(spends, when, "9902", "100.00")
        day.closed(1_200, "unfunded")
        assert ("given_up" in day.violations()) is is_found


def test_a_buy_is_not_unfunded_because_its_own_order_holds_the_cash() -> None:
    day = day_with_arrival(cash="15000")
    day.record.dearest = {"AAA": 1_001_000}
    order = _order(day)
    day.record.ledger.hold(at(601), order, "$", 100_010_000 * 10**9)
    day.record.ledger.hold(at(1_000), order, "$", -100_010_000 * 10**9)
    day.ended(order, 1_000)
    day.closed(1_200, "unfunded")
    assert "given_up" in day.violations()


def test_a_buy_is_not_unfunded_by_refusals_of_a_rich_account() -> None:
    """The program tries again after a pause: a refusal alone ends no line."""
    assert _given_up("unfunded", _refused_often)


@pytest.mark.parametrize(("status", "is_found"), [("done_for_day", False), ("calculated", False), ("canceled", True)])
def test_a_buy_is_unfunded_by_what_the_broker_keeps_for_its_order(status: str, is_found: bool) -> None:
    """It keeps the cash of an order that it works no more, but not of one that was cancelled."""
    day = day_with_arrival(cash="15000")
    day.record.dearest = {"AAA": 1_001_000}
    order = _order(day)
    day.record.ledger.hold(at(601), order, "$", 100_010_000 * 10**9)
    day.ended(order, 620, status, asked=status == "canceled")
    day.closed(1_200, "unfunded")
    assert ("given_up" in day.violations()) is is_found


def test_a_sell_is_never_unfunded() -> None:
    assert _given_up("unfunded", lambda _day: None, side=-1, held="100")


def test_an_execution_that_begins_later_lacks_nothing_that_came_before() -> None:
    """The account has 9,000 dollars until its owner sells other shares, before the run starts."""
    day = day_with_arrival(cash="9000")
    day.record.dearest = {"AAA": 1_001_000}
    day.filled(day.arrived("by hand", 100, "500", "100.00", side=-1), 100, "500", "100.00")
    day.record.ledger.executions[0] = day.record.ledger.executions[0]._replace(symbol="BBB")
    day.closed(1_200, "unfunded")
    day.record.executions[0] = Execution("run", RUN, at(590), at(1_203), "SUCCEEDED", 500)
    assert "given_up" in day.violations()


@pytest.mark.parametrize(("qty", "is_found"), [("0.009", False), ("0.01", True)])
def test_a_line_is_not_traded_only_if_it_is_too_small(qty: str, is_found: bool) -> None:
    """A mid of 100.05: 0.009 of a share are worth less than a dollar."""
    day = day_with_arrival(qty=qty)
    day.closed(1_200, "no_trade")
    assert ("given_up" in day.violations()) is is_found
