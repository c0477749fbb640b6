"""The compiled replay does on a sample what its sources do as Python."""

from datetime import date

import numpy as np
import pytest

from repeg_workbench.exchange.market.generated import GeneratedMarket
from repeg_workbench.replay.arrivals import Draw, draw_arrivals
from repeg_workbench.replay.cleaning import CleanDay, clean
from repeg_workbench.replay.compiled import COLUMNS, compiled_work_each, work_each
from repeg_workbench.replay.filling import Model
from repeg_workbench.replay.plans import strategies
from repeg_workbench.replay.side_tape import consolidated, side_tape
from repeg_workbench.replay.state import SECOND, Task
from repeg_workbench.replay.tape import replay_tape

DAY = date(2026, 11, 23)


def generated(symbol: str) -> CleanDay:
    day = GeneratedMarket(3, activity=0.1).day(symbol, DAY)
    assert day is not None
    return clean(day)


@pytest.mark.parametrize("symbol", ["AIG", "JNJ"])
def test_compiled_orders_end_as_interpreted_ones(symbol: str) -> None:
    day = generated(symbol)
    tape, arrivals = replay_tape(day.day), draw_arrivals(day, Draw(2, 400, 5))
    assert len(arrivals) == 2
    looks = 0
    for model in (Model.QUEUE, Model.ODD_LOT):
        task = Task(0, 300, SECOND // 10, int(model), tape.tick, 100, 0)
        for name, plan in strategies(60).items():
            for side in (1, -1):
                view = consolidated(side_tape(tape, side))
                compiled, plain = compiled_work_each(view, arrivals, task, plan), work_each(view, arrivals, task, plan)
                assert compiled.tolist() == plain.tolist(), name
                assert (plain[:, 0] + plain[:, 1] == 300).all()
                looks += int(plain[:, COLUMNS.index("looks")].sum())
    assert looks > 300


def test_a_replay_does_not_change_its_tape() -> None:
    day = generated("JNJ")
    view, arrivals = side_tape(replay_tape(day.day), 1), draw_arrivals(day, Draw(3, 400, 5))
    before = [np.copy(column) for column in view]
    compiled_work_each(
        consolidated(view), arrivals, Task(0, 100, SECOND // 10, 1, 100, 100, 0), strategies(120)["repeg"]
    )
    assert all((old == new).all() for old, new in zip(before, view, strict=True))
