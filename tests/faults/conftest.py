"""Leaves nothing of a simulated day behind: a seed quietens the functions and installs ports of its own."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from repeg import wiring
from repeg_workbench.faults.campaign import quietly


@pytest.fixture(autouse=True)
def quiet() -> Iterator[None]:
    """The surroundings of a seed for one test; afterwards logs, metrics, ports and variables are as they were."""
    with quietly():
        yield
    wiring.provide(None)
