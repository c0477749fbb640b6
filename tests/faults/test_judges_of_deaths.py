"""The judges on executions that die: which other execution goes on with the run, so that nobody sweeps it."""

from __future__ import annotations

import pytest

from repeg_workbench.faults.judges.record import Execution
from tests.faults.day_by_hand import RUN, DayByHand, at, day_with_arrival


def _aborted_beside(began: float, ended: float) -> DayByHand:
    """The execution is aborted at 700 and its order rests until 1,001; another one has these times."""
    day = day_with_arrival()
    order = day.placed(1, 601, "100", "100.01", bid="100.00", ask="100.10")
    day.closed(700, "partial_deadline", status="ABORTED")
    day.record.invoked.pop()
    day.record.executions[0].ended = at(700)
    day.record.executions.append(Execution("again", RUN, at(began), at(ended), "SUCCEEDED", 5))
    day.ended(order, 1_001)
    return day


@pytest.mark.parametrize(("began", "ended", "opened", "found"), [
    (690, 5_000, None, {"unswept"}),
    (690, 701, None, {"unswept"}),
    (690, 5_000, 691, set()),
    (690, 5_000, 710, set()),
    (690, 699, 691, {"unswept"}),
    (710, 5_000, None, {"unswept"}),
    (710, 5_000, 711, set()),
])  # fmt: skip
def test_another_execution_goes_on_with_a_dead_run_only_if_it_opens_it(
    began: float, ended: float, opened: float | None, found: set[str]
) -> None:
    """One that renews the run does; a second start of a run that is open is refused, even if it is under way then."""
    day = _aborted_beside(began, ended)
    day.called("OpenRun", 1, 2, execution="run")
    if opened is not None:
        day.called("OpenRun", opened, opened + 1, execution="again")
    assert day.violations() & {"unswept"} == found


def test_the_second_delivery_of_its_opening_lets_no_execution_go_on() -> None:
    day = _aborted_beside(690, 5_000)
    day.called("OpenRun", 691, 692, execution="again", duplicate=True)
    day.called("OpenRun", 691, 693, execution="again", answered=False)
    assert "unswept" in day.violations()
