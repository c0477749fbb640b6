"""The judges on what must precede an order: its intent, before it leaves, and a run that its id names."""

from __future__ import annotations

import pytest

from repeg_workbench.faults.judges.record import SECOND, SentOrder
from tests.faults.day_by_hand import PREFIX, at, closed_day


@pytest.mark.parametrize(("after", "found"), [(-0.001, set()), (0.4, {"no_intent"}), (0.6, {"no_intent"})])
def test_an_intent_precedes_the_request_and_not_only_its_arrival(after: float, found: set[str]) -> None:
    """The request is under way for half a second."""
    day = closed_day()
    events, sent, intent = day.record.ledger.events, day.record.sent[0], day.record.intents[0]
    arrives = sent.at + SECOND // 2
    events[0], day.record.sent[0] = events[0]._replace(at=arrives), sent._replace(arrived=arrives)
    day.record.intents[0] = intent._replace(at=sent.at + round(after * SECOND))
    assert day.violations() & {"no_intent"} == found


def test_an_intent_precedes_the_first_of_two_requests() -> None:
    """The first one got no answer and never arrived; the intent was written before the second."""
    day = closed_day()
    sent = day.record.sent[0]
    day.record.sent.insert(0, sent._replace(at=sent.at - SECOND, arrived=-1, is_answered=False))
    assert "no_intent" in day.violations()


@pytest.mark.parametrize(("name", "found"), [
    (f"{PREFIX}AAA.b.1", set()), ("rp000-cor-261123.AAA.b.1", {"orders_without_run"}),
])  # fmt: skip
def test_an_order_of_the_program_has_the_id_of_a_run(name: str, found: set[str]) -> None:
    day = closed_day()
    number = day.called("RepegOrders", 955, 956)
    day.record.sent.append(SentOrder(at(955.5), at(955.6), name, number, is_answered=True))
    if found:
        day.filled(day.arrived(name, 955.6, "5000", "150.00"), 956, "2500", "150.00")
    assert day.violations() & {"orders_without_run", "no_intent"} == found


def test_an_order_has_the_id_of_the_run_that_sends_it() -> None:
    day = closed_day()
    day.record.invoked[day.record.sent[0].invocation].run_id = "another"
    assert "orders_without_run" in day.violations()
