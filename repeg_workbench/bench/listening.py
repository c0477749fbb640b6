"""Measures an hour of a hundred orders that rest until the close, by polling and by listening: what it costs at AWS."""

from __future__ import annotations

import sys
from collections import Counter
from dataclasses import replace

from repeg_workbench.bench.attempts import attempts, dollars
from repeg_workbench.bench.day import line
from repeg_workbench.bench.many_orders import a_large_day
from repeg_workbench.bench.waiting_days import MODES
from repeg_workbench.simulate.simulation import opened

ORDERS, PER_MINUTE = 100, 200

MOST_DOLLARS = 0.03


def main() -> int:
    """Print both; returns 1 if listening writes more history events than polling."""
    events = {mode: _measure(mode) for mode in MODES}
    return int(events["stream"] >= events["poll"])


def _measure(mode: str) -> int:
    scenario, calls = a_large_day(ORDERS, PER_MINUTE), Counter[str]()
    settings, parameters = {**scenario.settings, "waiting": mode}, {**scenario.parameters, "Waiting": mode}
    with opened(replace(scenario, settings=settings, parameters=parameters)) as day:
        day.engine.before_table_call.append(lambda operation: calls.update([operation]))
        day.start("bench")
        day.run()
        usage, summary = day.usage(), day.summary()
        if summary is None or summary["outcome"] != "settled":
            raise RuntimeError(f"waiting={mode}: the run did not settle: {day.ending().cause}")
        tries = [each for execution in day.engine.executions() for each in attempts(execution.history)]
    seconds = sum(each.seconds for each in tries)
    costs = dollars(usage.transitions, len(tries), seconds, calls)
    sys.stdout.write(f"an hour of {ORDERS} orders, waiting={mode}\n")
    line("dollars at AWS", f"{sum(costs.values()):.4f}", f"target {MOST_DOLLARS} for listening")
    for what, cost in costs.items():
        line(f"  {what}", f"{cost:.4f}")
    line("function seconds", f"{seconds:.0f}")
    line("transitions", f"{usage.transitions}")
    line("history events", f"{usage.history_events}", "target: fewer by listening")
    line("trading requests", f"{usage.trading_requests}")
    line("data requests", f"{usage.data_requests}")
    return usage.history_events


if __name__ == "__main__":
    sys.exit(main())
