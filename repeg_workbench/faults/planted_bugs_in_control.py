"""Planted bugs of control orders: who is drawn, when one is sent, and what it may cost."""

from __future__ import annotations

from repeg.domain import arm, control, peg
from repeg.workflow import funding, proposals
from repeg_workbench.faults.planting import Edit, PlantedBug, edited

_RULES = "tests/domain/test_control.py::"
_DESK = "tests/functions/test_control_orders.py::"

CONTROL_BUGS: dict[str, PlantedBug] = {
    "control_over_its_cap": edited(
        "a control order may cost any amount",
        Edit(control, "_fits", "return cost <= _most(settings) and", "return cost > 0 and"),
        seen_by=_RULES + "test_a_control_order_costs_at_most_exactly_what_it_may",
    ),
    "control_without_funds": edited(
        "a control buy is sent at the market with the cash up to its collar",
        Edit(funding, "_need", "if quote is not None and decision.sends and decision.limit is None:", "if False:"),
        Edit(proposals, "is_granted", "if proposal.decision.limit is not None or", "if True or"),
        seen_by=_DESK + "test_a_control_buy_is_granted_what_a_market_order_may_cost",
    ),
    "control_sent_twice": edited(
        "what a control order leaves is sent at the market again",
        Edit(control, "is_control_due", "all(child.may_pass for child in order.children) and ", ""),
        seen_by=_DESK + "test_a_rejected_control_order_is_worked_as_usual",
    ),
    "control_on_a_thin_book": edited(
        "a control order is not held by a thin book",
        Edit(peg, "is_escalation", "decision.reason in {MARKET_ORDERS, CONTROL}", "decision.reason == MARKET_ORDERS"),
        seen_by=_DESK + "test_a_thin_book_holds_a_control_order_that_waits_for_cash",
    ),
    "control_beyond_the_displayed_size": edited(
        "a control order may be larger than what is displayed",
        Edit(control, "_fits", "<= far_size(quote, order.side)", "<= 10 * far_size(quote, order.side)"),
        seen_by=_DESK + "test_an_order_that_takes_no_part_is_worked_as_usual",
    ),
    "control_for_all": edited(
        "every order that may take part is a control order",
        Edit(arm, "drawn", "if lot < share * _LOTS else", "if True else"),
        seen_by=_DESK + "test_a_treated_order_is_worked_as_usual",
    ),
    "control_worked_while_open": edited(
        "a control order at the market is escalated like a resting one",
        Edit(peg, "_decide", "if child is not None and child.is_control:", "if False:"),
        seen_by=_RULES + "test_a_control_order_at_the_broker_waits_for_its_fill",
    ),
}
