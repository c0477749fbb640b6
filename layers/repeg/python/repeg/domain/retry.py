"""How long an order waits after a refusal that may pass."""

from __future__ import annotations

from datetime import timedelta

from repeg.domain.time_limits import FIRST_RETRY, LAST_RETRY


def retry_pause(refusals: int) -> timedelta:
    """The pause after so many refusals in a row: doubled with each, up to LAST_RETRY."""
    doublings = min(max(refusals - 1, 0), 10)
    return min(FIRST_RETRY * (1 << doublings), LAST_RETRY)
