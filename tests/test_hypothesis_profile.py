"""A slow machine fails no property."""

from __future__ import annotations

from hypothesis import HealthCheck, settings


def test_no_property_is_timed() -> None:
    drawn = settings()
    assert drawn.deadline is None
    assert HealthCheck.too_slow in drawn.suppress_health_check
