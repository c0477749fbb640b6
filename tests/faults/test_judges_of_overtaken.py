"""The judge of overtaken steps: one that a later step of its run has followed sends no more."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from repeg_workbench.faults.judges.record import ALL_THREADS, HeldUp, Intent, SentOrder
from tests.faults.day_by_hand import PREFIX, DayByHand, at, day_with_arrival


def overtaken_day(
    sends: float, *, later: str = "RepegOrders", ended: float = 650, answered: bool = True, struck: bool = False
) -> DayByHand:
    """A step that began at 600 sends an order, beside another one that began at 640 and writes an intent at 645."""
    day = day_with_arrival()
    first = day.called("PlaceOrders", 600, 800)
    second = day.called(later, 640, ended, answered=answered, struck=struck)
    day.record.intents.append(Intent(at(645), f"{PREFIX}AAA.b.1", 1, 10**10, 1_000_100, second))
    day.record.sent.append(SentOrder(at(sends), at(sends), f"{PREFIX}AAA.b.2", first, is_answered=True))
    return day


@pytest.mark.parametrize(("sends", "is_found"), [(661, False), (663, True)])
def test_a_step_that_was_overtaken_sends_no_more_after_17_seconds(sends: float, is_found: bool) -> None:
    assert ("sent_when_overtaken" in overtaken_day(sends).violations()) is is_found


def test_a_step_that_ends_without_an_intent_had_taken_its_run_over() -> None:
    for ended, is_found in ((650, True), (700, False)):
        day = overtaken_day(668, ended=ended)
        day.record.intents[-1] = day.record.intents[-1]._replace(invocation=99)
        assert ("sent_when_overtaken" in day.violations()) is is_found


def test_a_step_of_another_run_overtakes_none() -> None:
    day = overtaken_day(700)
    day.record.invoked[-1].run_id = "another"
    assert "sent_when_overtaken" not in day.violations()


@pytest.mark.parametrize("how", [{"later": "ValidateQuotes"}, {"answered": False}, {"struck": True}])
def test_a_step_that_may_not_have_taken_its_run_over_overtakes_none(how: dict[str, Any]) -> None:
    assert "sent_when_overtaken" not in overtaken_day(700, **how).violations()


def _frozen(day: DayByHand) -> None:
    day.record.held_up.append(HeldUp(day.record.sent[-1].invocation, ALL_THREADS, at(646), at(695)))


def _frozen_before(day: DayByHand) -> None:
    day.record.held_up.append(HeldUp(day.record.sent[-1].invocation, ALL_THREADS, at(601), at(644)))


def _another_is_frozen(day: DayByHand) -> None:
    day.record.held_up.append(HeldUp(99, ALL_THREADS, at(646), at(695)))


@pytest.mark.parametrize(("act", "is_found"), [(_frozen, False), (_frozen_before, True), (_another_is_frozen, True)])
def test_a_step_that_was_frozen_could_not_send_sooner(act: Callable[[DayByHand], None], is_found: bool) -> None:
    day = overtaken_day(700)
    act(day)
    assert ("sent_when_overtaken" in day.violations()) is is_found
