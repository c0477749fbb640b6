"""Every known bug that can be planted in the deployed code; the judge, or the named test, must detect each one."""

from __future__ import annotations

from repeg_workbench.faults.planted_bugs_in_adapters import ADAPTER_BUGS
from repeg_workbench.faults.planted_bugs_in_control import CONTROL_BUGS
from repeg_workbench.faults.planted_bugs_in_endings import ENDING_BUGS
from repeg_workbench.faults.planted_bugs_in_fills import FILL_BUGS
from repeg_workbench.faults.planted_bugs_in_guards import GUARD_BUGS
from repeg_workbench.faults.planted_bugs_in_limits import LIMIT_BUGS
from repeg_workbench.faults.planted_bugs_in_listening import LISTENING_BUGS
from repeg_workbench.faults.planted_bugs_in_moments import MOMENT_BUGS
from repeg_workbench.faults.planted_bugs_in_orders import ORDER_BUGS
from repeg_workbench.faults.planted_bugs_in_prices import PRICE_BUGS
from repeg_workbench.faults.planted_bugs_in_replace import REPLACE_BUGS
from repeg_workbench.faults.planted_bugs_in_resending import RESENDING_BUGS
from repeg_workbench.faults.planted_bugs_in_sending import SENDING_BUGS
from repeg_workbench.faults.planted_bugs_in_size import SIZE_BUGS
from repeg_workbench.faults.planted_bugs_in_sizing import SIZING_BUGS
from repeg_workbench.faults.planted_bugs_in_steps import STEP_BUGS
from repeg_workbench.faults.planted_bugs_in_store import STORE_BUGS
from repeg_workbench.faults.planted_bugs_in_watching import WATCHING_BUGS
from repeg_workbench.faults.planting import PlantedBug

PLANTED_BUGS: dict[str, PlantedBug] = {
    **ORDER_BUGS,
    **GUARD_BUGS,
    **REPLACE_BUGS,
    **PRICE_BUGS,
    **RESENDING_BUGS,
    **SENDING_BUGS,
    **LIMIT_BUGS,
    **FILL_BUGS,
    **ENDING_BUGS,
    **WATCHING_BUGS,
    **SIZING_BUGS,
    **SIZE_BUGS,
    **CONTROL_BUGS,
    **STORE_BUGS,
    **STEP_BUGS,
    **MOMENT_BUGS,
    **LISTENING_BUGS,
    **ADAPTER_BUGS,
}
