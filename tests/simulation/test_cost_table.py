"""What a run cost, in lines for people: complete, and plain about what is not known."""

from __future__ import annotations

from typing import Any

from repeg.domain.books import Books
from repeg.domain.child_order import ChildState
from repeg.domain.costs import Settlement, analyse
from repeg.domain.outcome import Outcome
from repeg.domain.quote import Side
from repeg_workbench.simulate.cost_table import OF_NO_RELEASE, UNMEASURED, cost_lines
from tests.builders import a_child, a_quote, a_report_of, a_run, an_execution, an_order

SETTLED = Settlement(outcome="settled", error="", reason="every order has an outcome", turns=1)


def costs_of(**fields: Any) -> dict[str, Any]:
    """The costs of a run of one order, decided on at 100.00 × 100.10."""
    order = an_order(Side.BUY, "100", a_child(state=ChildState.FILLED), arrival=a_quote("100.00", "100.10"), **fields)
    fills = (an_execution("100", "100.02"),) if fields.get("outcome") is Outcome.FILLED else ()
    report = analyse(a_run(), Books((order,), (), fills), SETTLED).as_json()
    costs: dict[str, Any] = report["costs"]
    return costs


def test_the_lines_name_the_shortfall_its_parts_and_market_orders() -> None:
    lines = dict(cost_lines(costs_of(outcome=Outcome.FILLED)))
    assert lines["shortfall"] == "-3 dollars against the decision prices, -3 bps of the plan"
    assert lines["parts"] == (
        "delay 0 dollars, timing 0 dollars, spread 0 dollars, unsplit -3 dollars, opportunity 0 dollars"
    )
    assert lines["market at 0.5"] == "2.5 dollars, 2.5 bps, saved 5.5 dollars"
    assert lines["markouts"] == UNMEASURED
    measured = dict(cost_lines({**costs_of(outcome=Outcome.FILLED), "books": "sip"}))
    assert measured["markouts"].startswith("1s – (1 fill: not measured yet), ")
    assert lines["fees"] == "SEC 0, TAF 0, CAT 0.01 dollars, estimated; a paper account is charged none"


def test_a_run_without_fills_says_what_is_missing() -> None:
    lines = dict(cost_lines(costs_of(outcome=Outcome.HELD_WIDE)))
    assert lines["shortfall"] == "– against the decision prices, – of the plan"
    assert lines["missing"] == "1 order with a shortfall that is not known in full"


def test_the_report_of_an_earlier_release_says_that_it_has_none() -> None:
    assert list(cost_lines(a_report_of().as_json()["costs"])) == [("shortfall", OF_NO_RELEASE)]
    assert list(cost_lines(None, is_preview=True)) == [("shortfall", "a preview has none")]


def test_a_date_without_known_rates_says_so() -> None:
    costs = costs_of(outcome=Outcome.FILLED)
    assert dict(cost_lines({**costs, "fees": None}))["fees"] == "the rates of this date are not known here"
