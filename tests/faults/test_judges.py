"""Each rule that the judges decide fires on a day built by hand with the violation, and not on the clean one."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest

from repeg.domain.settings import Settings
from repeg_workbench.exchange.broker.ledger import Posting
from repeg_workbench.exchange.units import QTY_SCALE
from repeg_workbench.faults.judges import second_prices
from repeg_workbench.faults.judges.cancels import SentCancel
from repeg_workbench.faults.judges.record import SECOND, SentOrder
from repeg_workbench.faults.judges.rules import DEFAULTS
from tests.faults.day_by_hand import (
    CLOSE,
    CLOSES,
    MINUTES,
    PREFIX,
    RUN,
    DayByHand,
    at,
    clean_day,
    closed_day,
    day_with_arrival,
)


def test_a_clean_day_has_no_violation() -> None:
    assert closed_day().violations() == set()


def test_a_day_that_is_not_over_has_no_violation() -> None:
    assert clean_day().violations() == set()


def _over_target(day: DayByHand) -> None:
    order = day.placed(1, 601, "100", "100.01", bid="100.00", ask="100.10")
    day.filled(order, 610, "1", "100.01")
    day.ended(order, 611)
    day.placed(2, 612, "100", "100.01", bid="100.00", ask="100.10")


def _two_at_once(day: DayByHand) -> None:
    day.placed(1, 601, "50", "100.01", bid="100.00", ask="100.10")
    day.placed(2, 602, "50", "100.01", bid="100.00", ask="100.10")


def _wrong_side(day: DayByHand) -> None:
    day.intended(1, 600, "1", "100.01")
    day.arrived(f"{PREFIX}AAA.b.1", 601, "1", "100.01", side=-1)


def _no_intent(day: DayByHand) -> None:
    day.arrived(f"{PREFIX}AAA.b.1", 601, "1", "100.01")


def _late_intent(day: DayByHand) -> None:
    day.arrived(f"{PREFIX}AAA.b.1", 601, "1", "100.01")
    day.intended(1, 602, "1", "100.01")


def _other_quantity(day: DayByHand) -> None:
    day.intended(1, 600, "2", "100.01")
    day.arrived(f"{PREFIX}AAA.b.1", 601, "1", "100.01")


def _changed_intent(day: DayByHand) -> None:
    day.placed(1, 601, "1", "100.01", bid="100.00", ask="100.10")
    day.intended(1, 602, "1", "100.02")


def _gtc(day: DayByHand) -> None:
    day.placed(1, 601, "1", "100.01", bid="100.00", ask="100.10", tif="gtc")


def _past_the_collar(day: DayByHand) -> None:
    day.placed(1, 601, "1", "100.56", bid="100.55", ask="100.65")


def _collar_fixed_anew(day: DayByHand) -> None:
    """The first accepted quote was 100.00 × 100.10, but the collar is that of a later, higher one."""
    day.looked_at(630, "101.00", "101.10")
    day.placed(1, 631, "1", "101.01", bid="101.00", ask="101.10")


def _collar_rounded_outwards(day: DayByHand) -> None:
    """50 basis points from a mid of 100.05 are 100.55025; a buy's collar is 100.55, not 100.56."""
    day.placed(1, 601, "1", "100.56", bid="100.00", ask="100.10")


def _before_arrival(day: DayByHand) -> None:
    day.record.quotes.clear()
    day.placed(1, 601, "1", "100.01", bid="100.00", ask="100.10")


def _off_the_tick(day: DayByHand) -> None:
    day.placed(1, 601, "1", "100.015", bid="100.00", ask="100.10")


def _not_of_the_book(day: DayByHand) -> None:
    day.placed(1, 601, "1", "100.09", bid="100.00", ask="100.10")


def _reaches_the_far_side(day: DayByHand) -> None:
    """At a spread of one tick, bid + tick is the ask."""
    day.placed(1, 601, "1", "100.01", bid="100.00", ask="100.01")


def _on_a_wide_quote(day: DayByHand) -> None:
    day.placed(1, 601, "1", "99.81", bid="99.80", ask="100.30")


def _without_a_quote(day: DayByHand) -> None:
    day.placed(1, 601, "1", "100.01")


def _market(day: DayByHand) -> None:
    day.placed(1, 601, "1", None, bid="100.00", ask="100.10")


def _worse_fill(day: DayByHand) -> None:
    order = day.placed(1, 601, "1", "100.01", bid="100.00", ask="100.10")
    day.filled(order, 602, "1", "100.02")


def _too_early(day: DayByHand) -> None:
    day.record.quotes.clear()
    day.looked_at(290, "100.00", "100.10")
    day.placed(1, 299, "1", "100.01", bid="100.00", ask="100.10")


def _too_late(day: DayByHand) -> None:
    day.placed(1, CLOSES, "1", "100.01", bid="100.00", ask="100.10", left=CLOSES - 1)


def _killed(day: DayByHand) -> None:
    day.switched(600, "halt_new")
    day.placed(1, 610, "1", "100.01", bid="100.00", ask="100.10")


def _after_its_close(day: DayByHand) -> None:
    day.called("CloseRun", 602, 604)
    day.placed(1, 610, "1", "100.01", bid="100.00", ask="100.10")


def _by_the_closing_step(day: DayByHand) -> None:
    day.placed(1, 601, "1", "100.01", bid="100.00", ask="100.10", function="SweepOrders")


def _foreign_cancel(day: DayByHand) -> None:
    day.ended(day.arrived("mine", 601, "1", "50.00"), 610)


def _sent_after_its_owner(day: DayByHand) -> None:
    day.ended(day.placed(1, 601, "1", "100.01", bid="100.00", ask="100.10"), 610, asked=False)
    day.placed(2, 620, "1", "100.01", bid="100.00", ask="100.10")


def _borrowed(day: DayByHand) -> None:
    day.filled(day.placed(1, 601, "100", "100.01", bid="100.00", ask="100.10"), 602, "100", "100.01")


def _too_many_requests(day: DayByHand) -> None:
    day.record.requests[0] += [at(600 + n / 10) for n in range(201)]


def _unresolved(day: DayByHand) -> None:
    order = day.placed(1, 601, "1", "100.01", bid="100.00", ask="100.10")
    day.record.sent[0] = day.record.sent[0]._replace(is_answered=False)
    day.looked_up(order.removeprefix("id "), 601 + 10 * MINUTES, found=True)


DURING: dict[str, tuple[str, Callable[[DayByHand], None]]] = {
    "more than the target": ("more_than_target", _over_target),
    "two orders at once": ("successor_before_end", _two_at_once),
    "two live children": ("two_live_children", _two_at_once),
    "the wrong side": ("wrong_side", _wrong_side),
    "no intent": ("no_intent", _no_intent),
    "an intent written afterwards": ("no_intent", _late_intent),
    "another quantity than intended": ("intent_differs", _other_quantity),
    "an intent that changes": ("intent_changed", _changed_intent),
    "an order that outlives the day": ("not_a_day_order", _gtc),
    "a limit past the collar": ("past_the_collar", _past_the_collar),
    "a collar fixed anew": ("past_the_collar", _collar_fixed_anew),
    "a collar rounded outwards": ("past_the_collar", _collar_rounded_outwards),
    "an order before its arrival": ("no_collar", _before_arrival),
    "a limit off the tick": ("off_the_tick", _off_the_tick),
    "a limit that no rule gives": ("not_a_price_of_the_book", _not_of_the_book),
    "a passive order at the far side": ("not_a_price_of_the_book", _reaches_the_far_side),
    "a quote that is too wide": ("unchecked_quote", _on_a_wide_quote),
    "no quote at all": ("unchecked_quote", _without_a_quote),
    "a market order": ("market_order_not_allowed", _market),
    "a fill worse than its limit": ("worse_than_limit", _worse_fill),
    "an order before the window": ("outside_window", _too_early),
    "an order after the window": ("outside_window", _too_late),
    "an order under the kill switch": ("after_kill", _killed),
    "an order of a closed run": ("after_close", _after_its_close),
    "an order sent by a sweep": ("sent_while_closing", _by_the_closing_step),
    "a cancel of another's order": ("foreign_order_touched", _foreign_cancel),
    "an order sent again after its owner's cancel": ("sent_after_owner", _sent_after_its_owner),
    "too many requests": ("too_many_requests", _too_many_requests),
    "an unknown order left alone": ("unresolved", _unresolved),
}


@pytest.mark.parametrize(
    ("is_too_late", "struck", "overlapped", "found"),
    [(True, False, False, True), (False, False, False, False), (True, True, False, False), (True, False, True, False)],
)
def test_an_order_that_the_first_cancel_finds_ended_was_ended_by_its_owner(
    is_too_late: bool, struck: bool, overlapped: bool, found: bool
) -> None:
    """The step that learns so must have been able to save it."""
    day = day_with_arrival()
    order = day.placed(1, 601, "1", "100.01", bid="100.00", ask="100.10")
    day.ended(order, 610)
    day.record.cancels.clear()
    step = day.called("RepegOrders", 609, 611, struck=struck)
    if overlapped:
        day.called("RepegOrders", 610.5, 613)
    day.record.cancels.append(SentCancel(at(609.9), order, step))
    if is_too_late:
        day.record.cancels.came_too_late(order, step)
    day.placed(2, 620, "1", "100.01", bid="100.00", ask="100.10")
    assert ("sent_after_owner" in day.violations()) is found


@pytest.mark.parametrize(("most", "found"), [(0, False), (1, True)])
def test_an_order_keeps_its_price_only_once_all_moves_are_made(most: int, found: bool) -> None:
    day = day_with_arrival({"policy": "normal", "max_repegs": most})
    first = day.placed(1, 601, "100", "100.01", bid="100.00", ask="100.10")
    day.ended(first, 700)
    day.placed(2, 701, "100", "100.01", bid="100.20", ask="100.30", function="RepegOrders")
    assert ("not_a_price_of_the_book" in day.violations()) is found


def test_each_stack_has_the_request_limit_for_itself() -> None:
    """Each counts in its own table, so two on one account may exceed its limit together."""
    day = day_with_arrival()
    for stack in (0, 1):
        day.record.requests[stack] += [at(600 + n / 10) for n in range(200)]
    assert "too_many_requests" not in day.violations()


@pytest.mark.parametrize(("ahead", "found"), [(0, True), (0.9, True), (1.1, False)])
def test_a_broker_whose_clock_is_ahead_opens_its_window_earlier(ahead: float, found: bool) -> None:
    day = DayByHand()
    _too_early(day)
    day.record.clock_ahead = round(ahead * SECOND)
    assert ("outside_window" in day.violations()) is found
    assert "judges_disagree" not in day.violations()


@pytest.mark.parametrize(("status", "found"), [("rejected", False), ("canceled", True)])
def test_an_owners_move_ends_an_order_unless_the_broker_rejects_it(status: str, found: bool) -> None:
    day = day_with_arrival()
    first = day.placed(1, 601, "1", "100.01", bid="100.00", ask="100.10")
    day.ended(day.arrived("by hand", 605, "1", "100.02", replaces=first), 608, status, asked=False)
    day.ended(first, 612)
    day.placed(2, 620, "1", "100.01", bid="100.00", ask="100.10")
    assert ("sent_after_owner" in day.violations()) is found


@pytest.mark.parametrize(("name", "spoil"), DURING.values(), ids=list(DURING))
def test_the_judge_finds(name: str, spoil: Callable[[DayByHand], None]) -> None:
    day = day_with_arrival()
    assert day.violations() == set()
    spoil(day)
    assert name in day.violations()
    assert "judges_disagree" not in day.violations()


LIMITS: dict[str, tuple[dict[str, Any], str]] = {
    "orders of a run": ({"max_run_orders": 1}, "too_many_orders"),
    "cost of a line": ({"max_order_notional": "10007.29"}, "over_budget"),
    "cost of a run": ({"max_run_notional": "10007.29"}, "over_budget"),
    "cost of a day": ({"max_day_notional": "10007.29"}, "over_budget"),
    "allowed symbols": ({"allowed_symbols": "KO,PEP"}, "symbol_not_allowed"),
}


@pytest.mark.parametrize(("settings", "name"), LIMITS.values(), ids=list(LIMITS))
def test_the_judge_finds_a_limit_that_is_exceeded(settings: dict[str, Any], name: str) -> None:
    """The clean day's first order costs 10,001.00 and its second one 7,007.00 beside fills of 3,000.30."""
    found = closed_day(settings).violations()
    assert name in found
    assert "judges_disagree" not in found


@pytest.mark.parametrize(("most", "filled", "found"), [(1, 0, True), (2, 0, False), (1, 40, False)])
def test_the_judges_count_the_attempts_since_the_last_fill(most: int, filled: int, found: bool) -> None:
    day = day_with_arrival({"max_attempts": most})
    first = day.placed(1, 601, "100", "100.01", bid="100.00", ask="100.10")
    if filled:
        day.filled(first, 700, str(filled), "100.01")
    day.ended(first, 800)
    day.placed(2, 802, str(100 - filled), "100.02", bid="100.01", ask="100.10")
    assert ("too_many_attempts" in day.violations()) is found
    assert "judges_disagree" not in day.violations()


def test_the_judges_find_more_orders_than_a_line_may_ever_have() -> None:
    for number, found in ((400, set()), (401, {"too_many_attempts"})):
        day = day_with_arrival()
        for n in range(1, number + 1):
            order = day.placed(n, 601 + n, "100" if n == 1 else str(Decimal(100) - Decimal("0.1") * (n - 1)), "100.01")
            day.filled(order, 601.2 + n, "0.1", "100.01")
            day.ended(order, 601.5 + n)
        assert {name for name in day.violations() if "attempts" in name or "disagree" in name} == found


def test_a_limit_that_is_just_kept_is_no_violation() -> None:
    settings = {"max_run_orders": 2, "max_attempts": 2, "allowed_symbols": ["AAA"]}
    costs = dict.fromkeys(("max_order_notional", "max_run_notional", "max_day_notional"), "10007.30")
    assert closed_day({**settings, **costs}).violations() == set()


@pytest.mark.parametrize(("account", "name"), [({"cash": "10000"}, "cash_negative"), ({"side": -1}, "short")])
def test_the_judges_find_money_or_shares_that_are_owed(account: dict[str, Any], name: str) -> None:
    day = day_with_arrival(None, **account)
    limit, price = ("100.01", "100.01") if day.side > 0 else ("100.09", "100.09")
    day.filled(day.placed(1, 601, "100", limit, bid="100.00", ask="100.10"), 602, "100", price)
    assert day.violations() == {name}


def test_a_collar_may_be_that_of_a_later_quote_after_a_fault() -> None:
    """The step that accepted the first quote died before it could write it down."""
    day = day_with_arrival()
    day.record.invoked[0].is_struck = True
    _collar_fixed_anew(day)
    assert day.violations() == set()


def test_the_judges_disagree_where_only_one_finds_a_violation(monkeypatch: pytest.MonkeyPatch) -> None:
    day = day_with_arrival()
    _past_the_collar(day)
    monkeypatch.setattr(second_prices, "is_inside", lambda *_: True)
    monkeypatch.setattr("repeg_workbench.faults.judges.second.is_inside", lambda *_: True)
    assert "judges_disagree" in day.violations()


def test_both_judges_know_the_documented_defaults() -> None:
    real = Settings().model_dump(mode="json")
    for defaults in (DEFAULTS, second_prices.DOCUMENTED):
        said = {name: None if value is None else str(value) for name, value in defaults.items()}
        assert said == {name: None if real[name] is None else str(real[name]) for name in said}


def test_the_platform_is_judged_as_well() -> None:
    day = closed_day()
    day.record.payloads.append(("RepegOrders", 9_000))
    day.record.executions[0] = replace(day.record.executions[0], events=20_001)
    assert day.violations() == {"payload_too_large", "history_too_long"}


def test_the_books_of_the_hand_made_day_balance() -> None:
    """The ledger is a real one: its entries balance, and its cash is what the fills cost."""
    ledger = clean_day().record.ledger
    assert ledger.cash == (1_000_000 * 10_000 - 30 * 1_000_100 - 70 * 1_001_000) * QTY_SCALE
    assert all(isinstance(posting, Posting) for entry in ledger.entries for posting in entry.postings)
    assert at(0) < CLOSE
    assert RUN in PREFIX.replace("261123", "2026-11-23").replace("rp000-", "").replace(".", "")


@pytest.mark.parametrize(("intended", "found"), [(690.0, {"unchecked_quote"}), (605.0, set())])
def test_patience_begins_with_the_first_intent_of_a_line(intended: float, found: set[str]) -> None:
    """An escalation may be sent on a book that is thin on our side, an order of a line that has just begun may not."""
    day = day_with_arrival({"patience_seconds": 60, "min_volume_shares": 200})
    day.intended(1, intended, "100", "100.01")
    number = day.called("RepegOrders", 699.7, 700.2)
    day.quoted(699.8, "100.00", "100.10", invocation=number, size=50)
    name = day.intended(2, 699.9, "100", "100.55", invocation=number)
    day.record.sent.append(SentOrder(at(700), at(700.1), name, number, is_answered=True))
    day.arrived(name, 700.1, "100", "100.55")
    assert day.violations() == found
