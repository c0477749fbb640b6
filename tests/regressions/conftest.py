"""Fixtures: the steps' desk, and the state machine on it."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from repeg import lambda_step, wiring
from tests.functions.conftest import open_desk
from tests.functions.desk import Desk
from tests.regressions.machine import Machine

__all__ = ["open_desk"]


@pytest.fixture
def machine_at() -> Iterator[Callable[[Desk], Machine]]:
    """Sets up the deployed machine at a desk."""
    lambda_step.metrics.clear_metrics()
    yield Machine
    wiring.provide(None)
