"""The journal: a decision's line contains every input, so the decision can be replayed."""

from __future__ import annotations

import json
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from repeg.domain import peg
from repeg.domain.child_order import ChildState, Rung
from repeg.domain.decision import Decision
from repeg.domain.journal import Entry
from repeg.domain.moment import Moment
from repeg.domain.parent_order import ParentOrder
from repeg.domain.quote import Quote, Side
from repeg.domain.settings import Settings
from tests.builders import NOON, a_child, a_moment, a_quote, after_noon, an_order, resting, settings_with
from tests.domain.markets import SIDES, books


def line_of(order: ParentOrder, quote: Quote | None, moment: Moment, settings: Settings) -> str:
    """The journal line of one decision."""
    decision = peg.decide(order, quote, moment, settings)
    inputs = {"order": order, "quote": quote, "moment": moment, "settings": settings}
    return Entry(
        at=moment.now, run_id=order.run_id, subject=order.symbol, verb=str(decision.verb), reason=decision.because,
        rule="peg.decide", inputs=inputs, answer=decision,
    ).line()  # fmt: skip


def replay(line: str) -> tuple[Decision, Decision]:
    """The journalled decision, and the decision made again from the line's inputs alone."""
    kept = json.loads(line)
    inputs = kept["inputs"]
    again = peg.decide(
        ParentOrder.model_validate(inputs["order"]),
        None if inputs["quote"] is None else Quote.model_validate(inputs["quote"]),
        Moment.model_validate(inputs["moment"]),
        Settings.model_validate(inputs["settings"]),
    )
    return Decision.model_validate(kept["answer"]), again


@pytest.mark.parametrize(
    ("order", "quote", "settings"),
    [
        (an_order(), a_quote(), settings_with()),
        (an_order(), None, settings_with()),
        (an_order(), a_quote(at=None), settings_with()),
        (resting("100.01", moves=4), a_quote("100.30", "100.35"), settings_with()),
        (resting("0.4501", collar=Decimal("0.4600")), a_quote("0.4509", "0.4512"), settings_with(max_spread_pct=5)),
        (resting(None, rung=Rung.MARKET), a_quote(), settings_with(use_smart_limit_execution=False)),
        (an_order(Side.SELL, "7.2273576"), a_quote(), settings_with(symbols={"AAPL": {"max_slippage_bps": "12.5"}})),
        (an_order(Side.BUY, "100", a_child(filled="100", state=ChildState.FILLED)), a_quote(), settings_with()),
    ],
)
def test_a_replayed_line_gives_the_journalled_decision(
    order: ParentOrder, quote: Quote | None, settings: Settings
) -> None:
    journalled, again = replay(line_of(order, quote, a_moment(), settings))
    assert again == journalled == peg.decide(order, quote, a_moment(), settings)


@given(SIDES, books(), st.integers(0, 600), st.sampled_from(["none", "mid", "cross", "market"]))
def test_every_decision_can_be_replayed(side: Side, quote: Quote, seconds: int, escalation: str) -> None:
    order = resting(str(quote.near(side)), side)
    settings = settings_with(escalation=escalation, max_quote_age_seconds=3_600, max_spread_pct=100)
    journalled, again = replay(line_of(order, quote, a_moment(after_noon(seconds)), settings))
    assert again == journalled


def test_amounts_are_journalled_as_text() -> None:
    line = line_of(an_order(), a_quote("100.00", "100.05"), a_moment(), settings_with())
    kept = json.loads(line, parse_float=lambda text: pytest.fail(f"a float in the journal: {text}"))
    assert kept["inputs"]["quote"]["bid"] == "100.00"
    assert kept["answer"]["limit"] == "100.01"
    assert "\n" not in line


def test_an_observation_has_no_rule_and_no_inputs() -> None:
    kept = json.loads(Entry(NOON, "core-2026-11-23", "AAPL", "fill", "40 @ 100.01", "40 of 100").line())
    assert kept == {
        "at": "2026-11-23T17:00:00+00:00",
        "run_id": "core-2026-11-23",
        "subject": "AAPL",
        "verb": "fill",
        "detail": "40 @ 100.01",
        "reason": "40 of 100",
        "rule": "",
        "inputs": {},
        "is_abnormal": False,
        "answer": None,
    }
