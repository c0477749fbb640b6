"""Bugs that others have had, to be planted into the deployed code for a while: each must be seen by the judge."""

from __future__ import annotations

from workbench.faults.mutants_of_guards import GUARD_MUTANTS
from workbench.faults.mutants_of_orders import ORDER_MUTANTS
from workbench.faults.mutants_of_replace import REPLACE_MUTANTS
from workbench.faults.planting import Mutant

MUTANTS: dict[str, Mutant] = {**ORDER_MUTANTS, **GUARD_MUTANTS, **REPLACE_MUTANTS}
