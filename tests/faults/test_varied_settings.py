"""The settings that seeded days draw are settings that a deployment may have."""

from __future__ import annotations

from random import Random  # noqa: TID251 - seeded
from typing import Any

import pytest

from repeg.domain.settings import Settings
from repeg.domain.settings_limits import require_sound
from repeg_workbench.faults.varied_settings import _symbol_settings

DEPLOYED: dict[str, Any] = {"policy": "anchor", "patience_seconds": 3_600, "order_monitoring_seconds": 30}


@pytest.mark.parametrize(("escalation", "fewest"), [("none", 1), ("mid", 2), ("cross", 3)])
@pytest.mark.parametrize("moves", [0, 2])
def test_the_attempts_reach_the_end_of_every_ladder_that_is_drawn(escalation: str, fewest: int, moves: int) -> None:
    deployed = {**DEPLOYED, "escalation": escalation, "max_repegs": moves, "max_attempts": moves + fewest}
    require_sound(Settings.model_validate(deployed))
    for seed in range(300):
        drawn = _symbol_settings(deployed, Random(seed))
        require_sound(Settings.model_validate({**deployed, **drawn}))
