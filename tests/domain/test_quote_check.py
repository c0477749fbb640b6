"""The quote check of a waiting order: its hold reason, and the collar from its first accepted quote."""

from __future__ import annotations

import pytest

from repeg.domain.outcome import HoldReason
from repeg.domain.peg import describe
from repeg.domain.quote import QuoteVerdict
from repeg.domain.quote_check import hold_reason
from tests.builders import NOON, a_quote, after_noon


@pytest.mark.parametrize(("age", "reason"), [(11, "stale"), (299.999, "stale"), (300, "halted"), (-3_600, "stale")])
def test_a_stale_quote_counts_as_a_halt_from_five_minutes_on(age: float, reason: str) -> None:
    assert hold_reason(QuoteVerdict.STALE, a_quote(at=after_noon(-age)), NOON) is HoldReason(reason)


def test_a_stale_quote_without_a_timestamp_is_no_sign_of_a_halt() -> None:
    assert hold_reason(QuoteVerdict.STALE, a_quote(at=None), NOON) is HoldReason.STALE


@pytest.mark.parametrize(
    ("age", "words"),
    [(11, "stale: 11s old"), (-3_600, "stale: stamped 3600s in the future"), (None, "stale: no time stamp")],
)
def test_the_tape_says_why_a_quote_is_stale(age: float | None, words: str) -> None:
    quote = a_quote(at=None if age is None else after_noon(-age))
    assert describe(quote, QuoteVerdict.STALE, NOON) == f"bid 100.00 × ask 100.05, {words}"
