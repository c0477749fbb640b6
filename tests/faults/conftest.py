"""Leaves nothing of a simulated day behind: a seed quietens the functions and installs ports of its own."""

from __future__ import annotations

import logging
from collections.abc import Iterator

import pytest

from repeg import shell, wiring
from workbench.faults.campaign import QUIET


@pytest.fixture(autouse=True)
def quiet(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The surroundings of a seed for one test; afterwards logs, metrics, ports and variables are as they were."""
    for name, value in QUIET.items():
        monkeypatch.setenv(name, value)
    before = logging.root.manager.disable
    logging.disable(logging.CRITICAL)
    yield
    logging.disable(before)
    shell.metrics.clear_metrics()
    wiring.provide(None)
