"""Every setting has an effect: a changed value changes at least one decision."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any, cast

import pytest

from repeg.domain import arrival_cost, limits, peg, pricing, replacement, session
from repeg.domain.broker import Account, Submission, Unknown
from repeg.domain.child_order import ChildState
from repeg.domain.control import arm_of
from repeg.domain.decision import Action
from repeg.domain.errors import RefusedRun
from repeg.domain.funding import balance_for_buys
from repeg.domain.intent import Intent
from repeg.domain.journal import Ruling
from repeg.domain.outcome import Outcome
from repeg.domain.parent_order import ParentOrder
from repeg.domain.quote import Side, check_quote
from repeg.domain.setting_types import Policy, Waiting
from repeg.domain.settings import Settings
from repeg.ports import Ports
from repeg.workflow import placement, proposals
from repeg.workflow.opening import step_seconds
from repeg.workflow.turn import Turn
from repeg_workbench.twins.memory_store import MemoryStore
from tests.builders import (
    NOON,
    a_child,
    a_day,
    a_moment,
    a_quote,
    a_run,
    after_noon,
    an_order,
    resting,
    settings_with,
)

Decide = Callable[[Settings], object]


def first_order(settings: Settings) -> object:
    return peg.decide(an_order(), a_quote(), a_moment(), settings)


def session_at(minutes_after_open: int) -> Decide:
    def decide(settings: Settings) -> object:
        delay, margin = settings.market_open_delay_minutes, settings.close_margin_minutes
        window = session.trading_window(a_day(), delay, margin)
        return session.check(a_day().open + timedelta(minutes=minutes_after_open), window).decision

    return decide


def gate_on(bid: str, ask: str, bid_size: str = "500", seconds_old: int = 0) -> Decide:
    quote = a_quote(bid, ask, bid_size=bid_size, at=after_noon(-seconds_old))
    return lambda settings: check_quote(quote, Side.BUY, NOON, settings)


def turn_of(bid: str, seconds: int, moves: int = 0) -> Decide:
    """The action and reason for an order resting at 100.01 after a move of the bid and some seconds."""
    ask = str(Decimal(bid) + Decimal("0.05"))
    now = after_noon(seconds)
    quote = a_quote(bid, ask, at=now)

    def decide(settings: Settings) -> object:
        answer = peg.decide(resting(moves=moves), quote, a_moment(now), settings)
        return answer.verb, answer.reason

    return decide


def held_near_the_close(seconds_left: int, **fixed: str) -> Decide:
    """The action for an order that a wide book holds, with these settings fixed."""
    moment = a_moment(NOON, closes=after_noon(seconds_left))
    wide = a_quote("100.00", "101.00")
    return lambda settings: (
        peg.decide(an_order(held_by_book_since=after_noon(-60)), wide, moment, settings.model_copy(update=fixed)).verb
    )


def rung_when_patience_is_spent(settings: Settings) -> object:
    now = after_noon(3_600)
    return peg.due_rung(resting(), a_quote(at=now), a_moment(now), settings)[0]


def next_turn_after_the_open(settings: Settings) -> object:
    window = session.trading_window(a_day(), 5, 5)
    return session.next_turn(window.opens, window, settings.order_monitoring_seconds)


def widest_price(settings: Settings) -> object:
    return pricing.collar(Side.BUY, a_quote(), settings.max_slippage_bps, NOON.date(), settings.tick_size)


def is_refused(settings: Settings) -> object:
    """Check two orders of 10,002 dollars each against the limits."""
    try:
        limits.require_within_limits([an_order(), an_order()], settings)
    except RefusedRun:
        return "refused"
    return "accepted"


@dataclass
class Threads:
    """A runtime that records how many items each call works on concurrently."""

    at_once: list[int] = field(default_factory=list)

    def now(self) -> datetime:
        return NOON

    def map(self, function: Callable[[ParentOrder], ParentOrder], items: Sequence[ParentOrder]) -> list[ParentOrder]:
        self.at_once.append(len(items))
        return [function(item) for item in items]


def how_two_orders_are_worked(settings: Settings) -> object:
    threads = Threads()
    unused = cast("Any", None)
    ports = Ports(unused, unused, unused, unused, unused, unused, runtime=cast("Any", threads), signals=unused)
    turn = Turn(run=a_run(settings=settings), ports=ports, moment=a_moment(), started=NOON)
    worked = turn.each(lambda order: order.done(Outcome.FILLED, "filled"), [an_order(), an_order(Side.SELL)])
    assert [order.outcome for order in worked] == ["filled", "filled"]
    return threads.at_once


class Silence:
    """A broker that never acknowledges an order, and a journal that discards its entries."""

    def submit(self, intent: Intent) -> Submission:
        return Unknown(reason="no answer")

    def record(self, entry: object) -> None: ...


def intents_of(settings: Settings, *orders: ParentOrder) -> int:
    """The number of these orders for which another intent is written."""
    store, run, silence = MemoryStore(), a_run(settings=settings), cast("Any", Silence())
    store.claim_run(run)
    store.add_orders(run.run_id, 1, orders)
    runtime = cast("Any", Threads())
    unused = cast("Any", None)
    ports = Ports(silence, unused, store, unused, silence, unused, runtime, unused)
    turn = Turn(run=run, ports=ports, moment=a_moment(), started=NOON)

    def send(order: ParentOrder) -> ParentOrder:
        decision = peg.decide(order, a_quote(), a_moment(), settings_with())
        ruling = Ruling("peg.decide", {}, decision)
        return placement.send_order(turn, order, proposals.Proposal(decision, a_quote(), order.remaining, "", ruling))

    turn.each(send, orders)
    return len(store.intents(run.run_id))


def orders_that_are_sent(settings: Settings) -> object:
    """The number sent of two orders that each take 10,001 dollars of the budgets."""
    return intents_of(settings, an_order(), an_order(symbol="KO"))


def attempts_after_two(settings: Settings) -> object:
    gone = [a_child(state=ChildState.CANCELED, n=n) for n in (1, 2)]
    return intents_of(settings, an_order(Side.BUY, "100", *gone))


def is_allowed(settings: Settings) -> object:
    try:
        limits.require_allowed(["AAPL"], settings)
    except RefusedRun:
        return "refused"
    return "accepted"


def how_an_order_is_moved(settings: Settings) -> object:
    order = resting()
    decision = peg.decide(order, a_quote("100.30", "100.35"), a_moment(), settings_with())
    assert decision.verb is Action.MOVE
    return replacement.is_replaceable(order, order.children[0], decision, settings)


def with_looks(bid: str, ask: str, bid_size: str, spreads: tuple[int, ...], seconds: int = 29) -> Decide:
    """An order worked by the policy of looks, which rests at 100.00 and has seen these spreads."""

    def decided(settings: Settings) -> object:
        policy = settings.model_copy(update={"policy": Policy.NORMAL})
        now = after_noon(seconds)
        quote = a_quote(bid, ask, bid_size=bid_size, at=now)
        order = resting("100.00", spreads=spreads)
        return peg.decide(order, quote, a_moment(now), policy)

    return decided


def cost_of_market_orders(settings: Settings) -> object:
    return arrival_cost.market_cost_bps(an_order(), settings.crossing_cost)


def arm_of_twenty_shares(**fixed: Decimal) -> Decide:
    return lambda settings: arm_of(an_order(Side.BUY, "20"), a_quote(), NOON, settings.model_copy(update=fixed))


def seconds_of_a_listening_step(settings: Settings) -> object:
    return step_seconds(settings.model_copy(update={"waiting": Waiting.STREAM}))


def policy_of_a_sell_that_is_waited_for(settings: Settings) -> object:
    return settings.model_copy(update={"policy": Policy.NORMAL}).hurried().policy


def dollars_for_buys(settings: Settings) -> object:
    own = Decimal(5_000)
    account = Account(number="PA3ABCDEFGHI", equity=own, cash=own, spendable=own, buying_power=2 * own)
    return balance_for_buys(account, settings.fund_buys_from)


FLIPS: dict[str, tuple[Decide, dict[str, Any]]] = {
    "use_smart_limit_execution": (first_order, {"use_smart_limit_execution": False}),
    "policy": (first_order, {"policy": "market"}),
    "waiting": (step_seconds, {"waiting": "stream"}),
    "listen_seconds": (seconds_of_a_listening_step, {"listen_seconds": 289}),
    "look_seconds": (with_looks("100.00", "100.05", "500", (5,), seconds=299), {"look_seconds": 1}),
    "follow_after_seconds": (with_looks("100.02", "100.06", "500", (4,)), {"follow_after_seconds": 29}),
    "imbalance_cross": (with_looks("100.01", "100.02", "1000", (1,)), {"imbalance_cross": "0.6"}),
    "tight_share": (with_looks("100.01", "100.03", "500", (4,)), {"tight_share": "0.5"}),
    "crossing_cost": (cost_of_market_orders, {"crossing_cost": "0.5"}),
    "use_async_execution": (how_two_orders_are_worked, {"use_async_execution": False}),
    "hurry_sells": (policy_of_a_sell_that_is_waited_for, {"hurry_sells": True}),
    "fund_buys_from": (dollars_for_buys, {"fund_buys_from": "buying_power"}),
    "use_replace": (how_an_order_is_moved, {"use_replace": True}),
    "market_open_delay_minutes": (session_at(5), {"market_open_delay_minutes": 6}),
    "max_spread_pct": (gate_on("100.00", "100.30"), {"max_spread_pct": "0.30"}),
    "min_volume_shares": (gate_on("100.00", "100.05", bid_size="99"), {"min_volume_shares": 99}),
    "repeg_threshold_pct": (turn_of("100.06", 30), {"repeg_threshold_pct": "0.04"}),
    "order_monitoring_seconds": (next_turn_after_the_open, {"order_monitoring_seconds": 60}),
    "tick_size": (first_order, {"tick_size": "0.03"}),
    "max_repegs": (turn_of("100.30", 30, moves=2), {"max_repegs": 2}),
    "patience_seconds": (turn_of("100.01", 120), {"patience_seconds": 120}),
    "close_margin_minutes": (session_at(384), {"close_margin_minutes": 6}),
    "max_quote_age_seconds": (gate_on("100.00", "100.05", seconds_old=11), {"max_quote_age_seconds": 11}),
    "max_slippage_bps": (widest_price, {"max_slippage_bps": 49}),
    "escalation": (rung_when_patience_is_spent, {"escalation": "none"}),
    "fallback": (held_near_the_close(60), {"fallback": "collar"}),
    "fallback_minutes": (held_near_the_close(360, fallback="collar"), {"fallback_minutes": 6}),
    "max_order_notional": (is_refused, {"max_order_notional": "10001"}),
    "max_run_notional": (is_refused, {"max_run_notional": "20003"}),
    "max_day_notional": (orders_that_are_sent, {"max_day_notional": "20001"}),
    "max_run_orders": (orders_that_are_sent, {"max_run_orders": 1}),
    "max_attempts": (attempts_after_two, {"max_attempts": 2}),
    "control_share": (arm_of_twenty_shares(), {"control_share": "0.5"}),
    "control_max_notional": (arm_of_twenty_shares(control_share=Decimal(1)), {"control_max_notional": "2000"}),
    "data_feed": (with_looks("100.01", "100.02", "2000", (1,)), {"data_feed": "iex"}),
    "allowed_symbols": (is_allowed, {"allowed_symbols": ["KO"]}),
    "symbols": (
        lambda settings: first_order(settings.for_symbol("AAPL")),
        {"symbols": {"AAPL": {"max_spread_pct": "0.01"}}},
    ),
}


def test_every_setting_is_tested_for_its_effect() -> None:
    assert set(FLIPS) == set(Settings.model_fields)


@pytest.mark.parametrize("name", list(Settings.model_fields))
def test_a_changed_setting_changes_a_decision(name: str) -> None:
    decide, flipped = FLIPS[name]
    assert list(flipped) == [name]
    assert decide(settings_with(**flipped)) != decide(settings_with())
