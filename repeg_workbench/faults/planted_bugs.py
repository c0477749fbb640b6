"""Every known bug that can be planted in the deployed code; the judge must detect each one."""

from __future__ import annotations

from repeg_workbench.faults.planted_bugs_in_guards import GUARD_BUGS
from repeg_workbench.faults.planted_bugs_in_orders import ORDER_BUGS
from repeg_workbench.faults.planted_bugs_in_replace import REPLACE_BUGS
from repeg_workbench.faults.planting import PlantedBug

PLANTED_BUGS: dict[str, PlantedBug] = {**ORDER_BUGS, **GUARD_BUGS, **REPLACE_BUGS}
