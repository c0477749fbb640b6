"""The first judge: everything that the documented rules forbid, from the record of the day."""

from __future__ import annotations

from repeg_workbench.faults.judges.causes import CauseJudge
from repeg_workbench.faults.judges.endings import EndingJudge
from repeg_workbench.faults.judges.hearing import HearingJudge
from repeg_workbench.faults.judges.liveness import LivenessJudge
from repeg_workbench.faults.judges.orders import OrderJudge
from repeg_workbench.faults.judges.prices import PriceJudge
from repeg_workbench.faults.judges.record import DayRecord
from repeg_workbench.faults.judges.stalls import StallJudge
from repeg_workbench.faults.judges.starts import StartJudge
from repeg_workbench.faults.judges.times import TimeJudge
from repeg_workbench.faults.judges.verdict import Violation


def first_judgement(record: DayRecord) -> list[Violation]:
    """What was violated, in order of time, then what is wrong at the end of the day."""
    orders, prices, times, endings = OrderJudge(record), PriceJudge(record), TimeJudge(record), EndingJudge(record)
    orders.judge()
    lines = list(orders.orders.parents.values())
    prices.judge(lines)
    times.judge(lines)
    liveness, causes, hearing = LivenessJudge(record), CauseJudge(record), HearingJudge(record)
    starts, stalls = StartJudge(record), StallJudge(record)
    if record.is_over:
        endings.judge(lines)
        liveness.judge(lines)
        causes.judge(lines)
        starts.judge()
        stalls.judge()
        hearing.judge(lines)
    judged = (orders, prices, times, liveness, causes, starts, stalls, hearing)
    found = [violation for judge in judged for violation in judge.found]
    return [*sorted(found, key=lambda each: each.at), *endings.found]
