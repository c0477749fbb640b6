"""The judges on what must precede an order: its intent, before it leaves."""

from __future__ import annotations

import pytest

from repeg_workbench.faults.judges.record import SECOND
from tests.faults.day_by_hand import closed_day


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
