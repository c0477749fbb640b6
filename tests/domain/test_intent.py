"""Intents: until when one may be sent, and how old it is."""

from __future__ import annotations

from datetime import timedelta

import pytest

from repeg.domain.time_limits import SENDS_FOR
from tests.builders import NOON, after_noon
from tests.contracts.words import an_intent, an_order

AGE = timedelta(seconds=2)
WRITTEN_AT_NOON = an_intent(an_order()).model_copy(update={"not_after": NOON + SENDS_FOR})


@pytest.mark.parametrize(("seconds", "is_older"), [(0, False), (2, False), (2.1, True)])
def test_an_intent_is_as_old_as_its_deadline_says(seconds: float, *, is_older: bool) -> None:
    assert WRITTEN_AT_NOON.is_older_than(AGE, after_noon(seconds)) is is_older


def test_an_intent_without_a_deadline_is_older_than_any_age() -> None:
    assert WRITTEN_AT_NOON.resent_until(NOON).is_older_than(AGE, NOON)
    undated = WRITTEN_AT_NOON.model_copy(update={"not_after": None})
    assert undated.is_older_than(AGE, NOON)
    assert undated.expired_at(NOON) == ""


def test_an_intent_expires_after_its_deadline() -> None:
    assert WRITTEN_AT_NOON.expired_at(NOON + SENDS_FOR) == ""
    later = NOON + SENDS_FOR + timedelta(microseconds=1)
    assert WRITTEN_AT_NOON.expired_at(later) == f"deadline {(NOON + SENDS_FOR).isoformat()} has passed"
