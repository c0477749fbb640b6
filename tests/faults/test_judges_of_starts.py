"""The judge of starts: a planned run is opened, unless the record of the day has a reason why it was refused."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from repeg_workbench.faults.judges.record import Execution, Published, RunBooks
from repeg_workbench.faults.judges.start_record import Deployed, Unquoted
from tests.faults.day_by_hand import CLOSES, LAST, PREFIX, RUN, DayByHand, at


def refused_day(
    settings: dict[str, Any] | None = None, *, begins: float = 1, status: str = "FAILED", **account: Any
) -> DayByHand:
    """The only start of a sound plan opens nothing: there is no run, no report, no event."""
    day = DayByHand(settings, **account)
    number = day.called("OpenRun", begins, begins + 1, answered=False)
    day.quoted(begins + 0.5, "100.00", "100.10", invocation=number)
    day.record.dearest = {"AAA": 1_001_000}
    day.record.executions.append(Execution("run", RUN, at(begins - 1), at(begins + 2), status, 5))
    day.record.until, day.record.is_over = at(LAST + 1_800), True
    return day


@pytest.mark.parametrize(("status", "found"), [
    ("FAILED", {"failed_without_cause"}),
    ("SUCCEEDED", {"no_report"}),
    ("ABORTED", set()),
])  # fmt: skip
def test_a_start_that_opens_nothing_without_a_reason_is_a_violation(status: str, found: set[str]) -> None:
    assert refused_day(status=status).violations() == found


def test_a_run_that_nothing_has_started_is_not_judged() -> None:
    day = refused_day()
    day.record.executions.clear()
    assert day.violations() == set()


def test_a_start_is_judged_although_another_one_had_a_reason() -> None:
    day = refused_day()
    day.switched(0, "halt_new")
    assert day.violations() == set()
    day.switched(100, "active")
    day.called("OpenRun", 200, 201, answered=False)
    day.record.executions.append(Execution("again", RUN, at(199), at(202), "FAILED", 5))
    assert day.violations() == {"failed_without_cause"}


def _struck(day: DayByHand) -> None:
    day.record.invoked[-1].is_struck = True


def _repeated(day: DayByHand) -> None:
    _struck(day)
    day.called("OpenRun", 2.1, 2.5, answered=False)


def _stack(day: DayByHand, stack: int) -> None:
    day.switched(0, "halt_new")
    day.record.switched[0] = day.record.switched[0]._replace(stack=stack)


def _earlier(day: DayByHand, ended: float, name: str = "core", *, is_failure: bool = False, books: bool = True) -> None:
    """Another run of the day was opened before, and its end published."""
    run = day.record.runs[0]
    other = replace(run, run_id="other", prefix=f"{PREFIX}other.", plan={**run.plan, "name": name})
    day.record.runs.append(other)
    number = day.called("OpenRun", -100, -99, answered=False)
    day.record.invoked[number].run_id = "other"
    day.record.published.append(Published(at(ended), "other", is_failure))
    if books:
        day.record.books.append(RunBooks("other", (), (), {}, ("other.ended",)))


def _failed(day: DayByHand, closed: float, *, answered: bool = True, struck: bool = False) -> None:
    """Another run of the day has failed, and a step has closed it or tried to until then."""
    _earlier(day, 0, is_failure=True)
    number = day.called("SweepOrders", closed - 10, closed, answered=answered, struck=struck)
    day.record.invoked[number].run_id = "other"


def _deployed(day: DayByHand, when: float, stack: int = 0) -> None:
    day.record.starts.deployed.append(Deployed(at(when), stack, {"allowed_symbols": ["ZZZ"]}))


REASONS: dict[str, tuple[bool, Callable[[DayByHand], object]]] = {
    "a fault": (True, _struck),
    "a fault in an attempt that was repeated": (False, _repeated),
    "an outage": (True, lambda day: day.away(0, 1.5)),
    "an outage that was over": (False, lambda day: day.away(-10, 0.5)),
    "a throttled step": (True, lambda day: day.record.throttled.append((at(2), RUN, "OpenRun"))),
    "the switch": (True, lambda day: _stack(day, 0)),
    "the switch of another stack": (False, lambda day: _stack(day, 1)),
    "the switch, set later": (False, lambda day: day.switched(3, "halt_new")),
    "an earlier run that is open": (True, lambda day: _earlier(day, 500)),
    "an earlier run that has ended": (False, lambda day: _earlier(day, 0)),
    "an earlier run that ends while the step reads": (True, lambda day: _earlier(day, 1.5)),
    "an earlier run that failed, perhaps unseen": (True, lambda day: _earlier(day, 0, is_failure=True)),
    "an earlier run that failed and was closed": (False, lambda day: _failed(day, 0)),
    "an earlier run that failed and was closed later": (True, lambda day: _failed(day, 5)),
    "an earlier run that failed and was not closed": (True, lambda day: _failed(day, 0, answered=False)),
    "an earlier run that failed and may not have been closed": (True, lambda day: _failed(day, 0, struck=True)),
    "an earlier run that was never opened": (False, lambda day: _earlier(day, 500, books=False)),
    "a run of another plan that is open": (False, lambda day: _earlier(day, 500, "another")),
    "other settings": (True, lambda day: _deployed(day, 0)),
    "other settings later": (False, lambda day: _deployed(day, 3)),
    "other settings of another stack": (False, lambda day: _deployed(day, 0, stack=1)),
}


@pytest.mark.parametrize(("is_reason", "add"), REASONS.values(), ids=list(REASONS))
def test_a_start_may_be_refused_because_of(is_reason: bool, add: Callable[[DayByHand], object]) -> None:
    day = refused_day()
    add(day)
    assert ("failed_without_cause" not in day.violations()) is is_reason


@pytest.mark.parametrize(("settings", "is_found"), [
    ({"allowed_symbols": ["BBB"]}, False),
    ({"allowed_symbols": ["AAA"]}, True),
    ({"max_run_notional": "10510"}, False),
    ({"max_run_notional": "10511"}, True),
])  # fmt: skip
def test_a_start_may_be_refused_by_its_settings(settings: dict[str, Any], is_found: bool) -> None:
    """100 shares at 100.10, and a twentieth more for market orders."""
    assert ("failed_without_cause" in refused_day(settings).violations()) is is_found


@pytest.mark.parametrize(("begins", "is_found"), [(CLOSES - 5, True), (CLOSES - 3, False), (LAST, False)])
def test_a_start_may_be_refused_once_its_window_has_closed(begins: float, is_found: bool) -> None:
    assert ("failed_without_cause" in refused_day(begins=begins).violations()) is is_found


@pytest.mark.parametrize(("held", "is_found"), [("0", False), ("99", False), ("100", True)])
def test_a_start_may_be_refused_if_its_shares_are_not_held(held: str, is_found: bool) -> None:
    assert ("failed_without_cause" in refused_day(side=-1, held=held).violations()) is is_found


def test_a_start_may_be_refused_only_if_the_feed_had_no_quote() -> None:
    """Not if its step never asked for one: a step that fails at once has been served none either."""
    day = refused_day()
    day.record.quotes.clear()
    assert day.violations() == {"failed_without_cause"}
    day.record.starts.unquoted.append(Unquoted(at(1.5), 99, "AAA"))
    assert day.violations() == {"failed_without_cause"}
    day.record.starts.unquoted.append(Unquoted(at(1.5), 0, "AAA"))
    assert day.violations() == set()


@pytest.mark.parametrize(
    ("qty", "limit", "is_found"), [("all", "21020", False), ("all", "21022", True), ("100", "21020", True)]
)
def test_a_start_may_be_refused_for_what_is_held_after_a_split(qty: str, limit: str, is_found: bool) -> None:
    """100 shares were planned to be sold, and 200 are held: 20,020 dollars, and a twentieth more."""
    day = refused_day({"max_run_notional": limit}, side=-1, held="200")
    run = day.record.runs[0]
    day.record.runs[0] = replace(run, plan={"name": "core", "orders": [{"symbol": "AAA", "side": "sell", "qty": qty}]})
    assert ("failed_without_cause" in day.violations()) is is_found
