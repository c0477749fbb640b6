"""The control arm: who is drawn, who takes no part, and when a control order is sent at the market."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from repeg.domain import peg
from repeg.domain.arm import Arm, drawn
from repeg.domain.child_order import Child, ChildState, Rung
from repeg.domain.control import CONTROL, arm_of, is_control_due, without_draw
from repeg.domain.decision import Action
from repeg.domain.errors import InvalidSettings
from repeg.domain.outcome import HoldReason
from repeg.domain.parent_order import ParentOrder
from repeg.domain.quote import Quote, Side
from repeg.domain.quote_check import check_waiting_order
from repeg.domain.settings import Settings
from repeg.domain.settings_sources import resolve
from repeg_workbench.deployment_variables import variables
from tests.builders import NOON, a_child, a_moment, a_quote, after_noon, an_order, settings_with

SMALL = "20"
"""Twenty shares at 100.05, at most 4 % beyond it, may cost 2,051 dollars."""


def controlled(**changes: Any) -> Settings:
    return settings_with(**{"control_share": "1", "policy": "normal", **changes})


def sent(*, state: ChildState = ChildState.LIVE, limit: str | None = None, **marks: Any) -> Child:
    child = a_child(limit, qty=SMALL, state=state, rung=Rung.MARKET if limit is None else Rung.PASSIVE)
    return child.model_copy(update=marks)


def drawn_order(*children: Child, **fields: Any) -> ParentOrder:
    return an_order(Side.BUY, SMALL, *children, **{"arm": Arm.CONTROL, **fields})


# The draw


def test_a_draw_is_the_same_for_the_same_run_and_symbol() -> None:
    assert {drawn("core-2026-11-23", "AAPL", Decimal("0.5")) for _ in range(5)} == {drawn(
        "core-2026-11-23", "AAPL", Decimal("0.5")
    )}  # fmt: skip


def test_a_draw_gives_about_the_share_of_control_orders() -> None:
    lots = [drawn(f"core-2026-{day}", symbol, Decimal("0.2")) for day in range(1_000) for symbol in ("AAPL", "KO")]
    assert 340 < lots.count(Arm.CONTROL) < 460


def test_a_larger_share_keeps_every_order_of_a_smaller_one_in_control() -> None:
    runs = [f"core-2026-{day}" for day in range(500)]
    few, more = ({run for run in runs if drawn(run, "KO", Decimal(s)) is Arm.CONTROL} for s in ("0.1", "0.4"))
    assert few < more


@pytest.mark.parametrize(("share", "arm"), [("0.0000000001", Arm.TREATED), ("1", Arm.CONTROL)])
def test_the_ends_of_the_share_draw_one_arm_only(share: str, arm: Arm) -> None:
    assert {drawn(f"core-2026-{day}", "KO", Decimal(share)) for day in range(500)} == {arm}


# Who takes part


@pytest.mark.parametrize(
    ("target", "quote", "changes"),
    [
        (SMALL, a_quote(), {"control_share": "0"}),
        (SMALL, a_quote(), {"policy": "market"}),
        ("501", a_quote(), {"control_max_notional": "1000000"}),
        (SMALL, a_quote(), {"control_max_notional": "2051"}),
        (SMALL, a_quote(), {"max_order_notional": "2051"}),
        (SMALL, a_quote(at=after_noon(-11)), {}),
        ("0.9", a_quote(), {}),
    ],
    ids=[
        "no share",
        "all at market",
        "too large",
        "too dear",
        "over the order limit",
        "old quote",
        "fraction",
    ],
)
def test_an_order_that_could_not_be_sent_at_the_market_takes_no_part(
    target: str, quote: Quote, changes: dict[str, Any]
) -> None:
    order = an_order(Side.BUY, target)
    assert arm_of(order, quote, NOON, controlled(**changes)) is None
    assert arm_of(an_order(Side.BUY, SMALL), a_quote(), NOON, controlled()) is Arm.CONTROL


def test_a_control_order_costs_at_most_exactly_what_it_may() -> None:
    exact = Decimal(20) * Decimal("100.05") * Decimal("1.025")
    order = an_order(Side.BUY, SMALL)
    assert arm_of(order, a_quote(), NOON, controlled(control_max_notional=exact)) is Arm.CONTROL
    assert arm_of(order, a_quote(), NOON, controlled(control_max_notional=exact - Decimal("0.01"))) is None


@pytest.mark.parametrize(
    ("target", "shown", "is_drawn"),
    [("1", "500", True), ("0.99", "500", False), ("20", "20", True), ("21", "20", False)],
)
def test_a_control_order_is_of_a_share_up_to_what_is_shown(target: str, shown: str, is_drawn: bool) -> None:
    arm = arm_of(an_order(Side.BUY, target), a_quote(ask_size=shown), NOON, controlled())
    assert (arm is Arm.CONTROL) is is_drawn


def test_an_order_without_its_draw_is_otherwise_the_same() -> None:
    order = drawn_order(spreads=(5,))
    assert without_draw(order) == order.model_copy(update={"arm": None})
    waiting = an_order(Side.BUY, SMALL, arrival=None, collar=None)
    assert without_draw(waiting) == waiting


def test_an_order_is_drawn_with_its_collar_and_never_again() -> None:
    waiting = an_order(Side.BUY, SMALL, arrival=None, collar=None)
    check = check_waiting_order(waiting, a_quote(), a_moment(), controlled())
    assert (check.frees, check.arm) == (True, Arm.CONTROL)
    arrived = waiting.arrived(a_quote(), check.collar, check.arm)
    assert arrived.arm is Arm.CONTROL
    assert check_waiting_order(arrived, a_quote(), a_moment(), controlled()).arm is None


def test_an_order_whose_quote_does_not_pass_is_not_drawn() -> None:
    waiting = an_order(Side.BUY, SMALL, arrival=None, collar=None)
    assert check_waiting_order(waiting, a_quote("100.00", "101.00"), a_moment(), controlled()).arm is None


# What is sent


@pytest.mark.parametrize("policy", ["anchor", "normal"])
def test_a_control_order_goes_to_the_market_at_once(policy: str) -> None:
    decision = peg.decide(drawn_order(), a_quote(), a_moment(), controlled(policy=policy))
    assert (decision.verb, decision.rung, decision.limit, decision.reason) == (Action.CROSS, Rung.MARKET, None, CONTROL)


@pytest.mark.parametrize(
    ("order", "quote"),
    [
        (drawn_order(arm=Arm.TREATED), a_quote()),
        (drawn_order(arm=None), a_quote()),
        (drawn_order(), a_quote(ask_size="19")),
        (drawn_order(held=HoldReason.BUDGET), a_quote()),
        (drawn_order(sent(state=ChildState.CANCELED, is_control=True)), a_quote()),
        (drawn_order(sent(state=ChildState.NEVER_ARRIVED, is_control=True)), a_quote()),
        (drawn_order(sent(state=ChildState.CANCELED, limit="100.01")), a_quote()),
    ],
    ids=["treated", "no part", "less displayed by now", "no budget", "cancelled", "given up", "worked before"],
)
@pytest.mark.parametrize("policy", ["anchor", "normal"])
def test_an_order_that_is_not_due_at_the_market_is_worked_as_usual(
    order: ParentOrder, quote: Quote, policy: str
) -> None:
    decision = peg.decide(order, quote, a_moment(), controlled(policy=policy))
    assert (decision.verb, decision.rung, decision.limit) == (Action.PLACE, Rung.PASSIVE, Decimal("100.01"))


def test_a_control_order_that_never_left_is_sent_again() -> None:
    refused = sent(state=ChildState.REFUSED, is_control=True, may_pass=True)
    assert is_control_due(drawn_order(refused), a_quote(), NOON, controlled())
    worked = sent(state=ChildState.CANCELED, limit="100.01", n=2)
    assert not is_control_due(drawn_order(refused, worked), a_quote(), NOON, controlled())


@pytest.mark.parametrize("quote", [a_quote(bid_size="1"), a_quote("100.00", "101.00"), a_quote("100.05", "100.05")])
def test_a_control_order_passes_the_same_quote_check(quote: Quote) -> None:
    thin_or_worse = peg.decide(drawn_order(), quote, a_moment(), controlled())
    assert thin_or_worse.verb is Action.HOLD


@pytest.mark.parametrize("policy", ["anchor", "normal"])
def test_a_control_order_at_the_broker_waits_for_its_fill(policy: str) -> None:
    """Patience and the close change nothing: it is at the market already."""
    late = after_noon(3_600)
    for closes in (after_noon(7_200), after_noon(3_610)):
        order = drawn_order(sent(is_control=True), rung=Rung.MARKET, first_placed_at=NOON)
        decision = peg.decide(order, a_quote(at=late), a_moment(late, closes), controlled(policy=policy))
        assert (decision.verb, decision.reason) == (Action.HOLD, "working")


# Settings


@pytest.mark.parametrize("share", ["1.01", "-0.1", "25", "NaN"])
def test_a_share_beyond_all_orders_is_refused_by_name(share: str) -> None:
    with pytest.raises(InvalidSettings, match=r"settings\.control_share") as caught:
        resolve(variables({"control_share": share}), None)
    assert caught.value.value == share


@pytest.mark.parametrize("escalation", ["none", "mid"])
def test_a_share_where_no_market_order_is_permitted_is_refused(escalation: str) -> None:
    with pytest.raises(InvalidSettings, match=f"escalation={escalation} permits no market order") as caught:
        resolve(variables({"control_share": "0.1", "escalation": escalation}), None)
    assert caught.value.field == "settings.control_share"


def test_a_symbol_may_be_left_out_of_the_experiment() -> None:
    settings = resolve(variables({"control_share": "0.5", "symbols": {"KO": {"control_share": "0"}}}), None)
    assert [settings.for_symbol(symbol).control_share for symbol in ("KO", "AAPL")] == [0, Decimal("0.5")]


def test_a_share_with_a_spread_that_bounds_no_market_order_is_refused() -> None:
    with pytest.raises(InvalidSettings, match=r"control_share=0\.1") as caught:
        resolve(variables({"control_share": "0.1", "max_spread_pct": "5.1"}), None)
    assert caught.value.field == "settings.max_spread_pct"
