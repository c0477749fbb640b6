"""The judge of causes where a plan is refused or an execution is stopped: not everything is a reason."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from repeg_workbench.faults.judges.record import Execution, Published
from tests.faults.day_by_hand import RUN, DayByHand, at, clean_day


@pytest.mark.parametrize(("ended", "is_found"), [(900, False), (15_001, True)])
def test_an_execution_that_is_stopped_later_is_no_cause(ended: float, is_found: bool) -> None:
    """The failure is published at 962."""
    day = clean_day()
    day.called("OpenRun", 590, 591)
    day.closed(960, status="FAILED")
    day.record.published = [Published(at(962), RUN, is_failure=True)]
    day.record.executions.append(Execution("by hand", RUN, at(ended - 1), at(ended), "ABORTED", 5))
    day.record.executions[0].began = at(900) if ended == 900 else at(0)
    assert ("failed_without_cause" in day.violations()) is is_found


def _weights(
    settings: dict[str, Any] | None = None,
    *,
    weight: str = "0.1",
    bid: str = "100.00",
    held: str = "0",
    selling: str = "",
    struck: bool = False,
) -> DayByHand:
    """A plan of one weight fails when it is planned; an account of 100,000 dollars, and an open sell of others."""
    day = DayByHand(settings, cash="100000", held=held)
    run = day.record.runs[0]
    day.record.runs[0] = replace(run, plan={"name": "core", "targets": {"AAA": weight}}, targets={})
    day.record.dearest = {"AAA": 1_001_000}
    if selling:
        day.arrived("another program", 500, selling, "110.00", side=-1)
    number = day.called("PlanOrders", 599, 600, answered=False, struck=struck)
    day.quoted(599.5, bid, "100.10", invocation=number)
    day.closed(601, status="FAILED")
    day.books(orders=(), reported={})
    day.record.published = [Published(at(603), RUN, is_failure=True)]
    return day


def test_a_plan_of_weights_fails_only_for_a_reason() -> None:
    assert _weights().violations() == {"failed_without_cause"}
    assert _weights(struck=True).violations() == set()


@pytest.mark.parametrize(("limit", "found"), [("10499", set()), ("10501", {"failed_without_cause"})])
@pytest.mark.parametrize("name", ["max_order_notional", "max_run_notional", "max_day_notional"])
def test_a_weight_may_be_refused_if_it_may_be_worth_more_than_a_limit(name: str, limit: str, found: set[str]) -> None:
    """A tenth of 100,000 dollars, and a twentieth more."""
    assert _weights({name: limit}).violations() == found


@pytest.mark.parametrize(("limit", "found"), [("10510", set()), ("10511", {"failed_without_cause"})])
def test_a_sale_to_a_weight_may_be_refused_for_what_is_held(limit: str, found: set[str]) -> None:
    """100 shares at 100.10, and a twentieth more."""
    assert _weights({"max_run_notional": limit}, weight="0.0001", held="100").violations() == found


@pytest.mark.parametrize(("weight", "found"), [("0", set()), ("0.0", set()), ("0.1", {"failed_without_cause"})])
def test_a_weight_without_a_price_is_refused_only_as_an_exit(weight: str, found: set[str]) -> None:
    assert _weights(weight=weight, bid="0", held="100").violations() == found


@pytest.mark.parametrize(("selling", "found"), [("50", set()), ("", {"failed_without_cause"})])
def test_a_weight_may_be_refused_while_shares_of_it_are_not_free(selling: str, found: set[str]) -> None:
    assert _weights(held="100", selling=selling).violations() == found
