"""Bugs that others have had, to be planted into the deployed code for a while: each must be seen by the judge."""

from __future__ import annotations

from repeg_workbench.faults.planted_bugs_in_guards import GUARD_MUTANTS
from repeg_workbench.faults.planted_bugs_in_orders import ORDER_MUTANTS
from repeg_workbench.faults.planted_bugs_in_replace import REPLACE_MUTANTS
from repeg_workbench.faults.planting import PlantedBug

MUTANTS: dict[str, PlantedBug] = {**ORDER_MUTANTS, **GUARD_MUTANTS, **REPLACE_MUTANTS}
