"""Both judges on runs that buy from buying power: what may be owed, by whom, and that it is an alert at the end."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

import pytest

from tests.faults.day_by_hand import RUN, DayByHand, at, day_with_arrival


def _on_margin(cash: str, held: str, **settings: str) -> DayByHand:
    """A run that has bought 100 AAA for 10,001 dollars, and held some at 100.20, on an account that may hold twice
    its equity; the day is over."""
    day = day_with_arrival(settings or {"fund_buys_from": "buying_power"}, cash=cash, held=held)
    day.record.multiplier, day.record.dearest = 2, {"AAA": 1_002_000}
    day.filled(day.placed(1, 601, "100", "100.01", bid="100.00", ask="100.10"), 602, "100", "100.01")
    day.closed(960)
    return day


@pytest.mark.parametrize(
    ("cash", "held", "found"),
    [
        ("10001", "0", set()),
        ("4991", "0", set()),  # 5,010 are owed, half of 100 shares at 100.20
        ("4990.99", "0", {"power_negative"}),
        ("0", "100", set()),  # 10,001 owed on holdings of 20,040
        ("0", "99", {"power_negative"}),
    ],
)
def test_a_run_on_buying_power_may_owe_what_its_margin_lends(cash: str, held: str, found: set[str]) -> None:
    day = _on_margin(cash, held)
    day.record.loans.add(RUN)
    assert day.violations() == found


def test_a_loan_after_the_close_must_have_been_an_alert() -> None:
    day = _on_margin("4991", "0")
    assert day.violations() == {"loan_not_alerted"}
    day.record.loans.add(RUN)
    assert day.violations() == set()


def test_a_run_on_cash_may_not_owe_what_its_margin_lends() -> None:
    assert _on_margin("9000", "100", fund_buys_from="cash").violations() == {"cash_negative"}


def _beside_a_borrower(cash: str, *, bought: float, moved: bool = False, sent: float = 0) -> set[str]:
    """What is found of the money where a run on cash places an order for 100 AAA at 100.01, the step begins at 600.7,
    and it fills at 700; another run buys 100 AAA for 10,010 dollars meanwhile, which the account must lend. If `moved`,
    the order of the run on cash makes way for another at 650; if `sent`, another step sends it then."""
    day = day_with_arrival({"fund_buys_from": "cash"}, cash=cash)
    other = replace(
        day.record.runs[0], run_id="tilt-2026-11-23", prefix="rp000-tilt-261123.",
        settings={**day.record.runs[0].settings, "fund_buys_from": "buying_power"},
    )  # fmt: skip
    day.record.runs.append(other)
    day.record.multiplier, day.record.dearest = 4, {"AAA": 1_002_000}
    if bought < 601:
        _bought(day, bought)
    order = day.placed(1, 601, "100", "100.00" if moved else "100.01", bid="100.00", ask="100.10")
    if bought > 601:
        _bought(day, bought)
    if moved:
        day.ended(order, 649)
        order = day.placed(2, 650, "100", "100.01", bid="100.00", ask="100.10", function="RepegOrders")
    if sent:
        step, events = day.called("RepegOrders", sent - 0.1, sent + 0.1), day.record.ledger.events
        day.record.sent[-1] = day.record.sent[-1]._replace(at=at(sent), arrived=at(sent), invocation=step)
        arrival = next(event for event in events if event.order_id == order)
        events.remove(arrival)
        events.append(arrival._replace(at=at(sent)))
    day.filled(order, 700, "100", "100.01")
    return day.violations() & {"cash_negative", "power_negative", "judges_disagree"}


def _bought(day: DayByHand, when: float) -> None:
    order = day.arrived("rp000-tilt-261123.AAA.b.1", when, "100", "100.10")
    day.filled(order, when + 0.05, "100", "100.10")


@pytest.mark.parametrize("moved", [False, True])
@pytest.mark.parametrize(("cash", "found"), [("10001", set()), ("10000", {"cash_negative"})])
def test_a_run_on_cash_does_not_miss_what_another_has_borrowed_since(
    cash: str, found: set[str], *, moved: bool
) -> None:
    """Nor does a successor, which goes on with the cash that its line was granted."""
    assert _beside_a_borrower(cash, bought=620, moved=moved) == found


def test_an_order_that_is_sent_late_has_the_cash_of_its_intent() -> None:
    """PlaceOrders wrote its intent at 600.9 and could not send it in time; another step sends it at 650."""
    assert _beside_a_borrower("10001", bought=620, sent=650) == set()
    assert _beside_a_borrower("10001", bought=600.6, sent=650) == {"cash_negative"}


@pytest.mark.parametrize(("bought", "found"), [(600.6, {"cash_negative"}), (600.8, set())])
def test_a_run_on_cash_may_not_spend_what_another_had_spent_before(bought: float, found: set[str]) -> None:
    assert _beside_a_borrower("10001", bought=bought) == found


HELD_UP, IN_TIME = 11, 9


def _at_market(
    cash: str, held_up: float, fills: list[str], *, limit: str | None = None, multiplier: int = 2
) -> DayByHand:
    """A run on cash has sent an order for 100 AAA at 601, on an ask of 100.10: at the market it was granted 10,260.25
    dollars. It reaches the broker some seconds later, and fills in equal parts, a second apart."""
    day = day_with_arrival({"policy": "market", "fund_buys_from": "cash"}, cash=cash, qty="100")
    day.record.multiplier, day.record.dearest = multiplier, {"AAA": 1_200_000}
    order = day.placed(1, 601 + held_up, "100", limit, bid="100.00", ask="100.10", left=601)
    for n, price in enumerate(fills):
        day.filled(order, 602 + held_up + n, str(Decimal(100) / len(fills)), price)
    return day


def _of_the_money(day: DayByHand) -> set[str]:
    return day.violations() & {"cash_negative", "power_negative", "judges_disagree"}


@pytest.mark.parametrize(("limit", "held_up", "found"), [
    (None, HELD_UP, set()), (None, IN_TIME, {"cash_negative"}), ("120.00", HELD_UP, {"cash_negative"}),
])  # fmt: skip
def test_a_late_market_order_may_cost_more_than_its_cash(limit: str | None, held_up: float, found: set[str]) -> None:
    """Its price is that of its arrival. One with a limit costs no more than its limit, however late it is."""
    assert _of_the_money(_at_market("10500", held_up, ["120.00", "120.00"], limit=limit)) == found


@pytest.mark.parametrize(("cash", "found"), [("10260.25", set()), ("10260.24", {"cash_negative"})])
def test_a_late_market_order_had_its_cash_when_it_was_sent(cash: str, found: set[str]) -> None:
    assert _of_the_money(_at_market(cash, HELD_UP, ["110.00"])) == found


@pytest.mark.parametrize(("price", "cash", "found"), [
    ("100.10", "10500", {"cash_negative"}),  # nothing was dearer than expected
    ("120.00", "20260", {"cash_negative"}),
    ("120.00", "20262", set()),
])  # fmt: skip
def test_a_late_market_order_excuses_others_beyond_its_grant_alone(price: str, cash: str, found: set[str]) -> None:
    """Another run was granted 10,001 dollars before it arrived, and fills after it."""
    day = _at_market(cash, HELD_UP, [price])
    _grant_another(day, since=605)
    assert _of_the_money(day) == found


def test_a_late_market_order_excuses_others_from_its_fill_on() -> None:
    """It had arrived, half filled, when the other run was granted its cash, and its rest was dearer than could be
    expected."""
    day = _at_market("20500", HELD_UP, ["120.00", "120.00"])
    _grant_another(day, since=612.5)
    assert _of_the_money(day) == set()


def _grant_another(day: DayByHand, since: float) -> None:
    """A step of another run on cash begins then, and its order for 100 AAA at 100.01 fills at 700."""
    name, run = "rp000-tilt-261123.AAA.b.1", day.record.runs[0]
    day.record.runs.append(replace(run, run_id="tilt-2026-11-23", prefix="rp000-tilt-261123."))
    step = day.called("PlaceOrders", since, since + 0.5)
    day.record.intents.append(
        day.record.intents[0]._replace(at=at(since + 0.1), client_order_id=name, limit=1_000_100, invocation=step)
    )
    day.filled(day.arrived(name, 699, "100", "100.01"), 700, "100", "100.01")


def test_a_sell_of_a_run_on_cash_needs_none() -> None:
    """The other run has borrowed 10,009 dollars, of which the sell returns a part."""
    day = DayByHand({"fund_buys_from": "cash"}, side=-1, cash="1", held="100")
    other = replace(
        day.record.runs[0], run_id="tilt-2026-11-23", prefix="rp000-tilt-261123.", targets={"AAA": (1, Decimal(100))},
        settings={**day.record.runs[0].settings, "fund_buys_from": "buying_power"},
    )  # fmt: skip
    day.record.runs.append(other)
    day.record.multiplier, day.record.dearest = 4, {"AAA": 1_002_000}
    order = day.arrived(f"{other.prefix}AAA.b.1", 500, "100", "100.10", side=1)
    day.filled(order, 501, "100", "100.10")
    day.looked_at(600, "100.00", "100.10")
    day.filled(day.placed(1, 601, "50", "100.09", bid="100.00", ask="100.10"), 602, "50", "100.09")
    assert day.violations() & {"cash_negative", "power_negative", "judges_disagree"} == set()
