"""Cleans up after a simulated day, which silences the functions and installs its own ports."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from repeg import wiring
from repeg_workbench.faults.campaign import quietly


@pytest.fixture(autouse=True)
def quiet() -> Iterator[None]:
    """Silence the functions for one test, then restore logs, metrics, ports and variables."""
    with quietly():
        yield
    wiring.provide(None)
