"""The first judge: everything that the documented rules forbid, from the record of the day."""

from __future__ import annotations

from repeg_workbench.faults.judges.causes import CauseJudge
from repeg_workbench.faults.judges.endings import EndingJudge
from repeg_workbench.faults.judges.hearing import HearingJudge
from repeg_workbench.faults.judges.liveness import LivenessJudge
from repeg_workbench.faults.judges.market_orders import MarketJudge
from repeg_workbench.faults.judges.orders import OrderJudge
from repeg_workbench.faults.judges.overtaken import OvertakenJudge
from repeg_workbench.faults.judges.prices import PriceJudge
from repeg_workbench.faults.judges.record import DayRecord
from repeg_workbench.faults.judges.sends import SendJudge
from repeg_workbench.faults.judges.settled import SettledJudge
from repeg_workbench.faults.judges.stalls import StallJudge
from repeg_workbench.faults.judges.starts import StartJudge
from repeg_workbench.faults.judges.times import TimeJudge
from repeg_workbench.faults.judges.verdict import LinesJudge, Violation


def first_judgement(record: DayRecord) -> list[Violation]:
    """What was violated, in order of time, then what is wrong at the end of the day."""
    orders, sends, overtaken = OrderJudge(record), SendJudge(record), OvertakenJudge(record)
    starts, stalls = StartJudge(record), StallJudge(record)
    orders.judge()
    sends.judge()
    overtaken.judge()
    during: list[LinesJudge] = [PriceJudge(record), MarketJudge(record), TimeJudge(record)]
    at_last: list[LinesJudge] = [LivenessJudge(record), CauseJudge(record), HearingJudge(record)]
    endings: list[LinesJudge] = [EndingJudge(record), SettledJudge(record)]
    lines = list(orders.orders.parents.values())
    for judge in [*during, *at_last, *endings] if record.is_over else during:
        judge.judge(lines)
    if record.is_over:
        starts.judge()
        stalls.judge()
    found = [*orders.found, *sends.found, *overtaken.found, *starts.found, *stalls.found]
    found += [violation for judge in [*during, *at_last] for violation in judge.found]
    return [*sorted(found, key=lambda each: each.at), *(each for judge in endings for each in judge.found)]
